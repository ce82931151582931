//! The calls that a walk finds because their names are in the table, with their positions, for `untraced`.

use proc_macro2::Span;
use syn::spanned::Spanned as _;
use syn::{Expr, Path};

use crate::candidate::Candidate;

/// A call whose name is in the table.
#[derive(Debug, Clone, Copy)]
pub struct FoundCall {
    /// The whole call, with its receiver and its arguments.
    pub span: Span,
    /// The name of the method, or the path of the function.
    pub name: Span,
    /// Why the attribute leaves the call alone, if it does. The text completes the sentence "The call is not traced,
    /// because ..".
    pub left_alone: Option<&'static str>,
}

/// Paths that begin a chain of calls which is not an HTTP call: `sqlx::query(text).execute(pool)` and
/// `Runtime::new(handler).run()`.
const OTHER_CRATES: &[&[&str]] = &[&["lambda_http"], &["lambda_runtime"], &["Runtime", "new"], &["sqlx"]];

impl FoundCall {
    /// Describes a call before its inner calls are rewritten. Returns `None` for a call that begins with one of
    /// [`OTHER_CRATES`].
    pub(crate) fn of(call: &Expr) -> Option<Self> {
        let is_listed = !first_path(call).is_some_and(|path| OTHER_CRATES.iter().any(|names| begins_with(path, names)));
        is_listed.then(|| Self::new(call))
    }

    fn new(call: &Expr) -> Self {
        let (name, end) = match call {
            Expr::MethodCall(call) => (call.method.span(), call.paren_token.span.close()),
            Expr::Call(call) => (start(&call.func), call.paren_token.span.close()),
            other => (start(other), start(other)),
        };
        Self { span: start(call).join(end).unwrap_or(name), name, left_alone: None }
    }

    /// Describes an argument of a macro that contains calls and is left alone.
    pub(crate) fn in_macro(argument: &Expr, why: &'static str) -> Self {
        Self { span: argument.span(), left_alone: Some(why), ..Self::new(argument) }
    }

    /// Notes how the call is rewritten.
    pub(crate) fn rewritten_as(self, candidate: Candidate) -> Self {
        let left_alone = match candidate {
            Candidate::LeftAlone(why) => Some(why),
            _ => None,
        };
        Self { left_alone, ..self }
    }
}

/// Returns the path of the function or macro with which a chain of method calls begins.
fn first_path(mut expression: &Expr) -> Option<&Path> {
    loop {
        expression = match expression {
            Expr::MethodCall(call) => &call.receiver,
            Expr::Call(call) => match &*call.func {
                Expr::Path(function) => return Some(&function.path),
                _ => return None,
            },
            Expr::Macro(call) => return Some(&call.mac.path),
            _ => return None,
        };
    }
}

fn begins_with(path: &Path, names: &[&str]) -> bool {
    path.segments.len() >= names.len() && path.segments.iter().zip(names).all(|(segment, name)| segment.ident == *name)
}

/// Returns the position of the first token of an expression.
///
/// `expression.span()` would print all tokens of the expression. A chain of calls would take quadratic time, because
/// each call of the chain is described: `tests.rs::long_and_deep_code_takes_linear_work_and_little_stack`
fn start(mut expression: &Expr) -> Span {
    loop {
        expression = match expression {
            Expr::MethodCall(call) => &call.receiver,
            Expr::Call(call) => &call.func,
            Expr::Field(field) => &field.base,
            Expr::Await(awaited) => &awaited.base,
            Expr::Try(tried) => &tried.expr,
            Expr::Index(index) => &index.expr,
            Expr::Group(group) => &group.expr,
            Expr::Cast(cast) => &cast.expr,
            Expr::Binary(binary) => &binary.left,
            Expr::Path(path) => return path.qself.as_ref().map_or_else(|| start_of(&path.path), |of| of.lt_token.span),
            Expr::Macro(call) => return start_of(&call.mac.path),
            Expr::Struct(made) => return start_of(&made.path),
            Expr::Paren(paren) => return paren.paren_token.span.open(),
            Expr::Tuple(tuple) => return tuple.paren_token.span.open(),
            Expr::Array(array) => return array.bracket_token.span.open(),
            Expr::Block(block) => return block.block.brace_token.span.open(),
            Expr::Async(block) => return block.async_token.span,
            Expr::Unsafe(block) => return block.unsafe_token.span,
            Expr::If(conditional) => return conditional.if_token.span,
            Expr::Match(choice) => return choice.match_token.span,
            Expr::Reference(reference) => return reference.and_token.span,
            Expr::Lit(literal) => return literal.lit.span(),
            other => return other.span(),
        };
    }
}

fn start_of(path: &Path) -> Span {
    let first = || path.segments.first().map_or_else(Span::call_site, |first| first.ident.span());
    path.leading_colon.map_or_else(first, |colon| colon.span())
}
