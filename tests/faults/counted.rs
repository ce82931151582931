//! The counts of documents: under every fault `recorded = delivered + dropped`, and each cause is logged once.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write};
use std::net::{TcpListener, UdpSocket};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use log::Level;
use process::{fork, has_thread, replace_files};
use proptest::prelude::*;
use proptest::test_runner::Config;
use support::child::run_with;
use support::logs;
use support::otlp::RawServer;
use support::sampling_daemon::until;
use xray::emitter::{Emitter, FinishedSegment, LinesEmitter, OtlpEmitter};
use xray::{Recorder, RecorderBuilder, Segment};

use crate::{Daemon, LONG, record, recorder_to, settled};

#[track_caller]
fn run(name: &str, body: impl FnOnce()) {
    run_with(module_path!(), name, &[], body);
}

#[test]
fn a_full_disk_is_counted_and_logged_once() {
    run("a_full_disk_is_counted_and_logged_once", || {
        logs::keep();
        let full = File::options().write(true).open("/dev/full").unwrap();
        let recorder = Recorder::builder().emitter(LinesEmitter::new(full)).build();
        for _ in 0..100 {
            record(&recorder, "lost");
        }
        let stats = settled(&recorder);
        assert_eq!((stats.documents_emitted, stats.documents_dropped), (100, 100), "{stats:?}");
        let warnings = logs::texts_at(Level::Warn);
        assert_eq!(warnings.len(), 1, "{warnings:#?}");
    });
}

#[test]
fn a_document_that_is_split_counts_as_its_parts() {
    run("a_document_that_is_split_counts_as_its_parts", || {
        let refused = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let daemon = Daemon::start();
        for address in [daemon.address.to_string(), refused] {
            let builder = Recorder::builder().sampler(support::Always).daemon_address(&address);
            let recorder = builder.streaming_threshold_bytes(usize::MAX).build();
            let segment = Segment::builder("split").recorder(&recorder).begin();
            for _ in 0..3 {
                segment.subsegment("large").add_metadata("text", "x".repeat(40_000));
            }
            segment.end();
            assert_eq!(settled(&recorder).documents_emitted, 4);
        }
        assert_eq!((0..4).map(|_| daemon.receive()).filter(|document| document["name"] == "large").count(), 3);
    });
}

#[test]
fn lines_that_are_written_count_as_sent() {
    run("lines_that_are_written_count_as_sent", || {
        let recorder = Recorder::builder().emitter(LinesEmitter::new(std::io::sink())).build();
        for _ in 0..100 {
            record(&recorder, "written");
        }
        assert_eq!(settled(&recorder).documents_sent, 100);
    });
}

#[test]
fn a_name_that_does_not_resolve_is_counted() {
    run("a_name_that_does_not_resolve_is_counted", || {
        logs::keep();
        let recorder = recorder_to("daemon.invalid:2000");
        for _ in 0..10 {
            record(&recorder, "lost");
        }
        assert_eq!(settled(&recorder).documents_dropped, 10);
        assert_eq!(logs::texts_at(Level::Warn).len(), 1);
    });
}

/// The fault of a case.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    Nothing,
    NameDoesNotResolve,
    Refused,
    QueueIsFull,
    TaskDies,
    Fork,
    EmitterPanics,
    DiskIsFull,
    Spans(SpanFault),
}

/// The fault of a case that sends documents as spans.
#[derive(Debug, Clone, Copy, PartialEq)]
enum SpanFault {
    Nothing,
    /// No server listens at the address.
    Nobody,
    /// The server closes the connection without a response.
    Closed,
    /// The server answers with a status after which the request is not sent again.
    Refused,
    /// The server reports that it rejected two spans.
    Rejected,
    QueueIsFull,
    TaskDies,
    Fork,
}

/// A segment that is recorded.
#[derive(Debug, Clone, Copy)]
enum Shape {
    Small,
    /// Its subsegments do not fit into one datagram.
    Split,
    /// Its own data does not fit into one datagram.
    Large,
}

