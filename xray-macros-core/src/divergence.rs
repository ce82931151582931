//! Finds code that diverges: it returns, loops forever, panics or ends the process.

use std::iter::Peekable;

use proc_macro2::token_stream::IntoIter;
use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::visit::Visit;
use syn::{Block, Expr, ExprAsync, ExprBreak, ExprCall, ExprClosure, Item, Macro, Stmt};

use crate::syntax::{peeled, tail, text};

/// Macros that return or panic.
const MACROS: &[&str] = &["bail", "panic", "todo", "unimplemented", "unreachable"];

/// Macros of the standard library, `futures`, `log`, `tracing` and `serde_json`. They expand to a `break` or `return`
/// only if their arguments contain one.
const TRANSPARENT_MACROS: &[&str] = &[
    "assert",
    "assert_eq",
    "assert_ne",
    "cfg",
    "concat",
    "dbg",
    "debug",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "env",
    "eprint",
    "eprintln",
    "error",
    "file",
    "format",
    "format_args",
    "include_bytes",
    "include_str",
    "info",
    "join",
    "json",
    "line",
    "matches",
    "module_path",
    "panic",
    "pin",
    "pin_mut",
    "poll",
    "print",
    "println",
    "select",
    "select_biased",
    "stringify",
    "todo",
    "trace",
    "try_join",
    "unimplemented",
    "unreachable",
    "vec",
    "warn",
    "write",
    "writeln",
];

/// Functions of the standard library that end the process or panic, with their modules. Without the module, the name
/// may be that of a function in the program.
const FUNCTIONS: &[[&str; 2]] =
    &[["panic", "panic_any"], ["panic", "resume_unwind"], ["process", "abort"], ["process", "exit"]];

/// Returns whether an expression never has a value, judged by its syntax.
pub(crate) fn diverges(expression: &Expr) -> bool {
    match peeled(expression) {
        Expr::Return(_) | Expr::Break(_) | Expr::Continue(_) => true,
        Expr::If(conditional) => {
            let otherwise = conditional.else_branch.as_ref();
            block_diverges(&conditional.then_branch) && otherwise.is_some_and(|(_, otherwise)| diverges(otherwise))
        }
        Expr::Match(choice) => !choice.arms.is_empty() && choice.arms.iter().all(|arm| diverges(&arm.body)),
        Expr::Block(block) => block.label.is_none() && block_diverges(&block.block),
        Expr::Unsafe(block) => block_diverges(&block.block),
        Expr::Loop(endless) => !has_break(&endless.body),
        Expr::Macro(call) => macro_diverges(&call.mac),
        Expr::Call(call) => call_diverges(call),
        _ => false,
    }
}

/// Returns whether the last statement of a block never has a value.
pub(crate) fn block_diverges(block: &Block) -> bool {
    match block.stmts.last() {
        Some(Stmt::Expr(last, _)) => diverges(last),
        Some(Stmt::Macro(last)) => macro_diverges(&last.mac),
        _ => false,
    }
}

/// Returns whether a block diverges or has the value `()`, judged by its syntax.
pub(crate) fn is_unit_or_diverges(block: &Block) -> bool {
    block_diverges(block)
        || tail(block).is_none() && !matches!(block.stmts.last(), Some(Stmt::Macro(last)) if last.semi_token.is_none())
}

fn macro_diverges(call: &Macro) -> bool {
    call.path.segments.last().is_some_and(|name| MACROS.contains(&text(&name.ident).as_str()))
}

fn call_diverges(call: &ExprCall) -> bool {
    let Expr::Path(function) = peeled(&call.func) else { return false };
    let mut names = function.path.segments.iter().rev().map(|segment| text(&segment.ident));
    let (Some(name), Some(module)) = (names.next(), names.next()) else { return false };
    FUNCTIONS.contains(&[module.as_str(), name.as_str()])
}

/// Returns whether a macro call may leave the code around it by `jump`, which is `break` or `return`: the macro is
/// unknown, or the word or an unknown macro is among its arguments. `tests/it/shapes/branches.rs::beside_hidden_jumps`
pub(crate) fn may_jump(call: &Macro, jump: &str) -> bool {
    let is_transparent = call.path.segments.last().is_some_and(|name| is_transparent(&name.ident));
    !is_transparent || may_contain_jump(call.tokens.clone(), jump)
}

fn is_transparent(name: &Ident) -> bool {
    TRANSPARENT_MACROS.contains(&text(name).as_str())
}

