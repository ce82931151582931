//! reqwest, async: `RequestBuilder::send`, `Client::execute`.

/// Versions 0.12 and 0.13 have the same signatures, and types that have nothing in common.
macro_rules! adapter {
    ($reqwest:ident) => {
        use http::header::CONTENT_LENGTH;
        use $reqwest::{Error, Request, RequestBuilder, Response};

        use crate::http::{Adapter, Answer, Call, Opening, Outgoing, Site, Started, Traceable, Traced, methods};

        impl Traceable<methods::send> for RequestBuilder {
            type Traced = TracedRequestBuilder;

            fn traced(self, site: &'static Site) -> TracedRequestBuilder {
                TracedRequestBuilder { builder: self, site }
            }
        }

        /// A [`RequestBuilder`] in an annotated function.
        #[derive(Debug)]
        pub struct TracedRequestBuilder {
            builder: RequestBuilder,
            site: &'static Site,
        }

        impl TracedRequestBuilder {
            /// [`RequestBuilder::send`] in a subsegment.
            pub fn send(self) -> Traced<impl Future<Output = Result<Response, Error>>, RequestBuilder> {
                Traced::new(self.builder, self.site, Adapter { start, read: Answer::read })
            }
        }

        fn start(
            builder: RequestBuilder,
            opening: Option<Opening>,
        ) -> Started<impl Future<Output = Result<Response, Error>>> {
            let Some(opening) = opening else { return Started::new(builder.send(), None) };
            let (client, request) = builder.build_split();
            let mut request = match request {
                Ok(request) => request,
                Err(error) => return Started::refused(Err(error)),
            };
            let call = Outgoing::<methods::execute>::begin(&mut request, opening);
            Started::new(RequestBuilder::from_parts(client, request).send(), call)
        }

        impl Outgoing<methods::execute> for Request {
            fn begin(&mut self, opening: Opening) -> Option<Call> {
                opening.begin(self.method().as_str(), self.url().as_str()).insert_into(self.headers_mut())
            }
        }

        impl Answer for Result<Response, Error> {
            fn read(&self, call: &mut Call) {
                match self {
                    Ok(response) => {
                        let header = response.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
                        let length = header.and_then(|value| value.parse().ok()).or_else(|| response.content_length());
                        call.response(response.status().as_u16(), length);
                    }
                    Err(error) => call.error(error),
                }
            }
        }
    };
}

#[cfg(feature = "reqwest")]
mod v0_13 {
    adapter!(reqwest);
}

#[cfg(feature = "reqwest-0-12")]
mod v0_12 {
    adapter!(reqwest_0_12);
}
