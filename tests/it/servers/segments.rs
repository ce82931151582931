//! The checks that every server integration that sends segments passes: the fields of a segment about its request.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::{Method, RequestBuilder, Response};
use xray::emitter::MemoryEmitter;
use xray::sampling::{Local, Never, Rule};
use xray::{Document, Propagation, Recorder, RecorderBuilder, Trust};

use super::checks::{PARENT, ROOT};
use support::Always;
use support::documents::checked;
use support::subsegments::{content_length, is_cancelled, status};

/// The settings of a layer or middleware. The `client_ip` of each layer or middleware reads the header `x-client`.
#[derive(Clone, Copy)]
pub(super) struct Settings {
    /// The pattern and the fallback of a dynamic name. `None` for a fixed name.
    pub(super) pattern: Option<(&'static str, &'static str)>,
    pub(super) trust: Trust,
    pub(super) forwarded_for: bool,
}

const DEFAULT: Settings = Settings { pattern: None, trust: Trust::All, forwarded_for: true };

/// A server that answers `/status/{code}` with the status `code`, and any other path with the text of the path.
pub(super) trait Served {
    async fn start(recorder: &Recorder, settings: Settings) -> Self;

    fn address(&self) -> SocketAddr;
}

pub(super) async fn run<S: Served>() {
    a_request_is_a_segment::<S>().await;
    a_status_says_what_it_means::<S>().await;
    the_decision_is_the_callers_and_told_if_asked_for::<S>().await;
    as_much_of_a_header_is_used_as_is_trusted::<S>().await;
    a_traceparent_counts_where_it_is_propagated::<S>().await;
    the_client_is_who_the_proxy_says_or_the_hook_or_the_peer::<S>().await;
    names_by_host::<S>().await;
    rules_of_sampling_see_the_request::<S>().await;
    hostile_headers_harm_nobody::<S>().await;
}

/// Returns the code in `/status/{code}`.
pub(super) fn code(path: &str) -> Option<u16> {
    path.strip_prefix("/status/")?.parse().ok()
}

