//! The layer for incoming requests.

use std::fmt;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::body::SegmentBody;
use super::error::{Plain, ServiceError};
use crate::header::trace_header::TRACE_HEADER_NAME;
use crate::header::trust::Trust;
use crate::integrations::incoming::{Name, Serving, Settings};
use crate::recorder::Recorder;

/// A layer for HTTP servers: every request is a segment that continues the trace of its caller.
///
/// For axum, tonic, and other services that take an [`http::Request`] and return an [`http::Response`]. The segment
/// spans the work of the service and of the response's body.
///
/// ```
/// use http::{Request, Response};
/// use tower::{ServiceBuilder, ServiceExt as _};
///
/// // In place of an axum router: `router.layer(xray::tower::SegmentLayer::new("todo-app"))`.
/// let service = tower::service_fn(async |_: Request<String>| {
///     xray::current().annotate("tier", "gold");
///     Ok::<_, std::io::Error>(Response::new(String::new()))
/// });
/// let service = ServiceBuilder::new().layer(xray::tower::SegmentLayer::new("todo-app")).service(service);
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// let request = Request::get("/todos/1")
///     .header("host", "todo.example.com")
///     .header("x-amzn-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=?");
/// let (response, documents) = xray::testing::capture(service.oneshot(request.body(String::new()).unwrap())).await;
///
/// // The caller asked for the sampling decision, and the response carries it.
/// let headers = response.unwrap().into_parts().0.headers;
/// assert_eq!(headers["x-amzn-trace-id"], "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1");
/// assert_eq!(documents[0].parent_id.unwrap().to_string(), "53995c3f42cd8ad8");
/// let request = documents[0].http.as_ref().and_then(|http| http.request.as_ref()).unwrap();
/// assert_eq!(request.url.as_deref(), Some("http://todo.example.com/todos/1"));
/// # });
/// ```
///
/// The layer reads the trace, the caller and its sampling decision from `X-Amzn-Trace-Id`. If that has neither a parent
/// nor a decision, it reads `traceparent`, provided that the recorder [propagates](crate::RecorderBuilder::propagate)
/// it. A response carries an `X-Amzn-Trace-Id` only if the caller asked for the decision by `Sampled=?`. (Developer
/// guide, "Tracing header".)
///
/// The segment records the method; the scheme, host, port and path of the URL; the user agent; the client's address;
/// the status and its meaning (4xx sets `error`, 429 also `throttle`, 5xx `fault`); and the length of the response, if
/// known. Texts from the request are cut after 250 characters. The scheme is that of the URI, else that of
/// `X-Forwarded-Proto`, else `http`. The address is the first one in `X-Forwarded-For`; the document then has
/// `x_forwarded_for`, because anybody can write that header. Else the address is the result of
/// [`client_ip`](Self::client_ip), else a [`SocketAddr`](std::net::SocketAddr) in the request's extensions.
///
/// The segment ends with the body of the response, or at once if the response has none. An error of the service or of
/// the body is recorded as a fault with its sources; see [`ServiceError`]. A panic is recorded and continues to unwind.
/// If the client hangs up, or the server drops the request for another reason, the segment ends and has
/// `{"cancelled": true}` in its metadata, in the namespace `xray`. A response that never ends keeps the segment open;
/// see [`in_progress_after`](crate::RecorderBuilder::in_progress_after).
///
/// For a request that is not sampled the layer only reads the headers; calls that the service makes carry the caller's
/// trace. With a disabled recorder the layer calls the service and does nothing else.
///
/// Put the layer around the whole service, outside layers that answer for it, such as a timeout, or that replace its
/// response, such as error pages: a body that they drop counts as cancelled. Add it once: a second layer would make a
/// second segment. The compiler infers `Form` and `BodyForm` from the error types of the service and of its bodies.
pub struct SegmentLayer<Form = Plain, BodyForm = Plain> {
    settings: Arc<Settings<Parts>>,
    forms: Forms<Form, BodyForm>,
}

type Forms<Form, BodyForm> = PhantomData<fn() -> (Form, BodyForm)>;

