//! What stands before the dot of a call: a value, a place, or something that is better left alone.

use proc_macro2::Ident;
use syn::{Expr, ExprField, ExprPath};

/// How the receiver of a call may be looked at without changing what the call does.
pub(crate) enum Receiver {
    /// The result of an expression: it can be moved, and nobody else sees it.
    Value,
    /// A variable, or a field of one: it can be named twice.
    Place,
    /// A variable by itself.
    Variable(Ident),
    /// Anything else: evaluated twice, moved or borrowed for longer it would not mean the same.
    Other,
}

impl Receiver {
    pub(crate) fn of(receiver: &Expr) -> Self {
        match peeled(receiver) {
            Expr::MethodCall(_) | Expr::Call(_) | Expr::Try(_) | Expr::Await(_) => Self::Value,
            Expr::Path(path) => variable(path).map_or(Self::Other, |name| Self::Variable(name.clone())),
            Expr::Field(field) if is_place(field) => Self::Place,
            _ => Self::Other,
        }
    }
}

/// The expression without parentheses, and without the groups that `macro_rules!` makes.
pub(crate) fn peeled(mut expression: &Expr) -> &Expr {
    loop {
        match expression {
            Expr::Paren(paren) if paren.attrs.is_empty() => expression = &paren.expr,
            Expr::Group(group) if group.attrs.is_empty() => expression = &group.expr,
            _ => return expression,
        }
    }
}

/// The same for an expression that is taken apart.
pub(crate) fn into_peeled(mut expression: Expr) -> Expr {
    loop {
        expression = match expression {
            Expr::Paren(paren) if paren.attrs.is_empty() => *paren.expr,
            Expr::Group(group) if group.attrs.is_empty() => *group.expr,
            other => return other,
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

/// The name of a variable. Constants and unit structs look alike but for their first letter: naming one of
/// those makes a new value each time.
fn variable(path: &ExprPath) -> Option<&Ident> {
    let name = path.path.get_ident().filter(|_| path.attrs.is_empty() && path.qself.is_none())?;
    let text = name.to_string();
    let first = text.trim_start_matches("r#").chars().find(|character| *character != '_')?;
    (!first.is_uppercase()).then_some(name)
}
