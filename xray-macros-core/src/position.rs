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
use crate::divergence::{block_diverges, diverges};
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
    "with_cancellation_token",
    "with_cancellation_token_owned",
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
    "run_until_cancelled",
    "run_until_cancelled_owned",
    "scope",
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

/// Traits that a traced future implements if the client's future does. A result `impl Future + Cancel` may be the client's
/// own future alone. `tests/it/shapes/branches.rs::with_both_traits`
const FUTURE_TRAITS: &[&str] = &[
    "Captures",
    "Debug",
    "FusedFuture",
    "Future",
    "IntoFuture",
    "MaybeSend",
    "MaybeSync",
    "RefUnwindSafe",
    "Send",
    "Sized",
    "Sync",
    "TryFuture",
    "Unpin",
    "UnwindSafe",
];

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
        // A body without a value at the end leaves by its `return`s alone.
        let of_end = || end.map_or(Some(Ends::default()), Ends::of);
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
    let is_open_bound = |of: &PathSegment| named_item(of).map_or(is_one_of(&of.ident, FUTURE_TRAITS), is_open);
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

/// What the branches of an expression, the items of a list or the values of a function end in: calls that may be
/// replaced. They have one type, so the futures that replace them must have one type.
/// `tests/it/shapes/named_futures.rs::in_branches`
#[derive(Clone, Copy, Default)]
pub(crate) struct Ends {
    /// `None` if no value ends here, because each branch leaves the expression.
    value: Option<Replacement>,
    /// In `call.left_future()`.
    left: Option<Replacement>,
    /// In `call.right_future()`.
    right: Option<Replacement>,
}

/// The type of the future that replaces a call. The types of two calls differ if these differ.
#[derive(Clone, Copy, PartialEq)]
enum Replacement {
    /// The future of the twin of a request: `request.send()`.
    OfRequest,
    /// The future of a call of a client: `client.execute(request)`, `client.get(uri)`.
    OfClient,
    /// The future of a function: `reqwest::get(url)`.
    OfFunction,
    /// Nothing is replaced in this branch.
    Kept,
}

impl Ends {
    /// Returns what an expression ends in. Returns `None` if a branch of it is not a call that may be replaced, or if the
    /// replaced futures would have two types.
    pub(crate) fn of(expression: &Expr) -> Option<Self> {
        if diverges(expression) {
            return Some(Self::default());
        }
        match peeled(expression) {
            Expr::If(_) | Expr::Match(_) | Expr::Block(_) | Expr::Unsafe(_) => Self::of_all(branches(expression)?),
            Expr::MethodCall(call) => Self::of_method(call),
            Expr::Call(call) => Self::of_function(call),
            _ => None,
        }
    }

    /// Returns what all these expressions end in.
    pub(crate) fn of_all<'a>(expressions: impl IntoIterator<Item = &'a Expr>) -> Option<Self> {
        expressions.into_iter().try_fold(Self::default(), |ends, expression| ends.with(Self::of(expression)?))
    }

    /// Returns what two expressions of one type end in.
    pub(crate) fn with(self, other: Self) -> Option<Self> {
        let one = |one: Option<Replacement>, other: Option<Replacement>| match (one, other) {
            (Some(one), Some(other)) => (one == other).then_some(Some(one)),
            (one, other) => Some(one.or(other)),
        };
        Some(Self {
            value: one(self.value, other.value)?,
            left: one(self.left, other.left)?,
            right: one(self.right, other.right)?,
        })
    }

    fn of_shape(shape: Shape) -> Self {
        let value = match shape {
            Shape::Receiver | Shape::ReceiverUnlessChannel => Replacement::OfRequest,
            Shape::Argument | Shape::Client => Replacement::OfClient,
            Shape::Function => Replacement::OfFunction,
        };
        Self { value: Some(value), ..Self::default() }
    }

    fn of_method(call: &ExprMethodCall) -> Option<Self> {
        let shape = match (calls::of_method(call), call.args.first()) {
            (Some(Shape::Argument), Some(argument)) if !can_pass_through(argument) => None,
            (Some(Shape::Client), Some(url)) if call.turbofish.is_some() || in_two_arms(url).is_none() => None,
            (shape, _) => shape,
        };
        if let Some(shape) = shape.filter(|_| !is_skipped(&call.attrs)) {
            return Some(Self::of_shape(shape));
        }
        // Each side of an `Either` has a type of its own.
        let of_side = || Self::of(&call.receiver).map_or(Some(Replacement::Kept), |ends| ends.value);
        match text(&call.method).as_str() {
            "left_future" => Some(Self { left: of_side(), ..Self::default() }),
            "right_future" => Some(Self { right: of_side(), ..Self::default() }),
            method if WRAPPING_METHODS.contains(&method) => Self::of(&call.receiver),
            _ => None,
        }
    }

    fn of_function(call: &ExprCall) -> Option<Self> {
        let shape = match (calls::of_function(call, &[]), call.args.first()) {
            (Some(Shape::Argument), Some(argument)) if !can_pass_through(argument) => None,
            (None, _) if calls::is_builder_method_call(call) => Some(Shape::Receiver),
            (shape, _) => shape,
        };
        match shape.filter(|_| !is_skipped(&call.attrs)) {
            Some(shape) => Some(Self::of_shape(shape)),
            None if wraps(call) => call.args.iter().find_map(Self::of_initializer),
            None => None,
        }
    }

    /// Returns what the initializer of a variable holds: a call that may be replaced, a closure that returns one, or a
    /// list of them.
    pub(crate) fn of_initializer(initializer: &Expr) -> Option<Self> {
        match peeled(initializer) {
            Expr::Closure(closure) => Self::of(&closure.body),
            Expr::Array(list) => Self::of_all(&list.elems),
            Expr::Macro(call) if call.mac.path.is_ident("vec") || is_pin(&call.mac) => Self::of_elements(&call.mac),
            Expr::MethodCall(call) if passes_items(call) => Self::of_initializer(&call.receiver),
            // `map` of a list. `map` of a future is a case of `of`.
            Expr::MethodCall(call) if is_one_of(&call.method, MAPPING_METHODS) => {
                call.args.first().and_then(Self::of_initializer).or_else(|| Self::of(initializer))
            }
            other if is_empty_list(other) => Some(Self::default()),
            other => Self::of(other),
        }
    }

    /// Returns what the elements of `vec![first, second]` end in.
    fn of_elements(list: &Macro) -> Option<Self> {
        let elements = list.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated);
        Self::of_all(&elements.ok()?)
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

/// Returns whether a macro call is `pin!(future)`.
fn is_pin(call: &Macro) -> bool {
    call.path.segments.last().is_some_and(|name| is_one_of(&name.ident, &["pin", "pin_mut"]))
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

/// Returns the values of the branches of an expression, without the branches that leave it. Returns `None` if another
/// branch has no value.
fn branches(expression: &Expr) -> Option<Vec<&Expr>> {
    let of_block = |block| if block_diverges(block) { Some(Vec::new()) } else { tail(block).map(|tail| vec![tail]) };
    match peeled(expression) {
        Expr::If(conditional) => {
            let mut ends = of_block(&conditional.then_branch)?;
            ends.extend(branches(&conditional.else_branch.as_ref()?.1)?);
            Some(ends)
        }
        Expr::Match(choice) => Some(choice.arms.iter().map(|arm| &*arm.body).collect()),
        // A `break` with a value may leave a block that has a label.
        Expr::Block(block) if block.label.is_none() => of_block(&block.block),
        Expr::Unsafe(block) => of_block(&block.block),
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
