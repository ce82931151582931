//! The subsegment that `#[traced]` records for a function.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, ready};

use pin_project_lite::pin_project;

use crate::http::Annotations;
use crate::live::context::{self, Context};
use crate::live::entity::Entity;
use crate::live::segment::Subsegment;

/// The subsegment of one call of a `#[traced]` function, before it begins.
///
/// The `around*` methods take a `check`. It is called with the function's return value before the subsegment ends. The
/// attribute passes a closure that captures nothing, so a function pointer is sufficient and the future needs no type
/// parameter for it.
#[derive(Debug)]
pub struct FunctionSubsegment {
    name: &'static str,
    annotations: Option<Annotations>,
}

impl FunctionSubsegment {
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, annotations: None }
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
    /// If there is no sampled segment when the body runs, the subsegment begins at the first poll, if there is one then.
    pub fn around_returned_future<F: Future>(
        self,
        make: impl FnOnce() -> F,
        check: fn(&F::Output, &Context),
    ) -> FunctionFuture<F> {
        let Some(subsegment) = self.begin() else { return self.around_future(make(), check) };
        let future = subsegment.in_scope(make);
        FunctionFuture { future: Some(future), state: State::Running { subsegment }, check }
    }

    /// Begins the subsegment. Returns `None` if there is no current segment or its trace is not sampled.
    #[inline]
    fn begin(&self) -> Option<Subsegment> {
        // Check `is_set` first, so a function outside any segment costs only one read of a thread-local.
        if !context::is_set() {
            return None;
        }
        let sampled = |entity: &Arc<Entity>| entity.trace().is_sampled().then(|| Arc::clone(entity));
        let entity = context::with_current_entity(sampled).flatten()?;
        let subsegment = Context::of_entity(entity).subsegment(self.name);
        let annotations = self.annotations.iter().flat_map(Annotations::pairs);
        annotations.for_each(|(key, value)| subsegment.annotate(key, value));
        Some(subsegment)
    }
}

/// Produces a value of the function's return type in unreachable code.
///
/// The attribute begins an async block with `if false { return never::<T>() }`, from which the compiler infers the type of
/// the block's output.
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
        // Set to `None` to drop the future while the subsegment is current, so that destructors can record into it.
        #[pin]
        future: Option<F>,
        state: State,
        check: fn(&F::Output, &Context),
    }

    impl<F: Future> PinnedDrop for FunctionFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let State::Running { subsegment } = this.state {
                subsegment.add_metadata_in("xray", "cancelled", true);
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
    /// There is no sampled segment, or the subsegment has ended.
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
        // Take the subsegment out of the state while polling. If the future panics, the subsegment ends with the panic as
        // its cause, and `drop` does not mark it as cancelled.
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
