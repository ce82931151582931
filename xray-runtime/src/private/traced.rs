//! The subsegment that `#[traced]` records for a function.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, ready};

use pin_project_lite::pin_project;

use crate::http::Annotations;
use crate::live::context::{self, Context};
use crate::live::entity::Entity;
use crate::live::missing::{self, LoggedLines, SourcePlace};
use crate::live::segment::Subsegment;

/// A `#[traced]` function: a static in the macro's output.
#[derive(Debug)]
pub struct TracedFunction {
    /// The name of its subsegments.
    name: &'static str,
    place: SourcePlace,
    /// The first line is in the set if a call outside any segment was logged.
    logged_missing: LoggedLines,
}

impl TracedFunction {
    /// Describes the function that is defined at this position.
    #[must_use]
    pub const fn new(name: &'static str, function: &'static str, file: &'static str, line: u32) -> Self {
        Self { name, place: SourcePlace { function, file, line }, logged_missing: LoggedLines::new() }
    }

    /// Logs, the first time, that the function runs where no segment is current.
    #[inline]
    fn note_missing(&self) {
        if !self.logged_missing.contains(0) {
            self.log_missing();
        }
    }

    #[cold]
    fn log_missing(&self) {
        if self.logged_missing.insert(0) {
            missing::log_subsegment(self.name, self.place);
        }
    }
}

/// The subsegment of one call to a `#[traced]` function, before it begins.
///
/// The methods whose names begin with `around` take a function `check`. They call it with the function's return value,
/// before the subsegment ends. With `err`, it records the error. It is a function pointer, because the attribute's
/// closure captures nothing, and so the future needs no type parameter for it.
#[derive(Debug)]
pub struct FunctionSubsegment {
    function: &'static TracedFunction,
    annotations: Option<Annotations>,
}

impl FunctionSubsegment {
    #[must_use]
    pub const fn new(function: &'static TracedFunction) -> Self {
        Self { function, annotations: None }
    }

    #[must_use]
    pub fn annotated(self, annotations: Annotations) -> Self {
        Self { annotations: Some(annotations), ..self }
    }

    /// Runs the body of the function in the subsegment.
    #[inline]
    pub fn around<T>(self, body: impl FnOnce() -> T, check: fn(&T, &Context)) -> T {
        let Some(subsegment) = self.begin() else { return body() };
        subsegment.in_scope(|| {
            let result = body();
            check(&result, &subsegment);
            result
        })
    }

    /// Wraps the function's future. The subsegment begins at the first poll.
    pub fn around_future<F: Future>(self, future: F, check: fn(&F::Output, &Context)) -> FunctionFuture<F> {
        FunctionFuture { future: Some(future), state: State::Waiting { subsegment: Some(self) }, check }
    }

    /// Runs the body of the function, which returns a future, and wraps that future. The subsegment covers both.
    ///
    /// If no segment is current when the body runs, or its trace needs no subsegment, the subsegment begins at the
    /// first poll, if a segment whose trace needs one is current then.
    pub fn around_returned_future<F: Future>(
        self,
        make: impl FnOnce() -> F,
        check: fn(&F::Output, &Context),
    ) -> FunctionFuture<F> {
        // Outside any segment nothing is logged yet: the future may be polled in one.
        let Ok(subsegment) = self.try_begin() else { return self.around_future(make(), check) };
        let future = subsegment.in_scope(make);
        FunctionFuture { future: Some(future), state: State::Running { subsegment }, check }
    }

    /// Begins the subsegment. Returns `None` if the trace is neither sampled nor counted for a boost, or if no segment
    /// is current, which is logged.
    #[inline]
    fn begin(&self) -> Option<Subsegment> {
        match self.try_begin() {
            Ok(subsegment) => Some(subsegment),
            Err(Unrecorded::NotSampled) => None,
            Err(Unrecorded::NoSegment) => {
                self.function.note_missing();
                None
            }
        }
    }

