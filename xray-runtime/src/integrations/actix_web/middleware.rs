//! The middleware, its service and its future.

use std::fmt;
use std::future::{Ready, ready};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::http::header::{HeaderName, HeaderValue};
use pin_project_lite::pin_project;

use super::body::{SegmentBody, length};
use crate::header::request_headers::X_RAY;
use crate::header::trust::Trust;
use crate::integrations::incoming::{Name, Serving, Settings};
use crate::recorder::Recorder;

/// A middleware for actix-web: every request is a segment that continues the trace of its caller.
///
/// ```no_run
/// use actix_web::{App, HttpServer, Responder, web};
/// use xray::actix_web::SegmentMiddleware;
///
/// #[xray::traced_http]
/// async fn todo(client: web::Data<reqwest::Client>) -> impl Responder {
///     xray::current().annotate("tier", "gold");
///     let response = client.get("http://127.0.0.1:3000/todos/1").send().await;
///     response.map_or_else(|error| error.to_string(), |response| response.status().to_string())
/// }
///
/// # async fn serve() -> std::io::Result<()> {
/// HttpServer::new(|| {
///     App::new()
///         .app_data(web::Data::new(reqwest::Client::new()))
///         .route("/todo", web::get().to(todo))
///         .wrap(SegmentMiddleware::new("todo-app"))
/// })
/// .bind(("127.0.0.1", 8080))?
/// .run()
/// .await
/// # }
/// ```
///
/// Like [`xray::tower::SegmentLayer`](crate::tower::SegmentLayer), the middleware reads the trace, the caller and the
/// caller's sampling decision from `X-Amzn-Trace-Id`. It records the method, the URL without its query, the user agent,
/// the client's address, the status with its flags, and the length of the response. The address is the first one in
/// `X-Forwarded-For`, else the result of [`client_ip`](Self::client_ip), else the peer of the connection. An error with
/// a status of 5xx is also recorded as the cause, with its sources.
///
/// The segment is current while a handler works. The segment ends with the body of the response. If the response has no
/// body, such as the response that switches to a WebSocket, the segment ends with the head. An error of the body is a
/// fault. A panic is recorded and continues to unwind. If the server drops a request, the segment ends and has
/// `{"cancelled": true}` in its metadata, in the namespace `xray`. After a client of HTTP/1.1 has hung up, actix-web
/// finishes the request; `HttpServer::h1_allow_half_closed(false)` makes it drop the request instead.
///
/// Handlers run on the thread of their request, so calls with awc and reqwest become subsegments of the segment. A
/// closure that is passed to `web::block` and a future that is passed to `actix_web::rt::spawn` run outside the
/// segment: wrap them in [`in_current_trace`](crate::in_current_trace) and
/// [`Instrument::in_current_trace`](crate::Instrument::in_current_trace).
///
/// actix-web runs the last added middleware first. Call `wrap` for this middleware after all others, so that the
/// segment includes the time and the responses of the other middleware.
pub struct SegmentMiddleware {
    settings: Arc<Settings<ServiceRequest>>,
}

impl SegmentMiddleware {
    /// Returns a middleware whose segments have this name. The name is the service's logical name: a node of the
    /// service graph.
    ///
    /// The variable `AWS_XRAY_TRACING_NAME` overrides the name. The segments of a [`default()`](Self::default)
    /// middleware have the name of the service.
    pub fn new(name: impl Into<String>) -> Self {
        Self::named(Name::Fixed(name.into()))
    }

    /// Returns a middleware whose segments are named after the host in the request. If the host does not match the
    /// pattern, the name is the fallback.
    ///
    /// In the pattern, `*` stands for any characters and `?` for one character; letter case does not matter. The name
    /// is the host in lower case, without the port. The client chooses the host, so with the pattern `*` anybody can
    /// add nodes to the service graph. The variable `AWS_XRAY_TRACING_NAME` overrides the host and the fallback.
    ///
    /// ```
    /// let middleware = xray::actix_web::SegmentMiddleware::dynamic("*.example.com", "example");
    /// # drop(middleware);
    /// ```
    pub fn dynamic(pattern: impl Into<String>, fallback: impl Into<String>) -> Self {
        Self::named(Name::ByHost { pattern: pattern.into(), fallback: fallback.into() })
    }

    fn named(name: Name) -> Self {
        Self { settings: Arc::new(Settings::new(name)) }
    }

