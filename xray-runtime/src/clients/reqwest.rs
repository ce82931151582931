//! reqwest: `RequestBuilder::send`, `Client::execute`, `get`, each asynchronous or blocking.

/// The versions have the same signatures, and types that have nothing in common. `$insert` puts the header in.
macro_rules! asynchronous {
    ($reqwest:ident, $insert:path) => {
        use tower_service::Service;
        use $reqwest::{Client, Error, IntoUrl, Request, RequestBuilder, Response};

        use crate::http::{ReadResponse, Call, FetchedLater, CallParent, Outgoing, ResponseHead, CallSite, Start, Sent, Traceable, DeferredCall, methods};

        /// What `RequestBuilder::send` gives too; only here it has a name.
        type Pending = <Client as Service<Request>>::Future;

        impl Traceable<methods::send> for RequestBuilder {
            type Traced = TracedRequestBuilder;

            fn traced(self, site: CallSite) -> TracedRequestBuilder {
                TracedRequestBuilder { builder: self, site }
            }
        }

        /// A [`RequestBuilder`] in an annotated function.
        #[derive(Debug)]
        pub struct TracedRequestBuilder {
            builder: RequestBuilder,
            site: CallSite,
        }

        impl TracedRequestBuilder {
            /// [`RequestBuilder::send`] in a subsegment.
            pub fn send(self) -> DeferredCall<Pending, impl Start<Pending>> {
                let Self { builder, site } = self;
                DeferredCall::new(site, move |parent| start(builder, parent), ReadResponse::read)
            }
        }

        /// [`RequestBuilder::send`] consists of the same two steps.
        fn start(builder: RequestBuilder, parent: Option<CallParent>) -> Sent<Pending> {
            let (client, request) = builder.build_split();
            match request {
                Ok(mut request) => {
                    let call = parent.and_then(|parent| Outgoing::<methods::execute>::begin(&mut request, parent));
                    Sent::new((&client).call(request), call)
                }
                Err(error) => Sent::refused(Err(error)),
            }
        }

        super::outgoing!(methods: [any, call, execute, oneshot], Request, $insert);
        super::answer!(Response);

        /// `get` makes a client for each request.
        impl<T: IntoUrl> FetchedLater<T> for Result<Response, Error> {
            const CRATE: &str = "reqwest";
            type Future = Pending;

            fn fetch(url: T, parent: CallParent) -> Sent<Pending> {
                match Client::builder().build() {
                    Ok(client) => start(client.get(url), Some(parent)),
                    Err(error) => Sent::refused(Err(error)),
                }
            }
        }
    };
}

#[cfg(any(feature = "reqwest-blocking", feature = "reqwest-0-12-blocking"))]
macro_rules! blocking {
    ($reqwest:ident) => {
        use $reqwest::blocking::{Client, Request, RequestBuilder, Response};
        use $reqwest::{Error, IntoUrl};

        use crate::http::{ReadResponse, PendingCall, Call, FetchedNow, CallParent, Outgoing, ResponseHead, CallSite, Traceable, methods, perform};

        impl Traceable<methods::send> for RequestBuilder {
            type Traced = TracedRequestBuilder;

            fn traced(self, site: CallSite) -> TracedRequestBuilder {
                TracedRequestBuilder { builder: self, site }
            }
        }

        /// A [`RequestBuilder`] in an annotated function.
        #[derive(Debug)]
        pub struct TracedRequestBuilder {
            builder: RequestBuilder,
            site: CallSite,
        }

        impl TracedRequestBuilder {
            /// [`RequestBuilder::send`] in a subsegment.
            pub fn send(self) -> Result<Response, Error> {
                match self.site.open() {
                    Some(parent) => send(self.builder, parent),
                    None => self.builder.send(),
                }
            }
        }

        fn send(builder: RequestBuilder, parent: CallParent) -> Result<Response, Error> {
            let (client, request) = builder.build_split();
            let mut request = request?;
            let call = Outgoing::<methods::execute>::begin(&mut request, parent);
            perform(call, || client.execute(request), ReadResponse::read)
        }

        super::outgoing!(methods: [any, execute], Request, PendingCall::insert_into);
        super::answer!(Response);

        /// `get` makes a client for each request.
        impl<T: IntoUrl> FetchedNow<T> for Result<Response, Error> {
            const CRATE: &str = "reqwest";

            fn fetch(url: T, parent: CallParent) -> Self {
                send(Client::builder().build()?.get(url), parent)
            }
        }
    };
}

/// A request by itself, as `execute` takes it.
macro_rules! outgoing {
    (methods: [$($method:ident),*], $request:ty, $insert:path) => {$(
        impl Outgoing<methods::$method> for $request {
            fn begin(&mut self, parent: CallParent) -> Option<Call> {
                $insert(parent.begin(self.method().as_str(), self.url().as_str()), self.headers_mut())
            }
        }
    )*};
}

/// A response.
macro_rules! answer {
    ($response:ty) => {
        impl ReadResponse for $response {
            fn read(&self, call: &mut Call) {
                let head = ResponseHead::new(self.status().as_u16(), self.content_length());
                call.response_head(&head.with_headers(self.headers()).with_url(self.url().as_str()));
            }
        }
    };
}

use {answer, outgoing};

#[cfg(feature = "reqwest")]
mod v0_13 {
    asynchronous!(reqwest, crate::http::PendingCall::insert_into);
}

#[cfg(feature = "reqwest-0-12")]
mod v0_12 {
    asynchronous!(reqwest_0_12, crate::http::PendingCall::insert_into);
}

#[cfg(feature = "reqwest-0-11")]
mod v0_11 {
    asynchronous!(reqwest_0_11, crate::clients::http_0_2::insert_into);
}

#[cfg(feature = "reqwest-blocking")]
mod v0_13_blocking {
    blocking!(reqwest);
}

#[cfg(feature = "reqwest-0-12-blocking")]
mod v0_12_blocking {
    blocking!(reqwest_0_12);
}
