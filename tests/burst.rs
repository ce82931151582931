//! Bursts: no document is lost when a program ends thousands of segments at once, and the daemon's socket has a receive
//! buffer of the system's default size.
//!
//! The X-Ray SDK for Python 2.15.0 fails in these cases. Each line names the case, and the test that shows what this
//! SDK does instead:
//!
//! * Documents that find the socket's buffer full are lost, and the program's own thread sends:
//!   `ten_thousand_small_documents`, `a_thousand_large_documents`.

use std::collections::BTreeSet;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde::Deserialize;
use support::documents::read_datagram;
use xray::{Recorder, Segment};

/// A wait for a processor that excuses a loss. At the emitter's pace, the receive buffer holds what arrives in about 4
/// milliseconds.
const TOO_LONG: Duration = Duration::from_millis(2);

#[test]
fn ten_thousand_small_documents() {
    arrive_whole(10_000, 200..1_000, |_| {});
}

#[test]
fn a_thousand_large_documents() {
    let text = "x".repeat(30_000);
    arrive_whole(1_000, 60_000..63 * 1024, |segment| {
        segment.add_metadata("first", &text);
        segment.add_metadata("second", &text);
    });
}

/// Ends `count` segments one right after the other, and checks that all arrive. If a document is lost because the
/// reader waited too long for a processor, the next burst has to arrive whole.
fn arrive_whole(count: usize, bytes: Range<usize>, fill: impl Fn(&Segment)) {
    for _ in 0..20 {
        let reader = Reader::start();
        let recorder = Recorder::builder().daemon_address(reader.address.to_string()).build();
        let segments = (0..count).map(|_| Segment::builder("burst").recorder(&recorder).sampled(true).begin());
        let segments: Vec<_> = segments.inspect(|segment| fill(segment)).collect();
        let ids: BTreeSet<_> = segments.iter().map(|segment| segment.id().unwrap().to_string()).collect();
        drop(segments);
        assert!(recorder.flush(Duration::from_secs(60)));
        let (lost, (datagrams, longest_wait)) = (support::lost_datagrams(reader.address), reader.stop());

        let stats = recorder.stats();
        assert_eq!((stats.documents_sent, stats.documents_dropped), (count as u64, 0));
        assert_eq!(datagrams.len() as u64 + lost, count as u64, "the kernel lost {lost}");
        assert!(
            datagrams.iter().all(|datagram| bytes.contains(&datagram.len())),
            "the documents have the intended size"
        );
        // One document stands for all: they differ only in their ids and times.
        read_datagram(&datagrams[0]);
        if lost == 0 {
            assert_eq!(datagrams.iter().map(|datagram| id(datagram)).collect::<BTreeSet<_>>(), ids);
            return;
        }
        assert!(
            longest_wait > TOO_LONG,
            "{lost} of {count} documents were lost, although the reader waited at most {longest_wait:?} for a processor"
        );
    }
    panic!("in each of twenty bursts of {count} documents some were lost");
}

/// Returns the id of the document in a datagram.
fn id(datagram: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Identified {
        id: String,
    }

    let header = datagram.iter().position(|byte| *byte == b'\n').unwrap();
    serde_json::from_slice::<Identified>(&datagram[header..]).unwrap().id
}

/// Reads datagrams as they arrive, on a thread of its own, and keeps them.
struct Reader {
    address: SocketAddr,
    thread: JoinHandle<(Vec<Vec<u8>>, Duration)>,
}

impl Reader {
    fn start() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = socket.local_addr().unwrap();
        Self { address, thread: thread::spawn(move || read_all(&socket)) }
    }

    /// Returns the datagrams that arrived, and the reader's longest wait for a processor.
    fn stop(self) -> (Vec<Vec<u8>>, Duration) {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        // The empty datagram ends the reader. It is lost if the receive buffer is still full, so it is sent again.
        while !self.thread.is_finished() {
            socket.send_to(&[], self.address).unwrap();
            thread::sleep(Duration::from_millis(10));
        }
        self.thread.join().unwrap()
    }
}

/// Reads up to an empty datagram. Returns the datagrams, and the longest wait for a processor between two of them.
fn read_all(socket: &UdpSocket) -> (Vec<Vec<u8>>, Duration) {
    let waited = Waited(File::open("/proc/thread-self/schedstat").ok());
    let (mut datagrams, mut datagram) = (Vec::new(), vec![0; 65_536]);
    let (mut so_far, mut longest) = (waited.read(), Duration::ZERO);
    while let length @ 1.. = socket.recv(&mut datagram).unwrap() {
        datagrams.push(datagram[..length].to_vec());
        let now = waited.read();
        longest = longest.max(now.saturating_sub(so_far));
        so_far = now;
    }
    (datagrams, longest)
}

/// The time for which this thread was ready to run while another thread ran. Zero on a system that does not report it.
struct Waited(Option<File>);

impl Waited {
    /// Reads the second number of the file, in nanoseconds. (Linux, `Documentation/scheduler/sched-stats.rst`.)
    fn read(&self) -> Duration {
        let mut text = [0; 64];
        let length = self.0.as_ref().and_then(|file| file.read_at(&mut text, 0).ok()).unwrap_or_default();
        let numbers = std::str::from_utf8(&text[..length]).unwrap_or_default();
        let waited = numbers.split_ascii_whitespace().nth(1).and_then(|waited| waited.parse().ok());
        Duration::from_nanos(waited.unwrap_or_default())
    }
}
