//! The layer for outgoing requests.

use std::marker::PhantomData;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::error::{Plain, ServiceError};
use super::outgoing::{ClientCall, SubsegmentBody, SubsegmentFuture};
use crate::clients::http::begin_anywhere;
use crate::http::site::CallSites;
use crate::http::{PendingCall, current_parent};
use crate::integrations::grpc::GrpcCall;

/// The place of the calls, for the log.
static CALL_SITES: CallSites = CallSites::new("xray::tower::SubsegmentLayer", "", 0);

/// A layer for HTTP clients: every request is a subsegment and carries the `X-Amzn-Trace-Id` header, or the headers
/// that the recorder [propagates](crate::RecorderBuilder::propagate). They replace headers of these names in the
/// request.
///
/// For services that take an [`http::Request`] and return an [`http::Response`]: hyper-util's client, tonic's channel,
/// and stacks on top of them. The layer passes on head, frames, error and readiness, and neither boxes nor clones
/// anything. The body of a response is wrapped in a [`SubsegmentBody`].
///
/// ```
/// use http::{Request, Response};
/// use tower::{BoxError, ServiceBuilder, ServiceExt as _};
/// use xray::Instrument as _;
///
/// // Stands for a client such as that of hyper-util.
/// let client = tower::service_fn(async |request: Request<()>| {
///     assert!(request.headers().contains_key("x-amzn-trace-id"));
///     Ok::<_, BoxError>(Response::new(()))
/// });
/// let client = ServiceBuilder::new().layer(xray::tower::SubsegmentLayer::new()).service(client);
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// let request = Request::get("https://names.example.com/").body(()).unwrap();
/// let (_, documents) = xray::testing::capture(client.oneshot(request).in_segment("todo-app")).await;
/// assert_eq!(documents[0].subsegments[0].name, "names.example.com");
/// # });
/// ```
///
/// The subsegment is a child of the segment or subsegment that is current when the service is called. Put the layer
/// outside a `Buffer`, whose worker runs outside any segment. Inside a `Retry`, every attempt is a subsegment; outside
/// it, all attempts together are one. The subsegment lasts from the first poll to the head of the response. A failed
/// request is recorded with its error and the error's sources; see [`ServiceError`].
///
/// The name of the subsegment is the host in the URI, else that in the `Host` header. A request with neither has the
/// name `UNKNOWN HOST`, and its recorded URL is the path.
///
/// **gRPC.** A request is a gRPC call if its content type is `application/grpc`. Its subsegment lasts until the last
/// message of the response, and records the `grpc-status` from the trailers, or from the head if there is no message;
/// see [`set_grpc_status`](crate::Context::set_grpc_status) for what a status means. A call that is dropped before its
/// status arrives is marked as cancelled. If the deadline in its `grpc-timeout` header has passed at that time, the
/// call has the status `DEADLINE_EXCEEDED` instead. tonic's channel adds the host of the URI inside all layers. Give
/// the client the URI too, by `GreeterClient::with_origin(service, endpoint.uri().clone())`; otherwise the subsegment
/// has the name of the service in the path, such as `helloworld.Greeter`.
///
/// A request that is already traced, by an annotated function or by another layer, remains one subsegment.
///
/// The compiler infers `Form` from the service's error. An error that has both forms, such as `Arc<dyn Error + Send +
/// Sync>`, leaves the form ambiguous: then write `SubsegmentLayer::<Plain>::new()`.
#[derive(Debug, Clone, Copy)]
pub struct SubsegmentLayer<Form = Plain>(PhantomData<fn() -> Form>);

impl<Form> SubsegmentLayer<Form> {
    /// Returns the layer. It has no settings.
    #[must_use]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<Form> Default for SubsegmentLayer<Form> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S, Form> Layer<S> for SubsegmentLayer<Form> {
    type Service = SubsegmentService<S, Form>;

    fn layer(&self, inner: S) -> SubsegmentService<S, Form> {
        SubsegmentService { inner, form: PhantomData }
    }
}

/// An HTTP client whose requests are subsegments. [`SubsegmentLayer`] returns it.
#[derive(Debug, Clone, Copy)]
pub struct SubsegmentService<S, Form = Plain> {
    inner: S,
    form: PhantomData<fn() -> Form>,
}

impl<S, B, R, Form> Service<Request<B>> for SubsegmentService<S, Form>
where
    S: Service<Request<B>, Response = Response<R>, Error: ServiceError<Form>>,
{
    type Response = Response<SubsegmentBody<R>>;
    type Error = S::Error;
    type Future = SubsegmentFuture<S::Future, Form>;

    fn poll_ready(&mut self, task: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let call = current_parent(&CALL_SITES).map(|parent| begin_anywhere(&mut request, parent));
        let call = call.and_then(PendingCall::into_call);
        let call = call.map(|call| ClientCall::new(call, GrpcCall::of_request(request.headers())));
        SubsegmentFuture::new(self.inner.call(request), call)
    }
}
