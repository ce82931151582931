//! The attributes of expressions of the kinds that can hold a call.

use std::mem;

use syn::{Attribute, Expr};

use crate::options::CallOptions;

/// Takes the `#[xray(..)]` attributes out. They are none that the compiler knows.
pub(crate) fn take_ours(attributes: &mut Vec<Attribute>) -> Vec<Attribute> {
    // Nearly always there are none, and then nothing is allocated: this runs for every expression.
    if !attributes.iter().any(CallOptions::is_ours) {
        return Vec::new();
    }
    let (ours, others) = mem::take(attributes).into_iter().partition(CallOptions::is_ours);
    *attributes = others;
    ours
}

/// Returns whether the code under the attributes may be left out of the build.
pub(crate) fn is_conditional(attributes: &[Attribute]) -> bool {
    attributes.iter().any(is_condition)
}

/// Returns whether an attribute may leave the code under it out of the build.
pub(crate) fn is_condition(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr")
}

/// Makes a shared and an exclusive accessor. syn has none, and `Expr` is non-exhaustive.
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