/// Waits for the only document of an emitter.
pub(super) async fn only_document(emitter: &MemoryEmitter) -> Document {
    for _ in 0..6_000 {
        if let Some(document) = checked(emitter.take()).pop() {
            return document;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("no document")
}

struct Checked<S> {
    server: S,
    emitter: MemoryEmitter,
}

impl<S: Served> Checked<S> {
    async fn start(builder: RecorderBuilder, settings: Settings) -> Self {
        let emitter = MemoryEmitter::new();
        let recorder = builder.emitter(emitter.clone()).build();
        Self { server: S::start(&recorder, settings).await, emitter }
    }

    async fn always() -> Self {
        Self::start(Recorder::builder().sampler(Always), DEFAULT).await
    }

    fn call(&self, path: &str) -> RequestBuilder {
        // Each request has a new connection, because a hostile header may end the connection.
        reqwest::Client::new().get(format!("http://{}{path}", self.server.address()))
    }

    /// Sends a request with headers, and returns the response and the segment.
    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> (Response, Document) {
        let call = headers.iter().fold(self.call(path), |call, (name, value)| call.header(*name, *value));
        (call.send().await.unwrap(), only_document(&self.emitter).await)
    }
}

fn request(document: &Document) -> &xray::document::HttpRequest {
    document.http.as_ref().and_then(|http| http.request.as_ref()).unwrap()
}

fn ids(document: &Document) -> (String, Option<String>) {
    (document.trace_id.unwrap().to_string(), document.parent_id.map(|parent| parent.to_string()))
}

async fn a_request_is_a_segment<S: Served>() {
    let checked = Checked::<S>::always().await;
    let (response, document) = checked.get("/todos/7?token=secret", &[("user-agent", "tests/1")]).await;
    assert!(!response.headers().contains_key("x-amzn-trace-id"), "nobody asked");
    assert_eq!(response.text().await.unwrap(), "/todos/7");
    assert_eq!((document.name.as_str(), document.parent_id), ("todo-app", None));
    assert_eq!((status(&document), content_length(&document)), (Some(200), Some(8)));
    assert_eq!((document.error, document.fault, is_cancelled(&document)), (false, false, false));
    let request = request(&document);
    assert_eq!(request.method.as_deref(), Some("GET"));
    let url = format!("http://{}/todos/7", checked.server.address());
    assert_eq!((request.url.as_deref(), request.user_agent.as_deref()), (Some(url.as_str()), Some("tests/1")));
    assert!(!request.x_forwarded_for);
}

async fn a_status_says_what_it_means<S: Served>() {
    let checked = Checked::<S>::always().await;
    for (code, flags) in [
        (204, (false, false, false)),
        (304, (false, false, false)),
        (404, (true, false, false)),
        (429, (true, true, false)),
        (500, (false, false, true)),
        (503, (false, false, true)),
    ] {
        let (_, document) = checked.get(&format!("/status/{code}"), &[]).await;
        assert_eq!((status(&document), is_cancelled(&document)), (Some(code), false));
        assert_eq!((document.error, document.throttle, document.fault), flags, "{code}");
    }
    let head = reqwest::Client::new().request(Method::HEAD, format!("http://{}/todos/7", checked.server.address()));
    head.send().await.unwrap();
    let document = only_document(&checked.emitter).await;
    assert_eq!((status(&document), content_length(&document)), (Some(200), Some(8)));
    assert!(!is_cancelled(&document), "the segment of a HEAD request ends with the response head");
}

async fn the_decision_is_the_callers_and_told_if_asked_for<S: Served>() {
    let always = Checked::<S>::always().await;
    let never = Checked::<S>::start(Recorder::builder().sampler(Never), DEFAULT).await;
    for (header, sampled, sampled_by_never, is_told) in [
        ("Root={root};Parent={parent};Sampled=1", true, true, false),
        ("Root={root};Parent={parent};Sampled=0", false, false, false),
        ("Root={root};Parent={parent};Sampled=?", true, false, true),
        ("Root={root};Sampled=?;Lineage=a:1", true, false, true),
        ("Self=1-6;Root={root}", true, false, false),
    ] {
        let header = header.replace("{root}", ROOT).replace("{parent}", PARENT);
        for (checked, sampled) in [(&always, sampled), (&never, sampled_by_never)] {
            let response = checked.call("/").header("x-amzn-trace-id", &header).send().await.unwrap();
            let told = response.headers().get("x-amzn-trace-id").map(|value| value.to_str().unwrap().to_owned());
            assert_eq!(told, is_told.then(|| format!("Root={ROOT};Sampled={}", u8::from(sampled))), "{header}");
            response.bytes().await.unwrap();
            if sampled {
                let parent = header.contains("Parent").then(|| PARENT.to_owned());
                assert_eq!(ids(&only_document(&checked.emitter).await), (ROOT.to_owned(), parent), "{header}");
            }
        }
    }
    assert!(always.emitter.take().is_empty() && never.emitter.take().is_empty());
    let (response, document) = always.get("/", &[("x-amzn-trace-id", "Sampled=?")]).await;
    let told = format!("Root={};Sampled=1", document.trace_id.unwrap());
    assert_eq!(response.headers()["x-amzn-trace-id"], told, "a new trace");
}

async fn as_much_of_a_header_is_used_as_is_trusted<S: Served>() {
    let header = format!("Root={ROOT};Parent={PARENT};Sampled=0");
    for (trust, root) in [(Trust::TraceId, true), (Trust::Nothing, false)] {
        let recorder = Recorder::builder().sampler(Always);
        let checked = Checked::<S>::start(recorder, Settings { trust, ..DEFAULT }).await;
        let (_, document) = checked.get("/", &[("x-amzn-trace-id", &header)]).await;
        let (trace_id, parent) = ids(&document);
        assert_eq!((trace_id == ROOT, parent.is_some()), (root, root), "{trust:?}");
    }
}

async fn a_traceparent_counts_where_it_is_propagated<S: Served>() {
    let traceparent = ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    let trace = ("1-0af76519-16cd43dd8448eb211c80319c".to_owned(), Some("b7ad6b7169203331".to_owned()));
    let x_ray = format!("Root={ROOT};Parent={PARENT};Sampled=1");
    for (propagation, is_read) in [(Propagation::XRay, false), (Propagation::W3c, true), (Propagation::Both, true)] {
        let recorder = Recorder::builder().sampler(Always).propagate(propagation);
        let checked = Checked::<S>::start(recorder, DEFAULT).await;
        let (_, document) = checked.get("/", &[traceparent]).await;
        assert_eq!(ids(&document) == trace, is_read, "{propagation:?}");
        assert_eq!(document.parent_id.is_some(), is_read, "{propagation:?}");
        let (_, document) = checked.get("/", &[traceparent, ("x-amzn-trace-id", &x_ray)]).await;
        assert_eq!(ids(&document).0, ROOT, "{propagation:?}");
        let (_, document) = checked.get("/", &[traceparent, ("x-amzn-trace-id", "garbage")]).await;
        assert_eq!(document.parent_id.is_some(), is_read, "{propagation:?}");
    }
}

async fn the_client_is_who_the_proxy_says_or_the_hook_or_the_peer<S: Served>() {
    let trusting = Checked::<S>::always().await;
    let wary = Settings { forwarded_for: false, ..DEFAULT };
    let wary = Checked::<S>::start(Recorder::builder().sampler(Always), wary).await;
    let digits = "1".repeat(50_000);
    let long = format!("1.2.3.4{}", ", 5.6.7.8".repeat(5_000));
    for (forwarded, trusted) in [
        (None, None),
        (Some("203.0.113.7, 10.0.0.1".as_bytes()), Some("203.0.113.7")),
        (Some(b"203.0.113.7"), Some("203.0.113.7")),
        (Some(long.as_bytes()), Some("1.2.3.4")),
        (Some(b"'; DROP TABLE traces; --, 10.0.0.1"), None),
        (Some(b"\xff\xfe\xfd"), None),
        (Some(digits.as_bytes()), None),
        (Some(b""), None),
    ] {
        for (checked, trusted) in [(&trusting, trusted), (&wary, None)] {
            let mut call = checked.call("/").header("x-client", "192.0.2.1");
            if let Some(forwarded) = forwarded {
                call = call.header("x-forwarded-for", HeaderValue::from_bytes(forwarded).unwrap());
            }
            call.send().await.unwrap().bytes().await.unwrap();
            let document = only_document(&checked.emitter).await;
            let request = request(&document);
            let expected = (Some(trusted.unwrap_or("192.0.2.1")), trusted.is_some());
            assert_eq!((request.client_ip.as_deref(), request.x_forwarded_for), expected);
        }
    }
}

async fn names_by_host<S: Served>() {
    let settings = Settings { pattern: Some(("*.Example.com", "fallback")), ..DEFAULT };
    let checked = Checked::<S>::start(Recorder::builder().sampler(Always), settings).await;
    for (host, name) in [
        ("a.example.com", "a.example.com"),
        ("A.EXAMPLE.com:8080", "a.example.com"),
        ("example.com", "fallback"),
        ("a.example.com.evil.org", "fallback"),
        ("a<b>(c).example.com", "abc.example.com"),
        ("", "fallback"),
    ] {
        assert_eq!(checked.get("/", &[("host", host)]).await.1.name, name, "{host}");
    }
    let long = "x".repeat(5_000) + ".example.com";
    assert_eq!(checked.get("/", &[("host", &long)]).await.1.name.len(), 200);
}

async fn rules_of_sampling_see_the_request<S: Served>() {
    let rule = Rule::new(0, 0.0).method("GET").host("shop.*").path("/health");
    let sampler = Local::builder().rule(rule).default_rule(1000, 1.0).build();
    let checked = Checked::<S>::start(Recorder::builder().sampler(sampler), DEFAULT).await;
    for path in ["/health", "/health?q=1"] {
        let response = checked.call(path).header("host", "shop.example.com:8080").send().await.unwrap();
        response.bytes().await.unwrap();
    }
    let (_, document) = checked.get("/cart", &[("host", "shop.example.com:8080")]).await;
    assert_eq!(request(&document).url.as_deref(), Some("http://shop.example.com:8080/cart"));
}

/// Each request gets the response that it would get without tracing, and its document is valid.
async fn hostile_headers_harm_nobody<S: Served>() {
    let checked = Checked::<S>::always().await;
    let huge = "x".repeat(60_000);
    let extra = format!("Root={ROOT};{}", "a=b;".repeat(10_000));
    for name in ["x-amzn-trace-id", "traceparent", "user-agent", "x-forwarded-for", "x-forwarded-proto", "host"] {
        for value in [
            &b""[..],
            b"\xff\x80\xc3",
            b"\t \t",
            b"=;=;Root=;Sampled=?",
            b"<script>\"'\\",
            huge.as_bytes(),
            extra.as_bytes(),
        ] {
            let call = checked.call("/todos/1").header(name, HeaderValue::from_bytes(value).unwrap());
            assert_eq!(call.send().await.unwrap().text().await.unwrap(), "/todos/1", "{name}");
            let document = only_document(&checked.emitter).await;
            let request = request(&document);
            for text in [&request.url, &request.user_agent, &request.client_ip].into_iter().flatten() {
                assert!(text.chars().count() <= 250, "{text}");
            }
        }
    }
}
