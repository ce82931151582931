//! Traced calls of reqwest against a real service: the documents that they record and the requests that they send.
//!
//! The X-Ray SDK for Python 2.15.0 fails in these cases. Each line names the case, and the test that shows what this
//! SDK does instead:
//!
//! * A password and a fragment stay in the URL, a port is dropped, and one request is three subsegments:
//!   `a_call_is_a_subsegment_and_carries_its_id`.
//! * A malformed URL raises an error of the SDK, not of the client: `the_builders_own_error_comes_back_unchanged`.
//! * The method is recorded in the case that the caller wrote: `a_method_is_recorded_in_capitals_and_sent_unchanged`.
//! * The recorded URL is the argument or a decoded form, not the URL that is sent, and a URL object raises:
//!   `a_url_of_any_type_is_recorded_in_the_form_that_is_sent`.
//! * The query is in the recorded error message, and a refused connection is recorded as local:
//!   `a_transport_error_is_a_fault_with_its_chain_and_stays_remote`.
//! * The caller's own map of headers is changed, and its header leaks into other traces:
//!   `no_header_reaches_another_trace_or_what_the_caller_keeps`.
//! * A host cannot be kept from getting the header, and patterns are compared with the query and the port:
//!   `rules_for_the_whole_program`.
//! * Through a proxy, a call has no URL and no name, or is not traced:
//!   `through_a_proxy_the_call_is_recorded_with_its_own_host`.
//! * A timeout is recorded as local: `a_timeout_is_a_fault_and_stays_remote`.
//! * A cancelled call is a fault: `a_cancelled_call_is_closed_and_marked`.
//! * Concurrent calls are nested, and their statuses are swapped: `calls_at_once_are_siblings`.
//! * Concurrent calls can lose the whole segment: `many_tasks_at_once_each_keep_their_own`.
//! * A trace header in other letter case is sent twice: `the_header_replaces_the_users_own`.
//! * An unsampled trace loses its id: `an_unsampled_trace_travels_on_and_is_not_recorded`.
//! * The last URL of a redirect is not available: `the_url_that_answers_is_known_to_the_response_hook`.
//! * The length of the response is missing, or -1: `an_unknown_length_is_left_out`.

use std::time::Duration;

use futures::future::join_all;
use reqwest::Client;
use support::documents::{capture, checked};
use support::subsegments::only_call;
use support::{Always, Seen, Server, refused_url};
use xray::document::{AnnotationValue, Cause};
use xray::{Document, Instrument as _, Namespace, Sampled, Segment, TraceHeader};

#[xray::traced_http]
async fn get(url: &str) -> reqwest::Result<reqwest::Response> {
    Client::new().get(url).send().await
}

/// Returns the recorded method and URL of a call.
fn recorded(call: &Document) -> (&str, &str) {
    let request = call.http.as_ref().unwrap().request.as_ref().unwrap();
    (request.method.as_deref().unwrap(), request.url.as_deref().unwrap())
}

fn only_request(server: &Server) -> Seen {
    let mut seen = server.take_seen();
    assert_eq!(seen.len(), 1, "{seen:#?}");
    seen.remove(0)
}

#[tokio::test]
async fn a_call_is_a_subsegment_and_carries_its_id() {
    let server = Server::start().await;
    let url = format!("http://user:password@{}/bytes/5?token=secret#part", server.address);
    let (response, documents) = capture(get(&url).in_segment("todo-app")).await;
    assert_eq!(response.unwrap().text().await.unwrap(), "xxxxx");

    let call = only_call(&documents);
    assert_eq!(call.name, "127.0.0.1");
    assert_eq!(call.namespace, Some(Namespace::Remote));
    let http = call.http.as_ref().unwrap();
    let (request, response) = (http.request.as_ref().unwrap(), http.response.as_ref().unwrap());
    assert_eq!(request.method.as_deref(), Some("GET"));
    assert_eq!(request.url, Some(server.url("/bytes/5")));
    assert_eq!((response.status, response.content_length), (Some(200), Some(5)));
    assert_eq!((call.error, call.throttle, call.fault), (false, false, false));
    assert!(call.cause.is_none());
    let segment = &documents[0];
    assert!(segment.start_time <= call.start_time, "{documents:#?}");
    assert!(call.start_time <= call.end_time.unwrap() && call.end_time <= segment.end_time, "{documents:#?}");

    let seen = only_request(&server);
    let header = seen.trace_header();
    assert_eq!(header.root, segment.trace_id);
    assert_eq!((header.parent, header.sampled), (Some(call.id), Some(Sampled::Yes)));
    assert!(seen.headers.contains_key("authorization") && seen.uri.query() == Some("token=secret"), "{seen:?}");
}

