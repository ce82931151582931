//! Everything that the output of the attributes may name. Nothing here is for people: it may change in any release.
//!
//! # How the type of a call decides
//!
//! Whether `x.send()` is an HTTP call depends on the type of `x`. A macro sees syntax only, so its output makes the
//! compiler decide, by the order in which it looks up a method. This is known as *autoref dispatch*. At each step of
//! the lookup
//!
//! 1. methods that take the receiver's own type come first, then those that take `&` of it, then those that take
//!    `&mut`;
//! 2. among them, inherent methods come before those of traits;
//! 3. a method whose `impl` has a bound that the type does not meet is not a candidate at all.
//!
//! If no method fits, the receiver is dereferenced, and the lookup goes on with the next step.
//!
//! So a question is a method name, and its answers are several methods of that name with different result types: one
//! for the types of which something is known, and one for every other type, which is found later. The last answer
//! always fits. The compiler knows the types when it looks, so that the answer costs nothing at run time.
//!
//! All names begin with `__xray_`, because a user's trait may give every type a method of any other name
//! (`tests/shapes/scopes.rs::below_blanket_traits`). There is a module for each method of the table, so that a type
//! which is known by one method is left alone by another.
//!
//! The questions have three forms:
//!
//! * *A value without data* that has the type as a parameter. One answer is an inherent method with a bound, the other
//!   a trait's method without one. This form does for two answers, sometimes three: [`probe`], [`client`],
//!   [`functions`], [`Outcome`](answer::Outcome).
//! * *The user's place itself*. `Take` answers by value, `Peek` by reference; both are in the modules of the methods.
//!   Only if the place is the receiver of a method call does a closure around it capture what it captured before.
//! * *A ladder*, for any number of answers: `(&&&&Question(..)).method()`. Each answer is a trait, a rung, which is
//!   implemented for one reference fewer than the rung before. The lookup starts at the outermost reference, where only
//!   the first rung can fit, and takes off one reference for each rung that does not: [`error`],
//!   [`When`](answer::When).
//!
//! Every question must be asked by the output of the macro, at the call, and never in a generic function of this crate.
//! In a generic function `T` stands for every type: no bound is met but those that are written, and the last answer is
//! chosen for all types. That is also why the two ladders ask about errors separately. [`error`] has a value, and
//! records it at once. `answer` has a type only, because the result may still be a future; its rung is a type that the
//! future carries, and what reads the output later is generic and could not ask again.

use std::any::type_name;

use self::answer::Slot;
pub use self::methods::*;
use crate::http::CallSite;
#[cfg(doc)]
use crate::http::Traceable;
pub use crate::http::site::{Annotations, FunctionSite};
pub use crate::live::context::in_current_trace;
use crate::live::instrument::{Instrument as _, Instrumented};

pub mod annotation;
pub mod answer;
pub mod client;
pub mod clients;
pub mod error;
pub mod functions;
mod methods;
pub mod probe;
pub mod reqwest_version;
pub mod traced;

/// The traits whose methods answer the questions. An annotated function imports all of them: a trait's method is found
/// only if the trait is in scope. They have no names there, so that they hide none of the user's.
pub mod answers {
    pub use super::answer::{
        IsAnswer as _, IsBoxedError as _, IsLater as _, IsNow as _, IsOpaqueError as _, IsStatusError as _, Unread as _,
    };
    pub use super::client::NoClient as _;
    pub use super::functions::{KnownNow as _, Unknown as _};
    pub use super::probe::{UnknownArgument as _, UnknownReceiver as _};
}

/// Looks at an argument on its way into a call, and gives it back.
///
/// `enter` is written as a closure at the call. The compiler checks closures after the other arguments of a call, and
/// by then the parameter that the argument is for has settled `T`.
pub fn look<T, S>(mut argument: T, slot: &mut Slot<S>, site: CallSite, enter: fn(&mut T, &mut Slot<S>, CallSite)) -> T {
    enter(&mut argument, slot, site);
    argument
}

/// Carries the current trace into a future that is spawned.
///
/// This is a function and no call of [`Instrument::in_current_trace`](crate::instrument::Instrument), whose trait the
/// user may not have in scope.
pub fn future_in_current_trace<F: Future>(future: F) -> Instrumented<F> {
    future.in_current_trace()
}

/// The answer about a place. It is `Ask<Twin<_>, Never>` if the place's type is known, else `Ask<Nothing, Other>`.
///
/// The output matches it with two arms, one of which has a value of a type without values. The compiler knows that such
/// an arm is never taken:
///
/// ```text
/// match question {
///     Ask::Yes(known) => known.alive().send(),                 // `known` is a `Twin` or a `Nothing`
///     Ask::No(other) => other.alive().pass(request.send()),    // `other` is a `Never` or an `Other`
/// }
/// ```
///
/// `alive()` on a value without values returns one, which means that it does not return. All that follows is
/// unreachable, and the borrow checker does not count its moves and borrows. If the question has moved `request`, the
/// second arm may still name it.
#[derive(Debug)]
pub enum Ask<Y, N> {
    Yes(Y),
    No(N),
}

/// The answer that a known type does not give: a type without values.
#[derive(Debug)]
pub enum Never {}

impl<T> Ask<Twin<T>, Never> {
    fn known(twin: T) -> Self {
        Self::Yes(Twin(twin))
    }
}

impl Ask<Nothing, Other> {
    fn unknown<T: ?Sized>(site: CallSite) -> Self {
        site.note_unknown(type_name::<T>());
        Self::No(Other)
    }
}

/// The twin of a value of a known type.
#[derive(Debug)]
pub struct Twin<T>(T);

impl<T> Twin<T> {
    #[must_use]
    pub fn alive(self) -> T {
        self.0
    }
}

/// The answer for a type that is not known.
#[derive(Debug)]
pub struct Other;

impl Other {
    #[must_use]
    pub fn alive(self) -> Self {
        self
    }

    /// Gives the result of the user's call back.
    pub fn pass<T>(self, result: T) -> T {
        result
    }
}

// `alive` and `pass` are not `#[must_use]`: the lint would speak of the user's statement.
#[expect(clippy::must_use_candidate, clippy::return_self_not_must_use, reason = "there is nothing to use")]
impl Never {
    pub fn alive(self) -> Self {
        self
    }

    /// Gives the unreachable arm the type of the other arm. `R` is free, because the twin's result may be another type
    /// than that of the user's call: a traced future.
    pub fn pass<T, R>(self, _result: T) -> R {
        match self {}
    }
}

/// The twin of a value whose type is not known: a type without values that has every method of the table.
///
/// Each method is generic in its argument and its result, so that the unreachable arm accepts any argument and has the
/// type of the other arm. `methods.rs` makes them from the table of calls.
#[derive(Debug)]
pub enum Nothing {}

#[expect(clippy::must_use_candidate, clippy::return_self_not_must_use, reason = "there is nothing to use")]
impl Nothing {
    pub fn alive(self) -> Self {
        self
    }
}
