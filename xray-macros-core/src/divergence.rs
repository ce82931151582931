//! Code after which control does not go on: it returns, loops forever, panics or ends the process.

use syn::visit::{self, Visit};
use syn::{Block, Expr, ExprAsync, ExprBreak, ExprCall, ExprClosure, Item, Macro, Stmt};

use crate::syntax::{function_name, peeled, tail, text};

/// Macros that return or panic.
const MACROS: &[&str] = &["bail", "panic", "todo", "unimplemented", "unreachable"];

/// Functions that end the process or panic.
const FUNCTIONS: &[&str] = &["abort", "exit", "panic_any", "resume_unwind"];

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

/// Returns whether a block has no value but `()`, or none at all.
pub(crate) fn has_no_value(block: &Block) -> bool {
    block_diverges(block)
        || tail(block).is_none() && !matches!(block.stmts.last(), Some(Stmt::Macro(last)) if last.semi_token.is_none())
}

fn macro_diverges(call: &Macro) -> bool {
    call.path.segments.last().is_some_and(|name| MACROS.contains(&text(&name.ident).as_str()))
}

fn call_diverges(call: &ExprCall) -> bool {
    function_name(call).is_some_and(|name| FUNCTIONS.contains(&text(name).as_str()))
}

/// Returns whether the body of a loop contains a `break`, also one of a loop in it.
fn has_break(body: &Block) -> bool {
    struct Breaks(bool);
    impl<'ast> Visit<'ast> for Breaks {
        fn visit_expr_break(&mut self, _: &'ast ExprBreak) {
            self.0 = true;
        }

        // A macro may expand to a `break`.
        fn visit_macro(&mut self, call: &'ast Macro) {
            self.0 |= call.tokens.to_string().contains("break");
            visit::visit_macro(self, call);
        }

        // A `break` in these leaves a loop in them.
        fn visit_expr_closure(&mut self, _: &'ast ExprClosure) {}
        fn visit_expr_async(&mut self, _: &'ast ExprAsync) {}
        fn visit_item(&mut self, _: &'ast Item) {}
    }
    let mut breaks = Breaks(false);
    breaks.visit_block(body);
    breaks.0
}
