//! How long the largest traces and requests take. The times are printed. With work that grows with the square of the
//! input, each would take from ten seconds to minutes.

mod support;

use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{post, post_text, start};
use xray_local::Server;
use xray_local::store::{Limits, Source};
use xray_local::time;

const TRACE: &str = "1-581cf771-a006649127e371903a2de979";

/// The longest time. In a debug build, each piece of work takes about a second.
const LIMIT: Duration = Duration::from_secs(8);

fn id(number: usize) -> String {
    format!("{number:016x}")
}

/// Puts documents into the store. Each has these fields and an id.
fn put(server: &Server, documents: impl IntoIterator<Item = Value>) {
    let at = time::now() - 10.0;
    for (number, fields) in documents.into_iter().enumerate() {
        let mut document =
            json!({ "id": id(number + 1), "trace_id": TRACE, "name": "n", "start_time": at, "end_time": at + 1.0 });
        document.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let outcome = server.store().put(&document.to_string(), Source::Http);
        assert!(outcome.is_taken(), "{:?}", outcome.findings);
    }
}

/// Starts a server that keeps the largest traces of these tests.
fn start_large() -> Server {
    let limits = Limits { trace_bytes: 64 << 20, open_bytes: 4 << 30, ..Limits::default() };
    Server::builder().address("127.0.0.1:0").limits(limits).start().unwrap()
}

/// Runs a piece of work and measures its processor time, which does not depend on how busy the machine is.
fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let before = processor_time();
    let output = work();
    let time = processor_time().saturating_sub(before);
    println!("{what}: {} ms", time.as_millis());
    assert!(time < LIMIT, "{what} took {time:?}");
    output
}

/// Makes the tests of this file run one after another, because they measure the processor time of the whole process.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the processor time of this process. Where there is no `/proc`, the time since the first call.
fn processor_time() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let Ok(stat) = std::fs::read_to_string("/proc/self/stat") else { return START.elapsed() };
    // After the name in parentheses come the fields from the third on. The 14th and 15th are ticks of 10 ms.
    let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u64 = fields[11..13].iter().map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

fn get(server: &Server, path: &str) -> String {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(300))).build().into();
    let mut response = agent.get(format!("http://{}{path}", server.http_address())).call().unwrap();
    response.body_mut().with_config().limit(1 << 30).read_to_string().unwrap()
}

fn summaries(server: &Server, filter: &str) -> Value {
    let query = json!({ "StartTime": 0, "EndTime": 9_999_999_999_u64, "FilterExpression": filter });
    post(server, "/TraceSummaries", &query).ok()["TraceSummaries"].clone()
}

fn encoded(filter: &str) -> String {
    url::form_urlencoded::byte_serialize(filter.as_bytes()).collect()
}

#[test]
fn many_ids_in_a_request_are_refused_at_once() {
    let _alone = alone();
    let server = start();
    let ids: Vec<_> = (0..50_000).map(|number| format!("1-581cf771-{number:024x}")).collect();
    let body = json!({ "TraceIds": ids }).to_string();
    timed("4 requests of 50,000 ids", || {
        thread::scope(|scope| {
            let requests: Vec<_> =
                (0..4).map(|_| scope.spawn(|| post_text(&server, "/Traces", &body).status)).collect();
            for request in requests {
                assert!([400, 413].contains(&request.join().unwrap()));
            }
        });
    });
    let few: Vec<_> = ids[..4_000].to_vec();
    for (path, body) in [
        ("/Traces", json!({ "TraceIds": few })),
        ("/TraceGraph", json!({ "TraceIds": few })),
        ("/SamplingTargets", json!({ "SamplingStatisticsDocuments": few })),
    ] {
        let status = timed(path, || post(&server, path, &body).status);
        assert_eq!(status, 400, "{path}");
    }
}

#[test]
fn a_trace_of_many_traced_calls_is_shown() {
    let _alone = alone();
    let server = start_large();
    let segment = |number: usize| {
        let call = json!({ "id": id(0x10_0000 + number), "name": "a", "namespace": "remote", "traced": true, "start_time": 1, "end_time": 2 });
        json!({ "parent_id": id(0x20_0000 + number), "subsegments": [call] })
    };
    put(&server, (0..25_000).map(segment));
    for path in [
        "",
        &format!("/segment?id={}", id(17)),
        "?inferred=show",
        "?find=a&from=0.1&to=0.2",
        ".json",
        ".json?format=otlp",
    ] {
        timed(&format!("25,000 calls, page {path:?}"), || get(&server, &format!("/traces/{TRACE}{path}")));
    }
    for path in [
        "/",
        "/?by=url",
        "/?by=operation",
        "/map",
        "/map?group=host",
        "/map?node=n&path=only",
        "/problems",
        "/?filter=n",
        "/recent",
        &format!("/compare?a={TRACE}&b={TRACE}"),
    ] {
        timed(&format!("25,000 calls, page {path:?}"), || get(&server, path));
    }
}

