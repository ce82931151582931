//! The task on the background thread: it is started again after it could not start or has died.

use std::fs::File;
use std::io::{self, Write};
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use log::Level;
use process::without_threads;
use support::child::run_with;
use support::logs;
use support::sampling_daemon::{Daemon as SamplingDaemon, bare_daemon, eager, rule, until, write};
use xray::emitter::LinesEmitter;
use xray::origin::Detector;
use xray::{Recorder, Segment};

use crate::{Daemon, LONG, record, recorder_to, settled};

#[track_caller]
fn run(name: &str, body: impl FnOnce()) {
    run_with(module_path!(), name, &[], body);
}

/// Records until the daemon or the file gets a document again.
fn until_sent(recorder: &Recorder) {
    let sent = recorder.stats().documents_sent;
    until("documents are sent again", || {
        record(recorder, "after");
        recorder.flush(LONG);
        recorder.stats().documents_sent > sent
    });
}

#[test]
fn without_a_thread_documents_wait_until_there_is_one() {
    run("without_a_thread_documents_wait_until_there_is_one", || {
        logs::keep();
        let daemon = Daemon::start();
        let recorder = daemon.recorder();
        without_threads(|| {
            for _ in 0..10 {
                record(&recorder, "waits");
            }
            assert!(!recorder.flush(LONG), "nothing sends");
        });
        until_sent(&recorder);
        let stats = settled(&recorder);
        assert_eq!(stats.documents_dropped, 0, "what waited is kept");
        for _ in 0..10 {
            assert_eq!(daemon.receive_name(), "waits");
        }
        let errors = logs::texts_at(Level::Error);
        assert_eq!(errors.len(), 1, "{errors:#?}");
    });
}

#[test]
fn without_a_file_documents_wait_until_there_is_one() {
    run("without_a_file_documents_wait_until_there_is_one", || {
        logs::keep();
        let daemon = Daemon::start();
        let recorder = daemon.recorder();
        let files: Vec<_> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
        for _ in 0..10 {
            record(&recorder, "waits");
        }
        recorder.flush(LONG);
        drop(files);
        until_sent(&recorder);
        let stats = settled(&recorder);
        assert_eq!(stats.documents_dropped, 0, "what waited is kept");
        let errors = logs::texts_at(Level::Error);
        assert_eq!(errors.len(), 1, "{errors:#?}");
    });
}

/// The sampler asks the daemon, an open segment is reported and the origin is detected, each by a task that could not
/// start.
#[test]
fn without_a_thread_every_task_is_started_later() {
    let name = "without_a_thread_every_task_is_started_later";
    // Answers as the metadata service of ECS, in the process of the test and in that of the case.
    let metadata = bare_daemon(|connection| {
        write(connection, b"HTTP/1.1 200 OK\r\ncontent-length: 37\r\n\r\n{\"DockerId\":\"70de5b6f19ff9a0a0000\"  }");
    });
    let metadata = format!("http://{metadata}/v4/task");
    run_with(module_path!(), name, &[("ECS_CONTAINER_METADATA_URI_V4", &metadata)], || {
        let sampling = SamplingDaemon::with_rules(&[rule("Default", 10_000, "*")]);
        let daemon = Daemon::start();
        let address = format!("udp:{} tcp:{}", daemon.address, sampling.address);
        let builder = Recorder::builder().sampler(eager().build()).daemon_address(&address);
        let builder = builder.in_progress_after(Duration::from_millis(10)).detect_origin([Detector::Ecs]);
        let recorder = without_threads(|| {
            let recorder = builder.build();
            Segment::builder("waits").recorder(&recorder).begin().end();
            recorder
        });
        let (mut is_by_rule, mut is_reported, mut has_origin) = (false, false, false);
        until("each task runs", || {
            let segment = Segment::builder("after").recorder(&recorder).begin();
            std::thread::sleep(Duration::from_millis(15));
            drop(segment);
            for document in daemon.documents.try_iter() {
                is_by_rule |= document["aws"]["xray"]["sampling_rule_name"] == "Default";
                is_reported |= document["in_progress"] == true;
                has_origin |= document["origin"] == "AWS::ECS::Container";
            }
            is_by_rule && is_reported && has_origin
        });
    });
}

/// The name is looked up on a thread, which cannot be started.
#[test]
fn without_a_thread_for_the_look_up_of_a_name_the_task_lives_on() {
    run("without_a_thread_for_the_look_up_of_a_name_the_task_lives_on", || {
        logs::keep();
        let socket = UdpSocket::bind("localhost:0").unwrap();
        let named = format!("localhost:{}", socket.local_addr().unwrap().port());
        // The thread of this recorder runs before the limit.
        let recorder = recorder_to(&named);
        let other = Daemon::start();
        let running = other.recorder();
        record(&running, "before");
        settled(&running);
        without_threads(|| {
            record(&recorder, "first");
            record(&running, "second");
            assert!(running.flush(LONG));
        });
        until_sent(&recorder);
        settled(&recorder);
        settled(&running);
    });
}

#[test]
fn a_logger_that_panics_ends_nothing() {
    run("a_logger_that_panics_ends_nothing", || {
        logs::keep();
        logs::at_each_line(|| panic!("the test's own logger"));
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap().to_string();
        drop(socket);
        let recorder = recorder_to(&address);
        for _ in 0..3 {
            record(&recorder, "refused");
        }
        let stats = settled(&recorder);
        assert_eq!(stats.documents_dropped, 3, "{stats:?}");
        let _daemon = UdpSocket::bind(&address).unwrap();
        record(&recorder, "taken");
        assert_eq!(settled(&recorder).documents_sent, 1);
    });
}

/// A writer that panics while its flag is set. `println!` panics in a similar way if its pipe is closed.
struct Panics(Arc<AtomicBool>, Vec<u8>);

impl Write for Panics {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        assert!(!self.0.load(Ordering::Relaxed), "the test's own panic");
        self.1.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_writer_that_has_panicked_is_used_again() {
    run("a_writer_that_has_panicked_is_used_again", || {
        logs::keep();
        let panics = Arc::new(AtomicBool::new(true));
        let writer = Panics(Arc::clone(&panics), Vec::new());
        let recorder = Recorder::builder().emitter(LinesEmitter::new(writer)).build();
        for _ in 0..3 {
            record(&recorder, "lost");
        }
        assert_eq!(settled(&recorder).documents_dropped, 3);
        panics.store(false, Ordering::Relaxed);
        record(&recorder, "written");
        assert_eq!(settled(&recorder).documents_sent, 1);
        let warnings = logs::texts_of("xray::emitter");
        assert_eq!(warnings.iter().filter(|text| text.contains("panicked")).count(), 1, "{warnings:#?}");
    });
}

/// The task has nothing to do between two documents, and dies in that time with its thread.
#[test]
fn a_thread_that_has_died_is_replaced() {
    run("a_thread_that_has_died_is_replaced", || {
        let daemon = Daemon::start();
        let recorder = daemon.recorder();
        record(&recorder, "before");
        settled(&recorder);
        // A program that puts itself in the background closes its files, and with them the one by which the thread
        // waits.
        process::replace_files(|file| file.contains("[eventpoll]"));
        for _ in 0..3 {
            record(&recorder, "after");
            std::thread::sleep(Duration::from_millis(1));
        }
        until_sent(&recorder);
        settled(&recorder);
    });
}