impl<Form, BodyForm> SegmentLayer<Form, BodyForm> {
    /// Returns a layer whose segments have this name. The name is the service's logical name: a node of the service
    /// graph. See [`Segment::builder`](crate::Segment::builder).
    ///
    /// The variable `AWS_XRAY_TRACING_NAME` overrides the name. A [`default()`](Self::default) layer needs no name: its
    /// segments have the name of the service.
    pub fn new(name: impl Into<String>) -> Self {
        Self::named(Name::Fixed(name.into()))
    }

    /// Returns a layer whose segments are named after the host in the request. If the host does not match the pattern,
    /// the name is the fallback. This is for a program that serves many hosts; other X-Ray SDKs call it dynamic naming.
    ///
    /// In the pattern, `*` stands for any characters and `?` for one character; letter case does not matter. The name
    /// is the host in lower case, without the port. The client chooses the host, so with the pattern `*` anybody can
    /// add nodes to the service graph. The variable `AWS_XRAY_TRACING_NAME` overrides the host and the fallback.
    ///
    /// ```
    /// use xray::tower::SegmentLayer;
    ///
    /// let layer: SegmentLayer = SegmentLayer::dynamic("*.example.com", "example");
    /// # drop(layer);
    /// ```
    pub fn dynamic(pattern: impl Into<String>, fallback: impl Into<String>) -> Self {
        Self::named(Name::ByHost { pattern: pattern.into(), fallback: fallback.into() })
    }

    fn named(name: Name) -> Self {
        Self { settings: Arc::new(Settings::new(name)), forms: PhantomData }
    }

    /// Sets the recorder. By default the layer uses the recorder of the surrounding context, else the recorder of the
    /// process.
    #[must_use]
    pub fn recorder(mut self, recorder: &Recorder) -> Self {
        Arc::make_mut(&mut self.settings).recorder = Some(recorder.clone());
        self
    }

    /// Sets how much of the request's trace header is used; the default is [`Trust::All`]. [`Trust`] has advice for a
    /// service that anybody can reach.
    ///
    /// ```
    /// use xray::Trust;
    /// use xray::tower::SegmentLayer;
    ///
    /// let layer: SegmentLayer = SegmentLayer::new("todo-app").trust(Trust::TraceId);
    /// # drop(layer);
    /// ```
    #[must_use]
    pub fn trust(mut self, trust: Trust) -> Self {
        Arc::make_mut(&mut self.settings).trust = trust;
        self
    }

    /// Sets a function that returns the client's address for requests without an `X-Forwarded-For`: usually the peer of
    /// the connection, which each server keeps in a type of its own.
    ///
    /// The function is called only for sampled requests. A panic in the function counts as `None`.
    ///
    /// With axum's `into_make_service_with_connect_info::<SocketAddr>()`:
    ///
    /// ```
    /// # mod axum { pub mod extract { #[derive(Clone)] pub struct ConnectInfo<T>(pub T); } }
    /// use std::net::SocketAddr;
    ///
    /// use axum::extract::ConnectInfo;
    /// use xray::tower::SegmentLayer;
    ///
    /// let layer: SegmentLayer = SegmentLayer::new("todo-app").client_ip(|request| {
    ///     let peer: &ConnectInfo<SocketAddr> = request.extensions.get()?;
    ///     Some(peer.0.ip())
    /// });
    /// # drop(layer);
    /// ```
    #[must_use]
    pub fn client_ip(mut self, find: impl Fn(&Parts) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        Arc::make_mut(&mut self.settings).client_ip = Some(Arc::new(find));
        self
    }

    /// Sets whether the client's address is read from `X-Forwarded-For`; the default is `true`.
    ///
    /// Pass `false` for a service without a proxy in front of it, or if [`client_ip`](Self::client_ip) reads the header
    /// itself.
    ///
    /// ```
    /// use xray::tower::SegmentLayer;
    ///
    /// let layer: SegmentLayer = SegmentLayer::new("todo-app").forwarded_for(false);
    /// # drop(layer);
    /// ```
    #[must_use]
    pub fn forwarded_for(mut self, reads_forwarded_for: bool) -> Self {
        Arc::make_mut(&mut self.settings).reads_forwarded_for = reads_forwarded_for;
        self
    }
}

impl<S, Form, BodyForm> Layer<S> for SegmentLayer<Form, BodyForm> {
    type Service = SegmentService<S, Form, BodyForm>;

