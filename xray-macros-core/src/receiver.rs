//! Classifies the receiver of a method call: a value, a place, or an expression that cannot be rewritten.

use proc_macro2::Ident;
use syn::{Block, Expr, ExprCall, ExprField};

use crate::syntax::{peeled, starts_upper_case, tail, variable};

/// The kind of a receiver. It determines how the type of the receiver can be tested without changing the call's
/// behaviour.
pub(crate) enum Receiver {
    /// The result of an expression. It can be moved, because the function has no other name for it.
    Value,
    /// A field of a variable. It can be named twice.
    Place,
    /// A variable.
    Variable(Ident),
    /// Any other expression. It can be neither moved nor named twice:
    ///
    /// * `list[index()]` and `*get()` would be evaluated twice, and a place behind an index or a dereference cannot be
    ///   moved into a `match`: `(*boxed).send()`. `tests/it/shapes/builders.rs::left_alone`,
    ///   `tests/it/shapes/positions.rs::receivers`
    /// * A macro call may expand to a value or to a place, and an attribute cannot see the expansion.
    ///   `tests/it/shapes/macros.rs::unknown_macros`
    /// * A borrow of a literal is `'static`; a borrow of a variable bound to it is not.
    Unsupported,
}

impl Receiver {
    pub(crate) fn of(receiver: &Expr) -> Self {
        match peeled(receiver) {
            Expr::Call(call) if is_constant(call) => Self::Unsupported,
            Expr::MethodCall(_) | Expr::Call(_) | Expr::Try(_) | Expr::Await(_) | Expr::If(_) | Expr::Match(_) => {
                Self::Value
            }
            // A block is a value even if it contains only a place: `{ request }` moves. tests/it/shapes/receivers.rs
            Expr::Block(block) if !ends_in_constant(&block.block) => Self::Value,
            Expr::Unsafe(block) if !ends_in_constant(&block.block) => Self::Value,
            Expr::Path(path) => variable(path).map_or(Self::Unsupported, |name| Self::Variable(name.clone())),
            Expr::Field(field) if is_place(field) => Self::Place,
            _ => Self::Unsupported,
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

/// Returns whether a call constructs a value from constants only, such as `Word(1)`.
///
/// The compiler promotes such a value to a static: `&Word(1)` is `'static`, and so is a borrow that `Word(1).send()`
/// returns. If the value were bound to a variable, it would live only as long as the variable.
/// `tests/it/shapes/temporaries.rs::promoted`
fn is_constant(call: &ExprCall) -> bool {
    // Constructors of tuple structs and variants are promoted, functions are not. Constructors begin with a capital
    // letter.
    let constructs = matches!(peeled(&call.func), Expr::Path(path) if path.path.segments.last().is_some_and(|last| {
        starts_upper_case(&last.ident)
    }));
    constructs && call.args.iter().all(is_constant_expression)
}

/// Returns whether a block ends in a constant expression. Its value is promoted too.
/// `tests/it/shapes/receivers.rs::promoted`
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
        // `CONFIG.0` and `TABLE[1]`
        Expr::Field(field) => is_constant_expression(&field.base),
        Expr::Index(index) => is_constant_expression(&index.expr) && is_constant_expression(&index.index),
        Expr::Repeat(list) => is_constant_expression(&list.expr),
        Expr::Tuple(tuple) => tuple.elems.iter().all(is_constant_expression),
        Expr::Array(array) => array.elems.iter().all(is_constant_expression),
        Expr::Struct(made) => made.fields.iter().all(|field| is_constant_expression(&field.expr)),
        _ => false,
    }
}
