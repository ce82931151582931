//! Items used by macro-generated code. Not public API; may change in any release.
//!
//! # What an expansion contains
//!
//! ```text
//! __XRAY_CALL_SITES: CallSites        the annotated function, and the options of its attribute
//! (&__XRAY_CALL_SITES, line!())       one call in that function
//! send::receiver(value, site)         the type test of a value:    send::receiver(client.get(url), ..).__xray_traced().send()
//! place.__xray_dispatch(site)         the type test of a place:    match { request.__xray_dispatch(..) } { .. }
//! client::Client(&client)             the type test of a client:   match client::Client(&client) { .. }
//! functions::Callee::of(&function)    the type test of a function: (match reqwest::get { .. })(url)
//! send::callee(&function)             the type test of a method that is named by its path
//! argument::inspect(request, ..)      begins the call if an argument is the request: `argument`
//! execute::settle(&types)             determines the types of such a call, in code that never runs: `settle`
//! traced::FunctionSubsegment          the subsegment of `#[traced]`
//! ```
//!
//! `DESIGN.md` explains each shape with its input and output.
//!
//! # How types select the expansion
//!
//! Whether `x.send()` is an HTTP call depends on the type of `x`. A macro sees only syntax, so its output contains a
//! *type test*: a method call that the compiler resolves differently for different types. The technique is known as
//! *autoref dispatch*. At each step of method lookup, these rules apply:
//!
//! 1. The compiler tries methods that take the receiver by value, then by shared reference, then by mutable reference.
//! 2. Among methods that take the receiver in the same way, inherent methods take precedence over trait methods.
//! 3. A method is not considered if the type does not meet the bounds of its `impl`.
//!
//! If no method applies, the compiler dereferences the receiver and goes on to the next step.
//!
//! So a type test is a method name with several implementations, which have different return types. One implementation
//! is for types with a trait such as [`Traceable`]. The last one in the order of lookup is the *fallback*: it has no
//! bounds and applies to every other type. The compiler selects the implementation, so the test has no cost at run
//! time. A type test in its shortest form:
//!
//! ```
//! use std::marker::PhantomData;
//!
//! trait Traceable {}
//! impl Traceable for u8 {}
//!
//! /// The receiver of the test.
//! struct Test<T>(PhantomData<T>);
//!
//! // Rule 2: an inherent method comes first. Rule 3: but only for a traceable type.
//! impl<T: Traceable> Test<T> {
//!     fn kind(&self) -> &'static str {
//!         "traceable"
//!     }
//! }
//!
//! /// The fallback.
//! trait Unknown {
//!     fn kind(&self) -> &'static str {
//!         "unknown"
//!     }
//! }
//!
//! impl<T> Unknown for Test<T> {}
//!
//! assert_eq!(Test::<u8>(PhantomData).kind(), "traceable");
//! assert_eq!(Test::<String>(PhantomData).kind(), "unknown");
//! ```
//!
//! The methods of the tests have names that begin with `__xray_`, so that they differ from the methods of a user's
//! trait that is implemented for every type (`tests/it/shapes/scopes.rs::below_blanket_traits`). Each method name in
//! the table of `xray-macros-core`, such as `send`, has its own module here. So a type that is traceable for one method
//! is left unchanged when another method is called.
//!
//! Type tests have three forms. They differ in the receiver of the test:
//!
//! * *A value of this crate* that is generic over the type, as in the example. The value holds the user's value, or
//!   nothing. The implementations are an inherent method with a bound, and a trait method without bounds that takes
//!   `&self`. Between them there may be a third: a trait method that takes `self`. The modules [`receiver`], [`client`]
//!   and [`functions`] and the types [`ResultOf`](argument::ResultOf) and [`Argument`](settle::Argument) have this
//!   form.
//! * *The user's place*, such as the variable `request`. The trait `TraceablePlace` takes `self`, the trait
//!   `UnknownPlace` takes `&self`; each method module defines both. The place must be the receiver of the test: in any
//!   other position, an enclosing closure would capture more than before.
//! * *A ladder*: a value behind several references, `(&&&&Value(..)).method()`. It allows any number of
//!   implementations. Each implementation is a *rung*: a trait that is implemented for one reference fewer than the
//!   previous rung. Lookup starts at the outermost reference, where only the first rung can apply, and removes one
//!   reference for each rung that does not apply: [`error`], [`CallResult`](settle::CallResult).
//!
//! Every type test must be in the expansion and not in a generic function of this crate. In a generic function only the
//! declared bounds of `T` are known, so the compiler would always select the fallback. This is also why there are two
//! ladders for errors. In [`error`], the expansion has the error itself, and the ladder records it immediately. In
//! [`settle`], the error may not exist yet, because the result may be a future. So the ladder only selects a type that
//! implements `Reader`. The future carries that type, and reads its output with it.
//!
//! A type test on a type that the compiler has not inferred yet selects the first implementation, and its bounds then
//! determine the type. The type of a receiver is always inferred where a method is called on it. That of an argument or
//! a result may be open, so its test is in code that the compiler checks last: [`settle`].

use std::any::type_name;
pub use std::marker::PhantomData;

