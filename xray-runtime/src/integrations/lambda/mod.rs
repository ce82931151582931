//! AWS Lambda: a layer for functions on `lambda_runtime`. (Feature `lambda`.)

mod response;

use std::env;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use lambda_runtime::{LambdaEvent, LambdaInvocation};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

pub use self::response::{Complete, HandlerResponse, Invocation, InvocationStream, Streaming, WithPrelude};
use crate::id::{SegmentId, TraceId};
use crate::live::context;
use crate::live::facade;
use crate::live::invocation::Running;
use crate::live::segment::Segment;
use crate::recorder::Recorder;

/// A layer for Lambda functions: the work of a handler is recorded below the segment that Lambda sends for the
/// invocation.
///
/// ```no_run
/// use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
///
/// async fn handler(event: LambdaEvent<String>) -> Result<usize, Error> {
///     let work = xray::current().subsegment("count");
///     work.annotate("kind", "letters");
///     Ok(event.payload.chars().count())
/// }
///
/// # async fn function() -> Result<(), Error> {
/// Runtime::new(service_fn(handler)).layer(xray::lambda::TraceLayer::new()).run().await
/// # }
/// ```
///
/// The layer also serves functions on `lambda_http`: `Runtime::new(lambda_http::Adapter::from(handler))`. For a handler
/// on another runtime, use [`Segment::facade`]. This layer uses it too.
///
/// **Trace.** The trace comes from the context of each invocation, so that concurrent invocations keep apart. If the
/// runtime has no such context, it comes from the variable `_X_AMZN_TRACE_ID`. Lambda makes the sampling decision. If
/// the header names no segment or carries no decision (Lambda's `PassThrough` mode), nothing is recorded, and requests
/// carry the header unchanged. (Lambda developer guide, "Visualize Lambda function invocations using AWS X-Ray".) In
/// SAM's local runtime, which sends no header, the layer begins a new trace for each invocation, as Lambda would with
/// active tracing.
///
/// **Segments.** A function sends no segment. Each outermost subsegment is sent as a document of its own when it ends.
/// Lambda freezes the process when the function has answered, so the end of a subsegment waits until the emitter has
/// sent the document. That takes microseconds; after one wait of half a second, the invocation waits no more. A segment
/// that begins in a function, for instance by [`SegmentLayer`](crate::tower::SegmentLayer), is recorded as a
/// subsegment. Values that are written to the facade itself, for instance by `xray::current().annotate(..)` outside any
/// subsegment, are left out and counted in [`Stats::values_rejected`](crate::Stats::values_rejected).
///
/// **Streams.** `lambda_runtime` polls the stream of a response in a task of its own. If the function works on one
/// invocation at a time, that task, and any other work without a segment of its own, is recorded below that invocation
/// until the response is complete. If Lambda runs several invocations at a time in the process (Managed Instances), put
/// the layer around the handler that streams, instead of around the runtime. The invocation is then current while the
/// stream is polled, and ends with the stream:
///
/// ```no_run
/// use lambda_runtime::streaming::{Body, Response};
/// use lambda_runtime::tower::Layer as _;
/// use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
///
/// async fn handler(event: LambdaEvent<String>) -> Result<Response<Body>, Error> {
///     Ok(Response::from(Body::from(event.payload)))
/// }
///
/// # async fn function() -> Result<(), Error> {
/// Runtime::new(xray::lambda::TraceLayer::new().layer(service_fn(handler))).run().await
/// # }
/// ```
///
/// **Timeouts.** If a function exceeds its time limit, Lambda stops it without notice, and the subsegments that are
/// open then are lost. With [`in_progress_after`](crate::RecorderBuilder::in_progress_after), each outermost subsegment
/// and call that is open for longer is also sent before its end.
///
/// **Errors.** Lambda's own segment records that a handler failed or panicked. Open subsegments end; those around a
/// future or closure record the panic as their cause.
///
/// The compiler infers `Form` from the response; see [`HandlerResponse`].
pub struct TraceLayer<Form = Complete> {
    recorder: Option<Recorder>,
    form: PhantomData<fn() -> Form>,
}

