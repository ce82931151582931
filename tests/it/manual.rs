//! Calls that a program traces by hand with `xray::http::call`, against a real service.

use std::future::{pending, ready};
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::Duration;

use futures::FutureExt as _;
use http::HeaderMap;
use support::documents::{capture, capture_blocking};
use support::subsegments::{below, mark, only_call, seconds, status};
use support::{Server, child, logs, refused_url};
use xray::document::Cause;
use xray::http::Call;
use xray::{Instrument as _, Namespace, Sampled, Segment, TRACE_HEADER_NAME, TraceHeader};

/// A blocking client that takes headers as text.
fn exchange(address: SocketAddr, path: &str, headers: &[(String, String)]) -> io::Result<u16> {
    let lines: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let headers = lines.concat();
    let mut connection = TcpStream::connect(address)?;
    write!(connection, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n")?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// A blocking call by hand, as the documentation shows it.
fn get_blocking(address: SocketAddr, path: &str) -> io::Result<u16> {
    let mut headers = Vec::new();
    let call = xray::http::call("GET", &format!("http://user:password@{address}{path}")).inject(&mut headers);
    call.run(|| exchange(address, path, &headers), read)
}

fn read(answer: &io::Result<u16>, call: &mut Call) {
    match answer {
        Ok(status) => call.response(*status, None),
        Err(error) => call.error(error),
    }
}

/// An asynchronous call by hand. No attribute stands here.
async fn get(client: &reqwest::Client, url: &str) -> reqwest::Result<reqwest::Response> {
    let mut headers = HeaderMap::new();
    let call = xray::http::call("GET", url).inject(&mut headers);
    call.run_async(client.get(url).headers(headers).send(), read_reqwest).await
}

fn read_reqwest(answer: &reqwest::Result<reqwest::Response>, call: &mut Call) {
    match answer {
        Ok(response) => call.response(response.status().as_u16(), response.content_length()),
        Err(error) => call.error(error),
    }
}

#[tokio::test]
async fn a_blocking_call_is_recorded_and_carries_its_id() {
    let server = Server::start().await;
    let address = server.address;
    let work = async {
        let work = xray::in_current_trace(move || get_blocking(address, "/status/429?token=secret"));
        tokio::task::spawn_blocking(work).await.unwrap()
    };
    let (result, documents) = capture(work.in_segment("t")).await;
    assert_eq!(result.unwrap(), 429);
    let call = only_call(&documents);
    assert_eq!((call.name.as_str(), call.namespace), ("127.0.0.1", Some(Namespace::Remote)));
    assert_eq!(call.http.as_ref().unwrap().request.as_ref().unwrap().url, Some(server.url("/status/429")));
    assert_eq!((status(call), call.error, call.throttle, call.fault), (Some(429), true, true, false));
    let header = server.take_seen()[0].trace_header();
    assert_eq!((header.root, header.parent), (documents[0].trace_id, Some(call.id)));
    assert_eq!(header.sampled, Some(Sampled::Yes));
}

#[tokio::test]
async fn a_future_is_recorded_and_carries_its_id() {
    let server = Server::start().await;
    let url = server.url("/bytes/5?token=secret");
    let (response, documents) = capture(get(&reqwest::Client::new(), &url).in_segment("t")).await;
    assert_eq!(response.unwrap().text().await.unwrap(), "xxxxx");
    let call = only_call(&documents);
    let response = call.http.as_ref().unwrap().response.unwrap();
    assert_eq!((response.status, response.content_length), (Some(200), Some(5)));
    assert_eq!(server.take_seen()[0].trace_header().parent, Some(call.id));
    assert!(!serde_json::to_string(&documents).unwrap().contains("secret"));
}

/// In a child process, because a missing context is logged once for each place.
#[test]
fn a_call_outside_any_segment_runs_and_is_logged_once() {
    let name = "a_call_outside_any_segment_runs_and_is_logged_once";
    child::run(module_path!(), name, calls_outside_any_segment);
}

#[tokio::main]
async fn calls_outside_any_segment() {
    logs::keep();
    let server = Server::start().await;
    let mut headers = HeaderMap::new();
    let call = xray::http::call("GET", "http://h/").inject(&mut headers);
    assert!(!call.is_recorded() && headers.is_empty());
    let (response, documents) = capture(get(&reqwest::Client::new(), &server.url("/bytes/1"))).await;
    assert_eq!(response.unwrap().status(), 200);
    let address = server.address;
    assert_eq!(tokio::task::spawn_blocking(move || get_blocking(address, "/bytes/1")).await.unwrap().unwrap(), 200);
    assert!(documents.is_empty());
    assert!(server.take_seen().iter().all(|seen| seen.trace_headers().is_empty()));
    let logged = logs::texts_of("xray::context");
    // The call above, and the two calls in `get` and `get_blocking`.
    assert_eq!(logged.len(), 3, "{logged:?}");
    let here = "GET h at tests/it/manual.rs:";
    assert!(logged[0].starts_with(here) && logged[0].contains("no segment is open here"), "{logged:?}");
    assert!(logged[1..].iter().all(|line| line.starts_with("GET 127.0.0.1 at tests/it/manual.rs:")), "{logged:?}");
}

#[tokio::test]
async fn unsampled_only_the_header_goes_out() {
    let server = Server::start().await;
    let header = TraceHeader::parse("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0");
    let work = async {
        let mut headers = HeaderMap::new();
        let call = xray::http::call("GET", &server.url("/bytes/1")).inject(&mut headers);
        let request = reqwest::Client::new().get(server.url("/bytes/1"));
        let request = request.header(TRACE_HEADER_NAME, &headers[TRACE_HEADER_NAME]);
        call.run_async(request.send(), |_, _| unreachable!("nothing is recorded")).await.unwrap();
    };
    let ((), documents) = capture(work.in_segment(Segment::builder("t").trace_header(&header))).await;
    assert!(documents.is_empty());
    let seen = server.take_seen();
    assert_eq!(seen[0].trace_headers(), ["Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0"]);
}

#[tokio::test]
async fn an_error_is_the_cause_with_its_sources() {
    let url = format!("{}p?token=secret", refused_url());
    let (result, documents) = capture(get(&reqwest::Client::new(), &url).in_segment("t")).await;
    assert!(result.unwrap_err().is_connect());
    let call = only_call(&documents);
    let Some(Cause::Exceptions(cause)) = &call.cause else { panic!("{call:#?}") };
    assert!(call.fault && cause.exceptions.len() >= 3, "{call:#?}");
    assert_eq!(cause.exceptions[0].kind.as_deref(), Some("reqwest::error::Error"));
    assert!(!serde_json::to_string(&documents).unwrap().contains("secret"));
}

#[tokio::test]
async fn a_panic_is_recorded_and_goes_on() {
    let panicking = async {
        let call = xray::http::call("GET", "http://h/");
        call.run_async(async { panic!("no way") }, |(), _| ()).await;
    };
    let (result, documents) = capture(AssertUnwindSafe(panicking.in_segment("t")).catch_unwind()).await;
    assert_eq!(result.unwrap_err().downcast_ref::<&str>().unwrap(), &"no way");
    let in_the_future = documents;
    let (result, documents) = capture_blocking(|| {
        let segment = Segment::builder("t").begin();
        catch_unwind(AssertUnwindSafe(|| {
            segment.in_scope(|| xray::http::call("GET", "http://h/").run(|| panic!("no way"), |(), _| ()));
        }))
    });
    assert!(result.is_err());
    for call in [only_call(&in_the_future), only_call(&documents)] {
        let Some(Cause::Exceptions(cause)) = &call.cause else { panic!("{call:#?}") };
        assert_eq!(cause.exceptions[0].message.as_deref(), Some("no way"));
        assert!(call.fault && call.metadata.is_empty(), "a panic does not cancel the call: {call:#?}");
    }
}

#[tokio::test]
async fn a_call_lasts_from_the_first_poll_to_the_response() {
    let work = async {
        let call = xray::http::call("GET", "http://h/");
        let future = call.run_async(async { tokio::time::sleep(Duration::from_millis(30)).await }, |(), _| ());
        mark("before the first poll");
        future.await;
        mark("after the response");
    };
    let ((), subsegments) = below(work).await;
    let [before, call, after] = &subsegments[..] else { panic!("{subsegments:#?}") };
    assert!(before.end_time < Some(call.start_time) && call.end_time < Some(after.start_time), "{subsegments:#?}");
    assert!(seconds(call) >= 0.025, "{call:#?}");
    assert_eq!(status(call), None);
    assert!(call.metadata.is_empty() && !call.fault, "the reader records nothing: {call:#?}");
}

#[tokio::test]
async fn a_dropped_future_is_cancelled_and_an_unpolled_one_leaves_no_trace() {
    let work = async {
        let call = xray::http::call("GET", "http://h/");
        {
            let mut polled = pin!(call.run_async(pending::<()>(), |(), _| unreachable!()));
            assert!(polled.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        drop(xray::http::call("GET", "http://unpolled/").run_async(pending::<()>(), |(), _| unreachable!()));
        drop(xray::http::call("GET", "http://unsent/"));
    };
    let ((), documents) = capture(work.in_segment("t")).await;
    let call = only_call(&documents);
    assert_eq!((call.name.as_str(), &call.metadata["xray"]["cancelled"]), ("h", &true.into()));
}

#[test]
fn a_traced_future_keeps_its_auto_traits_and_stays_small() {
    fn is_send(_: &impl Send) {}
    fn is_unpin(_: &impl Unpin) {}

    let ((), documents) = capture_blocking(|| {
        Segment::builder("t").begin().in_scope(|| {
            let counted = Rc::new(1);
            // A pinned future, and a reader that is neither `Send` nor `Unpin`.
            let future = xray::http::call("GET", "http://h/").run_async(async { 7 }, |seven, call| {
                call.response(200 + *seven + *counted, None);
            });
            let mut future = pin!(future);
            let task = &mut Context::from_waker(Waker::noop());
            assert_eq!(future.as_mut().poll(task), std::task::Poll::Ready(7));

            let call = xray::http::call("GET", "http://h/");
            let future = call.run_async(ready(1), |_, _| ());
            is_send(&future);
            is_unpin(&future);
            let pinned = xray::http::call("GET", "http://h/").run_async(async {}, |(), _| ());
            is_send(&pinned);
            // The open call consists of two pointers, and the third word is the state of the client's future.
            assert!(size_of_val(&pinned) <= 3 * size_of::<usize>(), "{}", size_of_val(&pinned));
        });
    });
    assert_eq!(status(only_call(&documents)), Some(208));
}

/// The attribute would trace this client's call too, but the request carries the call's header already.
#[tokio::test]
async fn a_manual_call_in_an_annotated_function_is_recorded_once() {
    #[xray::traced_http]
    async fn both(client: &reqwest::Client, url: &str) -> reqwest::Result<reqwest::Response> {
        let mut headers = HeaderMap::new();
        let call = xray::http::call("PUT", url).inject(&mut headers);
        let request = client.put(url).header(TRACE_HEADER_NAME, &headers[TRACE_HEADER_NAME]);
        call.run_async(request.send(), read_reqwest).await
    }
    let server = Server::start().await;
    let (result, documents) = capture(both(&reqwest::Client::new(), &server.url("/bytes/1")).in_segment("t")).await;
    assert_eq!(result.unwrap().status(), 200);
    assert_eq!(server.take_seen()[0].trace_header().parent, Some(only_call(&documents).id));
}

/// Returns whether a request with these headers is recorded as a new call.
fn is_recorded(headers: &mut HeaderMap) -> bool {
    let before = headers.get(&TRACE_HEADER_NAME).cloned();
    let call = xray::http::call("GET", "http://h/").inject(headers);
    let is_replaced = headers.get(&TRACE_HEADER_NAME) != before.as_ref();
    assert_eq!(is_replaced, call.is_recorded(), "a recorded call replaces the header, and no other call does");
    is_replaced
}

#[test]
fn a_request_of_an_open_call_is_not_recorded_again() {
    let ((), documents) = capture_blocking(|| {
        Segment::builder("t").begin().in_scope(|| {
            let mut headers = HeaderMap::new();
            let call = xray::http::call("GET", "http://h/").inject(&mut headers);
            assert!(!is_recorded(&mut headers));
            let part = xray::current().subsegment("part");
            assert!(!part.in_scope(|| is_recorded(&mut headers)), "a deeper layer does not record the request again");
            call.run(|| assert!(!is_recorded(&mut headers)), |(), _| ());
            assert!(is_recorded(&mut headers), "the request is sent again after its call has ended");
        });
    });
    let names: Vec<_> = documents[0].subsegments.iter().map(|call| call.name.as_str()).collect();
    assert_eq!(names, ["h", "part"], "no other call is recorded");
}

#[test]
fn a_request_that_is_sent_again_elsewhere_is_a_call_of_its_own() {
    let ((), _) = capture_blocking(|| {
        let segment = Segment::builder("t").begin();
        let mut headers = HeaderMap::new();
        let first = segment.subsegment("first attempt");
        first.in_scope(|| drop(xray::http::call("GET", "http://h/").inject(&mut headers)));
        first.end();
        let second = segment.subsegment("second attempt");
        assert!(second.in_scope(|| is_recorded(&mut headers)));
    });
}

#[test]
fn a_request_that_is_sent_again_after_many_calls_is_a_call_of_its_own() {
    let ((), documents) = capture_blocking(|| {
        Segment::builder("t").begin().in_scope(|| {
            let send = |headers: &mut HeaderMap| {
                let call = xray::http::call("GET", "http://h/").inject(headers);
                call.run(|| (), |(), call| call.response(503, None));
            };
            let mut headers = HeaderMap::new();
            send(&mut headers);
            // More calls than a segment keeps, so that the first one has been sent.
            (0..100).for_each(|_| send(&mut HeaderMap::new()));
            send(&mut headers);
        });
    });
    let embedded = documents.iter().map(|document| document.subsegments.len()).sum::<usize>();
    let independent = documents.iter().filter(|document| document.name == "h").count();
    assert_eq!(embedded + independent, 102);
}

#[test]
fn a_request_whose_call_was_dropped_is_a_call_of_its_own() {
    let ((), _) = capture_blocking(|| {
        Segment::builder("t").begin().in_scope(|| {
            let mut headers = HeaderMap::new();
            drop(xray::http::call("GET", "http://h/").inject(&mut headers));
            assert!(is_recorded(&mut headers), "otherwise the header would name a call that is not recorded");
        });
    });
}

#[test]
fn a_forwarded_header_is_replaced() {
    let incoming = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    let forwarded = |header: &str| HeaderMap::from_iter([(TRACE_HEADER_NAME, header.parse().unwrap())]);
    let ((), documents) = capture_blocking(|| {
        let segment = Segment::builder("t").trace_header(&TraceHeader::parse(incoming)).begin();
        let part = segment.subsegment("part");
        let handle = part.in_scope(|| {
            assert!(is_recorded(&mut forwarded(incoming)), "the header names the caller of this service");
            let by_hand = format!("Root={};Parent={}", segment.trace_id().unwrap(), segment.id().unwrap());
            assert!(is_recorded(&mut forwarded(&by_hand)), "the header names the segment");
            assert!(
                is_recorded(&mut forwarded(&incoming.replace("Parent=5", "Parent=6"))),
                "the header names an entity of another service"
            );
            assert!(
                is_recorded(&mut forwarded(&incoming.replace("Root=1-5", "Root=1-6"))),
                "the header names another trace"
            );
            assert!(is_recorded(&mut forwarded("no header")));
            xray::current()
        });
        part.end();
        segment.end();
        assert!(handle.in_scope(|| is_recorded(&mut forwarded(incoming))), "the task outlives the segment");
    });
    assert_eq!(documents[0].parent_id, "53995c3f42cd8ad8".parse().ok());
}
