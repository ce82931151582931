//! Who stands for the daemon: a process that reads datagrams and counts them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;
use std::{env, io, thread};

/// Makes this program the reader.
pub(crate) const ARGUMENT: &str = "--read";

pub(crate) struct Reader {
    pub(crate) address: SocketAddr,
    process: Child,
    lines: BufReader<ChildStdout>,
}

impl Reader {
    pub(crate) fn start() -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        let mut process = command.arg(ARGUMENT).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap());
        let address = read_line(&mut lines).parse().unwrap();
        Self { address, process, lines }
    }

    /// Datagrams that arrived since it was asked last.
    pub(crate) fn count(&mut self) -> usize {
        // So that there is room for the question, too.
        thread::sleep(Duration::from_millis(200));
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.send_to(&[], self.address).unwrap();
        read_line(&mut self.lines).parse().unwrap()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn read_line(lines: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
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