    /// Sets the recorder. By default the middleware uses the recorder of the surrounding context, else the recorder of
    /// the process.
    #[must_use]
    pub fn recorder(mut self, recorder: &Recorder) -> Self {
        Arc::make_mut(&mut self.settings).recorder = Some(recorder.clone());
        self
    }

    /// Sets how much of the request's trace header is used; the default is [`Trust::All`]. [`Trust`] has advice for a
    /// service that anybody can reach.
    ///
    /// ```
    /// let middleware = xray::actix_web::SegmentMiddleware::new("todo-app").trust(xray::Trust::TraceId);
    /// # drop(middleware);
    /// ```
    #[must_use]
    pub fn trust(mut self, trust: Trust) -> Self {
        Arc::make_mut(&mut self.settings).trust = trust;
        self
    }

    /// Sets a function that returns the client's address for requests without an `X-Forwarded-For`. The default is the
    /// peer of the connection.
    ///
    /// The function is called only for sampled requests. If it returns `None` or panics, the peer's address is
    /// recorded.
    ///
    /// ```
    /// use xray::actix_web::SegmentMiddleware;
    ///
    /// let middleware = SegmentMiddleware::new("todo-app").client_ip(|request| {
    ///     request.headers().get("cf-connecting-ip")?.to_str().ok()?.parse().ok()
    /// });
    /// # drop(middleware);
    /// ```
    #[must_use]
    pub fn client_ip(mut self, find: impl Fn(&ServiceRequest) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        Arc::make_mut(&mut self.settings).client_ip = Some(Arc::new(find));
        self
    }

    /// Sets whether the client's address is read from `X-Forwarded-For`; the default is `true`.
    ///
    /// Pass `false` for a service without a proxy in front of it.
    ///
    /// ```
    /// let middleware = xray::actix_web::SegmentMiddleware::new("todo-app").forwarded_for(false);
    /// # drop(middleware);
    /// ```
    #[must_use]
    pub fn forwarded_for(mut self, reads_forwarded_for: bool) -> Self {
        Arc::make_mut(&mut self.settings).reads_forwarded_for = reads_forwarded_for;
        self
    }
}

/// A middleware whose segments have the name of the service: `AWS_XRAY_TRACING_NAME`, else
/// [`service_name`](crate::RecorderBuilder::service_name), else the name of the program.
impl Default for SegmentMiddleware {
    fn default() -> Self {
        Self::named(Name::OfService)
    }
}

impl Clone for SegmentMiddleware {
    fn clone(&self) -> Self {
        Self { settings: Arc::clone(&self.settings) }
    }
}

impl<S, B> Transform<S, ServiceRequest> for SegmentMiddleware
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<SegmentBody<B>>;
    type Error = Error;
    type Transform = SegmentService<S>;
    type InitError = ();
    type Future = Ready<Result<SegmentService<S>, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(SegmentService { inner, settings: Arc::clone(&self.settings) }))
    }
}

/// An actix-web service that records each request as a segment. [`SegmentMiddleware`] returns it.
pub struct SegmentService<S> {
    inner: S,
    settings: Arc<Settings<ServiceRequest>>,
}

impl<S, B> Service<ServiceRequest> for SegmentService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<SegmentBody<B>>;
    type Error = Error;
    type Future = SegmentFuture<S::Future>;

    fn poll_ready(&self, task: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let mut serving = self.settings.begin(&request);
        let future = match &mut serving {
            Some(serving) => serving.run(|| self.inner.call(request)),
            None => self.inner.call(request),
        };
        SegmentFuture { future: Some(future), serving }
    }
}

pin_project! {
    /// The future of a request, with the segment of the request. [`SegmentService`] returns it.
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct SegmentFuture<F> {
        // `None` after the end of the future. The future is dropped while its segment is current, so that calls in its
        // destructors are recorded in the segment.
        #[pin]
        future: Option<F>,
        // `None` if tracing is disabled, and after the end of the future.
        serving: Option<Serving>,
    }

    impl<F> PinnedDrop for SegmentFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(serving) = this.serving {
                let _entered = serving.context().enter();
                this.future.set(None);
            }
        }
    }
}

