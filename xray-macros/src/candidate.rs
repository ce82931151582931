//! How a call is rewritten, as far as its syntax decides. A call whose meaning could change is left alone.

use syn::{Expr, ExprMethodCall, Ident};

use crate::calls::{self, Shape};
use crate::receiver::Receiver;
use crate::syntax::{peeled, variable};
use crate::variables::Variables;

/// A call whose name is in the table, or that is marked with `#[xray(trace)]`.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Candidate {
    /// The receiver is a value.
    Value,
    /// The receiver is a place.
    Place,
    /// The request is the first argument.
    Argument,
    /// The receiver is the client.
    Client,
    /// The function makes the request itself.
    Function,
    /// The type cannot be asked for without changing what the call does.
    LeftAlone,
}

/// What the user demands of a call.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Demand {
    /// Nothing: its type decides.
    None,
    /// `strict`: its type must be known.
    Strict,
    /// `#[xray(trace)]`: it is an HTTP call, whatever its name.
    Marked,
}

impl Candidate {
    /// Returns how a call is rewritten, or `None` if its name is not in the table.
    pub(crate) fn of(expression: &Expr, variables: &Variables, demand: Demand, local: &[Ident]) -> Option<Self> {
        let is_marked = demand == Demand::Marked;
        let (shape, argument, is_client) = match expression {
            Expr::MethodCall(call) => {
                let marked = if call.args.is_empty() { Shape::Receiver } else { Shape::Argument };
                let shape = calls::of_method(call).or(is_marked.then_some(marked))?;
                match shape {
                    // What is demanded is no question: the receiver is moved into the twin, wherever it stands.
                    Shape::Receiver if demand != Demand::None => return Some(Self::Value),
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
            (Shape::Client, Some(url)) => may_stand_twice(url).then_some(Self::Client),
            (_, Some(argument)) if demand != Demand::None || variables.is_settled(argument) => Some(Self::Argument),
            // The type of the argument may be open. If the receiver is a client, its method settles the type:
            // `client.execute(head.try_into()?)`. tests/shapes/inference.rs::conversions
            (_, Some(argument)) if is_client && is_made(argument) => Some(Self::Argument),
            _ => Some(Self::LeftAlone),
        }
    }
}

fn on_receiver(call: &ExprMethodCall, variables: &Variables) -> Candidate {
    match Receiver::of(&call.receiver) {
        Receiver::Value => Candidate::Value,
        // A closure would capture the variable and not what it refers to: see `Shown::is_reference`.
        // tests/shapes/closures.rs::escapes_exclusively
        Receiver::Variable(name) if variables.is_reference(&name) => Candidate::LeftAlone,
        // In the arm that is not taken the call's method is one of `Nothing`'s, which has other type parameters than
        // the user's: `socket.send_stream::<u8>(None)` would not compile. tests/shapes/bodies.rs::by_reference
        Receiver::Place | Receiver::Variable(_)
            if call.turbofish.is_none() && call.args.iter().all(may_stand_twice) =>
        {
            Candidate::Place
        }
        _ => Candidate::LeftAlone,
    }
}

/// Returns whether an argument is a variable or the result of a method: as the argument of a client, a request.
/// Literals, closures and references are none. `tests/shapes/inference.rs::a_client_of_another_kind`
fn is_made(argument: &Expr) -> bool {
    match peeled(argument) {
        Expr::Path(path) => variable(path).is_some(),
        Expr::Try(tried) => is_made(&tried.expr),
        Expr::Await(awaited) => is_made(&awaited.base),
        Expr::MethodCall(_) => true,
        _ => false,
    }
}

/// Returns whether an argument may stand in two arms, one of which is taken.
///
/// It must be
///
/// 1. free of calls. A temporary that a call makes would be dropped at the end of the arm and not of the statement:
///    `socket.send_bytes(&encode(1)).await` would borrow from it too long (`tests/shapes/bodies.rs::borrowed_bytes`).
///    And calls in the arguments of calls would double at each level (`tests.rs`, "64 bodies that are sent, in each
///    other");
/// 2. typed on its own. In the arm that is not taken the parameter's type is a type parameter, which settles nothing:
///    the types of `|count| count as u8` and `None` would stay open (`tests/shapes/bodies.rs::inferred`,
///    `by_reference`).
///
/// Copies of a place are calls that keep both rules: their value has the place's type and borrows nothing.
fn may_stand_twice(argument: &Expr) -> bool {
    match peeled(argument) {
        Expr::Path(path) => variable(path).is_some(),
        Expr::Lit(_) => true,
        Expr::Field(field) => may_stand_twice(&field.base),
        Expr::MethodCall(copy) => {
            let copies = ["clone", "to_owned", "to_string"].iter().any(|name| copy.method == name);
            copies && copy.args.is_empty() && is_place_or_literal(&copy.receiver)
        }
        // Not `&list.clone()`, whose copy is a temporary again. tests/shapes/bodies.rs::by_reference
        Expr::Reference(reference) => is_place_or_literal(&reference.expr),
        Expr::Tuple(tuple) => !tuple.elems.is_empty() && tuple.elems.iter().all(may_stand_twice),
        _ => false,
    }
}

fn is_place_or_literal(expression: &Expr) -> bool {
    matches!(peeled(expression), Expr::Path(_) | Expr::Field(_) | Expr::Lit(_)) && may_stand_twice(expression)
}
