//! The context: which segment or subsegment is current on this thread, for this poll or closure.

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
use crate::id::{SegmentId, TraceId};
use crate::live::entity::Entity;
use crate::recorder::{ContextMissing, Recorder};
use crate::support::text::first_chars;

thread_local! {
    static CURRENT: RefCell<Context> = const { RefCell::new(Context::NONE) };
    /// Whether `CURRENT` names anything: all that a call outside any segment has to read.
    static IS_SET: Cell<bool> = const { Cell::new(false) };
    /// The panic that was recorded last: those around it see it too, some before what recorded it has ended.
    static PASSING: RefCell<Option<Passing>> = const { RefCell::new(None) };
}

/// A handle of a segment or subsegment, or of nothing.
///
/// It writes to what it names while that is open, and keeps nothing open itself. Where it names nothing, or
/// what it names is not sampled or has ended, its methods do nothing.
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
    /// No segment, but a recorder for those that begin here.
    Recorder(Recorder),
    Entity(Arc<Entity>),
}

/// A panic on its way out.
struct Passing {
    exception: Exception,
    /// Where it was recorded last, and all around that.
    way: Vec<SegmentId>,
}

/// What is current here: the segment or subsegment around this code, if there is one.
#[must_use]
pub fn current() -> Context {
    CURRENT.try_with(|current| current.borrow().clone()).unwrap_or_default()
}

/// The id of the current trace, for logs; also of one that is not sampled.
///
/// A line with it is found from the trace, and the trace from the line. With the feature `tracing` every line of
/// `tracing_subscriber::fmt` has it by `xray::tracing::WithTraceId`; another logger's format asks here.
///
/// ```
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

/// Wraps a closure that will run on another thread, so that what is current here is current in it.
///
/// ```
/// let segment = xray::Segment::builder("todo-app").begin();
/// let expected = segment.trace_id();
/// segment.in_scope(|| {
///     let seen = std::thread::spawn(xray::in_current_trace(xray::trace_id)).join().unwrap();
///     assert_eq!(seen, expected);
/// });
/// ```
pub fn in_current_trace<T>(run: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let context = current();
    move || context.in_scope(run)
}

impl Context {
    const NONE: Self = Self(None);

    pub(crate) fn of_entity(entity: Arc<Entity>) -> Self {
        Self(Some(Scope::Entity(entity)))
    }

    /// Where nothing is open and segments begin with this recorder.
    pub(crate) fn of_recorder(recorder: Recorder) -> Self {
        Self(Some(Scope::Recorder(recorder)))
    }

    /// The id of the trace.
    #[must_use]
    pub fn trace_id(&self) -> Option<TraceId> {
        self.entity().map(|entity| entity.trace().id())
    }

    /// The id of the segment or subsegment.
    #[must_use]
    pub fn id(&self) -> Option<SegmentId> {
        self.entity().map(|entity| entity.id())
    }

