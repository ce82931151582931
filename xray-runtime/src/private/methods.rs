//! What is asked about the receiver and the argument of each method: one module for each name.

use super::Nothing;

macro_rules! modules {
    ($($method:ident),* $(,)?) => {$(
        pub mod $method {
            use crate::http::{Outgoing, CallSite, Traceable};
            use crate::private::answer::{Entered, Slot};
            use crate::private::probe::{Argument, Receiver};
            use crate::private::{Ask, Never, Nothing, Other, Twin};

            type Method = crate::http::methods::$method;

            /// Looks at a receiver of the method.
            pub fn receiver<T>(value: &T) -> Receiver<Method, T> {
                Receiver::of(value)
            }

            /// Looks at an argument of the method.
            pub fn argument<T>(value: &T) -> Argument<Method, T> {
                Argument::of(value)
            }

            /// For a place that holds a traceable value, which it takes out: found first.
            pub trait Take: Traceable<Method> + Sized {
                fn __xray_ask(self, site: CallSite) -> Ask<Twin<Self::Traced>, Never>;
            }

            impl<T: Traceable<Method>> Take for T {
                fn __xray_ask(self, site: CallSite) -> Ask<Twin<T::Traced>, Never> {
                    Ask::known(self.traced(site))
                }
            }

            /// For a place that holds anything: only looked at.
            pub trait Peek {
                fn __xray_ask(&self, site: CallSite) -> Ask<Nothing, Other>;
            }

            impl<T: ?Sized> Peek for T {
                fn __xray_ask(&self, site: CallSite) -> Ask<Nothing, Other> {
                    Ask::unknown(site)
                }
            }

            /// A receiver that must be traceable.
            pub fn open<T: Traceable<Method>>(value: T, site: CallSite) -> T::Traced {
                value.traced(site)
            }

            /// An argument that must be a request.
            pub fn enter<T: Outgoing<Method>>(request: &mut T, slot: &mut Slot<Entered>, site: CallSite) {
                argument(request).__xray_enter(request, slot, site);
            }
        }
    )*};
}

crate::http::methods::for_each_method!(modules);

/// Each with what is sent, if anything.
macro_rules! nothing {
    ($($method:ident($($argument:ident)?),)*) => {
        impl Nothing {$(
            pub fn $method<$($argument,)? R>(self $(, _: $argument)?) -> R {
                match self {}
            }
        )*}
    };
}

nothing!(
    send(),
    call(),
    run(),
    send_empty(),
    get(U),
    send_json(B),
    send_form(B),
    send_string(B),
    send_bytes(B),
    send_body(B),
    send_stream(B),
);
