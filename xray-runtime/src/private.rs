//! What the output of the macros may name. Nothing here is for people.
//!
//! Whether a call is an HTTP call is decided by the type of the value whose method it is. Syntax cannot know
//! that type, so the macro's output asks the compiler, by the order in which a method is looked up: first what
//! takes the value as it is, then what takes a reference to it. There is a module for each method name, so that
//! a type which is traceable by one name is left alone by another.

use self::answer::{Slot, Untouched};
pub use crate::context::in_current_trace;
pub use crate::http::Site;
#[cfg(doc)]
use crate::http::Traceable;
use crate::http::methods;
use crate::instrument::{Instrument as _, Instrumented};

pub mod answer;
pub mod reqwest_version;

/// A value that is only looked at.
#[derive(Debug)]
pub struct Probe<'a, T: ?Sized>(pub &'a T);

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
    pub fn open<T>(self, value: T, _site: &'static Site) -> T {
        value
    }

    #[must_use]
    pub fn alive(self) -> Self {
        self
    }

    pub fn pass<T>(self, result: T) -> T {
        result
    }

    pub fn enter<T: ?Sized>(self, _argument: &mut T, _site: &'static Site, _slot: &mut Slot<Untouched>) {}
}

#[expect(clippy::must_use_candidate, clippy::return_self_not_must_use, reason = "there is nothing to use")]
impl Never {
    pub fn alive(self) -> Self {
        self
    }

    pub fn open(self, _site: &'static Site) -> Nothing {
        match self {}
    }

    pub fn pass<T, R>(self, _result: T) -> R {
        match self {}
    }
}

/// What `Never` opens: it has every method, with any result.
#[derive(Debug)]
pub enum Nothing {}

/// For methods whose receiver is the request.
macro_rules! on_receiver {
    ($($method:ident),* $(,)?) => {
        impl Nothing {$(
            pub fn $method<R>(self) -> R {
                match self {}
            }
        )*}

        $(
            pub mod $method {
                use super::{Ask, Never, Other, Probe, methods};
                use crate::http::{Site, Traceable};

                type Method = methods::$method;

                /// The answer for a traceable type.
                #[derive(Debug)]
                pub struct IsKnown;

                impl IsKnown {
                    pub fn open<T: Traceable<Method>>(self, value: T, site: &'static Site) -> T::Traced {
                        value.traced(site)
                    }
                }

                /// For a value of a traceable type: found first.
                pub trait Known {
                    fn __xray_kind(&self) -> IsKnown;
                }

                impl<T: Traceable<Method>> Known for Probe<'_, T> {
                    fn __xray_kind(&self) -> IsKnown {
                        IsKnown
                    }
                }

                /// For a value of any type: one reference further.
                pub trait Unknown {
                    fn __xray_kind(&self) -> Other;
                }

                impl<T: ?Sized> Unknown for &Probe<'_, T> {
                    fn __xray_kind(&self) -> Other {
                        Other
                    }
                }

                /// For a place that holds a traceable value, which it takes out: found first.
                pub trait Take: Sized {
                    fn __xray_ask(self) -> Ask<Held<Self>, Never>;
                }

                impl<T: Traceable<Method>> Take for T {
                    fn __xray_ask(self) -> Ask<Held<Self>, Never> {
                        Ask::Yes(Held(self))
                    }
                }

                /// For a place that holds anything: only looked at.
                pub trait Peek {
                    fn __xray_ask(&self) -> Ask<Never, Other>;
                }

                impl<T: ?Sized> Peek for T {
                    fn __xray_ask(&self) -> Ask<Never, Other> {
                        Ask::No(Other)
                    }
                }

                /// A traceable value out of its place.
                #[derive(Debug)]
                pub struct Held<T>(T);

                impl<T: Traceable<Method>> Held<T> {
                    #[must_use]
                    pub fn alive(self) -> Self {
                        self
                    }

                    pub fn open(self, site: &'static Site) -> T::Traced {
                        self.0.traced(site)
                    }
                }
            }
        )*
    };
}

on_receiver!(send);

/// For methods whose argument is the request.
macro_rules! on_argument {
    ($($method:ident),* $(,)?) => {$(
        pub mod $method {
            use super::answer::{Entered, Slot};
            use super::{Other, Probe, methods};
            use crate::context;
            use crate::http::{Opening, Outgoing, Site};

            type Method = methods::$method;

            /// The answer for a request.
            #[derive(Debug)]
            pub struct IsRequest;

            impl IsRequest {
                pub fn enter<T>(self, request: &mut T, site: &'static Site, slot: &mut Slot<Entered>)
                where
                    T: Outgoing<Method>,
                {
                    let opening = Opening::here(site);
                    if opening.is_none() {
                        context::report_missing();
                    }
                    slot.put(opening.and_then(|opening| request.begin(opening)));
                }
            }

            /// For an argument that is a request: found first.
            pub trait Request {
                fn __xray_kind(&self) -> IsRequest;
            }

            impl<T: Outgoing<Method>> Request for Probe<'_, T> {
                fn __xray_kind(&self) -> IsRequest {
                    IsRequest
                }
            }

            /// For an argument of any type: one reference further.
            pub trait NoRequest {
                fn __xray_kind(&self) -> Other;
            }

            impl<T: ?Sized> NoRequest for &Probe<'_, T> {
                fn __xray_kind(&self) -> Other {
                    Other
                }
            }
        }
    )*};
}

on_argument!(execute, request, call, oneshot, send_request, try_send_request);