    /// Whether there is a trace and it is recorded.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.entity().is_some_and(|entity| entity.trace().is_sampled())
    }

    /// Runs a closure in which this is current. A panic in it is recorded and goes on.
    pub fn in_scope<T>(&self, run: impl FnOnce() -> T) -> T {
        let _entered = self.enter();
        self.observe_panic(run)
    }

    /// Adds an annotation: a value by which traces can be searched.
    ///
    /// The key has 1 to 500 ASCII letters, digits and underscores. What X-Ray does not take is left out, a long text
    /// cut at 1,000 characters; both are counted. X-Ray indexes 50 annotations of a trace: further ones are recorded
    /// all the same, and counted. (Developer guide, "Annotations".)
    pub fn annotate(&self, key: impl Into<String>, value: impl Into<AnnotationValue>) {
        let Some(entity) = self.sampled_entity() else { return };
        let (key, value) = (key.into(), value.into());
        let recorder = entity.trace().recorder();
        let Some(value) = recorder.accept_annotation(&key, value) else { return };
        let mut is_new = false;
        entity.update(|record| is_new = record.annotations.insert(key, value).is_none());
        entity.trace().note_annotations(usize::from(is_new));
    }

    /// Adds a value that is kept with the trace but not searched, in the namespace `default`.
    ///
    /// The value is anything that serialises. What cannot be JSON, is over 60 KiB or over 64 levels deep, fails or
    /// panics is left out; a string over 48 KiB is cut, with ` [cut]` at its end, and a number that is not finite is
    /// `null`. All of that is counted, in [`Stats::values_rejected`](crate::Stats::values_rejected), and nothing of it
    /// reaches the caller. No lock is held meanwhile.
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

    /// The same in a namespace of its own; those that begin with `AWS.` are reserved. A namespace and a key have at most
    /// 250 characters.
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
        entity.update(|record| {
            record.metadata.entry(namespace).or_default().insert(key, metadata.value);
        });
    }

    /// Records who is served, on the segment; at most 250 characters, the rest is cut and counted.
    pub fn set_user(&self, user: impl AsRef<str>) {
        let Some(entity) = self.sampled_entity() else { return };
        let given = user.as_ref();
        let user = first_chars(given, MAX_STRING_CHARS).to_owned();
        if user.len() < given.len() {
            entity.trace().recorder().report_value("user", &user, "cut");
        }
        entity.root().update(|record| record.user = Some(user));
    }

    /// Records an error and its sources, and that this is at fault.
    ///
    /// What the child that ended last recorded already, with the same type and message, is referred to by its id. A
    /// type is recorded where it is known: the error's own, and of its sources those of the standard library. An error
    /// that panics as it is asked what it says is recorded by its type and counted.
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
        let Some(entity) = self.sampled_entity() else { return };
        let chain = entity.trace().recorder().read_error(error, false);
        entity.update(|record| record.record_error(chain));
    }

    /// The same with exceptions, which are made only where there is something to write them to.
    pub(crate) fn record_exceptions(&self, make: impl FnOnce() -> Vec<Exception>) {
        let Some(entity) = self.sampled_entity() else { return };
        let exceptions = make();
        entity.update(|record| record.record_error(exceptions));
    }

    pub(crate) fn entity(&self) -> Option<&Arc<Entity>> {
        match &self.0 {
            Some(Scope::Entity(entity)) => Some(entity),
            _ => None,
        }
    }

    /// What there is to write to. The caller's own code (a conversion, a `Display`, a logger) may write to it too, so
    /// it runs before the record is locked.
    pub(crate) fn sampled_entity(&self) -> Option<&Arc<Entity>> {
        self.entity().filter(|entity| entity.trace().is_sampled())
    }

    /// Whether both name the same.
    #[cfg(feature = "tracing")]
    pub(crate) fn is(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(Scope::Entity(one)), Some(Scope::Entity(other))) => Arc::ptr_eq(one, other),
            (Some(Scope::Recorder(one)), Some(Scope::Recorder(other))) => one.is(other),
            (None, None) => true,
            _ => false,
        }
    }

    /// The recorder for a segment that begins here.
    pub(crate) fn recorder(&self) -> &Recorder {
        match &self.0 {
            Some(Scope::Entity(entity)) => entity.trace().recorder(),
            Some(Scope::Recorder(recorder)) => recorder,
            None => Recorder::global(),
        }
    }

    /// Makes it current on this thread until the guard is dropped.
    pub(crate) fn enter(&self) -> Entered {
        Entered { previous: replace_current(self.clone()), not_send: PhantomData }
    }

    /// Runs a closure; a panic in it is recorded here and goes on.
    pub(crate) fn observe_panic<T>(&self, run: impl FnOnce() -> T) -> T {
        observe_panic(run, |message| self.record_panic(message))
    }

    /// Records a panic, once on its way: further out its id is enough.
    pub(crate) fn record_panic(&self, message: &str) {
        let Some(entity) = self.sampled_entity().filter(|entity| !entity.is_facade()) else { return };
        let exception = Exception::panic(message);
        let passing = PASSING.try_with(RefCell::take).ok().flatten();
        let is_known =
            |passing: &Passing| passing.way.contains(&entity.id()) && passing.exception.is_same_error(&exception);
        let known = passing.filter(is_known).map(|passing| passing.exception.id);
        let mut recorded = None;
        entity.update(|record| recorded = record.record_panic(exception.clone(), known));
        let Some(id) = recorded.or(known) else { return };
        let passing = Passing { exception: Exception { id, ..exception }, way: entity.way_out() };
        let _ = PASSING.try_with(|last| last.replace(Some(passing)));
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

/// Restores what was current before. Not `Send`, so no future can hold it across an await.
pub(crate) struct Entered {
    previous: Context,
    not_send: PhantomData<*const ()>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        drop(replace_current(std::mem::take(&mut self.previous)));
    }
}

/// Makes a context current and returns the one before. In a thread's last destructors nothing is current.
pub(crate) fn replace_current(context: Context) -> Context {
    let is_set = context.0.is_some();
    CURRENT.try_with(|current| current.replace(context)).map_or_else(
        |_| Context::NONE,
        |previous| {
            IS_SET.set(is_set);
            previous
        },
    )
}

/// Runs a closure; a panic in it is told to `record` and goes on.
pub(crate) fn observe_panic<T>(run: impl FnOnce() -> T, record: impl FnOnce(&str)) -> T {
    panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        record(panic_message(&*panic));
        panic::resume_unwind(panic)
    })
}

/// Whether there may be an entity below which something is recorded now: one read of a thread-local.
#[inline]
pub(crate) fn is_set() -> bool {
    IS_SET.get()
}

/// What `look` gives for the entity below which something is recorded now.
pub(crate) fn with_current_entity<T>(look: impl FnOnce(&Arc<Entity>) -> T) -> Option<T> {
    CURRENT.try_with(|current| current.borrow().entity().map(look)).ok().flatten()
}

/// Tells, once per process, that something was to be recorded and nothing is open.
#[inline]
pub(crate) fn report_missing() {
    static REPORTED: AtomicBool = AtomicBool::new(false);
    if !REPORTED.load(Ordering::Relaxed) && !REPORTED.swap(true, Ordering::Relaxed) {
        log_missing();
    }
}

#[cold]
fn log_missing() {
    let recorder = Recorder::global();
    if recorder.is_enabled() && recorder.context_missing() == ContextMissing::LogError {
        log::error!(
            target: "xray::context",
            "something is to be recorded outside any segment and is not; further such things are not reported",
        );
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let message = panic.downcast_ref::<String>().map(String::as_str);
    message.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panicked")
}
