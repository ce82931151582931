//! Walks the body of a function and decides which calls to rewrite.
//!
//! Closures and async blocks belong to the body. Nested items do not: they are functions of their own. Nor do `const`
//! blocks, types and array lengths, which the compiler evaluates. `tests/shapes/positions.rs::constants_and_items`

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
use crate::candidate::{Candidate, Demand};
use crate::head;
use crate::macros;
use crate::named_futures::names_a_future;
use crate::options::{CallOptions, Errors, TracedHttpOptions};
use crate::rewrite::{Rewriter, Slot};
use crate::spawn::{self, Spawned};
use crate::variables::Variables;

/// What was found in a function.
pub(crate) struct Found {
    /// Whether any call is in the table, including calls under `#[xray(skip)]`.
    pub(crate) has_candidate: bool,
    /// Whether a macro was left alone that a call may stand in.
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
    walker.variables.declare_parameters(signature);
    walker.walk_body(block);
    let found = Found { has_candidate: walker.candidates > 0, has_unknown_macro: walker.has_unknown_macro };
    walker.errors.into_result().map(|()| found)
}

/// Returns the outermost call in an expression, to which `#[xray(trace)]` on the expression belongs.
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

/// The expression or statement directly around an expression. Parentheses do not count.
#[derive(Clone, Copy, Default, PartialEq)]
enum Around {
    #[default]
    Anything,
    /// A method call, whose receiver the expression is.
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
    /// The slots that calls in the current body need at its head.
    slots: Vec<Slot>,
    /// The `#[cfg]` attributes around the current expression, as far as they stand in the current body.
    conditions: Vec<Attribute>,
    names_a_future: bool,
    /// What stands around the expression that is visited next.
    around: Around,
    /// The number of calls in the table, including calls under `#[xray(skip)]`.
    candidates: usize,
    /// Whether a macro was left alone that a call may stand in.
    has_unknown_macro: bool,
    errors: Errors,
}

