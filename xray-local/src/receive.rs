//! Documents by UDP, as the X-Ray daemon takes them: a header, a line feed, one document.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::intake::Intake;

/// What waits to be read; what comes when that is full is dropped, and counted.
const WAITING_BYTES: usize = 64 * 1024 * 1024;

/// What a datagram that waits costs beside its own length.
const OVERHEAD: usize = 64;

/// Larger than any datagram.
const BUFFER: usize = 65_536;

/// So many datagrams are read after the end at most: what had arrived before it, where more keep coming.
const LAST: usize = 100_000;

/// After so long at the latest the end is seen.
const PATIENCE: Duration = Duration::from_secs(1);

/// Two threads: one empties the socket and does nothing else, so that the kernel's small buffer does not overflow; the
/// other reads what the first has put into a queue.
#[derive(Debug)]
pub(crate) struct Receiving {
    address: SocketAddr,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    is_over: AtomicBool,
    waiting_bytes: AtomicUsize,
    dropped: Arc<AtomicU64>,
}

impl Receiving {
    /// Reads from a socket that can be sent to at `address`; counts in `dropped` the datagrams that find the queue full.
    pub(crate) fn start(
        socket: UdpSocket,
        address: SocketAddr,
        intake: Intake,
        dropped: Arc<AtomicU64>,
    ) -> io::Result<Self> {
        socket.set_read_timeout(Some(PATIENCE))?;
        let shared = Arc::new(Shared { dropped, ..Shared::default() });
        let (sender, receiver) = channel();
        let run = |name: &str, work: Box<dyn FnOnce() + Send>| thread::Builder::new().name(name.to_owned()).spawn(work);
        let of_socket = Arc::clone(&shared);
        let of_queue = Arc::clone(&shared);
        let threads = vec![
            run("xray-receive", Box::new(move || empty(&socket, &sender, &of_socket)))?,
            run("xray-read", Box::new(move || read(&receiver, &intake, &of_queue)))?,
        ];
        Ok(Self { address, shared, threads })
    }

    /// Datagrams that found the queue full.
    pub(crate) fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// Ends both threads; what waits is read first.
    pub(crate) fn end(self) {
        self.shared.is_over.store(true, Ordering::Release);
        // A datagram that is none, so that nobody waits for the end.
        let local = SocketAddr::new(self.address.ip(), 0);
        let _ = UdpSocket::bind(local).and_then(|socket| socket.send_to(&[], self.address));
        for thread in self.threads {
            let _ = thread.join();
        }
    }
}

fn empty(socket: &UdpSocket, queue: &Sender<Box<[u8]>>, shared: &Shared) {
    let (mut buffer, mut left) = (vec![0; BUFFER], LAST);
    while left > 0 {
        let is_over = shared.is_over.load(Ordering::Acquire);
        left -= usize::from(is_over);
        let length = match socket.recv(&mut buffer) {
            Ok(length @ 1..) => length,
            _ if is_over => return,
            // An error is one of waiting, or of another datagram than the next.
            _ => continue,
        };
        let cost = length + OVERHEAD;
        if shared.waiting_bytes.fetch_add(cost, Ordering::Relaxed) + cost > WAITING_BYTES {
            shared.waiting_bytes.fetch_sub(cost, Ordering::Relaxed);
            shared.dropped.fetch_add(1, Ordering::Relaxed);
        } else if queue.send(buffer[..length].into()).is_err() {
            return;
        }
    }
}

fn read(queue: &Receiver<Box<[u8]>>, intake: &Intake, shared: &Shared) {
    while let Ok(first) = queue.recv() {
        for datagram in std::iter::once(first).chain(queue.try_iter()) {
            shared.waiting_bytes.fetch_sub(datagram.len() + OVERHEAD, Ordering::Relaxed);
            intake.take_datagram(&datagram);
        }
        intake.flush();
    }
}
