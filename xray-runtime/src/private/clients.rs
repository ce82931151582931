//! Checks that the feature of a client is on. Each client has a module.
//!
//! A macro cannot read features. If an annotated function contains a path such as `ureq::get`, the expansion calls `check`
//! of the module `ureq`, which compiles only if one of the client's features is on. The modules are generated from the
//! table of clients in `xray-macros`, which has the features and the messages.

macro_rules! clients {
    ($($client:ident($features:meta, $message:literal)),* $(,)?) => {$(
        pub mod $client {
            // If the feature is off, the trait is not implemented, and this message names the feature.
            #[diagnostic::on_unimplemented(
                message = $message,
                label = "this call would go untraced",
                note = "if the path names your own module, add the option `local(..)`: #[xray::traced_http(local(..))]"
            )]
            pub trait IsTraced {}

            #[derive(Debug, Clone, Copy)]
            pub struct Client;

            #[cfg($features)]
            impl IsTraced for Client {}

            // Generic, because the compiler would check a bound without a type parameter here and not at the call.
            pub const fn check<T: IsTraced + Copy>(_: T) {}
        }
    )*};
}

xray_macros::__for_each_client! { clients }
