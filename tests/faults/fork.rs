//! A process that forks after it has traced something: a server that forks its workers, a daemon that puts itself in
//! the background.

use std::collections::BTreeSet;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use process::fork;
use support::child::run_with;
use support::logs;
use support::sampling_daemon::{Daemon as SamplingDaemon, eager, rule, until};
use xray::emitter::{LinesEmitter, MemoryEmitter};
use xray::sampling::Local;
use xray::{Recorder, Segment, SegmentId, TraceId};

use crate::{Daemon, LONG, record, recorder_to, settled};

/// How long the flush of a child may take. A child that waits for a thread of its parent takes the whole of [`LONG`].
const SOON: Duration = Duration::from_secs(10);

#[track_caller]
fn run(name: &str, body: impl FnOnce()) {
    run_with(module_path!(), name, &[], body);
}

/// Sends the ids that follow to a socket of the parent.
fn send_ids(to: &str) {
    let segment = Segment::builder("ids").sampled(false).begin();
    let ids = [
        TraceId::random().to_string(),
        SegmentId::random().to_string(),
        segment.trace_id().unwrap().to_string(),
        segment.id().unwrap().to_string(),
    ];
    UdpSocket::bind("127.0.0.1:0").unwrap().send_to(ids.join(" ").as_bytes(), to).unwrap();
}

#[test]
fn every_process_makes_ids_of_its_own() {
    run("every_process_makes_ids_of_its_own", || {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(LONG)).unwrap();
        let address = socket.local_addr().unwrap().to_string();
        send_ids(&address);
        for _ in 0..3 {
            let child = fork(|| {
                send_ids(&address);
                assert_eq!(fork(|| send_ids(&address)).wait(LONG), Some(0));
                send_ids(&address);
            });
            assert_eq!(child.wait(LONG), Some(0));
        }
        send_ids(&address);
        let mut seen = BTreeSet::new();
        for _ in 0..11 {
            let mut text = [0; 200];
            let length = socket.recv(&mut text).unwrap();
            for id in std::str::from_utf8(&text[..length]).unwrap().split(' ') {
                assert!(seen.insert(id.to_owned()), "{id} is made twice");
            }
        }
    });
}

#[test]
fn the_child_sends_its_documents_and_counts_them() {
    run("the_child_sends_its_documents_and_counts_them", || {
        let daemon = Daemon::start();
        let recorder = daemon.recorder();
        record(&recorder, "before");
        settled(&recorder);
        let child = fork(|| {
            let started = Instant::now();
            assert!(recorder.flush(LONG), "there is nothing to wait for");
            for _ in 0..3 {
                record(&recorder, "child");
            }
            let stats = settled(&recorder);
            assert_eq!((stats.documents_emitted, stats.documents_sent), (3, 3), "{stats:?}");
            assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
        });
        record(&recorder, "parent");
        assert_eq!(child.wait(LONG), Some(0));
        assert_eq!(settled(&recorder).documents_sent, 2);
        let mut names = [(); 5].map(|()| daemon.receive_name());
        names.sort_unstable();
        assert_eq!(names, ["before", "child", "child", "child", "parent"]);
    });
}

#[test]
fn a_child_of_a_child_sends_its_documents() {
    run("a_child_of_a_child_sends_its_documents", || {
        let daemon = Daemon::start();
        let recorder = daemon.recorder();
        record(&recorder, "first");
        settled(&recorder);
        let child = fork(|| {
            record(&recorder, "second");
            settled(&recorder);
            let child = fork(|| {
                record(&recorder, "third");
                settled(&recorder);
            });
            assert_eq!(child.wait(LONG), Some(0));
        });
        assert_eq!(child.wait(LONG), Some(0));
        assert_eq!([(); 3].map(|()| daemon.receive_name()), ["first", "second", "third"]);
    });
}

/// The segment began before the fork. The child ends it, and nothing else of the SDK runs in the child before.
#[test]
fn a_segment_that_began_before_the_fork_can_end_in_the_child() {
    run("a_segment_that_began_before_the_fork_can_end_in_the_child", || {
        let daemon = Daemon::start();
        let recorder = daemon.recorder();
        record(&recorder, "before");
        let mut segment = Some(Segment::builder("open").recorder(&recorder).begin());
        let child = fork(|| {
            drop(segment.take());
            assert_eq!(settled(&recorder).documents_sent, 1);
        });
        assert_eq!(child.wait(LONG), Some(0));
        // Two processes send the documents, so their order varies.
        let mut received = [daemon.receive_name(), daemon.receive_name()];
        received.sort_unstable();
        assert_eq!(received, ["before", "open"]);
    });
}

/// Other threads record at the moment of the fork, so they hold locks that nobody releases in the child.
#[test]
fn no_child_hangs_on_a_lock_of_its_parent() {
    run("no_child_hangs_on_a_lock_of_its_parent", || {
        let daemon = Daemon::start();
        let sampling = SamplingDaemon::with_rules(&[rule("Default", 10_000, "*")]);
        let address = format!("udp:{} tcp:{}", daemon.address, sampling.address);
        let builder = Recorder::builder().sampler(eager().build()).daemon_address(&address);
        let recorder = builder.in_progress_after(Duration::from_millis(10)).build();
        let is_over = Arc::new(AtomicBool::new(false));
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let (recorder, is_over) = (recorder.clone(), Arc::clone(&is_over));
                thread::spawn(move || {
                    while !is_over.load(Ordering::Relaxed) {
                        let segment = Segment::builder("parent").recorder(&recorder).begin();
                        segment.annotate("refused key", 1);
                        segment.subsegment("part").end();
                    }
                })
            })
            .collect();
        let mut hung = 0;
        for _ in 0..200 {
            let mut open = Some(Segment::builder("open").recorder(&recorder).begin());
            let child = fork(|| {
                drop(open.take());
                let segment = Segment::builder("child").recorder(&recorder).begin();
                segment.annotate("refused key", 1);
                segment.subsegment("part").end();
                drop(segment);
                recorder.flush(LONG);
            });
            hung += usize::from(child.wait(LONG) != Some(0));
        }
        is_over.store(true, Ordering::Relaxed);
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(hung, 0, "children of 200 hang");
    });
}

