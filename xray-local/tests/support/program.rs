//! The program `xray-local`, started as from a shell.
#![allow(dead_code, unreachable_pub, reason = "each test binary compiles this module and uses only some of its items")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::UdpSocket;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A running program. Dropping it kills the program.
pub struct Program {
    child: Child,
    lines: BufReader<ChildStdout>,
    pub address: String,
    /// The line about sampling. Empty if the rules are in a file.
    pub sampling: String,
}

impl Program {
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, &[])
    }

    /// Starts the program with these environment variables.
    pub fn start_with(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = command(&[&["--address", "127.0.0.1:0"], arguments].concat());
        let mut child = command.envs(variables.iter().copied()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let mut program = Self { child, lines, address: String::new(), sampling: String::new() };
        let first = program.line();
        let Some(address) = first.strip_prefix("documents: AWS_XRAY_DAEMON_ADDRESS=") else { panic!("{first}") };
        address.clone_into(&mut program.address);
        assert_eq!(program.line(), format!("console:   http://{}/", program.address));
        if !arguments.contains(&"--rules") {
            let sampling = program.line();
            assert!(sampling.starts_with("sampling:  "), "{sampling}");
            program.sampling = sampling;
        }
        program
    }

    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    pub fn send(&self, datagram: &str) {
        UdpSocket::bind("127.0.0.1:0").unwrap().send_to(datagram.as_bytes(), &self.address).unwrap();
    }

    /// Returns the most memory that the program has used so far, in bytes. Linux only.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Waits until a thread of the program blocks because it cannot write to the pipe. Linux only.
    pub fn wait_until_output_is_full(&self) {
        let tasks = format!("/proc/{}/task", self.child.id());
        let is_blocked = || {
            std::fs::read_dir(&tasks).unwrap().flatten().any(|task| {
                let call = std::fs::read_to_string(task.path().join("wchan")).unwrap_or_default();
                call.contains("pipe")
            })
        };
        // Only the superuser sees where a thread waits on some systems.
        let begun = Instant::now();
        while !is_blocked() && begun.elapsed() < Duration::from_secs(5) {
            sleep(Duration::from_millis(20));
        }
    }

    /// Sends a signal, and returns the exit status. Does not read the rest of the output.
    pub fn stop_unread(mut self, signal: &str) -> ExitStatus {
        let killed = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "the program still runs");
            sleep(Duration::from_millis(10));
        }
    }

    /// Sends a signal, and returns the exit status and the rest of the output.
    pub fn stop(mut self, signal: &str) -> (ExitStatus, String) {
        let killed = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let mut rest = String::new();
        self.lines.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap(), rest)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xray-local"));
    // The shell that runs the tests may have set it.
    command.env_remove("AWS_XRAY_DAEMON_ADDRESS");
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs the program, which must succeed, and returns its output.
pub fn prints(arguments: &[&str]) -> String {
    let output = command(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs the program, which must fail, and returns its error output.
pub fn fails(arguments: &[&str]) -> String {
    let output = command(arguments).output().unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}
