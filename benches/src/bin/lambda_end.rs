//! Measures how long the end of an outermost subsegment takes in Lambda, where it does not return before the document
//! has left.
//!
//! ```text
//! AWS_LAMBDA_FUNCTION_NAME=f cargo run --release -p xray-benches --bin lambda_end
//! ```

use std::net::{Ipv4Addr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use xray::{Recorder, Segment};

const HEADER: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
const INVOCATIONS: usize = 500;
const SUBSEGMENTS: usize = 10;

fn main() {
    let daemon = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let address = daemon.local_addr().expect("the socket is bound");
    let mut datagram = vec![0; 65_536];
    thread::spawn(move || while daemon.recv(&mut datagram).is_ok() {});
    let recorder = Recorder::builder().daemon_address(address.to_string()).install().expect("it is the first");
    let invocation = Segment::facade(HEADER);
    let mut ends = Vec::with_capacity(INVOCATIONS * SUBSEGMENTS);
    for _ in 0..INVOCATIONS {
        for _ in 0..SUBSEGMENTS {
            let subsegment = invocation.subsegment("work");
            let start = Instant::now();
            subsegment.end();
            ends.push(start.elapsed());
        }
        // The pause between two invocations, in which the background threads of the program go to sleep.
        thread::sleep(Duration::from_millis(2));
    }
    let stats = recorder.stats();
    assert_eq!((stats.documents_sent, stats.documents_dropped), (ends.len() as u64, 0), "is this Lambda?");
    ends.sort_unstable();
    for percent in [50, 90, 99, 100] {
        let end = ends[(ends.len() * percent / 100).min(ends.len() - 1)];
        println!("{percent:>3} % of the ends take at most {:>7.1} us", end.as_secs_f64() * 1e6);
    }
}
