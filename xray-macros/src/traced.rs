//! `#[traced]`: a subsegment around a whole function.
//!
//! The body becomes a closure, or an async block if the function is `async`, which the runtime runs in the subsegment.
//! `return` and `?` leave a closure or a block as they left the function. The types that the output adds stand outside
//! the user's block, because an item in that block may have the same name:
//! `tests/traced/functions.rs::functions_keep_their_shape` has a function with a `struct String` of its own.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote_spanned};
use syn::ext::IdentExt as _;
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Error, Expr, ExprBlock, Result, ReturnType, Signature, Stmt, Type, parse_quote};

use crate::driver::{Attribute, Owner, Wording};
use crate::head::annotations;
use crate::options::TracedOptions;
use crate::syntax::{boxed_future_mut, span_at, tail_mut};

impl Attribute for TracedOptions {
    const WORDING: Wording = Wording {
        attribute: "traced",
        other: "traced_http",
        no_body: "a function without a body does nothing to trace; annotate one with a body",
        no_function: "expected a function: `#[traced]` stands on a `fn`, or on an `impl`",
        const_fn: "a `const fn` cannot be traced: it may run in the compiler; remove `const`",
    };

    // Every function can be traced. A block all of whose functions say `#[xray(skip)]` says what it means.
    const ACCEPTS_ONLY_SKIPPED: bool = true;

    fn nothing_to_trace() -> String {
        "no function in here to trace; remove the attribute".to_owned()
    }

    fn parse(arguments: TokenStream) -> Result<Self> {
        Self::parse(arguments)
    }

    fn apply(&self, signature: &Signature, block: &mut Block, owner: Owner) -> Result<bool> {
        // Of the functions of an `impl` block, `err` means those that can fail. On one function it is a mistake if the
        // function cannot fail.
        if owner == Owner::Function && self.err && matches!(signature.output, ReturnType::Default) {
            let message = "`err` needs a function that returns a `Result`, and this one returns nothing";
            return Err(Error::new_spanned(&signature.ident, message));
        }
        let records_errors = self.err && (owner == Owner::Function || returns_result(signature));
        Wrapper { signature, options: self, records_errors, span: span_at(&signature.ident) }.wrap(block);
        Ok(true)
    }
}

/// Returns whether the type that a function returns, or the type of its future's output, is named as a `Result`.
/// Aliases such as `io::Result` and `MyResult` count, which is why the name's end decides.
fn returns_result(signature: &Signature) -> bool {
    let text = signature.output.to_token_stream().to_string();
    text.split(|character: char| !character.is_alphanumeric()).any(|word| word.ends_with("Result"))
}

/// Wraps the body of one function.
struct Wrapper<'a> {
    signature: &'a Signature,
    options: &'a TracedOptions,
    /// Whether an `Err` that the function returns is recorded.
    records_errors: bool,
    /// The position of the function's name, where errors about the output point.
    span: Span,
}

