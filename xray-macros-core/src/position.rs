//! Where the value of an expression goes, and whether a future may have any type there.
//!
//! A traced call returns a future of another type than the client's. So the future of a client is replaced only where
//! the syntax shows that any future is accepted: it is awaited, combined by a method of futures, or passed to a
//! function that takes every future. Elsewhere its type may be named: by a struct's field, a type alias, the parameter
//! of a function. A call in such a position keeps its type. `tests/it/shapes/named_futures.rs`

use quote::ToTokens as _;
use syn::visit::{self, Visit};
use syn::{
    Block, Expr, ExprAsync, ExprCall, ExprClosure, ExprMethodCall, ExprReturn, GenericArgument, Item, Local, Pat,
    PathArguments, PathSegment, ReturnType, Signature, StmtMacro, Type, TypeParamBound,
};

use crate::attributes::attributes;
use crate::combinators::{
    is_future_trait, is_list_of_any, is_one_of, lists_results, passes_items, polls_arguments, polls_items,
    polls_receiver, polls_results, wraps_arguments, wraps_receiver,
};
use crate::conditions::tails;
use crate::ends::{Ends, branches};
use crate::options::CallOptions;
use crate::syntax::{identifiers, is_box_pin, peeled, text};

/// Where the value of an expression goes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Position {
    /// Not known. The value may go anywhere, and if it is a future, its type may be named there.
    #[default]
    Elsewhere,
    /// Into a boxed trait object. If the value is a box of a future, the future may have any type.
    Boxed,
    /// A method is called on the value. `accepts_any_future` says whether the method accepts any future.
    Receiver { accepts_any_future: bool },
    /// `?` is applied to it, so it is not a future.
    Tried,
    /// Into `.await`.
    Awaited,
    /// Into other code that accepts a future of any type, or a list of such futures.
    AnyFuture,
    /// Into code that accepts only a list of futures of any type.
    AnyFutures,
    /// Beside another branch with `#[xray(skip)]`. The branches have one type, so nothing is replaced here.
    Skipped,
}

impl Position {
    /// Returns whether a future in this position may have any type.
    pub(crate) fn accepts_any_future(self) -> bool {
        matches!(self, Self::Awaited | Self::AnyFuture | Self::Receiver { accepts_any_future: true })
    }

    /// Returns the position of the receiver of a method call in this position. `method` is the name of the method.
    pub(crate) fn of_receiver(self, call: &ExprMethodCall, method: &str) -> Self {
        if polls_items(method) || (self.accepts_list() && passes_items(call)) {
            return Self::AnyFutures;
        }
        let is_wrapped = self.accepts_any_future() && wraps_receiver(method);
        Self::Receiver { accepts_any_future: is_wrapped || polls_receiver(method) }
    }

    /// Returns the position of the arguments of a function call in this position.
    pub(crate) fn of_arguments(self, call: &ExprCall) -> Self {
        let Expr::Path(function) = peeled(&call.func) else { return Self::Elsewhere };
        let Some(name) = function.path.segments.last() else { return Self::Elsewhere };
        if is_box_pin(&call.func) {
            return self.of_content();
        }
        self.of_arguments_for(&text(&name.ident))
    }

    /// Returns the position of a future, for its box or pin in this position.
    pub(crate) fn of_content(self) -> Self {
        let is_replaced = self == Self::Boxed || self.accepts_any_future();
        if is_replaced { Self::AnyFuture } else { Self::Elsewhere }
    }

    /// Returns the position of the arguments of a method or function whose call is in this position.
    pub(crate) fn of_arguments_for(self, name: &str) -> Self {
        let is_wrapped = self.accepts_any_future() && wraps_arguments(name);
        if is_wrapped || polls_arguments(name) { Self::AnyFuture } else { Self::Elsewhere }
    }

    /// Returns the position of the value that a closure returns, for a closure that is passed to a method in this
    /// position. `takes_item` is `true` if the closure has a parameter.
    pub(crate) fn of_closure_for(self, name: &str, takes_item: bool) -> Self {
        let is_listed = self.accepts_list() && lists_results(name);
        if is_listed || polls_results(name, takes_item) { Self::AnyFuture } else { Self::Elsewhere }
    }

    fn accepts_list(self) -> bool {
        matches!(self, Self::Awaited | Self::AnyFuture | Self::AnyFutures)
    }

    /// Returns the position of the value that a function returns.
    pub(crate) fn of_result(signature: &Signature, block: &Block) -> Self {
        // The value that an `async fn` returns is the output of its future.
        let ReturnType::Type(_, result) = &signature.output else { return Self::Elsewhere };
        let position = if signature.asyncness.is_some() { Self::Elsewhere } else { Self::of_type(result) };
        if !position.accepts_any_future() {
            return position;
        }
        position.with_returns(&Returns::of(|returns| returns.visit_block(block)), tails(block))
    }

    /// Returns the position of the value that a closure returns, for a closure whose value goes to this position.
    pub(crate) fn of_closure(self, closure: &ExprClosure) -> Self {
        let position = match &closure.output {
            _ if closure.asyncness.is_some() => Self::Elsewhere,
            ReturnType::Type(_, ty) => Self::of_type(ty),
            ReturnType::Default => self,
        };
        if !position.accepts_any_future() {
            return position;
        }
        let returns = Returns::of(|returns| returns.visit_expr(&closure.body));
        position.with_returns(&returns, vec![&closure.body])
    }

