//! A process in place of the daemon. It receives datagrams and counts them.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;
use std::{io, thread};

use crate::child::ChildProcess;

/// The argument with which this program runs as the reader.
pub(crate) const ARGUMENT: &str = "--read";

pub(crate) struct Reader(ChildProcess);

impl Reader {
    pub(crate) fn start() -> Self {
        Self(ChildProcess::start(ARGUMENT))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// Returns the number of datagrams that arrived since the last call.
    pub(crate) fn count(&mut self) -> usize {
        // Lets the reader empty its buffer, so that the empty datagram, which asks for the number, is not lost.
        thread::sleep(Duration::from_millis(200));
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.send_to(&[], self.0.address).unwrap();
        self.0.count()
    }
}

pub(crate) fn run() {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let (mut output, mut datagram, mut count) = (io::stdout(), vec![0; 65_536], 0);
    writeln!(output, "{}", socket.local_addr().unwrap()).unwrap();
    loop {
        match socket.recv(&mut datagram).unwrap() {
            0 => writeln!(output, "{}", std::mem::take(&mut count)).unwrap(),
            _ => count += 1,
        }
    }
}
