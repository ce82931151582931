//! The context: the segment or subsegment that is current on this thread, for the length of a poll or closure.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::error::Error;
use std::fmt;
use std::marker::PhantomData;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

use crate::document::metadata::metadata;
use crate::document::{AnnotationValue, Exception, MAX_STRING_CHARS, is_short};
use crate::header::trace_header::TraceHeader;
use crate::id::{SegmentId, TraceId};
use crate::live::entity::Entity;
use crate::live::invocation;
use crate::recorder::Recorder;
use crate::support::secrets;
use crate::support::text::first_chars;

thread_local! {
    static CURRENT: RefCell<Context> = const { RefCell::new(Context::NONE) };
    /// `true` if `CURRENT` names anything. A call outside any segment reads only this flag and
    /// `invocation::IS_ANY_RUNNING`.
    static IS_SET: Cell<bool> = const { Cell::new(false) };
    /// The panic last recorded on this thread. Every enclosing scope catches the same panic while it unwinds, possibly
    /// before the inner subsegment has ended, so the inner document cannot be searched for it. This remembers its id.
    static UNWINDING: RefCell<Option<RecordedPanic>> = const { RefCell::new(None) };
}

/// `true` if a segment or subsegment has been current on any thread, for the log of a missing context.
static HAS_BEEN_CURRENT: AtomicBool = AtomicBool::new(false);

/// A handle to a segment or subsegment, or an empty handle.
///
/// A handle does not keep the segment or subsegment open. Its methods record nothing if the handle is empty, or if the
/// segment or subsegment is not sampled or has ended.
///
/// ```
/// use xray::Instrument as _;
///
/// async fn price(cart: &[u32]) -> u32 {
///     xray::current().annotate("items", cart.len());
///     cart.iter().sum()
/// }
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// let (total, documents) = xray::testing::capture(price(&[1, 2]).in_segment("shop")).await;
/// assert_eq!(total, 3);
/// assert_eq!(documents[0].annotations["items"], 2_usize.into());
/// # });
/// ```
#[derive(Clone, Default)]
pub struct Context(Option<Scope>);

#[derive(Clone)]
enum Scope {
    /// No segment is open, and segments that begin here use this recorder.
    Recorder(Recorder),
    Entity(Arc<Entity>),
}

/// A panic that has been recorded and still unwinds.
//
// A panic may pass through thousands of scopes with a message of megabytes. So the message is cleaned once and the
// ancestors are listed once, and the entity of the next scope is searched for only behind `last`.
struct RecordedPanic {
    /// The start of the message, as the program gave it.
    message: String,
    exception: Exception,
    /// The ids of the entity that recorded the panic first, and of its ancestors.
    ancestors: Vec<SegmentId>,
    /// The position in `ancestors` of the entity that recorded the panic last.
    last: usize,
}

impl RecordedPanic {
    /// Returns the position in `ancestors` of an entity, if it is around the one that recorded the panic last.
    fn position(&self, id: SegmentId) -> Option<usize> {
        let position = self.ancestors[self.last..].iter().position(|ancestor| *ancestor == id)?;
        Some(self.last + position)
    }
}

/// Returns a handle to the current segment or subsegment. If no segment is current, returns an empty handle.
///
/// In a Lambda function that works on one invocation at a time, code outside any segment or subsegment belongs to the
/// invocation; see `xray::lambda::TraceLayer`.
#[must_use]
pub fn current() -> Context {
    let own = own();
    if own.0.is_none() { invocation::entity().map_or(own, Context::of_entity) } else { own }
}

/// Returns the context that is set on this thread. Code that restores a context later saves this one.
pub(crate) fn own() -> Context {
    CURRENT.try_with(|current| current.borrow().clone()).unwrap_or_default()
}

/// Returns the id of the current trace, for log lines. A trace that is not sampled has an id too.
///
/// With the id in each log line, you can find the log lines of a trace, and the trace of a log line. With the feature
/// `tracing`, `xray::tracing::WithTraceId` adds the id to every line of `tracing_subscriber::fmt`.
///
/// ```
/// # xray::Recorder::builder().sampler(xray::sampling::Always).emitter(xray::emitter::MemoryEmitter::new()).install().unwrap();
/// assert_eq!(xray::trace_id(), None);
/// let segment = xray::Segment::builder("todo-app").begin();
/// segment.in_scope(|| {
///     let id = xray::trace_id().map(|id| id.to_string()).unwrap_or_default();
///     println!("{id} todo 7 is done"); // 1-6b031e14-9bc0c4e9a7c3750d6dec2af9 todo 7 is done
///     assert_eq!(id.len(), 35);
/// });
/// ```
#[must_use]
pub fn trace_id() -> Option<TraceId> {
    current().trace_id()
}

