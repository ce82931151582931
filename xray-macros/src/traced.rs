//! `#[traced]`: a subsegment around a whole function.
//!
//! A body that blocks becomes a closure, which `return` and `?` leave as they would the function; one that is
//! asynchronous becomes an async block. What the function returns is written at their heads, outside the user's block,
//! whose own items may have the same names.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote_spanned};
use syn::ext::IdentExt as _;
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Error, Expr, ExprPath, ImplItem, ItemImpl, Result, ReturnType, Signature, Stmt, Type, parse_quote};

use crate::function::{self, Annotated, Wording, is_attribute, is_skipped};
use crate::head::{annotations, span_at};
use crate::nesting::take_too_deep;
use crate::options::{Errors, TracedOptions};

/// What is said of the places of this attribute.
const WORDING: Wording = Wording {
    attribute: "traced",
    other: "traced_http",
    no_body: "a function without a body does nothing to trace; annotate one with a body",
    no_function: "expected a function: `#[traced]` stands on a `fn`, or on an `impl`",
};

/// Expands the attribute. Whatever is wrong, the user's function comes out as it was.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let (item, mut too_deep) = take_too_deep(item);
    let mut errors = Errors::default();
    let options = errors.take(TracedOptions::parse(arguments)).unwrap_or_default();
    let mut annotated = errors.take(Annotated::parse(item.clone(), &WORDING));
    if let Some(annotated) = &mut annotated {
        errors.take(wrap_annotated(annotated, &options));
    }
    too_deep.put_back(function::output(item, annotated, errors, &WORDING))
}

fn wrap_annotated(annotated: &mut Annotated, options: &TracedOptions) -> Result<()> {
    match annotated {
        Annotated::Function(function) => {
            let signature = &function.sig;
            if let Some(constness) = &signature.constness {
                let message = "a `const fn` cannot be traced: it may run in the compiler; remove `const`";
                return Err(Error::new_spanned(constness, message));
            }
            if options.err && matches!(signature.output, ReturnType::Default) {
                let message = "`err` needs a function that returns a `Result`, and this one returns nothing";
                return Err(Error::new_spanned(&signature.ident, message));
            }
            wrap(signature, &mut function.block, options, options.err);
            Ok(())
        }
        Annotated::Impl(implementation) => wrap_methods(implementation, options),
    }
}

/// Of an `impl` block, the functions that have neither this attribute themselves nor `#[xray(skip)]`, and are no
/// `const fn`.
fn wrap_methods(implementation: &mut ItemImpl, options: &TracedOptions) -> Result<()> {
    let mut errors = Errors::default();
    let mut has_function = false;
    let is_needed_again = implementation.attrs.iter().any(|attribute| is_attribute(attribute, WORDING.other));
    for item in &mut implementation.items {
        let ImplItem::Fn(method) = item else { continue };
        has_function = true;
        let is_skipped = errors.take(is_skipped(&mut method.attrs, &WORDING, is_needed_again)).unwrap_or(true);
        let has_own = method.attrs.iter().any(|attribute| is_attribute(attribute, WORDING.attribute));
        if !is_skipped && !has_own && method.sig.constness.is_none() {
            wrap(&method.sig, &mut method.block, options, options.err && returns_result(&method.sig));
        }
    }
    if !has_function {
        let message = "no function in here to trace; remove the attribute";
        errors.push(Error::new_spanned(implementation.impl_token, message));
    }
    errors.into_result()
}

/// Whether a function's result, or its future's, is a `Result` by its name.
fn returns_result(signature: &Signature) -> bool {
    let text = signature.output.to_token_stream().to_string();
    text.split(|character: char| !character.is_alphanumeric()).any(|word| word.ends_with("Result"))
}

