//! Walks the body of a function and decides which calls to rewrite.
//!
//! Closures and async blocks belong to the body. Nested items do not, because they are functions of their own. Neither
//! do `const` blocks, types and array lengths, because the compiler evaluates them.
//! `tests/it/shapes/positions.rs::constants_and_items`
//!
//! *Candidate* is defined in `candidate`, *slot* in `rewrite`.

use std::mem;

use syn::token::Brace;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Attribute, Block, Error, Expr, ExprAssign, ExprAsync, ExprAwait, ExprBlock, ExprClosure, ExprConst, ExprForLoop,
    ExprIf, ExprLet, ExprMatch, ExprMethodCall, ExprRepeat, ExprWhile, FieldValue, GenericArgument, Item, Local, Macro,
    Pat, Result, Signature, Stmt, Type, parse_quote,
};

use crate::attributes::{attributes, attributes_mut, is_condition, take_ours};
use crate::calls;
use crate::candidate::{Candidate, Requirement};
use crate::head;
use crate::macros;
use crate::named_futures::names_a_future;
use crate::options::{CallOptions, Errors, TracedHttpOptions};
use crate::rewrite::{Rewriter, Slot};
use crate::spawn::{self, Spawned};
use crate::variables::Variables;

/// The result of a walk: whether the function may make HTTP calls.
pub(crate) struct Found {
    /// Whether any call is in the table, including calls under `#[xray(skip)]`.
    pub(crate) has_candidate: bool,
    /// Whether the function contains a macro that the walk cannot read and that may contain a call.
    pub(crate) has_unknown_macro: bool,
}

/// Rewrites the candidates in a function and returns what was found.
pub(crate) fn rewrite_calls(signature: &Signature, block: &mut Block, options: &TracedHttpOptions) -> Result<Found> {
    let mut walker = Walker {
        options,
        call_options: CallOptions::default(),
        variables: Variables::default(),
        slots: Vec::new(),
        conditions: Vec::new(),
        names_a_future: names_a_future(signature, block),
        around: Around::Anything,
        candidates: 0,
        has_unknown_macro: false,
        errors: Errors::default(),
    };
    walker.variables.declare_function_parameters(signature);
    walker.walk_body(block);
    let found = Found { has_candidate: walker.candidates > 0, has_unknown_macro: walker.has_unknown_macro };
    walker.errors.into_result().map(|()| found)
}

/// Returns the outermost call in an expression: the one that `#[xray(trace)]` on the expression applies to.
fn marked_call(expression: &mut Expr) -> Option<&mut Expr> {
    match expression {
        Expr::Call(_) | Expr::MethodCall(_) | Expr::Macro(_) => Some(expression),
        Expr::Await(awaited) => marked_call(&mut awaited.base),
        Expr::Try(tried) => marked_call(&mut tried.expr),
        Expr::Paren(paren) => marked_call(&mut paren.expr),
        Expr::Group(group) => marked_call(&mut group.expr),
        Expr::Reference(reference) => marked_call(&mut reference.expr),
        Expr::Unary(unary) => marked_call(&mut unary.expr),
        Expr::Cast(cast) => marked_call(&mut cast.expr),
        Expr::Assign(assignment) => marked_call(&mut assignment.right),
        Expr::Return(returned) => marked_call(returned.expr.as_mut()?),
        _ => None,
    }
}

fn is_parenthesized(expression: &Expr) -> bool {
    matches!(expression, Expr::Paren(_) | Expr::Group(_))
}

fn is_call(expression: &Expr) -> bool {
    matches!(expression, Expr::Call(_) | Expr::MethodCall(_) | Expr::Macro(_))
}

/// The expression or statement that directly encloses an expression, ignoring parentheses.
#[derive(Clone, Copy, Default, PartialEq)]
enum Around {
    #[default]
    Anything,
    /// A method call. The expression is its receiver.
    Call,
    /// `.await`.
    Await,
    /// A `let`, which binds the expression to a variable.
    Let,
}

