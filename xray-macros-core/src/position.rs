//! Where the value of an expression goes, and whether a future may have any type there.
//!
//! A traced call returns a future of another type than the client's. So the future of a client is replaced only where
//! the syntax shows that any future is accepted: it is awaited, combined by a method of futures, or passed to a
//! function that takes every future. Elsewhere its type may be named: by a struct's field, a type alias, the parameter
//! of a function. A call in such a position keeps its type. `tests/it/shapes/named_futures.rs`

use proc_macro2::Ident;
use quote::ToTokens as _;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Block, Expr, ExprAsync, ExprCall, ExprClosure, ExprMethodCall, ExprReturn, GenericArgument, Item, Local,
    Macro, Pat, PathArguments, PathSegment, ReturnType, Signature, StmtMacro, Token, Type, TypeParamBound,
};

use crate::arguments::{can_pass_through, in_two_arms};
use crate::attributes::attributes;
use crate::calls::{self, Shape};
use crate::options::CallOptions;
use crate::syntax::{identifiers, is_box_pin, peeled, tail, text};

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

/// Methods of futures that return a future which contains their receiver, from the extension traits of `futures`,
/// `tokio-util`, `tracing` and this SDK, which every future implements. `tests/it/shapes/typed.rs::methods_of_futures`
const WRAPPING_METHODS: &[&str] = &[
    "and_then",
    "as_mut",
    "catch_unwind",
    "err_into",
    "flatten",
    "flatten_stream",
    "fuse",
    "in_current_span",
    "in_current_trace",
    "in_segment",
    "in_subsegment",
    "inspect",
    "inspect_err",
    "inspect_ok",
    "instrument",
    "into_future",
    "into_stream",
    "left_future",
    "map",
    "map_err",
    "map_ok",
    "map_ok_or_else",
    "ok_into",
    "or_else",
    "right_future",
    "shared",
    "then",
    "timeout",
    "try_flatten",
    "unwrap_or_else",
    "with_current_subscriber",
    "with_subscriber",
];

/// Methods of futures and streams whose result does not contain the type of the receiver.
const POLLING_METHODS: &[&str] =
    &["boxed", "boxed_local", "count", "is_empty", "len", "next", "now_or_never", "poll", "poll_unpin", "try_next"];

/// Functions and methods that return a future which contains their arguments, futures of any type.
const WRAPPING_FUNCTIONS: &[&str] = &[
    "abortable",
    "join",
    "join_all",
    "maybe_done",
    "select",
    "select_all",
    "select_ok",
    "timeout",
    "timeout_at",
    "try_join",
    "try_join_all",
    "try_select",
    "unconstrained",
];

/// Functions and methods that take a future of any type and whose result does not contain the type. Functions whose
/// names begin with `spawn` count too.
const POLLING_FUNCTIONS: &[&str] = &["block_on", "drop", "run_until"];

/// Methods that pass an item to a closure, and poll the future that it returns.
const CLOSURE_POLLING_METHODS: &[&str] =
    &["and_then", "for_each", "for_each_concurrent", "or_else", "then", "try_for_each", "try_for_each_concurrent"];

/// Methods that return a list of the results of a closure.
const MAPPING_METHODS: &[&str] = &["map", "map_ok"];

/// Methods of iterators and streams that poll the items.
const ITEM_POLLING_METHODS: &[&str] = &["buffered", "buffer_unordered", "try_buffered", "try_buffer_unordered"];

/// Methods of iterators and streams that return a list of items of one type.
const ITEM_PASSING_METHODS: &[&str] =
    &["by_ref", "chain", "collect", "filter", "into_iter", "peekable", "rev", "skip", "take"];

/// Types of lists whose items may be futures of any type.
const LISTS_OF_FUTURES: &[&str] = &["FuturesOrdered", "FuturesUnordered", "Vec", "VecDeque"];

impl Position {
    /// Returns whether a future in this position may have any type.
    pub(crate) fn accepts_any_future(self) -> bool {
        matches!(self, Self::Awaited | Self::AnyFuture | Self::Receiver { accepts_any_future: true })
    }

    /// Returns the position of the receiver of a method call in this position. `method` is the name of the method.
    pub(crate) fn of_receiver(self, call: &ExprMethodCall, method: &str) -> Self {
        if ITEM_POLLING_METHODS.contains(&method) || (self.accepts_list() && passes_items(call)) {
            return Self::AnyFutures;
        }
        let is_wrapped = self.accepts_any_future() && WRAPPING_METHODS.contains(&method);
        Self::Receiver { accepts_any_future: is_wrapped || POLLING_METHODS.contains(&method) }
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
        let is_polled = POLLING_FUNCTIONS.contains(&name) || name.starts_with("spawn");
        let is_wrapped = self.accepts_any_future() && WRAPPING_FUNCTIONS.contains(&name);
        if is_polled || is_wrapped { Self::AnyFuture } else { Self::Elsewhere }
    }

