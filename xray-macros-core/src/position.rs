//! Where the value of an expression goes, and whether a future may have any type there.
//!
//! A traced call returns a future of another type than the client's. So the future of a client is replaced only where
//! the syntax shows that any future is accepted: it is awaited, combined by a method of futures, or passed to a
//! function that takes every future. Elsewhere its type may be named: by a struct's field, a type alias, the parameter
//! of a function. A call in such a position keeps its type. `tests/it/shapes/named_futures.rs`

use std::iter;

use syn::{
    Block, Expr, ExprCall, ExprClosure, ExprMethodCall, GenericArgument, Local, Pat, PathArguments, PathSegment,
    ReturnType, Signature, StmtMacro, Type, TypeParamBound,
};

use crate::attributes::attributes;
use crate::combinators::{
    is_future_trait, is_list_of_any, is_one_of, lists_results, merges_lists, passes_items, polls_arguments,
    polls_items, polls_receiver, polls_results, returns_loser, takes_list, wraps_arguments, wraps_receiver,
};
use crate::conditions::tails;
use crate::ends::{Ends, Returns, are_of_one_type, branches};
use crate::options::CallOptions;
use crate::syntax::{function_name, is_box_pin, peeled, text};

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
    /// Into patterns that take the two sides of an `Either` apart, or nowhere: the value is that of
    /// `select(first, second).await`.
    TakenApart,
    /// Into `.await`, and the result is taken apart.
    AwaitedAndTakenApart,
    /// Into other code that accepts a future of any type, or a closure that returns such a future.
    AnyFuture,
    /// Into code that accepts a list of futures of any type, and polls each of them.
    AnyFutures,
    /// Beside another branch with `#[xray(skip)]`. The branches have one type, so nothing is replaced here.
    Skipped,
}

impl Position {
    /// Returns whether a future in this position may have any type.
    pub(crate) fn accepts_any_future(self) -> bool {
        let is_awaited = matches!(self, Self::Awaited | Self::AwaitedAndTakenApart);
        is_awaited || matches!(self, Self::AnyFuture | Self::Receiver { accepts_any_future: true })
    }

    /// Returns the position of the receiver of a method call in this position. `method` is the name of the method.
    pub(crate) fn of_receiver(self, call: &ExprMethodCall, method: &str) -> Self {
        // `select(first, second).await.factor_first()` returns an `Either` of the two futures.
        if method == "factor_first" && awaits_loser(&call.receiver) {
            return Self::TakenApart;
        }
        let is_passed = self == Self::AnyFutures && (passes_items(call) || self.merges_lists(call, method));
        if is_passed || polls_items(method) {
            return Self::AnyFutures;
        }
        let is_wrapped = self.accepts_any_future() && wraps_receiver(method);
        Self::Receiver { accepts_any_future: is_wrapped || polls_receiver(method) }
    }

    /// Returns whether a method merges two lists in this position, which can be replaced both.
    /// `tests/it/shapes/combined.rs::beside_other_lists`
    fn merges_lists(self, call: &ExprMethodCall, method: &str) -> bool {
        self == Self::AnyFutures && merges_lists(method) && Ends::of_list_of_method(call).is_some()
    }

    /// Returns the position of the arguments of a method call in this position.
    pub(crate) fn of_arguments_of_method(self, call: &ExprMethodCall, method: &str) -> Self {
        if self.merges_lists(call, method) { Self::AnyFutures } else { self.of_arguments_for(method) }
    }

    /// Returns the position of the arguments of a function call in this position.
    pub(crate) fn of_arguments(self, call: &ExprCall) -> Self {
        let Expr::Path(function) = peeled(&call.func) else { return Self::Elsewhere };
        let Some(name) = function.path.segments.last() else { return Self::Elsewhere };
        if is_box_pin(&call.func) {
            return self.of_content();
        }
        let name = text(&name.ident);
        // tests/it/shapes/combined.rs::losers
        if returns_loser(&name) && self != Self::AwaitedAndTakenApart && !are_of_one_type(call) {
            return Self::Elsewhere;
        }
        self.of_arguments_for(&name)
    }

    /// Returns the position of a future, for its box or pin in this position.
    pub(crate) fn of_content(self) -> Self {
        let is_replaced = self == Self::Boxed || self.accepts_any_future();
        if is_replaced { Self::AnyFuture } else { Self::Elsewhere }
    }

    fn of_arguments_for(self, name: &str) -> Self {
        match self.accepts_any_future() && wraps_arguments(name) {
            true if takes_list(name) => Self::AnyFutures,
            is_wrapped if is_wrapped || polls_arguments(name) => Self::AnyFuture,
            _ => Self::Elsewhere,
        }
    }

