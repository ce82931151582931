//! The layer for outgoing requests.

use std::marker::PhantomData;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::error::{Plain, ServiceError};
use crate::clients::http::begin_anywhere;
use crate::http::site::FunctionSite;
use crate::http::{Call, CallFuture, ReadResponse as _, current_parent};

/// The place of the calls, for the log.
static SITE: FunctionSite = FunctionSite::new("xray::tower::SubsegmentLayer", "", 0);

/// A layer for HTTP clients: every request is a subsegment and carries the `X-Amzn-Trace-Id` header, or the headers that the
/// recorder [propagates](crate::RecorderBuilder::propagate). They replace headers of these names in the request.
///
/// For services that take an [`http::Request`] and return an [`http::Response`]: hyper-util's client, tonic's channel, and
/// stacks on top of them. The layer passes response, error and readiness through, and boxes or clones nothing.
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
/// The subsegment is a child of the segment or subsegment that is current when the service is called. Put the layer outside
/// a `Buffer`, whose worker runs outside any segment. Inside a `Retry`, every attempt is a subsegment; outside it, all
/// attempts together are one. The subsegment lasts from the first poll to the head of the response. A failed request is
/// recorded with its error and the error's sources; see [`ServiceError`]. The trailers of a response, and with them the
/// status of gRPC, are not recorded.
///
/// The name of the subsegment is the host in the URI, else that in the `Host` header. A request with neither, such as those
/// that tonic passes to its channel, has the name `UNKNOWN HOST`, and its recorded URL is the path.
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

type Read<T> = fn(&T, &mut Call);

impl<S, B, R, Form> Service<Request<B>> for SubsegmentService<S, Form>
where
    S: Service<Request<B>, Response = Response<R>, Error: ServiceError<Form>>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = CallFuture<S::Future, Read<Result<Response<R>, S::Error>>>;

    fn poll_ready(&mut self, task: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let call = current_parent(&SITE).map(|parent| begin_anywhere(&mut request, parent)).unwrap_or_default();
        call.run_async(self.inner.call(request), read)
    }
}

fn read<R, E: ServiceError<Form>, Form>(answer: &Result<Response<R>, E>, call: &mut Call) {
    match answer {
        Ok(response) => response.read(call),
        Err(error) => error.record(call),
    }
}
