//! A call that has begun and whose request has not been sent.

use std::fmt;
use std::sync::Arc;

use super::call::Call;
use super::call_future::CallFuture;
use crate::header::propagation::TraceHeaders;
use crate::header::request_headers::RequestHeaders;
use crate::header::trace_header::TraceHeader;
use crate::live::entity::Entity;
use crate::record::{Record, Stage};

/// An HTTP call that has begun, but whose request has not been sent.
///
/// Insert the trace headers into the request with [`inject`](Self::inject), then send the request with
/// [`run`](Self::run) or [`run_async`](Self::run_async). A pending call that is dropped is not recorded.
///
/// The default value is a call that is not recorded: it injects no headers, and only sends the request.
#[derive(Default)]
#[must_use = "a pending call puts headers into the request and sends it"]
pub struct PendingCall {
    // Two pointers are passed in registers. An enum of three variants would be passed through memory.
    /// The segment or subsegment of the call; `None` if no segment is current, or if a rule excludes the request.
    parent: Option<Arc<Entity>>,
    /// The record of the call; `None` if the call is not recorded. With a parent but no record, the request gets the
    /// headers of an unsampled trace.
    record: Option<Box<Record>>,
}

impl PendingCall {
    #[inline]
    pub(super) fn unsampled(parent: Arc<Entity>) -> Self {
        Self { parent: Some(parent), record: None }
    }

    /// Creates a call below `parent`. The caller has passed the id of the record to
    /// [`Trace::call_begins`](crate::live::entity::Trace::call_begins).
    #[inline]
    pub(super) fn recorded(parent: Arc<Entity>, record: Box<Record>) -> Self {
        Self { parent: Some(parent), record: Some(record) }
    }

    /// Returns whether the call becomes a subsegment.
    ///
    /// It does not become one if there is no current segment, if the trace is not sampled, or if another call already
    /// records the request that was passed to [`inject`](Self::inject).
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        self.record.is_some()
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
    // Not inlined, like `into_call`. This keeps the closure that begins a call short enough to be inlined into the
    // future. If the closure were not inlined, its request would be passed by pointer and copied two more times.
    #[inline(never)]
    pub fn inject(mut self, request: &mut impl RequestHeaders) -> Self {
        let Some(record) = &mut self.record else {
            if let Some(headers) = self.parent.as_deref().and_then(unsampled_headers) {
                headers.copy_into(request);
            }
            self.parent = None;
            return self;
        };
        let Some(parent) = &self.parent else { return self };
        let id = record.id;
        let headers = recorded_headers(parent, record);
        // A header of this call itself does not count, because a program may call `inject` twice for a request.
        let is_other_call = |header: TraceHeader| parent.trace().is_open_call(&header) && header.parent != Some(id);
        let propagation = parent.trace().recorder().propagation();
        if headers.insert_unless(request, propagation, is_other_call) { self } else { Self::default() }
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
        if let (Some(parent), Some(record)) = (&self.parent, &mut self.record) {
            record.stage = Stage::Started;
            record.start = parent.trace().now();
        }
        self
    }

    /// Returns the call, if it is recorded.
    #[inline(never)]
    pub(crate) fn into_call(mut self) -> Option<Call> {
        self.take_call()
    }

    #[inline]
    fn take_call(&mut self) -> Option<Call> {
        Some(Call::new(self.parent.take()?, self.record.take()?))
    }
}

impl Drop for PendingCall {
    #[inline]
    fn drop(&mut self) {
        if self.record.is_some() {
            // The destructor of `Call` ends the call.
            drop(self.take_call());
        }
    }
}

/// Returns the headers of every request in an unsampled trace.
// `inject` is generic, so it is compiled in the caller's crate, and there each of these getters would be a function
// call. As a function of this crate, they are one call together.
fn unsampled_headers(parent: &Entity) -> Option<&TraceHeaders> {
    parent.trace().outbound().unrecorded()
}

/// Returns the headers for the request of a recorded call. Returns no headers after the first time, because only one
/// request may carry them.
fn recorded_headers(parent: &Entity, record: &mut Record) -> TraceHeaders {
    match record.stage {
        Stage::Pending { with_headers: true } => {
            record.stage = Stage::Pending { with_headers: false };
            parent.trace().outbound().recorded(record.id)
        }
        _ => TraceHeaders::default(),
    }
}

impl fmt::Debug for PendingCall {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.record.as_ref().map(|record| record.id);
        formatter.debug_struct("PendingCall").field("id", &id).finish_non_exhaustive()
    }
}
