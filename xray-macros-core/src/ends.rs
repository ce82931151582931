//! The futures that the values of an expression are, and whether one traced type can replace them all.

use syn::punctuated::Punctuated;
use syn::{Expr, ExprCall, ExprMethodCall, Macro, Token};

use crate::arguments::{can_pass_through, in_two_arms};
use crate::calls::{self, Shape};
use crate::combinators::{
    is_empty_list, is_one_of, is_pin, lists_results, passes_items, wraps_arguments_of, wraps_receiver,
};
use crate::conditions::tails;
use crate::divergence::{block_diverges, diverges};
use crate::options::CallOptions;
use crate::syntax::{peeled, text};

/// The kinds of traced futures at the ends of the branches of an expression, of the items of a list, or of the values
/// of a function. All ends must have one type; in an `Either`, all ends of one side.
/// `tests/it/shapes/named_futures.rs::in_branches`
#[derive(Clone, Copy, Default)]
pub(crate) struct Ends {
    /// `None` if every branch diverges.
    value: Option<Replacement>,
    /// The future on the left side of an `Either`: `call` in `call.left_future()`.
    left: Option<Replacement>,
    /// The future on the right side of an `Either`: `call` in `call.right_future()`.
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
            None if wraps_arguments_of(call) => call.args.iter().find_map(Self::of_initializer),
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
            Expr::MethodCall(call) if lists_results(&text(&call.method)) => {
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

/// Returns whether an expression is a side of an `Either`: `call.left_future()`.
fn is_either(expression: &Expr) -> bool {
    matches!(peeled(expression), Expr::MethodCall(call) if is_one_of(&call.method, &["left_future", "right_future"]))
}

/// Returns the values of the branches of an expression, without the branches that leave it. Returns `None` if another
/// branch has no value.
pub(crate) fn branches(expression: &Expr) -> Option<Vec<&Expr>> {
    let of_block = |block| match tails(block) {
        alternatives if alternatives.len() > 1 => Some(alternatives),
        _ if block_diverges(block) => Some(Vec::new()),
        values => (!values.is_empty()).then_some(values),
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
