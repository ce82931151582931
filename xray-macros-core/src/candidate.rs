//! Decides from a call's syntax how the call is rewritten. A call whose behaviour could change is left alone.
//!
//! A *candidate* is a call that may be an HTTP call. In the expansion the compiler tests the type of its receiver or
//! argument: see `rewrite`, which also defines *place* and *twin*.

use proc_macro2::Span;
use syn::{Expr, ExprMethodCall, Ident};

use crate::arguments::{ArgumentUse, can_pass_through, has_unknown_value, in_two_arms, names_receiver};
use crate::attributes::assigns;
use crate::calls::{self, Shape};
use crate::position::Position;
use crate::receiver::Receiver;
use crate::syntax::peeled;
use crate::variables::Variables;

/// How to rewrite a candidate: a call whose name is in the table of `calls`, or that is marked with `#[xray(trace)]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Candidate {
    /// The receiver is a value. Rewritten by `Rewriter::on_value`.
    Value,
    /// The receiver is a place. Rewritten by `Rewriter::on_place`.
    Place(ArgumentUse),
    /// The first argument may be the request. Rewritten by `Rewriter::on_argument`.
    Argument,
    /// The receiver may be a client. Rewritten by `Rewriter::on_client`.
    Client(ArgumentUse),
    /// The function may make a request. Rewritten by `Rewriter::on_function`.
    Function,
    /// The function is a method of a builder. Rewritten by `Rewriter::on_method_path`.
    MethodPath,
    /// The call is not rewritten, and not reported: `let request = client.get(url)` most likely makes a request
    /// builder.
    RequestBuilder,
    /// The call is not rewritten, because a type test could change its behaviour or break the build. The text completes
    /// the sentence "The call is not traced, because ..".
    LeftAlone(&'static str),
}

/// Explains why a call is left alone: its future may leave the function.
const NAMED_ELSEWHERE: &str = "the type of its future may be named outside the function";

/// Explains why a function with `#[xray(trace)]` is left alone: it has no argument.
const NO_ARGUMENT: &str = "it has no request to trace: expected one as its first argument";

/// Explains why a call is left alone: another branch of its `if` or `match` has `#[xray(skip)]`.
const BESIDE_SKIPPED: &str = "another branch of its expression has `#[xray(skip)]`";

/// A call whose name is in the table, and that is not rewritten.
pub(crate) struct LeftAlone {
    /// The position of the call's name.
    pub(crate) span: Span,
    /// Completes the sentence "The call is not traced, because ..".
    pub(crate) why: &'static str,
}

/// How strictly the user requires a call to be traced.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Requirement {
    /// Not required: the call is traced if the type of its receiver or argument is traceable.
    Optional,
    /// `strict`: the type of the receiver or argument must be traceable.
    Strict,
    /// `#[xray(trace)]`: like `Strict`, even for a call whose name is not in the table.
    Marked,
}

