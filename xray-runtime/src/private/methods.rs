//! What is asked about the receiver and the argument of each method: one module for each name.

use super::Nothing;

macro_rules! modules {
    ($($method:ident),* $(,)?) => {$(
        pub mod $method {
            use std::marker::PhantomData;

            use crate::http::{Outgoing, Site, Traceable};
            use crate::private::answer::{Entered, Slot};
            use crate::private::probe::{IsRequest, Probe};
            use crate::private::{Ask, Never, Other};

            type Method = crate::http::methods::$method;

            /// Looks at a receiver or an argument of the method.
            pub fn probe<T: ?Sized>(value: &T) -> Probe<'_, Method, T> {
                Probe(value, PhantomData)
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

                pub fn open(self, site: Site) -> T::Traced {
                    self.0.traced(site)
                }
            }

            /// A receiver that must be traceable.
            pub fn open<T: Traceable<Method>>(value: T, site: Site) -> T::Traced {
                value.traced(site)
            }

            /// An argument that must be a request.
            pub fn enter<T: Outgoing<Method>>(request: &mut T, site: Site, slot: &mut Slot<Entered>) {
                IsRequest::<Method>::new().enter(request, site, slot);
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
