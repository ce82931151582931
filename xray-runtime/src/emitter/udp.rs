//! The emitter that sends documents to the X-Ray daemon over UDP.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio::task::JoinSet;

use super::datagram::{self, DATAGRAM_HEADER};
use super::delivery::Delivery;
use super::direct::Direct;
use super::outage::{Outage, SendError, Sent};
use super::pace::Pace;
use super::queue::Queue;
use super::{Deliveries, Emitter, Subject, daemon_check};
use crate::record::FinishedSegment;
use crate::record::split::{Split, TooLarge};
use crate::support::background::Background;
use crate::support::log_line::{LoggedOnce, is_debug_read, log_line};
use crate::support::resolve::resolve;
use crate::support::stats::Counters;

/// An emitter that sends each document in a datagram to the X-Ray daemon, on the background thread of its recorder or,
/// [if asked](Self::sending_directly), on the thread that ends the segment.
///
/// Up to 16,384 documents with about 128 MiB of memory in total wait in a queue. If the queue is full, a document is
/// dropped and counted. A document over 63 KiB is split into several documents; see [`Split`]. If no daemon listens,
/// documents are lost, and counted if the operating system reports the refusal.
//
// One datagram a document and at most 63 KiB: the daemon reads one document from a datagram, in a buffer of 64 KiB, and
// X-Ray takes documents of up to 64 kB.
pub(crate) struct UdpEmitter {
    delivery: Delivery,
    /// Sends documents before they reach the queue of `delivery`.
    direct: Option<Direct>,
    sender: Arc<Sender>,
    counters: Arc<Counters>,
    /// For a document that found the queue full.
    logged_drop: LoggedOnce,
}

impl UdpEmitter {
    /// Creates an emitter that sends to `daemon_address`, which is `host:port`. A host name is resolved on the background
    /// thread, for the first document and then at most once a minute.
    ///
    /// `tcp_address` is the daemon's TCP side, which is checked once after the first document, or `None` for no check.
    pub(crate) fn new(
        background: Arc<Background>,
        daemon_address: String,
        tcp_address: Option<String>,
        counters: Arc<Counters>,
    ) -> Self {
        let sender = Arc::new(Sender::new(daemon_address, tcp_address, Arc::clone(&counters)));
        let background_sender = Arc::clone(&sender);
        let delivery = Delivery::new(background, move |queue| {
            let sender = Arc::clone(&background_sender);
            async move { sender.send_all(&queue).await }
        });
        Self { delivery, direct: None, sender, counters, logged_drop: LoggedOnce::new() }
    }

    /// Sends a document on the thread that ends the segment, where that needs no wait.
    pub(crate) fn sending_directly(self) -> Self {
        Self { direct: Some(Direct::new(&self.sender.daemon_address)), ..self }
    }
}

impl Emitter for UdpEmitter {
    fn emit(&self, segment: FinishedSegment) {
        let subject = is_debug_read().then(|| Subject::of(&segment));
        let Err(segment) = self.send_directly(segment) else {
            self.counters.documents_sent.increment();
            if let Some(subject) = subject {
                self.sender.log_fate(&subject, None);
            }
            return;
        };
        if !self.delivery.push(segment) {
            self.dropped(subject.as_ref());
        }
    }

    fn flush(&self, limit: Duration) -> bool {
        self.delivery.flush(limit)
    }

    fn attach(&self, deliveries: &Deliveries) {
        // The task counts in the counters that it was made with.
        let _ = deliveries.claim();
    }
}

impl UdpEmitter {
    /// Sends a document on this thread. Returns the document if it is for the queue.
    fn send_directly(&self, segment: FinishedSegment) -> Result<(), FinishedSegment> {
        match &self.direct {
            // A document must not overtake an earlier one of its segment, which may be in the queue.
            Some(direct) if !self.delivery.has_unfinished() => direct.send(segment),
            _ => Err(segment),
        }
    }

