//! The tables of [`calls`](crate::calls), as the runtime reads them: it names a `macro_rules!` macro of its own, which
//! is called with the rows.
//!
//! The runtime cannot import a constant from a crate of procedural macros, which exports macros alone.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote_spanned;
use syn::{Error, LitStr, Result};

use crate::calls::{CLIENTS, METHODS, Shape};

/// Calls a macro with the name of each method of the table, and the number of arguments with which it is called on a
/// place or a client. A method that is called on neither has none: its request is an argument, or it is a channel's.
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

/// Calls a macro with the module of each client, the condition under which the build traces the client, and the error
/// for a build that does not.
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

/// Returns the call of the macro that is named. Its tokens have the span of that name: they then count as the runtime's
/// own code, where lints speak and `#[expect]` is fulfilled.
fn call(callback: TokenStream, rows: impl FnOnce(&Ident) -> TokenStream) -> TokenStream {
    let callback: Result<Ident> = syn::parse2(callback);
    callback.map_or_else(Error::into_compile_error, |callback| rows(&callback))
}
