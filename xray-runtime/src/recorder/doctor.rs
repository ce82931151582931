//! The check of the way to the daemon, for the start of a program and for tests.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs as _, UdpSocket};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::settings::{Setting, clients_built_in};
use super::{DaemonAddress, Recorder};
use crate::document::{AnnotationValue, Document};
use crate::emitter::DATAGRAM_HEADER;
use crate::id::{SegmentId, TraceId};

/// The time that the whole check may take.
const LIMIT: Duration = Duration::from_secs(2);
/// How long a refusal from another host may take.
const REFUSAL: Duration = Duration::from_millis(300);

/// Checks the process-wide recorder: tries the daemon, sends one segment, and reports every setting.
///
/// Like [`Recorder::check`] of that recorder, which is built from the environment if there is none.
///
/// ```no_run
/// xray::Recorder::builder().service_name("todo-app").install()?;
/// let diagnosis = xray::doctor();
/// println!("{diagnosis}");
/// assert!(diagnosis.is_healthy());
/// # Ok::<(), xray::InstallError>(())
/// ```
///
/// The report looks like this:
///
/// ```text
/// xray 0.1.0
///   enabled = true (default)
///   service_name = todo-app (code)
///   daemon_address = udp:127.0.0.1:2000 tcp:127.0.0.1:2000 (default)
///   context_missing = LogError (default)
///   sampler = Central (default)
///   emitter = UDP (default)
///   clients = reqwest
///   UDP 127.0.0.1:2000: ok, no refusal
///   TCP 127.0.0.1:2000: ok, connected
///   sent a segment of trace 1-6b031e14-9bc0c4e9a7c3750d6dec2af9: look for it in X-Ray or xray-local
/// ```
#[must_use = "the report says what is wrong"]
pub fn doctor() -> Diagnosis {
    Recorder::global().check()
}

/// The report of [`doctor`] and [`Recorder::check`]. Its `Display` has a line for each setting and each attempt.
///
/// ```
/// let recorder = xray::Recorder::builder().enabled(false).build();
/// let diagnosis = recorder.check();
/// assert!(diagnosis.to_string().contains("enabled = false (code)"));
/// assert_eq!(diagnosis.trace_id(), None);
/// ```
#[derive(Debug, Clone)]
pub struct Diagnosis {
    settings: Vec<Setting>,
    attempts: Vec<Attempt>,
    trace_id: Option<TraceId>,
}

impl Diagnosis {
    /// Returns whether tracing is enabled and no attempt failed.
    ///
    /// A daemon that answers over TCP has most likely received the segment, but UDP has no receipt, and X-Ray may still
    /// reject it: only the trace in X-Ray is a proof.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        !self.attempts.is_empty() && self.attempts.iter().all(|attempt| attempt.result.is_ok())
    }

    /// Returns the trace of the segment that was sent; `None` if none was sent.
    #[must_use]
    pub fn trace_id(&self) -> Option<TraceId> {
        self.trace_id
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "xray {}", env!("CARGO_PKG_VERSION"))?;
        for setting in &self.settings {
            write!(formatter, "\n  {setting}")?;
        }
        write!(formatter, "\n  clients = {}", clients_built_in())?;
        for Attempt { what, result } in &self.attempts {
            match result {
                Ok(outcome) => write!(formatter, "\n  {what}: ok, {outcome}")?,
                Err(problem) => write!(formatter, "\n  {what}: FAILED, {problem}")?,
            }
        }
        match self.trace_id {
            Some(trace) => {
                write!(formatter, "\n  sent a segment of trace {trace}: look for it in X-Ray or xray-local")
            }
            None => formatter.write_str("\n  sent no segment"),
        }
    }
}

/// An attempt to reach something, and its outcome or the problem.
#[derive(Debug, Clone)]
struct Attempt {
    what: String,
    result: Result<&'static str, String>,
}

impl Recorder {
    /// Checks this recorder: tries the daemon over UDP and TCP, sends one segment, and reports every setting with its
    /// source. For the start of a program, or a test of its deployment. Blocks for at most about two seconds.
    ///
    /// The segment has the service's name and the annotation `xray_doctor`. It is sent whatever the sampler decides, and
    /// X-Ray bills it as any other trace. Nothing is sent and tried with tracing disabled. In Lambda no segment is sent, as
    /// a function sends none. With another [emitter](crate::RecorderBuilder::emitter) than the default, that emitter gets
    /// the segment, and the daemon is not tried.
    ///
    /// ```
    /// use xray::emitter::MemoryEmitter;
    ///
    /// let emitter = MemoryEmitter::new();
    /// let recorder = xray::Recorder::builder().service_name("todo-app").emitter(emitter.clone()).build();
    /// let diagnosis = recorder.check();
    /// assert!(diagnosis.is_healthy(), "{diagnosis}");
    /// assert_eq!(emitter.take()[0].trace_id, diagnosis.trace_id());
    /// ```
    #[must_use = "the report says what is wrong"]
    pub fn check(&self) -> Diagnosis {
        let settings = &self.shared.settings;
        let mut diagnosis = Diagnosis { settings: settings.list.clone(), attempts: Vec::new(), trace_id: None };
        if !self.is_enabled() {
            return diagnosis;
        }
        let document = (!self.is_in_lambda()).then(|| self.test_segment());
        let trace_id = document.as_ref().and_then(|document| document.trace_id);
        if let Some(emitter) = settings.emitter {
            if let Some(document) = document {
                self.emit(document);
            }
            let result = if self.flush(LIMIT) { Ok("flushed") } else { Err(format!("not flushed within {LIMIT:?}")) };
            diagnosis.attempts.push(Attempt { what: format!("emitter {emitter}"), result });
            diagnosis.trace_id = trace_id;
            return diagnosis;
        }
        let datagram = document.as_ref().and_then(datagram);
        let is_sent = datagram.is_some();
        diagnosis.attempts = try_daemon(&settings.daemon, datagram);
        let udp_works = diagnosis.attempts.first().is_some_and(|attempt| attempt.result.is_ok());
        diagnosis.trace_id = trace_id.filter(|_| is_sent && udp_works);
        diagnosis
    }

