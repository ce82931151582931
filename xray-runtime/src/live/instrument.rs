//! Futures that run in a context, which is set for the length of each poll.
//!
//! The context is a thread-local, and a future may move to another thread between two polls. So the context is set when
//! a poll begins and restored when it ends; a guard in the future itself would leave it set on the wrong thread.

use std::fmt;
use std::mem;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Poll, ready};

use pin_project_lite::pin_project;

use crate::live::context::{self, Context};
use crate::live::segment::{Segment, SegmentBuilder, Subsegment};

/// Opens a segment or subsegment around a future, or runs the future in the current one.
///
/// ```
/// use xray::Instrument as _;
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// let work = async {
///     async { /* render */ }.in_subsegment("render").await;
///     tokio::spawn(async { xray::trace_id() }.in_current_trace()).await.unwrap()
/// };
/// let (trace_id, documents) = xray::testing::capture(work.in_segment("todo-app")).await;
/// assert_eq!(documents[0].trace_id, trace_id);
/// assert_eq!(documents[0].subsegments[0].name, "render");
/// # });
/// ```
pub trait Instrument: Future + Sized {
    /// Runs the future in a segment: an existing [`Segment`], or a new one of this name that begins at the first poll.
    ///
    /// The segment ends when the future ends. If the future is dropped earlier, as by `select!` with a timeout, the
    /// segment ends then, and has `{"cancelled": true}` in its metadata, in the namespace `xray`.
    ///
    /// A panic of the future is recorded as a fault. A returned `Err` is not recorded: record it inside the future.
    ///
    /// ```
    /// use xray::Instrument as _;
    ///
    /// let job = async {
    ///     let result = "seven".parse::<u32>();
    ///     if let Err(error) = &result {
    ///         xray::current().record_error(error);
    ///     }
    ///     result
    /// };
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// # runtime.block_on(async {
    /// let (_, documents) = xray::testing::capture(job.in_segment("import")).await;
    /// assert!(documents[0].fault);
    /// # });
    /// ```
    fn in_segment(self, segment: impl Into<SegmentScope>) -> Instrumented<Self> {
        Instrumented::new(self, segment.into().0)
    }

    /// Runs the future in a subsegment: an existing [`Subsegment`], or a new one of this name that begins at the first
    /// poll, below the segment or subsegment that is current at that time.
    ///
    /// The subsegment ends when the future ends. If the future is dropped earlier, the subsegment is marked like a
    /// segment; see [`in_segment`](Self::in_segment). A panic is recorded and a returned `Err` is not;
    /// `#[xray::traced(err)]` on a function records its `Err`.
    ///
    /// If no segment is current at the first poll, nothing is recorded, and that is logged, once for each place in the
    /// source.
    #[track_caller]
    fn in_subsegment(self, subsegment: impl Into<SubsegmentScope>) -> Instrumented<Self> {
        let SubsegmentScope(mut scope) = subsegment.into();
        if let Scope::NewSubsegment(_, place) = &mut scope {
            *place = Location::caller();
        }
        Instrumented::new(self, scope)
    }

    /// Runs the future in the segment or subsegment that is current now. For futures that are spawned.
    fn in_current_trace(self) -> Instrumented<Self> {
        self.in_context(context::current())
    }

    /// Runs the future in the segment or subsegment that the handle names.
    ///
    /// A panic of the future is not recorded on the segment, because the code that owns the segment may continue, as
    /// after a panic in a spawned task.
    fn in_context(self, context: Context) -> Instrumented<Self> {
        Instrumented::new(self, Scope::Context(context))
    }
}

impl<F: Future> Instrument for F {}

/// The argument of [`Instrument::in_segment`]: a name, a [`SegmentBuilder`] or a [`Segment`].
#[derive(Debug)]
pub struct SegmentScope(Scope);

/// The argument of [`Instrument::in_subsegment`]: a name or a [`Subsegment`].
#[derive(Debug)]
pub struct SubsegmentScope(Scope);

impl From<&str> for SegmentScope {
    fn from(name: &str) -> Self {
        Segment::builder(name).into()
    }
}

impl From<String> for SegmentScope {
    fn from(name: String) -> Self {
        Segment::builder(name).into()
    }
}

impl From<SegmentBuilder> for SegmentScope {
    fn from(builder: SegmentBuilder) -> Self {
        Self(Scope::NewSegment(builder))
    }
}

