//! The layer for incoming requests.

use std::fmt;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::request::Parts;
use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::body::SegmentBody;
use super::error::{Plain, ServiceError};
use super::incoming::{Serving, content_length, host, recorded_request, url};
use crate::header::trace_header::Sampled;
use crate::live::context;
use crate::live::segment::Segment;
use crate::recorder::Recorder;
use crate::support::guard::guard;
use crate::support::wildcard;

/// A layer for HTTP servers: every request is a segment, which goes on with the trace of its caller.
///
/// For axum, tonic, and other services of [`http::Request`] that give an [`http::Response`]. What the service does for
/// a request, and what the body of its response does, is inside the segment.
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
/// // The caller asked for the sampling decision.
/// let headers = response.unwrap().into_parts().0.headers;
/// assert_eq!(headers["x-amzn-trace-id"], "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1");
/// assert_eq!(documents[0].parent_id.unwrap().to_string(), "53995c3f42cd8ad8");
/// let request = documents[0].http.as_ref().and_then(|http| http.request.as_ref()).unwrap();
/// assert_eq!(request.url.as_deref(), Some("http://todo.example.com/todos/1"));
/// # });
/// ```
///
/// The trace, the caller and its sampling decision are read from `X-Amzn-Trace-Id`, or where that names no trace from a
/// `traceparent`, if the recorder [propagates](crate::RecorderBuilder::propagate) it. A response has an
/// `X-Amzn-Trace-Id` only where the caller asked for the decision, by `Sampled=?`. (Developer guide, "Tracing header".)
///
/// Recorded are the method, of the URL scheme, host, port and path, the user agent, the client's address, the status with
/// what it means (4xx `error`, 429 `throttle` too, 5xx `fault`), and the length of the response where it is known. All
/// that comes from outside is cut to 250 characters. The scheme is that of the URI, or what `X-Forwarded-Proto` says, or
/// `http`. The address is the first of `X-Forwarded-For`, which is then marked so, since anybody can write that header;
/// what is no IP address there is not believed. Else it is what [`client_ip`](Self::client_ip) gives, or a
/// [`SocketAddr`](std::net::SocketAddr) in the request's extensions.
///
/// The segment ends when the body of the response has ended, at once if it has none. An error of the service or of the
/// body is recorded as its fault, with the sources; see [`ServiceError`]. A panic is recorded and goes on. Where the
/// client hangs up, or the server drops what it serves for another reason, the segment ends and is marked with
/// `{"cancelled": true}` in the metadata of the namespace `xray`. A response that never ends keeps it open; see
/// [`in_progress_after`](crate::RecorderBuilder::in_progress_after).
///
/// A request that is not sampled costs a look at its headers, and the real trace is passed on to what is called. With a
/// recorder that is disabled the service is only passed through.
///
/// The layer belongs around the whole service, above what answers for it, such as a timeout, and is there once: a second
/// one makes a second segment. `Form` and `BodyForm` are found by the compiler: those of the errors of the service and
/// of its bodies.
pub struct SegmentLayer<Form = Plain, BodyForm = Plain> {
    settings: Arc<Settings>,
    forms: Forms<Form, BodyForm>,
}

type Forms<Form, BodyForm> = PhantomData<fn() -> (Form, BodyForm)>;

#[derive(Clone)]
struct Settings {
    name: Name,
    recorder: Option<Recorder>,
    is_proxy_heard: bool,
    client_ip: Option<Arc<ClientIp>>,
}

type ClientIp = dyn Fn(&Parts) -> Option<IpAddr> + Send + Sync;

#[derive(Clone)]
enum Name {
    Fixed(String),
    ByHost { pattern: String, fallback: String },
}

impl Name {
    fn of(&self, parts: &Parts) -> String {
        match self {
            Self::Fixed(name) => name.clone(),
            Self::ByHost { pattern, fallback } => {
                host(parts).filter(|host| wildcard::matches(pattern, host)).unwrap_or_else(|| fallback.clone())
            }
        }
    }
}

impl<Form, BodyForm> SegmentLayer<Form, BodyForm> {
    /// Segments of this name: the service's logical name, a node of the service graph. See [`Segment::builder`].
    pub fn new(name: impl Into<String>) -> Self {
        Self::named(Name::Fixed(name.into()))
    }

