//! Receives documents over UDP in the X-Ray daemon's format: a header, a line feed, one document.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::forward::ForwardedDatagrams;
use crate::intake::Intake;

/// The most bytes in the queue of received datagrams. Datagrams beyond that are dropped and counted.
const MAX_QUEUED_BYTES: usize = 64 * 1024 * 1024;

/// The memory that a queued datagram takes in addition to its length, in bytes: its allocation and its place in the
/// queue.
const QUEUE_ENTRY_BYTES: usize = 64;

/// The size of the receive buffer, in bytes; no UDP datagram is larger.
const BUFFER_BYTES: usize = 65_536;

/// The most datagrams read after shutdown has begun. Without a bound, a sender that never stops would keep the thread
/// alive.
const MAX_DRAINED: usize = 100_000;

/// The socket's read timeout, and so the longest time until the receiving thread sees the shutdown flag.
const READ_TIMEOUT: Duration = Duration::from_secs(1);

/// Two threads that receive documents.
///
/// One thread only moves datagrams from the socket into a queue: the kernel's buffer is small, and overflows while
/// nobody reads it. The other thread takes the documents out of the queue and stores them.
#[derive(Debug)]
pub(crate) struct UdpReceiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    is_shutting_down: AtomicBool,
    queued_bytes: AtomicUsize,
    dropped: Arc<AtomicU64>,
}

impl UdpReceiver {
    /// Starts receiving from `socket`. `address` is an address at which `socket` can be reached. `dropped` counts the
    /// datagrams dropped because the queue is full. Every datagram is also sent to `forwarded`.
    pub(crate) fn start(
        socket: UdpSocket,
        address: SocketAddr,
        intake: Intake,
        dropped: Arc<AtomicU64>,
        forwarded: Option<ForwardedDatagrams>,
    ) -> io::Result<Self> {
        socket.set_read_timeout(Some(READ_TIMEOUT))?;
        let shared = Arc::new(Shared { dropped, ..Shared::default() });
        let (sender, receiver) = channel();
        let run = |name: &str, work: Box<dyn FnOnce() + Send>| thread::Builder::new().name(name.to_owned()).spawn(work);
        let (for_receiving, for_storing) = (Arc::clone(&shared), Arc::clone(&shared));
        let threads = vec![
            run(
                "xray-receive",
                Box::new(move || queue_datagrams(&socket, &sender, &for_receiving, forwarded.as_ref())),
            )?,
            run("xray-store", Box::new(move || store_datagrams(&receiver, &intake, &for_storing)))?,
        ];
        Ok(Self { address, shared, threads })
    }

    /// Returns how many datagrams were dropped because the queue was full.
    pub(crate) fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// Stops both threads after they have stored the datagrams that have arrived.
    pub(crate) fn stop(self) {
        self.shared.is_shutting_down.store(true, Ordering::Release);
        // An empty datagram wakes the receiving thread, which otherwise waits for its read timeout.
        let local = SocketAddr::new(self.address.ip(), 0);
        let _ = UdpSocket::bind(local).and_then(|socket| socket.send_to(&[], self.address));
        for thread in self.threads {
            let _ = thread.join();
        }
    }
}

/// Moves datagrams from the socket into the queue until shutdown.
fn queue_datagrams(
    socket: &UdpSocket,
    queue: &Sender<Box<[u8]>>,
    shared: &Shared,
    forwarded: Option<&ForwardedDatagrams>,
) {
    let (mut buffer, mut left) = (vec![0; BUFFER_BYTES], MAX_DRAINED);
    while left > 0 {
        let is_shutting_down = shared.is_shutting_down.load(Ordering::Acquire);
        left -= usize::from(is_shutting_down);
        // From now on only datagrams that have arrived are read. A read that waits would delay the shutdown.
        if is_shutting_down && socket.set_nonblocking(true).is_err() {
            return;
        }
        let length = match socket.recv(&mut buffer) {
            Ok(length @ 1..) => length,
            // Nothing left to read: the datagrams that arrived before the shutdown are in the queue.
            Err(_) if is_shutting_down => return,
            // An empty datagram, a read timeout, or an error that belongs to an earlier datagram. The next read may
            // succeed.
            _ => continue,
        };
        if let Some(forwarded) = forwarded {
            forwarded.send(&buffer[..length]);
        }
        let cost = length + QUEUE_ENTRY_BYTES;
        if shared.queued_bytes.fetch_add(cost, Ordering::Relaxed) + cost > MAX_QUEUED_BYTES {
            shared.queued_bytes.fetch_sub(cost, Ordering::Relaxed);
            shared.dropped.fetch_add(1, Ordering::Relaxed);
        } else if queue.send(buffer[..length].into()).is_err() {
            return;
        }
    }
}

/// Stores the queued datagrams until the other thread closes the queue.
fn store_datagrams(queue: &Receiver<Box<[u8]>>, intake: &Intake, shared: &Shared) {
    while let Ok(first) = queue.recv() {
        for datagram in std::iter::once(first).chain(queue.try_iter()) {
            shared.queued_bytes.fetch_sub(datagram.len() + QUEUE_ENTRY_BYTES, Ordering::Relaxed);
            intake.take_datagram(&datagram);
        }
        intake.flush();
    }
}
