//! Replaces the invisible groups of `macro_rules!` with parentheses.
//!
//! `macro_rules!` puts an invisible group around `$value:expr`, so that `$value * 2` with `1 + 2` is `(1 + 2) * 2`. In
//! the output of a procedural macro the compiler ignores such groups, and the value would be `1 + 2 * 2`.
//! `tests/it/shapes/macros.rs::precedence`

use std::mem;

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use syn::spanned::Spanned as _;
use syn::token::Paren;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, ExprGroup, ExprParen, Type, TypeGroup, TypeParen};

/// Returns whether there are invisible groups in tokens.
pub(crate) fn are_in(tokens: &TokenStream) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::None || are_in(&group.stream()),
        _ => false,
    })
}

/// Removes the groups around blocks: syn does not read `$body:block` as a statement.
pub(crate) fn unwrap_blocks(tokens: TokenStream) -> TokenStream {
    with_unwrapped_blocks(&tokens).unwrap_or(tokens)
}

/// Returns the tokens with each block in place of the invisible group around it, or `None` if there is no such group.
/// The caller then keeps the original tokens: in a macro that the attribute does not read, a new group would lose the
/// precedence that the compiler gives the original group.
fn with_unwrapped_blocks(tokens: &TokenStream) -> Option<TokenStream> {
    let mut is_changed = false;
    let shown = tokens.clone().into_iter().map(|token| {
        let TokenTree::Group(group) = &token else { return token };
        let changed = with_unwrapped_blocks(&group.stream());
        let block = lone_block(group.delimiter(), changed.clone().unwrap_or_else(|| group.stream()));
        is_changed |= block.is_some() || changed.is_some();
        let shown = block.or_else(|| {
            let mut shown = Group::new(group.delimiter(), changed?);
            shown.set_span(group.span());
            Some(shown)
        });
        shown.map_or(token, TokenTree::Group)
    });
    let shown = shown.collect();
    is_changed.then_some(shown)
}

/// Returns the block that is alone in an invisible group.
fn lone_block(delimiter: Delimiter, content: TokenStream) -> Option<Group> {
    let mut tokens = content.into_iter();
    match (delimiter, tokens.next(), tokens.next()) {
        (Delimiter::None, Some(TokenTree::Group(block)), None) if block.delimiter() == Delimiter::Brace => Some(block),
        _ => None,
    }
}

/// Replaces groups with parentheses in a syntax tree.
pub(crate) struct Parenthesize;

impl VisitMut for Parenthesize {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        visit_mut::visit_expr_mut(self, expression);
        if !matches!(expression, Expr::Group(group) if needs_parentheses(&group.expr)) {
            return;
        }
        let span = expression.span();
        if let Expr::Group(ExprGroup { attrs, expr, .. }) = mem::replace(expression, Expr::PLACEHOLDER) {
            *expression = Expr::Paren(ExprParen { attrs, paren_token: parentheses(span), expr });
        }
    }

    fn visit_type_mut(&mut self, ty: &mut Type) {
        visit_mut::visit_type_mut(self, ty);
        let Type::Group(TypeGroup { attrs, elem, .. }) = ty else { return };
        let has_several_bounds = match &**elem {
            Type::TraitObject(object) => object.bounds.len() > 1,
            Type::ImplTrait(implementor) => implementor.bounds.len() > 1,
            _ => false,
        };
        if has_several_bounds {
            *ty = Type::Paren(TypeParen {
                attrs: mem::take(attrs),
                paren_token: parentheses(elem.span()),
                elem: elem.clone(),
            });
        }
    }
}

/// Returns parentheses with the position of the macro: rustc reports the user's parentheses as unused.
fn parentheses(position: Span) -> Paren {
    Paren(Span::mixed_site().located_at(position))
}

