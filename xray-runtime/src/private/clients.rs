//! Whether the client that a path names is one that this build traces: one module a client.
//!
//! The macro cannot see features. For a path such as `ureq::get` in an annotated function its output calls
//! `check` of the module `ureq`, which compiles only where one of the client's features is on.

macro_rules! client {
    ($client:ident, $features:meta, $message:literal) => {
        pub mod $client {
            #[diagnostic::on_unimplemented(
                        message = $message,
                        label = "this call would go untraced",
                        note = "if the name stands for a module of your own, say so: #[xray::traced_http(local(..))]"
                    )]
            pub trait IsTraced {}

            #[derive(Debug, Clone, Copy)]
            pub struct Client;

            #[cfg($features)]
            impl IsTraced for Client {}

            pub const fn check<T: IsTraced + Copy>(_: T) {}
        }
    };
}

client!(
    reqwest,
    any(feature = "reqwest", feature = "reqwest-0-12", feature = "reqwest-0-11"),
    "calls of reqwest need the feature `reqwest` (0.13), `reqwest-0-12` or `reqwest-0-11` of xray-sdk"
);
client!(
    reqwest_blocking,
    any(feature = "reqwest-blocking", feature = "reqwest-0-12-blocking"),
    "blocking calls of reqwest need the feature `reqwest-blocking` (0.13) or `reqwest-0-12-blocking` of xray-sdk"
);
client!(
    ureq,
    any(feature = "ureq", feature = "ureq-2"),
    "calls of ureq need the feature `ureq` (3) or `ureq-2` of xray-sdk"
);
client!(isahc, feature = "isahc", "calls of isahc need the feature `isahc` of xray-sdk");
client!(attohttpc, feature = "attohttpc", "calls of attohttpc need the feature `attohttpc` of xray-sdk");
client!(awc, feature = "awc", "calls of awc need the feature `awc` of xray-sdk");
