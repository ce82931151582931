//! `get` of the clients with a pool of connections: hyper-util's and hyper 0.14's. Their `request` takes an
//! `http::Request`; see `http.rs` and `hyper_0_14.rs`.

/// Implements `Traceable<get>` for a client. Both clients have the same signatures.
// The bounds on connector and body differ between the two and are long. A client is a `Service` exactly if they hold,
// so that is the bound here.
macro_rules! pooled {
    () => {
        use std::rc::Rc;
        use std::sync::Arc;

        use tower_service::Service;

        use crate::http::{ByReadResponse, CallFuture, CallSite, Outgoing, PendingCall, Traceable, methods};

        traceable!(Client<C, B>);
        traceable!(Arc<Client<C, B>>);
        traceable!(Box<Client<C, B>>);
        traceable!(Rc<Client<C, B>>);
        traceable!(&Client<C, B>);
        traceable!(&mut Client<C, B>);

        /// The traced twin of a client.
        #[derive(Debug)]
        pub struct TracedClient<'a, C, B> {
            client: &'a Client<C, B>,
            site: CallSite,
        }

        impl<'a, C, B> TracedClient<'a, C, B>
        where
            B: Default,
            &'a Client<C, B>: Service<Request<B>, Future = ResponseFuture>,
        {
            /// Makes the request of `Client::get` in a subsegment.
            // The future has the same type as that of a traced `request`, so the arms of an `if` may call either
            // method.
            pub fn get(self, uri: Uri) -> CallFuture<ResponseFuture, ByReadResponse> {
                let Self { mut client, site } = self;
                let mut request = Request::new(B::default());
                *request.uri_mut() = uri;
                let parent = site.parent();
                let call = parent.and_then(|parent| Outgoing::<methods::request>::begin(&mut request, parent));
                CallFuture::new(client.call(request), call.and_then(PendingCall::into_call), ByReadResponse)
            }
        }
    };
}

/// Implements `Traceable` for a receiver that a user's code may have: a client, or a pointer to one.
// The compiler does not follow `Deref` when it looks for an implementation of a trait.
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
