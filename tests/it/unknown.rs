//! An annotated function without a call of a known client. Most likely the feature of its client is off, so `xray` logs
//! a warning.

use std::sync::Mutex;

use log::Level;
use support::documents::{capture, capture_blocking};
use support::logs;
use xray::{Instrument as _, Segment, TraceHeader};

/// Returns the lines that were logged since the last call about functions of this file whose names begin with `known`
/// or `unknown`. The other functions are those of another test, which may run at the same time.
fn take_logged() -> Vec<String> {
    static TAKEN: Mutex<usize> = Mutex::new(0);
    let is_ours = |line: &logs::Line| {
        let text = &line.text;
        line.target == "xray::http"
            && text.contains("tests/it/unknown.rs:")
            && ["`known", "`unknown"].iter().any(|name| text.contains(name))
    };
    let lines = logs::lines().into_iter().filter(is_ours);
    let lines: Vec<_> = lines.inspect(|line| assert_eq!(line.level, Level::Warn)).map(|line| line.text).collect();
    let mut taken = TAKEN.lock().unwrap();
    let new = lines[*taken..].to_vec();
    *taken = lines.len();
    new
}

struct Request(u32);

impl Request {
    fn send(self) -> u32 {
        self.0
    }
}

fn request() -> Request {
    Request(1)
}

const LINE: u32 = line!() + 3;

#[xray::traced_http]
fn unknown_only(request: Request) -> u32 {
    let inner = || self::request().send();
    request.send() + Some(inner).map_or(0, |inner| inner())
}

#[xray::traced_http]
async fn unknown_in_a_block() -> u32 {
    let work = async { request().send() };
    work.await
}

#[xray::traced_http]
fn unknown_in_a_future() -> impl Future<Output = u32> {
    async { request().send() }
}

#[xray::traced_http]
async fn known_too(client: &reqwest::Client) -> u32 {
    let sum = request().send() + request().send();
    client.get("http://127.0.0.1:1/").send().await.map_or(sum, |_| 0)
}

#[xray::traced_http]
fn known_elsewhere(client: Option<&reqwest::Client>) -> u32 {
    match client {
        Some(client) => u32::from(futures::executor::block_on(client.get("nowhere").send()).is_ok()),
        None => 0,
    }
}

#[xray::traced_http]
fn unknown_after_the_end() -> u32 {
    request().send()
}

struct Api(Option<reqwest::Request>);

impl Api {
    fn execute(self, request: reqwest::RequestBuilder) -> Option<reqwest::Request> {
        self.0.or(request.build().ok())
    }
}

/// The program's own method takes a request builder, and sends its request elsewhere.
#[xray::traced_http]
fn known_by_its_builder(client: &reqwest::Client) -> Option<reqwest::Request> {
    Api(None).execute(client.get("http://127.0.0.1:1/"))
}

/// A function that only makes a request builder has no HTTP call to trace.
#[xray::traced_http]
fn known_to_build(client: &reqwest::Client, url: &str) -> reqwest::RequestBuilder {
    client.get(url)
}

