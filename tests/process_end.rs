//! The end of a process: segments that have ended reach the daemon. Each case is a child process. The `main` below runs
//! the cases and is the child, because libtest does not run tests on the main thread.

use std::io::{self, Read as _};
use std::net::{TcpListener, UdpSocket};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use std::{env, process, thread};

use support::documents::read_datagram;
use xray::emitter::{Emitter, FinishedSegment};
use xray::{Recorder, Segment};

const CHILD: &str = "XRAY_TEST_PROCESS_END";

/// A process that takes this long does not end by itself.
const HANGS: Duration = Duration::from_secs(60);

fn main() {
    if let Ok(end) = env::var(CHILD) {
        return child(&end);
    }
    for (end, code) in [
        ("return", Some(0)),
        ("environment", Some(0)),
        ("exit", Some(3)),
        ("panic", Some(101)),
        ("runtime", Some(0)),
        ("own emitter that panics", Some(0)),
    ] {
        let (names, status) = documents_of(end);
        let expected: Vec<_> = (0..50).map(|number| format!("{end} {number}")).collect();
        assert_eq!((names, status.code()), (expected, code), "{end}");
        println!("{end}: all documents arrived");
    }
    the_daemon_hangs();
    println!("a daemon that hangs does not delay the end");
    nobody_listens();
    println!("a missing daemon does not delay the end");
}

fn begin_and_end(end: &str) {
    for number in 0..50 {
        Segment::builder(format!("{end} {number}")).sampled(true).begin().end();
    }
}

fn child(end: &str) {
    match end {
        "environment" => return begin_and_end(end),
        "undecided" => {
            drop(Segment::builder("undecided").begin());
            // Waits until the daemon has been asked for rules.
            io::stdin().read_to_end(&mut Vec::new()).unwrap();
            return;
        }
        "own emitter that panics" => {
            Recorder::builder().emitter(Panics).install().unwrap();
            let udp = Recorder::builder().build();
            for number in 0..50 {
                Segment::builder(format!("{end} {number}")).sampled(true).recorder(&udp).begin().end();
            }
            assert!(udp.flush(Duration::from_secs(5)));
            return;
        }
        _ => drop(Recorder::builder().service_name("test").install().unwrap()),
    }
    match end {
        "exit" => {
            begin_and_end(end);
            process::exit(3)
        }
        "panic" => {
            begin_and_end(end);
            panic!("the end")
        }
        "runtime" => {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let name = end.to_owned();
            runtime.block_on(async { tokio::spawn(async move { begin_and_end(&name) }).await.unwrap() });
        }
        "many" => {
            let segment = Segment::builder("many").begin();
            for _ in 0..20_000 {
                drop(segment.subsegment("part"));
            }
        }
        _ => begin_and_end(end),
    }
}

/// An emitter whose `flush` panics. The panic must not change how the program ends.
struct Panics;

impl Emitter for Panics {
    fn emit(&self, _: FinishedSegment) {}

    fn flush(&self, _: Duration) -> bool {
        panic!("an emitter's own affair")
    }
}

fn command(end: &str, address: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.env(CHILD, end).env("AWS_XRAY_DAEMON_ADDRESS", address).env_remove("RUST_BACKTRACE");
    command
}

/// Runs a child process, and returns the names of the segments that reach the daemon.
fn documents_of(end: &str) -> (Vec<String>, ExitStatus) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let reader = thread::spawn(move || {
        let (mut names, mut datagram) = (Vec::new(), vec![0; 1 << 16]);
        while let length @ 1.. = socket.recv(&mut datagram).unwrap() {
            names.push(read_datagram(&datagram[..length])["name"].as_str().unwrap().to_owned());
        }
        names
    });
    let status = command(end, &address).output().unwrap().status;
    // An empty datagram ends the reader. It arrives after all datagrams of the process.
    UdpSocket::bind("127.0.0.1:0").unwrap().send_to(&[], &address).unwrap();
    (reader.join().unwrap(), status)
}

/// The daemon accepts the request for sampling rules and never answers.
fn the_daemon_hangs() {
    let (segments, rules) = (UdpSocket::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let address = format!("udp:{} tcp:{}", segments.local_addr().unwrap(), rules.local_addr().unwrap());
    let mut process = command("undecided", &address).stdin(Stdio::piped()).spawn().unwrap();
    let _held = rules.accept().unwrap();
    drop(process.stdin.take());
    let started = Instant::now();
    while process.try_wait().unwrap().is_none() {
        assert!(started.elapsed() < HANGS, "the process does not end");
        thread::sleep(Duration::from_millis(10));
    }
    assert!(process.wait().unwrap().success());
}

/// There is no daemon and much to send. The program ends nevertheless.
fn nobody_listens() {
    let address = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let started = Instant::now();
    assert!(command("many", &address).output().unwrap().status.success());
    assert!(started.elapsed() < HANGS, "it took {:?}", started.elapsed());
}