    fn layer(&self, inner: S) -> Self::Service {
        SegmentService { inner, settings: Arc::clone(&self.settings), forms: PhantomData }
    }
}

/// A layer whose segments have the name of the service: `AWS_XRAY_TRACING_NAME`, else
/// [`service_name`](crate::RecorderBuilder::service_name), else the name of the program.
impl<Form, BodyForm> Default for SegmentLayer<Form, BodyForm> {
    fn default() -> Self {
        Self::named(Name::OfService)
    }
}

impl<Form, BodyForm> Clone for SegmentLayer<Form, BodyForm> {
    fn clone(&self) -> Self {
        Self { settings: Arc::clone(&self.settings), forms: PhantomData }
    }
}

/// An HTTP service that records each request as a segment. [`SegmentLayer`] returns it.
pub struct SegmentService<S, Form = Plain, BodyForm = Plain> {
    inner: S,
    settings: Arc<Settings<Parts>>,
    forms: Forms<Form, BodyForm>,
}

impl<S, B, R, Form, BodyForm> Service<Request<B>> for SegmentService<S, Form, BodyForm>
where
    S: Service<Request<B>, Response = Response<R>, Error: ServiceError<Form>>,
    R: Body<Error: ServiceError<BodyForm>>,
{
    type Response = Response<SegmentBody<R>>;
    type Error = S::Error;
    type Future = SegmentFuture<S::Future, Form, BodyForm>;

    fn poll_ready(&mut self, task: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let serving = self.settings.begin(&parts);
        let request = Request::from_parts(parts, body);
        let Some(mut serving) = serving else { return SegmentFuture::new(self.inner.call(request), None) };
        serving.expect_grpc(request.headers());
        let future = serving.run(|| self.inner.call(request));
        SegmentFuture::new(future, Some(serving))
    }
}

impl<S: Clone, Form, BodyForm> Clone for SegmentService<S, Form, BodyForm> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), settings: Arc::clone(&self.settings), forms: PhantomData }
    }
}

pin_project! {
    /// The future of a request, with the segment of the request. [`SegmentService`] returns it.
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct SegmentFuture<F, Form = Plain, BodyForm = Plain> {
        // `None` after the end of the future. The future is dropped while its segment is current, so that calls in its
        // destructors are recorded in the segment.
        #[pin]
        future: Option<F>,
        // `None` if tracing is disabled, and after the end of the future.
        serving: Option<Serving>,
        forms: Forms<Form, BodyForm>,
    }

    impl<F, Form, BodyForm> PinnedDrop for SegmentFuture<F, Form, BodyForm> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(serving) = this.serving {
                let _entered = serving.context().enter();
                this.future.set(None);
            }
        }
    }
}

impl<F, Form, BodyForm> SegmentFuture<F, Form, BodyForm> {
    fn new(future: F, serving: Option<Serving>) -> Self {
        Self { future: Some(future), serving, forms: PhantomData }
    }
}

impl<F, R, E, Form, BodyForm> Future for SegmentFuture<F, Form, BodyForm>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body<Error: ServiceError<BodyForm>>,
    E: ServiceError<Form>,
{
    type Output = Result<Response<SegmentBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            panic!("`SegmentFuture` polled after completion");
        };
        let Some(serving) = this.serving else {
            return future
                .poll(task)
                .map_ok(|response| response.map(|body| SegmentBody::new(body, None, None, record)));
        };
        let result = ready!(serving.run(|| future.poll(task)));
        serving.run(|| this.future.set(None));
        if let Err(error) = &result {
            error.record_incoming(serving.context());
            serving.complete();
        }
        let serving = this.serving.take();
        Poll::Ready(result.map(|response| respond(serving, response)))
    }
}

fn respond<R: Body<Error: ServiceError<Form>>, Form>(
    mut serving: Option<Serving>,
    response: Response<R>,
) -> Response<SegmentBody<R>> {
    let (mut head, body) = response.into_parts();
    let length = content_length(&head.headers).or_else(|| body.size_hint().exact());
    let mut is_over = body.is_end_stream();
    if let Some(serving) = &mut serving {
        let decision = serving.respond(head.status.as_u16(), length);
        if let Some(Ok(decision)) = decision.map(HeaderValue::try_from) {
            head.headers.insert(TRACE_HEADER_NAME, decision);
        }
        serving.note_grpc_head(head.status, &head.headers);
        // The server sends no byte after this length, and does not poll the body: a proxy may pass on an empty stream.
        is_over |= content_length(&head.headers) == Some(0) && !serving.expects_trailers();
        is_over |= serving.is_without_body(head.status.as_u16());
        if is_over {
            serving.complete();
        }
    }
    let serving = serving.filter(|_| !is_over);
    Response::from_parts(head, SegmentBody::new(body, serving, length, record))
}

