//! Items used by macro-generated code. Not public API; may change in any release.
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
//! So a type test is a method name with several implementations, which have different return types. One implementation is
//! for types with a trait such as [`Traceable`]. The last one in the order of lookup is the *fallback*: it has no bounds
//! and applies to every other type. The compiler selects the implementation, so the test has no cost at run time.
//!
//! The names of the methods begin with `__xray_`, because a user's trait may implement a method of any other name for every
//! type (`tests/it/shapes/scopes.rs::below_blanket_traits`). Each method name in the table of `xray-macros`, such as
//! `send`, has its own module here. So a type that is traceable for one method is left unchanged when another is called.
//!
//! Type tests have three forms. They differ in the receiver of the test:
//!
//! * *A zero-sized value* that is generic over the type. The implementations are an inherent method with a bound, and a
//!   trait method without bounds. This form allows two implementations, sometimes three: [`probe`], [`client`],
//!   [`functions`], [`Outcome`](outcome::Outcome).
//! * *The user's place*, such as the variable `request`. The trait `Take` takes `self`, the trait `Peek` takes `&self`;
//!   each method module defines both. The place must be the receiver of the test: in any other position, an enclosing
//!   closure would capture more than before.
//! * *A ladder*: a value behind several references, `(&&&&Value(..)).method()`. It allows any number of implementations.
//!   Each implementation is a *rung*: a trait that is implemented for one reference fewer than the previous rung. Lookup
//!   starts at the outermost reference, where only the first rung can apply, and removes one reference for each rung that
//!   does not apply: [`error`], [`When`](outcome::When).
//!
//! Every type test must be in the expansion and not in a generic function of this crate. In a generic function only the
//! declared bounds of `T` are known, so the compiler would always select the fallback. This is also why there are two
//! ladders for errors. [`error`] has the error value and records it immediately. [`outcome`] has only a type, because the
//! result may be a future. It selects a `Reader` type, which the future carries until it completes.

use std::any::type_name;

pub use self::methods::*;
use self::outcome::Slot;
use crate::http::CallSite;
#[cfg(doc)]
use crate::http::Traceable;
pub use crate::http::site::{Annotations, FunctionSite};
pub use crate::live::context::in_current_trace;
use crate::live::instrument::{Instrument as _, Instrumented};

pub mod annotation;
pub mod client;
pub mod clients;
pub mod error;
pub mod functions;
mod methods;
pub mod outcome;
pub mod probe;
pub mod reqwest_version;
pub mod traced;

/// The traits of the type tests. An annotated function imports all of them, because method lookup considers only traits in
/// scope. They are imported as `_`, so they cannot shadow the user's names.
pub mod traits {
    pub use super::client::UnknownClient as _;
    pub use super::functions::{BlockingFunction as _, UnknownFunction as _};
    pub use super::outcome::{
        IsAnything as _, IsBoxedError as _, IsLater as _, IsNow as _, IsOpaqueError as _, IsResponse as _,
        IsStatusError as _,
    };
    pub use super::probe::{UnknownArgument as _, UnknownReceiver as _};
}

/// Passes an argument to `enter` and returns it.
///
/// The expansion passes `enter` as a closure, because the compiler type-checks closures after all other arguments. By then
/// `T` is inferred from the parameter of the user's call.
pub fn inspect<T, S>(
    mut argument: T,
    slot: &mut Slot<S>,
    site: CallSite,
    enter: fn(&mut T, &mut Slot<S>, CallSite),
) -> T {
    enter(&mut argument, slot, site);
    argument
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
/// It is a `Dispatch<Twin<_>, UnreachableUntraced>` if the type is traceable, and a `Dispatch<UnreachableTwin, Untraced>`
/// otherwise. The expansion has an arm for each variant:
///
/// ```text
/// match test {
///     Dispatch::Traced(twin) => twin.reached().send(),
///     Dispatch::Untraced(untraced) => untraced.reached().pass(request.send()),
/// }
/// ```
///
/// In one arm the value has an uninhabited type, `UnreachableTwin` or `UnreachableUntraced`. `reached()` returns `Self`, so
/// on an uninhabited type it never returns. The code after it is unreachable, and the borrow checker ignores its moves and
/// borrows. So the second arm can use `request`, although the test of a traceable type has moved it.
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

impl Dispatch<UnreachableTwin, Untraced> {
    fn untraced<T: ?Sized>(site: CallSite) -> Self {
        site.note_unknown(type_name::<T>());
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

/// Marks a place or client whose type is not traceable.
#[derive(Debug)]
pub struct Untraced;

impl Untraced {
    #[must_use]
    pub fn reached(self) -> Self {
        self
    }

    /// Returns the result of the user's call.
    pub fn pass<T>(self, result: T) -> T {
        result
    }
}

// The methods of `UnreachableUntraced` are not `#[must_use]`, because the lint would be reported on the user's statement.
#[expect(clippy::must_use_candidate, clippy::return_self_not_must_use, reason = "the methods never return")]
impl UnreachableUntraced {
    pub fn reached(self) -> Self {
        self
    }

    /// Coerces the unreachable arm to the type of the other arm. `R` is independent of `T`, because the method of the twin
    /// may return another type, such as a traced future.
    pub fn pass<T, R>(self, _result: T) -> R {
        match self {}
    }
}

/// The uninhabited stand-in for [`Twin`] if the type is not traceable.
///
/// It has each method of the table that is called on a place or a client. Each method is generic in its argument and its
/// result, so the unreachable arm accepts any argument and has the type of the other arm. `methods.rs` defines the methods
/// from the table.
#[derive(Debug)]
pub enum UnreachableTwin {}

#[expect(clippy::must_use_candidate, clippy::return_self_not_must_use, reason = "the method never returns")]
impl UnreachableTwin {
    pub fn reached(self) -> Self {
        self
    }
}
