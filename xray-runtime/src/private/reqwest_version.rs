//! Whether the reqwest that a function names is one that this build traces.
//!
//! The macro cannot see features. For `reqwest::Client` in an annotated function its output calls
//! `client(<reqwest::Client>::builder)`, and the like for `RequestBuilder` and `Request`: a method of the
//! type itself is found before the one of [`Unrelated`], which every type has, so that a module of the user's
//! own that happens to be named `reqwest` passes.

/// Stands in for the methods of reqwest on types that have none of that name.
pub trait Unrelated: Sized {
    #[must_use]
    fn builder() -> Passes {
        Passes
    }

    fn build_split(self) -> Passes {
        Passes
    }

    fn try_clone(&self) -> Passes {
        Passes
    }
}

impl<T> Unrelated for T {}

/// The answer for a type that is not reqwest's.
#[derive(Debug)]
pub struct Passes;

/// What the methods of a traced version give.
#[diagnostic::on_unimplemented(
    message = "this version of reqwest is not traced in this build of xray",
    label = "its calls would go untraced",
    note = "reqwest 0.13 needs the feature `reqwest` of xray-sdk, 0.12 the feature `reqwest-0-12`, 0.11 `reqwest-0-11`",
    note = "if `reqwest` is a module of your own, say so: #[xray::traced_http(local(reqwest))]"
)]
pub trait Supported {}

pub const fn client<T: Supported>(_builder: fn() -> T) {}

pub const fn request_builder<B, T: Supported>(_build_split: fn(B) -> T) {}

pub const fn request<R, T: Supported>(_try_clone: fn(&R) -> T) {}

impl Supported for Passes {}

#[cfg(any(feature = "reqwest", feature = "reqwest-0-12", feature = "reqwest-0-11"))]
macro_rules! supports {
    ($reqwest:ident) => {
        impl Supported for $reqwest::ClientBuilder {}
        impl Supported for ($reqwest::Client, Result<$reqwest::Request, $reqwest::Error>) {}
        impl Supported for Option<$reqwest::Request> {}
    };
}

#[cfg(feature = "reqwest")]
supports!(reqwest);
#[cfg(feature = "reqwest-0-12")]
supports!(reqwest_0_12);
#[cfg(feature = "reqwest-0-11")]
supports!(reqwest_0_11);
