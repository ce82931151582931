//! A call that has begun and whose request has not been sent.

use std::fmt;
use std::sync::Arc;

use super::call::Call;
use super::call_future::CallFuture;
use crate::header::propagation::OutgoingHeaders;
use crate::header::request_headers::RequestHeaders;
use crate::live::entity::Entity;

/// An HTTP call that has begun, but whose request has not been sent.
///
/// Insert the trace headers into the request with [`inject`](Self::inject), then send the request with
/// [`run`](Self::run) or [`run_async`](Self::run_async). A pending call that is dropped is not recorded.
///
/// The default value is a call that is not recorded: it injects no headers, and only sends the request.
#[must_use = "a pending call puts headers into the request and sends it"]
pub struct PendingCall(State);

// Two words, which are passed in registers.
enum State {
    /// The call is not recorded. With a parent, the request gets the headers of an unsampled trace. There is no parent
    /// if no segment is current, if a rule excludes the request, or if the request has the headers already.
    Unrecorded(Option<Arc<Entity>>),
    Recorded(Call),
}

impl PendingCall {
    #[inline]
    pub(super) fn unsampled(parent: Arc<Entity>) -> Self {
        Self(State::Unrecorded(Some(parent)))
    }

    #[inline]
    pub(super) fn recorded(call: Call) -> Self {
        Self(State::Recorded(call))
    }

    /// Returns whether the call becomes a subsegment.
    ///
    /// It does not become one if there is no current segment, if the trace is not sampled, or if another call already
    /// records the request that was passed to [`inject`](Self::inject).
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        matches!(self.0, State::Recorded(_))
    }

    /// Inserts the trace headers into a request, and replaces existing values of these headers.
    ///
    /// [`propagate`](crate::RecorderBuilder::propagate) sets which headers are inserted. Without a current segment the
    /// request is unchanged.
    ///
    /// A request may pass through two mechanisms, such as an annotated function and a middleware. It then already has
    /// the header of another open call of this trace. In that case its headers are unchanged, and this call is not
    /// recorded, because one request makes one subsegment. A call has one request: a second `inject` changes nothing.
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
    // Inlined, because a call that is not recorded only sets a header. The code for a recorded call is in a separate
    // function.
    #[inline]
    pub fn inject(self, request: &mut impl RequestHeaders) -> Self {
        match self.0 {
            State::Unrecorded(parent) => {
                let outgoing = parent.as_deref().map(|parent| parent.trace().outgoing_headers());
                if let Some(headers) = outgoing.and_then(OutgoingHeaders::of_unsampled) {
                    headers.copy_into(request);
                }
                Self::default()
            }
            State::Recorded(call) => inject_recorded(call, request).map(Self::recorded).unwrap_or_default(),
        }
    }

    /// Sends the request with `send`, which blocks the thread, and returns what `send` returns.
    ///
    /// The subsegment lasts as long as `send`. `read` then records the result with [`Call::response`] or
    /// [`Call::error`]; it runs only if the call is recorded. If `read` records nothing, the subsegment has neither a
    /// status nor a flag. A panic in `send` is recorded and continues to unwind. There is an example at
    /// [`call`](fn@super::call).
    pub fn run<T>(self, send: impl FnOnce() -> T, read: impl FnOnce(&T, &mut Call)) -> T {
        let Some(mut call) = self.into_call() else { return send() };
        call.start();
        let response = call.observe_panic(send);
        call.read(&response, read);
        response
    }

    /// Sends the request with a future. The result is a future with the same output.
    ///
    /// The subsegment lasts from the first poll until the future is ready. `read` then records the output, as for
    /// [`run`](Self::run). If the future is dropped in between, the subsegment is marked as cancelled. A future that is
    /// never polled is not recorded. A panic in the future is recorded and continues to unwind.
    ///
    /// ```
    /// use xray::Instrument as _;
    ///
    /// type Reply = Result<http::Response<()>, std::io::Error>;
    ///
    /// /// A middleware of an HTTP client.
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

    /// Starts the call now, for a client that sends the request when its method is called and not at the first poll.
    pub(crate) fn started(mut self) -> Self {
        if let State::Recorded(call) = &mut self.0 {
            call.start();
        }
        self
    }

    /// Returns the call, if it is recorded.
    #[inline]
    pub(crate) fn into_call(self) -> Option<Call> {
        match self.0 {
            State::Recorded(call) => Some(call),
            State::Unrecorded(_) => None,
        }
    }
}

/// Inserts the headers of a recorded call. Returns `None` if another call records the request.
#[inline(never)]
fn inject_recorded(mut call: Call, request: &mut impl RequestHeaders) -> Option<Call> {
    let headers = call.take_headers();
    headers.insert_unless(request, call.propagation(), |header| call.is_recorded_by_another(&header)).then_some(call)
}

impl Default for PendingCall {
    #[inline]
    fn default() -> Self {
        Self(State::Unrecorded(None))
    }
}

impl fmt::Debug for PendingCall {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let call = match &self.0 {
            State::Recorded(call) => Some(call),
            State::Unrecorded(_) => None,
        };
        formatter.debug_struct("PendingCall").field("call", &call).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pending_call_is_two_words() {
        assert_eq!(size_of::<PendingCall>(), 2 * size_of::<usize>());
    }
}
