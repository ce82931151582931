//! The subsegment of a span, which is kept in the extensions of the span.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use tracing_subscriber::registry::{LookupSpan, SpanRef};

use super::entered::Exit;
use super::fields::{Fields, MAX_ERRORS, annotation_key};
use super::runner::Runner;
use crate::document::Exception;
use crate::id::SegmentId;
use crate::live::context::{self, Context};
use crate::live::entity::Entity;
use crate::live::open_spans::OpenSpan;
use crate::live::segment::Subsegment;
use crate::record::{Record, Time};

/// The subsegment of a span. Below a segment that is not sampled it only carries the context.
pub(super) struct SpanSubsegment {
    subsegment: Subsegment,
    /// The id of the segment or subsegment around it.
    parent: Option<SegmentId>,
    /// `None` below a segment that is not sampled.
    work: Option<Arc<Work>>,
    errors: AtomicUsize,
}

/// The fields of a span that was created outside any segment and has not been entered.
pub(super) struct Waiting(pub(super) Fields);

impl SpanSubsegment {
    /// Begins the subsegment below `parent`. Calls `fields` only if the trace is sampled or counts
    /// failures for a boost.
    pub(super) fn begin(parent: &Context, name: &str, fields: impl FnOnce() -> Fields) -> Arc<Self> {
        let subsegment = parent.begin_subsegment(name);
        let work = subsegment.owned().cloned().map(Work::new);
        let span_subsegment = Self { subsegment, parent: parent.id(), work, errors: AtomicUsize::new(0) };
        span_subsegment.record(fields);
        Arc::new(span_subsegment)
    }

    pub(super) fn context(&self) -> &Context {
        &self.subsegment
    }

    /// Records fields. Calls `fields` only if the trace is sampled or counts
    /// failures for a boost.
    pub(super) fn record(&self, fields: impl FnOnce() -> Fields) {
        if self.context().takes_errors() {
            self.write(fields());
        }
    }

    fn write(&self, fields: Fields) {
        for (name, value) in fields.annotations {
            self.context().annotate(annotation_key(name), value);
        }
        for exceptions in fields.errors {
            self.record_error(|| exceptions);
        }
        if let Some(field) = fields.failed.filter(|_| self.context().is_sampled()) {
            self.context().recorder().report_value("field", &field, "not recorded, or in part");
        }
    }

    /// Records an error with its sources. Further errors of one span are counted, because the size of a document is
    /// limited.
    pub(super) fn record_error(&self, read: impl FnOnce() -> Vec<Exception>) {
        self.context().note_failure();
        let Some(entity) = self.context().entity().filter(|entity| entity.trace().is_sampled()) else { return };
        if self.errors.fetch_add(1, Ordering::Relaxed) < MAX_ERRORS {
            entity.record_error(read);
        } else {
            entity.trace().recorder().report_value("an error of span", &entity.id(), "left out");
        }
    }

    /// Notes that the span is entered. The first entry starts its time. Returns whether the entry belongs to the span's
    /// own work.
    //
    // A library may spawn a long-lived task in the current span, as hyper-util does for each connection. That task
    // holds the span, and enters it whenever it runs, long after the span's own work has ended. It is recognized by two
    // signs: the span was first entered in another task, and no segment is current in this one.
    pub(super) fn enter(&self) -> bool {
        let Some(work) = &self.work else { return true };
        let here = Runner::current();
        let home = *work.home.get_or_init(|| {
            self.set_time(|record, now| record.start = now);
            // Only a task can hold the span beyond its work, and only in a runtime can one be spawned.
            if let (Some(parent), true) = (self.parent, here.is_in_a_runtime()) {
                let (entity, work) = (&work.subsegment, Arc::clone(work));
                entity.trace().open_spans().add(parent, entity.id(), work);
            }
            here
        });
        let is_own = home == here || matches!(here, Runner::Thread(_)) || context::own().entity().is_some();
        if is_own {
            work.running.fetch_add(1, Ordering::Relaxed);
        }
        is_own
    }

    /// Notes that the span is exited, which ends its time unless it is entered again.
    //
    // The time ends here and not when `tracing` closes the span. A span is closed only after its last child, and a
    // child may run longer, elsewhere.
    pub(super) fn leave(&self, exit: Exit) {
        if exit.is_own {
            self.work.iter().for_each(|work| work.leave());
            self.set_time(|record, now| record.end = Some(now));
        }
        if exit.by_panic {
            // The message is known only to the scope that catches the panic.
            self.context().record_panic("panicked");
        }
    }

    fn set_time(&self, set: impl FnOnce(&mut Record, Time)) {
        if let Some(entity) = self.context().entity().filter(|entity| entity.trace().is_sampled()) {
            entity.update(|record| set(record, entity.trace().now()));
        }
    }
}

/// The state of a span's own work.
struct Work {
    subsegment: Arc<Entity>,
    /// The task or thread that entered the span first. The span's own work is done there.
    home: OnceLock<Runner>,
    /// How many times the span's own work has entered the span and not exited it.
    running: AtomicUsize,
}

impl Work {
    fn new(subsegment: Arc<Entity>) -> Arc<Self> {
        Arc::new(Self { subsegment, home: OnceLock::new(), running: AtomicUsize::new(0) })
    }

    fn leave(&self) {
        let _ = self.running.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |running| running.checked_sub(1));
    }
}

