//! The line about each segment that ends.

use log::Level;
use support::child::run_with;
use support::{Always, logs};
use xray::emitter::MemoryEmitter;
use xray::sampling::{Decision, Local, Never, Rule, Sampler, SamplingRequest};
use xray::{Recorder, Segment, TraceHeader};

use super::{daemon, end_a_segment, texts, unused};

/// A sampler of a program's own.
struct Refuse;

impl Sampler for Refuse {
    fn sample(&self, _: &SamplingRequest<'_>) -> Decision {
        Decision::not_sampled().by_rule("health")
    }
}

#[test]
fn each_segment_is_logged_with_its_fate() {
    run_with(module_path!(), "each_segment_is_logged_with_its_fate", &[], || {
        logs::keep();
        let (_daemon, address) = daemon();
        let last = || texts("xray::segment", Level::Debug).pop().unwrap_or_default();

        let recorder = Recorder::builder().sampler(Always).daemon_address(&address).build();
        let trace = end_a_segment(&recorder);
        assert_eq!(last(), format!("segment `todo-app` of trace {trace}: sent to UDP {address}"));

        let refusing = unused();
        let recorder = Recorder::builder().sampler(Always).daemon_address(&refusing).build();
        let trace = end_a_segment(&recorder);
        let line = last();
        assert!(line.starts_with(&format!("segment `todo-app` of trace {trace}: dropped because")), "{line}");

        let recorder = Recorder::builder().emitter(MemoryEmitter::new()).build();
        let trace = end_a_segment(&recorder);
        assert_eq!(last(), format!("segment `todo-app` of trace {trace}: handed to `MemoryEmitter`"));

        let begin = |recorder: &Recorder, header: &str| {
            let header = TraceHeader::parse(header);
            Segment::builder("todo-app").recorder(recorder).trace_header(&header).request("GET", "/health").begin()
        };
        let line = |segment: Segment, reason: &str| {
            let trace = segment.trace_id().unwrap();
            drop(segment);
            assert_eq!(last(), format!("segment `todo-app` of trace {trace}: not sampled {reason}"));
        };
        line(begin(&recorder, "Sampled=0"), "by the caller, whose trace header says Sampled=0");
        line(
            Segment::builder("todo-app").recorder(&recorder).sampled(false).begin(),
            "by the program: `sampled(false)`",
        );
        for (sampler, by) in [(Boxed::new(Never), "Never"), (Boxed::new(Refuse), "Refuse")] {
            let recorder = Recorder::builder().sampler(sampler).emitter(MemoryEmitter::new()).build();
            let reason = if by == "Refuse" { "by rule `health`" } else { "by the sampler `Boxed`" };
            line(begin(&recorder, ""), reason);
        }
        let local = Local::builder().rule(Rule::new(0, 0.0).path("/health")).default_rule(0, 0.0).build();
        let recorder = Recorder::builder().sampler(local).emitter(MemoryEmitter::new()).build();
        line(begin(&recorder, ""), "by rule `Local rule 1`");
    });
}

#[test]
fn without_debug_lines_the_first_segment_that_is_not_sampled_is_logged() {
    let name = "without_debug_lines_the_first_segment_that_is_not_sampled_is_logged";
    run_with(module_path!(), name, &[], || {
        logs::keep();
        log::set_max_level(log::LevelFilter::Info);
        let never = Local::builder().default_rule(0, 0.0).build();
        let recorder = Recorder::builder().sampler(never).emitter(MemoryEmitter::new()).build();
        let trace = Segment::builder("todo-app").recorder(&recorder).begin().trace_id().unwrap();
        Segment::builder("todo-app").recorder(&recorder).begin().end();
        let lines = texts("xray::segment", Level::Info);
        let reason = format!("segment `todo-app` of trace {trace}: not sampled by the sampler `Local`");
        assert!(lines.len() == 1 && lines[0].starts_with(&reason), "{lines:?}");
    });
}

/// A sampler of any type.
struct Boxed(Box<dyn Sampler>);

impl Boxed {
    fn new(sampler: impl Sampler) -> Self {
        Self(Box::new(sampler))
    }
}

impl Sampler for Boxed {
    fn sample(&self, request: &SamplingRequest<'_>) -> Decision {
        self.0.sample(request)
    }
}
