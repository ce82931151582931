//! Passes the tables of [`calls`](crate::calls) to the runtime.
//!
//! A crate of procedural macros can export only macros, so the runtime cannot import the tables as constants. Instead the
//! runtime calls a procedural macro with the name of its own `macro_rules!` macro, and the expansion calls that macro
//! with the rows.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote_spanned;
use syn::{Error, LitStr, Result};

use crate::calls::{CLIENTS, METHODS, Shape};

/// Calls a macro with a row for each method of the table: the method's name and the number of its arguments, if its
/// receiver may be a place or a client. A row such as `execute()` has no number, because its receiver is never replaced.
pub(crate) fn for_each_method(callback: TokenStream) -> TokenStream {
    // Input:  __for_each_method! { callback }
    // Output: callback! { send(0), send_json(1), execute(), .. }
    call(callback, |callback| {
        let span = callback.span();
        let mut names: Vec<_> = METHODS.iter().map(|method| method.name).collect();
        names.sort_unstable();
        names.dedup();
        let rows = names.into_iter().map(|name| {
            let on_place = |shape| matches!(shape, Shape::Receiver | Shape::Client);
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
pub(crate) fn for_each_client(callback: TokenStream) -> TokenStream {
    // Input:  __for_each_client! { callback }
    // Output: callback! { ureq(any(feature = "ureq", feature = "ureq-2"), "calls of ureq need .."), .. }
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

/// Returns a call of the macro `callback`. The tokens of the rows have the span of that name. So the compiler treats them
/// as the runtime's own code, in which lints are reported and `#[expect]` works.
fn call(callback: TokenStream, rows: impl FnOnce(&Ident) -> TokenStream) -> TokenStream {
    let callback: Result<Ident> = syn::parse2(callback);
    callback.map_or_else(Error::into_compile_error, |callback| rows(&callback))
}
