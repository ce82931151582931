//! Which variables are declared as references.
//!
//! A closure captures a reference that it reads as the reference, and one on which it calls a method as what is
//! behind it. Naming such a variable once more could make a closure borrow the variable, so it is left alone.

use proc_macro2::Ident;
use syn::visit::{self, Visit};
use syn::{Expr, ExprForLoop, FnArg, Pat, PatIdent, ReceiverKind, Signature, Type};

use crate::receiver::peeled;

/// The variables in scope, each with whether its declaration shows a reference; the innermost is last.
#[derive(Default)]
pub(crate) struct References {
    declared: Vec<(Ident, bool)>,
}

impl References {
    /// Whether the variable is declared as a reference, as far as its declaration shows.
    pub(crate) fn contains(&self, name: &Ident) -> bool {
        self.declared.iter().rev().find(|(declared, _)| declared == name).is_some_and(|(_, is_reference)| *is_reference)
    }

    pub(crate) fn len(&self) -> usize {
        self.declared.len()
    }

    /// Forgets what was declared since the length was this.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.declared.truncate(length);
    }

    pub(crate) fn declare_parameters(&mut self, signature: &Signature) {
        for parameter in &signature.inputs {
            match parameter {
                FnArg::Receiver(receiver) => {
                    let is_reference = match &receiver.kind {
                        ReceiverKind::Reference(..) => true,
                        ReceiverKind::Typed(_, ty) => matches!(**ty, Type::Reference(_)),
                        _ => false,
                    };
                    self.declared.push((receiver.self_token.into(), is_reference));
                }
                FnArg::Typed(parameter) => {
                    self.declare_pattern(&parameter.pat, matches!(*parameter.ty, Type::Reference(_)));
                }
            }
        }
    }

    /// Whether an expression gives a reference, as far as it shows: bound to a pattern it makes references.
    pub(crate) fn shows_reference(&self, expression: &Expr) -> bool {
        match peeled(expression) {
            Expr::Reference(_) => true,
            Expr::Path(path) => path.path.get_ident().is_some_and(|name| self.contains(name)),
            Expr::Try(tried) => self.shows_reference(&tried.expr),
            Expr::MethodCall(call) => {
                let method = call.method.to_string();
                gives_exclusive_reference(&method)
                    || (PASSES_ON.contains(&method.as_str()) && self.shows_reference(&call.receiver))
            }
            _ => false,
        }
    }

    pub(crate) fn declare_loop(&mut self, for_loop: &ExprForLoop) {
        let over_references = match peeled(&for_loop.expr) {
            Expr::MethodCall(call) if call.method == "iter" => true,
            // By itself a variable may be an iterator, whose items are none of its kind.
            Expr::Path(_) => false,
            iterator => self.shows_reference(iterator),
        };
        self.declare_pattern(&for_loop.pat, over_references);
    }

    /// Declares the variables of a pattern, all as references if what it matches is one.
    pub(crate) fn declare_pattern(&mut self, pattern: &Pat, is_reference: bool) {
        let is_reference =
            is_reference || matches!(pattern, Pat::Type(typed) if matches!(*typed.ty, Type::Reference(_)));
        Declaring { references: self, is_reference }.visit_pat(pattern);
    }
}

/// Methods that take something out of an option, a result or an iterator, or put it into another.
const PASSES_ON: &[&str] = &[
    "unwrap",
    "expect",
    "unwrap_or_else",
    "ok",
    "ok_or",
    "ok_or_else",
    "next",
    "next_back",
    "last",
    "nth",
    "rev",
    "skip",
    "take",
    "enumerate",
];

/// A shared reference is no trouble: to look at what is behind it, a closure captures no more than it.
fn gives_exclusive_reference(method: &str) -> bool {
    method.ends_with("_mut")
        || ["or_default", "or_insert", "or_insert_with", "get_or_insert", "get_or_insert_with"].contains(&method)
}

struct Declaring<'a> {
    references: &'a mut References,
    is_reference: bool,
}

impl<'ast> Visit<'ast> for Declaring<'_> {
    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        let is_reference = self.is_reference || pattern.by_ref.is_some();
        self.references.declared.push((pattern.ident.clone(), is_reference));
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_expr(&mut self, _: &'ast Expr) {}
}
