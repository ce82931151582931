//! Walks a function body and decides what to rewrite.
//!
//! Closures and async blocks belong to the body. Nested items, `const` blocks, types and array lengths do not.

use std::mem;

use quote::ToTokens as _;
use syn::token::Brace;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Attribute, Block, Error, Expr, ExprAsync, ExprBlock, ExprClosure, ExprConst, ExprForLoop, ExprIf, ExprLet,
    ExprMatch, ExprRepeat, ExprWhile, FieldValue, GenericArgument, Item, ItemFn, Local, Macro, Pat, Result, Stmt, Type,
};

use crate::attributes::{attributes, attributes_mut, is_condition, take_ours};
use crate::calls::{self, Shape};
use crate::macros;
use crate::options::{CallOptions, Errors, Options};
use crate::receiver::Receiver;
use crate::rewrite::{Rewriter, Slot};
use crate::variables::{Shown, Variables};

/// Rewrites the candidates in a function.
pub(crate) fn rewrite(function: &mut ItemFn, options: &Options) -> Result<()> {
    let mut walker = Walker {
        options,
        call_options: CallOptions { skip: false, name: options.name.clone() },
        variables: Variables::default(),
        slots: Vec::new(),
        conditions: Vec::new(),
        names_a_future: names_a_future(function),
        candidates: 0,
        has_unknown_macro: false,
        errors: Errors::default(),
    };
    walker.variables.declare_parameters(&function.sig);
    walker.walk_body(&mut function.block);
    if walker.candidates == 0 && !walker.has_unknown_macro {
        let message = format!(
            "no HTTP call in this function: looked for {}, and not inside macros; annotate the function that calls",
            calls::list()
        );
        walker.errors.push(Error::new_spanned(&function.sig.ident, message));
    }
    walker.errors.into_result()
}

/// Whether a function returns a future by its name, such as `-> ResponseFuture`; a traced one has another name.
fn names_a_future(function: &ItemFn) -> bool {
    let result = function.sig.output.to_token_stream();
    // `Future` by itself is the trait.
    let is_name = |word: &str| word.ends_with("Future") && word != "Future";
    let text = result.to_string();
    function.sig.asyncness.is_none() && text.split(|character: char| !character.is_alphanumeric()).any(is_name)
}

/// Walks a body; see [`rewrite`].
struct Walker<'a> {
    options: &'a Options,
    /// What holds for the expression that is being walked.
    call_options: CallOptions,
    variables: Variables,
    /// What the calls in the body that is being walked need declared at its head.
    slots: Vec<Slot>,
    /// The `#[cfg]` attributes around the expression that is being walked, in its body.
    conditions: Vec<Attribute>,
    names_a_future: bool,
    /// Calls that are in the table, skipped ones too.
    candidates: usize,
    /// Whether a macro was left alone in which a call may hide.
    has_unknown_macro: bool,
    errors: Errors,
}

impl Walker<'_> {
    /// Walks what `attributes` stand on, with the options that they set.
    fn with_options(&mut self, attributes: &[Attribute], walk: impl FnOnce(&mut Self)) {
        if attributes.is_empty() {
            return walk(self);
        }
        let (outer, candidates) = (self.call_options.clone(), self.candidates);
        for attribute in attributes {
            match self.call_options.with(attribute) {
                Ok(options) => self.call_options = options,
                Err(error) => self.errors.push(error),
            }
        }
        walk(self);
        self.call_options = outer;
        if self.candidates == candidates {
            let message = format!("no HTTP call here: expected one of {}", calls::list());
            self.errors.push(Error::new_spanned(&attributes[0], message));
        }
    }

    /// Walks what is compiled only under the conditions among `attributes`.
    fn under_conditions(&mut self, attributes: &[Attribute], walk: impl FnOnce(&mut Self)) {
        let outer = self.conditions.len();
        self.conditions.extend(attributes.iter().filter(|attribute| is_condition(attribute)).cloned());
        walk(self);
        self.conditions.truncate(outer);
    }

    /// Walks a body and returns what its calls need declared at its head.
    fn in_body(&mut self, walk: impl FnOnce(&mut Self)) -> Vec<Stmt> {
        let outer = (mem::take(&mut self.slots), mem::take(&mut self.conditions));
        walk(self);
        let (slots, conditions) = outer;
        self.conditions = conditions;
        let declared = mem::replace(&mut self.slots, slots);
        declared.into_iter().map(|slot| slot.declaration(&self.options.runtime)).collect()
    }

    /// Walks the body of the function or of an async block.
    fn walk_body(&mut self, block: &mut Block) {
        let declarations = self.in_body(|walker| walker.visit_block_mut(block));
        block.stmts.splice(0..0, declarations);
    }

    /// Rewrites a call, after what is inside it, of which `inner` are candidates.
    fn rewrite_call(&mut self, expression: &mut Expr, inner: usize) {
        let rewriter = Rewriter { runtime: &self.options.runtime, name: self.call_options.name.as_ref() };
        let rewritten = match expression {
            Expr::MethodCall(call) => {
                let Some(shape) = calls::shape(call) else { return };
                self.candidates += 1;
                match shape {
                    _ if self.call_options.skip => return,
                    Shape::Argument if self.names_a_future || !self.variables.is_settled(&call.args[0]) => return,
                    Shape::Argument => {
                        let slot = Slot::new(self.slots.len(), &call.method, self.conditions.clone());
                        let rewritten = rewriter.on_argument(expression, &slot);
                        self.slots.push(slot);
                        rewritten
                    }
                    Shape::Receiver => match Receiver::of(&call.receiver) {
                        Receiver::Value => rewriter.on_value(call),
                        Receiver::Variable(name) if self.variables.is_reference(&name) => return,
                        Receiver::Place | Receiver::Variable(_) if call.turbofish.is_none() => {
                            rewriter.on_place(call).map(|asked| *expression = asked)
                        }
                        _ => return,
                    },
                }
            }
            Expr::Call(call) if inner > 0 && calls::is_spawn(call) => rewriter.on_spawn(call),
            _ => return,
        };
        if let Err(error) = rewritten {
            self.errors.push(error);
        }
    }

    /// Walks something that declares variables of its own.
    fn in_scope(&mut self, walk: impl FnOnce(&mut Self)) {
        let outer = self.variables.len();
        walk(self);
        self.variables.truncate(outer);
    }
}

