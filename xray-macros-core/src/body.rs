//! Walks the body of a function and decides which calls to rewrite.
//!
//! Closures and async blocks belong to the body. Nested items do not, because they are functions of their own. Neither
//! do `const` blocks, types and array lengths, because the compiler evaluates them.
//! `tests/it/shapes/positions.rs::constants_and_items`
//!
//! *Candidate* is defined in `candidate`, *call variable* in `call_variable`.

mod positions;

use std::{iter, mem};

use syn::spanned::Spanned as _;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Attribute, Block, Error, Expr, ExprConst, ExprForLoop, ExprLet, ExprRepeat, ExprWhile, FieldValue, GenericArgument,
    Item, Macro, Pat, Path, Result, Signature, Stmt, Type, parse_quote,
};

use crate::attributes::{attributes, attributes_mut, take_xray, take_xray_of};
use crate::call_variable::{self, CallVariable};
use crate::calls;
use crate::candidate::{Candidate, LeftAlone, Requirement, is_call, marked_call};
use crate::conditions::Conditions;
#[cfg(feature = "untraced")]
use crate::found::FoundCall;
use crate::head;
use crate::macros::{self, Arguments, Role};
use crate::options::{CallOptions, Errors, TracedHttpOptions};
use crate::position::Position;
use crate::rewrite::Rewriter;
use crate::settlement::Settlement;
use crate::spawn::{self, Spawned};
use crate::syntax::span_of_name;
use crate::variables::Variables;

/// The result of a walk: whether the function may make HTTP calls.
pub(crate) struct Findings {
    /// `true` if the name of any call is in the table, including calls under `#[xray(skip)]`.
    pub(crate) has_candidate: bool,
    /// The calls that are left alone, if no call is rewritten.
    pub(crate) left_alone: Vec<LeftAlone>,
    /// The macros that the walk cannot read and that may contain a call.
    pub(crate) unknown_macros: Vec<Path>,
}

/// Rewrites the candidates in a function and returns the findings. `has_other_attributes` is `true` if attributes below
/// this one will receive the rewritten function.
pub(crate) fn rewrite_calls(
    signature: &Signature,
    block: &mut Block,
    options: &TracedHttpOptions,
    has_other_attributes: bool,
) -> Result<Findings> {
    let walker = walk(signature, block, options, has_other_attributes);
    let found = Findings {
        has_candidate: walker.candidates > 0,
        left_alone: if walker.rewritten == 0 { walker.left_alone } else { Vec::new() },
        unknown_macros: walker.unknown_macros,
    };
    walker.errors.into_result().map(|()| found)
}

/// Rewrites the candidates in a function, and returns them and the errors of the attribute.
#[cfg(feature = "untraced")]
pub(crate) fn search(
    signature: &Signature,
    block: &mut Block,
    options: &TracedHttpOptions,
) -> (Vec<FoundCall>, Option<Error>) {
    let walker = walk(signature, block, options, false);
    (walker.calls, walker.errors.into_result().err())
}

fn walk<'a>(
    signature: &Signature,
    block: &mut Block,
    options: &'a TracedHttpOptions,
    has_other_attributes: bool,
) -> Walker<'a> {
    let mut walker = Walker {
        options,
        call_options: CallOptions::default(),
        variables: Variables::default(),
        call_variables: Vec::new(),
        settlement: Settlement::default(),
        conditions: Conditions::default(),
        position: Position::Elsewhere,
        result: Position::of_result(signature, block),
        of_macro: Position::Elsewhere,
        is_annotated: !options.common.annotations.is_empty(),
        takes_any_closure: false,
        candidates: 0,
        rewritten: 0,
        left_alone: Vec::new(),
        unknown_macros: Vec::new(),
        #[cfg(feature = "untraced")]
        calls: Vec::new(),
        errors: Errors::default(),
    };
    walker.variables.declare_function_parameters(signature);
    walker.position = walker.result;
    let call_variables = walker.in_body(|walker| walker.visit_block_mut(block));
    let keeps_last_expression = signature.asyncness.is_none() && has_other_attributes;
    mem::take(&mut walker.settlement).wrap_function(
        block,
        call_variables,
        &signature.output,
        keeps_last_expression,
        &options.common.runtime,
    );
    walker
}