    /// Counts a document that the queue refused, and logs the first.
    #[cold]
    fn dropped(&self, subject: Option<&Subject>) {
        const REASON: &str = "the queue of documents is full: the thread that sends them is too slow or cannot start";
        self.counters.documents_dropped.increment();
        if let Some(subject) = subject {
            log_line!(Debug, "xray::segment", "{subject}: dropped because {REASON}");
        }
        if self.logged_drop.is_first() {
            log_line!(
                Warn,
                "xray::emitter",
                "dropped a document because {REASON}. Further ones are counted in `Stats::documents_dropped` (logged once)",
            );
        }
    }
}

/// The task on the background thread.
struct Sender {
    daemon_address: String,
    tcp_address: Option<String>,
    counters: Arc<Counters>,
    /// For a document that is too large.
    logged_too_large: LoggedOnce,
}

impl Sender {
    fn new(daemon_address: String, tcp_address: Option<String>, counters: Arc<Counters>) -> Self {
        Self { daemon_address, tcp_address, counters, logged_too_large: LoggedOnce::new() }
    }

    /// Sends documents until the queue is closed and empty.
    async fn send_all(&self, queue: &Queue) {
        let mut daemon = Daemon::new(&self.daemon_address);
        let mut outage = Outage::new(&self.daemon_address);
        let mut pace = Pace::new();
        // The check ends with this task: dropping the set stops it.
        let mut checks = JoinSet::new();
        // One buffer for all datagrams: the header stays, the document after it is replaced.
        let mut datagram = DATAGRAM_HEADER.to_vec();
        while let Some(segment) = queue.next().await {
            if let (Some(tcp), true) = (&self.tcp_address, checks.is_empty()) {
                checks.spawn(daemon_check::check(self.daemon_address.clone(), tcp.clone(), outage.flag()));
            }
            let subject = is_debug_read().then(|| Subject::of(&segment));
            let mut lost = None;
            let mut parts = Parts::new(&self.counters);
            let mut split = Split::new(segment);
            while let Some(written) = split.write_next(&mut datagram) {
                match written {
                    Ok(()) => {
                        pace.wait_for(datagram.len()).await;
                        let sent = daemon.send(&datagram).await;
                        parts.count(sent.is_ok());
                        outage.note(&sent, daemon.is_loopback());
                        if let (Err(error), Some(_)) = (sent, &subject) {
                            lost = Some(error.reason());
                        }
                    }
                    Err(document) => {
                        parts.count(false);
                        self.log_too_large(&document);
                        lost = subject.as_ref().map(|_| "it is too large for a datagram".to_owned());
                    }
                }
                datagram.truncate(DATAGRAM_HEADER.len());
            }
            parts.end();
            if let Some(subject) = subject {
                self.log_fate(&subject, lost);
            }
            self.count_trimmed(split.trimmed);
            // After each document, unlike `LinesEmitter`: a datagram is sent at once, nothing is buffered.
            queue.mark_finished();
        }
    }

    /// Logs a document that stays too large, once.
    fn log_too_large(&self, document: &TooLarge) {
        if self.logged_too_large.is_first() {
            log_line!(
                Warn,
                "xray::emitter",
                "dropped the document {:?}: with {} bytes it is too large for a datagram, even without its metadata and \
                 stack frames. Further ones are counted in `Stats::documents_dropped` (logged once)",
                document.name,
                document.bytes,
            );
        }
    }

    /// Logs at the level `Debug` what became of a document. `lost` is the reason if a part of it was not sent.
    fn log_fate(&self, subject: &Subject, lost: Option<String>) {
        let fate = match lost {
            Some(reason) => format!("dropped because it does not reach UDP {}: {reason}", self.daemon_address),
            None => format!("sent to UDP {}", self.daemon_address),
        };
        log_line!(Debug, "xray::segment", "{subject}: {fate}");
    }

    fn count_trimmed(&self, values: usize) {
        for _ in 0..values {
            if self.counters.values_rejected.increment() == 0 {
                log_line!(
                    Warn,
                    "xray::emitter",
                    "a document was too large for a datagram: shortened or left out a value, and marked the place (logged \
                     once, see `Stats::values_rejected`)",
                );
            }
        }
    }
}