impl VisitMut for Walker<'_> {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        let ours = attributes_mut(expression).map(take_ours).unwrap_or_default();
        let others = attributes(expression).to_vec();
        self.with_options(&ours, |walker| {
            walker.under_conditions(&others, |walker| {
                let before = walker.candidates;
                visit_mut::visit_expr_mut(walker, expression);
                walker.rewrite_call(expression, walker.candidates - before);
            });
        });
    }

    fn visit_local_mut(&mut self, local: &mut Local) {
        let (ours, others) = (take_ours(&mut local.attrs), local.attrs.clone());
        // Asked first: afterwards the expression is another.
        let shown = self.variables.of_local(local);
        self.with_options(&ours, |walker| {
            walker.under_conditions(&others, |walker| visit_mut::visit_local_mut(walker, local));
        });
        self.variables.declare(&local.pat, shown);
    }

    fn visit_stmt_mut(&mut self, statement: &mut Stmt) {
        if let Stmt::Macro(statement) = statement {
            let attributes = take_ours(&mut statement.attrs);
            return self.with_options(&attributes, |walker| {
                walker.under_conditions(&statement.attrs, |walker| walker.visit_macro_mut(&mut statement.mac));
            });
        }
        visit_mut::visit_stmt_mut(self, statement);
    }

    fn visit_block_mut(&mut self, block: &mut Block) {
        self.in_scope(|walker| visit_mut::visit_block_mut(walker, block));
    }

    fn visit_expr_closure_mut(&mut self, closure: &mut ExprClosure) {
        self.in_scope(|walker| {
            closure.inputs.iter().for_each(|input| walker.variables.declare(input, Shown::default()));
            let mut stmts = walker.in_body(|walker| walker.visit_expr_mut(&mut closure.body));
            if !stmts.is_empty() {
                stmts.push(Stmt::Expr(mem::replace(&mut *closure.body, Expr::PLACEHOLDER), None));
                let block = Block { brace_token: Brace::default(), stmts };
                *closure.body = Expr::Block(ExprBlock { attrs: Vec::new(), label: None, block });
            }
        });
    }

    fn visit_expr_async_mut(&mut self, block: &mut ExprAsync) {
        self.walk_body(&mut block.block);
    }

    fn visit_expr_for_loop_mut(&mut self, for_loop: &mut ExprForLoop) {
        self.visit_expr_mut(&mut for_loop.expr);
        self.in_scope(|walker| {
            walker.variables.declare_loop(for_loop);
            walker.visit_block_mut(&mut for_loop.body);
        });
    }

    fn visit_expr_if_mut(&mut self, conditional: &mut ExprIf) {
        self.in_scope(|walker| {
            walker.visit_expr_mut(&mut conditional.cond);
            walker.visit_block_mut(&mut conditional.then_branch);
        });
        if let Some((_, otherwise)) = &mut conditional.else_branch {
            self.visit_expr_mut(otherwise);
        }
    }

    fn visit_expr_while_mut(&mut self, while_loop: &mut ExprWhile) {
        self.in_scope(|walker| visit_mut::visit_expr_while_mut(walker, while_loop));
    }

    fn visit_expr_match_mut(&mut self, matched: &mut ExprMatch) {
        let shown = self.variables.of_matched(&matched.expr);
        self.visit_expr_mut(&mut matched.expr);
        for arm in &mut matched.arms {
            self.in_scope(|walker| {
                walker.variables.declare(&arm.pat, shown);
                let (ours, others) = (take_ours(&mut arm.attrs), arm.attrs.clone());
                walker.with_options(&ours, |walker| {
                    walker.under_conditions(&others, |walker| walker.visit_arm_mut(arm));
                });
            });
        }
    }

    fn visit_expr_let_mut(&mut self, condition: &mut ExprLet) {
        let shown = self.variables.of_matched(&condition.expr);
        self.visit_expr_mut(&mut condition.expr);
        self.variables.declare(&condition.pat, shown);
    }

    fn visit_macro_mut(&mut self, call: &mut Macro) {
        self.has_unknown_macro |= !macros::walk(self, call);
    }

    fn visit_field_value_mut(&mut self, field: &mut FieldValue) {
        self.under_conditions(&field.attrs.clone(), |walker| visit_mut::visit_field_value_mut(walker, field));
    }

    fn visit_expr_repeat_mut(&mut self, repeat: &mut ExprRepeat) {
        self.visit_expr_mut(&mut repeat.expr);
    }

    fn visit_item_mut(&mut self, _: &mut Item) {}
    fn visit_expr_const_mut(&mut self, _: &mut ExprConst) {}
    fn visit_type_mut(&mut self, _: &mut Type) {}
    fn visit_generic_argument_mut(&mut self, _: &mut GenericArgument) {}

    /// Of a pattern, only the guard of an arm is evaluated like an expression.
    fn visit_pat_mut(&mut self, pattern: &mut Pat) {
        if let Pat::Guard(guarded) = pattern {
            self.visit_expr_mut(&mut guarded.guard);
        }
    }
}
