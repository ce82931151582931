//! Checks whether documents can reach the daemon, for the start of a program and for tests.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::client_features::clients_built_in;
use super::environment::unread_variables;
use super::settings::SettingText;
use super::{DaemonAddress, Recorder};
use crate::document::AnnotationValue;
use crate::emitter::datagram::{self, DATAGRAM_HEADER};
use crate::id::{SegmentId, TraceId};
use crate::record::{FinishedSegment, Label, Place, Record, Time};
use crate::sampling::check_rules;
use crate::support::resolve::resolve_blocking;
use crate::support::stats::Stats;

/// The limit on the time of the attempts, and on the time of the flush of the program's emitter.
const LIMIT: Duration = Duration::from_secs(2);
/// The time that each attempt leaves at the end of `LIMIT`, so that its outcome can be reported.
const REPORT_TIME: Duration = Duration::from_millis(100);
/// How long to wait for a refusal, which takes a moment if it comes from another host.
const REFUSAL_WAIT: Duration = Duration::from_millis(300);

/// Checks the process-wide recorder: tries the daemon, sends one segment, and reports the settings.
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
///   propagate = XRay (default)
///   streaming_threshold = 100 (default)
///   streaming_threshold_bytes = 64512 (default)
///   in_progress_after = never (default)
///   clients = reqwest
///   UDP 127.0.0.1:2000: ok, no refusal
///   TCP 127.0.0.1:2000: ok, sampling rules fetched
///   sent a segment of trace 1-6b031e14-9bc0c4e9a7c3750d6dec2af9: look for it in X-Ray or xray-local
///   segments of the program so far: 12 sampled, 230 not sampled
/// ```
#[must_use = "the report says what is wrong"]
pub fn doctor() -> Diagnosis {
    Recorder::global().check()
}

/// The report of [`doctor`] and [`Recorder::check`]. Its `Display` has a line for each reported setting and each
/// attempt.
///
/// ```
/// let recorder = xray::Recorder::builder().enabled(false).build();
/// let diagnosis = recorder.check();
/// assert!(diagnosis.to_string().contains("enabled = false (code)"));
/// assert_eq!(diagnosis.trace_id(), None);
/// ```
#[derive(Debug, Clone)]
pub struct Diagnosis {
    settings: Vec<SettingText>,
    /// The settings that were ignored or altered.
    rejected: Vec<String>,
    /// The `AWS_XRAY_*` variables that are set but not read.
    unread: Vec<String>,
    attempts: Vec<Attempt>,
    trace_id: Option<TraceId>,
    /// The numbers of the recorder's segments that are sampled and that are not.
    segments: [u64; 2],
}

impl Diagnosis {
    /// Returns whether tracing is enabled, every setting is valid, and no attempt failed.
    ///
    /// If the recorder sends to the daemon and has the sampler [`Central`](crate::sampling::Central), the daemon must
    /// also return the sampling rules. If the daemon answers over TCP, it has most likely received the segment. That is
    /// not a proof: UDP has no receipt, and X-Ray may reject the segment. The proof is the trace in X-Ray.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        let works = !self.attempts.is_empty() && self.attempts.iter().all(|attempt| attempt.result.is_ok());
        works && self.rejected.is_empty()
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
        for rejected in &self.rejected {
            write!(formatter, "\n  REJECTED: {rejected}")?;
        }
        for variable in &self.unread {
            write!(formatter, "\n  not read: {variable}")?;
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
                write!(formatter, "\n  sent a segment of trace {trace}: look for it in X-Ray or xray-local")?;
            }
            None => formatter.write_str("\n  sent no segment")?,
        }
        let [sampled, unsampled] = self.segments;
        write!(formatter, "\n  segments of the program so far: {sampled} sampled, {unsampled} not sampled")?;
        if sampled == 0 && unsampled > 0 {
            formatter.write_str(". The log names the reason for each at the level `debug`")?;
        }
        Ok(())
    }
}

/// An attempt to reach something, and its outcome or the problem.
#[derive(Debug, Clone)]
struct Attempt {
    what: String,
    result: Result<&'static str, String>,
}

