//! Which arguments may be looked at on their way into a call.

use syn::{Block, Expr, Stmt};

use crate::receiver::{peeled, variable};
use crate::variables::Variables;

/// Methods and functions whose result has the type that the caller asks for.
const CONVERSIONS: &[&str] = &["into", "try_into", "parse", "default", "collect", "json", "sum", "product"];
/// The same by the beginning of their names.
const CONVERSION_PREFIXES: &[&str] = &["from", "decode"];
/// Methods that only unpack what stands before them.
const UNPACKING: &[&str] = &["unwrap", "expect", "unwrap_or_default", "unwrap_or_else", "map_err", "context", "ok"];

/// Whether the type of an expression is settled without the call in which it stands, as far as it shows.
///
/// The runtime looks at an argument to see whether it is a request. Looked at while its type is still open, it
/// would be taken for one.
pub(crate) fn is_settled(expression: &Expr, variables: &Variables) -> bool {
    match peeled(expression) {
        Expr::Path(path) => variable(path).is_some_and(|name| !variables.may_be_open(name)),
        Expr::Field(_) | Expr::Struct(_) => true,
        Expr::Try(unpacked) => is_settled(&unpacked.expr, variables),
        Expr::Await(awaited) => is_settled(&awaited.base, variables),
        Expr::MethodCall(call) if UNPACKING.iter().any(|name| call.method == name) => {
            is_settled(&call.receiver, variables)
        }
        Expr::MethodCall(call) => !is_conversion(&call.method.to_string()),
        Expr::Call(call) => match peeled(&call.func) {
            Expr::Path(function) => function.path.segments.last().is_some_and(|last| {
                let name = last.ident.to_string();
                !name.starts_with(char::is_uppercase) && !is_conversion(&name)
            }),
            _ => false,
        },
        Expr::Tuple(tuple) => tuple.elems.iter().all(|element| is_settled(element, variables)),
        // Branches have one type: where it is settled in one, it is in all.
        Expr::Block(block) => is_tail_settled(&block.block, variables),
        Expr::If(conditional) => {
            let otherwise = conditional.else_branch.as_ref();
            is_tail_settled(&conditional.then_branch, variables)
                || otherwise.is_some_and(|(_, otherwise)| is_settled(otherwise, variables))
        }
        Expr::Match(choice) => choice.arms.iter().any(|arm| is_settled(&arm.body, variables)),
        _ => false,
    }
}

fn is_tail_settled(block: &Block, variables: &Variables) -> bool {
    matches!(block.stmts.last(), Some(Stmt::Expr(tail, None)) if is_settled(tail, variables))
}

fn is_conversion(name: &str) -> bool {
    CONVERSIONS.contains(&name) || CONVERSION_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}
