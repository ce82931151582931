//! The log lines that a new user reads, with missing traces and without. Each case runs in a child process.

mod delivery;
mod doctor;
mod fate;
mod missing;
mod names;
mod start;

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::thread::sleep;
use std::time::{Duration, Instant};

use log::Level;
use support::documents::read_datagram;
use support::logs;
use xray::{Recorder, Segment};

fn texts(target: &str, level: Level) -> Vec<String> {
    let lines = logs::lines().into_iter().filter(|line| line.target == target && line.level == level);
    lines.map(|line| line.text).collect()
}

/// Waits until `count` lines were logged, for at most 20 seconds, and returns them.
fn wait_for(target: &str, level: Level, count: usize) -> Vec<String> {
    let start = Instant::now();
    loop {
        let texts = texts(target, level);
        if texts.len() >= count || start.elapsed() > Duration::from_secs(20) {
            return texts;
        }
        sleep(Duration::from_millis(20));
    }
}

fn daemon() -> (UdpSocket, String) {
    let daemon = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    daemon.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let address = daemon.local_addr().unwrap().to_string();
    (daemon, address)
}

/// Returns a daemon with both of its sides. Another program may have the TCP port of a free UDP port.
fn daemon_with_tcp() -> (UdpSocket, TcpListener, String) {
    loop {
        let (daemon, address) = daemon();
        if let Ok(listener) = TcpListener::bind(&address) {
            return (daemon, listener, address);
        }
    }
}

/// An address on this host whose UDP and TCP ports nobody uses.
fn unused() -> String {
    daemon().1
}

fn receive(daemon: &UdpSocket) -> serde_json::Value {
    let mut datagram = vec![0; 65_536];
    let length = daemon.recv(&mut datagram).unwrap();
    read_datagram(&datagram[..length])
}

fn end_a_segment(recorder: &Recorder) -> String {
    let segment = Segment::builder("todo-app").recorder(recorder).sampled(true).begin();
    let trace = segment.trace_id().unwrap().to_string();
    segment.end();
    assert!(recorder.flush(Duration::from_secs(20)));
    trace
}
