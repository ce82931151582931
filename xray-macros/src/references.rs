//! Which variables are declared as references.
//!
//! A closure captures a reference that it reads as the reference, and one on which it calls a method as what is
//! behind it. Naming such a variable once more could make a closure borrow the variable, so it is left alone.

use proc_macro2::Ident;
use syn::visit::{self, Visit};
use syn::{Expr, ExprForLoop, FnArg, Local, Pat, PatIdent, ReceiverKind, Signature, Type};

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

    pub(crate) fn declare_local(&mut self, local: &Local) {
        let initialised = local.init.as_ref().is_some_and(|init| matches!(peeled(&init.expr), Expr::Reference(_)));
        self.declare_pattern(&local.pat, initialised);
    }

    pub(crate) fn declare_loop(&mut self, for_loop: &ExprForLoop) {
        let over_references = match peeled(&for_loop.expr) {
            Expr::Reference(_) => true,
            Expr::MethodCall(call) => call.method == "iter" || call.method == "iter_mut",
            _ => false,
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
