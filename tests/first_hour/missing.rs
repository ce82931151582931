//! The lines about calls without a segment, and about calls of unknown types.

use log::Level;
use support::child::run_with;
use support::{Server, logs};
use xray::emitter::MemoryEmitter;
use xray::{Instrument as _, Recorder, Segment};

use super::texts;

const GET_LINE: u32 = line!() + 4;

#[xray::traced_http]
async fn get(url: &str) -> reqwest::Result<reqwest::Response> {
    reqwest::Client::new().get(url).send().await
}

#[xray::traced_http]
async fn get_again(url: &str) -> reqwest::Result<reqwest::Response> {
    reqwest::Client::new().get(url).send().await
}

fn errors() -> Vec<String> {
    texts("xray::context", Level::Error)
}

#[tokio::main]
async fn missing_contexts() {
    logs::keep();
    let server = Server::start().await;
    let url = server.url("/bytes/1?token=secret");
    for _ in 0..3 {
        assert_eq!(get(&url).await.unwrap().status(), 200);
    }
    let lines = errors();
    assert_eq!(lines.len(), 1, "{lines:?}");
    let place = format!("GET 127.0.0.1 in `get` at tests/first_hour/missing.rs:{GET_LINE}");
    for part in [place.as_str(), "no segment", "SegmentLayer", ".in_segment(", "once for each place"] {
        assert!(lines[0].contains(part), "{part}: {lines:?}");
    }
    assert!(!lines[0].contains("secret") && !lines[0].contains("in_current_trace"), "{lines:?}");

    // A segment has begun and was never made current.
    let segment = Segment::builder("todo-app").sampled(true).begin();
    get_again(&url).await.unwrap();
    let line = errors().pop().unwrap();
    assert!(line.contains("`get_again`") && line.contains("was not made current: run the work with"), "{line}");
    assert!(!line.contains("SegmentLayer"), "{line}");

    // A segment is current, and a task is spawned below it.
    let spawned = async {
        tokio::spawn(async {
            drop(xray::http::call("PUT", "http://h/x?y").inject(&mut Vec::<(String, String)>::new()));
        })
        .await
    };
    spawned.in_segment(segment).await.unwrap();
    let line = errors().pop().unwrap();
    for part in ["PUT h at tests/first_hour/missing.rs:", ".in_current_trace()"] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert_eq!(errors().len(), 3);
}

#[test]
fn a_call_without_a_segment_is_logged_with_its_place_and_the_remedy() {
    let name = "a_call_without_a_segment_is_logged_with_its_place_and_the_remedy";
    run_with(module_path!(), name, &[("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:9")], missing_contexts);
}

const PRICE_LINE: u32 = line!() + 3;

#[xray::traced(name = "checkout")]
fn price(count: u32) -> u32 {
    count * 2
}

#[xray::traced]
async fn price_later(count: u32) -> u32 {
    price(count)
}

#[xray::traced]
fn price_returned(count: u32) -> impl Future<Output = u32> {
    std::future::ready(count)
}

#[tokio::main]
async fn missing_subsegments() {
    logs::keep();
    for _ in 0..3 {
        assert_eq!(price(2), 4);
    }
    let lines = errors();
    assert_eq!(lines.len(), 1, "{lines:?}");
    let place = format!("subsegment `checkout` in `price` at tests/first_hour/missing.rs:{PRICE_LINE}");
    for part in [place.as_str(), "no segment", "SegmentLayer", ".in_segment(", "once for each place"] {
        assert!(lines[0].contains(part), "{part}: {lines:?}");
    }

    // A future is logged where it is polled: one that is made outside a segment may be polled in one.
    let (later, returned) = (price_later(2), price_returned(2));
    let segment = Segment::builder("todo-app").sampled(true).begin();
    segment.in_scope(|| ()); // From here on a segment was current in this process.
    assert_eq!(returned.in_segment(segment).await, 2);
    drop(price_later(2));
    assert_eq!(errors().len(), 1);
    assert_eq!((later.await, price_returned(3).await), (4, 3));
    let lines = errors();
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines[1].starts_with("subsegment `price_later` in `price_later` at "), "{lines:?}");
    // Logged before the first segment too, with another remedy.
    assert!(lines[2].starts_with(&place) && lines[2].contains("in_current_trace"), "{lines:?}");
    assert!(
        lines[3].starts_with("subsegment `price_returned` in ") && lines[3].contains("in_current_trace"),
        "{lines:?}"
    );

    // By hand.
    for _ in 0..2 {
        let line = line!() + 1;
        xray::current().subsegment("render").end();
        async {}.in_subsegment("store").await;
        let lines = errors();
        assert_eq!(lines.len(), 6, "{lines:?}");
        for (text, name, line) in [(&lines[4], "render", line), (&lines[5], "store", line + 1)] {
            let start =
                format!("subsegment `{name}` at tests/first_hour/missing.rs:{line} was not recorded: no segment");
            assert!(text.starts_with(&start), "{start}: {text}");
        }
    }
    drop(async {}.in_subsegment("never polled"));

    // Below a segment nothing is logged, sampled or not, and not below a handle of a segment that has ended.
    for sampled in [true, false] {
        let segment = Segment::builder("todo-app").sampled(sampled).begin();
        let handle = xray::Context::clone(&segment);
        async {
            xray::current().subsegment("in a segment").end();
            async {}.in_subsegment("in a segment").await;
        }
        .in_segment(segment)
        .await;
        handle.subsegment("late").end();
    }
    assert_eq!(errors().len(), 6);
}