fn faults() -> impl Strategy<Value = Fault> {
    prop_oneof![
        Just(Fault::Nothing),
        Just(Fault::NameDoesNotResolve),
        Just(Fault::Refused),
        Just(Fault::QueueIsFull),
        Just(Fault::TaskDies),
        Just(Fault::Fork),
        Just(Fault::EmitterPanics),
        Just(Fault::DiskIsFull),
        Just(Fault::Spans(SpanFault::Nothing)),
        Just(Fault::Spans(SpanFault::Nobody)),
        Just(Fault::Spans(SpanFault::Closed)),
        Just(Fault::Spans(SpanFault::Refused)),
        Just(Fault::Spans(SpanFault::Rejected)),
        Just(Fault::Spans(SpanFault::QueueIsFull)),
        Just(Fault::Spans(SpanFault::TaskDies)),
        Just(Fault::Spans(SpanFault::Fork)),
    ]
}

fn shapes() -> impl Strategy<Value = Vec<Shape>> {
    let shape = prop_oneof![6 => Just(Shape::Small), 1 => Just(Shape::Split), 1 => Just(Shape::Large)];
    proptest::collection::vec(shape, 1..20)
}

impl Shape {
    fn record(self, recorder: &Recorder) {
        let segment = Segment::builder("s").recorder(recorder).begin();
        match self {
            Self::Small => {}
            Self::Split => {
                for _ in 0..3 {
                    segment.subsegment("part").add_metadata("text", "x".repeat(40_000));
                }
            }
            Self::Large => {
                for key in ["a", "b", "c"] {
                    segment.add_aws(key, "x".repeat(40_000));
                }
            }
        }
    }
}

/// An emitter that panics at every second document.
struct PanicsAtTimes(Mutex<usize>);

impl Emitter for PanicsAtTimes {
    fn emit(&self, _: FinishedSegment) {
        let number = {
            let mut count = self.0.lock().unwrap();
            *count += 1;
            *count
        };
        assert!(number % 2 == 0, "the test's own emitter");
    }
}

/// A writer that waits for a message before it writes the first time.
struct Waits(Receiver<()>);

impl Write for Waits {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.0.recv();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Resources that a case keeps until its end.
struct Broken {
    daemon: Daemon,
    /// Lets the waiting writer or server continue, when this sender is dropped.
    gate: Option<Sender<()>>,
}

impl SpanFault {
    /// Starts a server with this fault, and returns an emitter that sends to the server.
    fn emitter(self, broken: &mut Broken) -> OtlpEmitter {
        let (gate, waits) = channel::<()>();
        broken.gate = (self == Self::QueueIsFull).then_some(gate);
        let waits = Mutex::new(waits);
        let taken = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        let server = RawServer::start(move |stream| {
            let _ = match self {
                Self::Closed | Self::Nobody => Ok(()),
                Self::Refused => stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"),
                Self::Rejected => {
                    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n{\"partialSuccess\":{\"rejectedSpans\":\"2\"}}")
                }
                Self::QueueIsFull => {
                    let _ = waits.lock().unwrap().recv();
                    stream.write_all(taken)
                }
                Self::Nothing | Self::TaskDies | Self::Fork => stream.write_all(taken),
            };
        });
        let url = match self {
            Self::Nobody => format!("http://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()),
            _ => server.url(),
        };
        // Small requests let the queue fill while the server waits.
        OtlpEmitter::builder().endpoint(url).attempts(1).max_spans(100).build().unwrap()
    }
}

impl Fault {
    fn build(self, builder: RecorderBuilder, broken: &mut Broken) -> Recorder {
        let nobody = || UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let builder = match self {
            Self::NameDoesNotResolve => builder.daemon_address("daemon.invalid:2000"),
            Self::Refused => builder.daemon_address(nobody()),
            Self::EmitterPanics => builder.emitter(PanicsAtTimes(Mutex::default())),
            Self::DiskIsFull => {
                builder.emitter(LinesEmitter::new(File::options().write(true).open("/dev/full").unwrap()))
            }
            Self::QueueIsFull => {
                let (gate, waits) = channel();
                broken.gate = Some(gate);
                builder.emitter(LinesEmitter::new(Waits(waits)))
            }
            Self::Spans(fault) => builder.emitter(fault.emitter(broken)),
            Self::Nothing | Self::TaskDies | Self::Fork => builder.daemon_address(broken.daemon.address.to_string()),
        };
        builder.build()
    }

