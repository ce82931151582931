//! What the declarations of a function's variables show.

use proc_macro2::Ident;
use syn::visit::{self, Visit};
use syn::{
    Block, Expr, ExprClosure, ExprForLoop, ExprPath, FnArg, Local, Pat, PatIdent, ReceiverKind, Signature, Stmt, Type,
};

use crate::receiver::{peeled, variable};

/// The variables in scope; the innermost is last.
#[derive(Default)]
pub(crate) struct Variables {
    declared: Vec<(Ident, Shown)>,
}

/// What a declaration shows of a variable's type.
#[derive(Clone, Copy, Default)]
pub(crate) struct Shown {
    /// It is a reference. A closure captures a reference that it reads as the reference, and one on which it
    /// calls a method as what is behind it. Naming such a variable once more could make a closure borrow the
    /// variable, so it is left alone.
    is_reference: bool,
    /// It may be left to a later use.
    may_be_open: bool,
}

impl Variables {
    /// Whether the variable is a reference, as far as its declaration shows.
    pub(crate) fn is_reference(&self, name: &Ident) -> bool {
        self.shown(name).is_reference
    }

    /// Whether the variable's type may be left to a later use, as far as its declaration shows.
    pub(crate) fn may_be_open(&self, name: &Ident) -> bool {
        self.shown(name).may_be_open
    }

    fn shown(&self, name: &Ident) -> Shown {
        let innermost = self.declared.iter().rev().find(|(declared, _)| declared == name);
        innermost.map(|(_, shown)| *shown).unwrap_or_default()
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
                    self.declared.push((receiver.self_token.into(), Shown { is_reference, may_be_open: false }));
                }
                FnArg::Typed(parameter) => {
                    let is_reference = matches!(*parameter.ty, Type::Reference(_));
                    self.declare(&parameter.pat, Shown { is_reference, may_be_open: false });
                }
            }
        }
    }

    /// Declares the parameters of a closure. One that is given to a variable may be told of their types by its first
    /// call; of another one, what takes it says them.
    pub(crate) fn declare_inputs(&mut self, closure: &ExprClosure, is_bound: bool) {
        let shown = Shown { is_reference: false, may_be_open: is_bound };
        closure.inputs.iter().for_each(|input| self.declare(input, shown));
    }

    /// What is declared by a `let` with this value.
    pub(crate) fn of_local(&self, local: &Local) -> Shown {
        let Some(init) = &local.init else { return Shown { is_reference: false, may_be_open: true } };
        Shown { is_reference: self.shows_reference(&init.expr), may_be_open: !self.is_settled(&init.expr) }
    }

    /// Notes that a variable is given a value whose type is settled.
    pub(crate) fn settle(&mut self, assigned: &Expr) {
        let Expr::Path(path) = peeled(assigned) else { return };
        let Some(name) = variable(path) else { return };
        if let Some((_, shown)) = self.declared.iter_mut().rev().find(|(declared, _)| declared == name) {
            shown.may_be_open = false;
        }
    }

    /// What is declared by a pattern for this value.
    pub(crate) fn of_matched(&self, matched: &Expr) -> Shown {
        Shown { is_reference: self.shows_reference(matched), may_be_open: false }
    }

    /// Whether the type of an expression is settled without the call in which it stands, as far as it shows.
    ///
    /// The runtime looks at an argument to see whether it is a request. Looked at while its type is still open, it
    /// would be taken for one.
    pub(crate) fn is_settled(&self, expression: &Expr) -> bool {
        match peeled(expression) {
            Expr::Path(path) => variable(path).is_some_and(|name| !self.may_be_open(name)),
            Expr::Field(_) | Expr::Struct(_) => true,
            Expr::Try(unpacked) => self.is_settled(&unpacked.expr),
            Expr::Await(awaited) => self.is_settled(&awaited.base),
            Expr::MethodCall(call) => {
                let name = call.method.to_string();
                if UNPACKING.contains(&name.as_str()) { self.is_settled(&call.receiver) } else { !is_conversion(&name) }
            }
            Expr::Call(call) => matches!(peeled(&call.func), Expr::Path(function) if gives_a_settled_type(function)),
            Expr::Tuple(tuple) => tuple.elems.iter().all(|element| self.is_settled(element)),
            // Branches have one type: where it is settled in one, it is in all.
            Expr::Block(block) => self.is_tail_settled(&block.block),
            Expr::If(conditional) => {
                let otherwise = conditional.else_branch.as_ref();
                self.is_tail_settled(&conditional.then_branch)
                    || otherwise.is_some_and(|(_, otherwise)| self.is_settled(otherwise))
            }
            Expr::Match(choice) => choice.arms.iter().any(|arm| self.is_settled(&arm.body)),
            _ => false,
        }
    }

    fn is_tail_settled(&self, block: &Block) -> bool {
        matches!(block.stmts.last(), Some(Stmt::Expr(tail, None)) if self.is_settled(tail))
    }

    /// Whether an expression gives a reference, as far as it shows: bound to a pattern it makes references.
    pub(crate) fn shows_reference(&self, expression: &Expr) -> bool {
        match peeled(expression) {
            Expr::Reference(_) => true,
            Expr::Path(path) => path.path.get_ident().is_some_and(|name| self.is_reference(name)),
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
        let is_reference = match peeled(&for_loop.expr) {
            Expr::MethodCall(call) if call.method == "iter" => true,
            iterator => self.shows_reference(iterator),
        };
        self.declare(&for_loop.pat, Shown { is_reference, may_be_open: false });
    }

    /// Declares the variables of a pattern.
    pub(crate) fn declare(&mut self, pattern: &Pat, mut shown: Shown) {
        if let Pat::Type(typed) = pattern {
            shown.is_reference |= matches!(*typed.ty, Type::Reference(_));
            shown.may_be_open = false;
        }
        Declaring { variables: self, shown }.visit_pat(pattern);
    }
}