impl<Form> TraceLayer<Form> {
    /// Returns a layer for [`Runtime::layer`](lambda_runtime::Runtime::layer), or for a handler.
    #[must_use]
    pub fn new() -> Self {
        Self { recorder: None, form: PhantomData }
    }

    /// Sets the recorder. By default the layer uses the recorder of the surrounding context, or that of the process.
    #[must_use]
    pub fn recorder(self, recorder: &Recorder) -> Self {
        Self { recorder: Some(recorder.clone()), ..self }
    }
}

impl<Form> Default for TraceLayer<Form> {
    fn default() -> Self {
        Self::new()
    }
}

impl<Form> Clone for TraceLayer<Form> {
    fn clone(&self) -> Self {
        Self { recorder: self.recorder.clone(), form: PhantomData }
    }
}

impl<S, Form> Layer<S> for TraceLayer<Form> {
    type Service = TraceService<S, Form>;

    fn layer(&self, inner: S) -> TraceService<S, Form> {
        facade::announce();
        TraceService { inner, recorder: self.recorder.clone(), form: PhantomData }
    }
}

/// A Lambda function whose invocations are traced. [`TraceLayer`] returns it.
pub struct TraceService<S, Form = Complete> {
    inner: S,
    recorder: Option<Recorder>,
    form: PhantomData<fn() -> Form>,
}

impl<S, Form> TraceService<S, Form> {
    /// Calls the function in the facade of the invocation that `header` names.
    fn call_in_invocation<I>(&mut self, header: Option<String>, input: I) -> InvocationFuture<S::Future, Form>
    where
        S: Service<I>,
    {
        let current = context::current();
        let recorder = self.recorder.as_ref().unwrap_or_else(|| current.recorder());
        if !recorder.is_enabled() {
            return InvocationFuture::new(self.inner.call(input), None);
        }
        let header = header.unwrap_or_else(facade::header_of_environment);
        let is_alone = recorder.is_in_lambda() && facade::header_of_environment() == header;
        let header = if header.is_empty() { header_for_sam().unwrap_or(header) } else { header };
        let facade = Segment::facade_of(recorder, &header);
        let running = facade.entity().filter(|_| is_alone).map(Running::begin);
        let future = facade.in_scope(|| self.inner.call(input));
        InvocationFuture::new(future, Some(Invocation::new(facade, running)))
    }
}

/// Returns the header of a new trace in SAM's local runtime (`sam local invoke`), and `None` elsewhere.
///
/// That runtime stands in for Lambda, but it begins no traces: the header of each invocation is empty.
fn header_for_sam() -> Option<String> {
    let is_in_sam = env::var("AWS_SAM_LOCAL").is_ok_and(|value| value == "true");
    is_in_sam.then(|| format!("Root={};Parent={};Sampled=1", TraceId::random(), SegmentId::random()))
}

impl<S, Form> Service<LambdaInvocation> for TraceService<S, Form>
where
    S: Service<LambdaInvocation, Response: HandlerResponse<Form>>,
{
    type Response = <S::Response as HandlerResponse<Form>>::Traced;
    type Error = S::Error;
    type Future = InvocationFuture<S::Future, Form>;

    fn poll_ready(&mut self, task: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, invocation: LambdaInvocation) -> Self::Future {
        self.call_in_invocation(invocation.context.xray_trace_id.clone(), invocation)
    }
}

impl<S, E, Form> Service<LambdaEvent<E>> for TraceService<S, Form>
where
    S: Service<LambdaEvent<E>, Response: HandlerResponse<Form>>,
{
    type Response = <S::Response as HandlerResponse<Form>>::Traced;
    type Error = S::Error;
    type Future = InvocationFuture<S::Future, Form>;

    fn poll_ready(&mut self, task: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, event: LambdaEvent<E>) -> Self::Future {
        self.call_in_invocation(event.context.xray_trace_id.clone(), event)
    }
}

