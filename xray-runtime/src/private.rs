//! What the output of the macros may name. Nothing here is for people.
//!
//! Whether a call is an HTTP call is decided by the type of the value whose method it is. Syntax cannot know
//! that type, so the macro's output asks the compiler, by the order in which a method is looked up: first what
//! takes the value as it is, then what takes a reference to it. There is a module for each method name, so that
//! a type which is traceable by one name is left alone by another.

use self::answer::{Slot, Untouched};
pub use self::methods::*;
pub use crate::context::in_current_trace;
use crate::http::Site;
#[cfg(doc)]
use crate::http::Traceable;
pub use crate::http::{Annotations, Function, Place};
use crate::instrument::{Instrument as _, Instrumented};

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

/// The traits by which a question is answered, nameless: what an annotated function has in scope.
pub mod answers {
    pub use super::answer::{
        IsAnswer as _, IsBoxedError as _, IsLater as _, IsNow as _, IsOpaqueError as _, IsStatus as _,
    };
    pub use super::client::{IsClient as _, NoClient as _};
    pub use super::functions::{KnownLater as _, KnownNow as _, Unknown as _};
    pub use super::probe::{Known as _, NoRequest as _, Request as _, Unknown as _};
}

/// Looks at an argument on its way into a call. Its type is the parameter's by then.
pub fn look<T>(mut argument: T, look: impl FnOnce(&mut T)) -> T {
    look(&mut argument);
    argument
}

/// A future that is spawned, in what is current.
pub fn future_in_current_trace<F: Future>(future: F) -> Instrumented<F> {
    future.in_current_trace()
}

/// The answer about a place: it holds a value of a known type, or of another one.
#[derive(Debug)]
pub enum Ask<Y, N> {
    Yes(Y),
    No(N),
}

/// What is never there. A call that gives one does not return, and the borrow checker knows.
#[derive(Debug)]
pub enum Never {}

/// The answer for a type that is not traceable.
#[derive(Debug)]
pub struct Other;

impl Other {
    pub fn open<T>(self, value: T, site: Site) -> T {
        site.note_unknown();
        value
    }

    #[must_use]
    pub fn alive(self) -> Self {
        self
    }

    pub fn pass<T>(self, result: T, site: Site) -> T {
        site.note_unknown();
        result
    }

    pub fn enter<T: ?Sized>(self, _argument: &mut T, site: Site, _slot: &mut Slot<Untouched>) {
        site.note_unknown();
    }
}

#[expect(clippy::must_use_candidate, clippy::return_self_not_must_use, reason = "there is nothing to use")]
impl Never {
    pub fn alive(self) -> Self {
        self
    }

    pub fn open<S>(self, _site: S) -> Nothing {
        match self {}
    }

    pub fn pass<T, S, R>(self, _result: T, _site: S) -> R {
        match self {}
    }
}

/// What `Never` opens: it has every method, with any result.
#[derive(Debug)]
pub enum Nothing {}
