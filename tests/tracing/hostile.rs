//! Programs that misuse spans. The layer neither panics nor locks itself out.

use std::cell::RefCell;
use std::fmt::{self, Debug};
use std::thread;
use std::time::Duration;

use support::Always;
use support::documents::checked;
use tracing::span::EnteredSpan;
use tracing::{Span, error, field, info_span};
use xray::emitter::{Emitter, FinishedSegment, MemoryEmitter};
use xray::tracing::SubsegmentLayer;
use xray::{Recorder, Segment};

use super::subscriber::{below_layer, subscribe};
use support::subsegments::messages;

#[test]
fn hostile_fields_harm_nobody() {
    struct Panics;

    impl Debug for Panics {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("formatted");
        }
    }

    /// A field whose formatting uses the span that it belongs to, in every way.
    struct Meddles(Span);

    impl Debug for Meddles {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            error!(parent: &self.0, "from inside");
            self.0.record("b", 1);
            self.0.in_scope(|| info_span!("inner").in_scope(|| error!("deeper")));
            formatter.write_str("done")
        }
    }

    let work = || {
        let (a, b) = (info_span!("a", a = ?Panics, b = 1, b = 2), info_span!("b", a = field::Empty, b = field::Empty));
        a.in_scope(|| error!(error = ?Panics));
        b.in_scope(|| ());
        b.record("a", field::debug(Meddles(b.clone())));
        b.in_scope(|| error!(error = ?Meddles(b.clone())));
    };
    assert_eq!(below_layer(SubsegmentLayer::new(), work), "b!(inner!), a!");
}

/// A subscriber turns the layer's own log lines into events, while the span that they are about is current.
#[test]
fn the_layers_own_warnings_may_come_back_as_events() {
    struct Logs(MemoryEmitter);

    impl Emitter for Logs {
        fn emit(&self, segment: FinishedSegment) {
            log::error!("{} is sent", segment.name());
            self.0.emit(segment);
        }

        fn flush(&self, _: Duration) -> bool {
            true
        }
    }

    subscribe();
    let emitter = MemoryEmitter::new();
    let recorder = Recorder::builder()
        .sampler(Always)
        .emitter(Logs(emitter.clone()))
        .streaming_threshold_bytes(usize::MAX)
        .build();
    let segment = Segment::builder("t").recorder(&recorder).begin();
    segment.in_scope(|| {
        let outer = info_span!("outer", not_finite = f64::NAN).entered();
        for number in 0..200 {
            // More subsegments than a segment embeds, so that the emitter is called while `outer` is current.
            info_span!("inner", number).in_scope(|| ());
        }
        outer.record("not_finite", f64::INFINITY);
        log::error!("at fault");
    });
    segment.end();
    let documents = checked(emitter.take());
    assert!(recorder.stats().values_rejected >= 2);
    let sent = documents.last().unwrap();
    assert_eq!(messages(&sent.subsegments[0])[0], "inner is sent");
}

#[test]
fn nothing_panics_in_the_last_destructors_of_a_thread() {
    struct AtTheEnd(RefCell<Option<EnteredSpan>>);

    impl Drop for AtTheEnd {
        fn drop(&mut self) {
            let entered = self.0.take().unwrap();
            assert_eq!(xray::trace_id(), None);
            entered.in_scope(|| entered.record("field", 1));
            let span = entered.exit();
            let _entered = span.enter();
        }
    }

    thread_local! {
        static AT_THE_END: AtTheEnd = const { AtTheEnd(RefCell::new(None)) };
    }

    subscribe();
    let recorder = Recorder::builder().sampler(Always).emitter(MemoryEmitter::new()).build();
    thread::spawn(move || {
        // A thread destroys its thread-locals in the reverse order of first use: the context's first, then this one,
        // then the registry's.
        info_span!("registry").in_scope(|| ());
        AT_THE_END.with(|_| ());
        let segment = Segment::builder("t").recorder(&recorder).begin();
        let entered = segment.in_scope(|| info_span!("a", field = field::Empty).entered());
        AT_THE_END.with(|at_the_end| at_the_end.0.replace(Some(entered)));
    })
    .join()
    .unwrap();
}