/// Wraps a closure that will run on another thread, so that it runs in the current segment or subsegment.
///
/// A panic of the closure is not recorded on the segment, because the code that owns the segment may continue.
///
/// ```
/// # xray::Recorder::builder().sampler(xray::sampling::Always).emitter(xray::emitter::MemoryEmitter::new()).install().unwrap();
/// let segment = xray::Segment::builder("todo-app").begin();
/// let expected = segment.trace_id();
/// segment.in_scope(|| {
///     let seen = std::thread::spawn(xray::in_current_trace(xray::trace_id)).join().unwrap();
///     assert_eq!(seen, expected);
/// });
/// ```
pub fn in_current_trace<T>(run: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let context = current();
    move || {
        let _entered = context.enter();
        run()
    }
}

impl Context {
    const NONE: Self = Self(None);

    pub(crate) fn of_entity(entity: Arc<Entity>) -> Self {
        Self(Some(Scope::Entity(entity)))
    }

    /// Creates a context without a segment, in which segments begin with this recorder.
    pub(crate) fn of_recorder(recorder: Recorder) -> Self {
        Self(Some(Scope::Recorder(recorder)))
    }

    /// Returns the id of the trace.
    #[must_use]
    pub fn trace_id(&self) -> Option<TraceId> {
        self.entity().map(|entity| entity.trace().id())
    }

    /// Returns the id of the segment or subsegment.
    #[must_use]
    pub fn id(&self) -> Option<SegmentId> {
        self.entity().map(|entity| entity.id())
    }

    /// Returns the trace header to put into a message or request that the SDK does not trace, such as a message of
    /// Kafka. The sender is this segment or subsegment. The receiver continues the trace with
    /// [`SegmentBuilder::trace_header`](crate::SegmentBuilder::trace_header).
    ///
    /// Returns `None` if there is no segment. The header of a trace that is not sampled says `Sampled=0`. Requests of
    /// traced HTTP clients and messages of the AWS SDK get their headers without this method.
    ///
    /// ```
    /// use xray::{Segment, TraceHeader};
    ///
    /// let ((), documents) = xray::testing::capture_blocking(|| {
    ///     let segment = Segment::builder("shop").begin();
    ///     let sending = segment.subsegment("orders");
    ///     let header = sending.trace_header().map(|header| header.to_string()).unwrap_or_default();
    ///
    ///     // In the program that receives the message:
    ///     let received = TraceHeader::parse(&header);
    ///     Segment::builder("worker").trace_header(&received).begin().end();
    /// });
    /// let [worker, shop] = &documents[..] else { unreachable!() };
    /// assert_eq!(worker.trace_id, shop.trace_id);
    /// assert_eq!(worker.parent_id, Some(shop.subsegments[0].id));
    /// ```
    #[must_use]
    pub fn trace_header(&self) -> Option<TraceHeader> {
        let entity = self.entity()?;
        entity.trace().outgoing_headers().header(entity.trace().id(), entity.id())
    }

