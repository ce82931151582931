//! The type tests of the receiver and the argument of each method. Each method name has a module.
//!
//! The modules are generated from the table of calls in `xray-macros`. See [`private`](super).

use super::UnreachableTwin;

/// Defines the module of each method. The arities are used only by `unreachable_twin`.
macro_rules! modules {
    ($($method:ident($($arity:literal)*)),* $(,)?) => {$(
        pub mod $method {
            use crate::http::{Outgoing, CallSite, Traceable};
            use crate::private::outcome::{Entered, Slot};
            use crate::private::probe::{Argument, Receiver};
            use crate::private::{Dispatch, UnreachableUntraced, UnreachableTwin, Untraced, Twin};

            type Method = crate::http::methods::$method;

            /// Returns the type test of a receiver of the method.
            pub fn receiver<T>(value: &T) -> Receiver<Method, T> {
                Receiver::of(value)
            }

            /// Returns the type test of an argument of the method.
            pub fn argument<T>(value: &T) -> Argument<Method, T> {
                Argument::of(value)
            }

            /// Selected for a place that holds a traceable value. It takes `self`, so it takes precedence over `Peek`,
            /// and moves the value out of the place.
            pub trait Take: Traceable<Method> + Sized {
                fn __xray_dispatch(self, site: CallSite) -> Dispatch<Twin<Self::Traced>, UnreachableUntraced>;
            }

            impl<T: Traceable<Method>> Take for T {
                fn __xray_dispatch(self, site: CallSite) -> Dispatch<Twin<T::Traced>, UnreachableUntraced> {
                    Dispatch::traced(self.traced(site))
                }
            }

            /// The fallback, selected for any other place. It takes `&self`, so it only borrows the place.
            pub trait Peek {
                fn __xray_dispatch(&self, site: CallSite) -> Dispatch<UnreachableTwin, Untraced>;
            }

            impl<T: ?Sized> Peek for T {
                fn __xray_dispatch(&self, site: CallSite) -> Dispatch<UnreachableTwin, Untraced> {
                    Dispatch::untraced::<T>(site)
                }
            }

            /// Returns the twin of a receiver. The expansion calls it if the user requires the call to be traced.
            pub fn open<T: Traceable<Method>>(value: T, site: CallSite) -> T::Traced {
                value.traced(site)
            }

            /// Begins the call of a request. The expansion calls it if the user requires the call to be traced.
            pub fn enter<T: Outgoing<Method>>(request: &mut T, slot: &mut Slot<Entered>, site: CallSite) {
                argument(request).__xray_enter(request, slot, site);
            }
        }
    )*};
}

xray_macros::__for_each_method! { modules }
modules!(any());

/// Defines the methods of [`UnreachableTwin`], with each number of arguments that the table has for a place or client.
macro_rules! unreachable_twin {
    ($($method:ident($($arity:tt)*)),* $(,)?) => {
        $($(unreachable_twin!(@ $method $arity);)*)*
    };
    (@ $method:ident 0) => {
        impl UnreachableTwin {
            pub fn $method<R>(self) -> R {
                match self {}
            }
        }
    };
    (@ $method:ident 1) => {
        impl UnreachableTwin {
            pub fn $method<A, R>(self, _: A) -> R {
                match self {}
            }
        }
    };
}

xray_macros::__for_each_method! { unreachable_twin }