    /// Records the segments and causes the fault. Returns the minimum number of lost documents.
    fn record(self, shapes: &[Shape], recorder: &Recorder, broken: &mut Broken) -> u64 {
        let record_all = || shapes.iter().for_each(|shape| shape.record(recorder));
        let count = shapes.len() as u64;
        record_all();
        match self {
            Self::Nothing | Self::Spans(SpanFault::Nothing) => 0,
            Self::NameDoesNotResolve
            | Self::Refused
            | Self::DiskIsFull
            | Self::Spans(SpanFault::Nobody | SpanFault::Closed | SpanFault::Refused) => count,
            Self::EmitterPanics => count.div_ceil(2),
            Self::Spans(SpanFault::Rejected) => 1,
            Self::QueueIsFull | Self::Spans(SpanFault::QueueIsFull) => {
                // The queue holds 16,384 documents, and the writer has taken a few.
                (0..17_000).for_each(|_| record(recorder, "s"));
                broken.gate = None;
                1
            }
            Self::TaskDies | Self::Spans(SpanFault::TaskDies) => {
                assert!(recorder.flush(LONG));
                replace_files(|file| file.contains("[eventpoll]"));
                record_all();
                let sent = recorder.stats().documents_sent;
                until("documents are sent again", || {
                    record(recorder, "s");
                    recorder.flush(LONG);
                    recorder.stats().documents_sent > sent
                });
                0
            }
            Self::Fork | Self::Spans(SpanFault::Fork) => {
                let child = fork(|| {
                    record_all();
                    assert!(settled(recorder).documents_emitted >= count);
                });
                assert_eq!(child.wait(LONG), Some(0));
                record_all();
                0
            }
        }
    }
}

/// Logs at each line that is read: the texts of warnings and errors from the line of this number on.
fn problems_from(line: usize) -> Vec<String> {
    let lines = logs::lines().into_iter().skip(line).filter(|line| line.level <= Level::Warn);
    lines.map(|line| line.text).collect()
}

#[test]
fn under_every_fault_what_is_recorded_is_delivered_or_dropped_and_each_cause_is_logged_once() {
    let name = "under_every_fault_what_is_recorded_is_delivered_or_dropped_and_each_cause_is_logged_once";
    run_with(module_path!(), name, &[], || {
        logs::keep();
        log::set_max_level(log::LevelFilter::Info);
        let config = Config { failure_persistence: None, max_shrink_iters: 0, ..Config::with_cases(100) };
        proptest!(config, |(fault in faults(), shapes in shapes())| {
            let (first_line, mut broken) = (logs::lines().len(), Broken { daemon: Daemon::start(), gate: None });
            let builder = Recorder::builder().sampler(support::Always).streaming_threshold_bytes(usize::MAX);
            let recorder = fault.build(builder, &mut broken);
            let least_lost = fault.record(&shapes, &recorder, &mut broken);
            let stats = settled(&recorder);
            prop_assert!(stats.documents_emitted >= shapes.len() as u64 && stats.documents_dropped >= least_lost, "{:?}", stats);
            let is_other = matches!(fault, Fault::DiskIsFull | Fault::EmitterPanics | Fault::QueueIsFull | Fault::Fork);
            if !is_other && !matches!(fault, Fault::Spans(_)) {
                let ids = broken.daemon.receive_ids(stats.documents_sent);
                let arrived = ids.iter().collect::<BTreeSet<_>>().len();
                prop_assert_eq!(ids.len(), arrived, "no document arrives twice");
            }
            drop(recorder);
            // A thread of this case must not see the fault of the next one.
            until("the threads of the recorder end", || !has_thread("xray-"));
            let problems = problems_from(first_line);
            let causes: BTreeSet<_> = problems.iter().collect();
            prop_assert_eq!(causes.len(), problems.len(), "{:#?}", problems);
            prop_assert!(!causes.is_empty() || stats.documents_dropped == 0);
        });
    });
}