    /// Returns whether there is a trace and it is recorded.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.entity().is_some_and(|entity| entity.trace().is_sampled())
    }

    /// Runs a closure in this segment or subsegment. A panic in the closure is recorded and continues to unwind.
    pub fn in_scope<T>(&self, run: impl FnOnce() -> T) -> T {
        let _entered = self.enter();
        self.observe_panic(run)
    }

    /// Adds an annotation: a value by which traces can be searched.
    ///
    /// A key consists of 1 to 500 ASCII letters, digits and underscores. An annotation that X-Ray would refuse is left
    /// out, a text is cut after 1,000 characters, and both are counted in
    /// [`Stats::values_rejected`](crate::Stats::values_rejected). X-Ray indexes 50 annotations of a trace: further ones
    /// are recorded and counted. (Developer guide, "Annotations".)
    ///
    /// An open segment or subsegment holds at most 2 MiB of annotations, metadata, `aws` values and errors, in bytes of
    /// memory. Values above that limit are left out and counted.
    pub fn annotate(&self, key: impl Into<String>, value: impl Into<AnnotationValue>) {
        let Some(entity) = self.sampled_entity() else { return };
        let (key, value) = (key.into(), value.into());
        let recorder = entity.trace().recorder();
        if let Some(value) = recorder.accept_annotation(&key, value) {
            entity.annotate(key, value);
        }
    }

    /// Adds a value to the metadata, in the namespace `default`. Metadata is stored with the trace and cannot be
    /// searched.
    ///
    /// The value may be of any type that serialises. A value is left out if it cannot be written as JSON, exceeds 60
    /// KiB or 64 levels, or if its serialisation fails or panics. A string over 48 KiB is cut and ends in ` [cut]`; a
    /// number that is not finite becomes `null`. Each of these is counted in
    /// [`Stats::values_rejected`](crate::Stats::values_rejected), and none reaches the caller. The value is serialised
    /// while no lock is held.
    ///
    /// ```
    /// #[derive(serde::Serialize)]
    /// struct Cart<'a> {
    ///     items: &'a [u32],
    ///     coupon: Option<&'a str>,
    /// }
    ///
    /// let ((), documents) = xray::testing::capture_blocking(|| {
    ///     let segment = xray::Segment::builder("shop").begin();
    ///     segment.add_metadata("cart", Cart { items: &[1, 2], coupon: None });
    /// });
    /// let cart = &documents[0].metadata["default"]["cart"];
    /// assert_eq!(*cart, serde_json::json!({ "items": [1, 2], "coupon": null }));
    /// ```
    pub fn add_metadata(&self, key: impl Into<String>, value: impl Serialize) {
        self.add_metadata_in("default", key, value);
    }

    /// Adds a value to the metadata, in a namespace of the caller's choice; see [`add_metadata`](Self::add_metadata).
    ///
    /// Namespaces that begin with `AWS.` are reserved. A namespace and a key have at most 250 characters each.
    pub fn add_metadata_in(&self, namespace: impl Into<String>, key: impl Into<String>, value: impl Serialize) {
        let Some(entity) = self.sampled_entity() else { return };
        let (namespace, key) = (namespace.into(), key.into());
        let recorder = entity.trace().recorder();
        let is_accepted = !namespace.starts_with("AWS.") && [&namespace, &key].iter().all(|name| is_short(name));
        let Some(metadata) = is_accepted.then(|| metadata(&value)).flatten() else {
            return recorder.report_value("metadata", &key, "left out");
        };
        if metadata.is_altered {
            recorder.report_value("metadata", &key, "recorded in part");
        }
        entity.add_metadata(namespace, key, metadata.value);
    }

    /// Marks the segment or subsegment as cancelled in its metadata.
    pub(crate) fn mark_cancelled(&self) {
        if let Some(entity) = self.sampled_entity() {
            entity.update(crate::record::Record::mark_cancelled);
        }
    }

    /// Records the user who is served, on the segment. The name is cut after 250 characters, which is counted.
    pub fn set_user(&self, user: impl AsRef<str>) {
        let Some(entity) = self.sampled_entity() else { return };
        let given = user.as_ref();
        let user = first_chars(given, MAX_STRING_CHARS).to_owned();
        if user.len() < given.len() {
            // Without the name: it may identify a person.
            entity.trace().recorder().report_value("the user of segment", &entity.id(), "cut");
        }
        if let Some(segment) = entity.root() {
            segment.update(|record| record.details_mut().user = Some(user));
        }
    }

    /// Records an error with its sources as the cause, and marks this segment or subsegment as a fault.
    ///
    /// If the child that ended last recorded an error of the same type and message, the document refers to the child's
    /// exception by its id. The type is recorded for the error itself, and for those of its sources whose type is of
    /// the standard library. An error whose `Display` panics is recorded by its type, and counted. A segment or
    /// subsegment that holds 100 errors takes no more: further ones only set the flag, and are counted.
    ///
    /// ```
    /// let ((), documents) = xray::testing::capture_blocking(|| {
    ///     let segment = xray::Segment::builder("shop").begin();
    ///     let price = segment.subsegment("price");
    ///     let error = "cheap".parse::<u32>().unwrap_err();
    ///     price.record_error(&error);
    ///     price.end();
    ///     segment.record_error(&error);
    /// });
    /// let cause = &documents[0].subsegments[0].cause;
    /// assert!(matches!(cause, Some(xray::document::Cause::Exceptions(cause)) if cause.exceptions.len() == 1));
    /// assert!(matches!(documents[0].cause, Some(xray::document::Cause::Reference(_))));
    /// ```
    pub fn record_error<E: Error + ?Sized>(&self, error: &E) {
        self.note_failure();
        let Some(entity) = self.sampled_entity() else { return };
        entity.record_error(|| entity.trace().recorder().read_error(error, false));
    }

    /// Records exceptions as the cause. Calls `make` only if there is a record to write them to.
    pub(crate) fn record_exceptions(&self, make: impl FnOnce() -> Vec<Exception>) {
        self.note_failure();
        if let Some(entity) = self.sampled_entity() {
            entity.record_error(make);
        }
    }

    /// Returns whether errors have an effect; see [`Trace::takes_errors`](super::trace::Trace::takes_errors).
    #[cfg(any(feature = "tower", feature = "tracing"))]
    pub(crate) fn takes_errors(&self) -> bool {
        self.entity().is_some_and(|entity| entity.trace().takes_errors())
    }

    /// Notes that something failed in the trace, sampled or not.
    pub(crate) fn note_failure(&self) {
        if let Some(entity) = self.entity() {
            entity.trace().note_failure();
        }
    }

    /// Returns the segment or subsegment.
    pub(crate) fn entity(&self) -> Option<&Arc<Entity>> {
        match &self.0 {
            Some(Scope::Entity(entity)) => Some(entity),
            _ => None,
        }
    }

    /// Returns the entity if its trace is sampled.
    ///
    /// Callers run the user's code (a conversion, a `Display`, a logger) before they lock the record, because that code
    /// may write to the same record.
    pub(crate) fn sampled_entity(&self) -> Option<&Arc<Entity>> {
        self.entity().filter(|entity| entity.trace().is_sampled())
    }

    /// Returns whether both handles name the same segment or subsegment.
    #[cfg(feature = "tracing")]
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.entity().zip(other.entity()).is_some_and(|(one, other)| Arc::ptr_eq(one, other))
    }

    /// Returns the recorder for a segment that begins here.
    pub(crate) fn recorder(&self) -> &Recorder {
        match &self.0 {
            Some(Scope::Entity(entity)) => entity.trace().recorder(),
            Some(Scope::Recorder(recorder)) => recorder,
            None => Recorder::global(),
        }
    }

    /// Returns whether a segment or subsegment has been current on any thread of this process.
    pub(crate) fn has_any_been_current() -> bool {
        HAS_BEEN_CURRENT.load(Ordering::Relaxed)
    }

    /// Makes this context current on this thread until the guard is dropped.
    pub(crate) fn enter(&self) -> Entered {
        Entered { previous: replace_current(self.clone()), not_send: PhantomData }
    }

    /// Runs a closure. A panic in it is recorded on this segment or subsegment, and continues to unwind.
    pub(crate) fn observe_panic<T>(&self, run: impl FnOnce() -> T) -> T {
        observe_panic(run, |message| self.record_panic(message))
    }

    /// Records a panic. An entity further out that catches the same panic refers to it by its id.
    pub(crate) fn record_panic(&self, message: &str) {
        self.note_failure();
        let Some(entity) = self.sampled_entity().filter(|entity| !entity.is_facade()) else { return };
        let message = secrets::part_that_is_read(message);
        let last = UNWINDING.try_with(RefCell::take).ok().flatten();
        let position = last.as_ref().and_then(|last| last.position(entity.id()));
        let recorded = match (last, position) {
            (Some(panic), Some(last)) if panic.message == message => {
                entity.record_known_panic(&panic.exception);
                RecordedPanic { last, ..panic }
            }
            (last, position) => {
                let mut exception = Exception::panic(message);
                let Some(id) = entity.record_panic(&exception) else { return };
                exception.id = id;
                let (ancestors, last) = match (last, position) {
                    (Some(panic), Some(last)) => (panic.ancestors, last),
                    _ => (entity.ancestor_ids(), 0),
                };
                RecordedPanic { message: message.to_owned(), exception, ancestors, last }
            }
        };
        let _ = UNWINDING.try_with(|last| last.replace(Some(recorded)));
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Context")
            .field("trace_id", &self.trace_id())
            .field("id", &self.id())
            .field("sampled", &self.is_sampled())
            .finish()
    }
}