impl Candidate {
    /// Returns how an expression is rewritten, or `None` if it is not a candidate.
    ///
    /// A call is not a candidate if its name is not in the table, or if its receiver or argument shows that it is not
    /// an HTTP call: `sender.send(value)` is a channel, and in `client.get(&key)` the argument is not a URL.
    /// `LeftAlone` is for candidates that may be HTTP calls but cannot be rewritten; they count as HTTP calls in the
    /// attribute's errors. A call `variable.send(value)` that cannot be rewritten is not a candidate, because it is
    /// most likely a channel's.
    pub(crate) fn of(
        expression: &Expr,
        variables: &Variables,
        requirement: Requirement,
        local: &[Ident],
        position: Position,
    ) -> Option<Self> {
        let is_marked = requirement == Requirement::Marked;
        if position == Position::Skipped {
            let of_any = Self::of(expression, variables, requirement, local, Position::Elsewhere)?;
            return Some(if requirement == Requirement::Optional { Self::LeftAlone(BESIDE_SKIPPED) } else { of_any });
        }
        let (shape, argument) = match expression {
            Expr::MethodCall(call) => {
                // A marked call whose name is not in the table: the receiver is the request if there are no arguments,
                // the first argument is the request otherwise.
                let marked = if call.args.is_empty() { Shape::Receiver } else { Shape::Argument };
                let shape = calls::of_method(call).or(is_marked.then_some(marked))?;
                match shape {
                    // If tracing is required, there is no type test: the receiver is moved into its twin.
                    Shape::Receiver if requirement != Requirement::Optional => return Some(Self::Value),
                    Shape::Receiver => return Some(on_receiver(call, variables)),
                    Shape::ReceiverUnlessChannel if is_marked => return Some(Self::Value),
                    Shape::ReceiverUnlessChannel => return on_receiver_or_channel(call, variables),
                    Shape::Client => return on_client(call, position, requirement),
                    shape => (shape, call.args.first()),
                }
            }
            Expr::Call(call) if calls::is_builder_method_call(call) => {
                let is_replaced = position != Position::Elsewhere;
                return Some(if is_replaced { Self::MethodPath } else { Self::LeftAlone(NAMED_ELSEWHERE) });
            }
            Expr::Call(call) => {
                let shape = calls::of_function(call, local).or(is_marked.then_some(Shape::Argument))?;
                (shape, call.args.first())
            }
            _ => return None,
        };
        match (shape, argument) {
            (Shape::Function, _) => Some(Self::Function),
            (_, Some(argument)) if requirement != Requirement::Optional || can_pass_through(argument) => {
                Some(Self::Argument)
            }
            (_, Some(argument)) => Some(Self::LeftAlone(if has_unknown_value(argument) {
                "its argument is a macro or a loop, and the attribute cannot tell whether that is a request"
            } else {
                "the syntax of its argument shows that it is not a request"
            })),
            _ => Some(Self::LeftAlone(NO_ARGUMENT)),
        }
    }
}

/// Returns the outermost call in an expression: the one that `#[xray(trace)]` on the expression applies to.
pub(crate) fn marked_call(expression: &mut Expr) -> Option<&mut Expr> {
    match expression {
        Expr::Call(_) | Expr::MethodCall(_) | Expr::Macro(_) => Some(expression),
        Expr::Await(awaited) => marked_call(&mut awaited.base),
        Expr::Try(tried) => marked_call(&mut tried.expr),
        Expr::Paren(paren) => marked_call(&mut paren.expr),
        Expr::Group(group) => marked_call(&mut group.expr),
        Expr::Reference(reference) => marked_call(&mut reference.expr),
        Expr::Unary(unary) => marked_call(&mut unary.expr),
        Expr::Cast(cast) => marked_call(&mut cast.expr),
        Expr::Assign(assignment) => marked_call(&mut assignment.right),
        Expr::Binary(operation) => {
            marked_call(if assigns(&operation.op) { &mut operation.right } else { &mut operation.left })
        }
        Expr::Return(returned) => marked_call(returned.expr.as_mut()?),
        _ => None,
    }
}

/// Returns whether an expression is a call to a method, a function or a macro.
pub(crate) fn is_call(expression: &Expr) -> bool {
    matches!(expression, Expr::Call(_) | Expr::MethodCall(_) | Expr::Macro(_))
}

