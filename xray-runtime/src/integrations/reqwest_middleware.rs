//! A middleware for clients of `reqwest-middleware` 0.5. (Feature `reqwest-middleware`.)

use std::pin::Pin;

use ::reqwest_middleware::{Middleware, Next, Result};
use http::Extensions;
use reqwest::{Request, Response};

use crate::http::site::CallSites;
use crate::http::{Outgoing, current_parent, methods, read_or_status};

/// The place of the calls, for the log.
static CALL_SITES: CallSites = CallSites::new("xray::reqwest_middleware::SubsegmentMiddleware", "", 0);

/// A middleware that records every request as a subsegment and inserts the header `X-Amzn-Trace-Id`.
///
/// The header replaces one that the request has. [`propagate`](crate::RecorderBuilder::propagate) selects other
/// headers.
///
/// ```
/// use reqwest_middleware::ClientBuilder;
/// use xray::Instrument as _;
/// use xray::reqwest_middleware::SubsegmentMiddleware;
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
/// # runtime.block_on(async {
/// let client = ClientBuilder::new(reqwest::Client::new()).with(SubsegmentMiddleware::new()).build();
/// # let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
/// # let url = format!("http://{}/todos/1?token=secret", listener.local_addr().unwrap());
/// # std::thread::spawn(move || {
/// #     use std::io::{Read as _, Write as _};
/// #     let (mut connection, _) = listener.accept().unwrap();
/// #     connection.read(&mut [0; 4096]).unwrap();
/// #     connection.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").unwrap();
/// # });
/// let call = client.get(url).send();
/// let (response, documents) = xray::testing::capture(call.in_segment("todo-app")).await;
/// assert_eq!(response.unwrap().status(), 404);
/// let call = &documents[0].subsegments[0];
/// assert!(call.name == "127.0.0.1" && call.error);
/// # });
/// ```
///
/// The middlewares that are added after it run within the time of the subsegment. Added after a middleware that
/// retries, it records a subsegment for every attempt; added before, one subsegment for all attempts. A failed request
/// is recorded with its error and the sources of the error.
///
/// A request that is traced already, by an annotated function or another middleware, gets no second subsegment.
#[derive(Debug, Clone, Copy, Default)]
pub struct SubsegmentMiddleware(());

impl SubsegmentMiddleware {
    /// Creates the middleware. There is nothing to set.
    #[must_use]
    pub const fn new() -> Self {
        Self(())
    }
}

// The signature is what `#[async_trait]` makes of the `async fn handle` in reqwest-middleware's documentation: its
// trait is declared by that macro. Written out, the future of a request that is not recorded is passed on without a
// second box.
impl Middleware for SubsegmentMiddleware {
    fn handle<'this, 'extensions, 'next, 'all>(
        &'this self,
        mut request: Request,
        extensions: &'extensions mut Extensions,
        next: Next<'next>,
    ) -> Pin<Box<dyn Future<Output = Result<Response>> + Send + 'all>>
    where
        'this: 'all,
        'extensions: 'all,
        'next: 'all,
    {
        let parent = current_parent(&CALL_SITES);
        let call =
            parent.and_then(|parent| Outgoing::<methods::execute>::begin(&mut request, parent)).unwrap_or_default();
        let is_recorded = call.is_recorded();
        let sent = next.run(request, extensions);
        // `sent` is boxed already. A second box is needed only to put the call around it.
        if is_recorded { Box::pin(call.run_async(sent, read_or_status)) } else { sent }
    }
}
