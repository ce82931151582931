//! attohttpc.

use attohttpc::body::{Body, BodyKind};
use attohttpc::{RequestBuilder, Session};
use support::documents::capture_blocking;

use super::checks::{self, CallInput, CallResult, Client, error_text};

/// The builders of attohttpc panic at a text that is not a URL.
const CLIENT: Client = Client { method: "GET", bad_url: None, exceptions: 1, replaces: true };

fn with_own<B>(builder: RequestBuilder<B>, input: &CallInput) -> RequestBuilder<B> {
    match input.own_header {
        Some(value) => builder
            .header("X-Amzn-Trace-Id", value)
            .header_append("x-amzn-trace-id", "b")
            .header("traceparent", value)
            .header_append("Traceparent", "b"),
        None => builder,
    }
}

#[derive(Debug, Clone, Copy)]
enum Variant {
    Get,
    Place,
    Session,
    Text,
}

with_and_without_attribute! {
    fn send(input: CallInput, variant: Variant) -> CallResult {
        let answer = match variant {
            Variant::Get => with_own(attohttpc::get(&input.url), &input).send(),
            Variant::Place => {
                let request = with_own(attohttpc::get(&input.url), &input);
                request.send()
            }
            Variant::Session => {
                let session = Session::new();
                with_own(session.get(&input.url).param("a", "b"), &input).send()
            }
            Variant::Text => with_own(attohttpc::post(&input.url), &input).text("text").send(),
        };
        answer.map(|response| response.status().as_u16()).map_err(error_text)
    }
}

#[tokio::test]
async fn send_is_traced() {
    check!(blocking CLIENT, send, Variant::Get, Variant::Place, Variant::Session);
    check!(blocking Client { method: "POST", ..CLIENT }, send, Variant::Text);
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
        error_text(attohttpc::post("http://localhost/").body(NoBody).send().unwrap_err())
    }
    let plain = error_text(attohttpc::post("http://localhost/").body(NoBody).send().unwrap_err());
    let (result, documents) = capture_blocking(|| xray::Segment::builder("t").begin().in_scope(traced));
    assert_eq!(result, plain);
    assert!(documents[0].subsegments.is_empty());
}
