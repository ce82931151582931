//! The emitter that sends documents to the X-Ray daemon over UDP.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::net::{UdpSocket, lookup_host};
use tokio::task::JoinSet;

use super::delivery::Delivery;
use super::outage::{Outage, SendError, Sent};
use super::pace::Pace;
use super::queue::Queue;
use super::{Emitter, Subject, daemon_check};
use crate::document::Document;
use crate::document::split::Split;
use crate::support::background::Background;
use crate::support::log_line::{is_debug_read, log_line};
use crate::support::stats::Counters;

/// The header before each document. (Developer guide, "Sending segment documents to the X-Ray daemon".)
pub(crate) const DATAGRAM_HEADER: &[u8] = b"{\"format\":\"json\",\"version\":1}\n";

/// An emitter that sends each document in a datagram to the X-Ray daemon, on the background thread of its recorder.
///
/// Up to 16,384 documents of together about 128 MiB of JSON wait in a queue. A document that finds the queue full is
/// dropped and counted. A document over 63 KiB is sent as several; see [`Split`]. If no daemon listens, documents are
/// lost, and counted if the operating system reports the refusal.
//
// One datagram a document and at most 63 KiB: the daemon reads one document from a datagram, in a buffer of 64 KiB, and
// X-Ray takes documents of up to 64 kB.
pub(crate) struct UdpEmitter {
    delivery: Delivery,
    counters: Arc<Counters>,
    /// Whether a document that found the queue full was logged.
    has_logged_drop: AtomicBool,
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
        let sender = Sender { daemon_address, tcp_address, counters: Arc::clone(&counters) };
        let delivery = Delivery::new(background, |queue| async move { sender.send_all(&queue).await });
        Self { delivery, counters, has_logged_drop: AtomicBool::new(false) }
    }
}

impl Emitter for UdpEmitter {
    fn emit(&self, document: Document) {
        let subject = is_debug_read("xray::segment").then(|| Subject::of(&document));
        if !self.delivery.push(document) {
            self.dropped(subject.as_ref());
        }
    }

    fn flush(&self, limit: Duration) -> bool {
        self.delivery.flush(limit)
    }
}

