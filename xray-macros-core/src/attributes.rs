//! Reads and removes attributes of the kinds of expressions that can contain a call.

use std::mem;

use quote::quote;
use syn::punctuated::Punctuated;
use syn::{Attribute, BinOp, Expr, Meta, MetaList, Token};

use crate::options::CallOptions;

/// Removes and returns the `#[xray(..)]` attributes. The compiler would reject them, because it has no attribute
/// `xray`.
pub(crate) fn take_xray(attributes: &mut Vec<Attribute>) -> Vec<Attribute> {
    // This runs for every expression, and most have no such attribute. Return early without an allocation.
    if !attributes.iter().any(CallOptions::is_xray) {
        return Vec::new();
    }
    let (xray, others) = mem::take(attributes).into_iter().partition(CallOptions::is_xray);
    *attributes = others;
    xray
}

/// Removes and returns the `#[xray(..)]` attributes of an expression.
///
/// The parser attaches the attributes of an assignment to its left side:
///
/// ```text
/// Input:  #[xray(skip)] answer = client.send();
/// Parsed: (#[xray(skip)] answer) = client.send();
/// ```
pub(crate) fn take_xray_of(expression: &mut Expr) -> Vec<Attribute> {
    let attributed = match expression {
        Expr::Assign(assignment) => &mut *assignment.left,
        Expr::Binary(operation) if assigns(&operation.op) => &mut *operation.left,
        other => other,
    };
    attributes_mut(attributed).map(take_xray).unwrap_or_default()
}

/// Moves the `#[xray(..)]` attributes of a statement from the expression to which the parser attaches them, the
/// leftmost operand of the statement, to the whole statement.
///
/// ```text
/// Input:  #[xray(skip)] enabled && client.send().is_ok();
/// Parsed: (#[xray(skip)] enabled) && client.send().is_ok();
/// ```
pub(crate) fn move_xray_to_statement(statement: &mut Expr) {
    fn leftmost(expression: &mut Expr) -> Option<&mut Expr> {
        match expression {
            // `take_xray_of` handles assignments.
            Expr::Binary(operation) if assigns(&operation.op) => None,
            Expr::Binary(operation) => leftmost(&mut operation.left),
            Expr::Cast(cast) => leftmost(&mut cast.expr),
            other => Some(other),
        }
    }
    let xray = leftmost(statement).and_then(attributes_mut).map(take_xray).unwrap_or_default();
    if let Some(attributes) = attributes_mut(statement).filter(|_| !xray.is_empty()) {
        attributes.extend(xray);
    }
}

/// Returns whether an operator assigns its result to the left operand: `+=`.
pub(crate) fn assigns(operator: &BinOp) -> bool {
    matches!(
        operator,
        BinOp::AddAssign(_)
            | BinOp::SubAssign(_)
            | BinOp::MulAssign(_)
            | BinOp::DivAssign(_)
            | BinOp::RemAssign(_)
            | BinOp::BitXorAssign(_)
            | BinOp::BitAndAssign(_)
            | BinOp::BitOrAssign(_)
            | BinOp::ShlAssign(_)
            | BinOp::ShrAssign(_)
    )
}

/// Returns whether an attribute can exclude the annotated code from the build.
pub(crate) fn is_conditional(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| condition(attribute).is_some())
}

/// Returns the part of an attribute that can exclude the annotated code from the build.
///
/// ```text
/// Input:  #[cfg_attr(unix, allow(unused), cfg(feature = "net"))]
/// Output: #[cfg_attr(unix, cfg(feature = "net"))]
/// ```
///
/// Another attribute may have no effect on the code that the expansion adds, and the compiler reports an `expect`
/// without effect: `#[cfg_attr(unix, expect(unused))]`. `tests/it/lints.rs::chosen`
pub(crate) fn condition(attribute: &Attribute) -> Option<Attribute> {
    let meta = condition_in(&attribute.meta)?;
    Some(Attribute { meta, ..attribute.clone() })
}

fn condition_in(meta: &Meta) -> Option<Meta> {
    if meta.path().is_ident("cfg") {
        return Some(meta.clone());
    }
    let list = meta.require_list().ok().filter(|list| list.path.is_ident("cfg_attr"))?;
    let Ok(parts) = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated) else {
        return Some(meta.clone());
    };
    let conditions: Vec<_> = parts.iter().skip(1).filter_map(condition_in).collect();
    let predicate = parts.first();
    let tokens = quote!(#predicate #(, #conditions)*);
    (!conditions.is_empty()).then(|| Meta::List(MetaList { tokens, ..list.clone() }))
}

/// Defines a shared and a mutable accessor for the attributes of an expression. syn has none, and `Expr` is
/// non-exhaustive.
macro_rules! accessors {
    ($($kind:ident)*) => {
        pub(crate) fn attributes(expression: &Expr) -> &[Attribute] {
            match expression {
                $(Expr::$kind(expression) => &expression.attrs,)*
                _ => &[],
            }
        }

        pub(crate) fn attributes_mut(expression: &mut Expr) -> Option<&mut Vec<Attribute>> {
            match expression {
                $(Expr::$kind(expression) => Some(&mut expression.attrs),)*
                _ => None,
            }
        }
    };
}

accessors!(
    Array Assign Async Await Binary Block Break Call Cast Closure Field ForLoop Group If Index Let Loop Macro Match
    MethodCall Paren Path Range RawAddr Reference Repeat Return Struct Try Tuple Unary Unsafe While
);

#[cfg(test)]
mod tests {
    use quote::ToTokens as _;
    use syn::parse_quote;

    use super::*;

    #[test]
    fn a_condition_is_taken_out_of_a_conditional_attribute() {
        let cases: [(Attribute, Option<Attribute>); 8] = [
            (parse_quote!(#[cfg(a)]), Some(parse_quote!(#[cfg(a)]))),
            (parse_quote!(#[allow(a)]), None),
            (parse_quote!(#[inline]), None),
            (parse_quote!(#[cfg_attr(a, expect(b))]), None),
            (parse_quote!(#[cfg_attr(a, doc = "b", cfg(c))]), Some(parse_quote!(#[cfg_attr(a, cfg(c))]))),
            (
                parse_quote!(#[cfg_attr(all(a, not(b)), cfg(c), allow(d), cfg(e))]),
                Some(parse_quote!(#[cfg_attr(all(a, not(b)), cfg(c), cfg(e))])),
            ),
            (
                parse_quote!(#[cfg_attr(a, cfg_attr(b, cfg(c), allow(d)))]),
                Some(parse_quote!(#[cfg_attr(a, cfg_attr(b, cfg(c)))])),
            ),
            (parse_quote!(#[cfg_attr(a = "b", cfg_attr(c, allow(d)))]), None),
        ];
        for (attribute, expected) in cases {
            let text = |attribute: &Attribute| attribute.to_token_stream().to_string();
            assert_eq!(condition(&attribute).as_ref().map(text), expected.as_ref().map(text), "{}", text(&attribute));
        }
    }
}