#[tokio::test]
async fn a_status_decides_the_flags() {
    let server = Server::start().await;
    for (status, flags) in [
        (200, (false, false, false)),
        (304, (false, false, false)),
        (404, (true, false, false)),
        (429, (true, true, false)),
        (500, (false, false, true)),
        (503, (false, false, true)),
        (999, (false, false, true)),
    ] {
        let (_, documents) = capture(get(&server.url(&format!("/status/{status}"))).in_segment("t")).await;
        let call = only_call(&documents);
        assert_eq!((call.error, call.throttle, call.fault), flags, "{status}");
        assert_eq!(call.http.as_ref().unwrap().response.unwrap().status, Some(status));
        assert!(!documents[0].fault, "a failed call is not a fault of the segment");
    }
}

#[tokio::test]
async fn an_unknown_length_is_left_out() {
    let server = Server::start().await;
    let (_, documents) = capture(get(&server.url("/chunked")).in_segment("t")).await;
    assert_eq!(only_call(&documents).http.as_ref().unwrap().response.unwrap().content_length, None);
}

#[tokio::test]
async fn a_transport_error_is_a_fault_with_its_chain_and_stays_remote() {
    let url = format!("{}p?token=secret", refused_url());
    let (result, documents) = capture(get(&url).in_segment("t")).await;
    let error = result.unwrap_err();
    assert!(error.is_connect() && error.to_string().contains("token=secret"), "the caller's error is unchanged");

    let call = only_call(&documents);
    assert!(call.fault && !call.error && call.namespace == Some(Namespace::Remote));
    assert_eq!(call.http.as_ref().unwrap().response, None);
    let Some(Cause::Exceptions(cause)) = &call.cause else { panic!("{call:#?}") };
    let exceptions = &cause.exceptions;
    assert!(exceptions.len() >= 3, "the errors of reqwest, of hyper and of the system: {exceptions:#?}");
    assert_eq!(exceptions[0].kind.as_deref(), Some("reqwest::error::Error"));
    assert!(exceptions.iter().any(|exception| exception.kind.as_deref() == Some("std::io::error::Error")));
    assert!(exceptions.windows(2).all(|pair| pair[0].cause == Some(pair[1].id)), "{exceptions:#?}");
    assert!(exceptions.iter().all(|exception| exception.remote == Some(true)));
    assert!(!serde_json::to_string(&documents).unwrap().contains("secret"));
}

#[tokio::test]
async fn the_builders_own_error_comes_back_unchanged() {
    for url in ["no url", "", "http://[::1/"] {
        let plain = Client::new().get(url).send().await.unwrap_err();
        let (result, documents) = capture(get(url).in_segment("t")).await;
        let error = result.unwrap_err();
        assert!(error.is_builder());
        assert_eq!(format!("{error:?}"), format!("{plain:?}"));
        assert!(documents[0].subsegments.is_empty(), "an invalid URL makes no call");
    }
}