/// A guard that restores the previous context when it is dropped.
//
// It is not `Send`, so the compiler refuses a spawned future that holds it across an `.await`: the next poll might run
// on another thread.
pub(crate) struct Entered {
    previous: Context,
    not_send: PhantomData<*const ()>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        drop(replace_current(std::mem::take(&mut self.previous)));
    }
}

/// Makes a context current and returns the previous one. Does nothing while the thread's locals are being destroyed.
pub(crate) fn replace_current(context: Context) -> Context {
    let is_set = context.0.is_some();
    // A load first: after the first time all threads only read, and the cache line stays shared.
    if is_set && !HAS_BEEN_CURRENT.load(Ordering::Relaxed) && context.entity().is_some() {
        HAS_BEEN_CURRENT.store(true, Ordering::Relaxed);
    }
    CURRENT.try_with(|current| current.replace(context)).map_or_else(
        |_| Context::NONE,
        |previous| {
            IS_SET.set(is_set);
            previous
        },
    )
}

/// Runs a closure. Passes the message of a panic in it to `record`; the panic then continues to unwind.
pub(crate) fn observe_panic<T>(run: impl FnOnce() -> T, record: impl FnOnce(&str)) -> T {
    panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        record(panic_message(&*panic));
        panic::resume_unwind(panic)
    })
}