/// Returns the length of a body according to its `Content-Length` header.
fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn record<E: ServiceError<Form>, Form>(error: &E, segment: &crate::Context) {
    error.record_incoming(segment);
}

impl<Form, BodyForm> fmt::Debug for SegmentLayer<Form, BodyForm> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SegmentLayer").finish_non_exhaustive()
    }
}

impl<S: fmt::Debug, Form, BodyForm> fmt::Debug for SegmentService<S, Form, BodyForm> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SegmentService").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<F, Form, BodyForm> fmt::Debug for SegmentFuture<F, Form, BodyForm> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let segment = self.serving.as_ref().map(Serving::context);
        formatter.debug_struct("SegmentFuture").field("segment", &segment).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Ready, poll_fn};
    use std::task::Waker;

    use http::HeaderName;
    use http::header::CONTENT_TYPE;
    use http_body::Frame;
    use tower::service_fn;

    use super::*;
    use crate::http::Call;
    use crate::testing::capture;

    /// An error that neither is nor holds a [`std::error::Error`].
    #[derive(Debug, PartialEq)]
    struct Refused;

    impl ServiceError<Plain> for Refused {
        fn record(&self, _: &mut Call) {}
    }

    /// A service that fails before it is ready.
    struct Busy;

    impl Service<Request<()>> for Busy {
        type Response = Response<String>;
        type Error = Refused;
        type Future = Ready<Result<Response<String>, Refused>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Refused>> {
            Poll::Ready(Err(Refused))
        }

        fn call(&mut self, _: Request<()>) -> Self::Future {
            unreachable!("the service is not ready")
        }
    }

    /// A body that has only trailers.
    struct Trailers(Option<HeaderMap>);

    impl Body for Trailers {
        type Data = &'static [u8];
        type Error = std::io::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
            Poll::Ready(self.0.take().map(|trailers| Ok(Frame::trailers(trailers))))
        }
    }

    #[test]
    fn the_layer_is_ready_when_the_service_is() {
        let mut service: SegmentService<_> = SegmentLayer::new("shop").layer(Busy);
        assert_eq!(service.poll_ready(&mut Context::from_waker(Waker::noop())), Poll::Ready(Err(Refused)));
    }

    #[tokio::test]
    async fn an_error_without_a_record_of_its_own_is_a_fault() {
        let service = service_fn(async |_: Request<()>| Err::<Response<String>, _>(Refused));
        let mut service: SegmentService<_> = SegmentLayer::new("shop").layer(service);
        let (result, documents) = capture(async { service.call(Request::new(())).await.map(drop) }).await;
        assert_eq!(result, Err(Refused));
        assert!(documents[0].fault && documents[0].cause.is_none(), "{documents:#?}");
    }

    #[tokio::test]
    async fn the_trailers_of_a_grpc_call_are_awaited_behind_an_empty_body() {
        let service = service_fn(async |_: Request<()>| {
            let trailers = HeaderMap::from_iter([(HeaderName::from_static("grpc-status"), HeaderValue::from(13))]);
            let response = Response::builder().header(CONTENT_TYPE, "application/grpc").header(CONTENT_LENGTH, 0);
            Ok::<_, std::io::Error>(response.body(Trailers(Some(trailers))).unwrap())
        });
        let mut service: SegmentService<_> = SegmentLayer::new("shop").layer(service);
        let request = Request::builder().header(CONTENT_TYPE, "application/grpc").body(()).unwrap();
        let work = async {
            let mut body = service.call(request).await.unwrap().into_body();
            poll_fn(|task| Pin::new(&mut body).poll_frame(task)).await.unwrap().unwrap();
        };
        let ((), documents) = capture(work).await;
        assert!(documents[0].fault, "{documents:#?}");
    }
}