#[test]
fn every_process_makes_decisions_of_its_own() {
    run("every_process_makes_decisions_of_its_own", || {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(LONG)).unwrap();
        let address = socket.local_addr().unwrap();
        let sampler = Local::builder().default_rule(0, 0.5).build();
        let recorder = Recorder::builder().sampler(sampler).emitter(MemoryEmitter::new()).build();
        let is_sampled = || u8::from(Segment::builder("job").recorder(&recorder).begin().is_sampled());
        is_sampled();
        let decisions: BTreeSet<_> = (0..4)
            .map(|_| {
                let child = fork(|| {
                    let decisions: Vec<_> = (0..64).map(|_| is_sampled()).collect();
                    UdpSocket::bind("127.0.0.1:0").unwrap().send_to(&decisions, address).unwrap();
                });
                assert_eq!(child.wait(LONG), Some(0));
                let mut decisions = [0; 64];
                socket.recv(&mut decisions).unwrap();
                decisions
            })
            .collect();
        assert_eq!(decisions.len(), 4, "{decisions:?}");
    });
}

#[test]
fn lines_of_both_processes_are_whole() {
    run("lines_of_both_processes_are_whole", || {
        let path = env::temp_dir().join(format!("xray-fork-{}.jsonl", std::process::id()));
        let builder = Recorder::builder().sampler(support::Always);
        let recorder = builder.emitter(LinesEmitter::append(&path).unwrap()).build();
        record(&recorder, "before");
        assert!(recorder.flush(LONG));
        let child = fork(|| {
            (0..100).for_each(|_| record(&recorder, "child"));
            assert_eq!(settled(&recorder).documents_sent, 100);
        });
        (0..100).for_each(|_| record(&recorder, "parent"));
        assert!(recorder.flush(LONG));
        assert_eq!(child.wait(LONG), Some(0));
        let lines = fs::read_to_string(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let mut names: Vec<_> =
            lines.lines().map(|line| serde_json::from_str::<xray::Document>(line).unwrap().name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!((lines.lines().count(), names), (201, vec!["before".into(), "child".into(), "parent".into()]));
    });
}

#[test]
fn the_child_fetches_sampling_rules_under_an_id_of_its_own() {
    run("the_child_fetches_sampling_rules_under_an_id_of_its_own", || {
        let sampling = SamplingDaemon::with_rules(&[rule("Default", 10_000, "*")]);
        let daemon = Daemon::start();
        let address = format!("udp:{} tcp:{}", daemon.address, sampling.address);
        let recorder = Recorder::builder().sampler(eager().build()).daemon_address(&address).build();
        let use_rules = || {
            until("the rule of the daemon decides", || {
                Segment::builder("job").recorder(&recorder).begin().end();
                daemon.receive()["aws"]["xray"]["sampling_rule_name"] == "Default"
            });
        };
        use_rules();
        // The daemon's thread runs only in the parent, so the children cannot see which reports arrived. They record
        // until a report has been sent.
        for _ in 0..2 {
            let child = fork(|| {
                for _ in 0..200 {
                    Segment::builder("child").recorder(&recorder).begin().end();
                    thread::sleep(Duration::from_millis(5));
                }
            });
            assert_eq!(child.wait(LONG), Some(0));
        }
        let ids: BTreeSet<_> = sampling.reported().iter().map(|report| report["ClientID"].to_string()).collect();
        assert!(ids.len() >= 3, "a process has an id for its reports: {ids:?}");
    });
}

#[test]
fn a_long_segment_of_the_child_is_reported() {
    run("a_long_segment_of_the_child_is_reported", || {
        let daemon = Daemon::start();
        let builder = Recorder::builder().sampler(support::Always).daemon_address(daemon.address.to_string());
        let recorder = builder.in_progress_after(Duration::from_millis(20)).build();
        record(&recorder, "before");
        assert_eq!(daemon.receive_name(), "before");
        let child = fork(|| {
            let _segment = Segment::builder("child").recorder(&recorder).begin();
            thread::sleep(LONG);
        });
        let document = daemon.receive();
        assert_eq!((&document["name"], &document["in_progress"]), (&"child".into(), &true.into()));
        assert_eq!(child.wait(Duration::ZERO), None);
    });
}

/// A recorder that the child drops: the parent's queue is not touched, and the parent goes on.
#[test]
fn a_recorder_that_the_child_drops_stays_the_parents() {
    run("a_recorder_that_the_child_drops_stays_the_parents", || {
        let daemon = Daemon::start();
        let mut recorder = Some(recorder_to(&daemon.address.to_string()));
        record(recorder.as_ref().unwrap(), "before");
        let child = fork(|| drop(recorder.take()));
        assert_eq!(child.wait(LONG), Some(0));
        record(recorder.as_ref().unwrap(), "after");
        assert_eq!([daemon.receive_name(), daemon.receive_name()], ["before", "after"]);
        assert_eq!(logs::lines().len(), 0);
    });
}