#[tokio::test]
async fn a_url_of_any_type_is_recorded_in_the_form_that_is_sent() {
    #[xray::traced_http]
    async fn each(client: &Client, url: &str) -> reqwest::Result<()> {
        let parsed: reqwest::Url = url.parse().unwrap();
        client.get(url).send().await?;
        client.get(url.to_owned()).send().await?;
        client.get(parsed).send().await?;
        let built = client.get(url).build()?;
        client.execute(built).await.map(drop)
    }
    let server = Server::start().await;
    let url = format!("  {}", server.url("/a b/\u{fc}?q=1#part"));
    let (result, documents) = capture(each(&Client::new(), &url).in_segment("t")).await;
    result.unwrap();
    let seen = server.take_seen();
    assert_eq!((seen.len(), documents[0].subsegments.len()), (4, 4));
    for (seen, call) in seen.iter().zip(&documents[0].subsegments) {
        assert_eq!(recorded(call), ("GET", server.url("/a%20b/%C3%BC").as_str()));
        assert_eq!(seen.uri, "/a%20b/%C3%BC?q=1");
    }
}

#[tokio::test]
async fn a_method_is_recorded_in_capitals_and_sent_unchanged() {
    #[xray::traced_http]
    async fn request(client: &Client, method: &str, url: &str) -> reqwest::Result<()> {
        client.request(method.parse().unwrap(), url).send().await.map(drop)
    }
    let server = Server::start().await;
    let url = server.url("/bytes/1");
    for (method, name) in [("GET", "GET"), ("get", "GET"), ("pAtCh", "PATCH"), ("Purge", "PURGE")] {
        let (_, documents) = capture(request(&Client::new(), method, &url).in_segment("t")).await;
        assert_eq!(recorded(only_call(&documents)), (name, url.as_str()));
        assert_eq!(only_request(&server).method.as_str(), method);
    }
}

#[tokio::test]
async fn through_a_proxy_the_call_is_recorded_with_its_own_host() {
    #[xray::traced_http]
    async fn get(client: &Client, url: &str) -> reqwest::Result<u16> {
        Ok(client.get(url).send().await?.status().as_u16())
    }
    let server = Server::start().await;
    let client = Client::builder().proxy(reqwest::Proxy::http(server.url("/")).unwrap()).build().unwrap();
    let work = get(&client, "http://example.invalid:81/status/204?x=1").in_segment("t");
    let (status, documents) = capture(work).await;
    assert_eq!(status.unwrap(), 204);
    let call = only_call(&documents);
    assert_eq!(call.name, "example.invalid");
    assert_eq!(recorded(call), ("GET", "http://example.invalid:81/status/204"));
    let seen = only_request(&server);
    assert_eq!((seen.uri.host(), seen.trace_header().parent), (Some("example.invalid"), Some(call.id)));
}

#[tokio::test]
async fn a_timeout_is_a_fault_and_stays_remote() {
    #[xray::traced_http]
    async fn get(client: &Client, url: &str) -> reqwest::Result<()> {
        client.get(url).timeout(Duration::from_millis(50)).send().await.map(drop)
    }
    let server = Server::start().await;
    let (result, documents) = capture(get(&Client::new(), &server.url("/slow/100000")).in_segment("t")).await;
    assert!(result.unwrap_err().is_timeout());
    let call = only_call(&documents);
    assert_eq!((call.fault, call.error, call.namespace), (true, false, Some(Namespace::Remote)));
    assert!(matches!(&call.cause, Some(Cause::Exceptions(_))) && call.metadata.is_empty(), "{call:#?}");
}

#[tokio::test]
async fn no_header_reaches_another_trace_or_what_the_caller_keeps() {
    #[xray::traced_http]
    async fn again(request: &reqwest::RequestBuilder) -> reqwest::Result<()> {
        request.try_clone().unwrap().send().await.map(drop)
    }
    let (server, client) = (Server::start().await, Client::new());
    let kept = client.get(server.url("/bytes/1")).header("x-mine", "1");
    for name in ["one", "other"] {
        let (result, documents) = capture(again(&kept).in_segment(name)).await;
        result.unwrap();
        let header = only_request(&server).trace_header();
        assert_eq!((header.root, header.parent), (documents[0].trace_id, Some(only_call(&documents).id)));
    }
    again(&kept).await.unwrap();
    assert!(only_request(&server).trace_headers().is_empty());
    assert_eq!(kept.build().unwrap().headers().len(), 1);
}

