//! The environment and the process-wide recorder: each case is a process of its own, this test run again.
//!
//! Where the X-Ray SDK for Python 2.15.0 was measured to go wrong, by section of that study, and what shows the other
//! behaviour:
//!
//! * 1.7 context missing, three lines of log for each call, or an exception: `a_missing_context_is_told_once`
//! * 1.7 disabled, calls carry a header of zeros: `disabled_means_nothing_at_all`
//! * 2.1 `configure`, a second time resets what it does not name:
//!   `install_replaces_what_installed_itself_and_happens_once`
//! * 2.1 `configure`, one wrong value leaves the rest undone: `a_wrong_setting_is_one_warning_and_the_default`
//! * 2.2 environment, a wrong or empty address of the daemon raises: `a_wrong_setting_is_one_warning_and_the_default`
//! * 2.2 environment, an unknown `AWS_XRAY_CONTEXT_MISSING` silences: `a_missing_context_is_told_once`
//! * 2.11 sampling, at the import files are read and clients built:
//!   `a_thread_of_its_own_sends_and_begins_with_the_first_document`
//! * 6.7, what is sent is sent within the program's request:
//!   `a_thread_of_its_own_sends_and_begins_with_the_first_document`
//! * 6.11, wrong values raise (what is of sampling stands with it):
//!   `a_wrong_setting_is_one_warning_and_the_default`

use std::env;
use std::ffi::OsStr;
use std::io::{self, Read as _};
use std::net::{Ipv4Addr, UdpSocket};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use log::{Level, LevelFilter, Log, Metadata, Record};
use serde_json::Value;
use support::Server;
use support::documents::{capture, capture_blocking, read_datagram};
use xray::emitter::MemoryEmitter;
use xray::{ContextMissing, Instrument as _, Recorder, Segment};

/// Says to this program that it is the inner process, and which case it is to run.
const CASE: &str = "XRAY_TEST_CASE";

/// Runs a case in a process with these variables.
fn run(case: &str, variables: &[(&str, impl AsRef<OsStr>)]) {
    run_while(case, variables, || ());
}

/// The same; the process's standard input ends after `meanwhile`.
fn run_while(case: &str, variables: &[(&str, impl AsRef<OsStr>)], meanwhile: impl FnOnce()) {
    let mut process = Command::new(env::current_exe().unwrap())
        .args(["inner_process", "--exact", "--nocapture"])
        .env(CASE, case)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    meanwhile();
    drop(process.stdin.take());
    let output = process.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("case done"), "{case}: {text}");
}

#[test]
fn inner_process() {
    let Ok(case) = env::var(CASE) else { return };
    log::set_logger(&LOGGER).unwrap();
    log::set_max_level(LevelFilter::Debug);
    match case.as_str() {
        "environment over code" => environment_over_code(),
        "wrong settings" => wrong_settings(),
        "disabled" => disabled(),
        "context missing" => context_missing(1),
        "context missing ignored" => context_missing(0),
        "each over code" => each_over_code(),
        "code stands" => code_stands(),
        "install" => install(),
        "name" => name(),
        "lambda" => lambda(),
        "lambda progress" => lambda_progress(),
        "logger" => a_logger_that_asks(),
        #[cfg(target_os = "linux")]
        "threads" => threads(),
        #[cfg(target_os = "linux")]
        "one thread" => one_thread(),
        _ => panic!("{case}"),
    }
    println!("case done");
}

fn receive(socket: &UdpSocket) -> Value {
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut datagram = vec![0; 65_536];
    let length = socket.recv(&mut datagram).unwrap();
    read_datagram(&datagram[..length])
}

#[test]
fn the_environment_wins_over_code() {
    let daemon = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = daemon.local_addr().unwrap().to_string();
    run(
        "environment over code",
        &[("AWS_XRAY_DAEMON_ADDRESS", address.as_str()), ("AWS_XRAY_TRACING_NAME", "from the environment")],
    );
    assert_eq!(receive(&daemon)["name"], "from the environment");
}

fn environment_over_code() {
    let recorder = Recorder::builder()
        .sampler(xray::sampling::Always)
        .daemon_address("192.0.2.1:1")
        .service_name("from code")
        .install()
        .unwrap();
    // A name of which nothing is legal leaves the service's.
    Segment::builder("???").begin().end();
    assert!(recorder.flush(Duration::from_secs(5)));
    assert_eq!(xray::stats().documents_sent, 1);
}

#[test]
fn a_wrong_setting_is_one_warning_and_the_default() {
    run(
        "wrong settings",
        &[
            ("AWS_XRAY_DAEMON_ADDRESS", "nowhere"),
            ("AWS_XRAY_CONTEXT_MISSING", "SHOUT"),
            ("AWS_XRAY_SDK_ENABLED", ""),
            ("AWS_XRAY_TRACING_NAME", " "),
        ],
    );
}

