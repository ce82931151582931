//! The checks that every client has to pass: what its calls record, send and return.

use std::collections::BTreeMap;

use xray::document::Cause;
use xray::emitter::MemoryEmitter;
use xray::{Instrument as _, Namespace, Propagation, Recorder, Sampled, Segment, TraceHeader};

use support::documents::{capture, checked};
use support::subsegments::only_call;
use support::{Always, Seen, Server, refused_url};

/// The call that a client is to make.
#[derive(Debug, Clone)]
pub(super) struct CallInput {
    pub(super) url: String,
    /// The value of the trace headers that the user sets, one `X-Amzn-Trace-Id` and one `traceparent`.
    pub(super) own_header: Option<&'static str>,
}

/// The status that the client returned, or its error as text.
pub(super) type CallResult = Result<u16, String>;

/// Returns the client's error as text.
pub(super) fn error_text<E: std::fmt::Debug>(error: E) -> String {
    format!("{error:?}")
}

/// Defines a function twice: `plain::name` without the attribute and `traced::name` with it.
macro_rules! with_and_without_attribute {
    ($($signature:ident)+ ($($parameters:tt)*) -> CallResult $body:tt) => {
        mod plain {
            #[allow(unused_imports, reason = "for the functions that need them")]
            use super::*;
            pub(super) $($signature)+ ($($parameters)*) -> CallResult $body
        }
        mod traced {
            #[allow(unused_imports, reason = "for the functions that need them")]
            use super::*;
            #[xray::traced_http]
            pub(super) $($signature)+ ($($parameters)*) -> CallResult $body
        }
    };
}

/// Runs all checks on a function that [`with_and_without_attribute`] defined, once for each variant to make a call.
macro_rules! check {
    (async $client:expr, $function:ident, $($variant:expr),+ $(,)?) => {$(
        checks::run(&$client, stringify!($variant), |input| plain::$function(input, $variant), |input| traced::$function(input, $variant)).await;
    )+};
    (blocking $client:expr, $function:ident, $($variant:expr),+ $(,)?) => {$(
        checks::run(
            &$client,
            stringify!($variant),
            |input| checks::blocking(|| plain::$function(input, $variant)),
            |input| checks::blocking(|| traced::$function(input, $variant)),
        )
        .await;
    )+};
}

/// Runs a blocking function on a thread for blocking work, in the current trace.
pub(super) async fn blocking<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(xray::in_current_trace(run)).await.unwrap()
}

/// The differences between a client and the others.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) method: &'static str,
    /// A text that is not a URL. `None` if the client panics at one.
    pub(super) bad_url: Option<&'static str>,
    /// The number of errors in the chain of a refused connection, at least.
    pub(super) exceptions: usize,
    /// `true` if the client lets an existing `X-Amzn-Trace-Id` be replaced.
    pub(super) replaces: bool,
}

impl Default for Client {
    fn default() -> Self {
        Self { method: "GET", bad_url: Some("no url"), exceptions: 1, replaces: true }
    }
}

const ROOT: &str = "1-5759e988-bd862e3fe1be46a994272793";

/// Runs all checks. `variant` is for messages.
pub(super) async fn run(
    client: &Client,
    variant: &str,
    plain: impl AsyncFn(CallInput) -> CallResult,
    traced: impl AsyncFn(CallInput) -> CallResult,
) {
    eprintln!("{variant}");
    let server = Server::start().await;
    a_call_is_recorded(client, &server, &plain, &traced).await;
    statuses_decide(&server, &plain, &traced).await;
    a_refused_connection_is_a_fault(client, &plain, &traced).await;
    own_headers_are_replaced(client, &server, &traced).await;
    a_request_of_another_call_is_not_recorded_again(&server, &traced).await;
    unsampled_traces_travel_on(&server, &traced).await;
    both_headers_are_carried(client, &server, &traced).await;
    nothing_happens_without_a_context(&server, &plain, &traced).await;
    no_call_is_no_subsegment(client, &plain, &traced).await;
    responses_can_be_looked_at(&server, &traced).await;
}

async fn responses_can_be_looked_at(server: &Server, traced: &impl AsyncFn(CallInput) -> CallResult) {
    let emitter = MemoryEmitter::new();
    let recorder = Recorder::builder()
        .sampler(Always)
        .emitter(emitter.clone())
        .on_response(|subsegment, response| {
            assert_eq!((response.status(), response.header("x-none")), (200, None));
            subsegment.annotate("has_date", response.header("Date").is_some());
        })
        .build();
    let segment = Segment::builder("t").recorder(&recorder).begin();
    assert_eq!(traced(call_input(server.url("/bytes/5"))).in_segment(segment).await, Ok(200));
    assert_eq!(only_call(&checked(emitter.take())).annotations["has_date"], true.into());
    server.take_seen();
}

