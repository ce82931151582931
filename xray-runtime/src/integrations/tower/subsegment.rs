//! The layer for outgoing requests.

use std::marker::PhantomData;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::error::{Plain, ServiceError};
use crate::clients::http::begin_anywhere;
use crate::http::{Call, CallFuture, ReadResponse as _, current_parent};

/// A layer for HTTP clients: every request is a subsegment and carries the `X-Amzn-Trace-Id` header, or what is
/// [propagated](crate::RecorderBuilder::propagate), in place of any that it has.
///
/// For services of [`http::Request`] that give an [`http::Response`]: hyper-util's client, tonic's channel, or what is
/// stacked on them. Response and error are the service's own, nothing is boxed or cloned, and readiness is passed on.
///
/// ```
/// use http::{Request, Response};
/// use tower::{BoxError, ServiceBuilder, ServiceExt as _};
/// use xray::Instrument as _;
///
/// // In place of hyper-util's client, for instance.
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
/// The subsegment stands below what is current where the request is passed to the service. So the layer belongs above
/// a `Buffer`, whose worker runs outside any segment. Below a `Retry` every attempt is a subsegment, above it all of
/// them are one. The time is from the first poll to the head of the response; a failed request is recorded with its
/// error and the sources of that, see [`ServiceError`]. What comes later, such as the status of gRPC in the trailers,
/// is not recorded.
///
/// The subsegment is named after the host in the URI, else after the `Host` header. A request with neither, as those
/// that tonic passes to its channel, has the name `UNKNOWN HOST` and of the URL only the path.
///
/// Where a request passes the layer that is traced already, in an annotated function or by another layer, the two are
/// one subsegment.
///
/// `Form` is found by the compiler: that of the service's error. An error of both forms, as `Arc<dyn Error + Send +
/// Sync>`, leaves it open; there write `SubsegmentLayer::<Plain>::new()`.
#[derive(Debug, Clone, Copy)]
pub struct SubsegmentLayer<Form = Plain>(PhantomData<fn() -> Form>);

impl<Form> SubsegmentLayer<Form> {
    /// The layer. There is nothing to set.
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

/// An HTTP client whose requests are subsegments; made by [`SubsegmentLayer`].
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
        let call = current_parent().map(|parent| begin_anywhere(&mut request, parent)).unwrap_or_default();
        call.run_async(self.inner.call(request), read)
    }
}

fn read<R, E: ServiceError<Form>, Form>(answer: &Result<Response<R>, E>, call: &mut Call) {
    match answer {
        Ok(response) => response.read(call),
        Err(error) => error.record(call),
    }
}
