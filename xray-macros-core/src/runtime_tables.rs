//! Passes the tables of [`calls`](crate::calls) to the runtime.
//!
//! The runtime depends on a crate of procedural macros, which can export only macros and no constants. So the runtime
//! defines a `macro_rules!` macro, and passes its name to a procedural macro. The expansion calls the runtime's macro
//! with the rows of the table.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote_spanned;
use syn::{Error, LitStr, Result};

use crate::calls::{CLIENTS, METHODS, Shape};

/// Calls a macro with a row for each method name of the table. The row has the numbers of arguments with which the
/// method may be called on a place or a client. The row `execute()` has no number, because the receiver of `execute` is
/// never replaced.
#[doc(hidden)]
#[must_use]
pub fn for_each_method(callback: TokenStream) -> TokenStream {
    // Input:  __for_each_method! { callback }
    // Output: callback! { send(0 1), send_json(1), execute(), .. }
    call(callback, |callback| {
        let span = callback.span();
        let mut names: Vec<_> = METHODS.iter().map(|method| method.name).collect();
        names.sort_unstable();
        names.dedup();
        let rows = names.into_iter().map(|name| {
            let on_place = |shape| matches!(shape, Shape::Receiver | Shape::ReceiverUnlessChannel | Shape::Client);
            let arguments = METHODS.iter().filter(|method| method.name == name && on_place(method.shape));
            let arguments = arguments.map(|method| Literal::usize_unsuffixed(method.arguments));
            let name = Ident::new(name, span);
            quote_spanned!(span=> #name(#(#arguments)*))
        });
        quote_spanned!(span=> #callback! { #(#rows),* })
    })
}

/// Calls a macro with a row for each client: its module, the condition under which the build traces the client, and the
/// error for other builds.
#[doc(hidden)]
#[must_use]
pub fn for_each_client(callback: TokenStream) -> TokenStream {
    // Input:  __for_each_client! { callback }
    // Output: callback! { ureq(any(feature = "ureq", feature = "ureq-2"), "calls to ureq need .."), .. }
    call(callback, |callback| {
        let span = callback.span();
        let rows = CLIENTS.iter().map(|client| {
            let features = client.features.iter().map(|feature| LitStr::new(feature, span));
            let (module, message) = (Ident::new(client.module, span), LitStr::new(client.message, span));
            quote_spanned!(span=> #module(any(#(feature = #features),*), #message))
        });
        quote_spanned!(span=> #callback! { #(#rows),* })
    })
}

/// Returns a call to the macro `callback`. The rows have the span of that name, so the compiler treats them as code of
/// the runtime: lints are reported there, and `#[expect]` works.
fn call(callback: TokenStream, rows: impl FnOnce(&Ident) -> TokenStream) -> TokenStream {
    let callback: Result<Ident> = syn::parse2(callback);
    callback.map_or_else(Error::into_compile_error, |callback| rows(&callback))
}
