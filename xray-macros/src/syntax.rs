//! Small questions about syntax that several phases ask.

use proc_macro2::{Ident, Span};
use syn::{Block, Expr, ExprPath, Stmt};

/// Returns the span for tokens that are generated at the user's name.
///
/// `mixed_site` makes them a macro's tokens: a generated variable `__xray_it` and a variable of the user's that has
/// the same name are two variables (`tests/shapes/macros.rs::hygiene`), and the compiler's and clippy's lints, which
/// are silent in macros of other crates, do not blame the user for them (`tests/lints.rs`). Paths still resolve where
/// the user wrote the call. `located_at` moves the position alone, so that errors underline the user's call.
pub(crate) fn span_at(name: &Ident) -> Span {
    Span::mixed_site().located_at(name.span())
}

/// Returns the expression without parentheses and without the invisible groups that `macro_rules!` puts around
/// `$receiver:expr` (`tests/shapes/macros.rs::made_by_a_macro`).
pub(crate) fn peeled(mut expression: &Expr) -> &Expr {
    loop {
        match expression {
            Expr::Paren(paren) if paren.attrs.is_empty() => expression = &paren.expr,
            Expr::Group(group) if group.attrs.is_empty() => expression = &group.expr,
            _ => return expression,
        }
    }
}

/// Like [`peeled`], but takes the expression apart.
pub(crate) fn into_peeled(mut expression: Expr) -> Expr {
    loop {
        expression = match expression {
            Expr::Paren(paren) if paren.attrs.is_empty() => *paren.expr,
            Expr::Group(group) if group.attrs.is_empty() => *group.expr,
            other => return other,
        }
    }
}

/// Returns the name of the variable that a path stands for.
///
/// Constants and unit structs are paths of one name too. They are recognized by their capital letter and refused,
/// because each mention of them makes a new value: a second mention would run a second `drop`
/// (`tests/shapes/temporaries.rs::constants`).
pub(crate) fn variable(path: &ExprPath) -> Option<&Ident> {
    let name = path.path.get_ident().filter(|_| path.attrs.is_empty() && path.qself.is_none())?;
    (!starts_upper_case(name)).then_some(name)
}

/// Returns whether a name is written as that of a type, a constant or a variant.
pub(crate) fn starts_upper_case(name: &Ident) -> bool {
    let text = name.to_string();
    let first = text.trim_start_matches("r#").chars().find(|character| *character != '_');
    first.is_some_and(char::is_uppercase)
}

/// Returns the expression at the end of a block, which is the value of the block.
pub(crate) fn tail(block: &Block) -> Option<&Expr> {
    match block.stmts.last()? {
        Stmt::Expr(tail, None) => Some(tail),
        _ => None,
    }
}

/// Like [`tail`], but exclusively.
pub(crate) fn tail_mut(block: &mut Block) -> Option<&mut Expr> {
    match block.stmts.last_mut()? {
        Stmt::Expr(tail, None) => Some(tail),
        _ => None,
    }
}

/// Returns whether an expression puts a future into a box: `Box::pin(future)`, `future.boxed()` or
/// `future.boxed_local()`.
pub(crate) fn is_boxed(expression: &Expr) -> bool {
    match expression {
        Expr::Call(call) => call.args.len() == 1 && is_box_pin(&call.func),
        Expr::MethodCall(call) => call.method == "boxed" || call.method == "boxed_local",
        _ => false,
    }
}

/// Returns the future that an expression puts into a box.
pub(crate) fn boxed_future_mut(expression: &mut Expr) -> Option<&mut Expr> {
    if !is_boxed(expression) {
        return None;
    }
    match expression {
        Expr::Call(call) => call.args.first_mut(),
        Expr::MethodCall(call) => Some(&mut call.receiver),
        _ => None,
    }
}

fn is_box_pin(function: &Expr) -> bool {
    let Expr::Path(ExprPath { path, .. }) = function else { return false };
    let mut names = path.segments.iter().rev().map(|segment| &segment.ident);
    names.next().is_some_and(|name| name == "pin") && names.next().is_some_and(|name| name == "Box")
}
