//! What stands at the head of an annotated function.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::ext::IdentExt as _;
use syn::{Expr, Ident, Path, Signature, Stmt};

use crate::options::TracedHttpOptions;
use crate::syntax::span_at;

/// Returns the statements for the head of a function under `#[traced_http]`.
///
/// ```text
/// Input:  #[traced_http(name = "todos", annotate(id = id))] async fn todo(id: u32) { .. ureq::get(url) .. }
/// Output: use ::xray::__private::answers::*;
///         static __XRAY_SITE: ::xray::__private::FunctionSite = {
///             { use ::xray::__private::clients::ureq::{Client, check}; check(Client); }
///             ::xray::__private::FunctionSite::new("todo", ::core::file!(), ::core::line!()).named("todos")
///         };
///         let __xray_annotations = ::xray::__private::Annotations::new(|| ..);
/// ```
pub(crate) fn declarations(
    signature: &Signature,
    options: &TracedHttpOptions,
    checks: &[TokenStream],
    has_candidate: bool,
) -> Vec<Stmt> {
    let (name, runtime) = (&signature.ident, &options.common.runtime);
    let span = span_at(name);
    if !has_candidate {
        let checked = quote_spanned!(span=> const _: () = { #(#checks)* };);
        return if checks.is_empty() { Vec::new() } else { vec![Stmt::Expr(Expr::Verbatim(checked), None)] };
    }
    let (text, line) = (name.unraw().to_string(), quote_spanned!(name.span()=> ::core::line!()));
    let named = options.common.name.as_ref().map(|name| quote_spanned!(span=> .named(#name)));
    let hosts = &options.skip_hosts;
    let skipping = (!hosts.is_empty()).then(|| quote_spanned!(span=> .skip_hosts(&[#(#hosts),*])));
    let mut site = quote_spanned! {span=>
        #runtime::__private::FunctionSite::new(#text, ::core::file!(), #line) #named #skipping
    };
    if !checks.is_empty() {
        // The initializer of a static is evaluated by the compiler, so that the checks cost nothing at run time and
        // cannot be reached, moved or borrowed by the function.
        site = quote_spanned!(span=> { #(#checks)* #site });
    }
    // The traits that answer the questions must be in scope at each call. They are imported once, as `_`, so that no
    // name of theirs hides one of the user's; `unused_imports` would fire where no call asks all the questions.
    let head = quote_spanned! {span=>
        #[allow(unused_imports)]
        use #runtime::__private::answers::*;
        static __XRAY_SITE: #runtime::__private::FunctionSite = #site;
    };
    let mut declarations = vec![Stmt::Expr(Expr::Verbatim(head), None)];
    if !options.common.annotations.is_empty() {
        let annotations = annotations(&options.common.annotations, runtime, span);
        let declaration = quote_spanned!(span=> let __xray_annotations = #annotations;);
        declarations.push(Stmt::Expr(Expr::Verbatim(declaration), None));
    }
    declarations
}

/// Returns the value of `annotate(..)`.
///
/// ```text
/// Input:  annotate(id = order.id)
/// Output: ::xray::__private::Annotations::new(|| {
///             use ::xray::__private::annotation::ToAnnotation as _;
///             ::std::vec![("id", (order.id).__xray_annotation())]
///         })
/// ```
///
/// The closure runs only below a sampled segment, so that the expressions cost nothing elsewhere
/// (`tests/options.rs::annotations_are_made_only_where_they_are_recorded`). `__xray_annotation` takes its value by
/// reference, so that the function still has its parameters.
pub(crate) fn annotations(annotations: &[(Ident, Expr)], runtime: &Path, span: Span) -> TokenStream {
    let keys = annotations.iter().map(|(key, _)| key.unraw().to_string());
    let values = annotations.iter().map(|(_, value)| value);
    quote_spanned! {span=>
        #runtime::__private::Annotations::new(|| {
            use #runtime::__private::annotation::ToAnnotation as _;
            ::std::vec![#((#keys, (#values).__xray_annotation())),*]
        })
    }
}

/// Gives a `move` closure or `async move` block annotations of its own.
///
/// The block would move `__xray_annotations` into itself, and the next block could not: the function
/// `tests/options.rs::annotated` has several.
pub(crate) fn with_own_annotations(mover: &Expr) -> Expr {
    // Input:  async move { .. }
    // Output: {
    //             let __xray_annotations = ::core::clone::Clone::clone(&__xray_annotations);
    //             async move { .. }
    //         }
    let span = Span::mixed_site();
    Expr::Verbatim(quote_spanned! {span=>
        {
            let __xray_annotations = ::core::clone::Clone::clone(&__xray_annotations);
            #mover
        }
    })
}
