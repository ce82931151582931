//! reqwest: `RequestBuilder::send`, `Client::execute`, `get`, each asynchronous or blocking.

/// Implements the asynchronous API of one version of reqwest.
// A macro, because the versions have the same signatures, but their types are unrelated.
macro_rules! asynchronous {
    ($reqwest:ident) => {
        use tower_service::Service;
        use $reqwest::{Client, Error, IntoUrl, Request, RequestBuilder, Response};

        use crate::http::{
            Call, CallParent, CallSite, DeferredCall, AsyncFetch, Outgoing, PendingCall, ReadResponse, ResponseHead, Sent,
            Start, Traceable, methods,
        };

        /// The future that `RequestBuilder::send` returns. reqwest does not export its name, but it is this type too.
        type Pending = <Client as Service<Request>>::Future;

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
            pub fn send(self) -> DeferredCall<Pending, StartRequest> {
                let Self { builder, site } = self;
                DeferredCall::with_start(site, StartRequest(builder), ReadResponse::read)
            }
        }

        /// The request of a call that has not started.
        #[derive(Debug)]
        pub struct StartRequest(RequestBuilder);

        impl Start<Pending> for StartRequest {
            fn start(self, parent: Option<CallParent>) -> Sent<Pending> {
                start(self.0, parent)
            }
        }

        // `RequestBuilder::send` consists of these two steps. After the first step, the URL and the headers of the
        // request can be read. The builder shows neither.
        //
        // The header stays in a request that reqwest sends again after a redirect, even to another host. The runtime
        // does not see that request, and reqwest removes only headers that hold credentials.
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

        super::outgoing!(methods: [any, call, execute, oneshot], Request);
        super::response!(Response);

        // `reqwest::get` makes a client for each request and drops it, so the traced call does too: a client that is
        // kept would keep connections open.
        impl<T: IntoUrl> AsyncFetch<T> for Result<Response, Error> {
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

/// Implements the blocking API of one version of reqwest.
#[cfg(any(feature = "reqwest-blocking", feature = "reqwest-0-12-blocking"))]
macro_rules! blocking {
    ($reqwest:ident) => {
        use $reqwest::blocking::{Client, Request, RequestBuilder, Response};
        use $reqwest::{Error, IntoUrl};

        use crate::http::{
            Call, CallParent, CallSite, BlockingFetch, Outgoing, PendingCall, ReadResponse, ResponseHead, Traceable, methods,
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
            pub fn send(self) -> Result<Response, Error> {
                match self.site.parent() {
                    Some(parent) => send(self.builder, parent),
                    None => self.builder.send(),
                }
            }
        }

        fn send(builder: RequestBuilder, parent: CallParent) -> Result<Response, Error> {
            let (client, request) = builder.build_split();
            let mut request = request?;
            let call = Outgoing::<methods::execute>::begin(&mut request, parent).unwrap_or_default();
            call.run(|| client.execute(request), ReadResponse::read)
        }

        super::outgoing!(methods: [any, execute], Request);
        super::response!(Response);

        // Makes a client for each request, as `reqwest::blocking::get` does.
        impl<T: IntoUrl> BlockingFetch<T> for Result<Response, Error> {
            const CRATE: &str = "reqwest";

            fn fetch(url: T, parent: CallParent) -> Self {
                send(Client::builder().build()?.get(url), parent)
            }
        }
    };
}

/// Implements `Outgoing` for a request that is built already, as `execute` takes it.
macro_rules! outgoing {
    (methods: [$($method:ident),*], $request:ty) => {$(
        impl Outgoing<methods::$method> for $request {
            fn begin(&mut self, parent: CallParent) -> Option<PendingCall> {
                Some(parent.begin(self.method(), self.url().as_str()).inject(self.headers_mut()))
            }
        }
    )*};
}

/// Implements `ReadResponse` for a response.
macro_rules! response {
    ($response:ty) => {
        impl ReadResponse for $response {
            fn read(&self, call: &mut Call) {
                let head = ResponseHead::new(self.status().as_u16(), self.content_length());
                call.response_head(&head.with_headers(self.headers()).with_url(self.url().as_str()));
            }
        }
    };
}

use {outgoing, response};

#[cfg(feature = "reqwest")]
mod v0_13 {
    asynchronous!(reqwest);
}

#[cfg(feature = "reqwest-0-12")]
mod v0_12 {
    asynchronous!(reqwest_0_12);
}

#[cfg(feature = "reqwest-0-11")]
mod v0_11 {
    asynchronous!(reqwest_0_11);
}

#[cfg(feature = "reqwest-blocking")]
mod v0_13_blocking {
    blocking!(reqwest);
}

#[cfg(feature = "reqwest-0-12-blocking")]
mod v0_12_blocking {
    blocking!(reqwest_0_12);
}
