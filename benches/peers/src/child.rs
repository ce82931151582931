//! A process of this program that stands for the other side, and that the benchmark asks for counts.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::{env, str::FromStr};

/// A process of this program, which ends when the value is dropped. It writes its address first.
pub(crate) struct ChildProcess {
    pub(crate) address: SocketAddr,
    process: Child,
    input: ChildStdin,
    lines: BufReader<ChildStdout>,
}

impl ChildProcess {
    /// Starts this program with one argument.
    pub(crate) fn start(argument: &str) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        let mut process = command.arg(argument).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap());
        let address = read(&mut lines);
        Self { address, input: process.stdin.take().unwrap(), process, lines }
    }

    /// Writes an empty line to the process.
    pub(crate) fn ask(&mut self) {
        writeln!(self.input).unwrap();
    }

    /// Reads the count in the next line.
    pub(crate) fn count(&mut self) -> usize {
        read(&mut self.lines)
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn read<T: FromStr<Err: std::fmt::Debug>>(lines: &mut BufReader<ChildStdout>) -> T {
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    line.trim_end().parse().unwrap()
}