/// Walks a body; see [`rewrite_calls`].
struct Walker<'a> {
    options: &'a TracedHttpOptions,
    /// The options that apply to the current expression.
    call_options: CallOptions,
    /// The variables in scope at the current expression.
    variables: Variables,
    /// The call variables to declare at the start of the current body.
    call_variables: Vec<CallVariable>,
    /// The open types of the calls in the function, or in the current closure if that has a settlement of its own.
    settlement: Settlement,
    /// The `#[cfg]` attributes around the current expression.
    conditions: Conditions,
    /// Where the value of the expression visited next goes.
    position: Position,
    /// Where the value goes that the current function or closure returns.
    result: Position,
    /// Where the value of the current macro call goes.
    of_macro: Position,
    /// `true` if the calls are recorded with the values of `annotate(..)`.
    is_annotated: bool,
    /// `true` if the closure visited next is the argument of a function that takes a closure of any type.
    takes_any_closure: bool,
    /// The number of calls whose names are in the table, including calls under `#[xray(skip)]`.
    candidates: usize,
    /// The number of calls that are rewritten.
    rewritten: usize,
    left_alone: Vec<LeftAlone>,
    unknown_macros: Vec<Path>,
    /// The calls whose names are in the table, except for calls under `#[xray(skip)]`.
    #[cfg(feature = "untraced")]
    calls: Vec<FoundCall>,
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
            match self.call_options.overridden_by(attribute) {
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
        let outer = self.conditions.attributes.len();
        self.conditions.extend(attributes);
        walk(self);
        self.conditions.attributes.truncate(outer);
    }

    /// Walks a body and returns the declarations of its call variables.
    fn in_body(&mut self, walk: impl FnOnce(&mut Self)) -> Vec<Stmt> {
        let outer = mem::take(&mut self.call_variables);
        let outside = mem::replace(&mut self.conditions.outside_body, self.conditions.attributes.len());
        walk(self);
        self.conditions.outside_body = outside;
        let declared = mem::replace(&mut self.call_variables, outer);
        declared.into_iter().map(|variable| variable.declaration(&self.options.common.runtime)).collect()
    }

    /// Walks the body of an async block.
    fn walk_async_block(&mut self, block: &mut Block) {
        let declarations = self.in_body(|walker| walker.visit_block_mut(block));
        call_variable::declare_around(block, declarations);
    }

    /// Walks the body of an async block whose statements a macro reads, such as `stream!`.
    fn walk_body(&mut self, block: &mut Block) {
        let declarations = self.in_body(|walker| walker.visit_block_mut(block));
        block.stmts.splice(0..0, declarations);
    }

    /// Visits an expression whose value goes to `position`.
    fn visit_at(&mut self, expression: &mut Expr, position: Position) {
        self.position = position;
        self.visit_expr_mut(expression);
    }

    /// Rewrites a call after its inner calls.
    fn rewrite_call(
        &mut self,
        expression: &mut Expr,
        candidate: Candidate,
        requirement: Requirement,
        position: Position,
    ) {
        self.candidates += 1;
        if self.call_options.skip {
            return;
        }
        let rewriter = Rewriter {
            options: self.options,
            name: self.call_options.name.as_ref(),
            requirement,
            is_annotated: self.is_annotated,
        };
        self.rewritten += usize::from(!matches!(candidate, Candidate::LeftAlone(_) | Candidate::RequestBuilder));
        match (candidate, &mut *expression) {
            (Candidate::Value, Expr::MethodCall(call)) => rewriter.on_value(call),
            (Candidate::Place(argument), Expr::MethodCall(call)) => *expression = rewriter.on_place(call, argument),
            (Candidate::Client(argument), Expr::MethodCall(call)) => {
                let is_reference = self.variables.is_reference_expression(&call.receiver);
                let types = (position != Position::Awaited).then(|| self.settlement.next_name(call.method.span()));
                let statement = types.as_ref().map(|types| rewriter.settle_unknown(call, types));
                let rewritten = rewriter.on_client(call, is_reference, argument, types.as_ref());
                if let (Some(types), Some(statement)) = (types, statement) {
                    self.settlement.add(types, self.conditions.of_settlement(), statement);
                }
                *expression = rewritten;
            }
            (Candidate::Function, Expr::Call(call)) => rewriter.on_function(call),
            (Candidate::MethodPath, Expr::Call(call)) => rewriter.on_method_path(&mut call.func),
            (Candidate::Argument, _) => {
                let number = self.settlement.next_number();
                let variable = CallVariable::new(number, expression, self.conditions.of_body());
                let types = self.settlement.next_name(variable.span());
                let statement = rewriter.settle(expression, &types);
                rewriter.on_argument(expression, &variable, &types, position);
                self.settlement.add(types, self.conditions.of_settlement(), statement);
                self.call_variables.push(variable);
            }
            (Candidate::LeftAlone(why), _) if requirement == Requirement::Optional => {
                self.left_alone.push(LeftAlone { span: span_of_name(expression), why });
            }
            // The user requires the call to be traced, so an untraced call is an error.
            (Candidate::LeftAlone(why), _) => {
                self.errors.push(Error::new_spanned(expression, format!("this call is not traced, because {why}")));
            }
            _ => {}
        }
    }

    /// Rewrites an expression that contains rewritten calls: a call that spawns a task or thread, and a `move` closure
    /// or block, which would otherwise move the annotations.
    fn rewrite_enclosing(&mut self, expression: &mut Expr, spawned: Option<(usize, Spawned)>) {
        // With `#[xray(skip)]` the closure stays as it is: the function may run it twice, or give its result a type.
        // tests/it/shapes/spawned.rs::others
        let is_kept = |spawned| matches!(spawned, Spawned::Closure) && self.call_options.skip;
        if let Some((index, spawned)) = spawned.filter(|(_, spawned)| !is_kept(*spawned)) {
            match expression {
                Expr::Call(call) => self.rewriter().on_spawn(&mut call.args[index], spawned),
                Expr::MethodCall(call) => self.rewriter().on_spawn(&mut call.args[index], spawned),
                _ => {}
            }
        }
        let moves = match expression {
            Expr::Closure(closure) => closure.capture.is_some(),
            Expr::Async(block) => block.capture.is_some(),
            _ => false,
        };
        if moves && self.is_annotated {
            *expression = head::with_own_annotations(expression);
        }
    }

    fn rewriter(&self) -> Rewriter<'_> {
        Rewriter {
            options: self.options,
            name: None,
            requirement: Requirement::Optional,
            is_annotated: self.is_annotated,
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
            let message = "expected a call to a method, a function or a macro after `#[xray(trace)]`";
            self.errors.push(Error::new_spanned(&*expression, message));
        }
        Requirement::Optional
    }

    fn walk_macro(&mut self, call: &mut Macro, requirement: Requirement) {
        if requirement == Requirement::Marked {
            let walked = macros::walk_marked(self, call);
            self.errors.take(walked);
        } else if !macros::walk(self, call) {
            self.unknown_macros.push(call.path.clone());
        }
    }

    /// Counts the candidates in an expression, and leaves them alone.
    fn count_candidates(&mut self, expression: &Expr) {
        let (before, skip) = (self.candidates, mem::replace(&mut self.call_options.skip, true));
        self.visit_expr_mut(&mut expression.clone());
        self.call_options.skip = skip;
        if self.candidates > before && !skip {
            let why = "its macro prints its arguments as they are written";
            self.left_alone.push(LeftAlone { span: expression.span(), why });
            #[cfg(feature = "untraced")]
            self.calls.push(FoundCall::in_macro(expression, why));
        }
    }

    /// Walks code whose variables end with it.
    fn in_scope(&mut self, walk: impl FnOnce(&mut Self)) {
        let outer = self.variables.len();
        walk(self);
        self.variables.truncate(outer);
    }
}

