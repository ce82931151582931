//! AWS Lambda: a layer for functions on `lambda_runtime`. (Feature `lambda`.)

use std::task::{Context, Poll};

use lambda_runtime::LambdaInvocation;
use tower_layer::Layer;
use tower_service::Service;

use crate::live::context;
use crate::live::facade;
use crate::live::instrument::{Instrument as _, Instrumented};
use crate::live::segment::Segment;
use crate::recorder::Recorder;

/// A layer for Lambda functions: the work of a handler is recorded below the segment that Lambda sends for the invocation.
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
/// The layer also serves functions on `lambda_http`: `Runtime::new(lambda_http::Adapter::from(handler))`. For a handler on
/// another runtime, use [`Segment::facade`], of which this layer is made.
///
/// **Trace.** The trace comes from the context of each invocation, so that concurrent invocations keep apart. If the runtime
/// has no such context, it comes from the variable `_X_AMZN_TRACE_ID`. Lambda makes the sampling decision. If the header
/// names no segment or carries no decision (Lambda's `PassThrough` mode), nothing is recorded, and requests carry the header
/// unchanged. (Lambda developer guide, "Visualize Lambda function invocations using AWS X-Ray".)
///
/// **Segments.** A function sends no segment. Each outermost subsegment is sent as a document of its own when it ends, before
/// the function answers, because Lambda freezes the process then. For this reason the end of a subsegment waits until the
/// emitter has sent it. That takes microseconds; after one wait of half a second, the invocation waits no more. A segment
/// that begins in a function, for instance by [`SegmentLayer`](crate::tower::SegmentLayer), is recorded as a subsegment.
/// Values that are written to the facade itself, for instance by `xray::current().annotate(..)` outside any subsegment, are
/// left out and counted in [`Stats::values_rejected`](crate::Stats::values_rejected).
///
/// **Errors.** Lambda's own segment records that a handler failed or panicked. Open subsegments end; those around a future or
/// closure record the panic as their cause.
#[derive(Debug, Clone, Default)]
pub struct TraceLayer {
    recorder: Option<Recorder>,
}

impl TraceLayer {
    /// Returns a layer for [`Runtime::layer`](lambda_runtime::Runtime::layer).
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the recorder. By default the layer uses the recorder of the surrounding context, or that of the process.
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

/// A Lambda function whose invocations are traced. [`TraceLayer`] returns it.
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