#[tokio::test]
async fn the_header_replaces_the_users_own() {
    #[xray::traced_http]
    async fn with_own_header(url: &str) -> reqwest::Result<()> {
        let client = Client::new();
        client.get(url).header("x-amzn-trace-id", "Root=mine").header("X-AMZN-TRACE-ID", "b").send().await.map(drop)
    }
    let server = Server::start().await;
    let (_, documents) = capture(with_own_header(&server.url("/bytes/0")).in_segment("t")).await;
    assert_eq!(only_request(&server).trace_header().parent, Some(only_call(&documents).id));
}

#[tokio::test]
async fn calls_at_once_are_siblings() {
    #[xray::traced_http]
    async fn both(client: &Client, server: &Server, first: &str, second: &str) -> reqwest::Result<()> {
        let second = client.post(second);
        let second = async {
            let response = second.send().await;
            server.release();
            response
        };
        let (first, second) = tokio::join!(client.get(first).send(), second);
        first.and(second).map(drop)
    }
    let server = Server::start().await;
    let client = Client::new();
    let (first, second) = (server.url("/held"), server.url("/bytes/1"));
    let (result, documents) = capture(both(&client, &server, &first, &second).in_segment("t")).await;
    result.unwrap();
    let calls = &documents[0].subsegments;
    assert_eq!(calls.len(), 2);
    let url = |call: &Document| call.http.as_ref().unwrap().request.as_ref().unwrap().url.clone().unwrap();
    assert_eq!([url(&calls[0]), url(&calls[1])], [second, first], "subsegments are in the order of their ends");
    for seen in server.take_seen() {
        let call = calls.iter().find(|call| url(call).ends_with(seen.uri.path())).unwrap();
        assert_eq!(seen.trace_header().parent, Some(call.id));
    }
}

#[tokio::test]
async fn many_tasks_at_once_each_keep_their_own() {
    let server = Server::start().await;
    let url = server.url("/bytes/1");
    let tasks = (0..50).map(|number| {
        let url = url.clone();
        tokio::spawn(async move {
            let (_, documents) = capture(get(&url).in_segment(format!("t{number}"))).await;
            assert_eq!(documents[0].name, format!("t{number}"));
            (documents[0].trace_id, only_call(&documents).id)
        })
    });
    let recorded: Vec<_> = futures::future::join_all(tasks).await.into_iter().map(Result::unwrap).collect();
    let seen = server.take_seen();
    assert_eq!(seen.len(), 50);
    for header in seen.iter().map(Seen::trace_header) {
        assert!(recorded.contains(&(header.root, header.parent.unwrap())));
    }
}

#[tokio::test]
async fn a_redirect_is_one_call_with_the_first_url_and_the_last_status() {
    let server = Server::start().await;
    let (_, documents) = capture(get(&server.url("/redirect")).in_segment("t")).await;
    let http = only_call(&documents).http.as_ref().unwrap();
    assert_eq!(http.request.as_ref().unwrap().url, Some(server.url("/redirect")));
    assert_eq!(http.response.unwrap().status, Some(200));
    let parents: Vec<_> = server.take_seen().iter().map(|seen| seen.trace_header().parent).collect();
    assert_eq!(parents, [Some(only_call(&documents).id); 2]);
}

#[tokio::test]
async fn a_cancelled_call_is_closed_and_marked() {
    let server = Server::start().await;
    let url = server.url("/slow/10000");
    let work = async { tokio::time::timeout(Duration::from_millis(50), get(&url)).await };
    let (result, documents) = capture(work.in_segment("t")).await;
    assert!(result.is_err());
    let call = only_call(&documents);
    assert_eq!((&call.metadata["xray"]["cancelled"], call.fault), (&true.into(), false));
    assert!(call.end_time.unwrap() > call.start_time, "{call:#?}");
    assert_eq!(call.http.as_ref().unwrap().response, None);
}

#[tokio::test]
async fn a_call_that_is_never_polled_leaves_no_trace() {
    #[xray::traced_http]
    fn forgotten(client: &Client, url: &str) {
        drop(client.get(url).send());
    }
    let server = Server::start().await;
    let work = async { forgotten(&Client::new(), &server.url("/bytes/1")) };
    let ((), documents) = capture(work.in_segment("t")).await;
    assert!(documents[0].subsegments.is_empty());
    assert!(server.take_seen().is_empty());
}

