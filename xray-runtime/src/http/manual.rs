//! Traces an HTTP call by hand, where the attribute cannot be used.

use std::panic::Location;

use super::pending_call::PendingCall;
use super::site::CallSite;
use crate::document::url::Url;
use crate::live::missing;

/// Begins an HTTP call by hand. Use it where the attribute cannot trace the call: for a client without a feature, or
/// for a call inside another crate.
///
/// The subsegment is a child of the current segment or subsegment, and has the name of the URL's host. The scheme,
/// host, port and path of the URL are recorded, and nothing else of it. [`PendingCall::inject`] puts the trace headers
/// into the request, and [`PendingCall::run`] or [`PendingCall::run_async`] sends it.
///
/// If no segment is current, or tracing is disabled, the request gets no header and the call is not recorded. A missing
/// segment is logged with the place of this call, once for each place, for up to 50 places. If the segment is not
/// sampled, the call is not recorded, and the request gets a header with `Sampled=0`.
///
/// ```
/// use std::io::{self, Read as _, Write as _};
/// use std::net::TcpStream;
///
/// /// Sends a request without any HTTP client. Returns the status.
/// fn ping(address: &str) -> io::Result<u16> {
///     let mut headers = vec![("Host".to_owned(), address.to_owned())];
///     let call = xray::http::call("GET", &format!("http://{address}/ping")).inject(&mut headers);
///     call.run(
///         || {
///             let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
///             let mut connection = TcpStream::connect(address)?;
///             connection.write_all(format!("GET /ping HTTP/1.0\r\n{headers}\r\n").as_bytes())?;
///             let mut response = String::new();
///             connection.read_to_string(&mut response)?;
///             let status = response.split(' ').nth(1).and_then(|status| status.parse().ok());
///             status.ok_or_else(|| io::ErrorKind::InvalidData.into())
///         },
///         |result, call| match result {
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
#[track_caller]
pub fn call<'a>(method: &str, url: impl Into<Url<'a>>) -> PendingCall {
    if let Some(parent) = CallSite::manual().find_parent() {
        return parent.begin(method, url);
    }
    missing::log_call_by_hand(Location::caller(), method, &url.into());
    PendingCall::default()
}

/// Returns the parent of a call that a middleware makes. `middleware` describes the middleware for log lines.
#[cfg(any(feature = "tower", feature = "reqwest-middleware"))]
pub(crate) fn current_parent(middleware: &'static super::site::CallSites) -> Option<super::CallParent> {
    middleware.at(0).parent()
}
