//! Long segments: they are reported while they are open, and their ended subsegments are sent before they end.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use support::Always;
use support::documents::{capture_blocking, checked};
use xray::emitter::{Emitter, FinishedSegment, MemoryEmitter};
use xray::{Document, Recorder, Segment, SegmentId, TraceHeader};

/// Longer than any test takes.
const NEVER: Duration = Duration::from_secs(3600);
const SOON: Duration = Duration::from_millis(20);

/// An emitter that passes documents on. The receiver notices when the emitter is dropped.
struct Channel(Sender<Document>);

impl Emitter for Channel {
    fn emit(&self, segment: FinishedSegment) {
        // The receiver may be gone, because a test has ended.
        let _ = self.0.send(segment.into());
    }
}

fn recorder(in_progress_after: Duration) -> (Recorder, Receiver<Document>) {
    let (sender, documents) = channel();
    (
        Recorder::builder().sampler(Always).emitter(Channel(sender)).in_progress_after(in_progress_after).build(),
        documents,
    )
}

fn next(documents: &Receiver<Document>) -> Document {
    let document = documents.recv_timeout(Duration::from_secs(20)).expect("no document is emitted");
    checked(vec![document]).remove(0)
}

fn rest(documents: &Receiver<Document>) -> Vec<Document> {
    checked(documents.try_iter().collect())
}

#[test]
fn a_long_segment_is_reported_once_and_its_subsegments_when_they_end() {
    let (recorder, documents) = recorder(SOON);
    let began = Instant::now();
    let segment = Segment::builder("job").recorder(&recorder).begin();
    segment.annotate("tier", "gold");
    let open = segment.subsegment("open");
    let mut seen = vec![next(&documents)];
    assert!(began.elapsed() >= SOON, "the segment is reported before it is due");

    for name in ["first", "second"] {
        let part = segment.subsegment(name);
        part.subsegment("inner").end();
        let id = part.id();
        part.end();
        // The subsegment is sent while the segment stays open.
        let document = next(&documents);
        assert_eq!((Some(document.id), document.parent_id), (id, segment.id()));
        assert_eq!(document.trace_id, segment.trace_id());
        assert!(document.kind.is_some() && document.subsegments[0].name == "inner");
        seen.push(document);
    }
    let (id, trace_id) = (segment.id(), segment.trace_id());
    segment.end();
    open.end();
    seen.extend([next(&documents), next(&documents)]);
    seen.extend(rest(&documents));

    let names: Vec<_> = seen.iter().map(|document| document.name.as_str()).collect();
    assert_eq!(names, ["job", "first", "second", "job", "open"]);
    let (told, last) = (&seen[0], &seen[3]);
    assert!(told.in_progress && told.end_time.is_none() && told.subsegments.is_empty());
    assert!(!last.in_progress && last.end_time.is_some() && last.subsegments.is_empty());
    for document in [told, last] {
        assert_eq!((Some(document.id), document.trace_id, document.annotations.len()), (id, trace_id, 1));
    }
}

#[test]
fn unsampled_and_short_segments_are_not_reported_in_progress() {
    let (recorder, documents) = recorder(SOON);
    let begin = |name: &str, sampled: &str| {
        Segment::builder(name).recorder(&recorder).trace_header(&TraceHeader::parse(sampled)).begin()
    };
    let unsampled = begin("unsampled", "Sampled=0");
    let long = begin("long", "Sampled=1");
    let (patient, untold) = self::recorder(NEVER);
    let early = Segment::builder("early").recorder(&patient).begin();
    assert_eq!(next(&documents).name, "long");
    long.subsegment("part").end();
    assert_eq!(next(&documents).name, "part", "a reported segment sends its subsegments when they end");
    drop((unsampled, long, early));
    let names: Vec<_> = rest(&documents).into_iter().filter(|document| document.name != "long").collect();
    assert!(names.is_empty(), "{names:#?}");
    let [early] = &rest(&untold)[..] else { panic!("more than its end") };
    assert!(!early.in_progress && early.end_time.is_some());
}

#[test]
fn without_an_interval_no_segment_is_reported_in_progress() {
    let emitter = MemoryEmitter::new();
    let recorder = Recorder::builder().sampler(Always).emitter(emitter.clone()).build();
    let segment = Segment::builder("job").recorder(&recorder).begin();
    // A recorder with an interval reports a segment that began later. The first segment would have been due before
    // that.
    let (with_interval, reported) = self::recorder(SOON);
    let later = Segment::builder("later").recorder(&with_interval).begin();
    assert!(next(&reported).in_progress);
    drop(later);
    assert!(emitter.take().is_empty());
    segment.end();
    assert_eq!(emitter.take().len(), 1);
}