fn call_input(url: impl Into<String>) -> CallInput {
    CallInput { url: url.into(), own_header: None }
}

pub(super) fn only_request(server: &Server) -> Seen {
    let mut seen = server.take_seen();
    assert_eq!(seen.len(), 1, "{seen:#?}");
    seen.remove(0)
}

/// Returns a request as the service saw it, without the trace header.
fn the_rest(seen: &Seen) -> (String, String, BTreeMap<String, Vec<u8>>, Vec<u8>) {
    // awc sends the time in `date`, and between two requests a second may end.
    let headers = seen.headers.iter().filter(|(name, _)| *name != xray::TRACE_HEADER_NAME && *name != "date");
    let headers = headers.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()));
    (seen.method.to_string(), seen.uri.to_string(), headers.collect(), seen.body.to_vec())
}

async fn a_call_is_recorded(
    client: &Client,
    server: &Server,
    plain: &impl AsyncFn(CallInput) -> CallResult,
    traced: &impl AsyncFn(CallInput) -> CallResult,
) {
    let input = call_input(format!("http://user:password@{}/bytes/5?token=secret", server.address));
    assert_eq!(plain(input.clone()).await, Ok(200));
    let plain = only_request(server);
    let (result, documents) = capture(traced(input).in_segment("t")).await;
    assert_eq!(result, Ok(200));

    let call = only_call(&documents);
    assert_eq!((call.name.as_str(), call.namespace), ("127.0.0.1", Some(Namespace::Remote)));
    let http = call.http.as_ref().unwrap();
    let (request, response) = (http.request.as_ref().unwrap(), http.response.as_ref().unwrap());
    assert_eq!(request.method.as_deref(), Some(client.method));
    assert_eq!(request.url, Some(server.url("/bytes/5")));
    assert_eq!((response.status, response.content_length), (Some(200), Some(5)));
    assert_eq!((call.error, call.throttle, call.fault), (false, false, false));
    assert!(call.cause.is_none() && call.metadata.is_empty(), "{call:#?}");
    assert!(documents[0].start_time <= call.start_time, "{documents:#?}");
    assert!(call.end_time.is_some_and(|end| call.start_time < end), "{call:#?}");

    let seen = only_request(server);
    let header = seen.trace_header();
    assert_eq!((header.root, header.parent), (documents[0].trace_id, Some(call.id)));
    assert_eq!(header.sampled, Some(Sampled::Yes));
    assert_eq!(the_rest(&seen), the_rest(&plain), "the request differs in the trace header only");
}

async fn statuses_decide(
    server: &Server,
    plain: &impl AsyncFn(CallInput) -> CallResult,
    traced: &impl AsyncFn(CallInput) -> CallResult,
) {
    for (status, flags) in [
        (404, (true, false, false)),
        (429, (true, true, false)),
        (503, (false, false, true)),
        (204, (false, false, false)),
    ] {
        let input = call_input(server.url(&format!("/status/{status}")));
        let expected = plain(input.clone()).await;
        let (result, documents) = capture(traced(input).in_segment("t")).await;
        assert_eq!(result, expected, "the caller gets the same result as without the attribute");
        let call = only_call(&documents);
        assert_eq!((call.error, call.throttle, call.fault), flags, "{status}");
        assert_eq!(call.http.as_ref().unwrap().response.unwrap().status, Some(status));
        assert!(call.cause.is_none(), "{call:#?}");
    }
    server.take_seen();
}

async fn a_refused_connection_is_a_fault(
    client: &Client,
    plain: &impl AsyncFn(CallInput) -> CallResult,
    traced: &impl AsyncFn(CallInput) -> CallResult,
) {
    let input = call_input(format!("{}p?token=secret", refused_url()));
    let expected = plain(input.clone()).await;
    let (result, documents) = capture(traced(input).in_segment("t")).await;
    assert!(result.is_err());
    assert_eq!(result, expected);

    let call = only_call(&documents);
    assert!(call.fault && !call.error && call.namespace == Some(Namespace::Remote), "{call:#?}");
    assert_eq!(call.http.as_ref().unwrap().response, None);
    let Some(Cause::Exceptions(cause)) = &call.cause else { panic!("{call:#?}") };
    assert!(cause.exceptions.len() >= client.exceptions, "{cause:#?}");
    assert!(cause.exceptions.windows(2).all(|pair| pair[0].cause == Some(pair[1].id)), "{cause:#?}");
    assert!(cause.exceptions.iter().all(|exception| exception.remote == Some(true)), "{cause:#?}");
    assert!(!serde_json::to_string(&documents).unwrap().contains("secret"), "{documents:#?}");
}