/// Puts the subsegment around a body. `checked`: what is returned is looked at.
fn wrap(signature: &Signature, block: &mut Block, options: &TracedOptions, checked: bool) {
    let (span, runtime) = (span_at(&signature.ident), &options.runtime);
    let wrapper = Wrapper { span, check: checked.then(|| check(options, span)) };
    let part = Stmt::Expr(Expr::Verbatim(part(signature, options)), None);
    if signature.asyncness.is_none() {
        if let Some(future) = tail_of(block).and_then(future_in) {
            *future = Expr::Verbatim(wrapper.call("future", &future.to_token_stream()));
            block.stmts.insert(0, part);
            return;
        }
    }
    let result = result(signature, span);
    // No value of a type parameter may be of the type `!`: one that is never there stands for it.
    let is_never = matches!(result, Type::Never(_));
    let result = if is_never { Type::Verbatim(quote_spanned!(span=> ::core::convert::Infallible)) } else { result };
    let called = if signature.asyncness.is_some() {
        let hint = (!matches!(result, Type::Infer(_))).then(|| {
            quote_spanned! {span=>
                if false {
                    return #runtime::__private::traced::never::<#result>();
                }
            }
        });
        let future = wrapper.call("future", &quote_spanned!(span=> async move { #hint #block }));
        quote_spanned!(span=> #future.await)
    } else {
        let kind = if returns_future(signature) { "maker" } else { "" };
        wrapper.call(kind, &quote_spanned!(span=> move || -> #result #block))
    };
    let called = if is_never { quote_spanned!(span=> match #called {}) } else { called };
    block.stmts = vec![part, Stmt::Expr(Expr::Verbatim(called), None)];
}

/// The variable for one run of the function. Its annotations are made here, before the body takes the parameters.
fn part(signature: &Signature, options: &TracedOptions) -> TokenStream {
    let (span, runtime) = (span_at(&signature.ident), &options.runtime);
    let name = options.name.as_ref().map_or_else(|| signature.ident.unraw().to_string(), syn::LitStr::value);
    let annotated = (!options.annotations.is_empty()).then(|| {
        let annotations = annotations(&options.annotations, runtime, span);
        quote_spanned!(span=> .annotated(#annotations))
    });
    quote_spanned!(span=> let __xray_part = #runtime::__private::traced::Part::new(#name) #annotated;)
}

/// The closure that records an error.
fn check(options: &TracedOptions, span: Span) -> TokenStream {
    let runtime = &options.runtime;
    quote_spanned! {span=>
        |__xray_result: &::core::result::Result<_, _>, __xray_context| {
            if let ::core::result::Result::Err(__xray_error) = __xray_result {
                use #runtime::__private::error::*;
                (&&&&&&Returned(__xray_error)).__xray_record(__xray_context);
            }
        }
    }
}

/// How a body or a future is handed over.
struct Wrapper {
    span: Span,
    check: Option<TokenStream>,
}

impl Wrapper {
    /// `kind` is `future`, `maker` for a body that makes one, or nothing for a body.
    fn call(&self, kind: &str, argument: &TokenStream) -> TokenStream {
        let (span, check) = (self.span, &self.check);
        let words = ["around", if check.is_some() { "checked" } else { "" }, kind];
        let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
        let method = syn::Ident::new(&words.join("_"), span);
        let check = check.iter();
        quote_spanned!(span=> __xray_part.#method(#argument #(, #check)*))
    }
}

/// The type of what the function returns, as a body may name it: `_` stands for each `impl Trait`.
fn result(signature: &Signature, span: Span) -> Type {
    struct Erase;
    impl VisitMut for Erase {
        fn visit_type_mut(&mut self, of: &mut Type) {
            match of {
                Type::ImplTrait(_) => *of = parse_quote!(_),
                _ => visit_mut::visit_type_mut(self, of),
            }
        }
    }
    match &signature.output {
        ReturnType::Default => Type::Verbatim(quote_spanned!(span=> ())),
        ReturnType::Type(_, of) => {
            let mut of = Type::clone(of);
            Erase.visit_type_mut(&mut of);
            of
        }
    }
}

/// Whether a function returns `impl Future`.
fn returns_future(signature: &Signature) -> bool {
    let ReturnType::Type(_, of) = &signature.output else { return false };
    let Type::ImplTrait(of) = &**of else { return false };
    of.bounds.iter().any(|bound| match bound {
        syn::TypeParamBound::Trait(bound) => bound.path.segments.last().is_some_and(|last| last.ident == "Future"),
        _ => false,
    })
}

fn tail_of(block: &mut Block) -> Option<&mut Expr> {
    match block.stmts.last_mut()? {
        Stmt::Expr(tail, None) => Some(tail),
        _ => None,
    }
}

/// An async block, in a box or not, as `async_trait` makes one of a function.
fn future_in(expression: &mut Expr) -> Option<&mut Expr> {
    match expression {
        Expr::Async(_) => Some(expression),
        Expr::Paren(paren) => future_in(&mut paren.expr),
        Expr::Group(group) => future_in(&mut group.expr),
        Expr::Block(block) if block.label.is_none() => future_in(tail_of(&mut block.block)?),
        Expr::Call(call) if call.args.len() == 1 && is_box_pin(&call.func) => future_in(&mut call.args[0]),
        Expr::MethodCall(call) if call.method == "boxed" || call.method == "boxed_local" => {
            future_in(&mut call.receiver)
        }
        _ => None,
    }
}

fn is_box_pin(function: &Expr) -> bool {
    let Expr::Path(ExprPath { path, .. }) = function else { return false };
    let mut names = path.segments.iter().rev().map(|segment| &segment.ident);
    names.next().is_some_and(|name| name == "pin") && names.next().is_some_and(|name| name == "Box")
}
