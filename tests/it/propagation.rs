//! The headers that a request carries: `X-Amzn-Trace-Id`, `traceparent` or both, for each way of tracing a call.
//!
//! The X-Ray SDK for Python 2.15.0 lacks these. Each line names the case, and the test that shows what this SDK does:
//!
//! * 6.8, a header with spaces, another case or a malformed root: `vectors`,
//!   `a_root_in_upper_case_is_written_in_lower_case` in `trace_header.rs` of the runtime,
//!   `ids_of_zeros_do_not_travel_on`
//! * 6.12, no W3C `traceparent`: `the_attribute`, `the_manual_form`, `a_request_is_known_by_whichever_header_it_has`

use http::{HeaderMap, HeaderName, HeaderValue};
use support::documents::checked;
use support::{Always, Seen, Server};
use xray::emitter::MemoryEmitter;
use xray::http::{Call, PendingCall, RequestHeaders};
use xray::{
    Document, Instrument as _, Propagation, Recorder, RecorderBuilder, Sampled, Segment, SegmentBuilder,
    TRACE_HEADER_NAME, TraceHeader,
};

const ALL: [Propagation; 3] = [Propagation::XRay, Propagation::W3c, Propagation::Both];
const INCOMING: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:1";
/// The headers that a request has already: trace headers as a proxy forwards them, and `tracestate`, which only the
/// user sets.
const FORWARDED: [(&str, &str); 3] = [
    ("x-amzn-trace-id", INCOMING),
    ("traceparent", "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"),
    ("tracestate", "vendor=1"),
];

/// Returns a recorder with this propagation, and the emitter with its documents.
fn recording(propagation: Propagation) -> (RecorderBuilder, MemoryEmitter) {
    let emitter = MemoryEmitter::new();
    (Recorder::builder().sampler(Always).propagate(propagation).emitter(emitter.clone()), emitter)
}

fn segment(recorder: &Recorder, sampled: bool) -> SegmentBuilder {
    let incoming = if sampled { INCOMING.to_owned() } else { INCOMING.replace("Sampled=1", "Sampled=0") };
    Segment::builder("t").trace_header(&TraceHeader::parse(&incoming)).recorder(recorder)
}

/// Returns the values of a header.
fn values<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
}

/// Returns the names of the headers that the recorder sets.
fn chosen(propagation: Propagation) -> &'static [&'static str] {
    match propagation {
        Propagation::XRay => &["x-amzn-trace-id"],
        Propagation::W3c => &["traceparent"],
        _ => &["x-amzn-trace-id", "traceparent"],
    }
}

/// Returns a segment's only call. Checks that its only request carries the chosen headers, each once, that each names
/// the call, and that the other headers of the request are unchanged.
fn check(what: &str, propagation: Propagation, seen: &[Seen], documents: &[Document], had: &[(&str, &str)]) {
    let what = format!("{what}, {propagation:?}");
    let [Seen { headers, .. }] = seen else { panic!("{what}: {seen:#?}") };
    let [Document { subsegments, trace_id, .. }] = documents else { panic!("{what}: {documents:#?}") };
    let [call] = &subsegments[..] else { panic!("{what}: {subsegments:#?}") };
    let (trace, id) = (trace_id.unwrap().to_string(), call.id);
    let hex = trace[2..].replace('-', "");
    for (name, ours) in [
        ("x-amzn-trace-id", format!("Root={trace};Parent={id};Sampled=1;Lineage=a:1")),
        ("traceparent", format!("00-{hex}-{id}-01")),
        ("tracestate", String::new()),
    ] {
        let had = had.iter().filter(|(had, _)| *had == name).map(|(_, value)| *value).collect();
        let expected = if chosen(propagation).contains(&name) { vec![ours.as_str()] } else { had };
        assert_eq!(values(headers, name), expected, "{what}: {name}");
    }
}