#[tokio::test]
async fn an_annotated_function_without_a_traced_call_is_logged_once() {
    logs::keep();

    // In a segment that is not sampled nothing is logged.
    let unsampled = Segment::builder("t").trace_header(&TraceHeader::parse("Sampled=0")).begin();
    unsampled.in_scope(|| unknown_only(request()));
    assert_eq!(take_logged(), [""; 0]);

    let run = || Segment::builder("t").begin().in_scope(|| unknown_only(request()));
    let ((), _) = capture_blocking(|| assert_eq!((run(), run()), (2, 2)));
    let expected = format!(
        "no HTTP call was traced in `unknown_only` at tests/it/unknown.rs:{LINE}: the call in line {} is made on a \
         `it::unknown::Request`. This build of xray does not know that type. Likely reasons: the client is behind a wrapper \
         of another type, its feature of xray-sdk is off (built in: attohttpc, awc, hyper, hyper-0-14, isahc, reqwest, \
         reqwest-blocking, reqwest-0-12, reqwest-0-12-blocking, reqwest-0-11, reqwest-middleware, ureq, ureq-2, aws-sdk), or it \
         has another major version. `#[xray::traced_http(strict)]` makes most such calls a compile error, and `#[xray(skip)]` \
         marks a call that is not an HTTP call (logged once per function)",
        LINE + 2,
    );
    assert_eq!(take_logged(), [expected]);

    let both = async { unknown_in_a_block().await + unknown_in_a_future().await };
    assert_eq!(capture(both.in_segment("t")).await.0, 2);
    let told_of = take_logged();
    assert_eq!(told_of.len(), 2, "{told_of:?}");
    assert!(told_of[0].contains("`unknown_in_a_block`") && told_of[1].contains("`unknown_in_a_future`"));

    let client = reqwest::Client::new();
    let (sum, _) = capture(known_too(&client).in_segment("t")).await;
    assert_eq!(sum, 2);
    capture(async { known_elsewhere(None) }.in_segment("t")).await;
    assert!(capture(async { known_by_its_builder(&client) }.in_segment("t")).await.0.is_some());
    let build = async { known_to_build(&client, "http://127.0.0.1:1/").build() };
    assert!(capture(build.in_segment("t")).await.0.is_ok());
    assert_eq!(take_logged(), [""; 0]);

    // After the end of the segment nobody would log the line, so a later segment does.
    capture_blocking(|| {
        let segment = Segment::builder("t").begin();
        let late = segment.in_scope(|| xray::in_current_trace(unknown_after_the_end));
        segment.end();
        assert_eq!((late(), take_logged().len()), (1, 0));
        Segment::builder("t").begin().in_scope(unknown_after_the_end);
    });
    assert_eq!(take_logged().len(), 1);
}

const LEFT_ALONE: u32 = line!() + 3;

#[xray::traced_http]
fn left_alone(requests: &[Shared], other: &Shared) -> u32 {
    let first = requests[0].send();
    first + other.send()
}

const KEPT: u32 = line!() + 5;

type Hyper = hyper_util::client::legacy::Client<hyper_util::client::legacy::connect::HttpConnector, String>;

#[xray::traced_http]
fn kept(client: &Hyper, all: &mut Vec<hyper_util::client::legacy::ResponseFuture>) -> u32 {
    all.push(client.request(http::Request::get("http://127.0.0.1:1/").body(String::new()).unwrap()));
    request().send()
}

struct Shared(u32);

impl Shared {
    fn send(&self) -> u32 {
        self.0
    }
}

#[tokio::test]
async fn calls_that_are_left_alone_are_logged_with_the_reason() {
    logs::keep();
    let told_of = |function: &'static str| {
        let about = move |line: &logs::Line| line.target == "xray::http" && line.text.contains(function);
        logs::lines().into_iter().filter(about).map(|line| line.text).collect::<Vec<_>>()
    };
    let (result, _) = capture(async { left_alone(&[Shared(1)], &Shared(2)) }.in_segment("t")).await;
    assert_eq!(result, 3);
    let expected = format!(
        "no HTTP call was traced in `left_alone` at tests/it/unknown.rs:{LEFT_ALONE}: the call in line {0} was left alone, \
         because its receiver is an index, a dereference, a constant or a macro, which cannot be evaluated twice; the call in \
         line {1} was left alone, because its receiver is a reference, and a closure around the call would capture the variable itself. \
         `#[xray::traced_http(strict)]` makes most such calls a compile error, and `#[xray(skip)]` marks a call that is not \
         an HTTP call (logged once per function)",
        LEFT_ALONE + 1,
        LEFT_ALONE + 2,
    );
    assert_eq!(told_of("`left_alone`"), [expected]);

    let client: Hyper = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new()).build_http();
    let mut all = Vec::new();
    capture(async { kept(&client, &mut all) }.in_segment("t")).await;
    let lines = told_of("`kept`");
    let [line] = &lines[..] else { panic!("{lines:#?}") };
    let kept = format!(
        "the call in line {} returns a future whose type may be named outside the function; the call in line \
        {} is made on a `it::unknown::Request`. This build",
        KEPT + 1,
        KEPT + 2
    );
    assert!(line.contains(&kept), "{line}");
    assert!(line.contains("mark the call with `#[xray(trace)]`"), "{line}");
}