/// Methods and functions whose result has the type that the caller asks for.
const CONVERSIONS: &[&str] = &["into", "try_into", "parse", "default", "collect", "json", "sum", "product"];
/// The same by the beginning of their names.
const CONVERSION_PREFIXES: &[&str] = &["from", "decode"];
/// Traits whose functions give what the caller asks for.
const CONVERSION_TRAITS: &[&str] = &["Clone", "Default", "Deserialize", "From", "FromIterator", "FromStr", "TryFrom"];
/// Methods that only unpack what stands before them.
const UNPACKING: &[&str] = &["unwrap", "expect", "unwrap_or_default", "unwrap_or_else", "map_err", "context", "ok"];

fn is_conversion(name: &str) -> bool {
    CONVERSIONS.contains(&name) || CONVERSION_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether a function says what it gives: `Request::from_parts(..)` does, `From::from(..)` does not, nor does `Some(..)`.
fn gives_a_settled_type(function: &ExprPath) -> bool {
    let mut names = function.path.segments.iter().rev().map(|segment| segment.ident.to_string());
    let (Some(name), of) = (names.next(), names.next().unwrap_or_default()) else { return false };
    let is_of_a_type = of.starts_with(char::is_uppercase);
    !name.starts_with(char::is_uppercase)
        && !CONVERSION_TRAITS.contains(&of.as_str())
        && (is_of_a_type || !is_conversion(&name))
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
    variables: &'a mut Variables,
    /// What holds for every variable of the pattern.
    shown: Shown,
}

impl<'ast> Visit<'ast> for Declaring<'_> {
    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        let is_reference = self.shown.is_reference || pattern.by_ref.is_some();
        self.variables.declared.push((pattern.ident.clone(), Shown { is_reference, ..self.shown }));
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_expr(&mut self, _: &'ast Expr) {}
}