impl<S: Clone, Form> Clone for TraceService<S, Form> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), recorder: self.recorder.clone(), form: PhantomData }
    }
}

pin_project! {
    /// The function's future with its invocation. [`TraceService`] returns it.
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct InvocationFuture<F, Form = Complete> {
        // `None` after its end. The future is dropped while its invocation is current, so that calls in its destructors
        // are recorded there.
        #[pin]
        future: Option<F>,
        // `None` if tracing is disabled, and after the end.
        invocation: Option<Invocation>,
        form: PhantomData<fn() -> Form>,
    }

    impl<F, Form> PinnedDrop for InvocationFuture<F, Form> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _entered = this.invocation.as_ref().map(Invocation::enter);
            this.future.set(None);
        }
    }
}

impl<F, Form> InvocationFuture<F, Form> {
    fn new(future: F, invocation: Option<Invocation>) -> Self {
        Self { future: Some(future), invocation, form: PhantomData }
    }
}

impl<F, R, E, Form> Future for InvocationFuture<F, Form>
where
    F: Future<Output = Result<R, E>>,
    R: HandlerResponse<Form>,
{
    type Output = Result<R::Traced, E>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            panic!("`InvocationFuture` polled after completion");
        };
        let entered = this.invocation.as_ref().map(Invocation::enter);
        let result = ready!(future.poll(task));
        this.future.set(None);
        drop(entered);
        let invocation = this.invocation.take();
        Poll::Ready(result.map(|response| response.traced(invocation)))
    }
}

impl<Form> fmt::Debug for TraceLayer<Form> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TraceLayer").field("recorder", &self.recorder).finish_non_exhaustive()
    }
}

impl<S: fmt::Debug, Form> fmt::Debug for TraceService<S, Form> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TraceService").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<F, Form> fmt::Debug for InvocationFuture<F, Form> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("InvocationFuture").field("invocation", &self.invocation).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;
    use crate::emitter::MemoryEmitter;

    /// A service that fails before it is ready.
    struct Busy;

    impl<I> Service<I> for Busy {
        type Response = ();
        type Error = &'static str;
        type Future = std::future::Ready<Result<(), &'static str>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
            Poll::Ready(Err("busy"))
        }

        fn call(&mut self, _: I) -> Self::Future {
            unreachable!("the service is not ready")
        }
    }

    #[test]
    fn the_layer_is_ready_when_the_function_is() {
        let mut function: TraceService<_, Complete> = TraceLayer::new().layer(Busy);
        let mut task = Context::from_waker(Waker::noop());
        let of_runtime = Service::<LambdaInvocation>::poll_ready(&mut function, &mut task);
        let of_handler = Service::<LambdaEvent<u8>>::poll_ready(&mut function, &mut task);
        assert_eq!([of_runtime, of_handler], [Poll::Ready(Err("busy")); 2]);
    }

    #[tokio::test]
    async fn clones_of_the_layer_and_of_the_service_have_the_recorder() {
        let emitter = MemoryEmitter::new();
        let recorder = Recorder::builder().emitter(emitter.clone()).build();
        let layer: TraceLayer = TraceLayer::new().recorder(&recorder);
        let handler = tower::service_fn(async |_: LambdaEvent<()>| {
            context::current().subsegment("work").end();
            Ok::<_, lambda_runtime::Error>(())
        });
        let mut function = layer.clone().layer(handler).clone();
        let mut context = lambda_runtime::Context::default();
        context.xray_trace_id = Some(format!("Root={};Parent={};Sampled=1", TraceId::random(), SegmentId::random()));
        function.call(LambdaEvent::new((), context)).await.unwrap();
        assert_eq!(emitter.take().len(), 1);
    }
}
