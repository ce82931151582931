//! A segment or subsegment that is open: its owner ends it, and its handles write to its record.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::{iter, mem};

use serde_json::Value;

use crate::document::{AnnotationValue, Exception};
use crate::id::SegmentId;
use crate::live::trace::Trace;
use crate::record::{NoRoom, Place, Record, Records};
use crate::recorder::InProgress;
use crate::support::lock::lock;

/// The maximum nesting depth of subsegments in one document. A deeper subsegment is sent as a separate document.
//
// X-Ray documents no limit, but JSON parsers have one: serde_json refuses 128 levels. Each subsegment takes two (an
// object in a list), and the metadata of the innermost one up to 67: the document, two objects and a value of 64
// levels.
const MAX_DEPTH: u16 = 24;

/// `true` if a segment has begun in this process, for the log of a missing context.
static HAS_BEGUN: AtomicBool = AtomicBool::new(false);

/// A segment or subsegment of a trace.
///
/// Exactly one owner ends it. Contexts hold it too, but only write to it, so that a leaked task keeps no segment open.
pub(crate) struct Entity {
    trace: Arc<Trace>,
    id: SegmentId,
    /// The segment that this entity belongs to, or is. Weak: a segment that refers to itself strongly would never be
    /// freed, and a late subsegment must not keep it in memory.
    segment: Weak<Entity>,
    /// The number of ancestors. Zero for a segment.
    depth: u16,
    /// The entity in which this one began. After the end, the nearest ancestor that is open.
    //
    // A job that starts its own next run in its trace makes an endless chain, each run in the one before. If an ended
    // entity kept its parent, the last run would keep all of them.
    parent: Mutex<Option<Arc<Entity>>>,
    /// `None` after the end, for a facade, and in a trace that is not sampled.
    record: Mutex<Option<Box<Record>>>,
}

impl Entity {
    /// Creates a segment. `record` is `None` if the trace is not sampled, or if the segment is a facade.
    pub(crate) fn segment(trace: Trace, id: SegmentId, record: Option<Box<Record>>) -> Arc<Self> {
        // A load first: after the first segment all threads only read, and the cache line stays shared.
        if !HAS_BEGUN.load(Ordering::Relaxed) {
            HAS_BEGUN.store(true, Ordering::Relaxed);
        }
        let is_recorded = record.is_some();
        let segment = Arc::new_cyclic(|segment| Self {
            trace: Arc::new(trace),
            id,
            segment: Weak::clone(segment),
            depth: 0,
            parent: Mutex::new(None),
            record: Mutex::new(record),
        });
        if is_recorded {
            segment.trace.recorder().register_open_segment(id, || Arc::downgrade(&segment));
        }
        segment
    }

    /// Creates an entity of this trace that is not recorded. If this entity is not recorded, returns the entity itself.
    pub(crate) fn unsampled(entity: &Arc<Self>) -> Arc<Self> {
        if !entity.trace.is_sampled() {
            return Arc::clone(entity);
        }
        let id = entity.id;
        Self::segment(entity.trace.unsampled(id), id, None)
    }

    /// Returns whether any segment has begun in this process.
    #[inline]
    pub(crate) fn has_any_begun() -> bool {
        HAS_BEGUN.load(Ordering::Relaxed)
    }

    /// Creates a subsegment of this entity, with the record `record`. The trace must be sampled.
    pub(crate) fn subsegment(self: &Arc<Self>, record: Box<Record>) -> Arc<Self> {
        if self.has_ended() {
            self.release_ended_ancestors();
        }
        let subsegment = Arc::new(Self {
            trace: Arc::clone(&self.trace),
            id: record.id,
            segment: Weak::clone(&self.segment),
            depth: self.depth.saturating_add(1),
            parent: Mutex::new(Some(Arc::clone(self))),
            record: Mutex::new(Some(record)),
        });
        if self.is_facade() {
            self.trace.recorder().register_open_segment(subsegment.id, || Arc::downgrade(&subsegment));
        }
        subsegment
    }

    /// Returns whether each child is reported while it is open: below a facade, which is not sent, a child is the
    /// outermost document.
    pub(crate) fn reports_children(&self) -> bool {
        self.is_facade() && self.trace.is_sampled() && self.trace.recorder().reports_progress()
    }

    #[inline]
    pub(crate) fn trace(&self) -> &Trace {
        &self.trace
    }

    pub(crate) fn id(&self) -> SegmentId {
        self.id
    }

