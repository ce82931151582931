//! Decides from a call's syntax how the call is rewritten. A call whose behavior could change is left unchanged.
//!
//! A *candidate* is a call that may be an HTTP call. In the expansion the compiler tests the type of its receiver or
//! argument: see `rewrite`, which also defines *place* and *twin*.

use syn::{Expr, ExprMethodCall, Ident};

use crate::calls::{self, Shape};
use crate::receiver::Receiver;
use crate::syntax::{peeled, variable};
use crate::variables::Variables;

/// How to rewrite a candidate: a call whose name is in the table of `calls`, or that is marked with `#[xray(trace)]`.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Candidate {
    /// The receiver is a value. Rewritten by `Rewriter::on_value`.
    Value,
    /// The receiver is a place. Rewritten by `Rewriter::on_place`.
    Place,
    /// The first argument may be the request. Rewritten by `Rewriter::on_argument`.
    Argument,
    /// The receiver may be a client. Rewritten by `Rewriter::on_client`.
    Client,
    /// The function may make a request. Rewritten by `Rewriter::on_function`.
    Function,
    /// The call is not rewritten, because a type test could change its behavior or break the build.
    LeftAlone,
}

/// Whether the user requires a call to be traced.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Requirement {
    /// Not required: the call is traced if the type of its receiver or argument is traceable.
    Optional,
    /// `strict`: the type of the receiver or argument must be traceable.
    Strict,
    /// `#[xray(trace)]`: like `Strict`, also for a call whose name is not in the table.
    Marked,
}

impl Candidate {
    /// Returns how an expression is rewritten, or `None` if it is not a candidate.
    ///
    /// Not candidates are calls whose name is not in the table, and calls in the table whose receiver or argument shows
    /// that they are no HTTP calls: `sender.send(value)` on a variable is a channel, and in `client.get(key())` the
    /// argument is not a URL in a variable. `LeftAlone` is for candidates that may be HTTP calls but cannot be
    /// rewritten; they count as HTTP calls in the attribute's errors.
    pub(crate) fn of(
        expression: &Expr,
        variables: &Variables,
        requirement: Requirement,
        local: &[Ident],
    ) -> Option<Self> {
        let is_marked = requirement == Requirement::Marked;
        let (shape, argument, is_client) = match expression {
            Expr::MethodCall(call) => {
                // A marked call whose name is not in the table: the receiver is the request if there are no arguments,
                // the first argument is the request otherwise.
                let marked = if call.args.is_empty() { Shape::Receiver } else { Shape::Argument };
                let shape = calls::of_method(call).or(is_marked.then_some(marked))?;
                match shape {
                    // If tracing is required, there is no type test: the receiver is moved into its twin.
                    Shape::Receiver if requirement != Requirement::Optional => return Some(Self::Value),
                    Shape::Receiver => return Some(on_receiver(call, variables)),
                    Shape::ValueReceiver if is_marked => return Some(Self::Value),
                    Shape::ValueReceiver => {
                        return matches!(Receiver::of(&call.receiver), Receiver::Value).then_some(Self::Value);
                    }
                    shape => (shape, call.args.first(), calls::is_client(&call.receiver)),
                }
            }
            Expr::Call(call) => {
                let shape = calls::of_function(call, local).or(is_marked.then_some(Shape::Argument))?;
                (shape, call.args.first(), false)
            }
            _ => return None,
        };
        match (shape, argument) {
            (Shape::Function, _) => Some(Self::Function),
            (Shape::Client, Some(url)) => can_be_duplicated(url).then_some(Self::Client),
            (_, Some(argument)) if requirement != Requirement::Optional || variables.is_inferred(argument) => {
                Some(Self::Argument)
            }
            // The argument's type may not be inferred without the call. If the receiver is a client, the parameter of
            // its method determines the type: `client.execute(head.try_into()?)`.
            // tests/it/shapes/inference.rs::conversions
            (_, Some(argument)) if is_client && may_be_request(argument) => Some(Self::Argument),
            _ => Some(Self::LeftAlone),
        }
    }
}

fn on_receiver(call: &ExprMethodCall, variables: &Variables) -> Candidate {
    match Receiver::of(&call.receiver) {
        Receiver::Value => Candidate::Value,
        // An enclosing closure would capture the reference instead of the referent; see `TypeHint::is_reference`.
        // tests/it/shapes/closures.rs::escapes_exclusively
        Receiver::Variable(name) if variables.is_reference(&name) => Candidate::LeftAlone,
        // In the unreachable arm the call resolves to a method of `UnreachableTwin`, whose type parameters differ from
        // those of the user's method: `socket.send_stream::<u8>(None)` would not compile.
        // tests/it/shapes/bodies.rs::by_reference
        Receiver::Place | Receiver::Variable(_)
            if call.turbofish.is_none() && call.args.iter().all(can_be_duplicated) =>
        {
            Candidate::Place
        }
        _ => Candidate::LeftAlone,
    }
}

/// Returns whether an argument of a client's method is likely to be a request: a variable or the result of a method
/// call, but not a literal, closure or reference. `tests/it/shapes/inference.rs::a_client_of_another_kind`
fn may_be_request(argument: &Expr) -> bool {
    match peeled(argument) {
        Expr::Path(path) => variable(path).is_some(),
        Expr::Try(tried) => may_be_request(&tried.expr),
        Expr::Await(awaited) => may_be_request(&awaited.base),
        Expr::MethodCall(_) => true,
        _ => false,
    }
}

/// Returns whether an argument can be duplicated into both arms of the generated `match`.
///
/// The argument must
///
/// 1. contain no calls. A temporary created by a call would be dropped at the end of the arm instead of the end of the
///    statement, and `socket.send_bytes(&encode(1)).await` would borrow it for too long
///    (`tests/it/shapes/bodies.rs::borrowed_bytes`). Nested calls would also double in number at each level (`tests.rs`,
///    "64 bodies that are sent, in each other");
/// 2. have a type that does not depend on the parameter. In the unreachable arm the parameter is generic, so the types of
///    `|count| count as u8` and `None` could not be inferred (`tests/it/shapes/bodies.rs::inferred`, `by_reference`).
///
/// Exempt from rule 1 are `clone`, `to_owned` and `to_string` on a place or literal. Their result borrows nothing, and
/// its type follows from the receiver.
fn can_be_duplicated(argument: &Expr) -> bool {
    match peeled(argument) {
        Expr::Path(path) => variable(path).is_some(),
        Expr::Lit(_) => true,
        Expr::Field(field) => can_be_duplicated(&field.base),
        Expr::MethodCall(copy) => {
            let copies = ["clone", "to_owned", "to_string"].iter().any(|name| copy.method == name);
            copies && copy.args.is_empty() && is_place_or_literal(&copy.receiver)
        }
        // Excludes `&list.clone()`, which borrows from a temporary. tests/it/shapes/bodies.rs::by_reference
        Expr::Reference(reference) => is_place_or_literal(&reference.expr),
        Expr::Tuple(tuple) => !tuple.elems.is_empty() && tuple.elems.iter().all(can_be_duplicated),
        _ => false,
    }
}

fn is_place_or_literal(expression: &Expr) -> bool {
    matches!(peeled(expression), Expr::Path(_) | Expr::Field(_) | Expr::Lit(_)) && can_be_duplicated(expression)
}
