//! Any answer of the daemon to a question for sampling rules or quotas: the sampler goes on to decide.
#![no_main]

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{LazyLock, Mutex};
use std::thread;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use xray::emitter::MemoryEmitter;
use xray::sampling::Central;
use xray::{Recorder, Segment};

/// A daemon that answers each request with the text that the target sends it.
struct Daemon {
    recorder: Recorder,
    answers: Mutex<(Sender<Vec<u8>>, Receiver<()>)>,
}

static DAEMON: LazyLock<Daemon> = LazyLock::new(|| {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let address = listener.local_addr().expect("the socket is bound");
    let (answer, answers) = channel::<Vec<u8>>();
    let (answered, is_answered) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            // The requests of the sampler are smaller than a segment of TCP on loopback.
            let _ = stream.read(&mut [0; 65_536]);
            let Ok(body) = answers.recv() else { return };
            let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
            let _ = answered.send(());
        }
    });
    let sampler = Central::builder().fetch_rules_every(Duration::from_millis(1)).report_every(Duration::from_millis(1));
    let recorder = Recorder::builder()
        .sampler(sampler.build())
        .emitter(MemoryEmitter::new())
        .daemon_address(address.to_string())
        .build();
    Daemon { recorder, answers: Mutex::new((answer, is_answered)) }
});

fuzz_target!(|answer: &[u8]| {
    // The first decision makes the sampler ask. Each later one follows the answers so far.
    Segment::builder("fuzzed").recorder(&DAEMON.recorder).begin().end();
    let answers = DAEMON.answers.lock().expect("the target does not panic with the lock");
    answers.0.send(answer.to_vec()).expect("the daemon runs");
    // This limit exceeds the one of `fuzz/run`, so that a busy machine causes no failure.
    answers.1.recv_timeout(Duration::from_secs(300)).expect("the sampler asks again after any answer");
});
