//! AWS Lambda: functions on `lambda_runtime`.

use std::task::{Context, Poll};

use lambda_runtime::LambdaInvocation;
use tower_layer::Layer;
use tower_service::Service;

use crate::live::context;
use crate::live::facade;
use crate::live::instrument::{Instrument as _, Instrumented};
use crate::live::segment::Segment;
use crate::recorder::Recorder;

/// A layer for Lambda functions: what a handler does is recorded below the segment that Lambda sends of the invocation.
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
/// For functions on `lambda_http` too: `Runtime::new(lambda_http::Adapter::from(handler))`. A handler on another runtime
/// has [`Segment::facade`], which this layer is made of.
///
/// **Trace.** It comes from the context of each invocation, so those that run at a time keep apart; where the runtime has
/// none, from the variable `_X_AMZN_TRACE_ID`. Lambda decides what is sampled. Where the header names no segment or has
/// no decision (Lambda's `PassThrough` mode) nothing is recorded, and requests carry it as it came. (Lambda developer
/// guide, "Visualize Lambda function invocations using AWS X-Ray".)
///
/// **Segments.** A function sends none. Each subsegment that is not inside another leaves by itself when it ends, before
/// the function answers: Lambda stops the process then. For that the end of a subsegment waits until the emitter has
/// sent it, which takes microseconds; for at most half a second, and then no more in this invocation. A segment that
/// is begun in a function, by [`SegmentLayer`](crate::tower::SegmentLayer) for instance, is a subsegment. What is written
/// to the facade itself, for instance by `xray::current().annotate(..)` outside any subsegment, is left out and counted
/// in [`Stats::values_rejected`](crate::Stats::values_rejected).
///
/// **Errors.** That a handler failed or panicked is in Lambda's own segment. Subsegments that are open end, those around
/// a future or closure with the panic as their cause.
#[derive(Debug, Clone, Default)]
pub struct TraceLayer {
    recorder: Option<Recorder>,
}

impl TraceLayer {
    /// A layer for [`Runtime::layer`](lambda_runtime::Runtime::layer).
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Records with this recorder, not with the one of the process.
    #[must_use]
    pub fn recorder(self, recorder: &Recorder) -> Self {
        Self { recorder: Some(recorder.clone()) }
    }
}

impl<S> Layer<S> for TraceLayer {
    type Service = TraceService<S>;

    fn layer(&self, inner: S) -> TraceService<S> {
        facade::announce();
        TraceService { inner, recorder: self.recorder.clone() }
    }
}

/// A Lambda function whose invocations are traced; made by [`TraceLayer`].
#[derive(Debug, Clone)]
pub struct TraceService<S> {
    inner: S,
    recorder: Option<Recorder>,
}

impl<S: Service<LambdaInvocation>> Service<LambdaInvocation> for TraceService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = Instrumented<S::Future>;

    fn poll_ready(&mut self, task: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, invocation: LambdaInvocation) -> Self::Future {
        let current = context::current();
        let recorder = self.recorder.as_ref().unwrap_or_else(|| current.recorder());
        let segment = match &invocation.context.xray_trace_id {
            Some(header) => Segment::facade_of(recorder, header),
            None => Segment::facade_of(recorder, &facade::header_of_environment()),
        };
        let future = segment.in_scope(|| self.inner.call(invocation));
        future.in_segment(segment)
    }
}
