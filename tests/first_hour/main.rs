//! The log lines that a new user reads, with missing traces and without. Each case runs in a child process.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use log::Level;
use support::documents::read_datagram;
use support::{Always, Server, child, logs};
use xray::emitter::{LinesEmitter, MemoryEmitter};
use xray::sampling::{Decision, Local, Never, Rule, Sampler, SamplingRequest};
use xray::{Instrument as _, Recorder, Segment, SegmentBuilder, TraceHeader};

/// Runs `body`, the whole body of the test `name`, in a child process with these environment variables.
#[track_caller]
fn run(name: &str, variables: &[(&str, &str)], body: impl FnOnce()) {
    if child::case().as_deref() == Some(name) {
        body();
        return child::done();
    }
    let mut command = child::command(module_path!(), name, name);
    command.env_remove("RUST_LOG").envs(variables.iter().copied());
    child::assert_done(name, &command.output().unwrap());
}

fn texts(target: &str, level: Level) -> Vec<String> {
    let lines = logs::lines().into_iter().filter(|line| line.target == target && line.level == level);
    lines.map(|line| line.text).collect()
}

/// Waits until `count` lines were logged, for at most 20 seconds, and returns them.
fn wait_for(target: &str, level: Level, count: usize) -> Vec<String> {
    let start = Instant::now();
    loop {
        let texts = texts(target, level);
        if texts.len() >= count || start.elapsed() > Duration::from_secs(20) {
            return texts;
        }
        sleep(Duration::from_millis(20));
    }
}

fn daemon() -> (UdpSocket, String) {
    let daemon = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    daemon.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let address = daemon.local_addr().unwrap().to_string();
    (daemon, address)
}

/// An address on this host whose UDP and TCP ports nobody uses.
fn unused() -> String {
    daemon().1
}

fn receive(daemon: &UdpSocket) -> serde_json::Value {
    let mut datagram = vec![0; 65_536];
    let length = daemon.recv(&mut datagram).unwrap();
    read_datagram(&datagram[..length])
}

fn end_a_segment(recorder: &Recorder) -> String {
    let segment = Segment::builder("todo-app").recorder(recorder).sampled(true).begin();
    let trace = segment.trace_id().unwrap().to_string();
    segment.end();
    assert!(recorder.flush(Duration::from_secs(20)));
    trace
}

#[test]
fn an_installed_recorder_logs_how_it_works() {
    run("an_installed_recorder_logs_how_it_works", &[("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:9")], || {
        logs::keep();
        let builder = Recorder::builder().service_name("todo-app").sampler(Always);
        let recorder = builder.install().unwrap();
        let lines = texts("xray::recorder", Level::Info);
        assert_eq!(lines.len(), 1, "{lines:?}");
        for part in [
            env!("CARGO_PKG_VERSION"),
            "`todo-app`",
            "UDP 127.0.0.1:9 (AWS_XRAY_DAEMON_ADDRESS)",
            "sampler `Always`",
            "reqwest, reqwest-blocking",
            "enabled",
        ] {
            assert!(lines[0].contains(part), "{part}: {lines:?}");
        }
        Segment::builder("other").begin().end();
        Segment::builder("other").recorder(&Recorder::builder().build()).begin().end();
        assert_eq!(texts("xray::recorder", Level::Info), lines, "logged once");
        drop(recorder);
    });
}

#[test]
fn the_first_segment_logs_how_the_recorder_of_the_environment_works() {
    let name = "the_first_segment_logs_how_the_recorder_of_the_environment_works";
    run(name, &[("AWS_XRAY_SDK_ENABLED", "false")], || {
        logs::keep();
        xray::testing::capture_blocking(|| Segment::builder("captured").begin().end());
        assert_eq!(logs::lines().len(), 0, "a capture is no recorder that works");
        Segment::builder("todo-app").begin().end();
        let lines = texts("xray::recorder", Level::Info);
        assert!(lines.len() == 1 && lines[0].contains("disabled (AWS_XRAY_SDK_ENABLED)"), "{lines:?}");
    });
}