fn wrong_settings() {
    let segment = Segment::builder("todo-app").begin();
    assert!(segment.is_sampled(), "the first of a second");
    assert_eq!(xray::stats().settings_rejected, 4);
    let mut warnings = LOGGER.take(Level::Warn);
    warnings.retain(|warning| !warning.starts_with("could not fetch sampling"));
    assert_eq!(warnings.len(), 4, "{warnings:#?}");
    assert!(warnings.iter().any(|warning| warning.contains(r#"AWS_XRAY_CONTEXT_MISSING is "SHOUT""#)), "{warnings:#?}");
}

/// Each says the opposite of the code.
#[test]
fn each_variable_wins_over_code() {
    run("each over code", &[("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR"), ("AWS_XRAY_SDK_ENABLED", "true")]);
    run("each over code", &[("AWS_XRAY_CONTEXT_MISSING", "runtime_error "), ("AWS_XRAY_SDK_ENABLED", "On")]);
}

fn each_over_code() {
    let recorder =
        Recorder::builder().sampler(xray::sampling::Always).enabled(false).context_missing(ContextMissing::IgnoreError);
    recorder.emitter(MemoryEmitter::new()).install().unwrap();
    Segment::builder("todo-app").begin().end();
    assert_eq!(xray::stats().documents_emitted, 1);
    assert_eq!(injected("http://h/"), []);
    assert_eq!(LOGGER.take(Level::Error).len(), 1, "a missing context is told");
}

/// The setting in code stands where a variable cannot be read, whatever is wrong with it.
#[test]
fn a_variable_that_cannot_be_read_is_one_warning_whatever_it_holds() {
    // More than this one variable cannot be.
    let huge = "\u{1f4a9}\n".repeat(25_000);
    for name in ["AWS_XRAY_DAEMON_ADDRESS", "AWS_XRAY_CONTEXT_MISSING", "AWS_XRAY_SDK_ENABLED", "AWS_XRAY_TRACING_NAME"]
    {
        for value in ["", " ", "\u{7}", "???", "\u{1f4a9}", huge.as_str()] {
            run("code stands", &[(name, value)]);
        }
        #[cfg(unix)]
        run("code stands", &[(name, std::os::unix::ffi::OsStrExt::from_bytes(&b"\xff\xfetrue"[..]) as &OsStr)]);
    }
}

fn code_stands() {
    let daemon = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let recorder = Recorder::builder()
        .sampler(xray::sampling::Always)
        .daemon_address(daemon.local_addr().unwrap().to_string())
        .service_name("from code")
        .context_missing(ContextMissing::IgnoreError)
        .install()
        .unwrap();
    // A name of which nothing is legal leaves the service's.
    Segment::builder("???").begin().end();
    assert_eq!(receive(&daemon)["name"], "from code");
    assert_eq!(injected("http://h/"), []);
    assert_eq!(LOGGER.take(Level::Error), [""; 0], "a missing context is not told");
    assert_eq!(recorder.stats().settings_rejected, 1);
    let warnings = LOGGER.take(Level::Warn);
    let settings: Vec<_> = warnings.iter().filter(|warning| warning.starts_with("AWS_XRAY_")).collect();
    assert_eq!(settings.len(), 1, "{warnings:#?}");
    assert!(settings[0].len() < 2_000 && settings[0].contains("expected"), "{settings:#?}");
}

#[test]
fn a_name_that_is_too_long_is_cut() {
    let daemon = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = daemon.local_addr().unwrap().to_string();
    let huge = "x".repeat(100_000);
    run("environment over code", &[("AWS_XRAY_DAEMON_ADDRESS", address.as_str()), ("AWS_XRAY_TRACING_NAME", &huge)]);
    assert_eq!(receive(&daemon)["name"], "x".repeat(200));
}

#[test]
fn a_setting_in_code_that_cannot_be_read_is_counted_too() {
    let builder = || Recorder::builder().emitter(MemoryEmitter::new());
    assert_eq!(builder().service_name("service").daemon_address("daemon:1").build().stats().settings_rejected, 0);
    assert_eq!(builder().service_name("?").daemon_address("daemon").build().stats().settings_rejected, 2);
}

#[test]
fn disabled_means_nothing_at_all() {
    run("disabled", &[("AWS_XRAY_SDK_ENABLED", "false")]);
}

#[tokio::main]
async fn disabled() {
    #[xray::traced_http]
    async fn get(url: &str) -> reqwest::Result<reqwest::Response> {
        reqwest::Client::new().get(url).send().await
    }
    let server = Server::start().await;
    let work = async {
        assert_eq!(xray::trace_id(), None);
        get(&server.url("/bytes/1")).await
    };
    assert_eq!(work.in_segment("todo-app").await.unwrap().status(), 200);
    assert!(server.take_seen()[0].trace_headers().is_empty());
    assert_eq!(xray::stats().documents_emitted, 0);
    assert_eq!(LOGGER.take(Level::Error), [""; 0], "a missing context is no error then");
    let (_, documents) = capture(get(&server.url("/bytes/1")).in_segment("todo-app")).await;
    assert_eq!(documents[0].subsegments.len(), 1, "a test sees its documents all the same");
}

#[test]
fn a_missing_context_is_told_once() {
    run("context missing", &[("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR")]);
    run("context missing", &[("AWS_XRAY_CONTEXT_MISSING", "RUNTIME_ERROR")]);
    run("context missing", &[("AWS_XRAY_CONTEXT_MISSING", "SHOUT")]);
    run("context missing ignored", &[("AWS_XRAY_CONTEXT_MISSING", "IGNORE_ERROR")]);
}

#[tokio::main]
async fn context_missing(expected: usize) {
    #[xray::traced_http]
    async fn get(url: &str) -> reqwest::Result<reqwest::Response> {
        reqwest::Client::new().get(url).send().await
    }
    for _ in 0..3 {
        get("no url").await.unwrap_err();
    }
    let errors = LOGGER.take(Level::Error);
    assert_eq!(errors.len(), expected, "{errors:#?}");
}

#[test]
fn install_replaces_what_installed_itself_and_happens_once() {
    let daemon = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut datagrams = Vec::new();
    run_while("install", &[("AWS_XRAY_DAEMON_ADDRESS", daemon.local_addr().unwrap().to_string())], || {
        datagrams.extend((0..4).map(|_| receive(&daemon)));
    });
    // Which recorder a segment is of shows in the name that it has from it. Two recorders' datagrams have no order.
    for name in ["environment-", "environment-", "installed", "installed"] {
        let found = datagrams.iter().position(|document| document["name"].as_str().unwrap().starts_with(name));
        datagrams.swap_remove(found.unwrap_or_else(|| panic!("{name}: {datagrams:#?}")));
    }
}

fn install() {
    let begin = || Segment::builder("???").sampled(true).begin();
    let before = begin();
    begin().end();
    assert_eq!(xray::stats().documents_emitted, 1, "of the one that installed itself");
    let recorder = Recorder::builder().sampler(xray::sampling::Always).service_name("installed").install().unwrap();
    assert_eq!(recorder.stats().documents_emitted, 0);
    begin().end();
    assert_eq!((recorder.stats().documents_emitted, xray::stats().documents_emitted), (1, 1));

    let refused = Recorder::builder().service_name("refused").install();
    assert_eq!(refused.unwrap_err().to_string(), "a recorder is installed in this process already");
    begin().end();
    before.end();
    assert_eq!(xray::stats().documents_emitted, 2, "the first that was installed stays, and a segment keeps its own");
    // Nobody holds the recorder that installed itself, to flush it. It sends all the same, while the process lives.
    io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

#[test]
fn a_segment_keeps_the_name_it_is_given() {
    run("name", &[("AWS_XRAY_TRACING_NAME", "service")]);
}

fn name() {
    let ((), documents) = capture_blocking(|| Segment::builder("job <1>").begin().end());
    assert_eq!(documents[0].name, "job 1");
}

#[cfg(target_os = "linux")]
#[test]
fn a_thread_of_its_own_sends_and_begins_with_the_first_document() {
    run("threads", &[("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:9"), ("AWS_PROFILE", "none of that name")]);
}

/// The headers that a call puts into its request.
fn injected(url: &str) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    drop(xray::http::call("GET", url).inject(&mut headers));
    headers
}

#[cfg(target_os = "linux")]
fn threads() {
    let is_running = || {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        let mut names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
        names.any(|name| name.starts_with("xray-"))
    };
    // Looked at once before, so that the two are alike.
    let counted =
        || ["/proc/self/task", "/proc/self/fd"].map(|directory| std::fs::read_dir(directory).unwrap().count());
    let before = (counted(), counted()).1;
    let recorder = Recorder::builder().service_name("todo-app").install().unwrap();
    drop(xray::http::call("GET", "https://example.com/"));
    let unsampled = xray::TraceHeader::parse("Sampled=0");
    Segment::builder("unsampled").trace_header(&unsampled).begin().end();
    let segment = Segment::builder("sampled").sampled(true).begin();
    drop(xray::http::call("GET", "https://example.com/"));
    assert!(!is_running(), "so far there is nothing to send, and nobody was asked to decide");
    assert_eq!(counted(), before, "threads, and files and sockets");
    segment.end();
    assert!(recorder.flush(Duration::from_secs(5)));
    assert!(is_running());
}

#[cfg(target_os = "linux")]
#[test]
fn a_recorder_has_one_background_thread() {
    run("one thread", &[("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:9"), ("AWS_XRAY_SDK_ENABLED", "true")]);
}

/// It sends datagrams, polls for sampling rules and reports progress.
#[cfg(target_os = "linux")]
fn one_thread() {
    let recorder = Recorder::builder().in_progress_after(Duration::from_millis(10)).install().unwrap();
    let segment = Segment::builder("long").begin();
    assert!(segment.is_sampled(), "the first of a second");
    while recorder.stats().documents_emitted == 0 || recorder.stats().sampling_failures == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(recorder.flush(Duration::from_secs(5)));
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    let ours: Vec<_> = names.filter(|name| name.starts_with("xray-")).collect();
    assert_eq!(ours, ["xray-background\n"]);
}

/// In Lambda the end of a segment waits until its documents are sent. A progress report runs on the thread that sends
/// them, so it must not wait.
#[test]
fn in_lambda_a_progress_report_does_not_wait_for_its_own_thread() {
    run("lambda progress", &[("AWS_LAMBDA_FUNCTION_NAME", "todo-function")]);
}

fn lambda_progress() {
    let daemon = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let recorder = Recorder::builder()
        .daemon_address(daemon.local_addr().unwrap().to_string())
        .in_progress_after(Duration::from_millis(10))
        .install()
        .unwrap();
    let header = xray::TraceHeader::parse("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1");
    let segment = Segment::builder("job").trace_header(&header).begin();
    let reported = receive(&daemon);
    assert_eq!((&reported["name"], &reported["in_progress"]), (&"job".into(), &true.into()));
    segment.subsegment("part").end();
    assert_eq!(receive(&daemon)["name"], "part");
    segment.end();
    assert_eq!(recorder.stats().documents_sent, 3, "the end has waited");
    assert_eq!(LOGGER.take(Level::Warn), [""; 0]);
}

/// The warning comes while the recorder of the process is being made, and the logger asks for that recorder.
#[test]
fn a_logger_that_asks_for_the_recorder_does_not_wait_for_itself() {
    run("logger", &[("AWS_XRAY_DAEMON_ADDRESS", "nowhere"), ("AWS_XRAY_CONTEXT_MISSING", "SHOUT")]);
}

fn a_logger_that_asks() {
    LOGGER_ASKS.store(true, Ordering::Relaxed);
    assert_eq!(xray::stats().settings_rejected, 2);
    assert_eq!(LOGGER.take(Level::Warn).len(), 2);
}

/// Whatever is set in code: the service has decided, and says so in the header, or nothing is to be recorded.
#[test]
fn in_lambda_nobody_decides_but_the_header() {
    run("lambda", &[("AWS_LAMBDA_FUNCTION_NAME", "todo-function")]);
    run("lambda", &[("LAMBDA_TASK_ROOT", "/var/task")]);
}

fn lambda() {
    Recorder::builder().sampler(xray::sampling::Always).emitter(MemoryEmitter::new()).install().unwrap();
    let is_sampled = |header: &str| {
        let header = xray::TraceHeader::parse(&format!("Root=1-5759e988-bd862e3fe1be46a994272793;{header}"));
        Segment::builder("todo-function").trace_header(&header).begin().is_sampled()
    };
    let decisions = ["Sampled=1", "Sampled=0", "Sampled=?", "Lineage=a:1"].map(is_sampled);
    assert_eq!(decisions, [true, false, false, false]);
    let ((), documents) = capture_blocking(|| Segment::builder("tested").begin().end());
    assert_eq!(documents.len(), 1, "a test sees its documents all the same");
}

static LOGGER: Logger = Logger(Mutex::new(Vec::new()));
/// Whether the logger asks for the recorder of the process.
static LOGGER_ASKS: AtomicBool = AtomicBool::new(false);

/// Keeps what is logged by the crate.
struct Logger(Mutex<Vec<(Level, String)>>);

impl Logger {
    fn take(&self, level: Level) -> Vec<String> {
        let kept = self.0.lock().unwrap();
        kept.iter().filter(|(kept, _)| *kept == level).map(|(_, text)| text.clone()).collect()
    }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("xray::")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            if LOGGER_ASKS.load(Ordering::Relaxed) {
                assert_eq!(xray::stats().settings_rejected, 2);
            }
            self.0.lock().unwrap().push((record.level(), record.args().to_string()));
        }
    }

    fn flush(&self) {}
}