    /// Returns the position of the future in `.await`, for the result of the future in this position.
    pub(crate) fn of_awaited(self) -> Self {
        if self == Self::TakenApart { Self::AwaitedAndTakenApart } else { Self::Awaited }
    }

    /// Returns the position of the items of a list in this position.
    pub(crate) fn of_items(self) -> Self {
        match self {
            Self::AnyFutures => Self::AnyFuture,
            Self::Boxed => Self::Boxed,
            _ => Self::Elsewhere,
        }
    }

    /// Returns the position of the value that a closure returns, for a closure that is passed to a method in this
    /// position. `takes_item` is `true` if the closure has a parameter.
    pub(crate) fn of_closure_for(self, name: &str, takes_item: bool) -> Self {
        let is_listed = self == Self::AnyFutures && lists_results(name);
        if is_listed || polls_results(name, takes_item) { Self::AnyFuture } else { Self::Elsewhere }
    }

    /// Returns the position of a value that is matched against patterns.
    pub(crate) fn of_matched<'a>(value: &Expr, mut patterns: impl Iterator<Item = &'a Pat>) -> Self {
        let is_taken_apart = awaits_loser(value) && patterns.all(takes_apart);
        if is_taken_apart { Self::TakenApart } else { Self::Elsewhere }
    }

    /// Returns the position of the value of an expression that a semicolon follows.
    pub(crate) fn of_statement(value: &Expr) -> Self {
        if awaits_loser(value) { Self::TakenApart } else { Self::Elsewhere }
    }

    /// Returns the position of the value that a function returns.
    pub(crate) fn of_result(signature: &Signature, block: &Block) -> Self {
        // The value that an `async fn` returns is the output of its future.
        let ReturnType::Type(_, result) = &signature.output else { return Self::Elsewhere };
        let position = if signature.asyncness.is_some() { Self::Elsewhere } else { Self::of_type(result) };
        position.with_returns(Returns::of_block(block), tails(block))
    }

    /// Returns the position of the value that a closure returns, for a closure whose value goes to this position.
    pub(crate) fn of_closure(self, closure: &ExprClosure) -> Self {
        let position = match &closure.output {
            _ if closure.asyncness.is_some() => Self::Elsewhere,
            ReturnType::Type(_, ty) => Self::of_type(ty),
            ReturnType::Default => self,
        };
        position.with_returns(Returns::of_closure(closure), vec![&closure.body])
    }

    /// Returns this position if the future can be replaced at every `return` and at the end, and `Elsewhere` otherwise.
    /// A function returns values of one type. `tests/it/shapes/named_futures.rs::with_returns`
    fn with_returns(self, returns: Returns, end: Vec<&Expr>) -> Self {
        if returns.count == 0 || !(self.accepts_any_future() || self == Self::AnyFutures) {
            return self;
        }
        // A body without a value at the end leaves by its `return`s alone.
        let of_end = Ends::of_all(end);
        let is_one_type = returns.ends.zip(of_end).is_some_and(|(one, other)| one.with(other).is_some());
        if is_one_type { self } else { Self::Elsewhere }
    }

    /// Returns the position of a value that is converted to a type.
    pub(crate) fn of_type(ty: &Type) -> Self {
        match ty {
            Type::ImplTrait(_) => of_open_type(ty).unwrap_or_default(),
            Type::Path(path) => {
                let Some(last) = path.path.segments.last() else { return Self::Elsewhere };
                // `Self::Future` of a boxing service is a box: tests/it/shapes/named_futures.rs::Boxes
                let may_be_boxed = last.ident.to_string().ends_with("Future");
                if may_be_boxed || holds_object(last) { Self::Boxed } else { Self::Elsewhere }
            }
            _ => Self::Elsewhere,
        }
    }

    /// Returns the position of the initializer of a `let`, if the pattern and the type of the `let` determine it.
    pub(crate) fn of_local(local: &Local) -> Option<Self> {
        match &local.pat {
            Pat::Wild(_) if local.init.as_ref().is_some_and(|init| awaits_loser(&init.expr)) => Some(Self::TakenApart),
            Pat::Wild(_) => Some(Self::AnyFuture),
            Pat::Type(typed) => match &*typed.ty {
                Type::Infer(_) => None,
                ty if is_list_of_any(ty) => None,
                ty => Some(Self::of_type(ty)),
            },
            Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => None,
            pattern => Some(local.init.as_ref().map_or(Self::Elsewhere, |init| {
                // tests/it/shapes/combined.rs::losers
                Self::of_matched(&init.expr, iter::once(pattern))
            })),
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
        match self {
            _ if has_skipped_branch(expression) => Self::Skipped,
            Self::AnyFutures if Ends::of_list(expression).is_none() => Self::Elsewhere,
            _ if !self.accepts_any_future() => self,
            _ if Ends::of(expression).is_some() => Self::AnyFuture,
            _ => Self::Elsewhere,
        }
    }
}

