//! A service with the OpenTelemetry SDK for Python calls an axum service with this SDK, which calls a service with the
//! X-Ray SDK for Python. `xray-local` shows one trace of the three services.
//!
//! The service needs a virtual environment in `target/opentelemetry` with `tests/neighbour/opentelemetry.txt`, which
//! `.ci/run` creates.
//!
//! `xray-local/screenshots/make` sets the variable `XRAY_THREE_SDKS` to a file for the documents of the trace, and
//! takes a screenshot of them.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use xray::Recorder;
use xray::sampling::Never;
use xray_local::document::{Document, Kind, Namespace};

use crate::{Flask, python, start_ours};

/// The names of the services: their language and SDK.
const FIRST: &str = "Python / OpenTelemetry";
const OURS: &str = "Rust / xray";
const LAST: &str = "Python / X-Ray SDK";

#[tokio::test(flavor = "multi_thread")]
async fn three_sdks_in_two_languages_make_one_trace() {
    for kind in ["http", "adot"] {
        let mut server = xray_local::Server::builder().address("127.0.0.1:0");
        if let (Some(file), "http") = (env::var_os("XRAY_THREE_SDKS"), kind) {
            server = server.record(file);
        }
        let server = server.start().unwrap();
        let daemon = server.udp_address().to_string();
        let endpoint = if kind == "http" { format!("http://{}", server.http_address()) } else { daemon.clone() };
        // The first service decides that the trace is sampled. The samplers of the other services would not sample it.
        let Some(last) = Flask::start(LAST, 0, "", &daemon) else { return };
        let recorder = Recorder::builder().daemon_address(daemon.as_str()).sampler(Never).build();
        let ours = start_ours(OURS, &recorder, last.url.clone()).await;
        let Some(first) = Service::start(FIRST, &format!("http://{ours}/"), kind, &endpoint) else { return };
        reqwest::get(&first.url).await.unwrap().json::<Value>().await.unwrap();
        first.stop();
        assert!(recorder.flush(Duration::from_secs(20)));

        let begun = Instant::now();
        let segments = || server.store().traces().iter().map(|stored| stored.trace().segments.len()).sum::<usize>();
        while segments() < 3 && begun.elapsed() < Duration::from_secs(20) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let traces = server.store().traces();
        assert_eq!(traces.len(), 1, "{kind}");
        let trace = traces[0].trace();
        let names: Vec<_> = trace.segments.iter().map(|segment| segment.name.as_str()).collect();
        assert_eq!(names, [FIRST, OURS, LAST], "{kind}: {trace:#?}");
        let [first, ours, last] = &trace.segments[..] else { unreachable!() };
        assert_eq!(ours.parent_id.as_ref(), Some(&call_of(first).id));
        assert_eq!(last.parent_id.as_ref(), Some(&call_of(ours).id));
        for segment in &trace.segments {
            let http = segment.http.as_ref().unwrap();
            assert_eq!((http.method.as_deref(), http.status), (Some("GET"), Some(200)), "{}", segment.name);
        }
        let prepare = &first.subsegments[0];
        assert_eq!((prepare.name.as_str(), prepare.kind, prepare.namespace), ("prepare", Kind::Subsegment, None));
        assert_eq!(prepare.metadata()["default"]["tier"], "gold");
        let exception = &prepare.cause.as_ref().unwrap().exceptions()[0];
        assert_eq!((exception.kind.as_deref(), exception.message.as_deref()), (Some("ValueError"), Some("no cart")));
        assert_eq!(exception.stack[0].label.as_deref(), Some("answer"));
        assert_eq!(first.aws()["xray"]["sdk"], json!("opentelemetry for python"));
        let counters = server.store().counters();
        assert_eq!((counters.suspicious, counters.rejected), (0, 0), "{:#?}", server.store().reports());
    }
}

/// Returns the first subsegment in a segment that calls another service.
fn call_of(segment: &Document) -> &Document {
    segment.walk().find(|entity| entity.namespace == Some(Namespace::Remote)).unwrap()
}

/// A process of `tests/neighbour/spans.py`.
struct Service {
    url: String,
    process: Child,
    output: BufReader<ChildStdout>,
}

impl Service {
    fn start(name: &str, next_url: &str, kind: &str, endpoint: &str) -> Option<Self> {
        let mut process = Command::new(python("opentelemetry")?)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("neighbour/spans.py"))
            .args([name, next_url, kind, endpoint])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut port = String::new();
        output.read_line(&mut port).unwrap();
        Some(Self { url: format!("http://127.0.0.1:{}/", port.trim()), process, output })
    }

    /// Ends the service, and waits until it has sent its spans.
    fn stop(mut self) {
        drop(self.process.stdin.take());
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        assert_eq!(line, "sent\n");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