impl Wrapper<'_> {
    fn wrap(&self, block: &mut Block) {
        let declaration = Stmt::Expr(Expr::Verbatim(self.declaration()), None);
        if self.signature.asyncness.is_none() {
            if let Some(future) = tail_mut(block).and_then(future_in_mut) {
                self.wrap_future_in_tail(future);
                block.stmts.insert(0, declaration);
                return;
            }
        }
        let wrapped = if self.signature.asyncness.is_some() {
            self.async_body(block)
        } else if returns_future(self.signature) {
            self.body_that_returns_a_future(block)
        } else {
            self.body(block)
        };
        block.stmts = vec![declaration, Stmt::Expr(Expr::Verbatim(wrapped), None)];
    }

    /// Returns the declaration of the variable that stands for one run of the function. It comes before the body, which
    /// may move the parameters that the annotations are made of.
    ///
    /// ```text
    /// Input:  #[traced(annotate(items = cart.len()))] fn price(cart: Cart) -> u32 { .. }
    /// Output: let __xray_subsegment = ::xray::__private::traced::FunctionSubsegment::new("price")
    ///             .annotated(::xray::__private::Annotations::new(|| ..));
    /// ```
    fn declaration(&self) -> TokenStream {
        let (span, common) = (self.span, &self.options.common);
        let runtime = &common.runtime;
        let name = common.name.as_ref().map_or_else(|| self.signature.ident.unraw().to_string(), syn::LitStr::value);
        let annotated = (!common.annotations.is_empty()).then(|| {
            let annotations = annotations(&common.annotations, runtime, span);
            quote_spanned!(span=> .annotated(#annotations))
        });
        quote_spanned! {span=>
            let __xray_subsegment = #runtime::__private::traced::FunctionSubsegment::new(#name) #annotated;
        }
    }

    /// A function that is not `async` and ends in an async block: the subsegment is that block's.
    ///
    /// So `#[traced]` may stand above and below `#[async_trait]`, which makes such functions. What stands before the
    /// block runs when the function is called, outside the subsegment.
    fn wrap_future_in_tail(&self, future: &mut Expr) {
        // Input:  Box::pin(async move { body })
        // Output: Box::pin(__xray_subsegment.around_future(async move { body }, check))
        let (span, check) = (self.span, self.check());
        *future = Expr::Verbatim(quote_spanned!(span=> __xray_subsegment.around_future(#future, #check)));
    }

    /// The body of an `async fn`.
    fn async_body(&self, block: &Block) -> TokenStream {
        // Input:  async fn load(id: u32) -> Result<Todo, Error> { body }
        // Output: __xray_subsegment
        //             .around_future(
        //                 async move {
        //                     if false {
        //                         return ::xray::__private::traced::never::<Result<Todo, Error>>();
        //                     }
        //                     { body }
        //                 },
        //                 check,
        //             )
        //             .await
        let (span, runtime, check) = (self.span, &self.options.common.runtime, self.check());
        let (result, is_never) = self.result();
        // An async block has no place to write the type of its output. The `return`, which is never run, tells type
        // inference the type before it reads the body. Without it, `Ok(x?)` could not choose an error type, and
        // `Box::new(1)` would not be coerced to `Box<dyn Debug>`. (tracing-attributes does the same.) There is nothing
        // to write where the whole result is an `impl Trait`.
        let hint = (!matches!(result, Type::Infer(_))).then(|| {
            quote_spanned! {span=>
                if false {
                    return #runtime::__private::traced::never::<#result>();
                }
            }
        });
        let wrapped = quote_spanned! {span=>
            __xray_subsegment.around_future(async move { #hint #block }, #check).await
        };
        self.diverging(wrapped, is_never)
    }

    /// The body of a function that returns `impl Future` and does not end in an async block: the subsegment lasts from
    /// the function's call to the future's end.
    fn body_that_returns_a_future(&self, block: &Block) -> TokenStream {
        // Input:  fn load(id: u32) -> impl Future<Output = Todo> { body }
        // Output: __xray_subsegment.around_returned_future(move || -> _ { body }, check)
        let (span, check, (result, _)) = (self.span, self.check(), self.result());
        quote_spanned!(span=> __xray_subsegment.around_returned_future(move || -> #result #block, #check))
    }

    /// The body of any other function.
    fn body(&self, block: &Block) -> TokenStream {
        // Input:  fn price(cart: &Cart) -> Result<u32, Error> { body }
        // Output: __xray_subsegment.around(move || -> Result<u32, Error> { body }, check)
        let (span, check, (result, is_never)) = (self.span, self.check(), self.result());
        // `move`: the body may return what it takes out of a parameter, and a parameter lives as long in the closure as
        // it did in the body.
        let wrapped = quote_spanned!(span=> __xray_subsegment.around(move || -> #result #block, #check));
        self.diverging(wrapped, is_never)
    }

    /// The closure that looks at what the function returns.
    fn check(&self) -> TokenStream {
        let (span, runtime) = (self.span, &self.options.common.runtime);
        if !self.records_errors {
            return quote_spanned!(span=> |_, _| ());
        }
        // The six references are the rungs of a ladder, see the runtime's `private::error`. They stand here and not in
        // a function of the runtime, because there the type of the error would be a parameter and no rung but the last
        // could be chosen.
        quote_spanned! {span=>
            |__xray_result: &::core::result::Result<_, _>, __xray_context| {
                if let ::core::result::Result::Err(__xray_error) = __xray_result {
                    use #runtime::__private::error::*;
                    (&&&&&&Returned(__xray_error)).__xray_record(__xray_context);
                }
            }
        }
    }

    /// Returns the type of what the function returns, as the closure around its body may name it, and whether that type
    /// is `!`.
    ///
    /// ```text
    /// Input:  Result<impl Iterator<Item = u32>, Error>    Output: Result<_, Error>
    /// Input:  !                                           Output: ::core::convert::Infallible
    /// ```
    fn result(&self) -> (Type, bool) {
        struct Erase;
        impl VisitMut for Erase {
            fn visit_type_mut(&mut self, of: &mut Type) {
                match of {
                    // `impl Trait` may only be written in signatures. `_` lets the body say what it is.
                    Type::ImplTrait(_) => *of = parse_quote!(_),
                    _ => visit_mut::visit_type_mut(self, of),
                }
            }
        }
        let span = self.span;
        match &self.signature.output {
            ReturnType::Default => (Type::Verbatim(quote_spanned!(span=> ())), false),
            // The result becomes a type parameter of `around`, and on stable `!` is no type argument. Another type
            // without values stands in for it; see `diverging`.
            ReturnType::Type(_, of) if matches!(**of, Type::Never(_)) => {
                (Type::Verbatim(quote_spanned!(span=> ::core::convert::Infallible)), true)
            }
            ReturnType::Type(_, of) => {
                let mut of = Type::clone(of);
                Erase.visit_type_mut(&mut of);
                (of, false)
            }
        }
    }

    /// Makes an `Infallible` what the function promised, `!`: a `match` without arms diverges.
    fn diverging(&self, wrapped: TokenStream, is_never: bool) -> TokenStream {
        let span = self.span;
        if is_never { quote_spanned!(span=> match #wrapped {}) } else { wrapped }
    }
}

/// Returns whether a function returns `impl Future`.
fn returns_future(signature: &Signature) -> bool {
    let ReturnType::Type(_, of) = &signature.output else { return false };
    let Type::ImplTrait(of) = &**of else { return false };
    of.bounds.iter().any(|bound| match bound {
        syn::TypeParamBound::Trait(bound) => bound.path.segments.last().is_some_and(|last| last.ident == "Future"),
        _ => false,
    })
}

/// Returns the async block that an expression is or puts into a box, as `#[async_trait]` makes one of a function.
fn future_in_mut(expression: &mut Expr) -> Option<&mut Expr> {
    match expression {
        Expr::Async(_) => Some(expression),
        Expr::Paren(paren) => future_in_mut(&mut paren.expr),
        Expr::Group(group) => future_in_mut(&mut group.expr),
        // `break 'label value` may leave a block with a label before its end.
        Expr::Block(ExprBlock { label: None, block, .. }) => future_in_mut(tail_mut(block)?),
        Expr::Call(_) | Expr::MethodCall(_) => future_in_mut(boxed_future_mut(expression)?),
        _ => None,
    }
}
