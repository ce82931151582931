//! The questions about the receiver and the argument of each method: a module for each name.
//!
//! The names stand once, in the macro crate's table of calls.

use super::Nothing;

/// Makes the module of each method. The arities are for `nothing`.
macro_rules! modules {
    ($($method:ident($($arity:literal)*)),* $(,)?) => {$(
        pub mod $method {
            use crate::http::{Outgoing, CallSite, Traceable};
            use crate::private::answer::{Entered, Slot};
            use crate::private::probe::{Argument, Receiver};
            use crate::private::{Ask, Never, Nothing, Other, Twin};

            type Method = crate::http::methods::$method;

            /// Begins the question about a receiver of the method.
            pub fn receiver<T>(value: &T) -> Receiver<Method, T> {
                Receiver::of(value)
            }

            /// Begins the question about an argument of the method.
            pub fn argument<T>(value: &T) -> Argument<Method, T> {
                Argument::of(value)
            }

            /// The answer of a place that holds a traceable value, which is moved out. It is found first, by value.
            pub trait Take: Traceable<Method> + Sized {
                fn __xray_ask(self, site: CallSite) -> Ask<Twin<Self::Traced>, Never>;
            }

            impl<T: Traceable<Method>> Take for T {
                fn __xray_ask(self, site: CallSite) -> Ask<Twin<T::Traced>, Never> {
                    Ask::known(self.traced(site))
                }
            }

            /// The answer of any other place, which is borrowed. It is found second, by reference.
            pub trait Peek {
                fn __xray_ask(&self, site: CallSite) -> Ask<Nothing, Other>;
            }

            impl<T: ?Sized> Peek for T {
                fn __xray_ask(&self, site: CallSite) -> Ask<Nothing, Other> {
                    Ask::unknown::<T>(site)
                }
            }

            /// Exchanges a receiver for its twin. The user demands that its type is traceable.
            pub fn open<T: Traceable<Method>>(value: T, site: CallSite) -> T::Traced {
                value.traced(site)
            }

            /// Begins the call of an argument. The user demands that it is a request.
            pub fn enter<T: Outgoing<Method>>(request: &mut T, slot: &mut Slot<Entered>, site: CallSite) {
                argument(request).__xray_enter(request, slot, site);
            }
        }
    )*};
}

xray_macros::__for_each_method! { modules }
modules!(any());

/// Makes the methods of [`Nothing`], with each arity in which a place or client is their receiver.
macro_rules! nothing {
    ($($method:ident($($arity:tt)*)),* $(,)?) => {
        $($(nothing!(@ $method $arity);)*)*
    };
    (@ $method:ident 0) => {
        impl Nothing {
            pub fn $method<R>(self) -> R {
                match self {}
            }
        }
    };
    (@ $method:ident 1) => {
        impl Nothing {
            pub fn $method<A, R>(self, _: A) -> R {
                match self {}
            }
        }
    };
}

xray_macros::__for_each_method! { nothing }
