//! Tracks what the declarations of local variables reveal about their types.
//!
//! The rewrite depends on two facts about a variable:
//!
//! * Whether it is a reference. If so, naming it a second time would change how a closure captures it.
//! * Whether a future in it may have any type; see `uses`.
//!
//! Syntax reveals only a part of this. The cases that these rules miss are listed in `docs/limits.md` and tested in
//! `tests/it/shapes/limits.rs`; `#[xray(skip)]` works around them.

use proc_macro2::Ident;
use syn::visit::{self, Visit};
use syn::{Expr, ExprClosure, ExprForLoop, FnArg, Local, Pat, PatIdent, PatReference, ReceiverKind, Signature, Type};

use crate::syntax::{peeled, text, variable};

/// The variables in scope; the innermost is last.
#[derive(Default)]
pub(crate) struct Variables {
    declared: Vec<(Ident, VariableFacts)>,
}

/// Facts about a variable that its declaration and its uses show.
#[derive(Clone, Copy, Default)]
pub(crate) struct VariableFacts {
    /// `true` if the variable is a reference.
    ///
    /// With `counter: &mut Counter`, the closure `|| counter.send()` captures `*counter`. The type test of the rewrite,
    /// `counter.__xray_dispatch(site)`, would capture the variable: no `__xray_dispatch` takes a `&mut Counter`, so the
    /// compiler borrows `counter` itself. The closure then could not outlive the variable. So calls on a variable that
    /// is a reference are left alone. `tests/it/shapes/closures.rs::escapes_exclusively`
    is_reference: bool,
    /// `true` if the variable is an iterator, option or result of references: `let counters = list.iter_mut();`
    holds_references: bool,
    /// `true` if every use of the variable accepts a future of any type; see `uses`.
    pub(crate) accepts_any_future: bool,
}

impl Variables {
    /// Returns whether a variable is a reference, judged by its declaration.
    pub(crate) fn is_reference(&self, name: &Ident) -> bool {
        self.facts(name).is_reference
    }

    /// Returns whether a future that is assigned to a variable may have any type.
    pub(crate) fn accepts_any_future(&self, assigned: &Expr) -> bool {
        let Expr::Path(path) = peeled(assigned) else { return false };
        variable(path).is_some_and(|name| self.facts(name).accepts_any_future)
    }

    /// Returns whether a variable of this name is in scope.
    pub(crate) fn contains(&self, name: &Ident) -> bool {
        self.declared.iter().any(|(declared, _)| declared == name)
    }

    fn facts(&self, name: &Ident) -> VariableFacts {
        let innermost = self.declared.iter().rev().find(|(declared, _)| declared == name);
        innermost.map(|(_, facts)| *facts).unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.declared.len()
    }

