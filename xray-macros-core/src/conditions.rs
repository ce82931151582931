//! The `#[cfg]` attributes around a call, and at the end of a block. The statements that the expansion adds for a call
//! need the attributes around the call too.

use syn::{Attribute, Block, Expr, Stmt};

use crate::attributes::{attributes, condition, is_conditional};

/// The `#[cfg]` attributes around an expression, the innermost last.
#[derive(Default)]
pub(crate) struct Conditions {
    pub(crate) attributes: Vec<Attribute>,
    /// The number of attributes outside the current body.
    pub(crate) outside_body: usize,
    /// The number of attributes outside the function or closure that declares the open types.
    pub(crate) outside_settlement: usize,
}

impl Conditions {
    /// Adds the conditions among the attributes of an expression.
    pub(crate) fn extend(&mut self, attributes: &[Attribute]) {
        self.attributes.extend(attributes.iter().filter_map(condition));
    }

    /// Returns the conditions around the expression in the current body.
    pub(crate) fn of_body(&self) -> Vec<Attribute> {
        self.attributes[self.outside_body..].to_vec()
    }

    /// Returns the conditions around the expression in the function or closure that declares the open types.
    pub(crate) fn of_settlement(&self) -> Vec<Attribute> {
        self.attributes[self.outside_settlement..].to_vec()
    }
}

/// Returns the expressions that may be the value of a block: the last one, and those before it that take its place in
/// other builds.
///
/// ```text
/// Input:  { let a = b; #[cfg(unix)] { a.get() } #[cfg(windows)] { a.post() } }
/// Output: { a.get() } and { a.post() }
/// ```
///
/// `tests/it/shapes/attributes.rs::alternatives_at_the_end`
pub(crate) fn tails(block: &Block) -> Vec<&Expr> {
    block.stmts[first_tail(&block.stmts)..].iter().filter_map(tail_of).collect()
}

/// Like [`tails`], but returns mutable references.
pub(crate) fn tails_mut(block: &mut Block) -> Vec<&mut Expr> {
    let first = first_tail(&block.stmts);
    let tail_of = |statement| match statement {
        &mut Stmt::Expr(ref mut tail, None) => Some(tail),
        _ => None,
    };
    block.stmts[first..].iter_mut().filter_map(tail_of).collect()
}

/// Returns the index of the first of the [`tails`] of a block with these statements, or their number if it has none.
pub(crate) fn first_tail(statements: &[Stmt]) -> usize {
    let mut tails = statements.iter().rev().map_while(tail_of);
    let count = match tails.next() {
        None => 0,
        Some(last) if is_conditional(attributes(last)) => {
            1 + tails.take_while(|tail| is_conditional(attributes(tail)) && has_value(tail)).count()
        }
        Some(_) => 1,
    };
    statements.len() - count
}

fn tail_of(statement: &Stmt) -> Option<&Expr> {
    match statement {
        Stmt::Expr(tail, None) => Some(tail),
        _ => None,
    }
}

/// Returns whether an expression that ends without a semicolon has a value other than `()`, judged by its syntax:
/// `#[cfg(unix)] { return a; }` is a statement.
fn has_value(expression: &Expr) -> bool {
    let ends_in_value = |block: &Block| match block.stmts.last() {
        Some(Stmt::Expr(_, semicolon)) => semicolon.is_none(),
        Some(Stmt::Macro(last)) => last.semi_token.is_none(),
        _ => false,
    };
    match expression {
        Expr::Block(block) => ends_in_value(&block.block),
        Expr::Unsafe(block) => ends_in_value(&block.block),
        Expr::If(conditional) => conditional.else_branch.is_some(),
        Expr::ForLoop(_) | Expr::While(_) => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use quote::ToTokens as _;

    use super::*;

    #[test]
    fn the_values_of_a_block_are_the_last_expression_and_its_alternatives() {
        for (block, expected) in [
            ("{}", &[][..]),
            ("{ a; }", &[]),
            ("{ a; b }", &["b"]),
            ("{ #[cfg(a)] { b } c }", &["c"]),
            ("{ a; #[cfg(a)] { b } #[cfg(b)] { c } }", &["#[cfg (a)] { b }", "#[cfg (b)] { c }"]),
            ("{ if a { b } #[cfg(a)] { b } #[cfg(b)] { c } }", &["#[cfg (a)] { b }", "#[cfg (b)] { c }"]),
            ("{ #[cfg(a)] { b } #[cfg(b)] { return c; } }", &["#[cfg (a)] { b }", "#[cfg (b)] { return c ; }"]),
            ("{ #[cfg(a)] { return b; } #[cfg(b)] { c } }", &["#[cfg (b)] { c }"]),
            ("{ #[cfg(a)] if a { b } #[cfg(b)] { c } }", &["#[cfg (b)] { c }"]),
            ("{ #[cfg(a)] { g! {} } #[cfg(b)] { c } }", &["#[cfg (a)] { g ! { } }", "#[cfg (b)] { c }"]),
            ("{ #[cfg(a)] { g! {}; } #[cfg(b)] { c } }", &["#[cfg (b)] { c }"]),
            ("{ #[cfg(a)] unsafe { b } #[cfg(b)] { c } }", &["#[cfg (a)] unsafe { b }", "#[cfg (b)] { c }"]),
            ("{ #[cfg(a)] unsafe { b; } #[cfg(b)] { c } }", &["#[cfg (b)] { c }"]),
            ("{ #[cfg(a)] for b in c {} #[cfg(b)] { c } }", &["#[cfg (b)] { c }"]),
            ("{ #[cfg(a)] while b {} #[cfg(b)] { c } }", &["#[cfg (b)] { c }"]),
            ("{ #[cfg(a)] { b } #[allow(c)] { d } }", &["#[allow (c)] { d }"]),
        ] {
            let mut parsed: Block = syn::parse_str(block).unwrap();
            let found: Vec<_> = tails(&parsed).into_iter().map(|tail| tail.to_token_stream().to_string()).collect();
            let expected: Vec<_> = expected.iter().map(|tail| tail.replace("#[", "# [")).collect();
            assert_eq!(found, expected, "{block}");
            assert_eq!(tails_mut(&mut parsed).len(), expected.len(), "{block}");
        }
    }
}
