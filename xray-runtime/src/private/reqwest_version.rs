//! Whether the build traces the version of reqwest whose types a function names.
//!
//! The macro cannot see features or versions. For `reqwest::Client` in an annotated function its output calls
//! `client(<reqwest::Client>::builder)`, and similar checks for `RequestBuilder` and `Request`. The path `builder`
//! names the inherent function of reqwest's type, whose result type says which version it is. Another type has the one
//! of the trait [`Unrelated`], whose result always passes: a module of the user's own may be named `reqwest`.
//! `tests/crates.rs::reqwest_0_12_without_its_feature_is_an_error`, `a_module_that_is_named_reqwest_is_left_alone`

/// Provides methods with the names of reqwest's for types that have none.
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

/// The result of those methods, which passes every check.
#[derive(Debug)]
pub struct Passes;

/// The results of the methods in a version that is traced.
#[diagnostic::on_unimplemented(
    message = "this version of reqwest is not traced in this build of xray",
    label = "its calls would go untraced",
    note = "reqwest 0.13 needs the feature `reqwest` of xray-sdk, 0.12 the feature `reqwest-0-12`, 0.11 `reqwest-0-11`",
    note = "if `reqwest` is a module of your own, say so: #[xray::traced_http(local(reqwest))]"
)]
pub trait Supported {}

// The checks take functions and never call them: naming a method settles the type of its result.
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
