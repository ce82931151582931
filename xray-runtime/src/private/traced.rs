//! The subsegment around a function under `#[traced]`.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, ready};

use pin_project_lite::pin_project;

use crate::http::Annotations;
use crate::live::context::{self, Context};
use crate::live::entity::Entity;
use crate::live::segment::Subsegment;

/// One run of a function, before it begins.
#[derive(Debug)]
pub struct Part {
    name: &'static str,
    annotations: Option<Annotations>,
}

impl Part {
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, annotations: None }
    }

    #[must_use]
    pub fn annotated(self, annotations: Annotations) -> Self {
        Self { annotations: Some(annotations), ..self }
    }

    /// Runs the body of the function.
    #[inline]
    pub fn around<T>(self, body: impl FnOnce() -> T) -> T {
        self.around_checked(body, |_, _| ())
    }

    /// Runs the body of the function and looks at what it returns.
    #[inline]
    pub fn around_checked<T>(self, body: impl FnOnce() -> T, check: fn(&T, &Context)) -> T {
        let Some(subsegment) = self.begin() else { return body() };
        subsegment.in_scope(|| {
            let result = body();
            check(&result, &subsegment);
            result
        })
    }

    /// The future of the function, which begins at its first poll.
    pub fn around_future<F: Future>(self, future: F) -> PartFuture<F> {
        self.around_checked_future(future, |_, _| ())
    }

    /// The same, and its output is looked at.
    pub fn around_checked_future<F: Future>(self, future: F, check: fn(&F::Output, &Context)) -> PartFuture<F> {
        PartFuture { future: Some(future), state: State::Waiting { part: Some(self) }, check }
    }

    /// The future that the body of the function makes. Where something is recorded, it begins with the body.
    pub fn around_maker<F: Future>(self, make: impl FnOnce() -> F) -> PartFuture<F> {
        self.around_checked_maker(make, |_, _| ())
    }

    /// The same, and its output is looked at.
    pub fn around_checked_maker<F: Future>(
        self,
        make: impl FnOnce() -> F,
        check: fn(&F::Output, &Context),
    ) -> PartFuture<F> {
        let Some(subsegment) = self.begin() else { return self.around_checked_future(make(), check) };
        let future = subsegment.in_scope(make);
        PartFuture { future: Some(future), state: State::Running { subsegment }, check }
    }

    /// `None` where nothing is recorded: then the function is run as if it were not annotated.
    #[inline]
    fn begin(&self) -> Option<Subsegment> {
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

/// Gives what a function returns, for the types alone: it is never called.
///
/// # Panics
///
/// If it is called.
#[must_use]
pub fn never<T>() -> T {
    unreachable!("a value that is named for its type")
}

pin_project! {
    /// The future of a function; the subsegment begins at its first poll.
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct PartFuture<F: Future> {
        // `None` once it is dropped in its context.
        #[pin]
        future: Option<F>,
        state: State,
        check: fn(&F::Output, &Context),
    }

    impl<F: Future> PinnedDrop for PartFuture<F> {
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
    Waiting {
        part: Option<Part>,
    },
    Running {
        subsegment: Subsegment,
    },
    /// Nothing is recorded, or it has ended.
    Idle,
}

impl<F: Future> Future for PartFuture<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, task: &mut std::task::Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        if let State::Waiting { part } = this.state {
            let begun = part.take().and_then(|part| part.begin());
            *this.state = begun.map_or(State::Idle, |subsegment| State::Running { subsegment });
        }
        let Some(future) = this.future.as_mut().as_pin_mut() else { panic!("polled after it had ended") };
        if matches!(this.state, State::Idle) {
            return future.poll(task);
        }
        let State::Running { subsegment } = std::mem::replace(this.state, State::Idle) else { return Poll::Pending };
        // A panic ends the subsegment here, and what follows is no cancellation.
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
