//! attohttpc: `RequestBuilder::send`.

use attohttpc::body::Body;
use attohttpc::{RequestBuilder, Response, Result};

use crate::http::{Call, Opening, ResponseHead, Site, Traceable, methods, perform};

impl<B: Body> Traceable<methods::send> for RequestBuilder<B> {
    type Traced = TracedRequestBuilder<B>;

    fn traced(self, site: Site) -> TracedRequestBuilder<B> {
        TracedRequestBuilder { builder: self, site }
    }
}

/// A [`RequestBuilder`] in an annotated function.
#[derive(Debug)]
pub struct TracedRequestBuilder<B> {
    builder: RequestBuilder<B>,
    site: Site,
}

impl<B: Body> TracedRequestBuilder<B> {
    /// [`RequestBuilder::send`] in a subsegment. It consists of the same two steps; an error of the first is no call.
    pub fn send(mut self) -> Result<Response> {
        let call = self.site.open().and_then(|opening| begin(&mut self.builder, opening));
        let mut request = self.builder.try_prepare()?;
        perform(call, || request.send(), read)
    }
}

fn begin<B>(builder: &mut RequestBuilder<B>, opening: Opening) -> Option<Call> {
    let request = builder.inspect();
    let begun = opening.begin(request.method().as_str(), request.url().as_str());
    begun.insert_into(builder.headers_mut())
}

fn read(answer: &Result<Response>, call: &mut Call) {
    match answer {
        Ok(response) => {
            let head = ResponseHead::new(response.status().as_u16(), None);
            call.response_head(&head.with_headers(response.headers()).with_url(response.url().as_str()));
        }
        Err(error) => call.error(error),
    }
}