/// Returns whether a context is set on this thread or for the whole process. Reads two flags.
#[inline]
pub(crate) fn is_set() -> bool {
    IS_SET.get() || invocation::is_any_running()
}

/// Returns the current entity.
// Not inlined, so that the code of a call outside any segment stays short.
#[inline(never)]
pub(crate) fn current_entity() -> Option<Arc<Entity>> {
    with_current_entity(Arc::clone)
}

/// Calls `look` with the current entity and returns its result. Clones no reference count.
#[inline]
pub(crate) fn with_current_entity<T>(look: impl FnOnce(&Arc<Entity>) -> T) -> Option<T> {
    if !IS_SET.get() {
        return invocation::entity().map(|entity| look(&entity));
    }
    CURRENT.try_with(|current| current.borrow().entity().map(look)).ok().flatten()
}

/// Returns the entity of the innermost scope on this thread, if that entity began below `ancestor`.
#[inline]
pub(crate) fn entity_below(ancestor: &Arc<Entity>) -> Option<Arc<Entity>> {
    if !IS_SET.get() {
        return None;
    }
    let entity_below = |current: &RefCell<Context>| {
        let current = current.borrow();
        let entity = current.entity().filter(|entity| !Arc::ptr_eq(entity, ancestor))?;
        entity.is_below(ancestor).then(|| Arc::clone(entity))
    };
    CURRENT.try_with(entity_below).ok().flatten()
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let message = panic.downcast_ref::<String>().map(String::as_str);
    message.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panicked")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Cause;
    use crate::live::segment::Segment;
    use crate::testing::capture_blocking;

    /// Runs a closure that panics.
    fn caught(run: impl FnOnce()) {
        assert!(panic::catch_unwind(AssertUnwindSafe(run)).is_err());
    }

    #[test]
    fn a_panic_after_another_one_was_caught_is_recorded_with_its_own_message() {
        let ((), documents) = capture_blocking(|| {
            let segment = Segment::builder("s").begin();
            let outer = segment.subsegment("outer");
            caught(|| {
                outer.in_scope(|| {
                    caught(|| outer.subsegment("inner").in_scope(|| panic!("one")));
                    panic!("two");
                });
            });
        });
        let Some(Cause::Exceptions(cause)) = &documents[0].subsegments[0].cause else { panic!("{documents:#?}") };
        let messages: Vec<_> = cause.exceptions.iter().filter_map(|exception| exception.message.as_deref()).collect();
        assert_eq!(messages, ["two"]);
    }

    /// The first panic has left `inner`, so a panic with an equal message that passes `inner` later is a new one.
    #[test]
    fn after_a_panic_has_left_a_scope_an_equal_one_in_that_scope_is_another() {
        let ((), documents) = capture_blocking(|| {
            let segment = Segment::builder("s").begin();
            let outer = segment.subsegment("outer");
            let inner = outer.subsegment("inner");
            let innermost = inner.subsegment("innermost");
            caught(|| outer.in_scope(|| inner.in_scope(|| innermost.in_scope(|| panic!("no way out")))));
            caught(|| inner.in_scope(|| panic!("no way out")));
            innermost.end();
            inner.end();
        });
        let outer = &documents[0].subsegments[0];
        assert!(matches!(outer.cause, Some(Cause::Reference(_))), "{documents:#?}");
        let Some(Cause::Exceptions(cause)) = &outer.subsegments[0].cause else { panic!("{documents:#?}") };
        assert_eq!(cause.exceptions.len(), 2);
    }
}