fn may_contain_jump(tokens: TokenStream, jump: &str) -> bool {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let is_jump = match &token {
            TokenTree::Group(group) => may_contain_jump(group.stream(), jump),
            TokenTree::Ident(name) if *name == jump => true,
            TokenTree::Ident(name) if !is_transparent(name) => is_macro(&mut tokens),
            _ => false,
        };
        if is_jump {
            return true;
        }
    }
    false
}

/// Returns whether the tokens after a name make it the name of a macro, as in `name!(..)`, but not in `name != (..)`.
fn is_macro(after: &mut Peekable<IntoIter>) -> bool {
    let is_exclamation = |token: &TokenTree| matches!(token, TokenTree::Punct(mark) if mark.as_char() == '!');
    after.next_if(is_exclamation).is_some() && matches!(after.peek(), Some(TokenTree::Group(_)))
}

/// Returns whether the body of a loop may contain a `break`. A `break` of an inner loop counts too.
fn has_break(body: &Block) -> bool {
    struct Breaks(bool);
    impl<'ast> Visit<'ast> for Breaks {
        fn visit_expr_break(&mut self, _: &'ast ExprBreak) {
            self.0 = true;
        }

        fn visit_macro(&mut self, call: &'ast Macro) {
            // `bail!` returns, so it contains no `break`.
            let is_bail = call.path.segments.last().is_some_and(|name| name.ident == "bail");
            self.0 |= if is_bail { may_contain_jump(call.tokens.clone(), "break") } else { may_jump(call, "break") };
        }

        // A `break` in a closure, an async block or an item cannot leave this loop.
        fn visit_expr_closure(&mut self, _: &'ast ExprClosure) {}
        fn visit_expr_async(&mut self, _: &'ast ExprAsync) {}
        fn visit_item(&mut self, _: &'ast Item) {}
    }
    let mut breaks = Breaks(false);
    breaks.visit_block(body);
    breaks.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_that_leaves_has_no_value() {
        for code in [
            "return a",
            "(break)",
            "continue",
            "if a { return b } else { panic!() }",
            "if a { return; } else if b { continue } else { todo!(); }",
            "match a { 1 => return, _ => break }",
            "{ g(); return }",
            "{ g(); anyhow::bail!(a); }",
            "unsafe { process::exit(1) }",
            "std::process::abort()",
            "loop {}",
            "loop { g(|| loop { break }); }",
            "loop { async { loop { break } }; }",
            "loop { fn g() { loop { break } } }",
            "loop { println!() }",
            "loop { log::info!(\"{}\", a != b); if vec![c].is_empty() { return a; } }",
            "loop { anyhow::bail!(a) }",
            "loop { select! { a = b => return c, else => panic!() } }",
            "unimplemented!()",
        ] {
            assert!(diverges(&syn::parse_str(code).unwrap()), "{code}");
        }
    }

    #[test]
    fn code_that_may_go_on_has_a_value() {
        for code in [
            "g()",
            "exit(1)",
            "db::process::g()",
            "println!()",
            "if a { return }",
            "if a { return } else { g() }",
            "if a { g() } else { return }",
            "match a {}",
            "match a { 1 => return, _ => g() }",
            "'a: { if b { break 'a } return }",
            "{}",
            "{ return; g() }",
            "{ println!(); }",
            "{ let a = return; }",
            "unsafe { g() }",
            "loop { if a { break } }",
            "loop { loop { break } }",
            "loop { select! { a = b => break } }",
            "loop { done!(a) }",
            "loop { println!(\"{}\", done!(a)) }",
            "loop { vec![if a { break }]; }",
            "loop { bail!(done!(a)) }",
            "while true {}",
        ] {
            assert!(!diverges(&syn::parse_str(code).unwrap()), "{code}");
        }
    }

    #[test]
    fn a_block_has_a_value_if_an_expression_or_a_macro_without_a_semicolon_ends_it() {
        let of = |block: &str| is_unit_or_diverges(&syn::parse_str(block).unwrap());
        for block in ["{}", "{ g(); }", "{ vec![]; }", "{ let a = b; }", "{ return }", "{ panic!() }"] {
            assert!(of(block), "{block}");
        }
        for block in ["{ a }", "{ g() }", "{ vec![] }", "{ a; vec![] }"] {
            assert!(!of(block), "{block}");
        }
    }
}
