//! Bursts: documents that come faster than anybody could read them arrive whole at a socket as every program gets it,
//! with a receive buffer of the system's default size.
//!
//! Where the X-Ray SDK for Python 2.15.0 was measured to go wrong, by section of that study, and what shows the other
//! behaviour:
//!
//! * 2.8 emission, what the socket has no room for is gone, and it is the user's thread that sends:
//!   `ten_thousand_small_documents`, `a_thousand_large_documents`

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::net::{Ipv4Addr, UdpSocket};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde::Deserialize;
use support::documents::read_datagram;
use xray::{Recorder, Segment};

/// Who reads in time never waits so long for a processor: at the emitter's pace the receive buffer holds what comes in
/// about 4 milliseconds.
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

/// Ends so many segments one right after the other. A burst of which something is lost is a failure, unless the machine
/// was too busy to let it be read in time: then the next has to arrive whole.
fn arrive_whole(count: usize, bytes: Range<usize>, fill: impl Fn(&Segment)) {
    for _ in 0..20 {
        let reader = Reader::start();
        let recorder = Recorder::builder().daemon_address(reader.address.clone()).build();
        let segments = (0..count).map(|_| Segment::builder("burst").recorder(&recorder).sampled(true).begin());
        let segments: Vec<_> = segments.inspect(|segment| fill(segment)).collect();
        let ids: BTreeSet<_> = segments.iter().map(|segment| segment.id().unwrap().to_string()).collect();
        drop(segments);
        assert!(recorder.flush(Duration::from_secs(60)));
        let (lost, (datagrams, longest_wait)) = (reader.lost(), reader.stop());

        let stats = recorder.stats();
        assert_eq!((stats.documents_sent, stats.documents_dropped), (count as u64, 0));
        assert_eq!(datagrams.len() + lost, count, "the kernel lost {lost}");
        assert!(datagrams.iter().all(|datagram| bytes.contains(&datagram.len())), "as they are meant to be");
        // One for all: they differ in their ids and times.
        read_datagram(&datagrams[0]);
        if lost == 0 {
            assert_eq!(datagrams.iter().map(|datagram| id(datagram)).collect::<BTreeSet<_>>(), ids);
            return;
        }
        assert!(
            longest_wait > TOO_LONG,
            "{lost} of {count} are lost, though the reader waited {longest_wait:?} at most"
        );
    }
    panic!("none of twenty bursts of {count} documents arrived whole");
}

/// The id of a whole document.
fn id(datagram: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Identified {
        id: String,
    }

    let header = datagram.iter().position(|byte| *byte == b'\n').unwrap();
    serde_json::from_slice::<Identified>(&datagram[header..]).unwrap().id
}

/// Reads what arrives as it comes, and keeps it.
struct Reader {
    address: String,
    thread: JoinHandle<(Vec<Vec<u8>>, Duration)>,
}

impl Reader {
    fn start() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = socket.local_addr().unwrap().to_string();
        Self { address, thread: thread::spawn(move || read_all(&socket)) }
    }

    /// Datagrams for which there was no room.
    fn lost(&self) -> usize {
        let (_, port) = self.address.split_once(':').unwrap();
        let local = format!("0100007F:{:04X}", port.parse::<u16>().unwrap());
        let sockets = fs::read_to_string("/proc/net/udp").unwrap_or_default();
        let own = sockets.lines().find(|socket| socket.split_ascii_whitespace().nth(1) == Some(&local));
        own.and_then(|own| own.split_ascii_whitespace().last()?.parse().ok()).unwrap_or_default()
    }

    /// What arrived, and how long the reader waited for a processor at most.
    fn stop(self) -> (Vec<Vec<u8>>, Duration) {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        // It takes its turn behind what is there already. Where that is much it is lost, until it is not.
        while !self.thread.is_finished() {
            socket.send_to(&[], &self.address).unwrap();
            thread::sleep(Duration::from_millis(10));
        }
        self.thread.join().unwrap()
    }
}

/// All datagrams up to an empty one, and the longest wait for a processor between two.
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

/// How long this thread was ready to run and another one ran in its place; where Linux does not tell, never.
struct Waited(Option<File>);

impl Waited {
    /// The second number of the file, in nanoseconds. (Linux, `Documentation/scheduler/sched-stats.rst`.)
    fn read(&self) -> Duration {
        let mut text = [0; 64];
        let length = self.0.as_ref().and_then(|file| file.read_at(&mut text, 0).ok()).unwrap_or_default();
        let numbers = std::str::from_utf8(&text[..length]).unwrap_or_default();
        let waited = numbers.split_ascii_whitespace().nth(1).and_then(|waited| waited.parse().ok());
        Duration::from_nanos(waited.unwrap_or_default())
    }
}