    /// Returns this position if the future can be replaced at every `return` and at the end, and `Elsewhere` otherwise.
    /// A function returns values of one type. `tests/it/shapes/named_futures.rs::with_returns`
    fn with_returns(self, returns: &Returns, end: Vec<&Expr>) -> Self {
        // A body without a value at the end leaves by its `return`s alone.
        let of_end = || Ends::of_all(end);
        let is_one_type =
            returns.count == 0 || returns.ends.zip(of_end()).is_some_and(|(one, other)| one.with(other).is_some());
        if is_one_type { self } else { Self::Elsewhere }
    }

    /// Returns the position of a value that is converted to a type.
    pub(crate) fn of_type(ty: &Type) -> Self {
        match ty {
            Type::ImplTrait(_) if is_open(ty) => Self::AnyFuture,
            Type::Path(path) => {
                let Some(last) = path.path.segments.last() else { return Self::Elsewhere };
                // `Self::Future` of a boxing service is a box: tests/it/shapes/named_futures.rs::Boxes
                let may_be_boxed = last.ident.to_string().ends_with("Future");
                let is_object = identifiers(ty.to_token_stream()).any(|name| name == "dyn");
                if may_be_boxed || is_object { Self::Boxed } else { Self::Elsewhere }
            }
            _ => Self::Elsewhere,
        }
    }

    /// Returns the position of the initializer of a `let`, if the pattern and the type of the `let` determine it.
    pub(crate) fn of_local(local: &Local) -> Option<Self> {
        match &local.pat {
            Pat::Wild(_) => Some(Self::AnyFuture),
            Pat::Type(typed) => match &*typed.ty {
                Type::Infer(_) => None,
                ty if is_list_of_any(ty) => None,
                ty => Some(Self::of_type(ty)),
            },
            Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => None,
            _ => Some(Self::Elsewhere),
        }
    }

    /// Returns the position of the value of a macro call that is a statement. With a semicolon, as after
    /// `tokio::pin!(future);`, the value is dropped.
    pub(crate) fn of_macro_statement(statement: &StmtMacro) -> Self {
        if statement.semi_token.is_some() { Self::AnyFuture } else { Self::Elsewhere }
    }

    /// Returns the position of the values that the branches of an expression in this position have. The branches have
    /// one type, so a future is replaced in all of them or in none.
    pub(crate) fn of_branches(self, expression: &Expr) -> Self {
        if has_skipped_branch(expression) {
            Self::Skipped
        } else if self.accepts_any_future() {
            if Ends::of(expression).is_some() { Self::AnyFuture } else { Self::Elsewhere }
        } else {
            self
        }
    }
}

/// Returns whether a type is `impl Future`, or a list or closure of such: `impl Iterator<Item = impl Future>`, but not
/// `impl Iterator<Item = ResponseFuture>`. `tests/it/shapes/evaluation.rs::named_by_an_iterator`
fn is_open(ty: &Type) -> bool {
    let Type::ImplTrait(of) = ty else { return false };
    let is_open_bound = |of: &PathSegment| named_item(of).map_or(is_future_trait(&of.ident), is_open);
    of.bounds.iter().all(|bound| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last().is_some_and(is_open_bound),
        _ => true,
    })
}

/// Returns the type that the trait of a list or of a closure names: `T` in `Iterator<Item = T>` and in `Fn() -> T`.
fn named_item(of: &PathSegment) -> Option<&Type> {
    const LISTS_AND_CLOSURES: &[&str] =
        &["Fn", "FnMut", "FnOnce", "Iterator", "IntoIterator", "Stream", "DoubleEndedIterator"];

    match &of.arguments {
        _ if !is_one_of(&of.ident, LISTS_AND_CLOSURES) => None,
        PathArguments::AngleBracketed(arguments) => arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(item) => Some(&item.ty),
            _ => None,
        }),
        PathArguments::Parenthesized(function) => match &function.output {
            ReturnType::Type(_, output) => Some(output),
            ReturnType::Default => None,
        },
        PathArguments::None => None,
    }
}

/// The values of the `return`s of a function or closure.
struct Returns {
    count: usize,
    ends: Option<Ends>,
}

impl Returns {
    fn of(visit: impl FnOnce(&mut Self)) -> Self {
        let mut returns = Self { count: 0, ends: Some(Ends::default()) };
        visit(&mut returns);
        returns
    }
}

impl<'ast> Visit<'ast> for Returns {
    fn visit_expr_return(&mut self, returned: &'ast ExprReturn) {
        self.count += 1;
        let ends = returned.expr.as_deref().and_then(Ends::of);
        self.ends = self.ends.zip(ends).and_then(|(one, other)| one.with(other));
        visit::visit_expr_return(self, returned);
    }

    // These have `return`s of their own.
    fn visit_expr_closure(&mut self, _: &'ast ExprClosure) {}
    fn visit_expr_async(&mut self, _: &'ast ExprAsync) {}
    fn visit_item(&mut self, _: &'ast Item) {}
}

/// Returns whether a branch of an expression ends in a call with `#[xray(skip)]`.
fn has_skipped_branch(expression: &Expr) -> bool {
    let ends = branches(expression).unwrap_or_default();
    ends.len() > 1 && ends.into_iter().any(|end| CallOptions::skips(attributes(peeled(end))))
}