    /// Returns the position of the value that a closure returns, for a closure that is passed to a method in this
    /// position. `takes_item` is `true` if the closure has a parameter.
    pub(crate) fn of_closure_for(self, name: &str, takes_item: bool) -> Self {
        // `bool::then` and `Option::or_else` take closures without parameters.
        let is_polled = (takes_item && CLOSURE_POLLING_METHODS.contains(&name)) || repeats(name);
        let is_listed = self.accepts_list() && MAPPING_METHODS.contains(&name);
        if is_polled || is_listed { Self::AnyFuture } else { Self::Elsewhere }
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
        position.with_returns(&Returns::of(|returns| returns.visit_block(block)), tail(block))
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
        position.with_returns(&returns, Some(&closure.body))
    }

    /// Returns this position if the future can be replaced at every `return` and at the end, and `Elsewhere` otherwise.
    /// A function returns values of one type. `tests/it/shapes/named_futures.rs::with_returns`
    fn with_returns(self, returns: &Returns, end: Option<&Expr>) -> Self {
        let is_one_type = returns.count == 0 || (returns.end_in_calls && end.is_some_and(ends_in_calls));
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
            if ends_in_calls(expression) { Self::AnyFuture } else { Self::Elsewhere }
        } else {
            self
        }
    }
}