/// Walks a body; see [`rewrite_calls`].
struct Walker<'a> {
    options: &'a TracedHttpOptions,
    /// The options that apply to the current expression.
    call_options: CallOptions,
    /// The variables in scope at the current expression.
    variables: Variables,
    /// The slots to declare at the start of the current body.
    slots: Vec<Slot>,
    /// The `#[cfg]` attributes around the current expression, up to the current body.
    conditions: Vec<Attribute>,
    /// Whether the function names the type of a future; see `named_futures`.
    names_a_future: bool,
    /// The syntax that encloses the expression visited next.
    around: Around,
    /// The number of calls in the table, including calls under `#[xray(skip)]`.
    candidates: usize,
    /// Whether the function contains a macro that the walk cannot read and that may contain a call.
    has_unknown_macro: bool,
    errors: Errors,
}

impl Walker<'_> {
    /// Walks the code under `#[xray(..)]` attributes with their options. Reports an error for an attribute on code
    /// without a candidate.
    fn with_options(&mut self, attributes: &[Attribute], walk: impl FnOnce(&mut Self)) {
        if attributes.is_empty() {
            return walk(self);
        }
        let outer = self.call_options.clone();
        let before = (self.candidates, self.errors.count());
        for attribute in attributes {
            match self.call_options.with(attribute) {
                Ok(options) => self.call_options = options,
                Err(error) => self.errors.push(error),
            }
        }
        walk(self);
        self.call_options = outer;
        if (self.candidates, self.errors.count()) == before {
            let message = format!("no HTTP call here: expected {}", calls::EXAMPLES);
            self.errors.push(Error::new_spanned(&attributes[0], message));
        }
    }

    /// Walks code that is compiled only under the conditions among `attributes`.
    fn under_conditions(&mut self, attributes: &[Attribute], walk: impl FnOnce(&mut Self)) {
        let outer = self.conditions.len();
        self.conditions.extend(attributes.iter().filter(|attribute| is_condition(attribute)).cloned());
        walk(self);
        self.conditions.truncate(outer);
    }

    /// Walks a body and returns the declarations of its slots.
    fn in_body(&mut self, walk: impl FnOnce(&mut Self)) -> Vec<Stmt> {
        let (slots, conditions) = (mem::take(&mut self.slots), mem::take(&mut self.conditions));
        walk(self);
        self.conditions = conditions;
        let declared = mem::replace(&mut self.slots, slots);
        declared.into_iter().map(|slot| slot.declaration(&self.options.common.runtime)).collect()
    }

    /// Walks the body of the function or of an async block.
    fn walk_body(&mut self, block: &mut Block) {
        let declarations = self.in_body(|walker| walker.visit_block_mut(block));
        block.stmts.splice(0..0, declarations);
    }

    fn candidate(&self, expression: &Expr, requirement: Requirement, around: Around) -> Option<Candidate> {
        if is_parenthesized(expression) {
            return None;
        }
        let candidate = Candidate::of(expression, &self.variables, requirement, &self.options.local)?;
        // In `client.get(url).send()` the call of `get` makes a request builder, and `send` is the HTTP call.
        (around != Around::Call || candidate != Candidate::Client).then_some(candidate)
    }

    /// Returns what encloses an expression, and resets `self.around` for its inner expressions. Parentheses and closures
    /// leave `self.around` unchanged: it is for the expression in the parentheses, and for `visit_expr_closure_mut`.
    fn take_around(&mut self, expression: &Expr) -> Around {
        if is_parenthesized(expression) || matches!(expression, Expr::Closure(_)) {
            return Around::Anything;
        }
        mem::take(&mut self.around)
    }

    /// Rewrites a call after its inner calls. `may_be_named` is whether the function may name the type of the call's
    /// future.
    fn rewrite_call(
        &mut self,
        expression: &mut Expr,
        candidate: Candidate,
        requirement: Requirement,
        may_be_named: bool,
    ) {
        self.candidates += 1;
        if self.call_options.skip {
            return;
        }
        let rewriter = Rewriter { options: self.options, name: self.call_options.name.as_ref(), requirement };
        match (candidate, &mut *expression) {
            (Candidate::Value, Expr::MethodCall(call)) => rewriter.on_value(call),
            (Candidate::Place, Expr::MethodCall(call)) => *expression = rewriter.on_place(call),
            (Candidate::Client, Expr::MethodCall(call)) if !may_be_named => {
                let is_reference = self.variables.is_reference_expression(&call.receiver);
                *expression = rewriter.on_client(call, is_reference);
            }
            (Candidate::Function, Expr::Call(call)) => rewriter.on_function(call),
            (Candidate::Argument, _) if !may_be_named => {
                let slot = Slot::new(self.slots.len(), expression, self.conditions.clone());
                rewriter.on_argument(expression, &slot);
                self.slots.push(slot);
            }
            _ if requirement == Requirement::Optional => {}
            // The user requires the call to be traced, so an untraced call is an error.
            _ => {
                let message = if candidate == Candidate::LeftAlone {
                    "this call has no request to trace: expected one as its first argument"
                } else {
                    "the function names the type of a future, and the future of a traced call has a type of its own: \
                     await the call directly, or mark it with `#[xray(skip)]`"
                };
                self.errors.push(Error::new_spanned(expression, message));
            }
        }
    }

    /// Rewrites an expression that contains rewritten calls: a call that spawns a task or thread, and a closure or async
    /// block that would move the annotations.
    fn rewrite_holder(&mut self, expression: &mut Expr, spawned: Option<(usize, Spawned)>) {
        if let Some((index, spawned)) = spawned {
            let rewriter = Rewriter { options: self.options, name: None, requirement: Requirement::Optional };
            match expression {
                Expr::Call(call) => rewriter.on_spawn(&mut call.args[index], spawned),
                Expr::MethodCall(call) => rewriter.on_spawn(&mut call.args[index], spawned),
                _ => {}
            }
        }
        let moves = match expression {
            Expr::Closure(closure) => closure.capture.is_some(),
            Expr::Async(block) => block.capture.is_some(),
            _ => false,
        };
        if moves && !self.options.common.annotations.is_empty() {
            *expression = head::with_own_annotations(expression);
        }
    }

    /// Returns whether the user requires the call `expression` to be traced.
    ///
    /// In `#[xray(trace)] call().await?` the attribute belongs to the `?` expression. It is moved to the call inside,
    /// which the walk visits later.
    fn requirement(&mut self, expression: &mut Expr) -> Requirement {
        if !mem::take(&mut self.call_options.trace) {
            return if self.options.strict { Requirement::Strict } else { Requirement::Optional };
        }
        if is_call(expression) {
            return Requirement::Marked;
        }
        if let Some(attributes) = marked_call(expression).and_then(attributes_mut) {
            attributes.push(parse_quote!(#[xray(trace)]));
        } else {
            let message = "expected a call of a method, a function or a macro after `#[xray(trace)]`";
            self.errors.push(Error::new_spanned(&*expression, message));
        }
        Requirement::Optional
    }

    fn walk_macro(&mut self, call: &mut Macro, requirement: Requirement) {
        if requirement == Requirement::Marked {
            let walked = macros::walk_expressions(self, call);
            self.errors.take(walked);
        } else {
            self.has_unknown_macro |= !macros::walk(self, call);
        }
    }

    /// Walks code whose variables end with it.
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
                let around = walker.take_around(expression);
                let (before, requirement) = (walker.candidates, walker.requirement(expression));
                // Classify the call before its inner expressions are visited. The visit rewrites them, and then the
                // receiver is no longer the user's code.
                let (candidate, spawned) =
                    (walker.candidate(expression, requirement, around), spawn::spawned(expression));
                match expression {
                    Expr::Macro(call) => return walker.walk_macro(&mut call.mac, requirement),
                    _ => visit_mut::visit_expr_mut(walker, expression),
                }
                if walker.candidates > before {
                    walker.rewrite_holder(expression, spawned);
                }
                if let Some(candidate) = candidate {
                    // The type of a future that is awaited directly cannot be the one that the function names.
                    // tests/it/shapes/named_futures.rs::in_variables
                    let may_be_named = walker.names_a_future && around != Around::Await;
                    walker.rewrite_call(expression, candidate, requirement, may_be_named);
                }
            });
        });
    }

    fn visit_local_mut(&mut self, local: &mut Local) {
        let (ours, others) = (take_ours(&mut local.attrs), local.attrs.clone());
        // Read the initializer before it is visited, for the reason given in `visit_expr_mut`.
        let hint = self.variables.hint_of_local(local);
        self.around = if local.init.is_some() { Around::Let } else { Around::Anything };
        self.with_options(&ours, |walker| {
            walker.under_conditions(&others, |walker| visit_mut::visit_local_mut(walker, local));
        });
        self.variables.declare_pattern(&local.pat, hint);
    }

    fn visit_stmt_mut(&mut self, statement: &mut Stmt) {
        if let Stmt::Macro(statement) = statement {
            let attributes = take_ours(&mut statement.attrs);
            return self.with_options(&attributes, |walker| {
                let is_marked = mem::take(&mut walker.call_options.trace);
                let requirement = if is_marked { Requirement::Marked } else { Requirement::Optional };
                walker.under_conditions(&statement.attrs, |walker| walker.walk_macro(&mut statement.mac, requirement));
            });
        }
        visit_mut::visit_stmt_mut(self, statement);
    }

    fn visit_block_mut(&mut self, block: &mut Block) {
        self.in_scope(|walker| visit_mut::visit_block_mut(walker, block));
    }

    /// Visits a closure. Its body becomes a block only if it needs declarations.
    fn visit_expr_closure_mut(&mut self, closure: &mut ExprClosure) {
        self.in_scope(|walker| {
            let is_bound = mem::take(&mut walker.around) == Around::Let;
            walker.variables.declare_closure_parameters(closure, is_bound);
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

    /// Visits an `if`. The variables of `if let` are not in scope in the `else`.
    /// `tests/it/shapes/closures.rs::escapes_from_an_else`
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
        let hint = self.variables.hint_of_matched(&matched.expr);
        self.visit_expr_mut(&mut matched.expr);
        for arm in &mut matched.arms {
            self.in_scope(|walker| {
                walker.variables.declare_pattern(&arm.pat, hint);
                let (ours, others) = (take_ours(&mut arm.attrs), arm.attrs.clone());
                walker.with_options(&ours, |walker| {
                    walker.under_conditions(&others, |walker| walker.visit_arm_mut(arm));
                });
            });
        }
    }

    fn visit_expr_let_mut(&mut self, condition: &mut ExprLet) {
        let hint = self.variables.hint_of_matched(&condition.expr);
        self.visit_expr_mut(&mut condition.expr);
        self.variables.declare_pattern(&condition.pat, hint);
    }

    fn visit_expr_method_call_mut(&mut self, call: &mut ExprMethodCall) {
        self.around = Around::Call;
        self.visit_expr_mut(&mut call.receiver);
        call.args.iter_mut().for_each(|argument| self.visit_expr_mut(argument));
    }

    fn visit_macro_mut(&mut self, call: &mut Macro) {
        self.walk_macro(call, Requirement::Optional);
    }

    fn visit_expr_await_mut(&mut self, awaited: &mut ExprAwait) {
        self.around = Around::Await;
        self.visit_expr_mut(&mut awaited.base);
    }

    fn visit_expr_assign_mut(&mut self, assignment: &mut ExprAssign) {
        let is_inferred = self.variables.is_inferred(&assignment.right);
        visit_mut::visit_expr_assign_mut(self, assignment);
        if is_inferred {
            self.variables.mark_inferred(&assignment.left);
        }
    }

    fn visit_field_value_mut(&mut self, field: &mut FieldValue) {
        self.under_conditions(&field.attrs.clone(), |walker| visit_mut::visit_field_value_mut(walker, field));
    }

    /// Visits `[value; length]`, but not the length, which the compiler evaluates.
    fn visit_expr_repeat_mut(&mut self, repeat: &mut ExprRepeat) {
        self.visit_expr_mut(&mut repeat.expr);
    }

    fn visit_item_mut(&mut self, _: &mut Item) {}
    fn visit_expr_const_mut(&mut self, _: &mut ExprConst) {}
    fn visit_type_mut(&mut self, _: &mut Type) {}
    fn visit_generic_argument_mut(&mut self, _: &mut GenericArgument) {}

    /// Visits the guard of an arm. Other expressions in patterns are constants.
    fn visit_pat_mut(&mut self, pattern: &mut Pat) {
        if let Pat::Guard(guarded) = pattern {
            self.visit_expr_mut(&mut guarded.guard);
        }
    }
}
