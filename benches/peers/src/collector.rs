//! A process in place of a collector. It accepts requests of OTLP over HTTP, in JSON or in protobuf, and counts their
//! spans.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{io, thread};

use crate::child::ChildProcess;

/// The argument with which this program runs as the collector.
pub(crate) const ARGUMENT: &str = "--collect";

pub(crate) struct Collector(ChildProcess);

impl Collector {
    pub(crate) fn start() -> Self {
        Self(ChildProcess::start(ARGUMENT))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// Returns the number of spans that arrived since the last call.
    pub(crate) fn count(&mut self) -> usize {
        self.0.ask();
        self.0.count()
    }
}

pub(crate) fn run() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    println!("{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let count = Arc::clone(&counted);
            thread::spawn(move || take_requests(stream.unwrap(), &count));
        }
    });
    for _ in io::stdin().lines() {
        println!("{}", count.swap(0, Ordering::Relaxed));
    }
}

/// Answers the requests of a connection until the connection closes.
fn take_requests(stream: TcpStream, count: &AtomicUsize) -> Option<()> {
    let mut input = BufReader::new(stream);
    loop {
        let (mut length, mut is_json) = (0, false);
        loop {
            let mut line = String::new();
            input.read_line(&mut line).ok().filter(|length| *length > 0)?;
            let line = line.trim_end().to_ascii_lowercase();
            match line.split_once(": ") {
                Some(("content-length", value)) => length = value.parse().unwrap(),
                Some(("content-type", value)) => is_json = value == "application/json",
                _ if line.is_empty() => break,
                _ => {}
            }
        }
        let mut body = vec![0; length];
        input.read_exact(&mut body).ok()?;
        count.fetch_add(if is_json { spans_of_json(&body) } else { spans(&body, &[1, 2, 2]) }, Ordering::Relaxed);
        let answer: &[u8] = if is_json { b"{}" } else { b"" };
        write!(input.get_mut(), "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", answer.len()).ok()?;
        input.get_mut().write_all(answer).ok()?;
    }
}

/// Counts the spans of a request in JSON. Each span has one start time.
fn spans_of_json(body: &[u8]) -> usize {
    let key = b"\"startTimeUnixNano\"";
    body.windows(key.len()).filter(|window| window == key).count()
}

/// Counts the submessages of a protobuf message at a path of field numbers.
fn spans(message: &[u8], path: &[u64]) -> usize {
    let [field, rest @ ..] = path else { return 1 };
    let (mut message, mut count) = (message, 0);
    while !message.is_empty() {
        let tag = varint(&mut message);
        let length = match tag & 7 {
            0 => {
                varint(&mut message);
                0
            }
            1 => 8,
            2 => varint(&mut message) as usize,
            5 => 4,
            other => panic!("wire type {other}"),
        };
        let (value, after) = message.split_at(length);
        message = after;
        if tag == field << 3 | 2 {
            count += spans(value, rest);
        }
    }
    count
}

fn varint(message: &mut &[u8]) -> u64 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let (byte, rest) = message.split_first().unwrap();
        *message = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return value;
        }
        shift += 7;
    }
}