/// Checks the headers of a request that is not recorded.
fn check_unsampled(what: &str, propagation: Propagation, seen: &[Seen], documents: &[Document], segment: &str) {
    let what = format!("{what}, {propagation:?}, unsampled");
    assert!(documents.is_empty(), "{what}: {documents:#?}");
    let [Seen { headers, .. }] = seen else { panic!("{what}: {seen:#?}") };
    for (name, ours) in [
        ("x-amzn-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0;Lineage=a:1".to_owned()),
        ("traceparent", format!("00-5759e988bd862e3fe1be46a994272793-{segment}-00")),
    ] {
        let expected = if chosen(propagation).contains(&name) { vec![ours.as_str()] } else { vec![] };
        assert_eq!(values(headers, name), expected, "{what}: {name}");
    }
}

/// Runs a call for each choice of headers: sampled, sampled with headers that the request has already, and unsampled.
/// The call gets its URL and those headers.
async fn for_each_choice(what: &str, call: impl AsyncFn(&str, &[(&'static str, &'static str)])) {
    let server = Server::start().await;
    let url = server.url("/status/200");
    for propagation in ALL {
        let (recorder, emitter) = recording(propagation);
        let recorder = recorder.build();
        for had in [&[][..], &FORWARDED] {
            call(&url, had).in_segment(segment(&recorder, true)).await;
            check(what, propagation, &server.take_seen(), &checked(emitter.take()), had);
        }
        let unsampled = segment(&recorder, false).begin();
        let id = unsampled.id().unwrap().to_string();
        call(&url, &[]).in_segment(unsampled).await;
        check_unsampled(what, propagation, &server.take_seen(), &checked(emitter.take()), &id);
    }
}

#[xray::traced_http]
async fn annotated(url: &str, had: &[(&'static str, &'static str)]) -> reqwest::Result<u16> {
    let mut builder = reqwest::Client::new().get(url);
    for (name, value) in had {
        builder = builder.header(*name, *value);
    }
    Ok(builder.send().await?.status().as_u16())
}

#[xray::traced_http(skip_hosts("127.0.0.1"))]
async fn skipped(url: &str) -> reqwest::Result<u16> {
    Ok(reqwest::Client::new().get(url).send().await?.status().as_u16())
}

#[tokio::test]
async fn the_attribute() {
    for_each_choice("attribute", async |url, had| assert_eq!(annotated(url, had).await.unwrap(), 200)).await;
}

/// W3C Trace Context asks each service to pass on the `tracestate` of the systems before it.
#[test]
fn the_tracestate_of_other_systems_is_passed_on_with_the_traceparent() {
    let header = TraceHeader::from_traceparent(FORWARDED[1].1).unwrap().with_tracestate("vendor=1,ot=th:c");
    for (propagation, expected) in [(Propagation::XRay, &[][..]), (Propagation::W3c, &["vendor=1,ot=th:c"])] {
        let recorder = recording(propagation).0.build();
        for sampled in [Sampled::Yes, Sampled::No] {
            let mut header = header.clone();
            header.sampled = Some(sampled);
            let segment = Segment::builder("t").trace_header(&header).recorder(&recorder).begin();
            let mut headers = HeaderMap::new();
            drop(segment.in_scope(|| xray::http::call("GET", "https://example.com/").inject(&mut headers)));
            assert_eq!(values(&headers, "tracestate"), expected, "{propagation:?}");
        }
    }
}

/// The manual form as its documentation shows it, for a client with its own type of headers.
#[tokio::test]
async fn the_manual_form() {
    fn read(answer: &reqwest::Result<reqwest::Response>, call: &mut Call) {
        call.response(answer.as_ref().unwrap().status().as_u16(), None);
    }

    for_each_choice("texts", async |url, had| {
        let mut headers: Vec<_> = had.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let call = xray::http::call("GET", url).inject(&mut headers);
        let builder = reqwest::Client::new().get(url);
        let builder = headers.into_iter().fold(builder, |builder, (name, value)| builder.header(name, value));
        call.run_async(builder.send(), read).await.unwrap();
    })
    .await;
    for_each_choice("header map", async |url, had| {
        let mut headers = HeaderMap::new();
        headers.extend(had.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())));
        let call = xray::http::call("GET", url).inject(&mut headers);
        let sent = reqwest::Client::new().get(url).headers(headers).send();
        call.run_async(sent, read).await.unwrap();
    })
    .await;
}