#[tokio::test]
async fn outside_any_segment_a_call_is_untouched() {
    let server = Server::start().await;
    let (response, documents) = capture(get(&server.url("/bytes/2"))).await;
    assert_eq!(response.unwrap().status(), 200);
    assert!(documents.is_empty());
    assert!(only_request(&server).trace_headers().is_empty());
    assert!(get("no url").await.unwrap_err().is_builder());
}

#[tokio::test]
async fn a_future_made_outside_a_segment_is_traced_in_one() {
    #[xray::traced_http]
    fn prepare(client: &Client, url: &str) -> impl Future<Output = reqwest::Result<reqwest::Response>> + use<> {
        client.get(url).send()
    }
    let server = Server::start().await;
    let future = prepare(&Client::new(), &server.url("/bytes/2"));
    let (_, documents) = capture(future.in_segment("t")).await;
    assert_eq!(only_request(&server).trace_header().parent, Some(only_call(&documents).id));
}

#[tokio::test]
async fn the_parent_is_what_is_current_where_the_call_stands() {
    #[xray::traced_http]
    async fn spawned(client: Client, url: String) {
        tokio::spawn(client.get(url).send()).await.unwrap().unwrap();
    }
    let server = Server::start().await;
    let work = spawned(Client::new(), server.url("/bytes/1")).in_subsegment("part");
    let ((), documents) = capture(work.in_segment("t")).await;
    let part = only_call(&documents);
    assert_eq!((part.name.as_str(), part.namespace), ("part", None));
    assert_eq!(only_request(&server).trace_header().parent, Some(part.subsegments[0].id));
}

/// A subsegment around the future of a call gets the call. A scope in which the call is made keeps it.
#[tokio::test]
async fn a_call_belongs_to_the_subsegment_around_its_future() {
    #[xray::traced_http]
    async fn work(client: Client, url: String) {
        client.get(&url).send().in_subsegment("around").await.unwrap();
        let parts = [(); 2].map(|()| client.get(&url).send());
        join_all(parts).in_subsegment("around").await;
        let part = xray::current().subsegment("scope");
        let call = part.in_scope(|| client.get(&url).send());
        call.await.unwrap();
        part.end();
        let other = Segment::builder("other").sampled(false);
        client.get(&url).send().in_segment(other).await.unwrap();
    }
    let server = Server::start().await;
    let ((), documents) = capture(work(Client::new(), server.url("/bytes/1")).in_segment("t")).await;
    let parts: Vec<_> = documents[0].subsegments.iter().map(|part| (&*part.name, part.subsegments.len())).collect();
    assert_eq!(parts, [("around", 1), ("around", 2), ("scope", 1), ("127.0.0.1", 0)]);
}

#[tokio::test]
async fn an_unsampled_trace_travels_on_and_is_not_recorded() {
    let server = Server::start().await;
    let incoming = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0;Lineage=a:1";
    let segment = || Segment::builder("t").trace_header(&TraceHeader::parse(incoming));
    let url = server.url("/bytes/1");
    let work = async {
        let _ = get(&url).in_subsegment("part").await;
        xray::current().annotate("key", 1);
        xray::trace_id()
    };
    let (trace_id, documents) = capture(work.in_segment(segment())).await;
    assert!(documents.is_empty());
    assert_eq!(trace_id, "1-5759e988-bd862e3fe1be46a994272793".parse().ok());
    assert_eq!(
        only_request(&server).trace_headers(),
        ["Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0;Lineage=a:1"],
    );
}

#[tokio::test]
async fn a_trace_goes_on_with_what_its_header_carries() {
    let server = Server::start().await;
    let incoming = "Self=1-6;Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:1";
    let segment = Segment::builder("t").trace_header(&TraceHeader::parse(incoming));
    let (_, documents) = capture(get(&server.url("/bytes/1")).in_segment(segment)).await;
    assert_eq!(documents[0].trace_id, "1-5759e988-bd862e3fe1be46a994272793".parse().ok());
    assert_eq!(documents[0].parent_id, "53995c3f42cd8ad8".parse().ok());
    let expected =
        format!("Root=1-5759e988-bd862e3fe1be46a994272793;Parent={};Sampled=1;Lineage=a:1", only_call(&documents).id);
    assert_eq!(only_request(&server).trace_headers(), [expected]);
}