/// The parts of one document, which are counted as documents. If the task dies before the last part, the rest of the
/// document counts as dropped.
//
// The recorder has counted one document, which is the first part. Each further part is counted here.
struct Parts<'a> {
    counters: &'a Counters,
    has_counted: bool,
    has_ended: bool,
}

impl<'a> Parts<'a> {
    fn new(counters: &'a Counters) -> Self {
        Self { counters, has_counted: false, has_ended: false }
    }

    /// Counts a part as sent or as dropped.
    fn count(&mut self, is_sent: bool) {
        if std::mem::replace(&mut self.has_counted, true) {
            self.counters.documents_emitted.increment();
        }
        if is_sent { &self.counters.documents_sent } else { &self.counters.documents_dropped }.increment();
    }

    /// Notes that all parts were counted.
    fn end(mut self) {
        self.has_ended = true;
    }
}

impl Drop for Parts<'_> {
    fn drop(&mut self) {
        if !self.has_ended {
            self.count(false);
        }
    }
}

/// The daemon's address and a socket connected to it.
struct Daemon<'a> {
    address: &'a str,
    socket: Option<UdpSocket>,
    /// When the address was last resolved, with or without success.
    resolved: Option<Instant>,
    /// `true` if the last attempt could not resolve the name.
    is_unresolved: bool,
    /// The attempt that renews the socket, while documents leave through the old one.
    renewal: JoinSet<Result<UdpSocket, SendError>>,
}

impl<'a> Daemon<'a> {
    /// A daemon that runs as a side-car may have another address after a restart.
    const RESOLVE_EVERY: Duration = Duration::from_secs(60);
    /// The pause between attempts as long as the name does not resolve: a look-up for each document would load the name
    /// server.
    const RETRY_EVERY: Duration = Duration::from_secs(1);

    fn new(address: &'a str) -> Self {
        Self { address, socket: None, resolved: None, is_unresolved: false, renewal: JoinSet::new() }
    }

    /// Sends a datagram. Returns an error if the system reported that the daemon's port refused it.
    async fn send(&mut self, datagram: &[u8]) -> Result<Sent, SendError> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::ConnectionRefused => SendError::Refused,
            _ => SendError::Failed(error),
        };
        let socket = self.socket().await?;
        let mut was_earlier_refused = false;
        match socket.send(datagram).await {
            // On a connected socket the kernel reports a refusal (ICMP "port unreachable") at the next operation. So
            // this error is of an earlier datagram, and this one was not sent: send it again.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                was_earlier_refused = true;
                socket.send(datagram).await.map_err(failed)?
            }
            sent => sent.map_err(failed)?,
        };
        // Over the loopback interface the refusal of this datagram is already here, and can be counted to it.
        match socket.take_error().map_err(failed)? {
            Some(error) => Err(failed(error)),
            None => Ok(Sent { was_earlier_refused }),
        }
    }

    /// Returns whether the daemon is on this host.
    fn is_loopback(&self) -> bool {
        let peer = self.socket.as_ref().and_then(|socket| socket.peer_addr().ok());
        peer.is_some_and(|peer| peer.ip().is_loopback())
    }

    /// Returns the socket, resolving the address and connecting if that is due.
    ///
    /// Waits for the first socket: until then the documents wait in the queue. Later ones are made beside, because a name
    /// server may take long to answer.
    async fn socket(&mut self) -> Result<&UdpSocket, SendError> {
        // A renewal that failed keeps the old socket: a name server that is away for a minute does not mean that the
        // daemon is.
        if let Some(Ok(Ok(socket))) = self.renewal.try_join_next() {
            self.socket = Some(socket);
        }
        let age = self.resolved.map(|resolved| resolved.elapsed());
        let is_due =
            age.is_none_or(|age| age >= if self.socket.is_some() { Self::RESOLVE_EVERY } else { Self::RETRY_EVERY });
        if is_due && self.renewal.is_empty() {
            self.resolved = Some(Instant::now());
            if self.socket.is_some() {
                self.renewal.spawn(connect(self.address.to_owned()));
            } else {
                match connect(self.address.to_owned()).await {
                    Ok(socket) => self.socket = Some(socket),
                    Err(error) => {
                        self.is_unresolved = matches!(error, SendError::Unresolved(_));
                        return Err(error);
                    }
                }
            }
        }
        let is_unresolved = self.is_unresolved;
        self.socket.as_ref().ok_or_else(|| {
            let error = io::ErrorKind::AddrNotAvailable.into();
            if is_unresolved { SendError::Unresolved(error) } else { SendError::Failed(error) }
        })
    }
}

