//! Small functions on syntax that several modules use.

use std::iter;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::parse::Parser as _;
use syn::spanned::Spanned as _;
use syn::{Block, Expr, ExprCall, ExprPath, Stmt};

/// Returns the span for tokens that are generated at the user's name.
///
/// `mixed_site` marks the tokens as tokens of a macro. That has two effects. A generated variable `__xray_receiver`
/// differs from a user's variable of that name (`tests/it/shapes/macros.rs::hygiene`). Many lints of the compiler and
/// of clippy are not reported on the tokens, because these lints skip the macros of other crates (`tests/it/lints.rs`).
/// Paths in the tokens still resolve like paths at the user's call. `located_at` changes only the position, so errors
/// underline the user's call.
pub(crate) fn span_at(name: &Ident) -> Span {
    Span::mixed_site().located_at(name.span())
}

/// Returns a name as a text, without the `r#` of a raw identifier.
///
/// In a procedural macro each comparison of an `Ident` with a text creates a `String`, so a name that is compared more
/// than once is converted first.
pub(crate) fn text(name: &Ident) -> String {
    let text = name.to_string();
    text.strip_prefix("r#").map(str::to_owned).unwrap_or(text)
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
/// A constant or a unit struct is a path of one segment too, but not a variable. It is recognised by its capital
/// letter. It must not be named twice: each mention creates a new value, and so a second mention would cause a second
/// `drop` (`tests/it/shapes/temporaries.rs::constants`).
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

/// Returns the name of the called function, if the callee is a path.
pub(crate) fn function_name(call: &ExprCall) -> Option<&Ident> {
    match peeled(&call.func) {
        Expr::Path(function) => function.path.segments.last().map(|last| &last.ident),
        _ => None,
    }
}

/// Returns the name of the called method or function. If the callee is not a path, as in `(self.post)(request)`,
/// returns `any`, the name of the runtime's module for such calls.
pub(crate) fn callee_name(call: &Expr) -> Option<Ident> {
    match call {
        Expr::MethodCall(call) => Some(call.method.clone()),
        Expr::Call(call) => {
            let any = || Ident::new("any", peeled(&call.func).span());
            Some(function_name(call).cloned().unwrap_or_else(any))
        }
        _ => None,
    }
}

/// Returns the position of the name of a call.
pub(crate) fn span_of_name(call: &Expr) -> Span {
    match call {
        Expr::MethodCall(call) => call.method.span(),
        other => other.span(),
    }
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

/// Returns the identifiers in tokens, including those in brackets.
pub(crate) fn identifiers(tokens: TokenStream) -> impl Iterator<Item = Ident> {
    let mut open = vec![tokens.into_iter()];
    iter::from_fn(move || {
        loop {
            match open.last_mut()?.next() {
                Some(TokenTree::Ident(name)) => return Some(name),
                Some(TokenTree::Group(group)) => open.push(group.stream().into_iter()),
                Some(_) => {}
                None => drop(open.pop()),
            }
        }
    })
}

/// Returns the variables that the tokens of a macro may name: its identifiers, and those in its format strings.
///
/// ```text
/// Input:  println!("{name:>width$}: {}", age)
/// Output: age name width
/// ```
pub(crate) fn identifiers_in_macro(tokens: &TokenStream) -> impl Iterator<Item = Ident> {
    identifiers(tokens.clone()).chain(identifiers_in_format_strings(tokens))
}

/// Returns the variables that the format strings among tokens name, including tokens in brackets.
/// `tests/it/shapes/named_futures.rs::in_format_strings`
pub(crate) fn identifiers_in_format_strings(tokens: &TokenStream) -> Vec<Ident> {
    let mut found = Vec::new();
    for token in tokens.clone() {
        match token {
            TokenTree::Group(group) => found.extend(identifiers_in_format_strings(&group.stream())),
            TokenTree::Literal(literal) => {
                // Two braces stand for a brace in the text.
                let text = literal.to_string().replace("{{", "");
                if text.contains('{') {
                    let names = format_arguments(&text);
                    found.extend(names.filter_map(|name| Ident::parse_any.parse_str(name).ok()));
                }
            }
            _ => {}
        }
    }
    found
}

/// Returns the texts between the braces of a format string that may be the names of its arguments: `name`, `width` and
/// `precision` in `"{name:>width$.precision$}"`.
fn format_arguments(text: &str) -> impl Iterator<Item = &str> {
    let in_braces = text.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(inside, _)| inside));
    in_braces.flat_map(|inside| {
        let (name, format) = inside.split_once(':').unwrap_or((inside, ""));
        let counts = format.rmatch_indices('$').map(|(end, _)| &format[..end]);
        let is_part = |character: char| character == '_' || character.is_alphanumeric();
        iter::once(name.trim()).chain(counts.map(move |count| {
            let start = count.trim_end_matches(is_part).len();
            &count[start..]
        }))
    })
}

/// Returns whether an expression puts a future into a box: `Box::pin(future)`, `future.boxed()` or
/// `future.boxed_local()`.
pub(crate) fn puts_into_box(expression: &Expr) -> bool {
    match expression {
        Expr::Call(call) => call.args.len() == 1 && is_box_pin(&call.func),
        Expr::MethodCall(call) => call.method == "boxed" || call.method == "boxed_local",
        _ => false,
    }
}

/// Returns the future that an expression puts into a box.
pub(crate) fn boxed_future_mut(expression: &mut Expr) -> Option<&mut Expr> {
    if !puts_into_box(expression) {
        return None;
    }
    match expression {
        Expr::Call(call) => call.args.first_mut(),
        Expr::MethodCall(call) => Some(&mut call.receiver),
        _ => None,
    }
}

/// Returns whether an expression is the function `Box::pin`.
pub(crate) fn is_box_pin(function: &Expr) -> bool {
    let Expr::Path(ExprPath { path, .. }) = function else { return false };
    let mut names = path.segments.iter().rev().map(|segment| &segment.ident);
    names.next().is_some_and(|name| name == "pin") && names.next().is_some_and(|name| name == "Box")
}
