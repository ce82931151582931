//! Environment variables and the process-wide recorder. Each case runs in a child process.
//!
//! The X-Ray SDK for Python 2.15.0 fails in these cases. Each line names the case, and the test that shows what this
//! SDK does instead:
//!
//! * A missing context logs three lines for each call, or raises: `a_missing_context_is_logged_once`.
//! * If the SDK is disabled, calls carry a header of zeros: `a_disabled_recorder_does_nothing`.
//! * A second `configure` resets the settings that it does not name:
//!   `install_replaces_the_automatic_recorder_and_succeeds_once`.
//! * One wrong setting leaves the others unset, and a wrong address of the daemon raises:
//!   `a_wrong_setting_is_logged_once_and_the_default_applies`.
//! * An unknown value of `AWS_XRAY_CONTEXT_MISSING` silences the SDK: `a_missing_context_is_logged_once`.
//! * The import of the SDK reads files and creates clients, and documents are sent on the program's thread:
//!   `a_thread_of_its_own_sends_and_starts_with_the_first_document`.

use std::convert::Infallible;
use std::env;
use std::ffi::OsStr;
use std::io::{self, Read as _};
use std::net::{Ipv4Addr, UdpSocket};
use std::process::Stdio;
use std::time::Duration;

use log::Level;
use serde_json::Value;
use support::documents::{capture, capture_blocking, read_datagram};
use support::{Always, Server, child, logs, refused_url};
use xray::emitter::MemoryEmitter;
use xray::{ContextMissing, Instrument as _, Recorder, Segment};

/// Runs a case in a child process with these environment variables.
fn run(case: &str, variables: &[(&str, impl AsRef<OsStr>)]) {
    run_while(case, variables, || ());
}

/// Like [`run`], but runs `meanwhile` beside the child. The child's standard input ends after `meanwhile`.
fn run_while(case: &str, variables: &[(&str, impl AsRef<OsStr>)], meanwhile: impl FnOnce()) {
    let mut process = child::command(module_path!(), "case_in_a_child_process", case)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    meanwhile();
    drop(process.stdin.take());
    child::assert_done(case, &process.wait_with_output().unwrap());
}

#[test]
fn case_in_a_child_process() {
    let Some(case) = child::case() else { return };
    logs::keep();
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
    child::done();
}

fn receive(socket: &UdpSocket) -> Value {
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
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
    let recorder =
        Recorder::builder().sampler(Always).daemon_address("192.0.2.1:1").service_name("from code").install().unwrap();
    // The name has no legal character, so the segment gets the service's name.
    Segment::builder("???").begin().end();
    assert!(recorder.flush(Duration::from_secs(5)));
    assert_eq!(xray::stats().documents_sent, 1);
}

#[test]
fn a_wrong_setting_is_logged_once_and_the_default_applies() {
    run(
        "wrong settings",
        &[
            ("AWS_XRAY_DAEMON_ADDRESS", "nowhere"),
            ("AWS_XRAY_CONTEXT_MISSING", "SHOUT"),
            ("AWS_XRAY_SDK_ENABLED", "maybe"),
            ("AWS_XRAY_TRACING_NAME", "?"),
            // An empty variable counts as not set.
            ("AWS_XRAY_EMITTER", ""),
            ("AWS_XRAY_PROPAGATION", " "),
        ],
    );
}