    #[inline]
    fn try_begin(&self) -> Result<Subsegment, Unrecorded> {
        // `is_set` comes first, so that a function outside any segment costs only one read of a thread-local.
        if !context::is_set() {
            return Err(Unrecorded::NoSegment);
        }
        let needed = |entity: &Arc<Entity>| {
            if entity.trace().takes_errors() { Ok(Arc::clone(entity)) } else { Err(Unrecorded::NotSampled) }
        };
        let entity = context::with_current_entity(needed).unwrap_or(Err(Unrecorded::NoSegment))?;
        let subsegment = Context::of_entity(entity).begin_subsegment(self.function.name);
        let annotations = self.annotations.iter().flat_map(Annotations::pairs);
        annotations.for_each(|(key, value)| subsegment.annotate(key, value));
        Ok(subsegment)
    }
}

/// Why a call to a function is not recorded.
enum Unrecorded {
    NoSegment,
    NotSampled,
}

/// The return type of a function under `#[traced(err)]`.
#[diagnostic::on_unimplemented(
    message = "`err` requires a function that returns a `Result`, but this function returns `{Self}`",
    label = "remove `err` from the attribute, or return a `Result`",
    note = "below `#[traced(err)]` on an `impl` block or a module, put `#[traced]` on this function"
)]
pub trait ReturnsResult<E> {
    fn error(&self) -> Option<&E>;
}

impl<T, E> ReturnsResult<E> for Result<T, E> {
    fn error(&self) -> Option<&E> {
        self.as_ref().err()
    }
}

/// Returns the error that a function returned.
pub fn error_of<R: ReturnsResult<E>, E>(result: &R) -> Option<&E> {
    result.error()
}

/// Stands for a value of the function's return type, in code that never runs.
///
/// The attribute begins an async block with `if false { return never::<T>() }`. From this, the compiler infers the type
/// of the block's output.
///
/// # Panics
///
/// Panics if it is called.
#[must_use]
pub fn never<T>() -> T {
    unreachable!("`never` is only called in unreachable code")
}

pin_project! {
    /// The future of a function, which runs in the function's subsegment.
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct FunctionFuture<F: Future> {
        // `None` after the future is dropped. It is dropped while the subsegment is current, so that its destructors
        // can record into the subsegment.
        #[pin]
        future: Option<F>,
        state: State,
        check: fn(&F::Output, &Context),
    }

    impl<F: Future> PinnedDrop for FunctionFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let State::Running { subsegment } = this.state {
                subsegment.mark_cancelled();
                let _entered = subsegment.enter();
                this.future.set(None);
            }
        }
    }
}

enum State {
    /// The future has not been polled.
    Waiting {
        /// `None` only inside the first poll.
        subsegment: Option<FunctionSubsegment>,
    },
    Running {
        subsegment: Subsegment,
    },
    /// There is no subsegment: none was needed, or it has ended.
    Idle,
}

impl<F: Future> Future for FunctionFuture<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, task: &mut std::task::Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        if let State::Waiting { subsegment } = this.state {
            let begun = subsegment.take().and_then(|subsegment| subsegment.begin());
            *this.state = begun.map_or(State::Idle, |subsegment| State::Running { subsegment });
        }
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            panic!("`FunctionFuture` polled after completion")
        };
        if matches!(this.state, State::Idle) {
            return future.poll(task);
        }
        // Take the subsegment out of the state during the poll. If the future panics, the subsegment ends here, with
        // the panic as its cause, and `drop` finds none to mark as cancelled.
        let State::Running { subsegment } = std::mem::replace(this.state, State::Idle) else { return Poll::Pending };
        let entered = subsegment.enter();
        let polled = subsegment.observe_panic(|| {
            let output = ready!(future.poll(task));
            (this.check)(&output, &subsegment);
            Poll::Ready(output)
        });
        if polled.is_ready() {
            this.future.set(None);
            drop(entered);
        } else {
            drop(entered);
            *this.state = State::Running { subsegment };
        }
        polled
    }
}
