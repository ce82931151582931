//! attohttpc: `RequestBuilder::send`.

use attohttpc::body::Body;
use attohttpc::{RequestBuilder, Response, Result};

use crate::http::{Call, CallParent, CallSite, ResponseHead, Traceable, methods, perform};

impl<B: Body> Traceable<methods::send> for RequestBuilder<B> {
    type Traced = TracedRequestBuilder<B>;

    fn traced(self, site: CallSite) -> TracedRequestBuilder<B> {
        TracedRequestBuilder { builder: self, site }
    }
}

/// A [`RequestBuilder`] in an annotated function.
#[derive(Debug)]
pub struct TracedRequestBuilder<B> {
    builder: RequestBuilder<B>,
    site: CallSite,
}

impl<B: Body> TracedRequestBuilder<B> {
    /// [`RequestBuilder::send`] in a subsegment. It consists of the same two steps; an error of the first is no call.
    pub fn send(mut self) -> Result<Response> {
        let call = self.site.open().and_then(|parent| begin(&mut self.builder, parent));
        let mut request = self.builder.try_prepare()?;
        perform(call, || request.send(), read)
    }
}

fn begin<B>(builder: &mut RequestBuilder<B>, parent: CallParent) -> Option<Call> {
    let request = builder.inspect();
    let pending = parent.begin(request.method().as_str(), request.url().as_str());
    pending.insert_into(builder.headers_mut())
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