/// A request that can carry `X-Amzn-Trace-Id` and no other header.
#[derive(Default)]
struct OnlyXRay(Option<HeaderValue>);

impl RequestHeaders for OnlyXRay {
    fn get(&self, name: &HeaderName) -> Option<&str> {
        self.0.as_ref().filter(|_| *name == TRACE_HEADER_NAME)?.to_str().ok()
    }

    fn set(&mut self, name: &'static HeaderName, value: HeaderValue) {
        if *name == TRACE_HEADER_NAME {
            self.0 = Some(value);
        }
    }
}

#[test]
fn a_request_may_have_room_for_x_amzn_trace_id_alone() {
    for propagation in ALL {
        let recorder = recording(propagation).0.build();
        let is_there = propagation != Propagation::W3c;
        segment(&recorder, true).begin().in_scope(|| {
            let mut request = OnlyXRay::default();
            let call = xray::http::call("GET", "http://h/").inject(&mut request);
            let starts = request.0.as_ref().map(|value| value.as_bytes().starts_with(b"Root="));
            assert_eq!((call.is_recorded(), starts), (true, is_there.then_some(true)));
            let again = xray::http::call("GET", "http://h/").inject(&mut request);
            assert_eq!(again.is_recorded(), !is_there, "it is known by the header that it has");
        });
    }
}

#[test]
fn a_call_that_is_injected_twice_is_still_one_call() {
    for propagation in ALL {
        let recorder = recording(propagation).0.build();
        segment(&recorder, true).begin().in_scope(|| {
            let (mut headers, mut others) = (HeaderMap::new(), HeaderMap::new());
            let call = xray::http::call("GET", "http://h/").inject(&mut headers);
            let before = headers.clone();
            let call = call.inject(&mut headers).inject(&mut others);
            assert!(call.is_recorded() && headers == before && others.is_empty(), "{propagation:?}");
        });
    }
}

#[tokio::test]
async fn rules_hold_for_every_header() {
    let server = Server::start().await;
    let urls = ["/status/200", "/status/204", "/bytes/1"].map(|path| server.url(path));
    for propagation in ALL {
        let (recorder, emitter) = recording(propagation);
        let recorder = recorder.ignore("*/bytes/*").inject_only("*/status/204").build();
        for sampled in [true, false] {
            let work = async {
                for url in &urls {
                    annotated(url, &FORWARDED).await.unwrap();
                }
            };
            work.in_segment(segment(&recorder, sampled)).await;
            let calls = checked(emitter.take()).iter().map(|document| document.subsegments.len()).sum::<usize>();
            assert_eq!(calls, if sampled { 2 } else { 0 }, "only the ignored host gets no header");
            for seen in server.take_seen() {
                let is_injected = seen.uri.path() == "/status/204";
                for (name, had) in FORWARDED {
                    let is_ours = is_injected && chosen(propagation).contains(&name);
                    let values = values(&seen.headers, name);
                    assert_eq!(values.len(), 1, "{name} to {}", seen.uri);
                    assert_eq!(values != [had], is_ours, "{name} to {}, {propagation:?}, {sampled}", seen.uri);
                }
            }
        }
        skipped(&urls[1]).in_segment(segment(&recorder, true)).await.unwrap();
        assert_carries_none(&server.take_seen());
        assert_eq!(emitter.take().len(), 1);
    }
    let recorder = recording(Propagation::Both).0.enabled(false).build();
    annotated(&urls[1], &[]).in_segment(segment(&recorder, true)).await.unwrap();
    assert_carries_none(&server.take_seen());
}

