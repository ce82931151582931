//! Generates the declarations at the start of an annotated function.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::{Expr, Ident, Path, Signature, Stmt};

use crate::candidate::LeftAlone;
use crate::options::TracedHttpOptions;
use crate::syntax::{span_at, text};

/// Returns the statements for the start of a function under `#[traced_http]`.
///
/// ```text
/// Input:  #[traced_http(name = "todos", annotate(id = id))] async fn todo(id: u32) { .. ureq::get(url) .. }
/// Output: use ::xray::__private::traits::*;
///         static __XRAY_CALL_SITES: ::xray::__private::CallSites = {
///             { use ::xray::__private::clients::ureq::{Client, check}; check(Client); }
///             ::xray::__private::CallSites::new("todo", ::core::file!(), ::core::line!()).named("todos")
///         };
///         let __xray_annotations = ::xray::__private::Annotations::new(|| ..);
/// ```
pub(crate) fn declarations(
    signature: &Signature,
    options: &TracedHttpOptions,
    checks: &[TokenStream],
    has_candidate: bool,
    left_alone: &[LeftAlone],
) -> Vec<Stmt> {
    let (name, runtime) = (&signature.ident, &options.common.runtime);
    let span = span_at(name);
    if !has_candidate {
        return Vec::from_iter(declaration_of_checks(checks, span));
    }
    let (function, line) = (text(name), quote_spanned!(name.span()=> ::core::line!()));
    let named = options.common.name.as_ref().map(|name| quote_spanned!(span=> .named(#name)));
    let hosts = &options.skip_hosts;
    let skipping = (!hosts.is_empty()).then(|| quote_spanned!(span=> .skip_hosts(&[#(#hosts),*])));
    let calls = left_alone.iter().map(|LeftAlone { span: call, why }| {
        let line = quote_spanned!(*call=> ::core::line!());
        quote_spanned!(span=> #runtime::__private::LeftAlone { line: #line, why: #why })
    });
    let left_alone = (!left_alone.is_empty()).then(|| quote_spanned!(span=> .left_alone(&[#(#calls),*])));
    let mut site = quote_spanned! {span=>
        #runtime::__private::CallSites::new(#function, ::core::file!(), #line) #named #skipping #left_alone
    };
    if !checks.is_empty() {
        // The compiler evaluates the initializer of a static, so the checks have no cost at run time.
        site = quote_spanned!(span=> { #(#checks)* #site });
    }
    // If no call in the function is rewritten, the runtime logs that once, with the reasons: `docs/no-traces.md`.
    let noted = left_alone.is_some().then(|| quote_spanned!(span=> (&__XRAY_CALL_SITES).note_left_alone();));
    // The traits of the type tests must be in scope at each call. The module exports them as `_`, so the import cannot
    // shadow a name of the user's. Without the `allow`, a function whose calls use only some of the traits would
    // trigger `unused_imports`.
    let head = quote_spanned! {span=>
        #[allow(unused_imports)]
        use #runtime::__private::traits::*;
        static __XRAY_CALL_SITES: #runtime::__private::CallSites = #site;
        #noted
    };
    let mut declarations = vec![Stmt::Expr(Expr::Verbatim(head), None)];
    if !options.common.annotations.is_empty() {
        let annotations = annotations(&options.common.annotations, runtime, span);
        let declaration = quote_spanned!(span=> let __xray_annotations = #annotations;);
        declarations.push(Stmt::Expr(Expr::Verbatim(declaration), None));
    }
    declarations
}

/// Returns the declaration for a function without candidates, or `None` if there are no checks.
///
/// ```text
/// Output: const _: () = { use ::xray::__private::clients::ureq::{Client, check}; check(Client); };
/// ```
fn declaration_of_checks(checks: &[TokenStream], span: Span) -> Option<Stmt> {
    let checked = quote_spanned!(span=> const _: () = { #(#checks)* };);
    (!checks.is_empty()).then(|| Stmt::Expr(Expr::Verbatim(checked), None))
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
/// The closure runs only in a sampled segment; elsewhere the expressions are not evaluated
/// (`tests/it/options.rs::annotations_are_made_only_where_they_are_recorded`). `__xray_annotation` takes `&self`, so
/// the function can still use its parameters.
pub(crate) fn annotations(annotations: &[(Ident, Expr)], runtime: &Path, span: Span) -> TokenStream {
    let keys = annotations.iter().map(|(key, _)| text(key));
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
