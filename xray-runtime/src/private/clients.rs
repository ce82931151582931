//! Whether the build traces the client that a path names: a module for each client.
//!
//! The macro cannot see features. For a path such as `ureq::get` in an annotated function its output calls `check` of
//! the module `ureq`, which compiles only if one of the client's features is on. The clients, their features and the
//! messages stand once, in the macro crate's table of calls.

macro_rules! clients {
    ($($client:ident($features:meta, $message:literal)),* $(,)?) => {$(
        pub mod $client {
            // The trait exists to be unimplemented: its error names the feature.
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

            // Generic, because a bound without a type parameter would be checked here and not at the call.
            pub const fn check<T: IsTraced + Copy>(_: T) {}
        }
    )*};
}

xray_macros::__for_each_client! { clients }