impl Recorder {
    /// Checks this recorder: tries the daemon over UDP and TCP, sends one segment, and reports the settings with their
    /// sources. Use it at the start of a program, or in a test of its deployment. Blocks for at most two seconds, or
    /// four if the recorder has an emitter of its own.
    ///
    /// The segment has the service's name and the annotation `xray_doctor`. The sampler is not asked, and X-Ray bills
    /// the segment like any other trace. If tracing is disabled, nothing is tried and nothing is sent. In Lambda no
    /// segment is sent, because Lambda sends the segment of a function itself. If the recorder has an
    /// [emitter](crate::RecorderBuilder::emitter) of its own, that emitter receives the segment, and the daemon is not
    /// tried.
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
        let Stats { segments_sampled, segments_unsampled, .. } = self.stats();
        let mut diagnosis = Diagnosis {
            settings: settings.texts(self.http_rules()),
            rejected: settings.rejected.clone(),
            unread: unread_variables(),
            attempts: Vec::new(),
            trace_id: None,
            segments: [segments_sampled, segments_unsampled],
        };
        if !self.is_enabled() {
            return diagnosis;
        }
        let segment = (!self.is_in_lambda()).then(|| self.test_segment());
        let trace_id = segment.as_ref().and_then(FinishedSegment::trace_id);
        if let Some(emitter) = settings.emitter.value {
            let dropped = self.stats().documents_dropped;
            if let Some(segment) = segment {
                self.emit([segment]);
            }
            let result = match self.flush(LIMIT) {
                true if self.stats().documents_dropped > dropped => {
                    Err("dropped a document; the log says why".to_owned())
                }
                true => Ok("flushed"),
                false => Err(format!("not flushed within {LIMIT:?}; the log says why{}", self.why_not_flushed())),
            };
            diagnosis.trace_id = trace_id.filter(|_| result.is_ok());
            diagnosis.attempts.push(Attempt { what: format!("emitter {emitter}"), result });
            return diagnosis;
        }
        let datagram = segment.as_ref().map(datagram);
        let is_sent = datagram.is_some();
        diagnosis.attempts = try_daemon(&settings.daemon_address.value, datagram, settings.is_central);
        let udp_works = diagnosis.attempts.first().is_some_and(|attempt| attempt.result.is_ok());
        if is_sent {
            let counters = &self.shared.counters;
            counters.documents_emitted.increment();
            if udp_works { &counters.documents_sent } else { &counters.documents_dropped }.increment();
        }
        diagnosis.trace_id = trace_id.filter(|_| udp_works);
        diagnosis
    }

    /// Returns why the endpoint of an `OtlpEmitter` cannot be reached, as a suffix for the message; empty if it can.
    fn why_not_flushed(&self) -> String {
        let endpoint = self.shared.settings.emitter_endpoint.as_deref().unwrap_or_default();
        let authority = endpoint.strip_prefix("http://").and_then(|rest| rest.split(['/', '?']).next());
        let Some(address) = authority.map(str::to_owned) else { return String::new() };
        let deadline = Instant::now() + LIMIT;
        let result = on_thread(move || try_tcp(&address, deadline))(deadline);
        result.err().map_or_else(String::new, |problem| format!(": {problem}"))
    }

    fn test_segment(&self) -> FinishedSegment {
        let now = Time::from_seconds(std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs_f64());
        let name = Label::named(&self.shared.settings.service_name.value);
        let mut record = Record::new(SegmentId::random(), name, now);
        record.end = Some(now);
        record.place = Some(Place::of_segment(TraceId::random(), None));
        record.details_mut().annotations.insert("xray_doctor".to_owned(), AnnotationValue::from(true));
        FinishedSegment::new(record)
    }
}

/// Returns the datagram of a segment.
fn datagram(segment: &FinishedSegment) -> Vec<u8> {
    let mut datagram = DATAGRAM_HEADER.to_vec();
    segment.write_json(&mut datagram);
    datagram
}

/// Tries both sides of the daemon at once, each on a thread of its own. Sends `datagram` over UDP, and fetches the
/// sampling rules over TCP if `fetches_rules` is set.
//
// On threads, because a name look-up of the standard library has no time limit. A thread whose look-up takes longer
// than the limit is not waited for, and ends by itself.
fn try_daemon(daemon: &DaemonAddress, datagram: Option<Vec<u8>>, fetches_rules: bool) -> Vec<Attempt> {
    let deadline = Instant::now() + LIMIT;
    let (udp, tcp) = (daemon.udp.clone(), daemon.tcp.clone());
    let udp_result = on_thread(move || try_udp(&udp, datagram.as_deref()));
    let tcp_result = on_thread(move || if fetches_rules { try_rules(&tcp) } else { try_tcp(&tcp, deadline) });
    vec![
        Attempt { what: format!("UDP {}", daemon.udp), result: udp_result(deadline) },
        Attempt { what: format!("TCP {}", daemon.tcp), result: tcp_result(deadline) },
    ]
}

