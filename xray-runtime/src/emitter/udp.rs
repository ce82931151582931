//! The emitter that sends datagrams to the X-Ray daemon.

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

/// What stands before each document. (Developer guide, "Sending segment documents to the X-Ray daemon".)
const DATAGRAM_HEADER: &[u8] = b"{\"format\":\"json\",\"version\":1}\n";

/// Sends each document as a datagram to the X-Ray daemon, from the background thread of its recorder.
///
/// The thread starts with the first document at the latest, and ends when the recorder is dropped and all is sent. Before
/// it stands a queue of 16,384 documents and about 128 MiB; what finds it full is dropped and counted. A document over
/// 63 KiB leaves as several. One that is too large by itself loses its largest metadata, then stack frames, then the
/// middle of long strings; all of that is counted, and what is left out is marked in the document. Where nobody listens,
/// documents are lost, and counted as far as the system tells.
pub struct UdpEmitter {
    delivery: Delivery,
    counters: Arc<Counters>,
}

impl UdpEmitter {
    /// `daemon_address` is `host:port`; a host name is resolved in the background, again every minute.
    pub(crate) fn new(background: Arc<Background>, daemon_address: String, counters: Arc<Counters>) -> Self {
        let sender = Sender { daemon_address, counters: Arc::clone(&counters) };
        let delivery = Delivery::new(background, |queue| async move { sender.send_all(&queue).await });
        Self { delivery, counters }
    }
}

impl Emitter for UdpEmitter {
    fn emit(&self, document: Document) {
        if !self.delivery.take(document) {
            self.counters.documents_dropped.increment();
        }
    }

    fn flush(&self, limit: Duration) -> bool {
        self.delivery.flush(limit)
    }
}

/// What runs in the background.
struct Sender {
    daemon_address: String,
    counters: Arc<Counters>,
}

impl Sender {
    async fn send_all(&self, queue: &Queue) {
        let mut daemon = Daemon::new(&self.daemon_address);
        let mut pace = Pace::new();
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
                        log::warn!(target: "xray::emitter", "dropped {document:?}: too large for a datagram");
                        self.counters.documents_dropped.increment();
                    }
                }
                datagram.truncate(DATAGRAM_HEADER.len());
            }
            self.count_trimmed(split.trimmed);
            queue.settle();
        }
    }

    fn count_trimmed(&self, values: usize) {
        for _ in 0..values {
            if self.counters.values_rejected.increment() == 0 {
                log::warn!(
                    target: "xray::emitter",
                    "a value is cut or left out of a document too large for a datagram; further such values are only counted",
                );
            }
        }
    }

    fn count(&self, sent: io::Result<()>) {
        match sent {
            Ok(()) => self.counters.documents_sent.increment(),
            Err(error) => {
                log::debug!(target: "xray::emitter", "not sent to {}: {error}", self.daemon_address);
                self.counters.documents_dropped.increment()
            }
        };
    }
}

/// The daemon's address and the socket that goes there.
struct Daemon<'a> {
    address: &'a str,
    socket: Option<UdpSocket>,
    resolved: Option<Instant>,
}

impl<'a> Daemon<'a> {
    /// A side-car that restarts may come back under another address.
    const RESOLVE_EVERY: Duration = Duration::from_secs(60);
    /// No more look-ups than this while the name does not resolve.
    const RETRY_EVERY: Duration = Duration::from_secs(1);

    fn new(address: &'a str) -> Self {
        Self { address, socket: None, resolved: None }
    }

    async fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        let socket = self.socket().await?;
        match socket.send(datagram).await {
            // The refusal of an earlier datagram: this one has not left yet.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => socket.send(datagram).await?,
            sent => sent?,
        };
        // On loopback the refusal of this one is there already.
        socket.take_error()?.map_or(Ok(()), Err)
    }

    async fn socket(&mut self) -> io::Result<&UdpSocket> {
        let age = self.resolved.map(|resolved| resolved.elapsed());
        let is_due =
            age.is_none_or(|age| age >= if self.socket.is_some() { Self::RESOLVE_EVERY } else { Self::RETRY_EVERY });
        if is_due {
            self.resolved = Some(Instant::now());
            match self.connect().await {
                Ok(socket) => self.socket = Some(socket),
                // An address that served so far is better than none.
                Err(error) if self.socket.is_none() => return Err(error),
                Err(_) => {}
            }
        }
        self.socket.as_ref().ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
    }

    /// Connected, because only then the system tells of a refusal.
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
    async fn a_name_is_not_looked_up_for_each_datagram() {
        let listener = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = format!("localhost:{}", listener.local_addr().unwrap().port());
        let mut daemon = Daemon::new(&address);
        let mut looked_up = Vec::new();
        for _ in 0..3 {
            daemon.socket().await.unwrap();
            looked_up.push(daemon.resolved);
        }
        assert!(looked_up[0].is_some() && looked_up.iter().all(|at| *at == looked_up[0]));
        // A side-car may come back under another address.
        daemon.resolved = looked_up[0].and_then(|at| at.checked_sub(Daemon::RESOLVE_EVERY));
        daemon.socket().await.unwrap();
        assert!(daemon.resolved > looked_up[0]);
    }
}