#[test]
fn the_first_segment_of_a_built_recorder_logs_how_the_recorder_works() {
    run("the_first_segment_of_a_built_recorder_logs_how_the_recorder_works", &[], || {
        logs::keep();
        let recorder = Recorder::builder().emitter(LinesEmitter::new(std::io::sink())).build();
        assert_eq!(logs::lines().len(), 0);
        Segment::builder("a").recorder(&recorder).sampled(true).begin().end();
        Segment::builder("b").recorder(&recorder).sampled(true).begin().end();
        let lines = texts("xray::recorder", Level::Info);
        assert!(lines.len() == 1 && lines[0].contains("`LinesEmitter`"), "{lines:?}");
        assert!(lines[0].contains("sampler `Central`"), "{lines:?}");
    });
}

#[test]
fn a_refused_document_is_logged_once_until_documents_arrive_again() {
    run("a_refused_document_is_logged_once_until_documents_arrive_again", &[], || {
        logs::keep();
        let address = unused();
        let recorder = Recorder::builder().sampler(Always).daemon_address(&address).build();
        for _ in 0..3 {
            end_a_segment(&recorder);
        }
        let warnings = texts("xray::emitter", Level::Warn);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        for part in [&address, "refuse", "AWS_XRAY_DAEMON_ADDRESS"] {
            assert!(warnings[0].contains(part), "{part}: {warnings:?}");
        }
        assert_eq!(recorder.stats().documents_dropped, 3);
        let daemon = UdpSocket::bind(&address).unwrap();
        end_a_segment(&recorder);
        let again = texts("xray::emitter", Level::Info);
        assert!(again.len() == 1 && again[0].contains(&address), "{again:?}");
        drop(daemon);
        end_a_segment(&recorder);
        assert_eq!(texts("xray::emitter", Level::Warn).len(), 2, "the next outage is another one");
    });
}

#[test]
fn a_daemon_whose_name_does_not_resolve_is_logged_once() {
    run("a_daemon_whose_name_does_not_resolve_is_logged_once", &[], || {
        logs::keep();
        let recorder = Recorder::builder().sampler(Always).daemon_address("daemon.invalid:2000").build();
        for _ in 0..3 {
            end_a_segment(&recorder);
        }
        let warnings = texts("xray::emitter", Level::Warn);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        for part in ["daemon.invalid:2000", "does not resolve", "AWS_XRAY_DAEMON_ADDRESS"] {
            assert!(warnings[0].contains(part), "{part}: {warnings:?}");
        }
    });
}

#[test]
fn a_daemon_that_swallows_datagrams_is_found_by_its_tcp_side() {
    run("a_daemon_that_swallows_datagrams_is_found_by_its_tcp_side", &[], || {
        logs::keep();
        let (daemon, address) = daemon();
        let recorder = Recorder::builder().sampler(Always).daemon_address(&address).build();
        end_a_segment(&recorder);
        assert_eq!(texts("xray::emitter", Level::Warn), [""; 0], "the datagram was not refused");
        let warnings = wait_for("xray::emitter", Level::Warn, 1);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        for part in [&format!("TCP {address}"), "refused", "AWS_XRAY_DAEMON_ADDRESS"] {
            assert!(warnings[0].contains(part), "{part}: {warnings:?}");
        }
        drop((daemon, recorder));
    });
}

#[test]
fn a_daemon_that_answers_is_not_logged_as_missing() {
    run("a_daemon_that_answers_is_not_logged_as_missing", &[], || {
        logs::keep();
        let (daemon, address) = daemon();
        let listener = TcpListener::bind(&address).unwrap();
        let recorder = Recorder::builder().sampler(Always).daemon_address(&address).build();
        end_a_segment(&recorder);
        listener.set_nonblocking(true).unwrap();
        let start = Instant::now();
        while listener.accept().is_err() {
            assert!(start.elapsed() < Duration::from_secs(20), "the TCP side is checked");
            sleep(Duration::from_millis(20));
        }
        sleep(Duration::from_secs(1));
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "one connection");
        assert_eq!(logs::texts_at(Level::Warn), [""; 0]);
        drop((daemon, recorder));
    });
}

