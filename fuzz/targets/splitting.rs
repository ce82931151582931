//! Subsegments of any number and size that end in any order: each of them arrives once, below its parent.
#![no_main]

use std::collections::HashMap;

use libfuzzer_sys::fuzz_target;
use xray::emitter::MemoryEmitter;
use xray::sampling::Always;
use xray::{Document, Recorder, Segment, SegmentId, Subsegment};

#[derive(Debug, arbitrary::Arbitrary)]
struct Part {
    /// Selects the parent among the segment and the subsegments before this one.
    parent: u16,
    /// Selects the subsegment that ends next.
    end: u16,
    metadata_bytes: u16,
}

#[derive(Debug, arbitrary::Arbitrary)]
struct Tree {
    parts: Vec<Part>,
    threshold: Option<u8>,
    threshold_bytes: Option<u16>,
    /// The number of subsegments that end before the segment.
    ends_before: u8,
}

fuzz_target!(|tree: Tree| {
    let emitter = MemoryEmitter::new();
    let mut builder = Recorder::builder().sampler(Always).emitter(emitter.clone());
    if let Some(threshold) = tree.threshold {
        builder = builder.streaming_threshold(threshold.into());
    }
    if let Some(bytes) = tree.threshold_bytes {
        builder = builder.streaming_threshold_bytes(bytes.into());
    }
    let recorder = builder.build();
    let parents = record(&tree, &recorder);
    assert_eq!(recorder.stats().documents_dropped, 0);

    let mut arrived = HashMap::new();
    for document in emitter.take() {
        collect(&document, document.parent_id, &mut arrived);
    }
    assert_eq!(arrived, parents);
});

/// Records the tree, and returns the parent of each id.
fn record(tree: &Tree, recorder: &Recorder) -> HashMap<SegmentId, Option<SegmentId>> {
    let segment = Segment::builder("tree").recorder(recorder).begin();
    let mut ids = vec![segment.id().expect("the segment is sampled")];
    let mut parents = HashMap::from([(ids[0], None)]);
    let mut open = Vec::<Subsegment>::new();
    for part in &tree.parts {
        let parent = usize::from(part.parent) % ids.len();
        let begun = match parent.checked_sub(1) {
            None => segment.subsegment("part"),
            Some(parent) => open[parent].subsegment("part"),
        };
        if part.metadata_bytes > 0 {
            begun.add_metadata("text", "x".repeat((part.metadata_bytes / 2).into()));
        }
        let id = begun.id().expect("the segment is sampled");
        parents.insert(id, Some(ids[parent]));
        ids.push(id);
        open.push(begun);
    }
    let mut segment = Some(segment);
    for (number, part) in tree.parts.iter().enumerate() {
        if number == usize::from(tree.ends_before) {
            segment = None;
        }
        let next = usize::from(part.end) % open.len();
        open.swap_remove(next).end();
    }
    drop(segment);
    parents
}

fn collect(document: &Document, parent: Option<SegmentId>, arrived: &mut HashMap<SegmentId, Option<SegmentId>>) {
    let again = arrived.insert(document.id, parent);
    assert!(again.is_none(), "a subsegment arrives twice");
    for inner in &document.subsegments {
        collect(inner, Some(document.id), arrived);
    }
}
