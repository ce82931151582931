//! A stand-in for the daemon's side of central sampling, and a service that samples by its answers.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use xray::emitter::MemoryEmitter;
use xray::sampling::{Central, CentralBuilder, Decision, Sampler, SamplingRequest};
use xray::{Recorder, Segment, SegmentBuilder};

use crate::documents::checked;

/// A request as it reached the daemon.
#[derive(Debug, Clone)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The path: `/GetSamplingRules` or `/SamplingTargets`.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Value,
}

/// Answers a request.
type Answer = dyn FnMut(&Call) -> Response + Send;

/// A daemon that answers over HTTP. Dropping it stops it.
pub struct Daemon {
    /// The TCP address that the daemon listens on.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    running: Option<(oneshot::Sender<()>, thread::JoinHandle<()>)>,
}

/// The state that the daemon's thread and the test share.
struct Shared {
    calls: Mutex<Vec<Call>>,
    answer: Mutex<Box<Answer>>,
}

impl Daemon {
    /// Starts a daemon that answers each request with `answer`.
    pub fn start(answer: impl FnMut(&Call) -> Response + Send + 'static) -> Self {
        Self::on((Ipv4Addr::LOCALHOST, 0).into(), answer)
    }

    /// Starts a daemon with these rules and without quotas.
    pub fn with_rules(rules: &[Value]) -> Self {
        let rules = rules.to_vec();
        Self::start(move |call| match &*call.path {
            "/GetSamplingRules" => rules_answer(&rules, None),
            _ => targets_answer(&[]),
        })
    }

    /// Like [`Daemon::start`], at this address.
    pub fn on(address: SocketAddr, answer: impl FnMut(&Call) -> Response + Send + 'static) -> Self {
        let shared = Arc::new(Shared { calls: Mutex::default(), answer: Mutex::new(Box::new(answer)) });
        let router = Router::new().fallback(reply).with_state(Arc::clone(&shared));
        let (stop, stopped) = oneshot::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::bind(address).await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                tokio::select! {
                    served = axum::serve(listener, router) => served.unwrap(),
                    _ = stopped => {}
                }
            });
        });
        Self { address: told.recv().unwrap(), shared, running: Some((stop, thread)) }
    }

    /// Returns all requests so far.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.calls.lock().unwrap().clone()
    }

    /// Returns the number of requests with this path.
    pub fn count(&self, path: &str) -> usize {
        self.calls().iter().filter(|call| call.path == path).count()
    }

    /// Returns the statistics of all reports so far.
    pub fn reported(&self) -> Vec<Value> {
        let documents = |call: &Call| call.body["SamplingStatisticsDocuments"].as_array().cloned();
        self.calls().iter().filter_map(documents).flatten().collect()
    }

    /// Returns the sum of one count over all reports about a rule.
    pub fn total(&self, rule: &str, count: &str) -> u64 {
        self.reported()
            .iter()
            .filter(|document| document["RuleName"] == rule)
            .map(|of| of[count].as_u64().unwrap())
            .sum()
    }
}

impl fmt::Debug for Daemon {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Daemon").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            drop(stop);
            thread.join().unwrap();
        }
    }
}

async fn reply(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body = serde_json::from_slice(&body).unwrap();
    let call = Call { method, path: uri.path().to_owned(), headers, body };
    shared.calls.lock().unwrap().push(call.clone());
    let mut answer = shared.answer.lock().unwrap();
    answer(&call)
}

/// Returns a rule that samples every request to these paths.
pub fn rule(name: &str, priority: u32, path: &str) -> Value {
    json!({
        "RuleName": name, "RuleARN": format!("arn:aws:xray:eu-central-1:1:sampling-rule/{name}"), "ResourceARN": "*",
        "Priority": priority, "FixedRate": 1.0, "ReservoirSize": 0, "ServiceName": "*", "ServiceType": "*", "Host": "*",
        "HTTPMethod": "*", "URLPath": path, "Version": 1, "Attributes": {},
    })
}

