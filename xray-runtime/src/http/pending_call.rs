//! A call that has begun and is not sent yet.

use std::fmt;
use std::sync::Arc;

use super::call::Call;
use super::call_future::CallFuture;
use crate::header::propagation::TraceHeaders;
use crate::header::request_headers::RequestHeaders;
use crate::live::entity::Entity;

/// An HTTP call that has begun, but whose request is not sent yet.
///
/// Put the trace headers into the request by [`inject`](Self::inject), then send it by [`run`](Self::run) or
/// [`run_async`](Self::run_async). A pending call that is dropped leaves no trace.
///
/// The default value is a call that is not recorded: it injects nothing, and sends the request all the same.
#[derive(Debug, Default)]
#[must_use = "a pending call puts headers into the request and sends it"]
pub struct PendingCall(State);

#[derive(Default)]
enum State {
    /// No segment is open, or a rule leaves this request out.
    #[default]
    Untraced,
    /// The trace is not sampled: the request carries its headers, and nothing is recorded.
    Unsampled(Arc<Entity>),
    Recorded(Call),
}

impl PendingCall {
    pub(super) fn unsampled(parent: Arc<Entity>) -> Self {
        Self(State::Unsampled(parent))
    }

    pub(super) fn recorded(call: Call) -> Self {
        Self(State::Recorded(call))
    }

    /// Returns whether the call becomes a subsegment.
    ///
    /// It does not if no segment is open here, if the trace is not sampled, or if the request that it was
    /// [injected](Self::inject) into is recorded already.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        matches!(self.0, State::Recorded(_))
    }

    /// Puts the trace headers into a request, in place of any values that it has for them.
    ///
    /// Which headers those are is set by [`propagate`](crate::RecorderBuilder::propagate). Without an open segment the
    /// request is left as it is.
    ///
    /// The request may carry the header of another call in this trace that is still open: it passes through two
    /// mechanisms, such as an annotated function and a middleware. Then its headers stay, and this call is forgotten: one
    /// request makes one subsegment. A call has one request: injected into a second one, it changes nothing there.
    ///
    /// ```
    /// let mut headers = http::HeaderMap::new();
    /// let (call, _) = xray::testing::capture_blocking(|| {
    ///     let segment = xray::Segment::builder("todo-app").begin();
    ///     segment.in_scope(|| xray::http::call("GET", "https://example.com/todos/1").inject(&mut headers))
    /// });
    /// assert!(call.is_recorded());
    /// assert!(headers["x-amzn-trace-id"].to_str().unwrap().ends_with(";Sampled=1"));
    /// ```
    // Out of line like `into_call`, so that the closure that begins a call is short enough to be inlined into the future. A
    // closure that is not inlined gets a request by value through a pointer, and copies it twice more.
    #[inline(never)]
    pub fn inject(self, request: &mut impl RequestHeaders) -> Self {
        match self.0 {
            State::Untraced => self,
            State::Unsampled(parent) => {
                if let Some(headers) = unsampled_headers(&parent) {
                    headers.copy_into(request);
                }
                Self::default()
            }
            State::Recorded(mut call) => {
                let headers = call.take_headers();
                let is_first = headers.insert_unless(request, call.propagation(), |header| call.is_other_call(&header));
                if is_first { Self(State::Recorded(call)) } else { Self::default() }
            }
        }
    }

    /// Sends the request with `send`, which blocks the thread, and returns what `send` returns.
    ///
    /// The time of the subsegment is that of `send`. `read` then records the result, by [`Call::response`] or
    /// [`Call::error`]; it runs only if the call is recorded. If `read` records nothing, the subsegment has neither status
    /// nor flag. A panic of `send` is recorded and passed on. There is an example at [`call`](fn@super::call).
    pub fn run<T>(self, send: impl FnOnce() -> T, read: impl FnOnce(&T, &mut Call)) -> T {
        let Some(mut call) = self.into_call() else { return send() };
        call.start();
        let response = call.observe_panic(send);
        call.read(&response, read);
        response
    }

    /// Sends the request with a future. The result is a future with the same output.
    ///
    /// The time of the subsegment is from the first poll until the future is ready. `read` then records the output, as
    /// for [`run`](Self::run). A future that is dropped in between leaves a subsegment that is marked as cancelled. A
    /// future that is never polled leaves no trace. A panic in it is recorded and passed on.
    ///
    /// ```
    /// use xray::Instrument as _;
    ///
    /// type Reply = Result<http::Response<()>, std::io::Error>;
    ///
    /// /// A middleware of some client.
    /// async fn middleware<F: Future<Output = Reply>>(
    ///     mut request: http::Request<()>,
    ///     next: impl FnOnce(http::Request<()>) -> F,
    /// ) -> Reply {
    ///     let call = xray::http::call(request.method().as_str(), request.uri()).inject(request.headers_mut());
    ///     call.run_async(next(request), |reply, call| match reply {
    ///         Ok(response) => call.response(response.status().as_u16(), None),
    ///         Err(error) => call.error(error),
    ///     })
    ///     .await
    /// }
    ///
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// # runtime.block_on(async {
    /// let request = http::Request::get("https://names.example.com/").body(()).unwrap();
    /// let call = middleware(request, async |request| {
    ///     assert!(request.headers().contains_key("x-amzn-trace-id"));
    ///     Ok(http::Response::new(()))
    /// });
    /// let (_, documents) = xray::testing::capture(call.in_segment("todo-app")).await;
    /// assert_eq!(documents[0].subsegments[0].name, "names.example.com");
    /// # });
    /// ```
    pub fn run_async<F, R>(self, future: F, read: R) -> CallFuture<F, R>
    where
        F: Future,
        R: FnOnce(&F::Output, &mut Call),
    {
        CallFuture::new(future, self.into_call(), read)
    }

    /// Starts the time of the call: the client sends the request at the call of its method, and not at the first poll.
    pub(crate) fn started(mut self) -> Self {
        if let State::Recorded(call) = &mut self.0 {
            call.start();
        }
        self
    }

    /// Returns the call, if it is recorded.
    #[inline(never)]
    pub(crate) fn into_call(self) -> Option<Call> {
        match self.0 {
            State::Recorded(call) => Some(call),
            State::Untraced | State::Unsampled(_) => None,
        }
    }
}

/// Returns the headers of every request in an unsampled trace.
// One function in this crate: `inject` is generic and is compiled in the caller's crate, where each getter would be a call.
fn unsampled_headers(parent: &Entity) -> Option<&TraceHeaders> {
    parent.trace().outbound().unrecorded()
}

impl fmt::Debug for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Untraced => formatter.write_str("Untraced"),
            Self::Unsampled(_) => formatter.write_str("Unsampled"),
            Self::Recorded(call) => call.fmt(formatter),
        }
    }
}
