//! Implements `#[traced]`: records a subsegment for a whole function.
//!
//! The body becomes a closure, or an async block if the function is `async`, and the runtime runs it in the subsegment.
//! `return` and `?` in the body return from the closure or block. The types that the expansion adds are outside the
//! user's block, because an item in that block may have the same name:
//! `tests/it/traced/functions.rs::functions_keep_their_shape` has a function with its own `struct String`.

use std::collections::HashSet;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote_spanned};
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{
    Block, Error, Expr, ExprBlock, FnArg, Local, Pat, PatIdent, ReceiverKind, Result, ReturnType, Signature, Stmt,
    Type, TypeParamBound, parse_quote,
};

use crate::attributes::is_conditional;
use crate::combinators::{is_future_trait, is_one_of};
use crate::conditions::tails_mut;
use crate::driver::{AttributeMacro, Messages, Owner, Searched};
use crate::head::annotations;
use crate::options::TracedOptions;
use crate::syntax::{boxed_future_mut, identifiers_in_macro, span_at, starts_upper_case, text};

impl AttributeMacro for TracedOptions {
    const MESSAGES: Messages = Messages {
        attribute: "traced",
        other: "traced_http",
        no_body: "this function has no body to trace; put `#[traced]` on its implementation",
        no_function: "expected a function, an `impl` block or a module: put `#[traced]` on a `fn`, an `impl` or a `mod`",
        const_fn: "a `const fn` cannot be traced, because it may run in the compiler; remove `const`",
    };

    // Every function can be traced, so an `impl` block or a module without a traced function is the user's explicit
    // choice.
    const ACCEPTS_UNCHANGED_CONTAINERS: bool = true;

    fn nothing_to_trace(_: Searched) -> String {
        "no function to trace; remove the attribute".to_owned()
    }

    fn parse(arguments: TokenStream) -> Result<Self> {
        Self::parse(arguments)
    }

    fn is_applied(block: &Block) -> bool {
        block.stmts.iter().any(|statement| match statement {
            Stmt::Local(Local { pat: Pat::Ident(name), .. }) => name.ident == "__xray_subsegment",
            _ => false,
        })
    }

    fn apply(&self, signature: &Signature, block: &mut Block, owner: Owner, _: &[syn::Attribute]) -> Result<bool> {
        if owner == Owner::Function && self.err {
            check_returns_result(signature)?;
        }
        // On an `impl` block or a module, `err` applies to the functions that return a `Result`.
        let records_errors = self.err && (owner == Owner::Function || returns_result(signature));
        BodyWrapper { signature, options: self, records_errors, span: span_at(&signature.ident) }.wrap(block);
        Ok(true)
    }

    fn useless_option(&self, member: &Signature) -> Option<&'static str> {
        let message =
            "no function here returns a type whose name ends in `Result`, so `err` has no effect; remove `err`";
        (self.err && !returns_result(member)).then_some(message)
    }
}

/// Checks that a function under `err` may return a `Result`, as far as its syntax shows. The runtime's trait
/// `ReturnsResult` checks the type.
fn check_returns_result(signature: &Signature) -> Result<()> {
    const REMEDY: &str = "remove `err`, or return a `Result`";
    match &signature.output {
        ReturnType::Default => {
            let message = format!(
                "`err` requires a function that returns a `Result`, but this function returns nothing; {REMEDY}"
            );
            Err(Error::new_spanned(&signature.ident, message))
        }
        ReturnType::Type(_, of) => match &**of {
            // `!` and `impl Trait` cannot be named in the body, where the type would be checked.
            Type::Never(_) => {
                let message = format!(
                    "`err` requires a function that returns a `Result`, but this function never returns; {REMEDY}"
                );
                Err(Error::new_spanned(of, message))
            }
            Type::ImplTrait(_) if signature.asyncness.is_some() || !may_return_future(signature) => {
                let message = format!("`err` requires a function that returns a `Result`; {REMEDY}");
                Err(Error::new_spanned(of, message))
            }
            _ => Ok(()),
        },
    }
}

/// Returns whether the return type of a function, or the output of its future, has a name that ends in `Result`. This
/// includes aliases such as `io::Result` and `MyResult`.
fn returns_result(signature: &Signature) -> bool {
    let text = signature.output.to_token_stream().to_string();
    text.split(|character: char| !character.is_alphanumeric()).any(|word| word.ends_with("Result"))
}

/// Wraps the body of one function.
struct BodyWrapper<'a> {
    signature: &'a Signature,
    options: &'a TracedOptions,
    /// `true` if an `Err` that the function returns is recorded.
    records_errors: bool,
    /// The position of the function's name. Errors about the generated code are reported there.
    span: Span,
}

