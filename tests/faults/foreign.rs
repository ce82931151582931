//! Code of the program that the SDK runs: an emitter, a sampler and a logger that panic or ask the SDK something.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use log::Level;
use support::child::run_with;
use support::logs;
use xray::emitter::{Emitter, FinishedSegment, MemoryEmitter};
use xray::sampling::{Decision, Sampler, SamplerHost, SamplingRequest};
use xray::{Recorder, Segment, TraceHeader};

use crate::{record, settled};

#[track_caller]
fn run(name: &str, body: impl FnOnce()) {
    run_with(module_path!(), name, &[], body);
}

/// An emitter whose every method panics, its destructor included.
struct PanickingEmitter;

impl Emitter for PanickingEmitter {
    fn emit(&self, _: FinishedSegment) {
        panic!("the test's own emitter");
    }

    fn flush(&self, _: Duration) -> bool {
        panic!("the test's own emitter");
    }
}

impl Drop for PanickingEmitter {
    fn drop(&mut self) {
        panic!("the test's own emitter");
    }
}

#[test]
fn an_emitter_that_panics_loses_its_documents_and_nothing_else() {
    run("an_emitter_that_panics_loses_its_documents_and_nothing_else", || {
        logs::keep();
        let recorder = Recorder::builder().emitter(PanickingEmitter).build();
        for _ in 0..3 {
            record(&recorder, "lost");
        }
        assert!(!recorder.flush(Duration::from_secs(1)));
        let stats = recorder.stats();
        assert_eq!((stats.documents_emitted, stats.documents_sent, stats.documents_dropped), (3, 0, 3));
        let errors = logs::texts_at(Level::Error);
        assert_eq!(errors.len(), 1, "{errors:#?}");
        assert!(errors[0].contains("PanickingEmitter"), "{errors:#?}");
        drop(recorder);
    });
}

/// Without a guard the second panic would abort the process.
#[test]
fn an_emitter_that_panics_during_a_panic_leaves_the_first_panic_alone() {
    run("an_emitter_that_panics_during_a_panic_leaves_the_first_panic_alone", || {
        let recorder = Recorder::builder().emitter(PanickingEmitter).build();
        let panic = catch_unwind(AssertUnwindSafe(move || {
            let _segment = Segment::builder("s").recorder(&recorder).sampled(true).begin();
            drop(recorder);
            panic!("the first panic");
        }));
        assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"the first panic"));
    });
}

/// A sampler whose every method panics, its destructor included.
struct PanickingSampler;

impl Sampler for PanickingSampler {
    fn sample(&self, _: &SamplingRequest<'_>) -> Decision {
        panic!("the test's own sampler");
    }

    fn attach(&self, _: &SamplerHost) {
        panic!("the test's own sampler");
    }
}

impl Drop for PanickingSampler {
    fn drop(&mut self) {
        panic!("the test's own sampler");
    }
}

#[test]
fn a_sampler_that_panics_records_nothing() {
    run("a_sampler_that_panics_records_nothing", || {
        logs::keep();
        let emitter = MemoryEmitter::new();
        let recorder = Recorder::builder().sampler(PanickingSampler).emitter(emitter.clone()).build();
        for _ in 0..3 {
            let segment = Segment::builder("undecided").recorder(&recorder).begin();
            assert!(!segment.is_sampled() && segment.trace_id().is_some());
        }
        record(&recorder, "decided");
        assert_eq!(emitter.take().len(), 1);
        let errors = logs::texts_at(Level::Error);
        assert_eq!(errors.len(), 2, "one for `attach`, one for `sample`: {errors:#?}");
        assert!(errors.iter().all(|error| error.contains("PanickingSampler")), "{errors:#?}");
        assert_eq!(recorder.stats().sampling_failures, 3);
        drop(recorder);
    });
}

