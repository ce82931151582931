//! The emitter that sends datagrams to the X-Ray daemon.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Once};
use std::thread;
use std::time::{Duration, Instant};

use tokio::net::{UdpSocket, lookup_host};

use super::Emitter;
use super::pace::Pace;
use super::queue::Queue;
use crate::document::Document;
use crate::document::split::Split;
use crate::stats::Counters;

/// What stands before each document. (Developer guide, "Sending segment documents to the X-Ray daemon".)
const DATAGRAM_HEADER: &[u8] = b"{\"format\":\"json\",\"version\":1}\n";

/// Sends each document as a datagram to the X-Ray daemon, from one background thread.
///
/// The thread starts with the first document and ends when the emitter is dropped and all is sent. Between the
/// two stands a queue of 16,384 documents; what finds it full is dropped and counted. A document over 63 KiB
/// leaves as several; one that is too large even so leaves its largest metadata behind. Where nobody listens, documents are lost, and counted as far as the system tells.
pub struct UdpEmitter {
    shared: Arc<Shared>,
    started: Once,
}

struct Shared {
    daemon_address: String,
    queue: Queue<Document>,
    counters: Arc<Counters>,
}

impl UdpEmitter {
    const QUEUE_CAPACITY: usize = 16_384;

    /// `daemon_address` is `host:port`; a host name is resolved by the background thread, again every minute.
    pub(crate) fn new(daemon_address: String, counters: Arc<Counters>) -> Self {
        let shared = Shared { daemon_address, queue: Queue::new(Self::QUEUE_CAPACITY), counters };
        Self { shared: Arc::new(shared), started: Once::new() }
    }

    fn start(&self) {
        let shared = Arc::clone(&self.shared);
        let started = thread::Builder::new().name("xray-emitter".to_owned()).spawn(move || shared.run());
        if let Err(error) = started {
            log::error!(target: "xray::emitter", "no thread to send segments from: {error}");
            self.shared.queue.close();
        }
    }
}

impl Emitter for UdpEmitter {
    fn emit(&self, document: Document) {
        self.started.call_once(|| self.start());
        if self.shared.queue.push(document).is_err() {
            self.shared.counters.documents_dropped.increment();
        }
    }

    fn flush(&self, limit: Duration) -> bool {
        self.shared.queue.wait_settled(limit)
    }
}

impl Drop for UdpEmitter {
    fn drop(&mut self) {
        self.shared.queue.close();
    }
}

impl Shared {
    fn run(&self) {
        match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime.block_on(self.send_all()),
            Err(error) => {
                log::error!(target: "xray::emitter", "no runtime to send segments from: {error}");
                self.queue.close();
            }
        }
    }

    async fn send_all(&self) {
        let mut daemon = Daemon::new(&self.daemon_address);
        let mut pace = Pace::new();
        let mut datagram = DATAGRAM_HEADER.to_vec();
        let mut next = self.queue.next(false).await;
        while let Some(document) = next {
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
            self.count_left_out(split.left_out);
            next = self.queue.next(true).await;
        }
    }

    fn count_left_out(&self, values: usize) {
        for _ in 0..values {
            if self.counters.values_rejected.increment() == 0 {
                log::warn!(
                    target: "xray::emitter",
                    "metadata is left out of a document too large for a datagram; further such values are only counted",
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
