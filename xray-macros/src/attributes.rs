//! The attributes of expressions, of the kinds that can hold a call.

use std::mem;

use syn::{Attribute, Expr};

use crate::options::CallOptions;

/// Takes the `#[xray(..)]` attributes out.
pub(crate) fn take_ours(attributes: &mut Vec<Attribute>) -> Vec<Attribute> {
    if !attributes.iter().any(CallOptions::is_ours) {
        return Vec::new();
    }
    let (ours, others) = mem::take(attributes).into_iter().partition(CallOptions::is_ours);
    *attributes = others;
    ours
}

/// Whether what the attributes stand on may be left out of the build.
pub(crate) fn is_conditional(attributes: &[Attribute]) -> bool {
    attributes.iter().any(is_condition)
}

/// Whether the attribute may leave what it stands on out of the build.
pub(crate) fn is_condition(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr")
}

/// One accessor shared, one exclusive.
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