impl UdpEmitter {
    /// Counts a document that the queue refused, and logs the first.
    #[cold]
    fn dropped(&self, subject: Option<&Subject>) {
        const REASON: &str = "the queue of documents is full, or the thread that sends them has ended";
        self.counters.documents_dropped.increment();
        if let Some(subject) = subject {
            log_line!(Debug, "xray::segment", "{subject}: dropped because {REASON}");
        }
        if !self.has_logged_drop.swap(true, Ordering::Relaxed) {
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
}

impl Sender {
    /// Sends documents until the queue is closed and empty.
    async fn send_all(&self, queue: &Queue) {
        let mut daemon = Daemon::new(&self.daemon_address);
        let mut outage = Outage::new(&self.daemon_address);
        let mut pace = Pace::new();
        // The check ends with this task: dropping the set stops it.
        let mut checks = JoinSet::new();
        // One buffer for all datagrams: the header stays, the document after it is replaced.
        let mut datagram = DATAGRAM_HEADER.to_vec();
        while let Some(document) = queue.next().await {
            if let (Some(tcp), true) = (&self.tcp_address, checks.is_empty()) {
                checks.spawn(daemon_check::check(self.daemon_address.clone(), tcp.clone(), outage.flag()));
            }
            let subject = is_debug_read("xray::segment").then(|| Subject::of(&document));
            let mut lost = None;
            let mut split = Split::new(document);
            while let Some(written) = split.write_next(&mut datagram) {
                match written {
                    Ok(()) => {
                        pace.wait_for(datagram.len()).await;
                        let sent = daemon.send(&datagram).await;
                        self.count(&sent);
                        outage.note(&sent, daemon.is_loopback());
                        if let (Err(error), Some(_)) = (sent, &subject) {
                            lost = Some(error.reason());
                        }
                    }
                    Err(document) => {
                        log_line!(
                            Warn,
                            "xray::emitter",
                            "dropped the document {:?}: with {} bytes it is too large for a datagram, even without its \
                             metadata and stack frames",
                            document.name,
                            document.bytes,
                        );
                        lost = subject.as_ref().map(|_| "it is too large for a datagram".to_owned());
                        self.counters.documents_dropped.increment();
                    }
                }
                datagram.truncate(DATAGRAM_HEADER.len());
            }
            if let Some(subject) = subject {
                self.log_fate(&subject, lost);
            }
            self.count_trimmed(split.trimmed);
            // After each document, unlike `LinesEmitter`: a datagram is sent at once, nothing is buffered.
            queue.mark_finished();
        }
    }

    /// Logs at the level `Debug` what became of a document. `lost` is the reason if a part of it was not sent.
    fn log_fate(&self, subject: &Subject, lost: Option<String>) {
        match lost {
            Some(reason) => log_line!(
                Debug,
                "xray::segment",
                "{subject}: dropped because it does not reach UDP {}: {reason}",
                self.daemon_address,
            ),
            None => log_line!(Debug, "xray::segment", "{subject}: sent to UDP {}", self.daemon_address),
        }
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

    /// Counts a datagram as sent or dropped.
    fn count(&self, sent: &Result<Sent, SendError>) {
        match sent {
            Ok(_) => self.counters.documents_sent.increment(),
            Err(_) => self.counters.documents_dropped.increment(),
        };
    }
}

/// The daemon's address and a socket connected to it.
struct Daemon<'a> {
    address: &'a str,
    socket: Option<UdpSocket>,
    /// When the address was last resolved, with or without success.
    resolved: Option<Instant>,
    /// Whether the last attempt failed at the name.
    is_unresolved: bool,
}

impl<'a> Daemon<'a> {
    /// A daemon that runs as a side-car may have another address after a restart.
    const RESOLVE_EVERY: Duration = Duration::from_secs(60);
    /// The pause between attempts as long as the name does not resolve: a look-up for each document would load the name
    /// server.
    const RETRY_EVERY: Duration = Duration::from_secs(1);

    fn new(address: &'a str) -> Self {
        Self { address, socket: None, resolved: None, is_unresolved: false }
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
    async fn socket(&mut self) -> Result<&UdpSocket, SendError> {
        let age = self.resolved.map(|resolved| resolved.elapsed());
        let is_due =
            age.is_none_or(|age| age >= if self.socket.is_some() { Self::RESOLVE_EVERY } else { Self::RETRY_EVERY });
        if is_due {
            self.resolved = Some(Instant::now());
            match self.connect().await {
                Ok(socket) => self.socket = Some(socket),
                Err(error) if self.socket.is_none() => {
                    self.is_unresolved = matches!(error, SendError::Unresolved(_));
                    return Err(error);
                }
                // Keeps the old socket: a name server that is away for a minute does not mean that the daemon is.
                Err(_) => {}
            }
        }
        let is_unresolved = self.is_unresolved;
        self.socket.as_ref().ok_or_else(|| {
            let error = io::ErrorKind::AddrNotAvailable.into();
            if is_unresolved { SendError::Unresolved(error) } else { SendError::Failed(error) }
        })
    }

    /// Resolves the address and connects to the first result that accepts a socket.
    //
    // Connected, because the system reports refusals only on a connected socket.
    async fn connect(&self) -> Result<UdpSocket, SendError> {
        let mut last_error = SendError::Unresolved(io::ErrorKind::AddrNotAvailable.into());
        for address in lookup_host(self.address).await.map_err(SendError::Unresolved)? {
            match Self::connect_to(address).await {
                Ok(socket) => return Ok(socket),
                Err(error) => last_error = SendError::Failed(error),
            }
        }
        Err(last_error)
    }

    async fn connect_to(address: SocketAddr) -> io::Result<UdpSocket> {
        // A socket is of one address family. The local address must be of the daemon's.
        let any_port: SocketAddr = match address {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(any_port).await?;
        socket.connect(address).await?;
        Ok(socket)
    }
}

#[cfg(test)]
mod tests {
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
        // A minute later the name is resolved again.
        daemon.resolved = resolved[0].and_then(|at| at.checked_sub(Daemon::RESOLVE_EVERY));
        daemon.socket().await.unwrap();
        assert!(daemon.resolved > resolved[0]);
    }
}
