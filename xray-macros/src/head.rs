//! What stands at the head of an annotated function.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::ext::IdentExt as _;
use syn::{Expr, Ident, Path, Signature, Stmt};

use crate::options::Options;

/// What the places of its calls have in common, with the checks of the clients that it names, and its annotations.
pub(crate) fn declarations(
    signature: &Signature,
    options: &Options,
    checks: &[TokenStream],
    has_candidate: bool,
) -> Vec<Stmt> {
    let (name, runtime) = (&signature.ident, &options.runtime);
    let span = span_at(name);
    if !has_candidate {
        let checked = quote_spanned!(span=> const _: () = { #(#checks)* };);
        return if checks.is_empty() { Vec::new() } else { vec![Stmt::Expr(Expr::Verbatim(checked), None)] };
    }
    let (text, line) = (name.unraw().to_string(), quote_spanned!(name.span()=> ::core::line!()));
    let named = options.name.as_ref().map(|name| quote_spanned!(span=> .named(#name)));
    let hosts = &options.skip_hosts;
    let skipping = (!hosts.is_empty()).then(|| quote_spanned!(span=> .skip_hosts(&[#(#hosts),*])));
    let mut place = quote_spanned! {span=>
        #runtime::__private::Place::new(#text, ::core::file!(), #line) #named #skipping
    };
    if !checks.is_empty() {
        place = quote_spanned!(span=> { #(#checks)* #place });
    }
    let head = quote_spanned! {span=>
        #[allow(unused_imports)]
        use #runtime::__private::answers::*;
        static __XRAY_PLACE: #runtime::__private::Place = #place;
    };
    let mut declarations = vec![Stmt::Expr(Expr::Verbatim(head), None)];
    if !options.annotations.is_empty() {
        let annotations = annotations(&options.annotations, runtime, span);
        let declaration = quote_spanned!(span=> let __xray_annotations = #annotations;);
        declarations.push(Stmt::Expr(Expr::Verbatim(declaration), None));
    }
    declarations
}

/// The value of `annotate(..)`.
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

/// A closure or async block that moves what it names: the annotations stay for the next one.
pub(crate) fn with_own_annotations(mover: &Expr) -> Expr {
    let span = Span::mixed_site();
    Expr::Verbatim(quote_spanned! {span=>
        {
            let __xray_annotations = ::core::clone::Clone::clone(&__xray_annotations);
            #mover
        }
    })
}

/// Where a name stands, but a macro's.
pub(crate) fn span_at(name: &Ident) -> Span {
    Span::mixed_site().located_at(name.span())
}