fn wrong_settings() {
    // The address in code applies, so that a daemon on this machine gets nothing from this test.
    Recorder::builder().daemon_address("127.0.0.1:9").install().unwrap();
    let segment = Segment::builder("todo-app").begin();
    assert!(segment.is_sampled(), "the first of a second");
    assert_eq!(xray::stats().settings_rejected, 4);
    let mut warnings = logs::texts_at(Level::Warn);
    warnings.retain(|warning| !warning.starts_with("could not fetch sampling"));
    assert_eq!(warnings.len(), 4, "{warnings:#?}");
    assert!(warnings.iter().any(|warning| warning.contains(r#"AWS_XRAY_CONTEXT_MISSING is "SHOUT""#)), "{warnings:#?}");
}

/// Each variable says the opposite of the code.
#[test]
fn each_variable_wins_over_code() {
    run("each over code", &[("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR"), ("AWS_XRAY_SDK_ENABLED", "true")]);
    run("each over code", &[("AWS_XRAY_CONTEXT_MISSING", "runtime_error "), ("AWS_XRAY_SDK_ENABLED", "On")]);
}

fn each_over_code() {
    let recorder = Recorder::builder().sampler(Always).enabled(false).context_missing(ContextMissing::IgnoreError);
    recorder.emitter(MemoryEmitter::new()).install().unwrap();
    Segment::builder("todo-app").begin().end();
    assert_eq!(xray::stats().documents_emitted, 1);
    assert_eq!(injected("http://h/"), []);
    assert_eq!(logs::texts_at(Level::Error).len(), 1, "the missing context is logged");
}

/// The setting in code applies if a variable cannot be read, whatever is wrong with the variable.
#[test]
fn a_variable_that_cannot_be_read_is_logged_once() {
    // Linux allows 128 KiB for one variable.
    let huge = "\u{1f4a9}\n".repeat(25_000);
    for name in ["AWS_XRAY_DAEMON_ADDRESS", "AWS_XRAY_CONTEXT_MISSING", "AWS_XRAY_SDK_ENABLED", "AWS_XRAY_TRACING_NAME"]
    {
        for value in ["\u{7}", "???", "\u{1f4a9}", huge.as_str()] {
            run("code stands", &[(name, value)]);
        }
        #[cfg(unix)]
        run("code stands", &[(name, std::os::unix::ffi::OsStrExt::from_bytes(&b"\xff\xfetrue"[..]) as &OsStr)]);
    }
}

fn code_stands() {
    let daemon = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let recorder = Recorder::builder()
        .sampler(Always)
        .daemon_address(daemon.local_addr().unwrap().to_string())
        .service_name("from code")
        .context_missing(ContextMissing::IgnoreError)
        .install()
        .unwrap();
    // The name has no legal character, so the segment gets the service's name.
    Segment::builder("???").begin().end();
    assert_eq!(receive(&daemon)["name"], "from code");
    assert_eq!(injected("http://h/"), []);
    assert_eq!(logs::texts_at(Level::Error), [""; 0], "the missing context is not logged");
    assert_eq!(recorder.stats().settings_rejected, 1);
    let warnings = logs::texts_at(Level::Warn);
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
    let rules = builder().ignore("/health").inject_only("https://example.com/*").name_hosts("*.local", "local");
    assert_eq!(rules.build().stats().settings_rejected, 2);
}

#[test]
fn a_disabled_recorder_does_nothing() {
    run("disabled", &[("AWS_XRAY_SDK_ENABLED", "false")]);
}

#[tokio::main]
async fn disabled() {
    #[xray::traced_http]
    async fn get(url: &str) -> reqwest::Result<reqwest::Response> {
        reqwest::Client::new().get(url).send().await
    }

    struct Request;

    impl Request {
        #[expect(clippy::unused_self, reason = "it stands for a client that consumes its request")]
        fn send(self) -> u32 {
            1
        }
    }

    #[xray::traced_http]
    fn unknown(request: Request) -> u32 {
        request.send()
    }

    let server = Server::start().await;
    let work = async {
        assert_eq!(xray::trace_id(), None);
        get(&server.url("/bytes/1")).await
    };
    assert_eq!(work.in_segment("todo-app").await.unwrap().status(), 200);
    assert!(server.take_seen()[0].trace_headers().is_empty());
    assert_eq!(xray::stats().documents_emitted, 0);
    assert_eq!(unknown(Request), 1, "a call of an unknown type outside any segment");
    for level in [Level::Error, Level::Warn] {
        assert_eq!(logs::texts_at(level), [""; 0], "a disabled recorder does not log what is not traced");
    }
    let (_, documents) = capture(get(&server.url("/bytes/1")).in_segment("todo-app")).await;
    assert_eq!(documents[0].subsegments.len(), 1, "a capture records nevertheless");
}

#[test]
fn a_missing_context_is_logged_once() {
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
    #[xray::traced_http]
    async fn pass_on<S: tower::Service<Request>>(mut inner: S, request: Request) -> Result<S::Response, S::Error> {
        inner.call(request).await
    }
    type Request = http::Request<()>;

    // A request that the client refuses to send is no call, and neither is one that a server passes on to its inner
    // service.
    get("no url").await.unwrap_err();
    let service = tower::service_fn(async |_: Request| Ok::<_, Infallible>(http::Response::new(())));
    pass_on(service, http::Request::get("/path").body(()).unwrap()).await.unwrap();
    assert_eq!(logs::texts_at(Level::Error), [""; 0]);
    // A missing context is logged once for each place.
    for _ in 0..3 {
        get(&refused_url()).await.unwrap_err();
    }
    let errors = logs::texts_at(Level::Error);
    assert_eq!(errors.len(), expected, "{errors:#?}");

    // The first calls of a program are often made before any segment. Afterwards the same place has another remedy.
    Segment::builder("t").sampled(false).begin().in_scope(|| ());
    for _ in 0..3 {
        get(&refused_url()).await.unwrap_err();
    }
    let errors = logs::texts_at(Level::Error);
    assert_eq!(errors.len(), 2 * expected, "{errors:#?}");
    let told = |text: &str| errors.iter().filter(|line| line.contains(text)).count();
    let remedies = ["No segment has begun in this process yet", "Segments are open elsewhere in this process"];
    assert_eq!(remedies.map(told), [expected; 2], "{errors:#?}");
}

#[test]
fn install_replaces_the_automatic_recorder_and_succeeds_once() {
    let daemon = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut datagrams = Vec::new();
    run_while("install", &[("AWS_XRAY_DAEMON_ADDRESS", daemon.local_addr().unwrap().to_string())], || {
        datagrams.extend((0..4).map(|_| receive(&daemon)));
    });
    // A segment gets its name from its recorder, so the name shows which recorder sent it. The datagrams of two
    // recorders arrive in any order.
    let program = env::current_exe().unwrap();
    let program = program.file_name().unwrap().to_str().unwrap();
    for name in [program, program, "installed", "installed"] {
        let found = datagrams.iter().position(|document| document["name"] == name);
        datagrams.swap_remove(found.unwrap_or_else(|| panic!("{name}: {datagrams:#?}")));
    }
}

fn install() {
    let begin = || Segment::builder("???").sampled(true).begin();
    let before = begin();
    begin().end();
    assert_eq!(xray::stats().documents_emitted, 1, "the statistics are of the recorder that installed itself");
    let recorder = Recorder::builder().sampler(Always).service_name("installed").install().unwrap();
    assert_eq!(recorder.stats().documents_emitted, 0);
    begin().end();
    assert_eq!((recorder.stats().documents_emitted, xray::stats().documents_emitted), (1, 1));

    let refused = Recorder::builder().service_name("refused").install();
    assert_eq!(refused.unwrap_err().to_string(), "a recorder is already installed in this process");
    begin().end();
    before.end();
    assert_eq!(
        xray::stats().documents_emitted,
        2,
        "the installed recorder stays, and an older segment keeps its recorder"
    );
    // The program has no handle to flush the recorder that installed itself. That recorder sends while the process
    // runs.
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
fn a_thread_of_its_own_sends_and_starts_with_the_first_document() {
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
    // Counted twice, because the first count may itself open files.
    let counted =
        || ["/proc/self/task", "/proc/self/fd"].map(|directory| std::fs::read_dir(directory).unwrap().count());
    let before = (counted(), counted()).1;
    let recorder = Recorder::builder().service_name("todo-app").install().unwrap();
    drop(xray::http::call("GET", "https://example.com/"));
    let unsampled = xray::TraceHeader::parse("Sampled=0");
    Segment::builder("unsampled").trace_header(&unsampled).begin().end();
    let segment = Segment::builder("sampled").sampled(true).begin();
    drop(xray::http::call("GET", "https://example.com/"));
    assert!(!is_running(), "a thread runs before there is a document to send");
    assert_eq!(counted(), before, "threads or files were opened");
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
    assert_eq!(logs::texts_at(Level::Warn), [""; 0]);
}

/// The warning comes while the recorder of the process is being made, and the logger asks for that recorder.
#[test]
fn a_logger_that_asks_for_the_recorder_does_not_wait_for_itself() {
    run("logger", &[("AWS_XRAY_DAEMON_ADDRESS", "nowhere"), ("AWS_XRAY_CONTEXT_MISSING", "SHOUT")]);
}

fn a_logger_that_asks() {
    logs::at_each_line(|| assert_eq!(xray::stats().settings_rejected, 2));
    assert_eq!(xray::stats().settings_rejected, 2);
    assert_eq!(logs::texts_at(Level::Warn).len(), 2);
}

/// In Lambda the service decides and passes the decision in the header. Without a decision nothing is recorded,
/// whatever the code sets.
#[test]
fn in_lambda_only_the_header_decides() {
    run("lambda", &[("AWS_LAMBDA_FUNCTION_NAME", "todo-function")]);
    run("lambda", &[("LAMBDA_TASK_ROOT", "/var/task")]);
}

fn lambda() {
    Recorder::builder().sampler(Always).emitter(MemoryEmitter::new()).install().unwrap();
    let is_sampled = |header: &str| {
        let header = xray::TraceHeader::parse(&format!("Root=1-5759e988-bd862e3fe1be46a994272793;{header}"));
        Segment::builder("todo-function").trace_header(&header).begin().is_sampled()
    };
    let decisions = ["Sampled=1", "Sampled=0", "Sampled=?", "Lineage=a:1"].map(is_sampled);
    assert_eq!(decisions, [true, false, false, false]);
    let ((), documents) = capture_blocking(|| Segment::builder("tested").begin().end());
    assert_eq!(documents.len(), 1, "a capture records nevertheless");
}
