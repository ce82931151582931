//! The futures that the values of an expression are, and whether one traced type can replace them all.

use proc_macro2::Ident;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Block, Expr, ExprAsync, ExprCall, ExprClosure, ExprMethodCall, ExprReturn, Item, Macro, ReturnType, Token};

use crate::arguments::{can_pass_through, in_two_arms};
use crate::calls::{self, Shape};
use crate::combinators::{
    is_empty_list, is_one_of, is_pin, is_polled_list, lists_results, merges_lists, passes_items, returns_loser,
    wraps_arguments_of, wraps_receiver,
};
use crate::conditions::tails;
use crate::divergence::{block_diverges, diverges, may_jump};
use crate::options::CallOptions;
use crate::syntax::{function_name, identifiers, peeled, text};

/// The kinds of traced futures at the ends of the branches of an expression, of the items of a list, or of the values
/// of a function. All ends must have one type; in an `Either`, all ends of one side.
/// `tests/it/shapes/named_futures.rs::in_branches`
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Ends {
    /// `None` if every branch diverges.
    value: Option<Replacement>,
    /// The future on the left side of an `Either`: `call` in `call.left_future()`.
    left: Option<Replacement>,
    /// The future on the right side of an `Either`: `call` in `call.right_future()`.
    right: Option<Replacement>,
}

/// The type of the future that replaces a call. The types of two calls differ if these differ.
#[derive(Clone, PartialEq)]
enum Replacement {
    /// The future of the twin of a request: `request.send()`.
    OfRequest,
    /// The future of a call of a client: `client.execute(request)`, `client.get(uri)`.
    OfClient,
    /// The future of a function: `reqwest::get(url)`.
    OfFunction,
    /// A future that contains the arguments of a function: `join(first, second)`. An argument in which nothing is
    /// replaced has no ends.
    Combined(Vec<Ends>),
    /// Nothing is replaced in this branch.
    Kept,
}

/// The kind of value that a variable holds.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Held {
    Future,
    /// A list, iterator or stream, whose methods return or pass on the futures themselves.
    List,
    /// A list whose methods, such as `next`, poll the futures: `FuturesUnordered`.
    PolledList,
    /// A closure that returns a future.
    Closure,
}

impl Held {
    pub(crate) fn is_list(self) -> bool {
        matches!(self, Self::List | Self::PolledList)
    }
}

impl Ends {
    /// Returns what an expression ends in. Returns `None` if a branch of it is not a call that may be replaced, or if
    /// the replaced futures would have two types.
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
        if let Some(shape) = shape.filter(|_| !CallOptions::skips(&call.attrs)) {
            return Some(Self::of_shape(shape));
        }
        match text(&call.method).as_str() {
            "left_future" => Self::of_side(&call.receiver, |left| Self { left, ..Self::default() }),
            "right_future" => Self::of_side(&call.receiver, |right| Self { right, ..Self::default() }),
            method if wraps_receiver(method) => Self::of(&call.receiver),
            _ => None,
        }
    }

    /// Returns what one side of an `Either` ends in: `set` puts the end of `future` on that side. Each side has a type
    /// of its own, so nothing need be replaced on the other side. Returns `None` for an `Either` in an `Either`.
    fn of_side(future: &Expr, set: impl FnOnce(Option<Replacement>) -> Self) -> Option<Self> {
        match Self::of(future) {
            Some(Self { value, left: None, right: None }) => Some(set(value)),
            None if !is_either(future) => Some(set(Some(Replacement::Kept))),
            _ => None,
        }
    }

    fn of_function(call: &ExprCall) -> Option<Self> {
        let shape = match (calls::of_function(call, &[]), call.args.first()) {
            (Some(Shape::Argument), Some(argument)) if !can_pass_through(argument) => None,
            (None, _) if calls::is_builder_method_call(call) => Some(Shape::Receiver),
            (shape, _) => shape,
        };
        match shape.filter(|_| !CallOptions::skips(&call.attrs)) {
            Some(shape) => Some(Self::of_shape(shape)),
            None if wraps_arguments_of(call) => Self::of_arguments(call),
            None => None,
        }
    }

    /// Returns what the arguments of `join(first, second)` end in, or `None` if nothing is replaced in any of them.
    fn of_arguments(call: &ExprCall) -> Option<Self> {
        let returns_loser = function_name(call).is_some_and(|name| returns_loser(&text(name)));
        let of_one = |argument| Self::of_initializer(argument).map(|(_, ends)| ends);
        let of_all: Vec<_> = call.args.iter().map(of_one).collect();
        // `select` returns either of its futures, so both are replaced or none.
        let is_one_type = !returns_loser || of_all.iter().all(|ends| *ends == of_all[0]);
        let is_replaced = is_one_type && of_all.iter().any(Option::is_some);
        let of_all = of_all.into_iter().map(Option::unwrap_or_default).collect();
        is_replaced.then(|| Self { value: Some(Replacement::Combined(of_all)), ..Self::default() })
    }

    /// Returns what the initializer of a variable holds: a call that may be replaced, a closure that returns one, or a
    /// list of them.
    pub(crate) fn of_initializer(initializer: &Expr) -> Option<(Held, Self)> {
        match peeled(initializer) {
            Expr::Closure(closure) => Self::of_closure(closure).map(|ends| (Held::Closure, ends)),
            Expr::Macro(call) if is_pin(&call.mac) => Self::of_elements(&call.mac).map(|ends| (Held::Future, ends)),
            other => Self::of(other).map(|ends| (Held::Future, ends)).or_else(|| {
                let held = if is_polled_list(other) { Held::PolledList } else { Held::List };
                Self::of_list(other).map(|ends| (held, ends))
            }),
        }
    }

    /// Returns what the items of a list end in.
    pub(crate) fn of_list(list: &Expr) -> Option<Self> {
        if diverges(list) {
            return Some(Self::default());
        }
        match peeled(list) {
            Expr::If(_) | Expr::Match(_) | Expr::Block(_) | Expr::Unsafe(_) => {
                let mut lists = branches(list)?.into_iter();
                lists.try_fold(Self::default(), |ends, list| ends.with(Self::of_list(list)?))
            }
            Expr::Array(list) => Self::of_all(&list.elems),
            Expr::Macro(call) if call.mac.path.is_ident("vec") => Self::of_elements(&call.mac),
            Expr::MethodCall(call) => Self::of_list_of_method(call),
            other => is_empty_list(other).then(Self::default),
        }
    }

    /// Returns what the items of the list end in that a method returns.
    pub(crate) fn of_list_of_method(call: &ExprMethodCall) -> Option<Self> {
        let name = text(&call.method);
        if merges_lists(&name) {
            return Self::of_list(&call.receiver)?.with(Self::of_list(call.args.first()?)?);
        }
        if passes_items(call) {
            return Self::of_list(&call.receiver);
        }
        match call.args.first().map(peeled) {
            Some(Expr::Closure(closure)) if lists_results(&name) => Self::of_closure(closure),
            _ => None,
        }
    }

    /// Returns what the values of a closure end in. Returns `None` if the closure names the type of its values.
    fn of_closure(closure: &ExprClosure) -> Option<Self> {
        let names_type = closure.asyncness.is_some() || !matches!(closure.output, ReturnType::Default);
        let ends = if names_type { None } else { Self::of(&closure.body) };
        ends?.with(Returns::of_closure(closure).ends?)
    }

    /// Returns what the elements of `vec![first, second]` end in.
    fn of_elements(list: &Macro) -> Option<Self> {
        let elements = list.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated);
        Self::of_all(&elements.ok()?)
    }
}

