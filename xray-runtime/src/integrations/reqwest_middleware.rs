//! A middleware for clients of `reqwest-middleware` 0.5. (Feature `reqwest-middleware`.)

use std::pin::Pin;

use ::reqwest_middleware::{Middleware, Next, Result};
use http::Extensions;
use reqwest::{Request, Response};

use crate::http::{Outgoing, ReadResponse, methods, open_here, perform_async};

/// A middleware: every request is a subsegment and carries the `X-Amzn-Trace-Id` header, or what is
/// [propagated](crate::RecorderBuilder::propagate), in place of any that it has.
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
/// The middlewares that are added after it run within its time. So after a middleware that retries every attempt is a
/// subsegment, and before it all of them are one. A failed request is recorded with its error and the sources of that.
///
/// Where a request is traced already, in an annotated function or by another middleware, the two are one subsegment.
#[derive(Debug, Clone, Copy, Default)]
pub struct SubsegmentMiddleware(());

impl SubsegmentMiddleware {
    /// The middleware. There is nothing to set.
    #[must_use]
    pub const fn new() -> Self {
        Self(())
    }
}

/// As `async_trait` writes it.
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
        let call = open_here().and_then(|parent| Outgoing::<methods::execute>::begin(&mut request, parent));
        let sent = next.run(request, extensions);
        if call.is_some() { Box::pin(perform_async(call, sent, ReadResponse::read)) } else { sent }
    }
}