impl Arguments for Walker<'_> {
    fn expression(&mut self, expression: &mut Expr, role: Role) {
        match role {
            Role::Printed => self.count_candidates(expression),
            role => self.visit_at(expression, role.position(self.of_macro)),
        }
    }

    fn statements(&mut self, block: &mut Block, role: Role) {
        if role == Role::AsyncBody {
            self.walk_body(block);
        } else {
            block.stmts.iter_mut().for_each(|statement| self.visit_stmt_in_macro(statement, role));
        }
    }
}

impl VisitMut for Walker<'_> {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        let xray = take_xray_of(expression);
        let others = attributes(expression).to_vec();
        self.with_options(&xray, |walker| {
            walker.under_conditions(&others, |walker| {
                let position = mem::take(&mut walker.position);
                let (before, requirement) = (walker.candidates, walker.requirement(expression));
                // Classify the call before its inner expressions are visited. The visit rewrites them, and then the
                // receiver is no longer the user's code.
                let local = &walker.options.local;
                let candidate = Candidate::of(expression, &walker.variables, requirement, local, position);
                #[cfg(feature = "untraced")]
                let found = candidate.and_then(|_| FoundCall::of(expression));
                let spawned = spawn::spawned(expression);
                if let Expr::Macro(call) = expression {
                    let outer = mem::replace(&mut walker.of_macro, position);
                    walker.walk_macro(&mut call.mac, requirement);
                    walker.of_macro = outer;
                    return;
                }
                walker.visit_inner(expression, position);
                if walker.candidates > before {
                    walker.rewrite_enclosing(expression, spawned);
                }
                if let Some(candidate) = candidate {
                    #[cfg(feature = "untraced")]
                    if !walker.call_options.skip {
                        walker.calls.extend(found.map(|found| found.rewritten_as(candidate)));
                    }
                    walker.rewrite_call(expression, candidate, requirement, position);
                }
            });
        });
    }

    fn visit_stmt_mut(&mut self, statement: &mut Stmt) {
        match statement {
            Stmt::Local(local) => self.visit_local(local, Position::of_local(local).unwrap_or_default()),
            Stmt::Macro(statement) => {
                let attributes = take_xray(&mut statement.attrs);
                self.with_options(&attributes, |walker| {
                    let is_marked = mem::take(&mut walker.call_options.trace);
                    let requirement = if is_marked { Requirement::Marked } else { Requirement::Optional };
                    walker.of_macro = Position::of_macro_statement(statement);
                    walker.under_conditions(&statement.attrs, |walker| {
                        walker.walk_macro(&mut statement.mac, requirement);
                    });
                });
            }
            Stmt::Expr(value, Some(_)) => self.visit_at(value, Position::of_statement(value)),
            other => visit_mut::visit_stmt_mut(self, other),
        }
    }

    fn visit_block_mut(&mut self, block: &mut Block) {
        let end = mem::take(&mut self.position);
        self.visit_block_at(block, end);
    }

    fn visit_expr_for_loop_mut(&mut self, for_loop: &mut ExprForLoop) {
        self.visit_expr_mut(&mut for_loop.expr);
        self.in_scope(|walker| {
            walker.variables.declare_loop(for_loop);
            walker.visit_block_mut(&mut for_loop.body);
        });
    }

    fn visit_expr_while_mut(&mut self, while_loop: &mut ExprWhile) {
        self.in_scope(|walker| visit_mut::visit_expr_while_mut(walker, while_loop));
    }

    fn visit_expr_let_mut(&mut self, condition: &mut ExprLet) {
        let facts = self.variables.facts_of_matched(&condition.expr);
        let position = Position::of_matched(&condition.expr, iter::once(&*condition.pat));
        self.visit_at(&mut condition.expr, position);
        self.variables.declare_pattern(&condition.pat, facts);
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