fn assert_carries_none(seen: &[Seen]) {
    let [Seen { headers, .. }] = seen else { panic!("{seen:#?}") };
    assert!(["x-amzn-trace-id", "traceparent"].iter().all(|name| !headers.contains_key(*name)), "{headers:?}");
}

/// Other X-Ray SDKs send an id of zeros with a trace that is not recorded. An id of zeros is invalid in a
/// `traceparent`.
#[tokio::test]
async fn ids_of_zeros_do_not_travel_on() {
    let server = Server::start().await;
    let incoming = "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=";
    for sampled in ["0", "1"] {
        for propagation in ALL {
            let (recorder, emitter) = recording(propagation);
            let header = TraceHeader::parse(&format!("{incoming}{sampled}"));
            let segment = Segment::builder("t").trace_header(&header).recorder(&recorder.build());
            annotated(&server.url("/status/200"), &[]).in_segment(segment).await.unwrap();
            let seen = server.take_seen().remove(0);
            let x_ray = values(&seen.headers, "x-amzn-trace-id").into_iter().map(TraceHeader::parse);
            let w3c = values(&seen.headers, "traceparent").into_iter().filter_map(TraceHeader::from_traceparent);
            let read: Vec<_> = x_ray.chain(w3c).collect();
            assert_eq!(read.len(), chosen(propagation).len(), "{read:?}");
            let decision = if sampled == "1" { Sampled::Yes } else { Sampled::No };
            assert!(read.iter().all(|header| header.sampled == Some(decision)), "{read:?}");
            assert!(!format!("{read:?}").contains("1-00000000-0"), "{read:?}");
            assert!(emitter.take().iter().all(|document| document.parent_id.is_none()));
        }
    }
}

/// Begins a call twice on the same request, as two mechanisms do. Returns whether the second one is recorded too.
fn is_recorded_twice(first: impl FnOnce(&mut HeaderMap) -> PendingCall, change: impl FnOnce(&mut HeaderMap)) -> bool {
    let mut headers = HeaderMap::new();
    let call = first(&mut headers);
    assert!(call.is_recorded());
    change(&mut headers);
    xray::http::call("GET", "http://h/").inject(&mut headers).is_recorded()
}

#[test]
fn a_request_is_known_by_whichever_header_it_has() {
    let begin = |headers: &mut HeaderMap| xray::http::call("GET", "http://h/").inject(headers);
    for propagation in ALL {
        let recorder = recording(propagation).0.build();
        segment(&recorder, true).begin().in_scope(|| {
            assert!(!is_recorded_twice(begin, |_| ()), "{propagation:?}");
            for &name in chosen(propagation) {
                // Code between the two mechanisms may remove or replace one of the headers.
                let others: Vec<_> = chosen(propagation).iter().filter(|other| **other != name).collect();
                let removed = |headers: &mut HeaderMap| {
                    for other in &others {
                        headers.remove(**other);
                    }
                };
                assert!(!is_recorded_twice(begin, removed), "{propagation:?}: {name}");
                let replaced = |headers: &mut HeaderMap| {
                    for other in &others {
                        headers.insert(**other, "none of ours".parse().unwrap());
                    }
                };
                assert!(!is_recorded_twice(begin, replaced), "{propagation:?}: {name}");
            }
            assert!(is_recorded_twice(begin, HeaderMap::clear), "{propagation:?}");
            let only_forwarded = |headers: &mut HeaderMap| {
                headers.clear();
                headers.extend(FORWARDED.map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())));
            };
            assert!(is_recorded_twice(begin, only_forwarded), "{propagation:?}");
        });
    }
}