/// Returns whether an expression without a group around it could be parsed in another way.
fn needs_parentheses(expression: &Expr) -> bool {
    match expression {
        Expr::Path(_) | Expr::Lit(_) | Expr::Paren(_) | Expr::Macro(_) | Expr::Array(_) | Expr::Tuple(_)
        // syn reads `$statement:stmt` as a group with `let`, which is a statement.
        | Expr::Let(_) => false,
        Expr::Group(group) => needs_parentheses(&group.expr),
        // The beginning of the expression decides. In `match Point { x: 1 }.x {}`, a literal of a struct is not
        // allowed.
        Expr::Call(call) => needs_parentheses(&call.func),
        Expr::MethodCall(call) => needs_parentheses(&call.receiver),
        Expr::Field(field) => needs_parentheses(&field.base),
        Expr::Index(index) => needs_parentheses(&index.expr),
        Expr::Await(awaited) => needs_parentheses(&awaited.base),
        Expr::Try(tried) => needs_parentheses(&tried.expr),
        _ => true,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use quote::ToTokens as _;

    use super::*;

    /// Parses Rust code in which `$(..)` is an invisible group.
    pub(crate) fn with_groups(code: &str) -> TokenStream {
        grouped(code.parse().unwrap())
    }

    fn grouped(tokens: TokenStream) -> TokenStream {
        let mut is_after_dollar = false;
        let tokens = tokens.into_iter().filter_map(|token| {
            let is_invisible = is_after_dollar;
            is_after_dollar = matches!(&token, TokenTree::Punct(mark) if mark.as_char() == '$');
            match token {
                TokenTree::Group(group) => {
                    let delimiter = if is_invisible { Delimiter::None } else { group.delimiter() };
                    Some(Group::new(delimiter, grouped(group.stream())).into())
                }
                token => (!is_after_dollar).then_some(token),
            }
        });
        tokens.collect()
    }

    /// Prints tokens, and an invisible group as `$(..)`.
    fn shown(tokens: TokenStream) -> String {
        fn spread(tokens: TokenStream) -> TokenStream {
            let spread = tokens.into_iter().flat_map(|token| match token {
                TokenTree::Group(group) => {
                    let content = spread(group.stream());
                    match group.delimiter() {
                        Delimiter::None => {
                            ["$".parse().unwrap(), Group::new(Delimiter::Parenthesis, content).into_token_stream()]
                        }
                        delimiter => [TokenStream::new(), Group::new(delimiter, content).into_token_stream()],
                    }
                }
                token => [TokenStream::new(), token.into()],
            });
            spread.collect()
        }
        spread(tokens).to_string()
    }

    #[test]
    fn a_block_that_is_alone_in_a_group_replaces_it() {
        for (code, expected) in [
            ("fn f() $({ g() })", "fn f() { g() }"),
            ("fn f() { if a $({ g() }) }", "fn f() { if a { g() } }"),
            ("$({ $({ a }) })", "{ { a } }"),
            ("$($({ a }))", "{ a }"),
            ("$(1 + 2) * $({ 3 })", "$(1 + 2) * { 3 }"),
            ("$(1 + 2) * 2", "$(1 + 2) * 2"),
            ("$((a))", "$((a))"),
            ("$({ a } b)", "$({ a } b)"),
            ("({ a })", "({ a })"),
        ] {
            let expected = expected.parse::<TokenStream>().unwrap().to_string();
            assert_eq!(shown(unwrap_blocks(with_groups(code))), expected, "{code}");
        }
    }

    #[test]
    fn an_expression_in_a_group_keeps_its_precedence() {
        let of = |code: &str| {
            let mut expression: Expr = syn::parse2(with_groups(code)).unwrap();
            Parenthesize.visit_expr_mut(&mut expression);
            expression.into_token_stream().to_string()
        };
        for inner in ["a + b", "-a", "&a", "|a| b", "a as u8", "Point { x: 1 }", "if a { b } else { c }", "{ a }"] {
            let expected = format!("({inner}) * 2").parse::<TokenStream>().unwrap().to_string();
            assert_eq!(of(&format!("$({inner}) * 2")), expected);
            assert_eq!(of(&format!("$($({inner})) * 2")), expected);
            for rest in [".x", ".g()", "[0]", ".await", "?", "(1)"] {
                let expected = format!("({inner}){rest}").parse::<TokenStream>().unwrap().to_string();
                assert_eq!(of(&format!("$($({inner}){rest})")), expected);
            }
        }
        // Only the beginning of an expression matters.
        for rest in [".x", ".g()", "[0]", ".await", "?"] {
            let expected = format!("(Point {{ x: 1 }}{rest})").parse::<TokenStream>().unwrap().to_string();
            assert_eq!(of(&format!("$(Point {{ x: 1 }}{rest})")), expected);
        }
        for inner in
            ["a", "a::b", "1", "(a + b)", "g!()", "[a]", "(a, b)", "g(1)", "a.g()", "a.x", "a[0]", "a.await", "a?"]
        {
            let expected = format!("{inner} * 2").parse::<TokenStream>().unwrap().to_string();
            assert_eq!(of(&format!("$({inner}) * 2")), expected);
            assert_eq!(of(&format!("$($({inner})) * 2")), expected);
        }
    }

    #[test]
    fn a_type_with_several_bounds_in_a_group_keeps_them() {
        for (code, expected) in [
            ("&$(dyn A + B)", "&(dyn A + B)"),
            ("&$(impl A + B)", "&(impl A + B)"),
            ("[&$(dyn A + B); 2]", "[&(dyn A + B); 2]"),
            ("&$(dyn A)", "&dyn A"),
            ("&$(impl A)", "&impl A"),
            ("&$(u8)", "&u8"),
        ] {
            let mut ty: Type = syn::parse2(with_groups(code)).unwrap();
            Parenthesize.visit_type_mut(&mut ty);
            let expected = expected.parse::<TokenStream>().unwrap().to_string();
            assert_eq!(ty.into_token_stream().to_string(), expected, "{code}");
        }
    }
}