async fn own_headers_are_replaced(client: &Client, server: &Server, traced: &impl AsyncFn(CallInput) -> CallResult) {
    let input = CallInput { url: server.url("/bytes/1"), own_header: Some("Root=mine") };
    let (result, documents) = capture(traced(input).in_segment("t")).await;
    assert_eq!(result, Ok(200));
    let (seen, call) = (only_request(server), only_call(&documents));
    if client.replaces {
        assert_eq!(seen.trace_header().parent, Some(call.id));
    } else {
        assert_eq!(seen.trace_headers(), ["Root=mine"]);
    }
}

/// The program begins a call by hand and puts its header into the request, which a traced client then sends.
async fn a_request_of_another_call_is_not_recorded_again(
    server: &Server,
    traced: &impl AsyncFn(CallInput) -> CallResult,
) {
    let work = async {
        let url = server.url("/bytes/1");
        let mut headers = Vec::<(String, String)>::new();
        let call = xray::http::call("GET", &url).inject(&mut headers);
        let header: &str = headers.remove(0).1.leak();
        call.run_async(traced(CallInput { url, own_header: Some(header) }), |_, _| ()).await
    };
    let (result, documents) = capture(work.in_segment("t")).await;
    assert_eq!(result, Ok(200));
    let header = TraceHeader::parse(&only_request(server).trace_headers()[0]);
    assert_eq!(header.parent, Some(only_call(&documents).id));
}

async fn unsampled_traces_travel_on(server: &Server, traced: &impl AsyncFn(CallInput) -> CallResult) {
    let incoming = TraceHeader::parse(&format!("Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=0"));
    let segment = Segment::builder("t").trace_header(&incoming);
    let (result, documents) = capture(traced(call_input(server.url("/bytes/1"))).in_segment(segment)).await;
    assert_eq!(result, Ok(200));
    assert!(documents.is_empty());
    assert_eq!(only_request(server).trace_headers(), [format!("Root={ROOT};Sampled=0")]);
}

/// Each header is sent once, in place of the user's own, and both name the same trace and parent.
async fn both_headers_are_carried(client: &Client, server: &Server, traced: &impl AsyncFn(CallInput) -> CallResult) {
    let emitter = MemoryEmitter::new();
    let recorder = Recorder::builder().propagate(Propagation::Both).emitter(emitter.clone()).build();
    for own_header in [None, Some("Root=mine")] {
        for (sampled, flags) in [("1", "01"), ("0", "00")] {
            let input = CallInput { url: server.url("/bytes/1"), own_header };
            let incoming = TraceHeader::parse(&format!("Root={ROOT};Sampled={sampled}"));
            let segment = Segment::builder("t").trace_header(&incoming).recorder(&recorder).begin();
            let id = segment.id().unwrap();
            assert_eq!(traced(input).in_segment(segment).await, Ok(200));
            let documents = emitter.take();
            let (parent, x_ray) = if sampled == "1" {
                let call = only_call(&documents).id;
                (call, format!("Root={ROOT};Parent={call};Sampled=1"))
            } else {
                (id, format!("Root={ROOT};Sampled=0"))
            };
            let is_kept = own_header.is_some() && !client.replaces;
            let seen = only_request(server);
            assert_eq!(seen.trace_headers(), [if is_kept { "Root=mine" } else { &x_ray }]);
            assert_eq!(seen.traceparents(), [format!("00-{}-{parent}-{flags}", ROOT[2..].replace('-', ""))]);
        }
    }
}

async fn nothing_happens_without_a_context(
    server: &Server,
    plain: &impl AsyncFn(CallInput) -> CallResult,
    traced: &impl AsyncFn(CallInput) -> CallResult,
) {
    for input in [call_input(server.url("/bytes/1")), call_input(server.url("/status/503")), call_input(refused_url())]
    {
        let expected = plain(input.clone()).await;
        server.take_seen();
        let (result, documents) = capture(traced(input)).await;
        assert_eq!(result, expected);
        assert!(documents.is_empty());
        assert!(server.take_seen().iter().all(|seen| seen.trace_headers().is_empty()));
    }
}

async fn no_call_is_no_subsegment(
    client: &Client,
    plain: &impl AsyncFn(CallInput) -> CallResult,
    traced: &impl AsyncFn(CallInput) -> CallResult,
) {
    let Some(url) = client.bad_url else { return };
    let expected = plain(call_input(url)).await;
    let (result, documents) = capture(traced(call_input(url)).in_segment("t")).await;
    assert!(result.is_err());
    assert_eq!(result, expected, "the caller gets the error of the request builder");
    assert!(documents[0].subsegments.is_empty(), "{documents:#?}");
}
