//! reqwest-middleware: `RequestBuilder::send`, and `ClientWithMiddleware::execute` and `execute_with_extensions`, which
//! take reqwest's request.

use std::mem;

use reqwest::{Request, Response};
use reqwest_middleware::{Error, RequestBuilder};

use crate::http::{
    CallParent, CallSite, DeferredCall, Outgoing, PendingCall, Sent, StatusError, Traceable, methods, read_or_status,
};

impl Traceable<methods::send> for RequestBuilder {
    type Traced = TracedRequestBuilder;

    fn traced(self, site: CallSite) -> TracedRequestBuilder {
        TracedRequestBuilder { builder: self, site }
    }
}

/// The traced twin of a [`RequestBuilder`].
#[derive(Debug)]
pub struct TracedRequestBuilder {
    builder: RequestBuilder,
    site: CallSite,
}

impl TracedRequestBuilder {
    /// Calls [`RequestBuilder::send`] in a subsegment.
    pub fn send(self) -> impl Future<Output = Result<Response, Error>> {
        let Self { builder, site } = self;
        DeferredCall::new(site, move |parent| start(builder, parent), read_or_status)
    }
}

// `RequestBuilder::send` consists of these steps. The extensions carry what the user has set for the middlewares of
// this request, and `build_split` drops them.
fn start(
    mut builder: RequestBuilder,
    parent: Option<CallParent>,
) -> Sent<impl Future<Output = Result<Response, Error>>> {
    let mut extensions = mem::take(builder.extensions());
    let (client, request) = builder.build_split();
    match request {
        Ok(mut request) => {
            let call = parent.and_then(|parent| Outgoing::<methods::execute>::begin(&mut request, parent));
            Sent::new(async move { client.execute_with_extensions(request, &mut extensions).await }, call)
        }
        Err(error) => Sent::refused(Err(error.into())),
    }
}

impl Outgoing<methods::execute_with_extensions> for Request {
    fn begin(&mut self, parent: CallParent) -> Option<PendingCall> {
        Outgoing::<methods::execute>::begin(self, parent)
    }
}

// A middleware may turn a response into an error, and keeps its status there.
impl StatusError for Error {
    fn status(&self) -> Option<u16> {
        Self::status(self).map(|status| status.as_u16())
    }
}
