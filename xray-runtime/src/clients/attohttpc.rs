//! attohttpc: `RequestBuilder::send`.

use attohttpc::body::Body;
use attohttpc::{RequestBuilder, Response, Result};

use crate::http::{Call, CallParent, CallSite, PendingCall, ResponseHead, Traceable, methods};

impl<B: Body> Traceable<methods::send> for RequestBuilder<B> {
    type Traced = TracedRequestBuilder<B>;

    fn traced(self, site: CallSite) -> TracedRequestBuilder<B> {
        TracedRequestBuilder { builder: self, site }
    }
}

/// The traced twin of a [`RequestBuilder`].
#[derive(Debug)]
pub struct TracedRequestBuilder<B> {
    builder: RequestBuilder<B>,
    site: CallSite,
}

impl<B: Body> TracedRequestBuilder<B> {
    /// Calls [`RequestBuilder::send`] in a subsegment.
    pub fn send(mut self) -> Result<Response> {
        let call = self.site.parent().map(|parent| begin(&mut self.builder, parent));
        // `RequestBuilder::send` consists of these two steps. An error of the first step is returned before
        // anything is sent, and the pending call is dropped without being recorded.
        let mut request = self.builder.try_prepare()?;
        call.unwrap_or_default().run(|| request.send(), read)
    }
}

fn begin<B>(builder: &mut RequestBuilder<B>, parent: CallParent) -> PendingCall {
    let request = builder.inspect();
    parent.begin(request.method(), request.url().as_str()).inject(builder.headers_mut())
}

fn read(result: &Result<Response>, call: &mut Call) {
    match result {
        Ok(response) => {
            let head = ResponseHead::new(response.status().as_u16(), None);
            call.response_head(&head.with_headers(response.headers()).with_url(response.url().as_str()));
        }
        Err(error) => call.error(error),
    }
}
