//! reqwest-middleware: `RequestBuilder::send`, and `ClientWithMiddleware::execute` and `execute_with_extensions`, which
//! take reqwest's request.

use std::mem;

use reqwest::{Request, Response};
use reqwest_middleware::{Error, RequestBuilder};

use crate::http::{Call, Opening, Outgoing, Site, Started, StatusError, Traceable, Traced, methods, read_or_status};

impl Traceable<methods::send> for RequestBuilder {
    type Traced = TracedRequestBuilder;

    fn traced(self, site: Site) -> TracedRequestBuilder {
        TracedRequestBuilder { builder: self, site }
    }
}

/// A [`RequestBuilder`] in an annotated function.
#[derive(Debug)]
pub struct TracedRequestBuilder {
    builder: RequestBuilder,
    site: Site,
}

impl TracedRequestBuilder {
    /// [`RequestBuilder::send`] in a subsegment.
    pub fn send(self) -> impl Future<Output = Result<Response, Error>> {
        let Self { builder, site } = self;
        Traced::new(site, move |opening| start(builder, opening), read_or_status)
    }
}

/// [`RequestBuilder::send`] consists of the same steps. `build_split` alone would lose what the user has told the
/// middleware of this request.
fn start(
    mut builder: RequestBuilder,
    opening: Option<Opening>,
) -> Started<impl Future<Output = Result<Response, Error>>> {
    let mut extensions = mem::take(builder.extensions());
    let (client, request) = builder.build_split();
    match request {
        Ok(mut request) => {
            let call = opening.and_then(|opening| Outgoing::<methods::execute>::begin(&mut request, opening));
            Started::new(async move { client.execute_with_extensions(request, &mut extensions).await }, call)
        }
        Err(error) => Started::refused(Err(error.into())),
    }
}

impl Outgoing<methods::execute_with_extensions> for Request {
    fn begin(&mut self, opening: Opening) -> Option<Call> {
        Outgoing::<methods::execute>::begin(self, opening)
    }
}

/// A middleware may take a response for an error.
impl StatusError for Error {
    fn status(&self) -> Option<u16> {
        Self::status(self).map(|status| status.as_u16())
    }
}