/// Resolves the address and connects to the first result that accepts a socket.
async fn connect(address: String) -> Result<UdpSocket, SendError> {
    let mut last_error = SendError::Unresolved(io::ErrorKind::AddrNotAvailable.into());
    for address in resolve(&address).await.map_err(SendError::Unresolved)? {
        match connect_to(address) {
            Ok(socket) => return Ok(socket),
            Err(error) => last_error = SendError::Failed(error),
        }
    }
    Err(last_error)
}

fn connect_to(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = datagram::connect(address)?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[tokio::test]
    async fn a_host_name_is_not_resolved_for_each_datagram() {
        let listener = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = format!("localhost:{}", listener.local_addr().unwrap().port());
        let mut daemon = Daemon::new(&address);
        let mut resolved = Vec::new();
        for _ in 0..3 {
            daemon.socket().await.unwrap();
            resolved.push(daemon.resolved);
        }
        assert!(resolved[0].is_some() && resolved.iter().all(|at| *at == resolved[0]));
        // A minute later the name is resolved again, and documents leave through the old socket meanwhile.
        let local = daemon.socket().await.unwrap().local_addr().unwrap();
        daemon.resolved = resolved[0].and_then(|at| at.checked_sub(Daemon::RESOLVE_EVERY));
        assert_eq!(daemon.socket().await.unwrap().local_addr().unwrap(), local);
        assert!(daemon.resolved > resolved[0] && daemon.renewal.len() == 1);
        while daemon.socket().await.unwrap().local_addr().unwrap() == local {
            tokio::task::yield_now().await;
        }
        assert!(daemon.renewal.is_empty());
    }

    /// The look-up that renews the socket gives no answer, and another one is due.
    #[tokio::test]
    async fn documents_leave_while_a_look_up_hangs() {
        let listener = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut daemon = Daemon::new(&address);
        daemon.send(b"first").await.unwrap();
        daemon.renewal.spawn(std::future::pending());
        daemon.resolved = Instant::now().checked_sub(Daemon::RESOLVE_EVERY);
        daemon.send(b"second").await.unwrap();
        for expected in [&b"first"[..], b"second"] {
            let mut datagram = [0; 10];
            let length = listener.recv(&mut datagram).await.unwrap();
            assert_eq!(&datagram[..length], expected);
        }
        assert_eq!(daemon.renewal.len(), 1, "one look-up at a time");
    }

    #[test]
    fn every_part_of_a_document_counts_once_even_if_the_task_dies() {
        let counts = |count: fn(Parts<'_>)| {
            let counters = Counters::default();
            counters.documents_emitted.increment();
            count(Parts::new(&counters));
            let stats = counters.snapshot();
            [stats.documents_emitted, stats.documents_sent, stats.documents_dropped]
        };
        assert_eq!(counts(|parts| drop(parts)), [1, 0, 1]);
        assert_eq!(counts(|mut parts| parts.count(true)), [2, 1, 1], "the rest is lost");
        let all = |mut parts: Parts<'_>| {
            for is_sent in [true, false, true] {
                parts.count(is_sent);
            }
            parts.end();
        };
        assert_eq!(counts(all), [3, 2, 1]);
    }
}
