//! The test in the role of Lambda: the Runtime API, the environment variables and the daemon's socket.

use std::fs::{self, File};
use std::net::{Ipv4Addr, UdpSocket};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::routing::{get, post};
use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;

use super::function::function_command;
use support::documents::read_datagram;

pub(super) const ROOT: &str = "1-5759e988-bd862e3fe1be46a994272793";
pub(super) const PARENT: &str = "53995c3f42cd8ad8";

/// Returns the header of an invocation that is sampled.
pub(super) fn sampled() -> String {
    format!("Root={ROOT};Parent={PARENT};Sampled=1;Lineage=25:abc:1")
}

/// A running function. Dropping this stops it.
pub(super) struct Lambda {
    function: Child,
    api: Arc<Api>,
    events: mpsc::UnboundedSender<Invocation>,
    answers: mpsc::UnboundedReceiver<Answer>,
    directory: PathBuf,
}

struct Api {
    events: Mutex<mpsc::UnboundedReceiver<Invocation>>,
    answers: mpsc::UnboundedSender<Answer>,
    daemon: UdpSocket,
}

struct Invocation {
    header: Option<String>,
    event: Value,
}

/// The function's answer, and the documents that arrived before it.
pub(super) struct Answer {
    pub(super) is_error: bool,
    pub(super) body: Value,
    pub(super) documents: Vec<Value>,
}

impl Lambda {
    /// Starts one of the functions in `function::function`.
    pub(super) async fn start(function: &str) -> Self {
        Self::with(function, &[]).await
    }

    /// Like [`Self::start`], with more environment variables.
    pub(super) async fn with(function: &str, variables: &[(&str, &str)]) -> Self {
        let (events, waiting) = mpsc::unbounded_channel();
        let (answering, answers) = mpsc::unbounded_channel();
        let daemon = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        daemon.set_nonblocking(true).unwrap();
        let daemon_address = daemon.local_addr().unwrap().to_string();
        let api = Arc::new(Api { events: Mutex::new(waiting), answers: answering, daemon });
        let address = Arc::clone(&api).serve().await;
        let directory = directory();
        let function = Command::from(function_command(function))
            .env("AWS_LAMBDA_RUNTIME_API", address)
            .env("AWS_LAMBDA_FUNCTION_NAME", "todo")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_XRAY_DAEMON_ADDRESS", daemon_address)
            .env("TMPDIR", &directory)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(directory.join("stderr")).unwrap())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self { function, api, events, answers, directory }
    }

    /// Queues an invocation, which the function gets when it asks for the next one.
    pub(super) fn invoke(&self, header: Option<&str>, event: Value) {
        let header = header.map(str::to_owned);
        self.events.send(Invocation { header, event }).map_err(|_| "nobody serves").unwrap();
    }

    /// Waits for the next answer.
    pub(super) async fn answer(&mut self) -> Answer {
        let answer = timeout(Duration::from_secs(60), self.answers.recv()).await;
        answer.ok().flatten().unwrap_or_else(|| {
            let stderr = fs::read_to_string(self.directory.join("stderr"));
            panic!("no answer ({:?}): {}", self.function.try_wait(), stderr.unwrap_or_default());
        })
    }

    /// Invokes the function and waits for its answer.
    pub(super) async fn call(&mut self, header: Option<&str>, event: Value) -> Answer {
        self.invoke(header, event);
        self.answer().await
    }

    /// Waits for the next document that arrives while the function works.
    pub(super) async fn document(&self) -> Value {
        let arrival = async {
            loop {
                if let Some(document) = self.api.next_document() {
                    return document;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(Duration::from_secs(60), arrival).await.expect("no document arrives")
    }

    /// Kills the function, and returns the documents that arrived after its last answer.
    pub(super) async fn stop(mut self) -> Vec<Value> {
        self.function.kill().await.unwrap();
        self.api.arrived()
    }

    /// Returns the function's directory for temporary files.
    pub(super) fn directory(&self) -> &PathBuf {
        &self.directory
    }
}

impl Api {
    async fn serve(self: Arc<Self>) -> String {
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/{kind}", post(answered))
            .with_state(self);
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async { axum::serve(listener, router).await });
        address.to_string()
    }

    /// Returns the documents that have arrived.
    fn arrived(&self) -> Vec<Value> {
        std::iter::from_fn(|| self.next_document()).collect()
    }

    fn next_document(&self) -> Option<Value> {
        let mut datagram = vec![0; 65_536];
        self.daemon.recv(&mut datagram).ok().map(|length| read_datagram(&datagram[..length]))
    }
}

async fn next(State(api): State<Arc<Api>>) -> (HeaderMap, String) {
    static INVOCATIONS: AtomicUsize = AtomicUsize::new(1);

    let Some(invocation) = api.events.lock().await.recv().await else { std::future::pending().await };
    let mut headers = HeaderMap::new();
    let mut insert = |name: &'static str, value: String| {
        headers.insert(name, HeaderValue::try_from(value).unwrap());
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    insert("lambda-runtime-aws-request-id", INVOCATIONS.fetch_add(1, Ordering::Relaxed).to_string());
    insert("lambda-runtime-deadline-ms", (now + 60_000).to_string());
    insert("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-west-1:123456789012:function:todo".to_owned());
    if let Some(header) = invocation.header {
        insert("lambda-runtime-trace-id", header);
    }
    (headers, invocation.event.to_string())
}

async fn answered(
    State(api): State<Arc<Api>>,
    Path((_, kind)): Path<(String, String)>,
    body: axum::body::Bytes,
) -> StatusCode {
    let documents = api.arrived();
    // The response of a function that streams is a text.
    let body = serde_json::from_slice(&body).unwrap_or_else(|_| String::from_utf8_lossy(&body).into());
    let _ = api.answers.send(Answer { is_error: kind == "error", body, documents });
    StatusCode::ACCEPTED
}

/// Creates an empty directory.
fn directory() -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);

    let name = format!("lambda-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    directory
}

impl Drop for Lambda {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}