    /// Ends the scope of the variables that were declared after the first `length`.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.declared.truncate(length);
    }

    /// Declares the parameters of the function. Their types are always declared, so they need no inference.
    pub(crate) fn declare_function_parameters(&mut self, signature: &Signature) {
        for parameter in &signature.inputs {
            match parameter {
                FnArg::Receiver(receiver) => {
                    let is_reference = match &receiver.kind {
                        ReceiverKind::Reference(..) => true,
                        ReceiverKind::Typed(_, ty) => matches!(**ty, Type::Reference(_)),
                        _ => false,
                    };
                    self.declared
                        .push((receiver.self_token.into(), VariableFacts { is_reference, ..VariableFacts::default() }));
                }
                FnArg::Typed(parameter) => {
                    let is_reference = matches!(*parameter.ty, Type::Reference(_));
                    self.declare_pattern(&parameter.pat, VariableFacts { is_reference, ..VariableFacts::default() });
                }
            }
        }
    }

    /// Declares the parameters of a closure.
    pub(crate) fn declare_closure_parameters(&mut self, closure: &ExprClosure) {
        closure.inputs.iter().for_each(|input| self.declare_pattern(input, VariableFacts::default()));
    }

    /// Returns the facts about the variables of a `let` that its initializer reveals.
    pub(crate) fn facts_of_local(&self, local: &Local) -> VariableFacts {
        local.init.as_ref().map(|init| self.facts_of_matched(&init.expr)).unwrap_or_default()
    }

    /// Returns the facts about the variables of a pattern that the matched expression reveals.
    pub(crate) fn facts_of_matched(&self, matched: &Expr) -> VariableFacts {
        let (is_reference, holds_references) = (self.is_reference_expression(matched), self.holds_references(matched));
        VariableFacts { is_reference, holds_references, ..VariableFacts::default() }
    }

    /// Returns whether an expression is a reference, judged by its syntax. The variables of a pattern are references
    /// too if the pattern is matched against a reference:
    /// `tests/it/shapes/closures.rs::escapes_from_an_exclusive_pattern`, `escapes_from_a_match`
    pub(crate) fn is_reference_expression(&self, expression: &Expr) -> bool {
        match peeled(expression) {
            Expr::Reference(_) => true,
            Expr::Path(path) => path.path.get_ident().is_some_and(|name| self.is_reference(name)),
            Expr::Try(tried) => self.is_reference_expression(&tried.expr),
            Expr::MethodCall(call) => {
                let method = call.method.to_string();
                returns_mutable_reference(&method)
                    || (ADAPTERS.contains(&method.as_str()) && self.is_reference_expression(&call.receiver))
                    || (TAKES.contains(&method.as_str()) && self.holds_references(&call.receiver))
            }
            _ => false,
        }
    }

    /// Returns whether an expression is an iterator, option or result of references, judged by its syntax.
    /// `slot.take()` of a `slot: &mut Option<Client>` is the client, not a reference.
    /// `tests/it/shapes/evaluation.rs::taken`
    fn holds_references(&self, expression: &Expr) -> bool {
        match peeled(expression) {
            Expr::Path(path) => path.path.get_ident().is_some_and(|name| self.facts(name).holds_references),
            // `let slot = map.get_mut(&1).unwrap();` is a reference, and `slot.take()` is what it refers to.
            Expr::MethodCall(call) if UNWRAPS.contains(&text(&call.method).as_str()) => false,
            Expr::MethodCall(_) => self.is_reference_expression(expression),
            _ => false,
        }
    }

    /// Declares the variables of a `for` loop. `tests/it/shapes/closures.rs::escapes_from_a_loop`
    pub(crate) fn declare_loop(&mut self, for_loop: &ExprForLoop) {
        let is_reference = match peeled(&for_loop.expr) {
            // The items of a list of references are references to references: `__xray_dispatch(&self)` can borrow the
            // inner reference only for as long as the list.
            // tests/it/shapes/closures.rs::escapes_from_a_list_of_references
            Expr::MethodCall(call) if call.method == "iter" => true,
            iterator => self.is_reference_expression(iterator),
        };
        self.declare_pattern(&for_loop.pat, VariableFacts { is_reference, ..VariableFacts::default() });
    }

    /// Declares the variables of a pattern.
    pub(crate) fn declare_pattern(&mut self, pattern: &Pat, mut facts: VariableFacts) {
        if let Pat::Type(typed) = pattern {
            facts.is_reference = match &*typed.ty {
                Type::Infer(_) => facts.is_reference,
                ty => matches!(ty, Type::Reference(_)),
            };
        }
        Declaring { variables: self, facts }.visit_pat(pattern);
    }
}

/// Methods of `Option`, `Result` and `Iterator` that return references, or iterators over references, if their receiver
/// holds references: `map.get_mut(&1).unwrap()`, `counters.iter_mut().rev()`.
/// `tests/it/shapes/closures.rs::escapes_from_a_lookup`, `escapes_from_a_loop`
const ADAPTERS: &[&str] =
    &["unwrap", "expect", "unwrap_or_else", "ok", "ok_or", "ok_or_else", "rev", "skip", "enumerate"];

/// The adapters that take the reference out of their receiver.
const UNWRAPS: &[&str] = &["unwrap", "expect", "unwrap_or_else"];

/// Methods of `Option` and `Iterator` that take an item out of their receiver.
const TAKES: &[&str] = &["next", "next_back", "last", "nth", "take"];

/// Returns whether a method returns a mutable reference, judged by its name.
/// `tests/it/shapes/closures.rs::escapes_from_a_lookup`, `escapes_from_an_entry`
///
/// Shared references need no special treatment, because `__xray_dispatch(&self)` accepts a `&Shared` directly.
/// `tests/it/shapes/closures.rs::escapes_by_inference`
fn returns_mutable_reference(method: &str) -> bool {
    method.ends_with("_mut")
        || ["or_default", "or_insert", "or_insert_with", "get_or_insert", "get_or_insert_with"].contains(&method)
}

struct Declaring<'a> {
    variables: &'a mut Variables,
    /// Facts about each variable of the pattern that the matched expression shows.
    facts: VariableFacts,
}

impl<'ast> Visit<'ast> for Declaring<'_> {
    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        let is_reference = self.facts.is_reference || pattern.by_ref.is_some();
        self.variables.declared.push((pattern.ident.clone(), VariableFacts { is_reference, ..self.facts }));
        visit::visit_pat_ident(self, pattern);
    }

    // `let &client = &clients[0];` declares a copy of what the reference refers to.
    fn visit_pat_reference(&mut self, pattern: &'ast PatReference) {
        let facts = self.facts;
        self.facts.is_reference = false;
        visit::visit_pat_reference(self, pattern);
        self.facts = facts;
    }

    // Expressions inside a pattern (guards, range bounds) declare no variables.
    fn visit_expr(&mut self, _: &'ast Expr) {}
}
