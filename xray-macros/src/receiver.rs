//! What stands before the dot of a call: a value, a place, or something that is better left alone.

use proc_macro2::Ident;
use syn::{Block, Expr, ExprCall, ExprField, ExprPath, Stmt};

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
            Expr::Call(call) if is_constant(call) => Self::Other,
            Expr::MethodCall(_) | Expr::Call(_) | Expr::Try(_) | Expr::Await(_) => Self::Value,
            // Even of a variable these make a value.
            Expr::If(_) | Expr::Match(_) => Self::Value,
            Expr::Block(block) if !ends_in_constant(&block.block) => Self::Value,
            Expr::Unsafe(block) if !ends_in_constant(&block.block) => Self::Value,
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

/// Whether a call makes a value of constants alone, such as `Word(1)`: a borrow of that is `'static`, and of what it
/// is moved to is not.
fn is_constant(call: &ExprCall) -> bool {
    let constructs = matches!(peeled(&call.func), Expr::Path(path) if path.path.segments.last().is_some_and(|last| {
        starts_upper_case(&last.ident)
    }));
    constructs && call.args.iter().all(is_constant_expression)
}

fn ends_in_constant(block: &Block) -> bool {
    matches!(block.stmts.last(), Some(Stmt::Expr(tail, None)) if is_constant_expression(tail))
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

/// The name of a variable. Constants and unit structs look alike but for their first letter: naming one of
/// those makes a new value each time.
pub(crate) fn variable(path: &ExprPath) -> Option<&Ident> {
    let name = path.path.get_ident().filter(|_| path.attrs.is_empty() && path.qself.is_none())?;
    (!starts_upper_case(name)).then_some(name)
}

fn starts_upper_case(name: &Ident) -> bool {
    let text = name.to_string();
    let first = text.trim_start_matches("r#").chars().find(|character| *character != '_');
    first.is_some_and(char::is_uppercase)
}
