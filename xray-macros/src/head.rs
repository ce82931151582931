//! Generates the declarations at the start of an annotated function.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::ext::IdentExt as _;
use syn::{Expr, Ident, Path, Signature, Stmt};

use crate::options::TracedHttpOptions;
use crate::syntax::span_at;

/// Returns the statements for the start of a function under `#[traced_http]`.
///
/// ```text
/// Input:  #[traced_http(name = "todos", annotate(id = id))] async fn todo(id: u32) { .. ureq::get(url) .. }
/// Output: use ::xray::__private::traits::*;
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
        // The compiler evaluates the initializer of a static, so the checks have no cost at run time.
        site = quote_spanned!(span=> { #(#checks)* #site });
    }
    // The traits of the type tests must be in scope at each call. The module exports them as `_`, so the import cannot
    // shadow a name of the user's. Without the `allow`, a function whose calls use only some of the traits would trigger
    // `unused_imports`.
    let head = quote_spanned! {span=>
        #[allow(unused_imports)]
        use #runtime::__private::traits::*;
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
/// The closure runs only below a sampled segment; elsewhere the expressions are not evaluated
/// (`tests/it/options.rs::annotations_are_made_only_where_they_are_recorded`). `__xray_annotation` takes `&self`, so the
/// function can still use its parameters.
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

/// Clones the annotations for a `move` closure or an `async move` block.
///
/// Without the clone, the first such block would move `__xray_annotations`, and the next one could not use it: the
/// function `tests/it/options.rs::annotated` has several.
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
