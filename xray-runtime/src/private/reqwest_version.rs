//! Checks that the build traces the version of reqwest whose types a function names.
//!
//! A macro cannot read features or versions. For the path `reqwest::Client` in an annotated function, the expansion
//! calls `client(<reqwest::Client>::builder)`, and that call compiles only for a version that the build traces:
//!
//! * `builder` is an inherent function of reqwest's `Client`. Its result type belongs to one version of reqwest, and
//!   implements [`Supported`] if the feature of that version is on.
//! * A user's own module may be named `reqwest` too. For a type `Client` in it, `builder` is the function of the trait
//!   [`Unrelated`], whose result type passes every check.
//!
//! `RequestBuilder` and `Request` are checked in the same way, by their methods `build_split` and `try_clone`.
//! Tests: `tests/crates.rs::reqwest_0_12_without_its_feature_is_an_error`,
//! `a_module_that_is_named_reqwest_is_left_alone`.

/// Gives every type functions with the names of reqwest's functions. reqwest's own, inherent functions take precedence.
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

/// The result of the methods of [`Unrelated`]. It passes every check.
#[derive(Debug)]
pub struct Passes;

/// Implemented for the result types of reqwest's functions, in each version that the build traces.
#[diagnostic::on_unimplemented(
    message = "this version of reqwest is not traced in this build of xray",
    label = "its calls would go untraced",
    note = "reqwest 0.13 needs the feature `reqwest` of xray-sdk, 0.12 the feature `reqwest-0-12`, 0.11 `reqwest-0-11`",
    note = "if `reqwest` is your own module, add the option `local(reqwest)`: #[xray::traced_http(local(reqwest))]"
)]
pub trait Supported {}

// The checks take a function and do not call it: the type of a function contains the type of its result.
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