/// A panic of the emitter in one report ends neither the reports nor the thread.
#[test]
fn after_an_emitter_has_panicked_in_a_report_other_segments_are_reported() {
    struct PanicsAt(&'static str, Sender<Document>);

    impl Emitter for PanicsAt {
        fn emit(&self, segment: FinishedSegment) {
            let name = segment.name().to_owned();
            let _ = self.1.send(segment.into());
            assert_ne!(name, self.0, "the test's own panic");
        }
    }

    let (sender, documents) = channel();
    let builder = Recorder::builder().sampler(Always).emitter(PanicsAt("first", sender));
    let recorder = builder.in_progress_after(SOON).build();
    let begin = |name: &str| Segment::builder(name).recorder(&recorder).begin();
    let first = begin("first");
    assert_eq!(next(&documents).name, "first");
    let second = begin("second");
    assert_eq!(next(&documents).name, "second");
    second.end();
    // The end of `first` would emit on this thread, and panic.
    std::mem::forget(first);
}

/// The thread does not keep the recorder alive, whatever the thread waits for.
#[test]
fn the_progress_thread_ends_with_its_recorder() {
    for (interval, is_used) in [(SOON, true), (NEVER, true), (SOON, false)] {
        let (recorder, documents) = recorder(interval);
        if is_used {
            Segment::builder("job").recorder(&recorder).begin().end();
        }
        drop(recorder);
        let ended = loop {
            match documents.recv_timeout(Duration::from_secs(20)) {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert_eq!(ended, std::sync::mpsc::RecvTimeoutError::Disconnected, "the thread keeps the emitter alive");
    }
}

/// The recorder keeps nothing of segments that have ended, and they do not keep the recorder alive.
#[test]
fn many_short_segments_leave_nothing_behind() {
    let (recorder, documents) = recorder(NEVER);
    for _ in 0..10_000 {
        Segment::builder("short").recorder(&recorder).begin().subsegment("part").end();
    }
    assert_eq!(documents.try_iter().filter(|document| document.end_time.is_some()).count(), 10_000);
    assert_eq!(recorder.stats().documents_emitted, 10_000);
    drop(recorder);
    let ended = documents.recv_timeout(Duration::from_secs(20)).unwrap_err();
    assert_eq!(ended, std::sync::mpsc::RecvTimeoutError::Disconnected, "an ended segment keeps the recorder alive");
}

fn streaming(limit: impl FnOnce(xray::RecorderBuilder) -> xray::RecorderBuilder) -> (Segment, MemoryEmitter) {
    let emitter = MemoryEmitter::new();
    let recorder = limit(Recorder::builder().sampler(Always).emitter(emitter.clone())).build();
    (Segment::builder("job").recorder(&recorder).begin(), emitter)
}

fn ids(document: &Document, ids: &mut Vec<SegmentId>) {
    ids.push(document.id);
    for inner in &document.subsegments {
        self::ids(inner, ids);
    }
}

fn check_ids(documents: &[Document], expected: usize) {
    let mut all = Vec::new();
    for document in documents {
        ids(document, &mut all);
    }
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), expected);
}

#[test]
fn nested_subsegments_count_towards_the_threshold() {
    let (segment, emitter) = streaming(|builder| builder.streaming_threshold(9));
    for round in 0..3 {
        for _ in 0..2 {
            let part = segment.subsegment("part");
            (0..3).for_each(|_| part.subsegment("inner").end());
            part.end();
            assert!(emitter.take().is_empty(), "eight subsegments are below the threshold, in round {round}");
        }
        segment.subsegment("ninth").end();
        assert!(emitter.take().is_empty());
        segment.subsegment("tenth").end();
        let left = checked(emitter.take());
        assert_eq!(left.len(), 4, "the direct subsegments leave, each with its own subsegments");
        check_ids(&left, 10);
        assert!(left.iter().all(|part| part.parent_id == segment.id() && part.trace_id == segment.trace_id()));
    }
    segment.end();
    assert!(checked(emitter.take())[0].subsegments.is_empty());
}

#[test]
fn a_threshold_of_zero_keeps_no_subsegment() {
    let (segment, emitter) = streaming(|builder| builder.streaming_threshold(0));
    let part = segment.subsegment("part");
    part.subsegment("inner").end();
    assert_eq!(checked(emitter.take())[0].parent_id, part.id());
    part.end();
    assert_eq!(checked(emitter.take())[0].parent_id, segment.id());
}

#[test]
fn bytes_in_nested_subsegments_count_towards_the_threshold() {
    let (segment, emitter) = streaming(|builder| builder.streaming_threshold_bytes(10_000));
    let part = segment.subsegment("part");
    let inner = part.subsegment("inner");
    inner.add_metadata("text", "x".repeat(8_000));
    inner.end();
    part.end();
    assert!(emitter.take().is_empty());
    let other = segment.subsegment("other");
    other.record_error(&std::io::Error::other("y".repeat(900)));
    other.annotate("text", "z".repeat(900));
    other.end();
    let left = checked(emitter.take());
    assert_eq!(left.iter().map(|part| part.name.as_str()).collect::<Vec<_>>(), ["part", "other"]);
    check_ids(&left, 3);
    segment.subsegment("small").end();
    assert!(emitter.take().is_empty(), "the count starts again");
    segment.end();
    assert_eq!(emitter.take()[0].subsegments.len(), 1);
}

/// The default threshold is what a datagram holds, so no document has to be cut.
#[test]
fn a_document_stays_within_what_a_datagram_holds() {
    let ((), documents) = capture_blocking(|| {
        let segment = Segment::builder("job").begin();
        for _ in 0..40 {
            segment.subsegment("part").add_metadata("text", "x".repeat(7_000));
        }
    });
    check_ids(&documents, 41);
    for document in documents {
        assert!(serde_json::to_string(&document).unwrap().len() <= 64 * 1024);
    }
}