#[tokio::test]
async fn reqwest_0_12_is_traced_the_same() {
    #[xray::traced_http]
    async fn old(client: &reqwest_0_12::Client, url: &str) -> reqwest_0_12::Result<reqwest_0_12::Response> {
        client.get(url).send().await
    }
    let server = Server::start().await;
    let client = reqwest_0_12::Client::new();
    let (response, documents) = capture(old(&client, &server.url("/bytes/4")).in_segment("t")).await;
    assert_eq!(response.unwrap().status(), 200);
    let call = only_call(&documents);
    assert_eq!(call.http.as_ref().unwrap().response.unwrap().content_length, Some(4));
    assert_eq!(only_request(&server).trace_header().parent, Some(call.id));
    assert!(old(&client, "no url").await.unwrap_err().is_builder());
}

#[tokio::test]
async fn annotations_reach_what_is_current() {
    let work = async {
        xray::current().annotate("tier", "gold");
        xray::current().set_user("me");
        async { xray::current().annotate("part", 1.5) }.in_subsegment("part").await;
        xray::current().annotate("not a key", 1);
        xray::current().annotate("number", f64::NAN);
        xray::current().add_metadata("cart", [1, 2]);
        xray::current().add_metadata_in("AWS.reserved", "x", 1);
    };
    let ((), documents) = capture(work.in_segment("t")).await;
    let segment = &documents[0];
    assert_eq!(segment.user.as_deref(), Some("me"));
    assert_eq!(segment.annotations.len(), 1);
    assert_eq!(segment.annotations["tier"], AnnotationValue::from("gold"));
    assert_eq!(segment.subsegments[0].annotations["part"], AnnotationValue::from(1.5));
    assert_eq!(segment.metadata["default"]["cart"], serde_json::json!([1, 2]));
    assert_eq!(segment.metadata.len(), 1);
}

#[tokio::test]
async fn a_response_hook_that_panics_harms_nobody() {
    #[xray::traced_http]
    async fn get(client: &Client, url: &str) -> reqwest::Result<String> {
        client.get(url).send().await?.text().await
    }
    let emitter = xray::emitter::MemoryEmitter::new();
    let recorder = xray::Recorder::builder()
        .sampler(Always)
        .emitter(emitter.clone())
        .on_response(|subsegment, response| {
            subsegment.add_metadata("length", response.content_length());
            assert_ne!(response.status(), 200, "a hook's own affair");
        })
        .build();
    let server = Server::start().await;
    let segment = || xray::Segment::builder("t").recorder(&recorder).begin();
    assert_eq!(get(&Client::new(), &server.url("/bytes/3")).in_segment(segment()).await.unwrap(), "xxx");
    let document = checked(emitter.take()).remove(0);
    let call = &document.subsegments[0];
    assert_eq!((call.fault, call.http.as_ref().unwrap().response.unwrap().status), (false, Some(200)));
    assert_eq!(call.metadata["default"]["length"], 3);
    // The hook is not called for a call that is not recorded.
    let unsampled = xray::TraceHeader::parse("Sampled=0");
    let segment = xray::Segment::builder("t").trace_header(&unsampled).recorder(&recorder).begin();
    get(&Client::new(), &server.url("/bytes/3")).in_segment(segment).await.unwrap();
    assert!(emitter.take().is_empty());
}

