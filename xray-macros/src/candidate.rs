//! How a call is rewritten, which its syntax decides: most are left alone, and so is whatever could change.

use syn::{Expr, ExprMethodCall, Ident};

use crate::calls::{self, Shape};
use crate::receiver::{Receiver, peeled, variable};
use crate::variables::Variables;

/// A call whose name is in the table, or which is marked.
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
    /// Nothing can be asked here without changing what the call does.
    LeftAlone,
}

impl Candidate {
    pub(crate) fn of(expression: &Expr, variables: &Variables, demand: Demand, local: &[Ident]) -> Option<Self> {
        let is_marked = demand == Demand::Marked;
        let (shape, argument, is_client) = match expression {
            Expr::MethodCall(call) => {
                let marked = if call.args.is_empty() { Shape::Receiver } else { Shape::Argument };
                let shape = calls::of_method(call).or(is_marked.then_some(marked))?;
                match shape {
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
            (_, Some(argument)) if is_client && is_made(argument) => Some(Self::Argument),
            _ => Some(Self::LeftAlone),
        }
    }
}

/// What the user says of a call.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Demand {
    /// Nothing: its type decides.
    None,
    /// `strict`: its type must be known.
    Strict,
    /// `#[xray(trace)]`: it is an HTTP call, whatever its name.
    Marked,
}

fn on_receiver(call: &ExprMethodCall, variables: &Variables) -> Candidate {
    match Receiver::of(&call.receiver) {
        Receiver::Value => Candidate::Value,
        Receiver::Variable(name) if variables.is_reference(&name) => Candidate::LeftAlone,
        Receiver::Place | Receiver::Variable(_)
            if call.turbofish.is_none() && call.args.iter().all(may_stand_twice) =>
        {
            Candidate::Place
        }
        _ => Candidate::LeftAlone,
    }
}

/// Whether an argument is made by a call, or was before: to a client, which its name says the receiver is, that is a
/// request, whatever the call.
fn is_made(argument: &Expr) -> bool {
    match peeled(argument) {
        Expr::Path(path) => variable(path).is_some(),
        Expr::Try(tried) => is_made(&tried.expr),
        Expr::Await(awaited) => is_made(&awaited.base),
        Expr::MethodCall(_) => true,
        _ => false,
    }
}

/// Whether an argument may stand in two arms of which one is taken.
///
/// Calls may not, but for those that copy: what they borrow from a temporary would be gone at the end of the arm, and calls in calls would
/// double at each level. Nor may what has no type by itself, since one of the arms gives it none.
fn may_stand_twice(argument: &Expr) -> bool {
    match peeled(argument) {
        Expr::Path(path) => variable(path).is_some(),
        Expr::Lit(_) => true,
        Expr::Field(field) => may_stand_twice(&field.base),
        Expr::MethodCall(copy) => {
            let copies = ["clone", "to_owned", "to_string"].iter().any(|name| copy.method == name);
            copies && copy.args.is_empty() && is_place_or_literal(&copy.receiver)
        }
        Expr::Reference(reference) => is_place_or_literal(&reference.expr),
        Expr::Tuple(tuple) => !tuple.elems.is_empty() && tuple.elems.iter().all(may_stand_twice),
        _ => false,
    }
}

fn is_place_or_literal(expression: &Expr) -> bool {
    matches!(peeled(expression), Expr::Path(_) | Expr::Field(_) | Expr::Lit(_)) && may_stand_twice(expression)
}
