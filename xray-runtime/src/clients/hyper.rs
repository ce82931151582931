//! `get` of the pooled clients: hyper-util's, and that of hyper 0.14. Their `request` takes an `http::Request`, as
//! others do.

/// The two have the same signatures. What a client needs to send a request, its service says.
macro_rules! pooled {
    () => {
        use std::rc::Rc;
        use std::sync::Arc;

        use tower_service::Service;

        use crate::http::{ByReadResponse, Outgoing, CallFuture, CallSite, Traceable, methods};

        traceable!(Client<C, B>);
        traceable!(Arc<Client<C, B>>);
        traceable!(Box<Client<C, B>>);
        traceable!(Rc<Client<C, B>>);
        traceable!(&Client<C, B>);
        traceable!(&mut Client<C, B>);

        /// A client in an annotated function.
        pub struct TracedClient<'a, C, B> {
            client: &'a Client<C, B>,
            site: CallSite,
        }

        impl<'a, C, B> TracedClient<'a, C, B>
        where
            B: Default,
            &'a Client<C, B>: Service<Request<B>, Future = ResponseFuture>,
        {
            /// `Client::get` in a subsegment: the same request, and a future of the type that a traced `request` gives.
            pub fn get(self, uri: Uri) -> CallFuture<ResponseFuture, ByReadResponse> {
                let Self { mut client, site } = self;
                let mut request = Request::new(B::default());
                *request.uri_mut() = uri;
                let parent = site.open();
                let call = parent.and_then(|parent| Outgoing::<methods::request>::begin(&mut request, parent));
                CallFuture::new(client.call(request), call)
            }
        }
    };
}

/// The receiver is what the user's code has: a client, or a pointer to one.
macro_rules! traceable {
    ($receiver:ty) => {
        impl<'a, C, B> Traceable<methods::get> for &'a $receiver
        where
            B: Default,
            &'a Client<C, B>: Service<Request<B>, Future = ResponseFuture>,
        {
            type Traced = TracedClient<'a, C, B>;

            fn traced(self, site: CallSite) -> TracedClient<'a, C, B> {
                TracedClient { client: self, site }
            }
        }
    };
}

#[cfg(feature = "hyper")]
mod util {
    use http::{Request, Uri};
    use hyper_util::client::legacy::{Client, ResponseFuture};

    pooled!();
}

#[cfg(feature = "hyper-0-14")]
mod v0_14 {
    use http_0_2::{Request, Uri};
    use hyper_0_14::client::{Client, ResponseFuture};

    pooled!();
}
