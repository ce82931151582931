//! Random trees of subsegments that end in random order: each tree arrives as valid documents that hold every
//! subsegment once.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::Config;
use support::Always;
use support::documents::{checked, read_datagram};
use xray::document::{AnnotationValue, Cause};
use xray::emitter::{Emitter, FinishedSegment, MemoryEmitter};
use xray::{Document, Recorder, RecorderBuilder, Segment, SegmentId, Subsegment, TraceId};

/// The largest datagram: a document and the header before it.
const DATAGRAM: usize = 63 * 1024 + r#"{"format":"json","version":1} "#.len();

/// A subsegment of a tree, and the values that are recorded in it.
#[derive(Debug, Clone)]
struct Part {
    /// The index of its parent among the subsegments before it, modulo their count. `None` stands for the segment.
    parent: usize,
    /// The position among the ends: subsegments end in ascending order of this number.
    end: u16,
    name: String,
    annotation: Option<String>,
    metadata_bytes: usize,
    error: Option<String>,
}

#[derive(Debug, Clone)]
struct Tree {
    parts: Vec<Part>,
    /// The position of the segment's end among the ends of its subsegments.
    end: u16,
    threshold: Option<usize>,
    threshold_bytes: Option<usize>,
    is_told_of: bool,
}

/// How subsegments nest.
#[derive(Debug, Clone, Copy)]
enum Form {
    /// Below any earlier subsegment.
    Any,
    /// Below one of the last few.
    Deep,
    /// Below the segment or one of the first few.
    Wide,
}

impl Form {
    /// Returns the parent of a subsegment. 0 is the segment.
    fn parent(self, number: usize, parent: usize) -> usize {
        match self {
            Self::Deep if number < 45 => number - parent % 2_usize.min(number + 1),
            Self::Any | Self::Deep => parent % (number + 1),
            Self::Wide => parent % 3_usize.min(number + 1),
        }
    }
}

fn part() -> impl Strategy<Value = Part> {
    let name = prop_oneof![2 => "[a-z]{1,8}", 1 => any::<String>()];
    // Most values are small, as in real programs. A few fill half a datagram.
    let metadata_bytes = prop_oneof![20 => Just(0), 3 => 0..500_usize, 1 => 0..30_000_usize];
    let texts = (option::weighted(0.2, any::<String>()), option::weighted(0.1, any::<String>()));
    (any::<usize>(), any::<u16>(), name, texts, metadata_bytes).prop_map(
        |(parent, end, name, (annotation, error), metadata_bytes)| Part {
            parent,
            end,
            name,
            annotation,
            metadata_bytes,
            error,
        },
    )
}

fn tree() -> impl Strategy<Value = Tree> {
    let form = prop_oneof![Just(Form::Any), Just(Form::Deep), Just(Form::Wide)];
    let parts = prop_oneof![3 => vec(part(), 0..40), 1 => vec(part(), 100..400)];
    let thresholds = (option::of(0..150_usize), option::of(0..70_000_usize));
    // Half of the segments end last, as in real programs.
    let end = prop_oneof![Just(u16::MAX), any::<u16>()];
    (form, parts, end, thresholds, proptest::bool::weighted(0.25)).prop_map(
        |(form, mut parts, end, (threshold, threshold_bytes), is_told_of)| {
            for (number, part) in parts.iter_mut().enumerate() {
                part.parent = form.parent(number, part.parent);
            }
            Tree { parts, end, threshold, threshold_bytes, is_told_of }
        },
    )
}

/// The ids of the segment and its subsegments, in the order in which they began.
struct Recorded {
    trace_id: TraceId,
    ids: Vec<SegmentId>,
}

impl Tree {
    fn recorder(&self, builder: RecorderBuilder) -> Recorder {
        let mut builder = builder;
        if let Some(threshold) = self.threshold {
            builder = builder.streaming_threshold(threshold);
        }
        if let Some(bytes) = self.threshold_bytes {
            builder = builder.streaming_threshold_bytes(bytes);
        }
        if self.is_told_of {
            builder = builder.in_progress_after(Duration::from_millis(1));
        }
        builder.build()
    }