impl From<Segment> for SegmentScope {
    fn from(segment: Segment) -> Self {
        Self(Scope::Segment(segment))
    }
}

impl From<&str> for SubsegmentScope {
    fn from(name: &str) -> Self {
        name.to_owned().into()
    }
}

impl From<String> for SubsegmentScope {
    fn from(name: String) -> Self {
        Self(Scope::NewSubsegment(name, Location::caller()))
    }
}

impl From<Subsegment> for SubsegmentScope {
    fn from(subsegment: Subsegment) -> Self {
        Self(Scope::Subsegment(subsegment))
    }
}

/// The scope of a future. The future owns the segment or subsegment in it.
#[derive(Debug)]
enum Scope {
    NewSegment(SegmentBuilder),
    /// The name of the subsegment, and where the scope was made.
    NewSubsegment(String, &'static Location<'static>),
    Segment(Segment),
    Subsegment(Subsegment),
    Context(Context),
}

impl Scope {
    /// Returns the context of the scope. A segment or subsegment that has not begun begins now.
    fn open(&mut self) -> &Context {
        if !self.has_begun() {
            self.begin();
        }
        match self {
            Self::Segment(segment) => segment,
            Self::Subsegment(subsegment) => subsegment,
            Self::Context(context) => context,
            Self::NewSegment(_) | Self::NewSubsegment(..) => unreachable!("`begin` has replaced the scope"),
        }
    }

    /// Returns whether the segment or subsegment ends with the future.
    fn owns_context(&self) -> bool {
        !matches!(self, Self::Context(_))
    }

    fn has_begun(&self) -> bool {
        !matches!(self, Self::NewSegment(_) | Self::NewSubsegment(..))
    }

    /// Begins the segment or subsegment.
    // A function of its own, because most polls find that the scope has begun.
    #[cold]
    fn begin(&mut self) {
        *self = match mem::replace(self, Self::Context(Context::default())) {
            Self::NewSegment(builder) => Self::Segment(builder.begin()),
            Self::NewSubsegment(name, place) => {
                let current = context::current();
                current.note_missing_at(place, &name);
                Self::Subsegment(current.begin_subsegment(&name))
            }
            begun => begun,
        };
    }

    /// Ends the segment or subsegment.
    fn close(&mut self) {
        *self = Self::Context(Context::default());
    }
}

pin_project! {
    /// A future that runs in a context; made by [`Instrument`].
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Instrumented<F> {
        // `None` after its end. The future is dropped while its context is set, so that calls and spans in its
        // destructors are recorded in the right place.
        #[pin]
        future: Option<F>,
        scope: Scope,
        // `true` while the future is polled, and after it has panicked.
        is_polling: bool,
    }

    impl<F> PinnedDrop for Instrumented<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() && this.scope.has_begun() {
                let is_owner = this.scope.owns_context();
                let context = this.scope.open();
                if !*this.is_polling && is_owner {
                    context.mark_cancelled();
                }
                let _entered = context.enter();
                this.future.set(None);
            }
        }
    }
}

impl<F> Instrumented<F> {
    fn new(future: F, scope: Scope) -> Self {
        Self { future: Some(future), scope, is_polling: false }
    }
}

impl<F: Future> Future for Instrumented<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut std::task::Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            panic!("`Instrumented` polled after completion");
        };
        let is_owner = this.scope.owns_context();
        let context = this.scope.open();
        let entered = context.enter();
        *this.is_polling = true;
        // A panic is not recorded on a context that the future does not own: its owner may go on.
        let poll = if is_owner { context.observe_panic(|| future.poll(task)) } else { future.poll(task) };
        *this.is_polling = false;
        let output = ready!(poll);
        this.future.set(None);
        drop(entered);
        this.scope.close();
        Poll::Ready(output)
    }
}

impl<F> fmt::Debug for Instrumented<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Instrumented").field("scope", &self.scope).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::capture_blocking;

    #[test]
    fn a_segment_ends_with_its_future_and_not_when_the_future_is_dropped() {
        let (kept, documents) = capture_blocking(|| {
            let mut future = Box::pin(async {}.in_subsegment("part").in_segment("s"));
            assert!(future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_ready());
            future
        });
        assert_eq!(documents[0].subsegments.len(), 1);
        drop(kept);
    }
}