#[test]
fn a_trace_of_many_values_has_a_summary() {
    let _alone = alone();
    let server = start_large();
    put(&server, (0..20_000).map(|number| json!({ "annotations": { "number": number, "same": 1 }, "user": number, "name": format!("n{number}") })));
    let found = timed("20,000 values, users and services", || summaries(&server, "annotation.same = 1"));
    assert_eq!(found[0]["Annotations"]["number"].as_array().unwrap().len(), 20_000);
    assert_eq!(found[0]["Annotations"]["same"][0]["ServiceIds"].as_array().unwrap().len(), 20_000);
    assert_eq!(found[0]["Users"].as_array().unwrap().len(), 20_000);
    for path in [
        "/",
        "/?by=operation&sort=p99",
        "/map",
        "/map?group=host",
        "/map?group=namespace",
        "/map?find=n1&failing=only",
        "/map?node=n7&path=only",
        &format!("/traces/{TRACE}"),
    ] {
        timed(&format!("20,000 values, page {path:?}"), || get(&server, path));
    }
    let times = json!({ "StartTime": 0, "EndTime": 9_999_999_999_u64 });
    let graph = timed("20,000 services, graph", || post(&server, "/ServiceGraph", &times).ok());
    assert_eq!(graph["Services"].as_array().unwrap().len(), 5_000);
}

#[test]
fn long_expressions_are_evaluated_on_large_traces() {
    let _alone = alone();
    let server = start_large();
    // A segment of 300 calls in each document, and a called segment for each call.
    let calls = (0..60).flat_map(|caller| {
        let call = |index: usize| {
            json!({ "id": id(0x10_0000 + caller * 1_000 + index), "name": "callee", "namespace": "remote", "start_time": 1, "end_time": 2 })
        };
        let segment = json!({ "name": "caller", "subsegments": (0..200).map(call).collect::<Vec<_>>() });
        let callee = move |index| json!({ "parent_id": id(0x10_0000 + caller * 1_000 + index), "name": "callee" });
        std::iter::once(segment).chain((0..200).map(callee))
    });
    put(&server, calls);
    for (part, join) in [
        (r#"edge("a","b")"#, " OR "),
        (r#"service("a")"#, " OR "),
        (r#"name="a""#, " OR "),
        (r#"type="a""#, " OR "),
        (r#"message="a""#, " OR "),
        ("annotation.a=1", " OR "),
        ("duration<0", " OR "),
        ("partial", " OR "),
        ("rootcause.fault.service", " OR "),
        ("rootcause.error.entity", " OR "),
        ("edge(){duration>9}", " OR "),
    ] {
        let filter = vec![part; 5_000 / (part.len() + join.len())].join(join);
        timed(&format!("{} times {part}", filter.split(join).count()), || {
            assert_eq!(summaries(&server, &filter), json!([]));
        });
    }
    let words = "zz ".repeat(333);
    timed("333 words", || get(&server, &format!("/?filter={}", encoded(&words))));
    let long = vec![r#"edge("a","b")"#; 294].join(" OR ");
    timed("a page with 294 times edge", || get(&server, &format!("/?filter={}", encoded(&long))));
}

#[test]
fn segments_that_call_each_other_in_circles_are_shown() {
    let _alone = alone();
    let server = start_large();
    // Pairs of segments that call each other.
    put(
        &server,
        (0..20_000).map(|number: usize| {
            let other = if number % 2 == 0 { number + 1 } else { number - 1 };
            let call = json!({ "id": id(0x10_0000 + number), "name": "c", "start_time": 1, "end_time": 2 });
            json!({ "parent_id": id(0x10_0000 + other), "subsegments": [call] })
        }),
    );
    timed("10,000 circles of segments", || get(&server, &format!("/traces/{TRACE}")));
    timed("10,000 circles, compared", || get(&server, &format!("/compare?a={TRACE}&b={TRACE}")));
}

#[test]
fn many_exceptions_are_shown() {
    let _alone = alone();
    let server = start();
    let exceptions: Vec<_> = (0..1_200).map(|number| json!({ "id": id(number), "cause": id(number + 1) })).collect();
    put(&server, (0..40).map(|_| json!({ "fault": true, "cause": { "exceptions": exceptions } })));
    timed("1,200 exceptions", || get(&server, &format!("/traces/{TRACE}/segment?id={}", id(1))));
    timed("1,200 exceptions in each of 40 segments", || summaries(&server, ""));
}