/// Returns whether a type is a pointer to a trait object, or a list of such pointers: `Pin<Box<dyn Future>>`, but not
/// `Pin<Box<Map<ResponseFuture, Box<dyn FnOnce()>>>>`. `tests/it/shapes/branches.rs::in_a_box_of_a_named_type`
fn holds_object(of: &PathSegment) -> bool {
    let PathArguments::AngleBracketed(arguments) = &of.arguments else { return false };
    let passes = is_one_of(&of.ident, &["Arc", "Box", "Option", "Pin", "Rc", "Vec", "VecDeque"]);
    arguments.args.iter().any(|argument| {
        let GenericArgument::Type(ty) = argument else { return false };
        let mut ty = ty;
        loop {
            ty = match ty {
                Type::TraitObject(_) => return true,
                Type::Path(path) => return passes && path.path.segments.last().is_some_and(holds_object),
                Type::Reference(reference) => &reference.elem,
                Type::Paren(inner) => &inner.elem,
                Type::Group(inner) => &inner.elem,
                _ => return false,
            }
        }
    })
}

/// Returns whether an expression is `select(first, second).await`.
fn awaits_loser(expression: &Expr) -> bool {
    let Expr::Await(awaited) = peeled(expression) else { return false };
    match peeled(&awaited.base) {
        Expr::Call(call) => function_name(call).is_some_and(|name| returns_loser(&text(name))),
        _ => false,
    }
}

/// Returns whether a pattern takes one side of an `Either`, or nothing: `Either::Left((answer, _))`. Behind such a
/// pattern, the two futures of `select` need not have one type.
fn takes_apart(pattern: &Pat) -> bool {
    match pattern {
        Pat::Wild(_) => true,
        Pat::Paren(inner) => takes_apart(&inner.pat),
        Pat::Guard(guarded) => takes_apart(&guarded.pat),
        Pat::TupleStruct(side) => side.path.segments.last().is_some_and(|name| {
            let is_result = is_one_of(&name.ident, &["Ok", "Err"]);
            is_one_of(&name.ident, &["Left", "Right"]) || is_result && side.elems.iter().all(takes_apart)
        }),
        _ => false,
    }
}

/// Returns the position of a value of the type `impl Future`, or of a list or closure of such: of
/// `impl Iterator<Item = impl Future>`, but not of `impl Iterator<Item = ResponseFuture>`.
/// `tests/it/shapes/evaluation.rs::named_by_an_iterator`
fn of_open_type(ty: &Type) -> Option<Position> {
    let Type::ImplTrait(of) = ty else { return None };
    of.bounds.iter().try_fold(Position::AnyFuture, |position, bound| match bound {
        TypeParamBound::Trait(bound) => {
            let of = bound.path.segments.last().filter(|of| !names_other_type(of))?;
            match (named_item(of), &of.arguments) {
                (Some(result), PathArguments::Parenthesized(_)) => of_open_type(result),
                (Some(item), _) => of_open_type(item).map(|_| Position::AnyFutures),
                (None, _) => is_future_trait(&of.ident).then_some(position),
            }
        }
        _ => Some(position),
    })
}

/// Returns whether a trait names a type beside its items and outputs: `impl IntoFuture<IntoFuture = ResponseFuture>`.
/// `tests/it/shapes/branches.rs::named_by_a_bound`
fn names_other_type(of: &PathSegment) -> bool {
    let PathArguments::AngleBracketed(arguments) = &of.arguments else { return false };
    arguments.args.iter().any(|argument| match argument {
        GenericArgument::AssocType(named) => !is_one_of(&named.ident, &["Error", "Item", "Ok", "Output"]),
        GenericArgument::Constraint(_) => true,
        _ => false,
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

/// Returns whether a branch of an expression ends in a call with `#[xray(skip)]`.
fn has_skipped_branch(expression: &Expr) -> bool {
    branches(expression).unwrap_or_default().into_iter().any(|end| CallOptions::skips(attributes(peeled(end))))
}