impl OpenSpan for Work {
    fn is_left(&self) -> bool {
        self.running.load(Ordering::Relaxed) == 0 && self.home.get() == Some(&Runner::current())
    }

    fn end(&self) {
        self.subsegment.end();
    }
}

impl Drop for SpanSubsegment {
    fn drop(&mut self) {
        // The subsegment ends before the span is removed, because the segment around it may end at the same time on
        // another thread.
        if let Some(entity) = self.subsegment.owned() {
            entity.end();
            if let Some(parent) = self.parent {
                entity.trace().open_spans().remove(parent, entity.id());
            }
        }
    }
}

/// Returns whether another [`SubsegmentLayer`](super::SubsegmentLayer) has seen this span.
pub(super) fn is_known<'a, S: LookupSpan<'a>>(span: &SpanRef<'a, S>) -> bool {
    let extensions = span.extensions();
    extensions.get::<Arc<SpanSubsegment>>().is_some() || extensions.get::<Waiting>().is_some()
}

/// Returns the subsegment of a span.
pub(super) fn span_subsegment<'a, S: LookupSpan<'a>>(span: &SpanRef<'a, S>) -> Option<Arc<SpanSubsegment>> {
    span.extensions().get::<Arc<SpanSubsegment>>().cloned()
}

/// Returns the subsegment of a span that is being entered.
///
/// If the span was created outside any segment, its subsegment begins now below the current segment. If no segment is
/// open now either, the span is left alone for good.
pub(super) fn entered_span_subsegment<'a, S: LookupSpan<'a>>(span: &SpanRef<'a, S>) -> Option<Arc<SpanSubsegment>> {
    span_subsegment(span).or_else(|| {
        // A shared lock is enough to find that a span is not waiting, which is true for most spans without a
        // subsegment.
        span.extensions().get::<Waiting>()?;
        let Waiting(fields) = span.extensions_mut().remove()?;
        let current = context::current();
        current.entity()?;
        let begun = SpanSubsegment::begin(&current, span.name(), || fields);
        span.extensions_mut().insert(Arc::clone(&begun));
        Some(begun)
    })
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::emitter::MemoryEmitter;
    use crate::live::instrument::Instrument as _;
    use crate::live::segment::Segment;
    use crate::recorder::Recorder;
    use crate::sampling::Always;

    /// An open segment with a span below it.
    struct Case {
        emitter: MemoryEmitter,
        segment: Segment,
        span: Arc<SpanSubsegment>,
    }

    impl Case {
        fn new() -> Self {
            let emitter = MemoryEmitter::new();
            let recorder = Recorder::builder().sampler(Always).emitter(emitter.clone()).build();
            let segment = Segment::builder("shop").recorder(&recorder).begin();
            let span = SpanSubsegment::begin(&segment, "work", Fields::default);
            Self { emitter, segment, span }
        }

        /// Ends the segment. Returns whether the span was sent with it, while another task holds the span.
        fn ends_the_span(self) -> bool {
            let Self { emitter, segment, span } = self;
            segment.end();
            let documents = emitter.take();
            drop(span);
            assert_eq!(documents.len(), 1);
            let is_sent = !documents[0].subsegments.is_empty();
            assert_eq!(emitter.take().len(), usize::from(!is_sent), "a span is sent once");
            is_sent
        }
    }

    /// Enters a span and exits it. Returns whether the entry belonged to the span's own work.
    fn visit(span: &SpanSubsegment) -> bool {
        let is_own = span.enter();
        span.leave(Exit { is_own, by_panic: false });
        is_own
    }

    #[tokio::test]
    async fn a_task_outside_any_segment_that_holds_a_span_does_none_of_the_work_of_the_span() {
        let Case { segment, span, .. } = Case::new();
        let visit = || {
            let span = Arc::clone(&span);
            move || visit(&span)
        };
        let (first, again) = (visit(), visit());
        assert_eq!(
            tokio::spawn(async move { [first(), again()] }).await.unwrap(),
            [true; 2],
            "the task that entered the span first"
        );
        let other = visit();
        assert!(!tokio::spawn(async move { other() }).await.unwrap(), "another task");
        let inside = visit();
        let inside = async move { inside() }.in_context((*segment).clone());
        assert!(tokio::spawn(inside).await.unwrap(), "another task in the segment");
        assert!(thread::spawn(visit()).join().unwrap(), "a thread");
    }

    #[tokio::test]
    async fn a_span_that_is_held_ends_with_its_parent_where_its_own_work_has_ended() {
        let case = Case::new();
        visit(&case.span);
        assert!(case.ends_the_span(), "in the thread of `block_on`");

        let in_a_task = || {
            let case = Case::new();
            visit(&case.span);
            case
        };
        assert!(tokio::spawn(async move { in_a_task().ends_the_span() }).await.unwrap(), "in a task");
        let case = tokio::spawn(async move { in_a_task() }).await.unwrap();
        assert!(!case.ends_the_span(), "the parent ends in another task");

        let case = Case::new();
        assert!(case.span.enter() && visit(&case.span));
        assert!(!case.ends_the_span(), "its work is going on");
    }

    #[tokio::test]
    async fn a_span_that_is_closed_is_not_kept_until_its_parent_ends() {
        let Case { segment, span, .. } = Case::new();
        visit(&span);
        let work = Arc::downgrade(span.work.as_ref().unwrap());
        drop(span);
        assert!(work.upgrade().is_none());
        segment.end();
    }
}