#[test]
fn a_text_client_is_recorded_once_too() {
    /// A client with headers as text is recorded once, even if two mechanisms see the same request.
    fn begin(headers: &mut Vec<(String, String)>) -> PendingCall {
        xray::http::call("GET", "http://h/").inject(headers)
    }

    for propagation in ALL {
        let recorder = recording(propagation).0.build();
        segment(&recorder, true).begin().in_scope(|| {
            let mut headers = vec![("Traceparent".to_owned(), "mine".to_owned())];
            let (first, second) = (begin(&mut headers), begin(&mut headers));
            assert!(first.is_recorded() && !second.is_recorded(), "{propagation:?}");
            drop(first);
            assert!(
                begin(&mut headers).is_recorded(),
                "{propagation:?}: the call has ended, the request is sent again"
            );
            let ours = chosen(propagation).len();
            let users = usize::from(propagation == Propagation::XRay);
            assert_eq!(headers.len(), ours + users, "{headers:?}");
        });
    }
}

/// The layer and the middleware, alone and together with the attribute.
mod middlewares {
    use http::Request;
    use http_body_util::Full;
    use hyper::body::Bytes;
    use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
    use tower::{Layer as _, Service, ServiceExt as _};
    use xray::reqwest_middleware::SubsegmentMiddleware;
    use xray::tower::SubsegmentLayer;

    use super::*;
    use crate::hyper_client::client;

    type Headers = [(&'static str, &'static str)];

    fn request(url: &str, had: &Headers) -> Request<Full<Bytes>> {
        let builder = had.iter().fold(Request::get(url), |builder, (name, value)| builder.header(*name, *value));
        builder.body(Full::default()).unwrap()
    }

    /// Creates a client with the middleware `count` times.
    fn middleware(count: usize) -> ClientWithMiddleware {
        let builder = ClientBuilder::new(reqwest::Client::new());
        (0..count).fold(builder, |builder, _| builder.with(SubsegmentMiddleware::new())).build()
    }

    fn reqwest_request(url: &str, had: &Headers) -> reqwest::Request {
        let builder = reqwest::Client::new().get(url);
        had.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value)).build().unwrap()
    }

    #[tokio::test]
    async fn the_layer() {
        for_each_choice("layer", async |url, had| {
            SubsegmentLayer::new().layer(client()).oneshot(request(url, had)).await.unwrap();
        })
        .await;
    }

    #[tokio::test]
    async fn the_middleware() {
        for_each_choice("middleware", async |url, had| {
            middleware(1).execute(reqwest_request(url, had)).await.unwrap();
        })
        .await;
    }

    #[tokio::test]
    async fn two_mechanisms_on_one_request_are_one_subsegment() {
        #[xray::traced_http]
        async fn through_layer<S>(service: S, request: Request<Full<Bytes>>) -> Result<S::Response, S::Error>
        where
            S: Service<Request<Full<Bytes>>>,
        {
            service.oneshot(request).await
        }

        #[xray::traced_http]
        async fn through_middleware(
            client: &ClientWithMiddleware,
            request: reqwest::Request,
        ) -> reqwest_middleware::Result<reqwest::Response> {
            client.execute(request).await
        }

        for_each_choice("layer, layer", async |url, had| {
            let layers = SubsegmentLayer::new().layer(SubsegmentLayer::new().layer(client()));
            layers.oneshot(request(url, had)).await.unwrap();
        })
        .await;
        for_each_choice("attribute, layer", async |url, had| {
            through_layer(SubsegmentLayer::new().layer(client()), request(url, had)).await.unwrap();
        })
        .await;
        for_each_choice("middleware, middleware", async |url, had| {
            middleware(2).execute(reqwest_request(url, had)).await.unwrap();
        })
        .await;
        for_each_choice("attribute, middleware", async |url, had| {
            through_middleware(&middleware(1), reqwest_request(url, had)).await.unwrap();
        })
        .await;
        for_each_choice("manual form, layer", async |url, had| {
            let mut request = request(url, had);
            let call = xray::http::call("GET", url).inject(request.headers_mut());
            let sent = SubsegmentLayer::new().layer(client()).oneshot(request);
            call.run_async(sent, |answer, call| {
                call.response(answer.as_ref().unwrap().status().as_u16(), None);
            })
            .await
            .unwrap();
        })
        .await;
    }
}