impl<F, B> Future for SegmentFuture<F>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
    B: MessageBody,
{
    type Output = Result<ServiceResponse<SegmentBody<B>>, Error>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            panic!("`SegmentFuture` polled after completion");
        };
        let Some(serving) = this.serving else {
            let result = ready!(future.poll(task));
            return Poll::Ready(result.map(|response| response.map_body(|_, body| SegmentBody::new(body, None))));
        };
        let result = ready!(serving.run(|| future.poll(task)));
        serving.run(|| this.future.set(None));
        let serving = this.serving.take();
        Poll::Ready(match result {
            Ok(response) => Ok(respond(serving, response)),
            Err(error) => {
                if let Some(serving) = serving {
                    fail(serving, &error);
                }
                Err(error)
            }
        })
    }
}

fn respond<B: MessageBody>(
    serving: Option<Serving>,
    mut response: ServiceResponse<B>,
) -> ServiceResponse<SegmentBody<B>> {
    let Some(mut serving) = serving else { return response.map_body(|_, body| SegmentBody::new(body, None)) };
    let (status, length) = (response.status().as_u16(), length(response.response().body().size()));
    let decision = serving.respond(status, length);
    if let Some(Ok(decision)) = decision.map(HeaderValue::try_from) {
        response.headers_mut().insert(HeaderName::from_static(X_RAY.as_str()), decision);
    }
    if let Some(error) = response.response().error() {
        record(&serving, status, error);
    }
    if length == Some(0) || serving.is_without_body(status) {
        serving.complete();
        drop(serving);
        return response.map_body(|_, body| SegmentBody::new(body, None));
    }
    response.map_body(|_, body| SegmentBody::new(body, Some(serving)))
}

/// Records an error of an inner middleware. The server converts the error into a response.
fn fail(mut serving: Serving, error: &Error) {
    let status = error.as_response_error().status_code().as_u16();
    serving.respond(status, None);
    record(&serving, status, error);
    serving.complete();
}

/// Records the error behind a response with a status of 5xx. For 4xx, the status describes the client's error well
/// enough.
fn record(serving: &Serving, status: u16, error: &Error) {
    if status >= 500 {
        serving.context().record_error(error);
    }
}

impl fmt::Debug for SegmentMiddleware {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SegmentMiddleware").finish_non_exhaustive()
    }
}

impl<S: fmt::Debug> fmt::Debug for SegmentService<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SegmentService").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<F> fmt::Debug for SegmentFuture<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let segment = self.serving.as_ref().map(Serving::context);
        formatter.debug_struct("SegmentFuture").field("segment", &segment).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use actix_web::HttpResponse;
    use actix_web::dev::fn_service;
    use actix_web::error::ErrorServiceUnavailable;
    use actix_web::test::TestRequest;

    use super::*;
    use crate::testing::capture;

    /// A service that fails before it is ready.
    struct Busy;

    impl Service<ServiceRequest> for Busy {
        type Response = ServiceResponse;
        type Error = Error;
        type Future = Ready<Result<ServiceResponse, Error>>;

        fn poll_ready(&self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
            Poll::Ready(Err(ErrorServiceUnavailable("busy")))
        }

        fn call(&self, _: ServiceRequest) -> Self::Future {
            unreachable!("the service is not ready")
        }
    }

    #[tokio::test]
    async fn the_middleware_is_ready_when_the_service_is() {
        let service = SegmentMiddleware::new("shop").new_transform(Busy).await.unwrap();
        let readiness = service.poll_ready(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(readiness, Poll::Ready(Err(_))));
    }

    #[tokio::test]
    async fn an_absolute_uri_and_the_peer_of_the_connection_are_recorded() {
        let service = fn_service(async |request: ServiceRequest| {
            Ok::<_, Error>(request.into_response(HttpResponse::NoContent().finish()))
        });
        let service = SegmentMiddleware::dynamic("*", "unknown").new_transform(service).await.unwrap();
        let request = TestRequest::with_uri("https://shop.example.com:8443/cart?token=x");
        let request = request.insert_header(("host", "other")).peer_addr("192.0.2.1:5000".parse().unwrap());
        let work = async { service.call(request.to_srv_request()).await.map(drop).unwrap() };
        let ((), documents) = capture(work).await;
        let request = documents[0].http.as_ref().and_then(|http| http.request.as_ref()).unwrap();
        assert_eq!(documents[0].name, "shop.example.com");
        assert_eq!(request.url.as_deref(), Some("https://shop.example.com:8443/cart"));
        assert_eq!(request.client_ip.as_deref(), Some("192.0.2.1"));
    }
}