#[test]
fn in_lambda_the_tcp_side_of_the_daemon_is_left_alone() {
    run("in_lambda_the_tcp_side_of_the_daemon_is_left_alone", &[("AWS_LAMBDA_FUNCTION_NAME", "f")], || {
        logs::keep();
        let (daemon, address) = daemon();
        let listener = TcpListener::bind(&address).unwrap();
        let recorder = Recorder::builder().daemon_address(&address).build();
        let header = TraceHeader::parse("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1");
        Segment::builder("todo-app").recorder(&recorder).trace_header(&header).begin().end();
        receive(&daemon);
        listener.set_nonblocking(true).unwrap();
        sleep(Duration::from_secs(5));
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
        assert_eq!(logs::texts_at(Level::Warn), [""; 0]);
    });
}

/// A sampler of a program's own.
struct Refuse;

impl Sampler for Refuse {
    fn sample(&self, _: &SamplingRequest<'_>) -> Decision {
        Decision::not_sampled().by_rule("health")
    }
}

#[test]
fn each_segment_is_logged_with_its_fate() {
    run("each_segment_is_logged_with_its_fate", &[], || {
        logs::keep();
        let (_daemon, address) = daemon();
        let last = || texts("xray::segment", Level::Debug).pop().unwrap_or_default();

        let recorder = Recorder::builder().sampler(Always).daemon_address(&address).build();
        let trace = end_a_segment(&recorder);
        assert_eq!(last(), format!("segment `todo-app` of trace {trace}: sent to UDP {address}"));

        let refusing = unused();
        let recorder = Recorder::builder().sampler(Always).daemon_address(&refusing).build();
        let trace = end_a_segment(&recorder);
        let line = last();
        assert!(line.starts_with(&format!("segment `todo-app` of trace {trace}: dropped because")), "{line}");

        let recorder = Recorder::builder().emitter(MemoryEmitter::new()).build();
        let trace = end_a_segment(&recorder);
        assert_eq!(last(), format!("segment `todo-app` of trace {trace}: handed to `MemoryEmitter`"));

        let begin = |recorder: &Recorder, header: &str| {
            let header = TraceHeader::parse(header);
            Segment::builder("todo-app").recorder(recorder).trace_header(&header).request("GET", "/health").begin()
        };
        let line = |segment: Segment, reason: &str| {
            let trace = segment.trace_id().unwrap();
            drop(segment);
            assert_eq!(last(), format!("segment `todo-app` of trace {trace}: not sampled {reason}"));
        };
        line(begin(&recorder, "Sampled=0"), "by the caller, whose trace header says Sampled=0");
        line(
            Segment::builder("todo-app").recorder(&recorder).sampled(false).begin(),
            "by the program: `sampled(false)`",
        );
        for (sampler, by) in [(Boxed::new(Never), "Never"), (Boxed::new(Refuse), "Refuse")] {
            let recorder = Recorder::builder().sampler(sampler).emitter(MemoryEmitter::new()).build();
            let reason = if by == "Refuse" { "by rule `health`" } else { "by the sampler `Boxed`" };
            line(begin(&recorder, ""), reason);
        }
        let local = Local::builder().rule(Rule::new(0, 0.0).path("/health")).default_rule(0, 0.0).build();
        let recorder = Recorder::builder().sampler(local).emitter(MemoryEmitter::new()).build();
        line(begin(&recorder, ""), "by rule `Local rule 1`");
    });
}

/// A sampler of any type.
struct Boxed(Box<dyn Sampler>);

impl Boxed {
    fn new(sampler: impl Sampler) -> Self {
        Self(Box::new(sampler))
    }
}

impl Sampler for Boxed {
    fn sample(&self, request: &SamplingRequest<'_>) -> Decision {
        self.0.sample(request)
    }
}

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
    let place = format!("GET 127.0.0.1 in `get` at tests/first_hour/main.rs:{GET_LINE}");
    for part in [place.as_str(), "no segment", "SegmentLayer", ".in_segment(", "once for each place"] {
        assert!(lines[0].contains(part), "{part}: {lines:?}");
    }
    assert!(!lines[0].contains("secret") && !lines[0].contains("in_current_trace"), "{lines:?}");

    // A segment has begun and was never made current.
    let segment = Segment::builder("todo-app").sampled(true).begin();
    get_again(&url).await.unwrap();
    let line = errors().pop().unwrap();
    assert!(line.contains("`get_again`") && line.contains(".in_scope("), "{line}");
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
    for part in ["PUT h at tests/first_hour/main.rs:", ".in_current_trace()"] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert_eq!(errors().len(), 3);
}