#[test]
fn what_a_hook_captures_may_panic_when_it_is_dropped() {
    run("what_a_hook_captures_may_panic_when_it_is_dropped", || {
        let captured = PanickingSampler;
        let builder = Recorder::builder().emitter(MemoryEmitter::new()).on_response(move |_, _| {
            let _ = &captured;
        });
        drop(builder.build());
    });
}

/// In Lambda no sampler is used, and the variable selects the default emitter.
#[test]
fn what_the_environment_replaces_may_panic_when_it_is_dropped() {
    let name = "what_the_environment_replaces_may_panic_when_it_is_dropped";
    run_with(module_path!(), name, &[("LAMBDA_TASK_ROOT", "/var/task"), ("AWS_XRAY_EMITTER", "udp")], || {
        drop(Recorder::builder().sampler(PanickingSampler).emitter(PanickingEmitter).build());
    });
}

#[test]
fn a_logger_that_panics_reaches_no_caller() {
    run("a_logger_that_panics_reaches_no_caller", || {
        logs::keep();
        logs::at_each_line(|| panic!("the test's own logger"));
        let recorder = Recorder::builder().daemon_address("nowhere").emitter(MemoryEmitter::new()).build();
        record(&recorder, "first");
        drop(xray::http::call("GET", "http://h/"));
        Segment::builder("s").recorder(&recorder).sampled(true).begin().annotate("no key", 1);
        assert_eq!(settled(&recorder).documents_emitted, recorder.stats().documents_sent);
    });
}

/// The logger begins and ends a segment and asks for the counts at each line. The line comes from the start of the
/// first invocation: the file by which the SDK announces itself cannot be created.
#[test]
fn a_logger_that_asks_during_the_first_invocation_does_not_wait_for_itself() {
    let name = "a_logger_that_asks_during_the_first_invocation_does_not_wait_for_itself";
    run_with(module_path!(), name, &[("AWS_LAMBDA_FUNCTION_NAME", "f"), ("TMPDIR", "/dev/null")], || {
        logs::keep();
        logs::at_each_line(|| {
            let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
            drop(Segment::facade(header));
            let _ = xray::stats();
        });
        let (done, is_done) = channel();
        thread::spawn(move || {
            drop(Segment::facade("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"));
            done.send(()).unwrap();
        });
        is_done.recv_timeout(Duration::from_secs(10)).expect("the logger waits for the line that it logs");
        let lines = logs::texts_of("xray::lambda");
        assert_eq!(lines.len(), 1, "{lines:#?}");
    });
}

/// At each line the logger begins a segment of the recorder that logs. A thread cannot be started at that moment.
#[test]
fn a_logger_that_asks_while_no_thread_can_be_started_does_not_wait_for_itself() {
    let name = "a_logger_that_asks_while_no_thread_can_be_started_does_not_wait_for_itself";
    run_with(module_path!(), name, &[("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:9")], || {
        logs::keep();
        let builder = Recorder::builder().in_progress_after(Duration::from_secs(1));
        drop(builder.sampler(xray::sampling::Central::default()).install().unwrap());
        logs::at_each_line(|| {
            thread_local!(static IS_ASKING: std::cell::Cell<bool> = const { std::cell::Cell::new(false) });
            if !IS_ASKING.replace(true) {
                Segment::builder("from the logger").trace_header(&TraceHeader::parse("Sampled=1")).begin().end();
                let _ = (Segment::builder("undecided").begin(), xray::stats());
                IS_ASKING.set(false);
            }
        });
        let (done, is_done) = channel();
        let thread = thread::spawn(move || {
            process::without_threads(|| {
                Segment::builder("undecided").begin().end();
                Segment::builder("decided").sampled(true).begin().end();
            });
            done.send(()).unwrap();
        });
        is_done.recv_timeout(Duration::from_secs(10)).expect("the logger waits for the line that it logs");
        thread.join().unwrap();
        assert!(!logs::texts_at(Level::Error).is_empty());
    });
}