    fn test_segment(&self) -> Document {
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs_f64();
        let name = self.shared.new_segments.service_name.clone();
        let mut document = Document::new(SegmentId::random(), name, now);
        document.trace_id = Some(TraceId::random());
        document.end_time = Some(now);
        document.annotations.insert("xray_doctor".to_owned(), AnnotationValue::from(true));
        document
    }
}

/// Returns the datagram of a document.
fn datagram(document: &Document) -> Option<Vec<u8>> {
    let mut datagram = DATAGRAM_HEADER.to_vec();
    serde_json::to_writer(&mut datagram, document).ok()?;
    Some(datagram)
}

/// Tries both sides of the daemon at once, each on a thread of its own. Sends `datagram` over UDP.
//
// On threads, because the look-up of a name has no limit in the standard library. A thread whose look-up takes longer than
// the limit is left to end by itself.
fn try_daemon(daemon: &DaemonAddress, datagram: Option<Vec<u8>>) -> Vec<Attempt> {
    let deadline = Instant::now() + LIMIT;
    let (udp, tcp) = (daemon.udp.clone(), daemon.tcp.clone());
    let udp_result = run(move || try_udp(&udp, datagram.as_deref()));
    let tcp_result = run(move || try_tcp(&tcp, deadline));
    vec![
        Attempt { what: format!("UDP {}", daemon.udp), result: udp_result(deadline) },
        Attempt { what: format!("TCP {}", daemon.tcp), result: tcp_result(deadline) },
    ]
}

type Outcome = Result<&'static str, String>;

/// Runs a closure on a thread. Returns a function that waits for the outcome.
fn run(attempt: impl FnOnce() -> Outcome + Send + 'static) -> impl FnOnce(Instant) -> Outcome {
    let (sender, outcome) = channel();
    let thread = thread::Builder::new().name("xray-doctor".to_owned());
    // Fails if the caller has stopped waiting.
    let started = thread.spawn(move || drop(sender.send(attempt())));
    move |deadline| {
        started.map_err(|error| format!("could not start a thread: {error}"))?;
        match outcome.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(outcome) => outcome,
            Err(RecvTimeoutError::Timeout) => Err(format!("no answer within {LIMIT:?}")),
            Err(RecvTimeoutError::Disconnected) => Err("the attempt panicked".to_owned()),
        }
    }
}

fn resolve(address: &str) -> Result<Vec<SocketAddr>, String> {
    let found: Vec<_> =
        address.to_socket_addrs().map_err(|error| format!("the name does not resolve: {error}"))?.collect();
    if found.is_empty() { Err("the name does not resolve".to_owned()) } else { Ok(found) }
}

fn try_udp(address: &str, datagram: Option<&[u8]>) -> Outcome {
    let refused = || "the port is refused, so no daemon listens there".to_owned();
    let mut problem = String::new();
    for address in resolve(address)? {
        let Some(datagram) = datagram else { return Ok("the name resolves, and nothing is sent in Lambda") };
        match send(address, datagram) {
            Ok(()) => return Ok("no refusal"),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => problem = refused(),
            Err(error) => problem = error.to_string(),
        }
    }
    Err(problem)
}

/// Sends a datagram and waits for a refusal. Of the other results of a read, none is a failure: the daemon sends nothing.
fn send(address: SocketAddr, datagram: &[u8]) -> io::Result<()> {
    let any_port: SocketAddr = match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any_port)?;
    socket.connect(address)?;
    socket.send(datagram)?;
    socket.set_read_timeout(Some(REFUSAL))?;
    match socket.recv(&mut [0]) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Err(error),
        _ => Ok(()),
    }
}

fn try_tcp(address: &str, deadline: Instant) -> Outcome {
    let mut problem = String::new();
    for address in resolve(address)? {
        // A limit of zero is an error of the standard library.
        let limit = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        match TcpStream::connect_timeout(&address, limit) {
            Ok(_) => return Ok("connected"),
            Err(error) => problem = error.to_string(),
        }
    }
    Err(problem)
}
