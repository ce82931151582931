//! Checks that the feature of a client is on. Each client has a module.
//!
//! A macro cannot read the features of another crate. If an annotated function contains a path such as `ureq::get`, the
//! expansion calls the function `check` of the module `ureq`, and that call compiles only if one of the client's
//! features is on. The modules are generated from the table of clients in `xray-macros-core`, which lists the features
//! and the messages.

macro_rules! clients {
    ($($client:ident($features:meta, $message:literal)),* $(,)?) => {$(
        pub mod $client {
            // If the feature is off, `Client` does not implement the trait, and the compiler prints this message.
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

            // Generic, so that the compiler checks the bound at the call. Without a type parameter,
            // `where Client: IsTraced` would be checked here, and this crate would not compile.
            pub const fn check<T: IsTraced + Copy>(_: T) {}
        }
    )*};
}

xray_macros::__for_each_client! { clients }
