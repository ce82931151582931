//! The X-Ray SDK for Python, which a script measures in a process of its own.

use std::env;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

/// Segments of 100 calls. Fewer than of the other libraries, because a call takes fifty times as long.
const SEGMENTS: usize = 20;
/// All calls of a measurement.
pub(crate) const CALLS: usize = SEGMENTS * crate::CALLS;

pub(crate) struct Python {
    program: String,
    daemon: SocketAddr,
}

impl Python {
    /// Returns the Python that the variable names, or `None` if it is not set.
    pub(crate) fn new(daemon: SocketAddr) -> Option<Self> {
        Some(Self { program: env::var("XRAY_PEERS_PYTHON").ok()?, daemon })
    }

    /// Returns the processor time of all calls, in the process and on the calling thread.
    pub(crate) fn measure(&self, is_sampled: bool) -> (Duration, Duration) {
        let mut command = Command::new(&self.program);
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/python.py")).arg(self.daemon.to_string());
        command.arg(if is_sampled { "sampled" } else { "unsampled" });
        let output = command.args([SEGMENTS, crate::CALLS].map(|count| count.to_string())).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let printed = String::from_utf8(output.stdout).unwrap();
        let mut nanos = printed.split_whitespace().map(|nanos| nanos.parse().unwrap());
        let mut next = || Duration::from_nanos(nanos.next().unwrap()) * u32::try_from(CALLS).unwrap();
        (next(), next())
    }
}