/// Returns whether a type is `impl Future`, or a list or closure of such: `impl Iterator<Item = impl Future>`, but not
/// `impl Iterator<Item = ResponseFuture>`. `tests/it/shapes/evaluation.rs::named_by_an_iterator`
fn is_open(ty: &Type) -> bool {
    let Type::ImplTrait(of) = ty else { return false };
    of.bounds.iter().all(|bound| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last().and_then(named_item).is_none_or(is_open),
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
    /// `true` if each value ends in a call that may be replaced; see [`ends_in_calls`].
    end_in_calls: bool,
}

impl Returns {
    fn of(visit: impl FnOnce(&mut Self)) -> Self {
        let mut returns = Self { count: 0, end_in_calls: true };
        visit(&mut returns);
        returns
    }
}

impl<'ast> Visit<'ast> for Returns {
    fn visit_expr_return(&mut self, returned: &'ast ExprReturn) {
        self.count += 1;
        self.end_in_calls &= returned.expr.as_deref().is_some_and(ends_in_calls);
        visit::visit_expr_return(self, returned);
    }

    // These have `return`s of their own.
    fn visit_expr_closure(&mut self, _: &'ast ExprClosure) {}
    fn visit_expr_async(&mut self, _: &'ast ExprAsync) {}
    fn visit_item(&mut self, _: &'ast Item) {}
}

/// Returns whether each branch of an expression ends in a call that may be replaced, or leaves the expression.
pub(crate) fn ends_in_calls(expression: &Expr) -> bool {
    match peeled(expression) {
        Expr::If(_) | Expr::Match(_) | Expr::Block(_) | Expr::Unsafe(_) => {
            branches(expression).is_some_and(|ends| ends.into_iter().all(ends_in_calls))
        }
        Expr::Return(_) | Expr::Break(_) | Expr::Continue(_) => true,
        Expr::MethodCall(call) => {
            let is_replaced = match (calls::of_method(call), call.args.first()) {
                (Some(Shape::Argument), Some(argument)) => can_pass_through(argument),
                (Some(Shape::Client), Some(url)) => call.turbofish.is_none() && in_two_arms(url).is_some(),
                (shape, _) => shape.is_some(),
            };
            (is_replaced && !is_skipped(&call.attrs))
                || (is_one_of(&call.method, WRAPPING_METHODS) && ends_in_calls(&call.receiver))
        }
        Expr::Call(call) => {
            let is_replaced = match (calls::of_function(call, &[]), call.args.first()) {
                (Some(Shape::Argument), Some(argument)) => can_pass_through(argument),
                (shape, _) => shape.is_some() || calls::is_builder_method_call(call),
            };
            (is_replaced && !is_skipped(&call.attrs)) || (wraps(call) && call.args.iter().any(holds_calls))
        }
        _ => false,
    }
}

/// Returns whether a call is a call to a function that puts its arguments into a future or a box.
fn wraps(call: &ExprCall) -> bool {
    let name = match peeled(&call.func) {
        Expr::Path(function) => function.path.segments.last(),
        _ => None,
    };
    is_box_pin(&call.func) || name.is_some_and(|name| is_one_of(&name.ident, WRAPPING_FUNCTIONS))
}

/// Returns whether the initializer of a variable is a call that may be replaced, a closure that returns one, or a list
/// of them.
pub(crate) fn holds_calls(initializer: &Expr) -> bool {
    match peeled(initializer) {
        Expr::Closure(closure) => ends_in_calls(&closure.body),
        Expr::Array(list) => list.elems.iter().all(ends_in_calls),
        Expr::Macro(call) => (call.mac.path.is_ident("vec") || is_pin(&call.mac)) && has_only_calls(&call.mac),
        Expr::MethodCall(call) if passes_items(call) => holds_calls(&call.receiver),
        // `map` of a list. `map` of a future is a case of `ends_in_calls`.
        Expr::MethodCall(call) if is_one_of(&call.method, MAPPING_METHODS) && call.args.iter().all(holds_calls) => true,
        other => ends_in_calls(other) || is_empty_list(other),
    }
}

/// Returns whether a macro call is `pin!(future)`.
fn is_pin(call: &Macro) -> bool {
    call.path.segments.last().is_some_and(|name| name.ident == "pin")
}

/// Returns whether each element of `vec![first, second]` is a call that may be replaced.
fn has_only_calls(list: &Macro) -> bool {
    let elements = list.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated);
    elements.is_ok_and(|elements| elements.iter().all(ends_in_calls))
}

/// Returns whether an expression is the constructor of an empty list, which names no type of its items.
pub(crate) fn is_empty_list(expression: &Expr) -> bool {
    let Expr::Call(call) = peeled(expression) else { return false };
    let Expr::Path(function) = peeled(&call.func) else { return false };
    let names_a_type = function.path.segments.iter().any(|segment| !segment.arguments.is_none());
    let mut names = function.path.segments.iter().rev().map(|segment| &segment.ident);
    let is_new = names.next().is_some_and(|name| is_one_of(name, &["new", "with_capacity"]));
    is_new && !names_a_type && names.next().is_some_and(|name| is_one_of(name, LISTS_OF_FUTURES))
}

/// Returns whether a method adds its argument to a list.
pub(crate) fn adds_to_list(method: &str) -> bool {
    ["push", "push_back"].contains(&method)
}

/// Returns whether an expression may put a variable into a future or another list: `join(first, second)`.
pub(crate) fn wraps_variables(expression: &Expr) -> bool {
    match peeled(expression) {
        Expr::Call(call) => wraps(call),
        Expr::MethodCall(call) => is_one_of(&call.method, WRAPPING_METHODS) || passes_items(call),
        Expr::Macro(call) => is_pin(&call.mac),
        _ => false,
    }
}

/// Returns whether a method of futures returns a future that contains its receiver.
pub(crate) fn wraps_future(method: &str) -> bool {
    WRAPPING_METHODS.contains(&method)
}

/// Returns whether a branch of an expression ends in a call with `#[xray(skip)]`.
fn has_skipped_branch(expression: &Expr) -> bool {
    let ends = branches(expression).unwrap_or_default();
    ends.len() > 1 && ends.into_iter().any(|end| is_skipped(attributes(peeled(end))))
}

/// Returns the values of the branches of an expression, or `None` if a branch has no value.
fn branches(expression: &Expr) -> Option<Vec<&Expr>> {
    match peeled(expression) {
        Expr::If(conditional) => {
            let mut ends = vec![tail(&conditional.then_branch)?];
            ends.extend(branches(&conditional.else_branch.as_ref()?.1)?);
            Some(ends)
        }
        Expr::Match(choice) => Some(choice.arms.iter().map(|arm| &*arm.body).collect()),
        // A `break` with a value may leave a block that has a label.
        Expr::Block(block) if block.label.is_none() => Some(vec![tail(&block.block)?]),
        Expr::Unsafe(block) => Some(vec![tail(&block.block)?]),
        _ => None,
    }
}

/// Returns whether attributes contain `#[xray(skip)]`.
pub(crate) fn is_skipped(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .filter(|attribute| CallOptions::is_xray(attribute))
        .any(|attribute| CallOptions::default().overridden_by(attribute).is_ok_and(|options| options.skip))
}

/// Returns whether a method returns a list of the items of its receiver, which have one type: `take(3)`, `collect()`,
/// `collect::<Vec<_>>()`.
fn passes_items(call: &ExprMethodCall) -> bool {
    let names_no_type = call.turbofish.iter().flat_map(|turbofish| &turbofish.args).all(|argument| match argument {
        GenericArgument::Type(ty) => matches!(ty, Type::Infer(_)) || is_list_of_any(ty),
        _ => false,
    });
    names_no_type && is_one_of(&call.method, ITEM_PASSING_METHODS)
}

/// Returns whether a type is a list of items of any type: `Vec<_>`, `FuturesUnordered<_>`.
fn is_list_of_any(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    let Some(last) = path.path.segments.last() else { return false };
    let is_list = is_one_of(&last.ident, LISTS_OF_FUTURES);
    match &last.arguments {
        PathArguments::AngleBracketed(arguments) => {
            is_list && arguments.args.iter().all(|argument| matches!(argument, GenericArgument::Type(Type::Infer(_))))
        }
        _ => false,
    }
}

fn is_one_of(name: &Ident, names: &[&str]) -> bool {
    names.contains(&text(name).as_str())
}

/// Returns whether a function of this name calls a closure repeatedly, and polls the futures that it returns, as
/// `retry(|| ..)` does. A future that is passed to such a function is not replaced:
/// `tests/it/shapes/named_futures.rs::first_of_a_retry`
pub(crate) fn repeats(name: &str) -> bool {
    name.starts_with("retry")
}
