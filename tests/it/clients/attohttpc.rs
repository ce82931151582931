//! attohttpc.

use attohttpc::body::{Body, BodyKind};
use attohttpc::{RequestBuilder, Session};
use support::documents::capture_blocking;

use super::checks::{self, Ask, Client, Told, told};

/// The builders of attohttpc panic at a text that is not a URL.
const CLIENT: Client = Client { method: "GET", bad_url: None, exceptions: 1, replaces: true };

fn with_own<B>(builder: RequestBuilder<B>, ask: &Ask) -> RequestBuilder<B> {
    match ask.own_header {
        Some(value) => builder
            .header("X-Amzn-Trace-Id", value)
            .header_append("x-amzn-trace-id", "b")
            .header("traceparent", value)
            .header_append("Traceparent", "b"),
        None => builder,
    }
}

#[derive(Debug, Clone, Copy)]
enum Way {
    Get,
    Place,
    Session,
    Text,
}

twice! {
    fn send(ask: Ask, way: Way) -> Told {
        let answer = match way {
            Way::Get => with_own(attohttpc::get(&ask.url), &ask).send(),
            Way::Place => {
                let request = with_own(attohttpc::get(&ask.url), &ask);
                request.send()
            }
            Way::Session => {
                let session = Session::new();
                with_own(session.get(&ask.url).param("a", "b"), &ask).send()
            }
            Way::Text => with_own(attohttpc::post(&ask.url), &ask).text("text").send(),
        };
        answer.map(|response| response.status().as_u16()).map_err(told)
    }
}

#[tokio::test]
async fn send_is_traced() {
    check!(blocking CLIENT, send, Way::Get, Way::Place, Way::Session);
    check!(blocking Client { method: "POST", ..CLIENT }, send, Way::Text);
}

#[test]
fn a_request_that_cannot_be_prepared_is_no_call() {
    /// A body whose preparation fails.
    struct NoBody;

    impl Body for NoBody {
        fn kind(&mut self) -> std::io::Result<BodyKind> {
            Err(std::io::Error::other("no body"))
        }

        fn write<W: std::io::Write>(&mut self, _: W) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[xray::traced_http]
    fn traced() -> String {
        told(attohttpc::post("http://localhost/").body(NoBody).send().unwrap_err())
    }
    let plain = told(attohttpc::post("http://localhost/").body(NoBody).send().unwrap_err());
    let (told, documents) = capture_blocking(|| xray::Segment::builder("t").begin().in_scope(traced));
    assert_eq!(told, plain);
    assert!(documents[0].subsegments.is_empty());
}
