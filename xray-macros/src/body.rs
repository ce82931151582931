//! Walks a function body and decides what to rewrite.
//!
//! Closures and async blocks belong to the body. Nested items, `const` blocks, types and array lengths do not.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::parse::{Parse as _, ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Attribute, Block, Error, Expr, ExprClosure, ExprConst, ExprForLoop, ExprIf, ExprLet, ExprMatch, ExprRepeat,
    ExprWhile, GenericArgument, Item, ItemFn, Local, Macro, Pat, Result, Stmt, Token, Type,
};

use crate::attributes::{attributes_mut, take_ours};
use crate::calls;
use crate::options::{CallOptions, Errors, Options};
use crate::receiver::Receiver;
use crate::references::References;
use crate::rewrite::Rewriter;

/// Rewrites the candidates in a function.
pub(crate) fn rewrite(function: &mut ItemFn, options: &Options) -> Result<()> {
    let mut walker = Walker {
        options,
        call_options: CallOptions { skip: false, name: options.name.clone() },
        references: References::default(),
        candidates: 0,
        has_unknown_macro: false,
        errors: Errors::default(),
    };
    walker.references.declare_parameters(&function.sig);
    walker.visit_block_mut(&mut function.block);
    if walker.candidates == 0 && !walker.has_unknown_macro {
        let message = format!(
            "no HTTP call in this function: looked for {}, and not inside macros; annotate the function that calls",
            calls::list()
        );
        walker.errors.push(Error::new_spanned(&function.sig.ident, message));
    }
    walker.errors.into_result()
}

struct Walker<'a> {
    options: &'a Options,
    /// What holds for the expression that is being walked.
    call_options: CallOptions,
    references: References,
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

    /// Rewrites one call, if it is in the table and its receiver lets it.
    fn rewrite_call(&mut self, expression: &mut Expr) {
        let Expr::MethodCall(call) = expression else { return };
        if !calls::is_candidate(call) {
            return;
        }
        self.candidates += 1;
        if self.call_options.skip {
            return;
        }
        let rewriter = Rewriter { runtime: &self.options.runtime, name: self.call_options.name.as_ref() };
        let rewritten = match Receiver::of(&call.receiver) {
            Receiver::Value => rewriter.on_value(call),
            Receiver::Variable(name) if self.references.contains(&name) => return,
            Receiver::Place | Receiver::Variable(_) if call.turbofish.is_none() => {
                rewriter.on_place(call).map(|asked| *expression = asked)
            }
            _ => return,
        };
        if let Err(error) = rewritten {
            self.errors.push(error);
        }
    }

    /// Walks the arguments of `join!` and its like. Arguments that are no expressions are left as they are.
    fn walk_expressions(&mut self, call: &mut Macro) {
        let Ok((prefix, mut expressions)) = expressions.parse2(call.tokens.clone()) else {
            self.has_unknown_macro = true;
            return;
        };
        expressions.iter_mut().for_each(|expression| self.visit_expr_mut(expression));
        call.tokens = quote!(#prefix #expressions);
    }

    /// Walks something that declares variables of its own.
    fn in_scope(&mut self, walk: impl FnOnce(&mut Self)) {
        let outer = self.references.len();
        walk(self);
        self.references.truncate(outer);
    }
}

