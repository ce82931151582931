//! Visits expressions and statements with their positions.

use std::mem;

use syn::visit_mut::{self, VisitMut as _};
use syn::{Block, Expr, ExprClosure, ExprIf, ExprMatch, ExprMethodCall, Local, Pat, Stmt};

use super::Walker;
use crate::attributes::{move_xray_to_statement, take_xray};
use crate::calls;
use crate::captures;
use crate::combinators::{adds_to_list, name_of_combinator};
use crate::conditions::first_tail;
use crate::ends::Ends;
use crate::macros::Role;
use crate::position::Position;
use crate::rewrite::Rewriter;
use crate::settlement::as_block;
use crate::spawn::{self, Spawned};
use crate::syntax::{peeled, puts_into_box, text};
use crate::uses;

impl Walker<'_> {
    pub(super) fn visit_inner(&mut self, expression: &mut Expr, position: Position) {
        let of_branches = position.of_branches(expression);
        match expression {
            Expr::Paren(inner) => self.visit_at(&mut inner.expr, position),
            Expr::Group(inner) => self.visit_at(&mut inner.expr, position),
            Expr::Reference(inner) => self.visit_at(&mut inner.expr, position),
            Expr::Await(awaited) => self.visit_at(&mut awaited.base, position.of_awaited()),
            Expr::Return(returned) => {
                let result = self.result;
                returned.expr.iter_mut().for_each(|value| self.visit_at(value, result));
            }
            Expr::Cast(cast) => self.visit_at(&mut cast.expr, Position::of_type(&cast.ty)),
            Expr::Assign(assignment) => {
                let is_replaced = self.variables.accepts_any_future(&assignment.left);
                self.visit_expr_mut(&mut assignment.left);
                let position = if is_replaced { Position::AnyFuture } else { Position::Elsewhere };
                self.visit_at(&mut assignment.right, position);
            }
            Expr::Try(tried) => self.visit_at(&mut tried.expr, Position::Tried),
            Expr::MethodCall(call) => self.visit_method_call(call, position),
            Expr::Call(call) => {
                self.visit_expr_mut(&mut call.func);
                let of_arguments = position.of_arguments(call);
                let name = name_of_combinator(call);
                for argument in &mut call.args {
                    self.visit_argument(argument, of_arguments, &name, Position::Elsewhere);
                }
            }
            Expr::Array(list) => {
                let is_replaced = position == Position::AnyFutures && Ends::of_all(&list.elems).is_some();
                let of_elements = if is_replaced { position.of_items() } else { Position::Elsewhere };
                list.elems.iter_mut().for_each(|element| self.visit_at(element, of_elements));
            }
            Expr::Closure(closure) => self.visit_closure(closure, position),
            Expr::Async(block) => {
                let result = mem::take(&mut self.result);
                self.walk_async_block(&mut block.block);
                self.result = result;
            }
            Expr::Block(block) => self.visit_block_at(&mut block.block, of_branches),
            Expr::Unsafe(block) => self.visit_block_at(&mut block.block, of_branches),
            Expr::If(conditional) => self.visit_if(conditional, of_branches),
            Expr::Match(matched) => self.visit_match(matched, of_branches),
            _ => visit_mut::visit_expr_mut(self, expression),
        }
    }

    fn visit_method_call(&mut self, call: &mut ExprMethodCall, position: Position) {
        let name = text(&call.method);
        // `(|| client.request(request())).retry(policy)`
        let of_receiver = position.of_receiver(call, &name);
        let of_arguments = position.of_arguments_of_method(call, &name);
        self.visit_argument(&mut call.receiver, of_receiver, &name, position);
        let is_replaced = adds_to_list(&name) && self.variables.accepts_any_future(&call.receiver);
        let of_arguments = if is_replaced { Position::AnyFuture } else { of_arguments };
        // `.map(RequestBuilder::send)`, whose results are polled.
        let takes_methods = position.of_closure_for(&name, true).accepts_any_future() || name == "map";
        for argument in &mut call.args {
            match argument {
                Expr::Path(path) if takes_methods && calls::is_builder_method_path(path) => {
                    self.rewrite_method_path(argument);
                }
                argument => self.visit_argument(argument, of_arguments, &name, position),
            }
        }
    }

    /// Visits an argument or the receiver of a call to `name`. `position` is the position of the call. A closure gets
    /// its position from `name`; any other value has the position `otherwise`.
    fn visit_argument(&mut self, argument: &mut Expr, otherwise: Position, name: &str, position: Position) {
        let of_argument = match peeled(argument) {
            Expr::Closure(closure) => {
                self.takes_any_closure = captures::takes_any_closure(name);
                position.of_closure_for(name, !closure.inputs.is_empty())
            }
            _ => otherwise,
        };
        self.visit_at(argument, of_argument);
    }

    /// Rewrites a method that is an argument: `.map(RequestBuilder::send)`.
    fn rewrite_method_path(&mut self, path: &mut Expr) {
        self.candidates += 1;
        if !self.call_options.skip {
            self.rewritten += 1;
            Rewriter { name: self.call_options.name.as_ref(), ..self.rewriter() }.on_method_path(path);
        }
    }

    /// Visits a closure. `position` is that of the value that the closure returns. The body becomes a block only if it
    /// needs declarations.
    fn visit_closure(&mut self, closure: &mut ExprClosure, position: Position) {
        let position = position.of_closure(closure);
        let result = mem::replace(&mut self.result, position);
        let takes_any_closure = mem::take(&mut self.takes_any_closure);
        // A closure that names no variable of the function may be coerced to a function pointer. The variable of the
        // open types would make that impossible, so such a closure declares it itself.
        // tests/it/shapes/typed.rs::function_pointers
        let names_no_variable = !captures::names_a_variable(closure, &self.variables);
        let settles = position == Position::Elsewhere && names_no_variable;
        // The variable of the annotations would make that impossible too. tests/it/shapes/closures.rs::annotated
        let is_annotated = self.is_annotated && (takes_any_closure || !names_no_variable);
        let outer_is_annotated = mem::replace(&mut self.is_annotated, is_annotated);
        let outer = settles.then(|| {
            let outside = mem::replace(&mut self.conditions.outside_settlement, self.conditions.attributes.len());
            (mem::take(&mut self.settlement), outside)
        });
        self.in_scope(|walker| {
            walker.variables.declare_closure_parameters(closure);
            let declarations = walker.in_body(|walker| walker.visit_at(&mut closure.body, position));
            if !declarations.is_empty() {
                as_block(&mut closure.body).stmts.splice(0..0, declarations);
            }
        });
        self.is_annotated = outer_is_annotated;
        if let Some((settlement, outside)) = outer {
            self.conditions.outside_settlement = outside;
            let own = mem::replace(&mut self.settlement, settlement);
            own.wrap_closure(&mut closure.body, &self.options.common.runtime);
        }
        self.result = result;
    }

    /// Visits a block. `end` is the position of its value.
    pub(super) fn visit_block_at(&mut self, block: &mut Block, end: Position) {
        self.in_scope(|walker| {
            let (count, first_tail) = (block.stmts.len(), first_tail(&block.stmts));
            for index in 0..count {
                let (before, after) = block.stmts.split_at_mut(index + 1);
                if let Stmt::Expr(expression, _) = &mut before[index] {
                    move_xray_to_statement(expression);
                }
                match &mut before[index] {
                    Stmt::Local(local) => {
                        let position = uses::position_of_local(local, after, end);
                        let before_local = walker.candidates;
                        walker.visit_local(local, position);
                        if walker.candidates > before_local {
                            walker.rewrite_spawned_local(local, after);
                        }
                    }
                    Stmt::Expr(value, None) if index >= first_tail => walker.visit_at(value, end),
                    other => walker.visit_stmt_mut(other),
                }
            }
        });
    }

    pub(super) fn visit_local(&mut self, local: &mut Local, position: Position) {
        let (xray, others) = (take_xray(&mut local.attrs), local.attrs.clone());
        // Read the initializer before it is visited: the visit rewrites its calls.
        let mut facts = self.variables.facts_of_local(local);
        facts.accepts_any_future = matches!(position, Position::AnyFuture | Position::AnyFutures);
        self.with_options(&xray, |walker| {
            walker.under_conditions(&others, |walker| {
                if let Some(init) = &mut local.init {
                    walker.visit_at(&mut init.expr, position);
                    init.diverge.iter_mut().for_each(|(_, diverge)| walker.visit_expr_mut(diverge));
                }
            });
        });
        self.variables.declare_pattern(&local.pat, facts);
    }

    /// Rewrites an async block in a variable that is spawned: `let job = async move { .. }; tokio::spawn(job);`
    fn rewrite_spawned_local(&mut self, local: &mut Local, after: &[Stmt]) {
        let Some(init) = &mut local.init else { return };
        // The type of a box, such as `BoxFuture<'_, T>`, does not name the future in it.
        let pattern = match &local.pat {
            Pat::Type(typed) if puts_into_box(&init.expr) => &*typed.pat,
            other => other,
        };
        let Pat::Ident(name) = pattern else { return };
        if matches!(spawn::spawned_kind(&init.expr), Some(Spawned::Future)) && uses::is_only_spawned(&name.ident, after)
        {
            self.rewriter().on_spawn(&mut init.expr, Spawned::Future);
        }
    }

    /// Visits an `if`. The variables of `if let` are not in scope in the `else`.
    /// `tests/it/shapes/closures.rs::escapes_from_an_else`
    fn visit_if(&mut self, conditional: &mut ExprIf, of_branches: Position) {
        self.in_scope(|walker| {
            walker.visit_expr_mut(&mut conditional.cond);
            walker.visit_block_at(&mut conditional.then_branch, of_branches);
        });
        if let Some((_, otherwise)) = &mut conditional.else_branch {
            self.visit_at(otherwise, of_branches);
        }
    }

    fn visit_match(&mut self, matched: &mut ExprMatch, of_branches: Position) {
        let facts = self.variables.facts_of_matched(&matched.expr);
        let position = Position::of_matched(&matched.expr, matched.arms.iter().map(|arm| &arm.pat));
        self.visit_at(&mut matched.expr, position);
        for arm in &mut matched.arms {
            self.in_scope(|walker| {
                walker.variables.declare_pattern(&arm.pat, facts);
                let (xray, others) = (take_xray(&mut arm.attrs), arm.attrs.clone());
                walker.with_options(&xray, |walker| {
                    walker.under_conditions(&others, |walker| {
                        walker.visit_pat_mut(&mut arm.pat);
                        walker.visit_at(&mut arm.body, of_branches);
                    });
                });
            });
        }
    }

    /// Visits a statement in a macro that declares variables: `pin! { let future = client.request(request); }`.
    pub(super) fn visit_stmt_in_macro(&mut self, statement: &mut Stmt, role: Role) {
        match statement {
            Stmt::Local(local) => self.visit_local(local, role.position(Position::AnyFuture)),
            other => self.visit_stmt_mut(other),
        }
    }
}
