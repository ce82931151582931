//! Small functions on syntax that several modules use.

use proc_macro2::{Ident, Span};
use syn::{Block, Expr, ExprPath, Stmt};

/// Returns the span for tokens that are generated at the user's name.
///
/// With `mixed_site` the compiler treats the tokens as those of a macro. A generated variable `__xray_it` is then distinct
/// from a user's variable of the same name (`tests/it/shapes/macros.rs::hygiene`). Lints of the compiler and of clippy
/// that skip the macros of other crates are not reported on the tokens (`tests/it/lints.rs`). Paths still resolve at the
/// user's call. `located_at` changes only the position, so errors underline the user's call.
pub(crate) fn span_at(name: &Ident) -> Span {
    Span::mixed_site().located_at(name.span())
}

/// Returns the expression without parentheses and without the invisible groups that `macro_rules!` puts around
/// `$receiver:expr` (`tests/it/shapes/macros.rs::made_by_a_macro`).
pub(crate) fn peeled(mut expression: &Expr) -> &Expr {
    loop {
        match expression {
            Expr::Paren(paren) if paren.attrs.is_empty() => expression = &paren.expr,
            Expr::Group(group) if group.attrs.is_empty() => expression = &group.expr,
            _ => return expression,
        }
    }
}

/// Like [`peeled`], but for an owned expression.
pub(crate) fn into_peeled(mut expression: Expr) -> Expr {
    loop {
        expression = match expression {
            Expr::Paren(paren) if paren.attrs.is_empty() => *paren.expr,
            Expr::Group(group) if group.attrs.is_empty() => *group.expr,
            other => return other,
        }
    }
}

/// Returns the name of a variable, or `None` if the path is not a variable.
///
/// A constant or unit struct is also a path of one segment. It is recognized by its capital letter and is not a variable:
/// each mention of it creates a new value, so a second mention would run a second `drop`
/// (`tests/it/shapes/temporaries.rs::constants`).
pub(crate) fn variable(path: &ExprPath) -> Option<&Ident> {
    let name = path.path.get_ident().filter(|_| path.attrs.is_empty() && path.qself.is_none())?;
    (!starts_upper_case(name)).then_some(name)
}

/// Returns whether a name begins with a capital letter, as the names of types, constants and variants do.
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

/// Like [`tail`], but returns a mutable reference.
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