fn on_receiver(call: &ExprMethodCall, variables: &Variables) -> Candidate {
    match Receiver::of(&call.receiver) {
        Receiver::Value => Candidate::Value,
        // An enclosing closure would capture the reference instead of the referent; see `VariableFacts::is_reference`.
        // tests/it/shapes/closures.rs::escapes_exclusively
        Receiver::Variable(name) if variables.is_reference(&name) => Candidate::LeftAlone(
            "its receiver is a reference, and a closure around the call would capture the variable itself",
        ),
        Receiver::Place | Receiver::Variable(_) => match argument_in_two_arms(call) {
            Ok(ArgumentUse::Hoisted) if names_receiver(&call.args[0], &call.receiver) => {
                Candidate::LeftAlone("its argument names its receiver, which is evaluated first")
            }
            Ok(argument) => Candidate::Place(argument),
            Err(why) => Candidate::LeftAlone(why),
        },
        Receiver::Unsupported => Candidate::LeftAlone(match peeled(&call.receiver) {
            Expr::Field(_) => "its receiver is a field of a value, which it may not be possible to move",
            Expr::Cast(_) | Expr::Loop(_) => "its receiver is a cast or a loop, which the attribute does not support",
            _ => "its receiver is an index, a dereference, a constant or a macro, which cannot be evaluated twice",
        }),
    }
}

/// Returns how the argument of a call can be used in both arms of the generated `match`, or why the call cannot appear
/// there.
fn argument_in_two_arms(call: &ExprMethodCall) -> Result<ArgumentUse, &'static str> {
    // In the unreachable arm the call resolves to a method of `UnreachableTwin`, whose type parameters differ from the
    // type parameters of the user's method: `socket.send_stream::<u8>(None)` and `client.get::<u32>(key)` would not
    // compile. tests/it/shapes/bodies.rs::by_reference, by_type
    if call.turbofish.is_some() {
        return Err("it has type arguments");
    }
    let argument = call.args.first().map_or(Some(ArgumentUse::Duplicated), in_two_arms);
    argument.ok_or("the type of its argument may depend on its parameter")
}

/// Returns how `request.send(body)` is rewritten. Channels have a method `send` too.
///
/// A call on a receiver with the name of a channel is not a candidate. Most calls of this form send to channels: of
/// 2,999 in public Rust code none was an HTTP call. For any other variable the type decides:
/// `tests/it/shapes/channels.rs`, `tests/it/shapes/hoisted.rs::sent_from_variables`
fn on_receiver_or_channel(call: &ExprMethodCall, variables: &Variables) -> Option<Candidate> {
    match Receiver::of(&call.receiver) {
        Receiver::Value => Some(Candidate::Value),
        Receiver::Unsupported => None,
        Receiver::Place | Receiver::Variable(_) if calls::is_named_like_a_channel(&call.receiver) => None,
        Receiver::Place | Receiver::Variable(_) => match on_receiver(call, variables) {
            Candidate::LeftAlone(_) => None,
            candidate => Some(candidate),
        },
    }
}

fn on_client(call: &ExprMethodCall, position: Position, requirement: Requirement) -> Option<Candidate> {
    // In `client.get(url).send()` the call to `get` returns a request builder, and `send` is the HTTP call.
    if matches!(position, Position::Receiver { .. }) {
        return None;
    }
    let argument = match argument_in_two_arms(call) {
        Ok(argument) => argument,
        // The methods of the clients have no type arguments.
        Err(_) if call.turbofish.is_some() || requirement == Requirement::Strict => return None,
        Err(why) => {
            let is_traced = requirement == Requirement::Marked || position.accepts_any_future();
            return Some(if is_traced { Candidate::LeftAlone(why) } else { Candidate::RequestBuilder });
        }
    };
    // The type test names the client once more than the user's code. `state.lock().await.client` would lock twice.
    // tests/it/shapes/evaluation.rs::behind_a_lock
    if !matches!(Receiver::of(&call.receiver), Receiver::Place | Receiver::Variable(_)) {
        return Some(Candidate::LeftAlone("its receiver is a field of a value, which cannot be evaluated twice"));
    }
    match requirement {
        Requirement::Marked => Some(Candidate::Client(argument)),
        _ if position.accepts_any_future() => Some(Candidate::Client(argument)),
        Requirement::Strict => None,
        // On a client of hyper the call would return a future, whose type may be named outside the function.
        Requirement::Optional => Some(Candidate::RequestBuilder),
    }
}
