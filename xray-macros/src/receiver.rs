//! What stands before the dot of a call: a value, a place, or something that is better left alone.

use proc_macro2::Ident;
use syn::{Block, Expr, ExprCall, ExprField};

use crate::syntax::{peeled, starts_upper_case, tail, variable};

/// How the receiver of a call may be looked at without changing what the call does.
pub(crate) enum Receiver {
    /// The result of an expression, which can be moved: the function has no other name for it.
    Value,
    /// A field of a variable, which can be named twice.
    Place,
    /// A variable by itself.
    Variable(Ident),
    /// Anything else.
    ///
    /// `list[index()]` and `*get()` would be evaluated twice. A place behind an index or a dereference cannot be moved
    /// into `match` either: `(*boxed).send()`. `tests/shapes/builders.rs::left_alone`,
    /// `tests/shapes/positions.rs::receivers`
    ///
    /// A macro may expand to a value or to a place, which only the compiler sees, and a literal is `'static` as long as
    /// it is not bound. `tests/shapes/macros.rs::unknown_macros`
    Other,
}

impl Receiver {
    pub(crate) fn of(receiver: &Expr) -> Self {
        match peeled(receiver) {
            Expr::Call(call) if is_constant(call) => Self::Other,
            Expr::MethodCall(_) | Expr::Call(_) | Expr::Try(_) | Expr::Await(_) | Expr::If(_) | Expr::Match(_) => {
                Self::Value
            }
            // A block makes a value even of a place: `{ request }` moves. tests/shapes/receivers.rs
            Expr::Block(block) if !ends_in_constant(&block.block) => Self::Value,
            Expr::Unsafe(block) if !ends_in_constant(&block.block) => Self::Value,
            Expr::Path(path) => variable(path).map_or(Self::Other, |name| Self::Variable(name.clone())),
            Expr::Field(field) if is_place(field) => Self::Place,
            _ => Self::Other,
        }
    }
}

fn is_place(field: &ExprField) -> bool {
    match peeled(&field.base) {
        Expr::Path(path) => variable(path).is_some(),
        Expr::Field(base) => is_place(base),
        _ => false,
    }
}

/// Returns whether a call makes a value of constants alone, such as `Word(1)`.
///
/// The compiler promotes such a value: `&Word(1)` is `'static`, and so is what `Word(1).send()` borrows from it. Bound
/// to a variable, the value lives no longer than that variable. `tests/shapes/temporaries.rs::promoted`
fn is_constant(call: &ExprCall) -> bool {
    // Promoted are constructors of tuple structs and variants, whose names have a capital letter, not functions.
    let constructs = matches!(peeled(&call.func), Expr::Path(path) if path.path.segments.last().is_some_and(|last| {
        starts_upper_case(&last.ident)
    }));
    constructs && call.args.iter().all(is_constant_expression)
}

/// Returns whether a block ends in a constant, which is promoted too. `tests/shapes/receivers.rs::promoted`
fn ends_in_constant(block: &Block) -> bool {
    tail(block).is_some_and(is_constant_expression)
}

fn is_constant_expression(expression: &Expr) -> bool {
    match peeled(expression) {
        Expr::Lit(_) => true,
        Expr::Path(path) => path.path.segments.last().is_some_and(|last| starts_upper_case(&last.ident)),
        Expr::Call(call) => is_constant(call),
        Expr::Unary(unary) => is_constant_expression(&unary.expr),
        Expr::Reference(reference) => is_constant_expression(&reference.expr),
        Expr::Binary(binary) => is_constant_expression(&binary.left) && is_constant_expression(&binary.right),
        Expr::Cast(cast) => is_constant_expression(&cast.expr),
        Expr::Tuple(tuple) => tuple.elems.iter().all(is_constant_expression),
        Expr::Array(array) => array.elems.iter().all(is_constant_expression),
        Expr::Struct(made) => made.fields.iter().all(|field| is_constant_expression(&field.expr)),
        _ => false,
    }
}
