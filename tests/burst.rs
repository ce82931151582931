//! Bursts: documents that come faster than anybody could read them arrive whole at a socket as every program gets it,
//! with a receive buffer of the system's default size.
//!
//! Where the X-Ray SDK for Python 2.15.0 was measured to go wrong, by section of that study, and what shows the other
//! behaviour:
//!
//! * 2.8 emission, what the socket has no room for is gone, and it is the user's thread that sends:
//!   `ten_thousand_small_documents`, `a_thousand_large_documents`

mod support;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, UdpSocket};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{fs, mem};

use serde::Deserialize;
use support::documents::read_datagram;
use xray::{Recorder, Segment};

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

/// Ends so many segments one right after the other.
fn arrive_whole(count: usize, bytes: std::ops::Range<usize>, fill: impl Fn(&Segment)) {
    let reader = Reader::start();
    let recorder = Recorder::builder().daemon_address(reader.address.clone()).build();
    let segments: Vec<_> = (0..count)
        .map(|_| {
            let segment = Segment::builder("burst").recorder(&recorder).begin();
            fill(&segment);
            segment
        })
        .collect();
    let ids: BTreeSet<_> = segments.iter().map(|segment| segment.id().unwrap().to_string()).collect();
    assert_eq!(ids.len(), count);
    let began = Instant::now();
    drop(segments);
    let ended = began.elapsed();
    assert!(recorder.flush(Duration::from_secs(60)));
    let (sent, lost) = (began.elapsed(), reader.lost());
    let datagrams = reader.stop();
    println!("{count} documents ended in {ended:?} and were sent in {sent:?}; the kernel lost {lost}");

    let stats = recorder.stats();
    assert_eq!((stats.documents_sent, stats.documents_dropped), (count as u64, 0));
    assert_eq!((datagrams.len(), lost.as_str()), (count, "0"), "what arrived, and what the kernel lost");
    assert!(datagrams.iter().all(|datagram| bytes.contains(&datagram.len())), "as they are meant to be");
    assert_eq!(datagrams.iter().map(|datagram| id(datagram)).collect::<BTreeSet<_>>(), ids);
    // One for all: they differ in their ids and times.
    read_datagram(&datagrams[0]);
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
    thread: JoinHandle<Vec<Vec<u8>>>,
}

impl Reader {
    fn start() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = socket.local_addr().unwrap().to_string();
        let thread = thread::spawn(move || {
            let (mut datagrams, mut datagram) = (Vec::new(), vec![0; 65_536]);
            // An empty one is the end.
            while let length @ 1.. = socket.recv(&mut datagram).unwrap() {
                datagrams.push(datagram[..length].to_vec());
            }
            datagrams
        });
        Self { address, thread }
    }

    /// Datagrams for which there was no room.
    fn lost(&self) -> String {
        let (_, port) = self.address.split_once(':').unwrap();
        let local = format!("0100007F:{:04X}", port.parse::<u16>().unwrap());
        let sockets = fs::read_to_string("/proc/net/udp").unwrap_or_default();
        let own = sockets.lines().find(|socket| socket.split_ascii_whitespace().nth(1) == Some(&local));
        own.and_then(|own| own.split_ascii_whitespace().last()).unwrap_or("0").to_owned()
    }

    fn stop(mut self) -> Vec<Vec<u8>> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        // It waits its turn behind what is there already.
        socket.send_to(&[], mem::take(&mut self.address)).unwrap();
        self.thread.join().unwrap()
    }
}
