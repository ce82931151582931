//! Tests of faults around the SDK: the process forks, has reached its limit on threads or files, has a full disk, or
//! contains code that panics. Each case runs in a child process.
//!
//! In every case `recorded = delivered + dropped`, and the traced program notices nothing.

// The faults are made by what Linux offers: `/dev/full`, `/proc/self/fd`, a limit on the address space.
#![cfg(target_os = "linux")]

mod counted;
mod foreign;
mod fork;
mod order;
mod task;

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::documents::read_datagram;
use xray::{Recorder, Segment, Stats};

/// Longer than anything takes that ends.
const LONG: Duration = Duration::from_secs(20);

/// A stand-in for the daemon. It reads datagrams as they arrive, on a thread of its own.
struct Daemon {
    address: SocketAddr,
    documents: Receiver<Value>,
}

impl Daemon {
    fn start() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = socket.local_addr().unwrap();
        let (sender, documents) = channel();
        thread::spawn(move || {
            let mut datagram = vec![0; 65_536];
            while let Ok(length) = socket.recv(&mut datagram) {
                if sender.send(read_datagram(&datagram[..length])).is_err() {
                    return;
                }
            }
        });
        Self { address, documents }
    }

    /// Returns a recorder that sends every segment to this daemon.
    fn recorder(&self) -> Recorder {
        recorder_to(&self.address.to_string())
    }

    /// Waits for the next document.
    #[track_caller]
    fn receive(&self) -> Value {
        self.documents.recv_timeout(LONG).expect("no document arrives")
    }

    /// Waits until this number of documents has arrived, except those that the system lost on the way. Returns the ids
    /// of the documents that have arrived.
    #[track_caller]
    fn receive_ids(&self, sent: u64) -> Vec<String> {
        let (started, mut ids) = (Instant::now(), Vec::new());
        loop {
            ids.extend(self.documents.try_iter().map(|document| document["id"].to_string()));
            let arrived = ids.len() as u64;
            // No datagram that has been read is counted as lost, so the sum is never too large.
            if arrived + support::lost_datagrams(self.address) == sent {
                return ids;
            }
            assert!(started.elapsed() < LONG, "{arrived} of {sent} documents arrive");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Waits for the next document, and returns its name.
    #[track_caller]
    fn receive_name(&self) -> String {
        self.receive()["name"].as_str().unwrap().to_owned()
    }
}

/// Returns a recorder that sends every segment to this address. The process has no variable that names another.
fn recorder_to(address: &str) -> Recorder {
    Recorder::builder().sampler(support::Always).daemon_address(address).build()
}

/// Records a segment without subsegments.
fn record(recorder: &Recorder, name: &str) {
    Segment::builder(name).recorder(recorder).sampled(true).begin().end();
}

/// Checks that every document was delivered or dropped, and returns the counts.
#[track_caller]
fn settled(recorder: &Recorder) -> Stats {
    support::settled(recorder, LONG)
}
