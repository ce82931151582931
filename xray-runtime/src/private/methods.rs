//! The type tests of receivers and arguments: one module for each method name, such as `send`.
//!
//! The modules are generated from the table of calls in `xray-macros-core`. See [`private`](super).

use super::{UnreachableTwin, UnreachableTwinWith};

/// Defines the module of each method. Only `unreachable_twin` uses the arities.
macro_rules! modules {
    ($($method:ident($($arity:literal)*)),* $(,)?) => {$(
        pub mod $method {
            use crate::http::{Outgoing, CallSite, Traceable};
            use crate::private::argument::CallTypes;
            use crate::private::receiver::{MethodPath, Receiver};
            use crate::private::settle::Argument;
            use crate::private::{Dispatch, UnreachableUntraced, UnreachableTwin, UnreachableTwinWith, Untraced, Twin};

            type Method = crate::http::methods::$method;

            /// Returns the type test of a receiver of the method.
            #[inline]
            pub fn receiver<T>(value: T, site: impl Into<CallSite>) -> Receiver<Method, T> {
                Receiver::new(value, site.into())
            }

            /// Returns the type test of a function that may be the method.
            pub fn callee<T, R>(function: &impl FnOnce(T) -> R) -> MethodPath<Method, T, R> {
                MethodPath::of(function)
            }

            /// Returns the type test of a call whose argument may be a request.
            pub fn settle<A, C, T, R>(types: &CallTypes<A, C, T, R>) -> Argument<Method, A, C, T, R> {
                Argument::of(types)
            }

            /// Selected for a place that holds a traceable value. Its method takes `self`, so lookup finds it before
            /// `UnknownPlace`. It moves the value out of the place.
            pub trait TraceablePlace: Traceable<Method> + Sized {
                fn __xray_dispatch(self, site: impl Into<CallSite>) -> Dispatch<Twin<Self::Traced>, UnreachableUntraced>;

                /// Like `__xray_dispatch`, for a call with an argument.
                fn __xray_dispatch_with(self, site: impl Into<CallSite>) -> Dispatch<Twin<Self::Traced>, UnreachableUntraced>;
            }

            impl<T: Traceable<Method>> TraceablePlace for T {
                fn __xray_dispatch(self, site: impl Into<CallSite>) -> Dispatch<Twin<T::Traced>, UnreachableUntraced> {
                    Dispatch::traced(self.traced(site.into()))
                }

                fn __xray_dispatch_with(self, site: impl Into<CallSite>) -> Dispatch<Twin<T::Traced>, UnreachableUntraced> {
                    Dispatch::traced(self.traced(site.into()))
                }
            }

            /// The fallback, selected for any other place. Its method takes `&self`, so it only borrows the place.
            pub trait UnknownPlace {
                fn __xray_dispatch(&self, site: impl Into<CallSite>) -> Dispatch<UnreachableTwin, Untraced>;

                /// Like `__xray_dispatch`, for a call with an argument.
                fn __xray_dispatch_with(&self, site: impl Into<CallSite>) -> Dispatch<UnreachableTwinWith, Untraced>;
            }

            impl<T: ?Sized> UnknownPlace for T {
                fn __xray_dispatch(&self, site: impl Into<CallSite>) -> Dispatch<UnreachableTwin, Untraced> {
                    Dispatch::untraced::<T>(site.into())
                }

                fn __xray_dispatch_with(&self, site: impl Into<CallSite>) -> Dispatch<UnreachableTwinWith, Untraced> {
                    Dispatch::untraced::<T>(site.into())
                }
            }

            /// Returns the twin of a receiver, without a type test. The expansion calls it if the user requires the
            /// call to be traced, by `strict` or `#[xray(trace)]`. A type that is not traceable is then a compile
            /// error.
            pub fn traced<T: Traceable<Method>>(value: T, site: impl Into<CallSite>) -> T::Traced {
                value.traced(site.into())
            }

            /// Returns an argument that must be a request. The expansion calls it in the same cases as
            /// `traced`.
            pub fn required<A: Outgoing<Method>>(argument: A) -> A {
                argument
            }
        }
    )*};
}

xray_macros::__for_each_method! { modules }
modules!(any());

/// Defines the methods of [`UnreachableTwin`] and [`UnreachableTwinWith`]: one for each row of the table whose receiver
/// may be a place or a client.
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
        impl UnreachableTwinWith {
            pub fn $method<A, R>(self, _: A) -> R {
                match self {}
            }
        }
    };
}

xray_macros::__for_each_method! { unreachable_twin }