impl VisitMut for Walker<'_> {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        let attributes = attributes_mut(expression).map(take_ours).unwrap_or_default();
        self.with_options(&attributes, |walker| {
            visit_mut::visit_expr_mut(walker, expression);
            walker.rewrite_call(expression);
        });
    }

    fn visit_local_mut(&mut self, local: &mut Local) {
        let attributes = take_ours(&mut local.attrs);
        // Asked first: what the expression names may be shadowed by what is declared.
        let is_reference = local.init.as_ref().is_some_and(|init| self.references.shows_reference(&init.expr));
        self.with_options(&attributes, |walker| visit_mut::visit_local_mut(walker, local));
        self.references.declare_pattern(&local.pat, is_reference);
    }

    fn visit_stmt_mut(&mut self, statement: &mut Stmt) {
        if let Stmt::Macro(statement) = statement {
            let attributes = take_ours(&mut statement.attrs);
            return self.with_options(&attributes, |walker| walker.visit_macro_mut(&mut statement.mac));
        }
        visit_mut::visit_stmt_mut(self, statement);
    }

    fn visit_block_mut(&mut self, block: &mut Block) {
        self.in_scope(|walker| visit_mut::visit_block_mut(walker, block));
    }

    fn visit_expr_closure_mut(&mut self, closure: &mut ExprClosure) {
        self.in_scope(|walker| {
            closure.inputs.iter().for_each(|input| walker.references.declare_pattern(input, false));
            walker.visit_expr_mut(&mut closure.body);
        });
    }

    fn visit_expr_for_loop_mut(&mut self, for_loop: &mut ExprForLoop) {
        self.visit_expr_mut(&mut for_loop.expr);
        self.in_scope(|walker| {
            walker.references.declare_loop(for_loop);
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
        let is_reference = self.references.shows_reference(&matched.expr);
        self.visit_expr_mut(&mut matched.expr);
        for arm in &mut matched.arms {
            self.in_scope(|walker| {
                walker.references.declare_pattern(&arm.pat, is_reference);
                let attributes = take_ours(&mut arm.attrs);
                walker.with_options(&attributes, |walker| walker.visit_arm_mut(arm));
            });
        }
    }

    fn visit_expr_let_mut(&mut self, condition: &mut ExprLet) {
        let is_reference = self.references.shows_reference(&condition.expr);
        self.visit_expr_mut(&mut condition.expr);
        self.references.declare_pattern(&condition.pat, is_reference);
    }

    fn visit_macro_mut(&mut self, call: &mut Macro) {
        match MacroArguments::of(call) {
            MacroArguments::Expressions => self.walk_expressions(call),
            MacroArguments::Harmless => {}
            MacroArguments::Unknown => self.has_unknown_macro = true,
        }
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

/// `biased;`, which is tokio's, and expressions.
fn expressions(input: ParseStream<'_>) -> Result<(TokenStream, Punctuated<Expr, Token![,]>)> {
    let prefix = if input.peek(syn::Ident) && input.peek2(Token![;]) {
        let (biased, semicolon) = (syn::Ident::parse(input)?, <Token![;]>::parse(input)?);
        quote!(#biased #semicolon)
    } else {
        TokenStream::new()
    };
    Ok((prefix, Punctuated::parse_terminated(input)?))
}

/// Whether the arguments of `vec!` are a value and how often.
fn is_repeat(arguments: &TokenStream) -> bool {
    arguments.clone().into_iter().any(|token| matches!(token, TokenTree::Punct(mark) if mark.as_char() == ';'))
}

/// What the arguments of a macro are, by its name.
enum MacroArguments {
    /// Expressions with commas between them, each evaluated where it stands.
    Expressions,
    /// Nothing in which a call would be expected.
    Harmless,
    /// Nobody knows.
    Unknown,
}

impl MacroArguments {
    fn of(call: &Macro) -> Self {
        let Some(name) = call.path.segments.last().map(|segment| segment.ident.to_string()) else {
            return Self::Unknown;
        };
        match name.as_str() {
            "vec" if is_repeat(&call.tokens) => Self::Harmless,
            "join" | "try_join" | "vec" => Self::Expressions,
            "assert" | "assert_eq" | "assert_ne" | "debug_assert" | "debug_assert_eq" | "debug_assert_ne" | "panic"
            | "todo" | "unimplemented" | "unreachable" | "print" | "println" | "eprint" | "eprintln" | "format"
            | "write" | "writeln" | "dbg" | "matches" | "env" | "concat" | "include_str" | "line" | "file"
            | "module_path" | "stringify" | "cfg" => Self::Harmless,
            _ => Self::Unknown,
        }
    }
}
