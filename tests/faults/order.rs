//! The order of a segment's documents: no report of progress leaves after the end of its segment.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use support::child::run_with;
use xray::emitter::{Emitter, FinishedSegment};
use xray::{Document, Recorder, Segment, SegmentId};

/// Keeps the ids of segments that have ended, and the ids of segments that are reported after their end.
#[derive(Clone, Default)]
struct Order(Arc<Mutex<(HashSet<SegmentId>, Vec<SegmentId>)>>);

impl Emitter for Order {
    fn emit(&self, segment: FinishedSegment) {
        let document = Document::from(segment);
        // The report of a segment takes a while, so that the segment can end meanwhile.
        if document.in_progress {
            thread::sleep(Duration::from_micros(200));
        }
        let (ended, late) = &mut *self.0.lock().unwrap();
        if !document.in_progress {
            assert!(ended.insert(document.id));
        } else if ended.contains(&document.id) {
            late.push(document.id);
        }
    }
}

#[test]
fn no_report_of_a_segment_leaves_after_its_end() {
    run_with(module_path!(), "no_report_of_a_segment_leaves_after_its_end", &[], || {
        let order = Order::default();
        let builder = Recorder::builder().sampler(support::Always).emitter(order.clone());
        let recorder = builder.in_progress_after(Duration::from_millis(1)).build();
        let mut ids = HashSet::new();
        for round in 0..300 {
            let segments: Vec<_> = (0..20).map(|_| Segment::builder("job").recorder(&recorder).begin()).collect();
            ids.extend(segments.iter().map(|segment| segment.id().unwrap()));
            thread::sleep(Duration::from_micros(9_500 + 10 * (round % 100)));
            drop(segments);
        }
        assert!(recorder.flush(crate::LONG));
        let (ended, late) = &*order.0.lock().unwrap();
        assert_eq!((ended, late.len()), (&ids, 0), "reports after the end");
    });
}
