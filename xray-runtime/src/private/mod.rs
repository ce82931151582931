//! What the output of the macros may name. Nothing here is for people.
//!
//! Whether a call is an HTTP call is decided by the type of the value whose method it is. Syntax cannot know
//! that type, so the macro's output asks the compiler, by the order in which a method is looked up: first what
//! takes the value as it is, then what takes a reference to it. There is a module for each method name, so that
//! a type which is traceable by one name is left alone by another.

use self::answer::Slot;
pub use self::methods::*;
use crate::http::CallSite;
#[cfg(doc)]
use crate::http::Traceable;
pub use crate::http::site::{Annotations, Place};
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

/// The traits by which a question is answered, nameless: what an annotated function has in scope.
pub mod answers {
    pub use super::answer::{
        IsAnswer as _, IsBoxedError as _, IsLater as _, IsNow as _, IsOpaqueError as _, Unread as _,
    };
    pub use super::client::NoClient as _;
    pub use super::functions::{KnownNow as _, Unknown as _};
    pub use super::probe::{UnknownArgument as _, UnknownReceiver as _};
}

/// Looks at an argument on its way into a call. Its type is the parameter's by then.
pub fn look<T, S>(mut argument: T, slot: &mut Slot<S>, site: CallSite, enter: fn(&mut T, &mut Slot<S>, CallSite)) -> T {
    enter(&mut argument, slot, site);
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

impl<T> Ask<Twin<T>, Never> {
    fn known(twin: T) -> Self {
        Self::Yes(Twin(twin))
    }
}

impl Ask<Nothing, Other> {
    fn unknown(site: CallSite) -> Self {
        site.note_unknown();
        Self::No(Other)
    }
}

/// What a traceable value became.
#[derive(Debug)]
pub struct Twin<T>(T);

impl<T> Twin<T> {
    #[must_use]
    pub fn alive(self) -> T {
        self.0
    }
}

/// The answer for a type that is not traceable.
#[derive(Debug)]
pub struct Other;

impl Other {
    #[must_use]
    pub fn alive(self) -> Self {
        self
    }

    pub fn pass<T>(self, result: T) -> T {
        result
    }
}

#[expect(clippy::must_use_candidate, clippy::return_self_not_must_use, reason = "there is nothing to use")]
impl Never {
    pub fn alive(self) -> Self {
        self
    }

    pub fn pass<T, R>(self, _result: T) -> R {
        match self {}
    }
}

/// The twin of what is not traceable: it has every method, with any result.
#[derive(Debug)]
pub enum Nothing {}

#[expect(clippy::must_use_candidate, clippy::return_self_not_must_use, reason = "there is nothing to use")]
impl Nothing {
    pub fn alive(self) -> Self {
        self
    }
}