type Outcome = Result<&'static str, String>;

/// Runs a closure on a thread. Returns a function that waits for the outcome.
fn on_thread(attempt: impl FnOnce() -> Outcome + Send + 'static) -> impl FnOnce(Instant) -> Outcome {
    let (sender, outcome) = channel();
    let thread = thread::Builder::new().name("xray-doctor".to_owned());
    // Sending fails if the caller has stopped waiting, and then nobody needs the outcome.
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
    resolve_blocking(address).map_err(|error| format!("the name does not resolve: {error}"))
}

fn try_udp(address: &str, datagram: Option<&[u8]>) -> Outcome {
    let refused = || "the host refuses the datagram, so no daemon listens on the port".to_owned();
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

/// Sends a datagram, and returns an error if the port refuses it. To see a refusal, it reads from the socket for a
/// moment. Any other result of that read is fine: the daemon never answers over UDP.
fn send(address: SocketAddr, datagram: &[u8]) -> io::Result<()> {
    let socket = datagram::connect(address)?;
    socket.send(datagram)?;
    socket.set_read_timeout(Some(REFUSAL_WAIT))?;
    match socket.recv(&mut [0]) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Err(error),
        _ => Ok(()),
    }
}

/// Fetches the sampling rules, within a time that leaves some for the report.
fn try_rules(address: &str) -> Outcome {
    let rules = check_rules(address, LIMIT.saturating_sub(REPORT_TIME));
    rules.map(|()| "sampling rules fetched").map_err(|error| format!("no sampling rules: {error}"))
}

fn try_tcp(address: &str, deadline: Instant) -> Outcome {
    let mut problem = String::new();
    for address in resolve(address)? {
        // `connect_timeout` returns an error if the limit is zero.
        let limit = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        match TcpStream::connect_timeout(&address, limit) {
            Ok(_) => return Ok("connected"),
            Err(error) => problem = error.to_string(),
        }
    }
    Err(problem)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener, UdpSocket};

    use super::*;
    use crate::emitter::OtlpEmitter;
    use crate::sampling::Never;

    #[test]
    fn a_port_that_refuses_the_datagram_is_told_from_other_failures() {
        // The port is free again at the end of this statement.
        let address = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().to_string();
        let recorder = Recorder::builder().sampler(Never).daemon_address(&address).build();
        let diagnosis = recorder.check();
        let text = diagnosis.to_string();
        let line = format!(
            "\n  UDP {address}: FAILED, the host refuses the datagram, so no daemon listens on the port\n  TCP {address}: FAILED"
        );
        assert!(text.contains(&line) && text.contains("\n  sent no segment\n"), "{text}");
        assert!(diagnosis.trace_id().is_none() && !diagnosis.is_healthy());
        assert_eq!((recorder.stats().documents_dropped, recorder.stats().documents_sent), (1, 0));

        let too_long = try_udp(&address, Some(&vec![0; 100_000])).unwrap_err();
        assert!(!too_long.is_empty() && !too_long.contains("refuses"), "{too_long}");
    }

    #[test]
    fn the_report_says_where_the_reason_is_if_no_segment_was_sampled() {
        let mut diagnosis = Recorder::builder().enabled(false).build().check();
        for (segments, has_hint) in [([0, 0], false), ([0, 1], true), ([1, 1], false), ([1, 0], false)] {
            diagnosis.segments = segments;
            let text = diagnosis.to_string();
            let [sampled, unsampled] = segments;
            assert!(text.contains(&format!(": {sampled} sampled, {unsampled} not sampled")), "{text}");
            assert_eq!(text.ends_with(". The log names the reason for each at the level `debug`"), has_hint, "{text}");
        }
    }

    #[test]
    fn an_endpoint_that_cannot_be_reached_is_why_an_emitter_is_not_flushed() {
        let why = |endpoint: &str| {
            let emitter = OtlpEmitter::builder().endpoint(endpoint).build().unwrap();
            Recorder::builder().emitter(emitter).build().why_not_flushed()
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        assert_eq!(why(&format!("http://{address}/path")), "");
        drop(listener);
        let refused = why(&format!("http://{address}"));
        assert!(refused.starts_with(": ") && refused.contains("refused"), "{refused}");
    }
}
