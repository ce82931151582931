//! Calls that no attribute can reach: begun, sent and read by hand.

use super::blocking::perform;
use super::call::{Call, CallParent, PendingCall};
use super::running::{Running, perform_async};
use super::site::CallSite;
use crate::document::url::Url;

/// Begins an HTTP call by hand, for code that the attribute cannot reach: a client that is not known, or a call inside
/// another crate.
///
/// The subsegment stands below what is current here and has the name of the URL's host; of the URL only scheme, host,
/// port and path are recorded. The request is to carry [`PendingCall::headers`], or what [`PendingCall::insert_into`] puts in.
/// Then [`PendingCall::run`] or [`PendingCall::run_async`] sends it.
///
/// Where nothing is open, or tracing is disabled, the call runs without a header and is not recorded; that the context
/// is missing is logged once per process. Below a segment that is not sampled only the header goes out.
///
/// ```
/// use std::io::{self, Read as _, Write as _};
/// use std::net::TcpStream;
///
/// /// Asks a service without any HTTP client. Gives the status.
/// fn ping(address: &str) -> io::Result<u16> {
///     let pending = xray::http::call("GET", &format!("http://{address}/ping"));
///     let headers = pending.headers().filter_map(|(name, value)| Some(format!("{name}: {}\r\n", value.to_str().ok()?)));
///     let headers: String = headers.collect();
///     pending.run(
///         || {
///             let mut connection = TcpStream::connect(address)?;
///             let request = format!("GET /ping HTTP/1.0\r\nHost: {address}\r\n{headers}\r\n");
///             connection.write_all(request.as_bytes())?;
///             let mut answer = String::new();
///             connection.read_to_string(&mut answer)?;
///             let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
///             status.ok_or_else(|| io::ErrorKind::InvalidData.into())
///         },
///         |answer, call| match answer {
///             Ok(status) => call.response(*status, None),
///             Err(error) => call.error(error),
///         },
///     )
/// }
///
/// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
/// # let address = listener.local_addr()?.to_string();
/// # let service = std::thread::spawn(move || -> io::Result<String> {
/// #     let (mut connection, _) = listener.accept()?;
/// #     let mut request = vec![0; 4096];
/// #     let length = connection.read(&mut request)?;
/// #     connection.write_all(b"HTTP/1.0 404 Not Found\r\n\r\n")?;
/// #     Ok(String::from_utf8_lossy(&request[..length]).into_owned())
/// # });
/// let (status, documents) = xray::testing::capture_blocking(|| {
///     xray::Segment::builder("todo-app").begin().in_scope(|| ping(&address))
/// });
/// assert_eq!(status?, 404);
/// let call = &documents[0].subsegments[0];
/// assert!(call.name == "127.0.0.1" && call.error);
/// # assert!(service.join().unwrap()?.contains(&call.id.to_string()));
/// # Ok::<(), io::Error>(())
/// ```
pub fn call<'a>(method: &str, url: impl Into<Url<'a>>) -> PendingCall {
    open_here().map_or_else(PendingCall::default, |parent| parent.begin(method, url))
}

/// The place in the trace for a call that no attribute knows of.
pub(crate) fn open_here() -> Option<CallParent> {
    CallSite::manual().open()
}

impl PendingCall {
    /// Sends the request with `send`, which blocks; its result comes back as it is. The time of the subsegment is that
    /// of `send`, and `read` tells what came of it: [`Call::response`] or [`Call::error`].
    ///
    /// `read` runs only where the call is recorded. If it tells nothing, the call has neither status nor flag. A panic
    /// of `send` is recorded and goes on. There is an example at [`call`](fn@call).
    pub fn run<T>(self, send: impl FnOnce() -> T, read: impl FnOnce(&T, &mut Call)) -> T {
        perform(self.into_call(), send, read)
    }

    /// Sends the request with a future: [`run`](Self::run) for what does not block. The time of the subsegment is from
    /// the first poll to the future's end.
    ///
    /// A future that is dropped before its end leaves a call that is marked as cancelled; one that is never polled
    /// leaves no trace. The result is `Send` and `Unpin` as the future is, and needs no allocation of its own.
    ///
    /// ```
    /// use xray::Instrument as _;
    ///
    /// /// Some client's function.
    /// async fn store(key: &str, trace: Option<&http::HeaderValue>) -> std::io::Result<u64> {
    ///     assert!(trace.is_some());
    ///     Ok(key.len() as u64)
    /// }
    ///
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// # runtime.block_on(async {
    /// let work = async {
    ///     let pending = xray::http::call("PUT", "https://store.example.com/keys/todo");
    ///     let header = pending.header().cloned();
    ///     let stored = pending.run_async(store("todo", header.as_ref()), |stored, call| match stored {
    ///         // The length in bytes, where it is known.
    ///         Ok(bytes) => call.response(201, Some(*bytes)),
    ///         Err(error) => call.error(error),
    ///     });
    ///     stored.await
    /// };
    /// let (_, documents) = xray::testing::capture(work.in_segment("todo-app")).await;
    /// let http = documents[0].subsegments[0].http.as_ref().unwrap();
    /// assert_eq!(http.response.unwrap().status, Some(201));
    /// # });
    /// ```
    pub fn run_async<F, R>(self, future: F, read: R) -> Running<F, R>
    where
        F: Future,
        R: FnOnce(&F::Output, &mut Call),
    {
        perform_async(self.into_call(), future, read)
    }
}