/// Returns the rule with one value replaced.
pub fn with(mut rule: Value, key: &str, value: impl Into<Value>) -> Value {
    rule[key] = value.into();
    rule
}

/// Returns the answer to `/GetSamplingRules`. `next_token` names a further page.
pub fn rules_answer(rules: &[Value], next_token: Option<&str>) -> Response {
    let records: Vec<_> = rules
        .iter()
        .map(|rule| json!({ "CreatedAt": 0.0, "ModifiedAt": 1_795_339_362.0, "SamplingRule": rule }))
        .collect();
    json!({ "SamplingRuleRecords": records, "NextToken": next_token }).to_string().into_response()
}

/// Returns the answer to `/SamplingTargets`.
pub fn targets_answer(targets: &[Value]) -> Response {
    let modified = 1_495_339_362.0;
    json!({ "SamplingTargetDocuments": targets, "LastRuleModification": modified, "UnprocessedStatistics": [] })
        .to_string()
        .into_response()
}

/// Starts a daemon of bare sockets that calls `serve` with each connection.
pub fn bare_daemon(serve: impl Fn(TcpStream) + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let serve = serve.clone();
            thread::spawn(move || serve(connection.unwrap()));
        }
    });
    address
}

/// Answers any request with these bytes.
pub fn write(mut connection: TcpStream, bytes: &[u8]) {
    let _ = connection.read(&mut [0; 4096]);
    let _ = connection.write_all(bytes);
    // Waits until the other side has read. A reset, which closing could cause, would overtake the answer.
    let _ = connection.shutdown(std::net::Shutdown::Write);
    let _ = connection.read(&mut [0; 4096]);
}

/// The name of the rule by which [`Fallback`] samples.
pub const FALLBACK: &str = "the fallback";

/// The sampler that decides while there are no rules. It samples everything.
#[derive(Debug)]
pub struct Fallback;

impl Sampler for Fallback {
    fn sample(&self, _: &SamplingRequest<'_>) -> Decision {
        Decision::sampled().by_rule(FALLBACK)
    }
}

/// Returns a sampler that asks the daemon often, so that no test waits long.
pub fn eager() -> CentralBuilder {
    Central::builder().fallback(Fallback).report_every(Duration::from_millis(20))
}

/// A service that samples by the answers of a daemon.
#[derive(Debug)]
pub struct Service {
    /// The recorder of the service.
    pub recorder: Recorder,
    emitter: MemoryEmitter,
}

impl Service {
    /// Creates a service with the sampler of [`eager`].
    pub fn new(daemon: SocketAddr) -> Self {
        Self::with(daemon, eager().build())
    }

    /// Creates a service with this sampler.
    pub fn with(daemon: SocketAddr, sampler: impl Sampler) -> Self {
        let emitter = MemoryEmitter::new();
        let address = format!("tcp:{daemon} udp:127.0.0.1:9");
        let recorder = Recorder::builder().daemon_address(address).sampler(sampler).emitter(emitter.clone());
        Self { recorder: recorder.build(), emitter }
    }

    /// Returns the rule by which a request for this path is recorded, or `None` if it is not recorded.
    pub fn rule(&self, path: &str) -> Option<String> {
        self.rule_of(Segment::builder("shop").request("GET", path))
    }

    /// Returns the rule by which this segment is recorded, or `None` if it is not recorded or no rule decided.
    pub fn rule_of(&self, segment: SegmentBuilder) -> Option<String> {
        segment.recorder(&self.recorder).begin().end();
        let document = checked(self.emitter.take()).pop()?;
        document.aws?.xray?.sampling_rule_name
    }

    /// Waits until a request for this path is recorded by a rule.
    pub fn wait_for(&self, path: &str, rule: &str) {
        until(&format!("{path} is recorded by {rule}"), || self.rule(path).as_deref() == Some(rule));
    }
}

/// Waits until the condition is true. `what` is for the message of the panic after a long wait.
#[track_caller]
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..4_000 {
        if condition() {
            return;
        }
        thread::sleep(Duration::from_millis(5));
    }
    panic!("after a long wait this is not true: {what}");
}