#[test]
fn a_call_without_a_segment_is_logged_with_its_place_and_the_remedy() {
    let name = "a_call_without_a_segment_is_logged_with_its_place_and_the_remedy";
    run(name, &[("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:9")], missing_contexts);
}

/// A call at the place of the caller.
#[track_caller]
fn at() {
    drop(xray::http::call("GET", "http://h/"));
}

#[test]
fn the_places_of_calls_without_a_segment_are_bounded() {
    run("the_places_of_calls_without_a_segment_are_bounded", &[], || {
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
    run("a_call_of_an_unknown_type_outside_any_segment_is_logged_once", &[], || {
        logs::keep();
        let client = Client { inner: Request };
        assert_eq!(unknown(&client) + unknown(&client), 2);
        let lines = texts("xray::http", Level::Warn);
        assert_eq!(lines.len(), 1, "{lines:?}");
        let place = format!("`unknown` at tests/first_hour/main.rs:{UNKNOWN_LINE}");
        for part in [place.as_str(), "first_hour::Request", "wrapper", "feature", "major version", "strict"] {
            assert!(lines[0].contains(part), "{part}: {lines:?}");
        }
    });
}

#[test]
fn a_call_of_an_unknown_type_below_a_facade_is_logged_at_the_end_of_the_facade() {
    let name = "a_call_of_an_unknown_type_below_a_facade_is_logged_at_the_end_of_the_facade";
    run(name, &[("AWS_LAMBDA_FUNCTION_NAME", "f")], || {
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

/// Without a logger the variable sends the lines to the standard error output; with one it changes nothing.
#[test]
fn the_debug_mode_writes_to_stderr_if_the_program_has_no_logger() {
    let name = "the_debug_mode_writes_to_stderr_if_the_program_has_no_logger";
    match child::case().as_deref() {
        Some("none") => drop(Recorder::builder().emitter(MemoryEmitter::new()).install().unwrap()),
        Some("logger") => {
            logs::keep();
            drop(Recorder::builder().emitter(MemoryEmitter::new()).install().unwrap());
        }
        Some(_) => {}
        None => {
            let stderr = |case: &str, value: &str| {
                let mut command = child::command(module_path!(), name, case);
                let output = command.env("AWS_XRAY_DEBUG_MODE", value).stderr(Stdio::piped()).output().unwrap();
                assert!(output.status.success());
                String::from_utf8(output.stderr).unwrap()
            };
            let written = stderr("none", "TRUE");
            assert!(written.starts_with("[INFO xray::recorder] xray "), "{written}");
            assert_eq!(written.lines().count(), 1, "{written}");
            assert_eq!(stderr("none", "false"), "");
            assert_eq!(stderr("none", ""), "");
            assert_eq!(stderr("logger", "TRUE"), "");
        }
    }
}

#[test]
fn the_name_in_the_environment_overrides_the_name_of_a_layer() {
    use support::documents::capture;
    use tower::{Layer as _, ServiceExt as _, service_fn};
    use xray::tower::SegmentLayer;

    async fn served(layer: SegmentLayer, recorder: &Recorder) {
        let service =
            service_fn(async |_: http::Request<String>| Ok::<_, std::io::Error>(http::Response::new(String::new())));
        let request = http::Request::get("http://a.example.com/").body(String::new()).unwrap();
        layer.recorder(recorder).layer(service).oneshot(request).await.unwrap();
    }

    let name = "the_name_in_the_environment_overrides_the_name_of_a_layer";
    run(name, &[("AWS_XRAY_TRACING_NAME", "renamed")], || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let emitter = MemoryEmitter::new();
            let recorder = Recorder::builder().sampler(Always).service_name("service").emitter(emitter.clone()).build();
            served(SegmentLayer::new("given"), &recorder).await;
            served(SegmentLayer::dynamic("*.example.com", "other"), &recorder).await;
            served(SegmentLayer::default(), &recorder).await;
            SegmentBuilder::default().recorder(&recorder).begin().end();
            Segment::builder("explicit").recorder(&recorder).begin().end();
            let names: Vec<_> = emitter.take().into_iter().map(|document| document.name).collect();
            assert_eq!(names, ["renamed", "renamed", "renamed", "renamed", "explicit"]);
            let ((), documents) = capture(async {}.in_segment("explicit")).await;
            assert_eq!(documents[0].name, "explicit");
        });
    });
}

#[tokio::test]
async fn without_a_name_a_layer_and_a_segment_take_the_name_of_the_service() {
    use tower::{Layer as _, ServiceExt as _, service_fn};
    use xray::tower::SegmentLayer;

    let emitter = MemoryEmitter::new();
    let recorder = Recorder::builder().sampler(Always).service_name("service").emitter(emitter.clone()).build();
    let service =
        service_fn(async |_: http::Request<String>| Ok::<_, std::io::Error>(http::Response::new(String::new())));
    let layer: SegmentLayer = SegmentLayer::default();
    let request = http::Request::get("/").body(String::new()).unwrap();
    layer.recorder(&recorder).layer(service).oneshot(request).await.unwrap();
    async {}.in_segment(SegmentBuilder::default().recorder(&recorder)).await;
    let names: Vec<_> = emitter.take().into_iter().map(|document| document.name).collect();
    assert_eq!(names, ["service", "service"]);
    assert_eq!(recorder.stats().values_rejected, 0);
}

#[test]
fn the_doctor_finds_a_daemon_and_sends_one_segment() {
    let name = "the_doctor_finds_a_daemon_and_sends_one_segment";
    if child::case().is_some() {
        return run(name, &[], || {
            let builder = Recorder::builder().service_name("todo-app").sampler(Never).ignore("*/health");
            let recorder = builder.install().unwrap();
            let report = xray::doctor();
            println!("{report}\ntrace={}\nhealthy={}", report.trace_id().unwrap(), report.is_healthy());
            drop(recorder);
        });
    }
    let (daemon, address) = daemon();
    let _listener = TcpListener::bind(&address).unwrap();
    let mut command = child::command(module_path!(), name, name);
    let output = command.env("AWS_XRAY_DAEMON_ADDRESS", &address).output().unwrap();
    child::assert_done(name, &output);
    let text = String::from_utf8(output.stdout).unwrap();
    let document = receive(&daemon);
    let trace = document["trace_id"].as_str().unwrap();
    for part in [
        &format!("trace={trace}"),
        "healthy=true",
        &format!("daemon_address = udp:{address} tcp:{address} (AWS_XRAY_DAEMON_ADDRESS)"),
        "service_name = todo-app (code)",
        "context_missing = LogError (default)",
        "sampler = Never (code)",
        "propagate = XRay (default)",
        "ignore = */health (code)",
        "clients = ",
        "reqwest-0-11",
        &format!("UDP {address}: ok"),
        &format!("TCP {address}: ok"),
        &format!("sent a segment of trace {trace}"),
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(document["name"], "todo-app");
    daemon.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    assert!(daemon.recv(&mut [0; 16]).is_err(), "one segment");
}

#[test]
fn the_doctor_reports_a_daemon_that_is_missing_within_two_seconds() {
    let name = "the_doctor_reports_a_daemon_that_is_missing_within_two_seconds";
    run(name, &[("AWS_XRAY_DAEMON_ADDRESS", "")], || {
        for (address, udp) in [(unused(), "refused"), ("daemon.invalid:2000".to_owned(), "resolve")] {
            let recorder = Recorder::builder().daemon_address(&address).build();
            let start = Instant::now();
            let report = recorder.check();
            assert!(start.elapsed() < Duration::from_millis(2_500), "{:?}", start.elapsed());
            let text = report.to_string();
            assert!(!report.is_healthy() && text.contains(&format!("UDP {address}: ")) && text.contains(udp), "{text}");
            assert!(text.contains(&format!("TCP {address}: ")), "{text}");
        }
        // An address for documentation: packets to it get no answer, or the system has no route.
        let recorder = Recorder::builder().daemon_address("192.0.2.1:2000").build();
        let start = Instant::now();
        let report = recorder.check();
        assert!(start.elapsed() < Duration::from_millis(2_500) && !report.is_healthy(), "{report}");
        let disabled = Recorder::builder().enabled(false).build().check();
        assert!(disabled.trace_id().is_none() && disabled.to_string().contains("enabled = false (code)"), "{disabled}");
    });
}