pub use self::methods::*;
use crate::http::CallSite;
#[cfg(doc)]
use crate::http::Traceable;
pub use crate::http::function::LeftAlone;
pub use crate::http::site::{Annotations, CallSites};
pub use crate::live::context::in_current_trace;
use crate::live::instrument::{Instrument as _, Instrumented};

pub mod annotation;
pub mod argument;
#[cfg(feature = "aws-sdk")]
pub mod aws_sdk;
pub mod client;
pub mod clients;
pub mod error;
pub mod functions;
mod methods;
pub mod receiver;
pub mod reqwest_version;
pub mod settle;
pub mod traced;

/// The traits of the type tests. An annotated function imports all of them, because method lookup considers only traits
/// in scope. They are imported as `_`, so they cannot shadow the user's names.
pub mod traits {
    pub use super::argument::IsValue as _;
    #[cfg(feature = "aws-sdk")]
    pub use super::aws_sdk::{Customizable as _, Customized as _, NotCustomized as _, Uncustomizable as _};
    pub use super::client::UnknownClient as _;
    pub use super::functions::{BlockingFunction as _, UnknownFunction as _};
    pub use super::receiver::{UnknownMethodPath as _, UnknownReceiver as _};
    pub use super::settle::{
        IsAnything as _, IsBoxedError as _, IsNamedFuture as _, IsOpaqueError as _, IsResponse as _,
        IsStatusError as _, IsUnit as _, UnknownArgument as _, UnknownArgumentBesideRequest as _,
    };
}

/// Returns a future that runs in the current trace, for `tokio::spawn` and the like.
///
/// The expansion calls this free function and not the method
/// [`Instrument::in_current_trace`](crate::instrument::Instrument), because the trait may not be in scope at the call.
pub fn future_in_current_trace<F: Future>(future: F) -> Instrumented<F> {
    future.in_current_trace()
}

/// The result of testing the type of a place or a client.
///
/// The test returns a `Dispatch<Twin<_>, UnreachableUntraced>` if the type is traceable, and a
/// `Dispatch<UnreachableTwin, Untraced>` otherwise. The expansion has an arm for each variant:
///
/// ```text
/// match test {
///     Dispatch::Traced(twin) => twin.reached().send(),
///     Dispatch::Untraced(untraced) => untraced.reached().pass(request.send()),
/// }
/// ```
///
/// The arm that never runs has a value of an uninhabited type, `UnreachableTwin` or `UnreachableUntraced`. There
/// `reached()` would return a value of that type, so the compiler knows that it never returns. The code after it is
/// unreachable, and the borrow checker ignores its moves and borrows. So the second arm may name `request`, although
/// the test has moved it if its type is traceable.
#[derive(Debug)]
pub enum Dispatch<T, U> {
    Traced(T),
    Untraced(U),
}

/// The uninhabited stand-in for [`Untraced`] if the type is traceable.
#[derive(Debug)]
pub enum UnreachableUntraced {}

impl<T> Dispatch<Twin<T>, UnreachableUntraced> {
    fn traced(twin: T) -> Self {
        Self::Traced(Twin(twin))
    }
}

impl<T> Dispatch<T, Untraced> {
    fn untraced<Place: ?Sized>(site: CallSite) -> Self {
        site.note_unknown(type_name::<Place>());
        Self::Untraced(Untraced)
    }
}

/// Contains the traced twin of a value of a traceable type.
#[derive(Debug)]
pub struct Twin<T>(T);

impl<T> Twin<T> {
    #[must_use]
    pub fn reached(self) -> T {
        self.0
    }
}

/// The result for a place or client whose type is not traceable.
#[derive(Debug)]
pub struct Untraced;

impl Untraced {
    #[must_use]
    pub fn reached(self) -> Self {
        self
    }

    /// Returns the result of the user's call unchanged.
    pub fn pass<T>(self, result: T) -> T {
        result
    }
}

// The methods of `UnreachableUntraced` are not `#[must_use]`, because the lint would be reported on the user's
// statement.
#[expect(clippy::must_use_candidate, clippy::return_self_not_must_use, reason = "the methods never return")]
impl UnreachableUntraced {
    pub fn reached(self) -> Self {
        self
    }

    /// Gives the unreachable arm the type of the other arm, `R`. `R` differs from `T` if the twin's method returns
    /// another type than the user's method, such as a traced future.
    pub fn pass<T, R>(self, _result: T) -> R {
        match self {}
    }
}

/// The uninhabited stand-in for [`Twin`] if the type is not traceable, for calls without arguments.
///
/// It has a method for each method of the table that may be called on a place without arguments. These methods are
/// generic in their result, so the unreachable arm has the type of the other arm. `methods.rs` defines them.
#[derive(Debug)]
pub enum UnreachableTwin {}

#[expect(clippy::must_use_candidate, clippy::return_self_not_must_use, reason = "the method never returns")]
impl UnreachableTwin {
    pub fn reached(self) -> Self {
        self
    }
}

/// Like [`UnreachableTwin`], for calls with one argument. The methods are generic in their argument too.
#[derive(Debug)]
pub enum UnreachableTwinWith {}

#[expect(clippy::must_use_candidate, clippy::return_self_not_must_use, reason = "the method never returns")]
impl UnreachableTwinWith {
    pub fn reached(self) -> Self {
        self
    }
}