#[test]
fn a_subsegment_without_a_segment_is_logged_with_its_place_and_the_remedy() {
    let name = "a_subsegment_without_a_segment_is_logged_with_its_place_and_the_remedy";
    run_with(module_path!(), name, &[("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:9")], missing_subsegments);
}

fn subsegments_that_are_not_logged() {
    logs::keep();
    assert_eq!(price(2), 4);
    xray::current().subsegment("render").end();
    Segment::builder("todo-app").begin().subsegment("render").end();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {}.in_subsegment("store"));
    assert_eq!(errors(), [""; 0]);
}

#[test]
fn a_subsegment_without_a_segment_is_not_logged_if_that_is_ignored() {
    let name = "a_subsegment_without_a_segment_is_not_logged_if_that_is_ignored";
    let variables = [("AWS_XRAY_CONTEXT_MISSING", "IGNORE_ERROR"), ("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:9")];
    run_with(module_path!(), name, &variables, subsegments_that_are_not_logged);
}

#[test]
fn a_subsegment_without_a_segment_is_not_logged_if_tracing_is_off() {
    let name = "a_subsegment_without_a_segment_is_not_logged_if_tracing_is_off";
    run_with(module_path!(), name, &[("AWS_XRAY_SDK_ENABLED", "false")], subsegments_that_are_not_logged);
}

/// A call at the place of the caller.
#[track_caller]
fn at() {
    drop(xray::http::call("GET", "http://h/"));
}

#[test]
fn the_places_of_calls_without_a_segment_are_bounded() {
    run_with(module_path!(), "the_places_of_calls_without_a_segment_are_bounded", &[], || {
        logs::keep();
        let calls: [fn(); 60] = [
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
            || at(),
        ];
        for _ in 0..3 {
            for call in calls {
                call();
            }
        }
        assert_eq!(errors().len(), 50);
    });
}

/// A client that this build does not know.
struct Client {
    inner: Request,
}

#[derive(Clone, Copy)]
struct Request;

impl Request {
    #[expect(clippy::unused_self, reason = "it stands for a client's method")]
    fn send(self) -> u32 {
        1
    }
}

const UNKNOWN_LINE: u32 = line!() + 4;

#[xray::traced_http]
fn unknown(client: &Client) -> u32 {
    client.inner.send()
}

#[test]
fn a_call_of_an_unknown_type_outside_any_segment_is_logged_once() {
    run_with(module_path!(), "a_call_of_an_unknown_type_outside_any_segment_is_logged_once", &[], || {
        logs::keep();
        let client = Client { inner: Request };
        assert_eq!(unknown(&client) + unknown(&client), 2);
        let lines = texts("xray::http", Level::Warn);
        assert_eq!(lines.len(), 1, "{lines:?}");
        let place = format!("`unknown` at tests/first_hour/missing.rs:{UNKNOWN_LINE}");
        for part in [place.as_str(), "first_hour::missing::Request", "wrapper", "feature", "major version", "strict"] {
            assert!(lines[0].contains(part), "{part}: {lines:?}");
        }
    });
}

#[test]
fn a_call_of_an_unknown_type_below_a_facade_is_logged_at_the_end_of_the_facade() {
    let name = "a_call_of_an_unknown_type_below_a_facade_is_logged_at_the_end_of_the_facade";
    run_with(module_path!(), name, &[("AWS_LAMBDA_FUNCTION_NAME", "f")], || {
        logs::keep();
        Recorder::builder().emitter(MemoryEmitter::new()).install().unwrap();
        let facade = Segment::facade("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1");
        facade.in_scope(|| unknown(&Client { inner: Request }));
        assert_eq!(texts("xray::http", Level::Warn), [""; 0]);
        facade.end();
        let lines = texts("xray::http", Level::Warn);
        assert!(lines.len() == 1 && lines[0].contains("`unknown`"), "{lines:?}");
    });
}