    fn record(&self, recorder: &Recorder) -> Recorded {
        let mut segment = Some(Segment::builder("tree").recorder(recorder).begin());
        let trace_id = segment.as_ref().and_then(|segment| segment.trace_id()).unwrap();
        let mut ids = vec![segment.as_ref().and_then(|segment| segment.id()).unwrap()];
        let mut open = Vec::<Option<Subsegment>>::new();
        for part in &self.parts {
            let begun = match part.parent.checked_sub(1) {
                None => segment.as_ref().unwrap().subsegment(&part.name),
                Some(parent) => open[parent].as_ref().unwrap().subsegment(&part.name),
            };
            if let Some(text) = &part.annotation {
                begun.annotate("text", text.as_str());
            }
            if part.metadata_bytes > 0 {
                begun.add_metadata("text", "x".repeat(part.metadata_bytes));
            }
            if let Some(error) = &part.error {
                begun.record_error(&std::io::Error::other(error.clone()));
            }
            ids.push(begun.id().unwrap());
            open.push(Some(begun));
        }
        let mut ends: Vec<_> = self.parts.iter().enumerate().map(|(number, part)| (part.end, number)).collect();
        ends.sort_unstable();
        let middle = ends.len() / 2;
        for (position, (end, number)) in ends.into_iter().enumerate() {
            if self.is_told_of && position == middle {
                // Gives the recorder time to report the open segment. If it does not, the checks hold as well.
                thread::sleep(Duration::from_millis(15));
            }
            if end > self.end {
                drop(segment.take());
            }
            drop(open[number].take());
        }
        drop(segment);
        Recorded { trace_id, ids }
    }

    /// Checks the documents that arrived at an emitter.
    fn check(&self, recorded: &Recorded, documents: Vec<Document>) {
        let mut found = HashMap::new();
        for document in documents {
            assert_eq!(document.trace_id, Some(recorded.trace_id));
            if document.in_progress {
                assert!(document.id == recorded.ids[0] && document.end_time.is_none(), "{document:#?}");
                continue;
            }
            let is_segment = document.id == recorded.ids[0];
            assert_eq!((document.kind.is_none(), document.parent_id.is_none()), (is_segment, is_segment));
            let parent = document.parent_id;
            collect(document, parent, &mut found);
        }
        assert_eq!(found.len(), recorded.ids.len(), "each subsegment arrives");
        let (parent, segment) = &found[&recorded.ids[0]];
        assert_eq!((*parent, segment.name.as_str()), (None, "tree"));
        for (part, id) in self.parts.iter().zip(&recorded.ids[1..]) {
            let (parent, document) = &found[id];
            assert_eq!(*parent, Some(recorded.ids[part.parent]));
            check_part(part, document);
        }
    }
}

/// Takes a document apart: each subsegment by its id, with the id of its parent and without its own subsegments.
fn collect(
    mut document: Document,
    parent: Option<SegmentId>,
    found: &mut HashMap<SegmentId, (Option<SegmentId>, Document)>,
) {
    for inner in std::mem::take(&mut document.subsegments) {
        assert!(inner.trace_id.is_none() && inner.parent_id.is_none() && inner.kind.is_none(), "{inner:#?}");
        collect(inner, Some(document.id), found);
    }
    let again = found.insert(document.id, (parent, document));
    assert!(again.is_none(), "a subsegment arrives twice: {again:#?}");
}

fn check_part(part: &Part, document: &Document) {
    assert!(document.end_time.is_some_and(|end| end >= document.start_time), "{document:#?}");
    if part.name.bytes().all(|byte| byte.is_ascii_lowercase()) && !part.name.is_empty() {
        assert_eq!(document.name, part.name);
    }
    // A name loses illegal characters and gains none. A name without any legal character is replaced.
    let mut given = part.name.chars();
    let is_part = document.name.chars().all(|kept| given.any(|character| character == kept));
    assert!(is_part || document.name == "subsegment", "{:?} of {:?}", document.name, part.name);

    let text = document.annotations.get("text");
    assert_eq!(text, part.annotation.as_deref().map(AnnotationValue::from).as_ref(), "{part:#?}");
    let text = document.metadata.get("default").and_then(|values| values["text"].as_str());
    assert_eq!(text.map(str::len), (part.metadata_bytes > 0).then_some(part.metadata_bytes));
    assert_eq!((document.fault, document.cause.is_some()), (part.error.is_some(), part.error.is_some()));
    if let Some(Cause::Exceptions(cause)) = &document.cause {
        assert_eq!(cause.exceptions.len(), 1);
    }
}

