//! Free functions that make a request (`reqwest::get`), and blocking clients.

use std::io::Read as _;

use support::documents::{capture, capture_blocking};
use support::subsegments::{only_call, status};
use support::{Server, refused_url};
use xray::{Document, Instrument as _, Segment};

/// Returns the only call of the only document. Checks that its request reached the server with the id of the call.
fn call(server: &Server, documents: &[Document]) -> Document {
    let (call, seen) = (only_call(documents).clone(), server.take_seen());
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].trace_header().parent, Some(call.id));
    assert_eq!(seen[0].trace_header().root, documents[0].trace_id);
    call
}

#[xray::traced_http]
async fn get(url: &str) -> reqwest::Result<(u16, u16)> {
    let owned = url.to_owned();
    // `reqwest::get` is generic over its argument: `&String`, `String` and `Url` all work.
    let future = reqwest::get(&owned);
    let first = future.await?.status().as_u16();
    let parsed = reqwest::Url::parse(url).map(reqwest::get);
    Ok((first, parsed.map_or(0, |_| 1)))
}

#[tokio::test]
async fn reqwest_get() {
    let server = Server::start().await;
    let url = server.url("/status/404?secret=1");
    let (result, documents) = capture(get(&url).in_segment("t")).await;
    assert_eq!(result.unwrap(), (404, 1));
    let call = call(&server, &documents);
    assert_eq!((status(&call), call.error, call.fault), (Some(404), true, false));
    let request = call.http.unwrap().request.unwrap();
    assert_eq!(request.url.unwrap(), server.url("/status/404"));

    // Without a segment, the client's own function is called.
    get(&url).await.unwrap();
    assert!(server.take_seen()[0].trace_headers().is_empty());
    // Created outside the segment, polled inside.
    let (_, documents) = capture(async {
        let future = futures::future::lazy(|_| ()).then_get(&url);
        future.in_segment("t").await
    })
    .await;
    assert_eq!(status(&self::call(&server, &documents)), Some(404));
}

trait ThenGet: Sized {
    #[allow(clippy::wrong_self_convention)]
    fn then_get(self, url: &str) -> impl Future<Output = reqwest::Result<reqwest::Response>>;
}

#[xray::traced_http]
impl<F: Future> ThenGet for F {
    fn then_get(self, url: &str) -> impl Future<Output = reqwest::Result<reqwest::Response>> {
        reqwest::get(url)
    }
}

#[tokio::test]
async fn errors_are_the_clients() {
    #[xray::traced_http]
    async fn wrong() -> (String, String) {
        let builder = reqwest::get("no url").await.unwrap_err();
        let refused = reqwest::get(refused_url()).await.unwrap_err();
        (builder.to_string(), refused.is_connect().to_string())
    }
    let ((builder, is_connect), documents) = capture(wrong().in_segment("t")).await;
    assert_eq!((builder, is_connect.as_str()), (reqwest::get("no url").await.unwrap_err().to_string(), "true"));
    assert_eq!(documents[0].subsegments.len(), 1, "an invalid URL makes no call");
    assert!(documents[0].subsegments[0].fault && documents[0].subsegments[0].cause.is_some());
}

/// The user's own modules named `reqwest` and `blocking`. One returns another type, one returns the client's.
mod own {
    pub(super) mod reqwest {
        pub(crate) fn get(number: u32) -> Option<u32> {
            number.checked_add(1)
        }

        pub(crate) mod blocking {
            /// Requests another path, so that a test sees that this function was called.
            pub(crate) fn get(url: &str) -> Result<reqwest::blocking::Response, reqwest::Error> {
                reqwest::blocking::Client::new().get(format!("{url}/own")).send()
            }
        }
    }

    pub(super) mod asynchronous {
        mod reqwest {
            /// Requests another path too.
            pub(crate) async fn get(url: &str) -> Result<reqwest::Response, reqwest::Error> {
                reqwest::Client::new().get(format!("{url}/own")).send().await
            }
        }

        #[xray::traced_http]
        pub(in super::super) async fn the_same_type(url: &str) -> Result<u16, ::reqwest::Error> {
            Ok(reqwest::get(url).await?.status().as_u16())
        }
    }

