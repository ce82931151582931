//! The documents a second that go from a recorder's queue to a socket, compared with a loop that only sends.
//!
//! ```text
//! cargo bench -p xray-benches --bench emitter
//! ```
//!
//! A row is one size of document.
//!
//! * `recorder`: from the end of the segments until the flush returns. The background thread takes each ended segment
//!   from the queue, writes it as JSON, and sends it. The time in which the system wakes the two threads is included.
//! * `send`: the floor. It sends the same bytes in as many datagrams on a connected socket, in a loop on one thread.
//! * `limit`: what the emitter allows itself over a longer time, so that no daemon loses documents: 32 MiB a second,
//!   with 1 KiB for each datagram in addition to its bytes. Each burst of this benchmark is small enough to leave
//!   without a pause.
//!
//! Both send in bursts, in turns, and a figure comes from the median of the bursts. The receiver reads between the
//! bursts, so that its work is not measured. It must receive every document.
//!
//! With rustc 1.95.0, on two cores that did nothing else, in thousands of documents a second:
//!
//! | document | bytes | `send` | `recorder` | `limit` |
//! |---|---|---|---|---|
//! | a segment without calls | 244 | 319 | 87 | 26 |
//! | a segment with 10 calls | 2,640 | 284 | 76 | 9 |
//! | a segment with 100 calls | 24,060 | 177 | 17 | 1.3 |

#![expect(clippy::cast_precision_loss, reason = "counts and sizes are small")]

use std::net::{Ipv4Addr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use xray::{Recorder, Segment};
use xray_benches::calls::Calls;
use xray_benches::client::Request;
use xray_benches::paths::traced;

/// The bytes a second that the emitter sends at most.
const BYTES_PER_SECOND: f64 = 32.0 * 1024.0 * 1024.0;
/// What the emitter counts for each datagram in addition to its bytes.
const OVERHEAD_BYTES: usize = 1024;
/// The bytes that the emitter sends without a pause after it has sent nothing for a while.
const BUDGET_BYTES: usize = 96 * 1024;

/// Datagrams in a burst, if the budget allows as many.
const MAX_BURST: usize = 32;
const BURSTS: usize = 300;

fn main() {
    println!("{:<26}{:>7}{:>12}{:>12}{:>8}{:>12}", "documents a second", "bytes", "send", "recorder", "ratio", "limit");
    for calls in [0, 1, 10, 100] {
        Route::new(calls).measure();
    }
}

/// The way of the documents of segments with this number of calls.
struct Route {
    calls: usize,
    recorder: Recorder,
    daemon: UdpSocket,
    /// The socket of the floor, connected to the daemon like that of the emitter.
    socket: UdpSocket,
}

impl Route {
    fn new(calls: usize) -> Self {
        let daemon = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = daemon.local_addr().unwrap();
        daemon.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.connect(address).unwrap();
        let recorder = Recorder::builder()
            .sampler(xray::sampling::Always)
            .daemon_address(address.to_string())
            // Without streaming, so that a segment is one document.
            .streaming_threshold(usize::MAX)
            .build();
        Self { calls, recorder, daemon, socket }
    }

    fn measure(&self) {
        // Starts the background thread, and shows the size of a document.
        self.recorded(1);
        let datagram = self.receive(1).remove(0);
        let cost = datagram.len() + OVERHEAD_BYTES;
        let burst = (BUDGET_BYTES / cost).min(MAX_BURST);
        let (mut sent, mut recorded) = (vec![], vec![]);
        for _ in 0..BURSTS {
            sent.push(self.sent(&datagram, burst));
            self.receive(burst);
            // The emitter's budget is full again after this time.
            thread::sleep(Duration::from_secs_f64(BUDGET_BYTES as f64 / BYTES_PER_SECOND));
            recorded.push(self.recorded(burst));
            self.receive(burst);
        }
        let (sent, recorded) = (rate(sent, burst), rate(recorded, burst));
        println!(
            "{:<26}{:>7}{sent:>12.0}{recorded:>12.0}{:>8.2}{:>12.0}",
            format!("a segment with {} calls", self.calls),
            datagram.len(),
            recorded / sent,
            BYTES_PER_SECOND / cost as f64,
        );
    }

    /// Returns how long the datagram takes to be sent `count` times.
    fn sent(&self, datagram: &[u8], count: usize) -> Duration {
        let started = Instant::now();
        for _ in 0..count {
            self.socket.send(datagram).unwrap();
        }
        started.elapsed()
    }

    /// Returns how long `count` segments take from their end to the socket.
    fn recorded(&self, count: usize) -> Duration {
        let segments: Vec<_> = (0..count).map(|_| self.segment()).collect();
        let started = Instant::now();
        drop(segments);
        assert!(self.recorder.flush(Duration::from_secs(10)));
        started.elapsed()
    }

    /// Returns an open segment with ended calls.
    fn segment(&self) -> Segment {
        let segment = Segment::builder("todo-app").recorder(&self.recorder).begin();
        segment.in_scope(|| Calls::<Box<Request>>::ready(self.calls).make(traced));
        segment
    }

    /// Receives `count` datagrams.
    fn receive(&self, count: usize) -> Vec<Vec<u8>> {
        let mut buffer = vec![0; 65_536];
        let datagrams = (0..count).map(|_| {
            let length = self.daemon.recv(&mut buffer).expect("each document arrives");
            buffer[..length].to_vec()
        });
        datagrams.collect()
    }
}

/// Returns the documents a second of the median burst.
fn rate(mut times: Vec<Duration>, count: usize) -> f64 {
    let middle = times.len() / 2;
    let (_, median, _) = times.select_nth_unstable(middle);
    count as f64 / median.as_secs_f64()
}