/// Reads datagrams as they arrive, on a thread of its own.
struct Daemon {
    address: SocketAddr,
    datagrams: Receiver<Vec<u8>>,
}

impl Daemon {
    fn start() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = socket.local_addr().unwrap();
        let (sender, datagrams) = channel();
        thread::spawn(move || {
            let mut datagram = vec![0; 65_536];
            // An empty datagram ends the reader.
            while let Ok(length @ 1..) = socket.recv(&mut datagram) {
                if sender.send(datagram[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { address, datagrams }
    }

    /// Waits for every recorded subsegment, and returns all documents that have arrived.
    fn receive(&self, recorded: &Recorded) -> Vec<Document> {
        let (mut documents, mut complete) = (Vec::new(), 0);
        while complete < recorded.ids.len() {
            let datagram = self.datagrams.recv_timeout(Duration::from_secs(10)).expect("a subsegment is lost");
            documents.push(read(&datagram));
            complete += documents.last().map_or(0, complete_parts);
        }
        documents.extend(self.datagrams.try_iter().map(|datagram| read(&datagram)));
        documents
    }

    /// Returns whether the system lost a datagram because the test read too late.
    fn is_too_slow(&self) -> bool {
        support::lost_datagrams(self.address) > 0
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|socket| socket.send_to(&[], self.address));
    }
}

fn read(datagram: &[u8]) -> Document {
    assert!(datagram.len() <= DATAGRAM, "{} bytes", datagram.len());
    serde_json::from_value(read_datagram(datagram)).unwrap()
}

fn complete_parts(document: &Document) -> usize {
    if document.in_progress { 0 } else { count(document) }
}

fn count(document: &Document) -> usize {
    1 + document.subsegments.iter().map(count).sum::<usize>()
}

fn config(cases: u32) -> Config {
    Config {
        failure_persistence: None,
        max_shrink_time: 30_000,
        max_global_rejects: 2 * cases,
        ..Config::with_cases(cases)
    }
}

/// An emitter that keeps documents. The receiver notices when the emitter is dropped.
struct Watched(MemoryEmitter, #[expect(dead_code, reason = "only its drop matters")] Sender<()>);

impl Emitter for Watched {
    fn emit(&self, segment: FinishedSegment) {
        self.0.emit(segment);
    }
}

#[test]
fn every_tree_reaches_an_emitter_whole() {
    proptest!(config(192), |(tree in tree())| {
        let (emitter, (sender, is_dropped)) = (MemoryEmitter::new(), channel());
        let recorder = tree.recorder(Recorder::builder().sampler(Always).emitter(Watched(emitter.clone(), sender)));
        let made = tree.record(&recorder);
        prop_assert_eq!(recorder.stats().documents_dropped, 0);
        drop(recorder);
        // The thread that reports open segments may still be running.
        prop_assert_eq!(is_dropped.recv_timeout(Duration::from_secs(10)), Err(RecvTimeoutError::Disconnected));
        tree.check(&made, checked(emitter.take()));
    });
}

#[test]
fn every_tree_reaches_the_daemon_whole() {
    proptest!(config(64), |(tree in tree())| {
        let daemon = Daemon::start();
        let recorder = tree.recorder(Recorder::builder().sampler(Always).daemon_address(daemon.address.to_string()));
        let made = tree.record(&recorder);
        prop_assert!(recorder.flush(Duration::from_secs(20)));
        prop_assume!(!daemon.is_too_slow());
        let documents = daemon.receive(&made);
        let stats = recorder.stats();
        prop_assert_eq!((stats.documents_dropped, stats.documents_sent >= documents.len() as u64), (0, true));
        tree.check(&made, documents);
    });
}
