//! A call whose answer comes from a future.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::call::Call;

/// Performs a call that a future makes: [`perform`](super::perform) for what does not block.
///
/// The time of its subsegment is from the first poll to the answer, of which `read` tells what it is. Without a call
/// the future runs alone. A panic in it is recorded and goes on; dropped before its answer the call is marked as
/// cancelled, and never polled it leaves no trace. For a middleware or an adapter of your own, which puts the header
/// in by itself:
///
/// ```
/// use xray::Instrument as _;
/// use xray::http::perform_async;
///
/// type Reply = Result<http::Response<()>, std::io::Error>;
///
/// async fn middleware<F: Future<Output = Reply>>(
///     mut request: http::Request<()>,
///     next: impl FnOnce(http::Request<()>) -> F,
/// ) -> Reply {
///     let pending = xray::http::call(request.method().as_str(), request.uri());
///     let call = pending.insert_into(request.headers_mut());
///     perform_async(call, next(request), |answer, call| match answer {
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
pub fn perform_async<F, R>(call: Option<Call>, future: F, read: R) -> Running<F, R>
where
    F: Future,
    R: FnOnce(&F::Output, &mut Call),
{
    Running { future, measured: call.map(|call| (call, read)) }
}

pin_project! {
    /// A client's own future, with the subsegment of the call that it performs around it; made by [`perform_async`] and
    /// [`PendingCall::run_async`](super::PendingCall::run_async).
    ///
    /// It is `Unpin` as the future is, and `Send` and `Sync` as the future and the reader are.
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Running<F, R> {
        #[pin]
        future: F,
        // Below the future, so that it ends after what it measures. `None` where nothing is recorded, and at the end.
        measured: Option<(Call, R)>,
    }
}

impl<F, R> Future for Running<F, R>
where
    F: Future,
    R: FnOnce(&F::Output, &mut Call),
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Some((call, _)) = this.measured else { return this.future.poll(task) };
        let output = ready!(call.poll(this.future, task));
        if let Some((mut call, read)) = this.measured.take() {
            call.read(&output, read);
        }
        Poll::Ready(output)
    }
}

impl<F, R> fmt::Debug for Running<F, R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let call = self.measured.as_ref().map(|(call, _)| call);
        formatter.debug_struct("Running").field("call", &call).finish_non_exhaustive()
    }
}