    pub(crate) fn is_segment(&self) -> bool {
        self.depth == 0
    }

    /// Returns the ids of this entity and of its ancestors, innermost first. Ended ancestors may be missing.
    pub(crate) fn ancestor_ids(&self) -> Vec<SegmentId> {
        let ancestors = iter::successors(self.parent(), |ancestor| ancestor.parent());
        iter::once(self.id).chain(ancestors.map(|ancestor| ancestor.id)).collect()
    }

    /// Returns whether this entity began below `ancestor`, in its child or in a later descendant.
    #[cold]
    pub(crate) fn is_below(&self, ancestor: &Arc<Self>) -> bool {
        let ancestors = iter::successors(self.parent(), |entity| entity.parent());
        Arc::ptr_eq(&self.trace, &ancestor.trace)
            && ancestors
                .take_while(|entity| entity.depth >= ancestor.depth)
                .any(|entity| Arc::ptr_eq(&entity, ancestor))
    }

    fn parent(&self) -> Option<Arc<Self>> {
        lock(&self.parent).clone()
    }

    /// Replaces the link to the parent by a link to the nearest ancestor that is open.
    fn release_ended_ancestors(&self) {
        let mut ancestors = iter::successors(self.parent(), |ancestor| ancestor.parent());
        let nearest = ancestors.find(|ancestor| !ancestor.has_ended());
        // The old link is dropped after the lock is released: the drop may free a chain of entities.
        let released = mem::replace(&mut *lock(&self.parent), nearest);
        drop(released);
    }

    /// Returns whether this entity of a sampled trace has ended. A facade never has a record and counts as ended.
    fn has_ended(&self) -> bool {
        self.lock().is_none()
    }

    /// Returns the segment that this entity belongs to, or is. Returns `None` if nobody holds the segment any more.
    pub(crate) fn root(&self) -> Option<Arc<Self>> {
        self.segment.upgrade()
    }