impl Walker<'_> {
    /// Walks the code under `#[xray(..)]` attributes with their options. An attribute that concerns no call is an
    /// error.
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

    /// Walks a body and returns the declarations that its calls need at its head.
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

    fn candidate(&self, expression: &Expr, demand: Demand, around: Around) -> Option<Candidate> {
        if is_parenthesized(expression) {
            return None;
        }
        let candidate = Candidate::of(expression, &self.variables, demand, &self.options.local)?;
        // In `client.get(url).send()` the call of `get` makes a request builder, and `send` is the HTTP call.
        (around != Around::Call || candidate != Candidate::Client).then_some(candidate)
    }

    /// Returns what stands around an expression. For parentheses and closures the answer is kept: for the expression in
    /// the parentheses, and for `visit_expr_closure_mut`.
    fn take_around(&mut self, expression: &Expr) -> Around {
        if is_parenthesized(expression) || matches!(expression, Expr::Closure(_)) {
            return Around::Anything;
        }
        mem::take(&mut self.around)
    }

    /// Rewrites a call whose inner calls are rewritten already. `may_be_named`: the function may name the type of the
    /// call's future.
    fn rewrite_call(&mut self, expression: &mut Expr, candidate: Candidate, demand: Demand, may_be_named: bool) {
        self.candidates += 1;
        if self.call_options.skip {
            return;
        }
        let rewriter = Rewriter { options: self.options, name: self.call_options.name.as_ref(), demand };
        match (candidate, &mut *expression) {
            (Candidate::Value, Expr::MethodCall(call)) => rewriter.on_value(call),
            (Candidate::Place, Expr::MethodCall(call)) => *expression = rewriter.on_place(call),
            (Candidate::Client, Expr::MethodCall(call)) if !may_be_named => {
                let is_reference = self.variables.shows_reference(&call.receiver);
                *expression = rewriter.on_client(call, is_reference);
            }
            (Candidate::Function, Expr::Call(call)) => rewriter.on_function(call),
            (Candidate::Argument, _) if !may_be_named => {
                let slot = Slot::new(self.slots.len(), expression, self.conditions.clone());
                rewriter.on_argument(expression, &slot);
                self.slots.push(slot);
            }
            _ if demand == Demand::None => {}
            // The user has demanded that the call is traced, so that leaving it alone would break a promise.
            _ => {
                let message = if candidate == Candidate::LeftAlone {
                    "this call has no request to trace: expected one as its first argument"
                } else {
                    "the function names the type of a future, and the future of a traced call has a type of its own: \
                     await the call on the spot, or mark it with `#[xray(skip)]`"
                };
                self.errors.push(Error::new_spanned(expression, message));
            }
        }
    }

    /// Rewrites an expression around calls that are rewritten already: the start of a task or thread, and a closure or
    /// block that moves the annotations.
    fn rewrite_holder(&mut self, expression: &mut Expr, spawned: Option<(usize, Spawned)>) {
        if let Some((index, spawned)) = spawned {
            let rewriter = Rewriter { options: self.options, name: None, demand: Demand::None };
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

    /// Returns what the user demands of the call that stands here.
    ///
    /// `#[xray(trace)]` on `call().await?` stands on the `?`. It is moved to the call inside, where the walk finds it
    /// again.
    fn demand(&mut self, expression: &mut Expr) -> Demand {
        if !mem::take(&mut self.call_options.trace) {
            return if self.options.strict { Demand::Strict } else { Demand::None };
        }
        if is_call(expression) {
            return Demand::Marked;
        }
        if let Some(attributes) = marked_call(expression).and_then(attributes_mut) {
            attributes.push(parse_quote!(#[xray(trace)]));
        } else {
            let message = "`#[xray(trace)]` stands on a call of a method, a function or a macro";
            self.errors.push(Error::new_spanned(&*expression, message));
        }
        Demand::None
    }

    fn walk_macro(&mut self, call: &mut Macro, demand: Demand) {
        if demand == Demand::Marked {
            let walked = macros::walk_expressions(self, call);
            self.errors.take(walked);
        } else {
            self.has_unknown_macro |= !macros::walk(self, call);
        }
    }

    /// Walks code that is a scope of its own for variables.
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
                let (before, demand) = (walker.candidates, walker.demand(expression));
                // Classify the call before its inner expressions are visited: visiting rewrites them, and then the
                // receiver no longer looks like the user's code.
                let (candidate, spawned) = (walker.candidate(expression, demand, around), spawn::spawned(expression));
                match expression {
                    Expr::Macro(call) => return walker.walk_macro(&mut call.mac, demand),
                    _ => visit_mut::visit_expr_mut(walker, expression),
                }
                if walker.candidates > before {
                    walker.rewrite_holder(expression, spawned);
                }
                if let Some(candidate) = candidate {
                    // A future that is awaited on the spot has no name. tests/shapes/named_futures.rs::in_variables
                    let may_be_named = walker.names_a_future && around != Around::Await;
                    walker.rewrite_call(expression, candidate, demand, may_be_named);
                }
            });
        });
    }

    fn visit_local_mut(&mut self, local: &mut Local) {
        let (ours, others) = (take_ours(&mut local.attrs), local.attrs.clone());
        // Read the initializer before it is visited, for the reason given in `visit_expr_mut`.
        let shown = self.variables.of_local(local);
        self.around = if local.init.is_some() { Around::Let } else { Around::Anything };
        self.with_options(&ours, |walker| {
            walker.under_conditions(&others, |walker| visit_mut::visit_local_mut(walker, local));
        });
        self.variables.declare(&local.pat, shown);
    }

    fn visit_stmt_mut(&mut self, statement: &mut Stmt) {
        if let Stmt::Macro(statement) = statement {
            let attributes = take_ours(&mut statement.attrs);
            return self.with_options(&attributes, |walker| {
                let is_marked = mem::take(&mut walker.call_options.trace);
                let demand = if is_marked { Demand::Marked } else { Demand::None };
                walker.under_conditions(&statement.attrs, |walker| walker.walk_macro(&mut statement.mac, demand));
            });
        }
        visit_mut::visit_stmt_mut(self, statement);
    }

    fn visit_block_mut(&mut self, block: &mut Block) {
        self.in_scope(|walker| visit_mut::visit_block_mut(walker, block));
    }

    /// Visits a closure. Its body becomes a block only if declarations must stand at its head.
    fn visit_expr_closure_mut(&mut self, closure: &mut ExprClosure) {
        self.in_scope(|walker| {
            let is_bound = mem::take(&mut walker.around) == Around::Let;
            walker.variables.declare_inputs(closure, is_bound);
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
    /// `tests/shapes/closures.rs::escapes_from_an_else`
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

    fn visit_expr_method_call_mut(&mut self, call: &mut ExprMethodCall) {
        self.around = Around::Call;
        self.visit_expr_mut(&mut call.receiver);
        call.args.iter_mut().for_each(|argument| self.visit_expr_mut(argument));
    }

    fn visit_macro_mut(&mut self, call: &mut Macro) {
        self.walk_macro(call, Demand::None);
    }

    fn visit_expr_await_mut(&mut self, awaited: &mut ExprAwait) {
        self.around = Around::Await;
        self.visit_expr_mut(&mut awaited.base);
    }

    fn visit_expr_assign_mut(&mut self, assignment: &mut ExprAssign) {
        let is_settled = self.variables.is_settled(&assignment.right);
        visit_mut::visit_expr_assign_mut(self, assignment);
        if is_settled {
            self.variables.settle(&assignment.left);
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