#[tokio::test]
async fn the_calls_subsegment_is_current_in_the_response_hook() {
    let emitter = xray::emitter::MemoryEmitter::new();
    let recorder = xray::Recorder::builder()
        .sampler(Always)
        .emitter(emitter.clone())
        .on_response(|subsegment, response| {
            assert_eq!(xray::current().id(), subsegment.id());
            xray::current().annotate("status", response.status().to_string());
            drop(xray::current().subsegment("in the hook"));
        })
        .build();
    let server = Server::start().await;
    let work = async {
        get(&server.url("/bytes/3")).await.unwrap();
        xray::current().annotate("after", true);
    };
    work.in_segment(xray::Segment::builder("t").recorder(&recorder).begin()).await;
    let document = checked(emitter.take()).remove(0);
    let call = only_call(std::slice::from_ref(&document));
    assert_eq!(call.annotations["status"], AnnotationValue::from("200"));
    assert_eq!(call.subsegments[0].name, "in the hook");
    assert_eq!((document.annotations.len(), &document.annotations["after"]), (1, &AnnotationValue::from(true)));
    assert!(call.end_time.is_some() && !call.fault, "the hook does not end the call: {call:#?}");
}

#[tokio::test]
async fn the_url_that_answers_is_known_to_the_response_hook() {
    let emitter = xray::emitter::MemoryEmitter::new();
    let recorder = xray::Recorder::builder()
        .sampler(Always)
        .emitter(emitter.clone())
        .on_response(|subsegment, response| subsegment.add_metadata("url", response.url()))
        .build();
    let server = Server::start().await;
    let segment = xray::Segment::builder("t").recorder(&recorder).begin();
    get(&server.url("/redirect")).in_segment(segment).await.unwrap();
    let document = checked(emitter.take()).remove(0);
    assert_eq!(document.subsegments[0].metadata["default"]["url"], server.url("/bytes/3"));
}

#[test]
fn a_rule_whose_name_has_no_legal_character_names_nothing() {
    let emitter = xray::emitter::MemoryEmitter::new();
    let recorder =
        xray::Recorder::builder().sampler(Always).emitter(emitter.clone()).name_hosts("*", "\u{2603}").build();
    let segment = xray::Segment::builder("t").recorder(&recorder).begin();
    segment.in_scope(|| xray::http::call("GET", "http://example.com/").run(|| (), |(), call| call.response(200, None)));
    segment.end();
    assert_eq!(checked(emitter.take())[0].subsegments[0].name, "example.com");
}

#[tokio::test]
async fn rules_for_the_whole_program() {
    #[xray::traced_http]
    async fn get(client: &Client, url: &str) -> reqwest::Result<u16> {
        #[xray(name = "nearer")]
        client.get(format!("{url}?q=1")).send().await?;
        Ok(client.get(url).send().await?.status().as_u16())
    }
    let server = Server::start().await;
    let emitter = xray::emitter::MemoryEmitter::new();
    let recorder = xray::Recorder::builder()
        .sampler(Always)
        .emitter(emitter.clone())
        .ignore("127.*/bytes/1")
        .ignore("*/status*")
        .inject_only("*/bytes/2")
        .name_hosts("127.0.0.?", "loopback")
        .name_hosts("*", "anything")
        .build();
    for (path, calls, headers) in [("/bytes/1", 0, 0), ("/status/200", 0, 0), ("/bytes/2", 2, 1), ("/bytes/3", 2, 0)] {
        let segment = xray::Segment::builder("t").recorder(&recorder).begin();
        assert_eq!(get(&Client::new(), &server.url(path)).in_segment(segment).await.unwrap(), 200);
        let names: Vec<_> = checked(emitter.take())[0].subsegments.iter().map(|call| call.name.clone()).collect();
        assert_eq!(names, ["nearer", "loopback"][..calls], "{path}");
        for seen in server.take_seen() {
            assert_eq!(seen.trace_headers().len(), headers, "{path}");
        }
    }
    let unsampled = xray::TraceHeader::parse("Sampled=0");
    for (path, headers) in [("/bytes/1", 0), ("/bytes/2", 1), ("/bytes/3", 0)] {
        let segment = xray::Segment::builder("t").trace_header(&unsampled).recorder(&recorder).begin();
        get(&Client::new(), &server.url(path)).in_segment(segment).await.unwrap();
        assert!(server.take_seen().iter().all(|seen| seen.trace_headers().len() == headers), "{path}");
    }
}