    /// Segments that are named after the host in the request if that matches the pattern, else by the fallback; for a
    /// program that serves many hosts. As the dynamic naming of other X-Ray SDKs.
    ///
    /// In the pattern `*` stands for any characters and `?` for one; the case of letters does not matter. The port is not
    /// looked at, and the name is in lower case. The host is what the client says: with `*` alone anybody can make nodes
    /// in the service graph.
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
        let settings = Settings { name, recorder: None, is_proxy_heard: true, client_ip: None };
        Self { settings: Arc::new(settings), forms: PhantomData }
    }

    /// Records with this recorder, not with the one of the process.
    #[must_use]
    pub fn recorder(mut self, recorder: &Recorder) -> Self {
        Arc::make_mut(&mut self.settings).recorder = Some(recorder.clone());
        self
    }

    /// Who the client is where no `X-Forwarded-For` says so: the peer of the connection, which servers keep in types of
    /// their own. Asked for requests that are sampled. A panic in it is as `None`.
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

    /// Whether `X-Forwarded-For` is looked at; it is, unless set. For a service without a proxy in front, or where
    /// [`client_ip`](Self::client_ip) knows which of the addresses is to be believed.
    ///
    /// ```
    /// use xray::tower::SegmentLayer;
    ///
    /// let layer: SegmentLayer = SegmentLayer::new("todo-app").forwarded_for(false);
    /// # drop(layer);
    /// ```
    #[must_use]
    pub fn forwarded_for(mut self, is_heard: bool) -> Self {
        Arc::make_mut(&mut self.settings).is_proxy_heard = is_heard;
        self
    }
}

impl Settings {
    /// Begins the segment of a request.
    fn begin(&self, recorder: &Recorder, parts: &Parts) -> Serving {
        let header = recorder.propagation().read(&parts.headers);
        let url = url(parts);
        let builder = Segment::builder(self.name.of(parts)).trace_header(&header).recorder(recorder);
        let segment = builder.request(parts.method.as_str(), &url).begin();
        if let Some(entity) = segment.sampled_entity() {
            let hook = || guard(|| self.client_ip.as_ref()?(parts)).flatten();
            let mut request = recorded_request(parts, &url, self.is_proxy_heard, hook);
            // In Lambda this is a subsegment, where the format has no such mark.
            request.x_forwarded_for &= entity.is_segment();
            entity.update(|record| record.http.get_or_insert_default().request = Some(request));
        }
        Serving::new(segment, header.sampled == Some(Sampled::Requested), parts.method.clone())
    }
}

impl<S, Form, BodyForm> Layer<S> for SegmentLayer<Form, BodyForm> {
    type Service = SegmentService<S, Form, BodyForm>;

    fn layer(&self, inner: S) -> Self::Service {
        SegmentService { inner, settings: Arc::clone(&self.settings), forms: PhantomData }
    }
}

impl<Form, BodyForm> Clone for SegmentLayer<Form, BodyForm> {
    fn clone(&self) -> Self {
        Self { settings: Arc::clone(&self.settings), forms: PhantomData }
    }
}

/// An HTTP server whose requests are segments; made by [`SegmentLayer`].
pub struct SegmentService<S, Form = Plain, BodyForm = Plain> {
    inner: S,
    settings: Arc<Settings>,
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
        let recorder = self.settings.recorder.clone().unwrap_or_else(|| context::current().recorder().clone());
        if !recorder.is_enabled() {
            return SegmentFuture::new(self.inner.call(request), None);
        }
        let (parts, body) = request.into_parts();
        let mut serving = self.settings.begin(&recorder, &parts);
        let future = serving.run(|| self.inner.call(Request::from_parts(parts, body)));
        SegmentFuture::new(future, Some(serving))
    }
}

impl<S: Clone, Form, BodyForm> Clone for SegmentService<S, Form, BodyForm> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), settings: Arc::clone(&self.settings), forms: PhantomData }
    }
}

pin_project! {
    /// A service's own future, with the segment of its request around it; made by [`SegmentService`].
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct SegmentFuture<F, Form = Plain, BodyForm = Plain> {
        // `None` once it has ended: what it holds is dropped in its segment.
        #[pin]
        future: Option<F>,
        // `None` where nothing is recorded, and at the end.
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
            panic!("polled after it had ended");
        };
        let Some(serving) = this.serving else {
            return future
                .poll(task)
                .map_ok(|response| response.map(|body| SegmentBody::new(body, None, None, record)));
        };
        let answer = ready!(serving.run(|| future.poll(task)));
        serving.run(|| this.future.set(None));
        if let Err(error) = &answer {
            error.record_incoming(serving.context());
            serving.complete();
        }
        let serving = this.serving.take();
        Poll::Ready(answer.map(|response| respond(serving, response)))
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
        serving.respond(&mut head, length);
        is_over |= serving.is_without_body(head.status);
        if is_over {
            serving.complete();
        }
    }
    let serving = serving.filter(|_| !is_over);
    Response::from_parts(head, SegmentBody::new(body, serving, length, record))
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