impl BodyWrapper<'_> {
    fn wrap(&self, block: &mut Block) {
        let declaration = Stmt::Expr(Expr::Verbatim(self.declaration()), None);
        if self.signature.asyncness.is_none() {
            let futures = futures_in_mut(block).unwrap_or_default();
            if !futures.is_empty() {
                for future in futures {
                    self.wrap_future_in_tail(future);
                }
                block.stmts.insert(0, declaration);
                return;
            }
        }
        block.stmts.splice(0..0, self.naming_of_parameters(block));
        let wrapped = if self.signature.asyncness.is_some() {
            self.async_body(block)
        } else if returns_future(self.signature) {
            self.body_that_returns_a_future(block)
        } else {
            self.body(block)
        };
        block.stmts = vec![declaration, Stmt::Expr(Expr::Verbatim(wrapped), None)];
    }

    /// Returns the declaration of the variable that holds the subsegment of one call to the function. It comes before
    /// the body, because the body may move the parameters that the annotations use.
    ///
    /// ```text
    /// Input:  #[traced(annotate(items = cart.len()))] fn price(cart: Cart) -> u32 { .. }
    /// Output: let __xray_subsegment = ::xray::__private::traced::FunctionSubsegment::new({
    ///             static __XRAY_FUNCTION: ::xray::__private::traced::TracedFunction =
    ///                 ::xray::__private::traced::TracedFunction::new("price", "price", ::core::file!(), ::core::line!());
    ///             &__XRAY_FUNCTION
    ///         })
    ///         .annotated(::xray::__private::Annotations::new(|| ..));
    /// ```
    fn declaration(&self) -> TokenStream {
        let (span, common) = (self.span, &self.options.common);
        let runtime = &common.runtime;
        let function = text(&self.signature.ident);
        let name = common.name.as_ref().map_or_else(|| function.clone(), syn::LitStr::value);
        let line = quote_spanned!(self.signature.ident.span()=> ::core::line!());
        let annotated = (!common.annotations.is_empty()).then(|| {
            let annotations = annotations(&common.annotations, runtime, span);
            quote_spanned!(span=> .annotated(#annotations))
        });
        quote_spanned! {span=>
            let __xray_subsegment = #runtime::__private::traced::FunctionSubsegment::new({
                static __XRAY_FUNCTION: #runtime::__private::traced::TracedFunction =
                    #runtime::__private::traced::TracedFunction::new(#name, #function, ::core::file!(), #line);
                &__XRAY_FUNCTION
            }) #annotated;
        }
    }

    /// Returns a statement for the start of a body that becomes a `move` closure or block, so that the parameters are
    /// dropped in the order in which the function drops them: the last one first.
    ///
    /// ```text
    /// Input:  fn pay(connection: Connection, _guard: Guard) { connection.commit() }
    /// Output: .. move || -> () { let _ = (&_guard, &connection); connection.commit() }
    /// ```
    ///
    /// A closure drops what it captures in the order in which its body first names it, and it captures only the fields
    /// that the body names. A parameter that the body does not name would be dropped after the closure.
    /// `tests/it/traced/functions.rs::parameters_are_dropped_as_before`
    fn naming_of_parameters(&self, block: &Block) -> Option<Stmt> {
        let mut parameters = Vec::new();
        for parameter in &self.signature.inputs {
            match parameter {
                FnArg::Receiver(receiver) if !matches!(receiver.kind, ReceiverKind::Reference(..)) => {
                    parameters.push(Ident::from(receiver.self_token));
                }
                FnArg::Typed(typed) if may_have_destructor(&typed.ty) && !is_conditional(&typed.attrs) => {
                    parameters.extend(names_in(&typed.pat));
                }
                _ => {}
            }
        }
        if parameters.is_empty() {
            return None;
        }
        // If the body does not name a parameter, the compiler warns about it, unless its name begins with `_`.
        let is_guard = |name: &Ident| text(name).starts_with('_');
        let in_body: HashSet<_> = identifiers_in_macro(&block.to_token_stream()).map(|name| text(&name)).collect();
        parameters.retain(|name| is_guard(name) || in_body.contains(&text(name)));
        // Clippy reports the use of a name that begins with `_`.
        let allow = parameters
            .iter()
            .any(is_guard)
            .then(|| quote_spanned!(self.span=> #[allow(clippy::used_underscore_binding)]));
        let last_first = parameters.iter().rev();
        let naming = quote_spanned!(self.span=> #allow let _ = (#(&#last_first,)*););
        (!parameters.is_empty()).then(|| Stmt::Expr(Expr::Verbatim(naming), None))
    }

    /// Wraps the async block at the end of a function that is not `async`. The subsegment covers only that block; the
    /// code before it runs when the function is called.
    ///
    /// `#[async_trait]` generates such functions, so `#[traced]` works above and below it.
    fn wrap_future_in_tail(&self, future: &mut Expr) {
        // Input:  Box::pin(async move { body })
        // Output: Box::pin(__xray_subsegment.around_future(async move { body }, check))
        let (span, check) = (self.span, self.check());
        *future = Expr::Verbatim(quote_spanned!(span=> __xray_subsegment.around_future(#future, #check)));
    }

    /// Wraps the body of an `async fn`.
    fn async_body(&self, block: &Block) -> TokenStream {
        // Input:  async fn load(id: u32) -> Result<Todo, Error> { body }
        // Output: __xray_subsegment
        //             .around_future(
        //                 #[allow(clippy::async_yields_async)]
        //                 async move {
        //                     if false {
        //                         return ::xray::__private::traced::never::<Result<Todo, Error>>();
        //                     }
        //                     ({ body })
        //                 },
        //                 check,
        //             )
        //             .await
        //
        // The braces are the user's. Their position has the user's edition, which decides when the temporaries of the
        // last expression are dropped: tests/crates/shapes-2021/only_2021.rs. Without the parentheses, braces around a
        // body on one line would trigger the lint `unused_braces`: tests/it/lints/one_line.rs
        let (span, runtime, check) = (self.span, &self.options.common.runtime, self.check());
        let (result, is_never) = self.result();
        // Rust has no syntax for the output type of an async block. The unreachable `return` determines the type before
        // the compiler infers types in the body. Without it, the error type of `Ok(x?)` would be ambiguous, and
        // `Box::new(1)` would not be coerced to `Box<dyn Debug>`. tracing-attributes does the same. The `return` is
        // left out if the whole return type is an `impl Trait`, which cannot be named in a body.
        let hint = (!matches!(result, Type::Infer(_))).then(|| {
            quote_spanned! {span=>
                if false {
                    return #runtime::__private::traced::never::<#result>();
                }
            }
        });
        // Clippy reports an async block whose output is a future, but not an `async fn` whose output is one.
        let wrapped = quote_spanned! {span=>
            __xray_subsegment
                .around_future(#[allow(clippy::async_yields_async)] async move { #hint (#block) }, #check)
                .await
        };
        self.diverging(wrapped, is_never)
    }

    /// Wraps the body of a function that returns `impl Future` and does not end in an async block. The subsegment lasts
    /// from the call to the function to the end of the future.
    fn body_that_returns_a_future(&self, block: &Block) -> TokenStream {
        // Input:  fn load(id: u32) -> impl Future<Output = Todo> { body }
        // Output: __xray_subsegment.around_returned_future(move || -> _ { body }, check)
        let (span, check, (result, _)) = (self.span, self.check(), self.result());
        quote_spanned!(span=> __xray_subsegment.around_returned_future(move || -> #result #block, #check))
    }

    /// Wraps the body of any other function.
    fn body(&self, block: &Block) -> TokenStream {
        // Input:  fn price(cart: &Cart) -> Result<u32, Error> { body }
        // Output: __xray_subsegment.around(move || -> Result<u32, Error> { body }, check)
        let (span, check, (result, is_never)) = (self.span, self.check(), self.result());
        // The closure is `move`, because the body may move a value out of a parameter and return it.
        let wrapped = quote_spanned!(span=> __xray_subsegment.around(move || -> #result #block, #check));
        self.diverging(wrapped, is_never)
    }

    /// Returns the closure that records an error in the function's return value.
    fn check(&self) -> TokenStream {
        let (span, runtime) = (self.span, &self.options.common.runtime);
        if !self.records_errors {
            return quote_spanned!(span=> |_, _| ());
        }
        // Each of the six references is a rung of a ladder: method lookup tries one implementation for each; see the
        // runtime's `private::error`. The expression must be in the expansion. In a generic function of the runtime the
        // type of the error would be a type parameter, and lookup would always select the last rung.
        //
        // If the function does not return a `Result`, the bound of `error_of` is an error with a message of this crate.
        // A pattern such as `Err(error)` would be a type error about names that the user did not write.
        // tests/ui/compiler/traced_err.rs
        quote_spanned! {span=>
            |__xray_result, __xray_context| {
                if let ::core::option::Option::Some(__xray_error) = #runtime::__private::traced::error_of(__xray_result) {
                    use #runtime::__private::error::*;
                    (&&&&&&ReturnedError(__xray_error)).__xray_record(__xray_context);
                }
            }
        }
    }

    /// Returns the return type of the function in a form that a closure's signature accepts, and whether the type is
    /// `!`.
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
                    // `impl Trait` is allowed only in the signature of a function. `_` is inferred from the body.
                    Type::ImplTrait(_) => *of = parse_quote!(_),
                    _ => visit_mut::visit_type_mut(self, of),
                }
            }
        }
        let span = self.span;
        match &self.signature.output {
            ReturnType::Default => (Type::Verbatim(quote_spanned!(span=> ())), false),
            // The return type becomes a type argument of `around`. On stable, `!` cannot be a type argument, so the
            // uninhabited type `Infallible` replaces it; see `diverging`.
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

    /// Converts `Infallible` to the function's return type `!`, with a `match` without arms.
    fn diverging(&self, wrapped: TokenStream, is_never: bool) -> TokenStream {
        let span = self.span;
        if is_never { quote_spanned!(span=> match #wrapped {}) } else { wrapped }
    }
}

/// Traits of futures that the runtime's `FunctionFuture` does not implement.
const TRAITS_OF_OTHER_FUTURES: &[&str] = &["Debug", "FusedFuture", "RefUnwindSafe", "UnwindSafe"];

/// Returns whether a function returns `impl Future`, and the future can be wrapped: the wrapper does not implement a
/// trait of the program. `tests/it/traced/functions.rs::a_future_keeps_its_traits`
fn returns_future(signature: &Signature) -> bool {
    let is_kept = |name: &Ident| is_future_trait(name) && !is_one_of(name, TRAITS_OF_OTHER_FUTURES);
    may_return_future(signature) && traits_of_result(signature).iter().all(is_kept)
}

/// Returns whether a function returns `impl Future`. If its body ends in an async block, that block is wrapped, and an
/// async block implements only traits that every future implements.
fn may_return_future(signature: &Signature) -> bool {
    traits_of_result(signature).iter().any(|name| name == "Future")
}

/// Returns the names of the traits in the result type of a function, if that type is an `impl Trait`.
fn traits_of_result(signature: &Signature) -> Vec<Ident> {
    let ReturnType::Type(_, of) = &signature.output else { return Vec::new() };
    let Type::ImplTrait(of) = &**of else { return Vec::new() };
    let names = of.bounds.iter().filter_map(|bound| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last().map(|last| last.ident.clone()),
        _ => None,
    });
    names.collect()
}

/// Returns the async blocks that may be the value of a block: one, or one for each `#[cfg]`. Returns `None` if another
/// value is possible. `tests/it/traced/functions.rs::alternatives_at_the_end`
fn futures_in_mut(block: &mut Block) -> Option<Vec<&mut Expr>> {
    let futures: Option<Vec<_>> = tails_mut(block).into_iter().map(future_in_mut).collect();
    Some(futures?.into_iter().flatten().collect())
}

/// Returns the async block in an expression that is an async block, or puts one into a box, as the bodies generated by
/// `#[async_trait]` do.
fn future_in_mut(expression: &mut Expr) -> Option<Vec<&mut Expr>> {
    match expression {
        Expr::Async(_) => Some(vec![expression]),
        Expr::Paren(paren) => future_in_mut(&mut paren.expr),
        Expr::Group(group) => future_in_mut(&mut group.expr),
        // A block with a label may end early, by `break 'label value`.
        Expr::Block(ExprBlock { label: None, block, .. }) => futures_in_mut(block),
        Expr::Call(_) | Expr::MethodCall(_) => future_in_mut(boxed_future_mut(expression)?),
        _ => None,
    }
}

/// Returns the variables that the pattern of a parameter declares.
fn names_in(pattern: &Pat) -> Vec<Ident> {
    struct Names(Vec<Ident>);
    impl<'ast> Visit<'ast> for Names {
        fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
            // A name that begins with a capital letter is a unit struct.
            if pattern.by_ref.is_none() && !starts_upper_case(&pattern.ident) {
                self.0.push(pattern.ident.clone());
            }
            visit::visit_pat_ident(self, pattern);
        }
    }
    let mut names = Names(Vec::new());
    names.visit_pat(pattern);
    names.0
}

/// Returns whether a drop of a value of this type may have an effect, as far as its syntax shows.
fn may_have_destructor(of: &Type) -> bool {
    const PLAIN: &[&str] = &[
        "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128",
        "usize",
    ];
    match of {
        Type::Reference(_) => false,
        Type::Path(path) => !PLAIN.iter().any(|plain| path.path.is_ident(plain)),
        _ => true,
    }
}