/// Returns whether all arguments of a function are futures of one type: `select(first, second)` returns either of them.
/// `tests/it/shapes/combined.rs::losers`
pub(crate) fn are_of_one_type(call: &ExprCall) -> bool {
    let of_one = |argument| Ends::of_initializer(argument).map(|(_, ends)| ends);
    let mut all = call.args.iter().map(of_one);
    let first = all.next().flatten();
    first.is_some() && all.all(|ends| ends == first)
}

/// The values of the `return`s of a function or closure.
pub(crate) struct Returns {
    pub(crate) count: usize,
    /// `None` if the values are not of one type, or not known.
    pub(crate) ends: Option<Ends>,
}

impl Returns {
    pub(crate) fn of_block(block: &Block) -> Self {
        Self::of(|returns| returns.visit_block(block))
    }

    pub(crate) fn of_closure(closure: &ExprClosure) -> Self {
        Self::of(|returns| returns.visit_expr(&closure.body))
    }

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
        self.ends = self.ends.take().zip(ends).and_then(|(one, other)| one.with(other));
        visit::visit_expr_return(self, returned);
    }

    // A macro may expand to a `return` of a call among its arguments. tests/it/shapes/branches.rs::beside_hidden_jumps
    fn visit_macro(&mut self, call: &'ast Macro) {
        let may_name_call = |name: Ident| name == "return" || calls::has_module(&name);
        if may_jump(call, "return") && identifiers(call.tokens.clone()).any(may_name_call) {
            self.count += 1;
            self.ends = None;
        }
    }

    // These have `return`s of their own.
    fn visit_expr_closure(&mut self, _: &'ast ExprClosure) {}
    fn visit_expr_async(&mut self, _: &'ast ExprAsync) {}
    fn visit_item(&mut self, _: &'ast Item) {}
}

/// Returns whether an expression is a side of an `Either`: `call.left_future()`.
fn is_either(expression: &Expr) -> bool {
    matches!(peeled(expression), Expr::MethodCall(call) if is_one_of(&call.method, &["left_future", "right_future"]))
}

/// Returns the values of the branches of an expression. Returns `None` if a branch has no value and does not leave the
/// expression either.
pub(crate) fn branches(expression: &Expr) -> Option<Vec<&Expr>> {
    let of_block = |block| {
        let values = tails(block);
        (!values.is_empty() || block_diverges(block)).then_some(values)
    };
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
