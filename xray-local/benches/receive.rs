//! Whether `xray-local` keeps up with what one machine's SDK can send: 200,000 documents over loopback, each a trace with
//! one HTTP call, paced as the SDK paces them (a bucket of 96 KiB that fills with 32 MiB a second, in which a datagram
//! counts 1 KiB more than its length).
//!
//! ```text
//! cargo bench -p xray-local --bench receive                 # -- 1000000 for another number of documents
//! ```
//!
//! Two shared cores, release: all of 200,000 received at 20,500 a second (what the pace allows), 25 us of CPU a document,
//! 93 MiB at most; all of 1,000,000 likewise, in the same 93 MiB.
//!
//! Linux only: it reads `/proc`.

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
        .expect("xray-local starts");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut first = String::new();
    lines.read_line(&mut first).expect("xray-local writes");
    let address = first.trim().rsplit('=').next().expect("the first line names the address").to_owned();

    let (before, begun) = (Used::by(&child), Instant::now());
    let bytes = send(&address, count);
    let sending = begun.elapsed();
    let rest = thread::spawn(move || {
        let mut rest = String::new();
        lines.read_to_string(&mut rest).map(|_| rest)
    });
    let used = settle(&child);
    assert!(Command::new("kill").arg(child.id().to_string()).status().is_ok_and(|status| status.success()));
    child.wait().expect("it ends");
    let rest = rest.join().expect("no panic").expect("UTF-8");
    let last = rest.lines().last().unwrap_or_default();
    let came: u64 = last.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{last}"));

    let per_second = |number: u64| float(number) / sending.as_secs_f64();
    println!(
        "sent             {count} documents of {} bytes in {sending:.2?}: {:.0} a second",
        bytes / count,
        per_second(count)
    );
    println!("received         {came}");
    println!("lost             {}", count - came);
    println!("CPU              {:.1} us a document", (used.cpu_seconds - before.cpu_seconds) * 1e6 / float(came));
    println!("memory at most   {} MiB ({} MiB before)", used.memory_kib / 1024, before.memory_kib / 1024);
}

/// Sends so many documents, each another trace; the bytes of all.
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

/// A token bucket over bytes.
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

/// What a process has used.
#[derive(Clone, Copy)]
struct Used {
    cpu_seconds: f64,
    memory_kib: u64,
}

impl Used {
    fn by(child: &Child) -> Self {
        let read = |file: &str| fs::read_to_string(format!("/proc/{}/{file}", child.id())).expect("Linux");
        // After the name in parentheses come 11 fields, then the ticks, hundredths of a second, of user and of system.
        let stat = read("stat");
        let fields = stat.rsplit(')').next().expect("a name").split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        let status = read("status");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the peak");
        let memory_kib = peak.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number");
        Self { cpu_seconds: float(ticks) / 100.0, memory_kib }
    }
}

/// What it has used when it has nothing to do any more.
fn settle(child: &Child) -> Used {
    loop {
        let before = Used::by(child);
        thread::sleep(Duration::from_millis(500));
        let after = Used::by(child);
        if after.cpu_seconds - before.cpu_seconds < 0.05 {
            break after;
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers to be read")]
fn float(number: u64) -> f64 {
    number as f64
}