    #[xray::traced_http]
    pub(super) fn another_type() -> Option<u32> {
        let all: Vec<_> = [1, 2].into_iter().filter_map(|number| reqwest::get(number)).collect();
        Some(reqwest::get(all[0])? + reqwest::get(all[1])?)
    }

    #[xray::traced_http]
    pub(super) fn the_same_type(url: &str) -> Result<u16, ::reqwest::Error> {
        Ok(reqwest::blocking::get(url)?.status().as_u16())
    }
}

#[tokio::test]
async fn modules_of_the_same_name_are_left_alone() {
    assert_eq!(own::another_type(), Some(7));
    let server = Server::start().await;
    let url = server.url("/bytes/1");
    let work =
        move || capture_blocking(|| Segment::builder("t").begin().in_scope(|| own::the_same_type(&url).unwrap()));
    let (status, documents) = tokio::task::spawn_blocking(work).await.unwrap();
    assert_eq!((status, documents[0].subsegments.len()), (404, 0));
    assert_eq!(server.take_seen()[0].uri, "/bytes/1/own");
    let url = server.url("/bytes/1");
    let (status, documents) = capture(own::asynchronous::the_same_type(&url).in_segment("t")).await;
    assert_eq!((status.unwrap(), documents[0].subsegments.len()), (404, 0));
    assert_eq!(server.take_seen()[0].uri, "/bytes/1/own");
}

#[xray::traced_http]
fn blocking(url: &str, place: bool) -> reqwest::Result<(u16, String)> {
    let client = reqwest::blocking::Client::new();
    let mut response = if place {
        let request = client.put(url).header("X-Amzn-Trace-Id", "Root=old");
        request.send()?
    } else if url.ends_with('4') {
        client.execute(client.get(url).build()?)?
    } else {
        reqwest::blocking::get(url)?
    };
    let mut text = String::new();
    response.read_to_string(&mut text).unwrap();
    Ok((response.status().as_u16(), text))
}

mod with_an_imported_module {
    use reqwest::blocking;

    /// The function has no other call.
    #[xray::traced_http]
    pub(crate) fn get(url: &str) -> reqwest::Result<u16> {
        Ok(blocking::get(url)?.status().as_u16())
    }
}

#[tokio::test]
async fn reqwest_blocking() {
    let server = Server::start().await;
    let url = server.url("/status/404");
    let work = move || {
        capture_blocking(|| Segment::builder("t").begin().in_scope(|| with_an_imported_module::get(&url).unwrap()))
    };
    let (result, documents) = tokio::task::spawn_blocking(work).await.unwrap();
    assert_eq!((result, status(&call(&server, &documents))), (404, Some(404)));
    for (path, place, expected, length) in [
        ("/status/404", true, 404, Some(0)),
        ("/status/404", false, 404, Some(0)),
        ("/status/503", false, 503, Some(0)),
        ("/bytes/3", false, 200, Some(3)),
        ("/chunked", false, 200, None),
    ] {
        let url = server.url(path);
        let work =
            move || capture_blocking(|| Segment::builder("t").begin().in_scope(|| blocking(&url, place).unwrap()));
        let ((status, text), documents) = tokio::task::spawn_blocking(work).await.unwrap();
        let call = call(&server, &documents);
        let response = call.http.as_ref().unwrap().response.unwrap();
        assert_eq!((status, response.status), (expected, Some(expected)), "{path}");
        assert_eq!(response.content_length, length, "{path}");
        assert_eq!((call.error, call.fault), (expected == 404, expected == 503), "{path}");
        assert_eq!(text, ["", "ab", "xxx"][if path == "/chunked" { 1 } else { usize::from(expected == 200) * 2 }]);
        assert!(call.end_time.unwrap() > call.start_time, "a call takes time");
    }
}

#[test]
fn a_blocking_call_that_is_refused() {
    let url = refused_url();
    let (result, documents) = capture_blocking(|| Segment::builder("t").begin().in_scope(|| blocking(&url, false)));
    assert!(result.unwrap_err().is_connect());
    let call = &documents[0].subsegments[0];
    assert!(call.fault && call.http.as_ref().unwrap().response.is_none());
    let (outside, documents) = capture_blocking(|| blocking(&url, true));
    assert!(outside.is_err() && documents.is_empty());
}