    /// Returns whether both entities belong to the same segment of this process.
    #[cfg(feature = "tracing")]
    pub(crate) fn is_in_segment_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.trace, &other.trace)
    }

    /// Returns whether this is a facade: a segment that Lambda sends.
    pub(crate) fn is_facade(&self) -> bool {
        self.is_segment() && self.trace.is_facade()
    }

    /// Returns whether this entity has not ended. An entity without a record, other than a facade, is not open.
    #[cfg(any(feature = "diesel", feature = "tracing"))]
    pub(crate) fn is_open(&self) -> bool {
        if self.is_facade() { !self.trace.is_over() } else { self.lock().is_some() }
    }

    /// Writes to the record, if there is one.
    ///
    /// The record is locked while `write` runs, so `write` must not run code of the user: a `Display` or an emitter
    /// that writes to this entity would deadlock.
    pub(crate) fn update(&self, write: impl FnOnce(&mut Record)) {
        self.write(write);
    }

    /// Adds an annotation. The caller has made sure that X-Ray accepts it.
    pub(crate) fn annotate(&self, key: String, value: AnnotationValue) {
        match self.write(|record| record.details_mut().annotate(key, value)) {
            Some(Ok(is_new)) => self.trace.note_annotations(usize::from(is_new)),
            Some(Err(no_room)) => self.report_no_room("annotation", &no_room),
            None => {}
        }
    }

    /// Adds a value to the metadata.
    pub(crate) fn add_metadata(&self, namespace: String, key: String, value: Value) {
        if let Some(Err(no_room)) = self.write(|record| record.details_mut().add_metadata(namespace, key, value)) {
            self.report_no_room("metadata", &no_room);
        }
    }

    /// Adds a value to the `aws` block.
    pub(crate) fn add_aws(&self, key: String, value: Value) {
        if let Some(Err(no_room)) = self.write(|record| record.details_mut().add_aws(key, value)) {
            self.report_no_room("aws", &no_room);
        }
    }

    /// Records the error that `read` returns, with its sources. Calls `read` only if there is room for it.
    pub(crate) fn record_error(&self, read: impl FnOnce() -> Vec<Exception>) {
        // Check for room first: `read` runs the program's code and may walk the stack, which takes time.
        let has_room = self.lock().as_ref().is_some_and(|record| record.has_room_for_an_error());
        let chain = if has_room { read() } else { Vec::new() };
        if self.write(|record| record.record_error(chain)) == Some(false) {
            self.report_no_room("error", &NoRoom(self.id.to_string()));
        }
    }

    /// Records an unwinding panic; see [`Record::record_panic`].
    pub(crate) fn record_panic(&self, exception: &Exception) -> Option<SegmentId> {
        self.write(|record| record.record_panic(exception)).flatten()
    }

    /// Records an unwinding panic that an inner scope has recorded with this id.
    pub(crate) fn record_known_panic(&self, exception: &Exception) {
        self.write(|record| record.record_known_panic(exception));
    }

    fn report_no_room(&self, what: &'static str, NoRoom(key): &NoRoom) {
        self.trace.recorder().report_value(
            what,
            key,
            "left out, because its segment or subsegment holds too much already",
        );
    }

    /// Writes to the record, if there is one; see [`update`](Self::update). Counts a value for a facade.
    fn write<T>(&self, write: impl FnOnce(&mut Record) -> T) -> Option<T> {
        let written = self.lock().as_mut().map(|record| write(record));
        if written.is_none() && self.is_facade() {
            self.trace.recorder().report_value(
                "a value for Lambda's own segment",
                &self.id,
                "left out, as only Lambda writes to it. Put `#[xray::traced]` on the handler: the value is then recorded in \
                 its subsegment",
            );
        }
        written
    }

    /// Ends this entity now. A segment is sent. A subsegment is embedded in its parent, or sent as a separate document
    /// if the parent has ended or the nesting is too deep.
    ///
    /// Only the first call has an effect.
    pub(crate) fn end(&self) {
        #[cfg(any(feature = "diesel", feature = "tracing"))]
        if self.trace.open_spans().end_below(self.id) {
            self.lock().iter_mut().for_each(|record| record.sort_by_end());
        }
        if self.is_facade() {
            return self.trace.end_facade();
        }
        let parent = self.parent();
        let mut own = self.lock();
        let Some(mut record) = own.take() else { return };
        record.end.get_or_insert_with(|| self.trace.now());
        match parent {
            None => {
                drop(own);
                self.trace.notify_observers();
                self.trace.recorder().forget_open_segment(self.id);
                self.trace.emit_end(record);
            }
            Some(facade) if facade.is_facade() => {
                drop(own);
                self.trace.recorder().forget_open_segment(self.id);
                record.place = Some(Place::below(self.trace.id(), facade.id));
                self.trace.emit_end(record);
                self.release_ended_ancestors();
            }
            Some(parent) => {
                // Two threads may end this entity at the same time, and one of them may then end the parent. That
                // thread must find this entity embedded, so this thread embeds it before it releases the lock. Locks
                // are taken from the inside out.
                let leaving = parent.embed(record);
                drop(own);
                parent.send_independent(leaving);
                self.release_ended_ancestors();
            }
        }
    }

    /// Ends this entity without recording it, unless a progress report has already sent it.
    pub(crate) fn forget(&self) {
        let mut record = self.lock();
        if record.as_ref().is_some_and(|record| record.was_sent_in_progress()) {
            drop(record);
            return self.end();
        }
        // Under the lock of the look above: a report in between would send a document in progress that no end follows.
        let forgotten = record.take();
        drop(record);
        self.trace.recorder().forget_open_segment(self.id);
        drop(forgotten);
    }

    /// Embeds a finished child, or sends it as a separate document if this entity has ended or the depth limit is
    /// reached.
    pub(crate) fn adopt(&self, child: Box<Record>) {
        self.send_independent(self.embed(child));
    }

    /// Embeds a finished child; see [`adopt`](Self::adopt). Returns the records that are to be sent.
    fn embed(&self, child: Box<Record>) -> Records {
        // A new document begins at each depth that is a multiple of the limit, so no document is nested deeper than it.
        let is_too_deep = self.depth.saturating_add(1) % MAX_DEPTH == 0;
        match &mut *self.lock() {
            Some(record) if !is_too_deep => record.embed(child, self.trace.recorder().streaming_threshold()),
            _ => vec![child],
        }
    }

    fn send_independent(&self, children: Records) {
        // Most children stay embedded, and then nothing leaves.
        if children.is_empty() {
            return;
        }
        self.trace.emit(self.independent(children));
    }

    /// Makes children documents of their own, with this entity as their parent.
    fn independent(&self, children: Records) -> impl Iterator<Item = Box<Record>> {
        let place = Place::below(self.trace.id(), self.id);
        children.into_iter().map(move |mut child| {
            child.place = Some(Arc::clone(&place));
            child
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Box<Record>>> {
        lock(&self.record)
    }
}

impl Drop for Entity {
    /// Frees a chain of ancestors in a loop. The default drop would recurse once for each of them, and a long chain
    /// would overflow the stack.
    fn drop(&mut self) {
        let mut next = take_parent(self);
        while let Some(mut ancestor) = next.and_then(Arc::into_inner) {
            next = take_parent(&mut ancestor);
        }
    }
}

fn take_parent(entity: &mut Entity) -> Option<Arc<Entity>> {
    entity.parent.get_mut().unwrap_or_else(PoisonError::into_inner).take()
}

impl InProgress for Entity {
    /// Sends the subsegments that have ended, and this entity itself with `in_progress` the first time.
    ///
    /// The ended subsegments are removed from the record, so that each is sent once.
    fn report(&self) {
        // Read before the record, because an entity that ends releases its parent.
        let facade = self.parent();
        let (ended, so_far) = {
            let mut record = self.lock();
            let Some(record) = &mut *record else { return };
            let (ended, so_far) = record.take_progress();
            if so_far.is_some() {
                // Called while the record is locked, so that a later end of the entity finds the report.
                self.trace.begin_report(self.id);
            }
            (ended, so_far)
        };
        // No flush, not even in Lambda: this runs on the background thread, on which the task that sends the documents
        // could not run meanwhile. The flush at the segment's end waits for these documents too, as they were queued
        // first.
        self.trace.emit_without_waiting(self.independent(ended));
        let Some(mut so_far) = so_far else { return };
        if let Some(facade) = facade {
            so_far.place = Some(Place::below(self.trace.id(), facade.id));
        }
        self.trace.emit_without_waiting([so_far]);
        self.trace.end_report();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emitter::MemoryEmitter;
    use crate::live::context::Context;
    use crate::live::segment::Segment;
    use crate::record::Label;
    use crate::recorder::Recorder;
    use crate::sampling::Always;

    fn segment() -> (Segment, Recorder) {
        let recorder = Recorder::builder().sampler(Always).emitter(MemoryEmitter::new()).build();
        (Segment::builder("s").recorder(&recorder).begin(), recorder)
    }

    #[test]
    fn a_long_chain_of_subsegments_is_freed_without_recursion() {
        // Miri is a thousand times slower, and shows faults of a short chain too.
        const MANY: usize = if cfg!(miri) { 100 } else { 100_000 };

        let (segment, _) = segment();
        let mut parts = vec![segment.subsegment("part")];
        for _ in 1..MANY {
            parts.push(parts.last().unwrap().subsegment("part"));
        }
        // The handle keeps the innermost subsegment, which keeps those around it.
        let innermost = Context::clone(parts.last().unwrap());
        while let Some(part) = parts.pop() {
            part.end();
        }
        segment.end();
        drop(innermost);
    }

    #[test]
    fn a_value_that_comes_after_the_end_is_not_counted_as_rejected() {
        let (segment, recorder) = segment();
        let (part, handle) = (segment.subsegment("part"), Context::clone(&segment));
        let late = Context::clone(&part);
        part.end();
        segment.end();
        for ended in [handle, late] {
            ended.annotate("late", true);
            ended.add_metadata("late", true);
        }
        assert_eq!(recorder.stats().values_rejected, 0);
    }

    /// Each open subsegment directly below a facade becomes a document, so it is in the list of what may be reported.
    #[test]
    #[cfg_attr(miri, ignore = "reports run on a thread with a runtime")]
    fn nothing_is_kept_of_a_subsegment_of_a_facade_that_has_ended() {
        let recorder = Recorder::builder().sampler(Always).emitter(MemoryEmitter::new());
        let recorder = recorder.in_progress_after(std::time::Duration::from_secs(3600)).build();
        let segment = Segment::builder("s").recorder(&recorder).begin();
        let header = segment.trace_header().unwrap().to_string();
        let facade = Segment::facade_of(&recorder, &header);
        let facade = facade.entity().unwrap();
        for end in [Entity::end, Entity::forget] {
            let record = Record::new(SegmentId::next(), Label::named("part"), facade.trace().now());
            let part = facade.subsegment(record);
            assert_eq!(Arc::weak_count(&part), 1);
            end(&part);
            assert_eq!(Arc::weak_count(&part), 0);
        }
        assert_eq!(recorder.stats().documents_emitted, 1, "what is forgotten is not sent");
    }
}
