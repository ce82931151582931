//! The emitter that sends documents to the X-Ray daemon over UDP.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::{UdpSocket, lookup_host};

use super::Emitter;
use super::delivery::Delivery;
use super::pace::Pace;
use super::queue::Queue;
use crate::document::Document;
use crate::document::split::Split;
use crate::support::background::Background;
use crate::support::stats::Counters;

/// The header before each document. (Developer guide, "Sending segment documents to the X-Ray daemon".)
const DATAGRAM_HEADER: &[u8] = b"{\"format\":\"json\",\"version\":1}\n";

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
}

impl UdpEmitter {
    /// Creates an emitter that sends to `daemon_address`, which is `host:port`. A host name is resolved on the background
    /// thread, for the first document and then at most once a minute.
    pub(crate) fn new(background: Arc<Background>, daemon_address: String, counters: Arc<Counters>) -> Self {
        let sender = Sender { daemon_address, counters: Arc::clone(&counters) };
        let delivery = Delivery::new(background, |queue| async move { sender.send_all(&queue).await });
        Self { delivery, counters }
    }
}

impl Emitter for UdpEmitter {
    fn emit(&self, document: Document) {
        if !self.delivery.push(document) {
            self.counters.documents_dropped.increment();
        }
    }

    fn flush(&self, limit: Duration) -> bool {
        self.delivery.flush(limit)
    }
}

/// The task on the background thread.
struct Sender {
    daemon_address: String,
    counters: Arc<Counters>,
}

impl Sender {
    /// Sends documents until the queue is closed and empty.
    async fn send_all(&self, queue: &Queue) {
        let mut daemon = Daemon::new(&self.daemon_address);
        let mut pace = Pace::new();
        // One buffer for all datagrams: the header stays, the document after it is replaced.
        let mut datagram = DATAGRAM_HEADER.to_vec();
        while let Some(document) = queue.next().await {
            let mut split = Split::new(document);
            while let Some(written) = split.write_next(&mut datagram) {
                match written {
                    Ok(()) => {
                        pace.wait_for(datagram.len()).await;
                        self.count(daemon.send(&datagram).await);
                    }
                    Err(document) => {
                        log::warn!(
                            target: "xray::emitter",
                            "dropped the document {:?}: with {} bytes it is too large for a datagram, even without its \
                             metadata and stack frames",
                            document.name,
                            document.bytes,
                        );
                        self.counters.documents_dropped.increment();
                    }
                }
                datagram.truncate(DATAGRAM_HEADER.len());
            }
            self.count_trimmed(split.trimmed);
            // After each document, unlike `LinesEmitter`: a datagram is sent at once, nothing is buffered.
            queue.mark_finished();
        }
    }

    fn count_trimmed(&self, values: usize) {
        for _ in 0..values {
            if self.counters.values_rejected.increment() == 0 {
                log::warn!(
                    target: "xray::emitter",
                    "a document was too large for a datagram: shortened or left out a value, and marked the place (logged \
                     once, see `Stats::values_rejected`)",
                );
            }
        }
    }

    /// Counts a datagram as sent or dropped.
    //
    // Dropped documents are logged at `debug` only. A program without a daemon, such as one on a developer's machine, is
    // not an error, and a warning for each document would fill its log.
    fn count(&self, sent: io::Result<()>) {
        match sent {
            Ok(()) => self.counters.documents_sent.increment(),
            Err(error) => {
                log::debug!(
                    target: "xray::emitter",
                    "dropped a document: could not send it to the X-Ray daemon at {}: {error}",
                    self.daemon_address,
                );
                self.counters.documents_dropped.increment()
            }
        };
    }
}

/// The daemon's address and a socket connected to it.
struct Daemon<'a> {
    address: &'a str,
    socket: Option<UdpSocket>,
    /// When the address was last resolved, with or without success.
    resolved: Option<Instant>,
}

impl<'a> Daemon<'a> {
    /// A daemon that runs as a side-car may have another address after a restart.
    const RESOLVE_EVERY: Duration = Duration::from_secs(60);
    /// The pause between attempts as long as the name does not resolve: a look-up for each document would load the name
    /// server.
    const RETRY_EVERY: Duration = Duration::from_secs(1);

    fn new(address: &'a str) -> Self {
        Self { address, socket: None, resolved: None }
    }

    /// Sends a datagram. Returns an error if the system reported that the daemon's port refused it.
    async fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        let socket = self.socket().await?;
        match socket.send(datagram).await {
            // On a connected socket the kernel reports a refusal (ICMP "port unreachable") at the next operation. So
            // this error is of an earlier datagram, and this one was not sent: send it again.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => socket.send(datagram).await?,
            sent => sent?,
        };
        // Over the loopback interface the refusal of this datagram is already here, and can be counted to it.
        socket.take_error()?.map_or(Ok(()), Err)
    }

    /// Returns the socket, resolving the address and connecting if that is due.
    async fn socket(&mut self) -> io::Result<&UdpSocket> {
        let age = self.resolved.map(|resolved| resolved.elapsed());
        let is_due =
            age.is_none_or(|age| age >= if self.socket.is_some() { Self::RESOLVE_EVERY } else { Self::RETRY_EVERY });
        if is_due {
            self.resolved = Some(Instant::now());
            match self.connect().await {
                Ok(socket) => self.socket = Some(socket),
                Err(error) if self.socket.is_none() => return Err(error),
                // Keeps the old socket: a name server that is away for a minute does not mean that the daemon is.
                Err(_) => {}
            }
        }
        self.socket.as_ref().ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
    }

    /// Resolves the address and connects to the first result that accepts a socket.
    //
    // Connected, because the system reports refusals only on a connected socket.
    async fn connect(&self) -> io::Result<UdpSocket> {
        let mut last_error = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in lookup_host(self.address).await? {
            match Self::connect_to(address).await {
                Ok(socket) => return Ok(socket),
                Err(error) => last_error = error,
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
