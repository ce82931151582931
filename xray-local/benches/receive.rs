//! Measures whether `xray-local` keeps up with an SDK on the same machine.
//!
//! The benchmark sends 200,000 documents over loopback, each a trace with one HTTP call. It paces them like `xray-sdk`,
//! with a token bucket that holds 96 KiB and fills with 32 MiB per second. A datagram costs its length plus 1 KiB.
//!
//! ```text
//! cargo bench -p xray-local --bench receive                 # add `-- 1000000` for another number
//! ```
//!
//! Result on two shared cores: all 200,000 documents received at 20,500 per second, which is the rate of the pace; 25
//! us of CPU time per document; 93 MiB of memory at most. With 1,000,000 documents: all received, 93 MiB of memory at
//! most.
//!
//! The benchmark reads `/proc` and therefore needs Linux.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::UdpSocket;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};
use std::{env, fs, thread};

const DOCUMENTS: u64 = 200_000;

fn main() {
    let count = env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(DOCUMENTS);
    let mut child = Command::new(env!("CARGO_BIN_EXE_xray-local"))
        .args(["--address", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("cannot start xray-local");
    let mut lines = BufReader::new(child.stdout.take().expect("standard output is piped"));
    let mut first = String::new();
    lines.read_line(&mut first).expect("cannot read the output of xray-local");
    let address = first.trim().rsplit('=').next().expect("the first line ends with the address").to_owned();

    let (before, begun) = (Usage::of(&child), Instant::now());
    let bytes = send(&address, count);
    let sending = begun.elapsed();
    let rest = thread::spawn(move || {
        let mut rest = String::new();
        lines.read_to_string(&mut rest).map(|_| rest)
    });
    let used = wait_until_idle(&child);
    assert!(Command::new("kill").arg(child.id().to_string()).status().is_ok_and(|status| status.success()));
    child.wait().expect("cannot wait for xray-local");
    let rest = rest.join().expect("the reader panicked").expect("the output is not UTF-8");
    let last = rest.lines().last().unwrap_or_default();
    let received: u64 =
        last.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{last}"));

    let per_second = |number: u64| float(number) / sending.as_secs_f64();
    println!(
        "sent             {count} documents of {} bytes in {sending:.2?}: {:.0} per second",
        bytes / count,
        per_second(count)
    );
    println!("received         {received}");
    println!("lost             {}", count - received);
    println!("CPU time         {:.1} us per document", (used.cpu_seconds - before.cpu_seconds) * 1e6 / float(received));
    println!("peak memory      {} MiB ({} MiB before)", used.memory_kib / 1024, before.memory_kib / 1024);
}

/// Sends `count` documents, each in its own trace. Returns the number of bytes sent.
fn send(address: &str, count: u64) -> u64 {
    let socket = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.connect(address).map(|()| socket));
    let (socket, mut pace, mut bytes) = (socket.expect("loopback"), Pace::new(), 0);
    for number in 0..count {
        let datagram = datagram(number);
        pace.wait_for(datagram.len());
        socket.send(datagram.as_bytes()).expect("loopback");
        bytes += datagram.len() as u64;
    }
    bytes
}

/// Returns a datagram with a segment that has one HTTP call.
fn datagram(number: u64) -> String {
    let now = SystemTime::UNIX_EPOCH.elapsed().expect("after 1970");
    let (start, end) = (now.as_secs_f64(), now.as_secs_f64() + 0.01);
    format!(
        "{{\"format\":\"json\",\"version\":1}}\n{{\"id\":\"{number:016x}\",\"trace_id\":\"1-{:08x}-{number:024x}\",\"name\":\"shop\",\
         \"start_time\":{start},\"end_time\":{end},\"http\":{{\"request\":{{\"method\":\"GET\",\"url\":\"http://shop.example.com/carts/{number}\"}},\
         \"response\":{{\"status\":200}}}},\"subsegments\":[{{\"id\":\"{:016x}\",\"name\":\"stock.example.com\",\"namespace\":\"remote\",\
         \"start_time\":{start},\"end_time\":{end},\"http\":{{\"request\":{{\"method\":\"GET\",\"url\":\"http://stock.example.com/items\"}},\
         \"response\":{{\"status\":200,\"content_length\":42}}}}}}]}}",
        now.as_secs(),
        number | 1 << 63,
    )
}

/// A token bucket, with one token per byte.
struct Pace {
    budget: f64,
    counted: Instant,
}

impl Pace {
    const BUDGET: f64 = 96.0 * 1024.0;
    const PER_SECOND: f64 = 32.0 * 1024.0 * 1024.0;

    fn new() -> Self {
        Self { budget: Self::BUDGET, counted: Instant::now() }
    }

    /// Waits until a datagram of a length may be sent.
    fn wait_for(&mut self, length: usize) {
        let cost = float(length as u64 + 1024);
        loop {
            let now = Instant::now();
            let earned = now.duration_since(self.counted).as_secs_f64() * Self::PER_SECOND;
            (self.budget, self.counted) = ((self.budget + earned).min(Self::BUDGET), now);
            if self.budget >= cost {
                break self.budget -= cost;
            }
            thread::sleep(Duration::from_secs_f64((cost - self.budget) / Self::PER_SECOND));
        }
    }
}

/// The resources that a process has used.
#[derive(Clone, Copy)]
struct Usage {
    cpu_seconds: f64,
    memory_kib: u64,
}

impl Usage {
    fn of(child: &Child) -> Self {
        let read = |file: &str| fs::read_to_string(format!("/proc/{}/{file}", child.id())).expect("cannot read /proc");
        // See `man 5 proc_pid_stat`: the name stands in parentheses; 11 fields later come user time and system time, in
        // ticks of a hundredth of a second.
        let stat = read("stat");
        let fields = stat.rsplit(')').next().expect("the name ends with a parenthesis").split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        let status = read("status");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("/proc has no peak memory");
        let memory_kib = peak
            .split_whitespace()
            .next()
            .and_then(|number| number.parse().ok())
            .expect("the peak memory is not a number");
        Self { cpu_seconds: float(ticks) / 100.0, memory_kib }
    }
}

/// Waits until a process is idle, and returns its usage.
fn wait_until_idle(child: &Child) -> Usage {
    loop {
        let before = Usage::of(child);
        thread::sleep(Duration::from_millis(500));
        let after = Usage::of(child);
        if after.cpu_seconds - before.cpu_seconds < 0.05 {
            break after;
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53, and the result is rounded")]
fn float(number: u64) -> f64 {
    number as f64
}
