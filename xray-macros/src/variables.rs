//! What the declarations of a function's variables show of their types.
//!
//! Two questions matter. Is a variable a reference? A closure would then capture it differently once the variable is
//! named a second time. May its type still be open? Asked about an open type, the compiler would choose "request" and
//! force it.
//!
//! Syntax shows only some of it. What a rule here misses is a limit that the README names, with `#[xray(skip)]` as the
//! way out (`tests/shapes/limits.rs`).

use proc_macro2::Ident;
use syn::visit::{self, Visit};
use syn::{
    Block, Expr, ExprClosure, ExprForLoop, ExprPath, FnArg, Local, Pat, PatIdent, ReceiverKind, Signature, Type,
};

use crate::syntax::{peeled, tail, variable};

/// The variables in scope; the innermost is last.
#[derive(Default)]
pub(crate) struct Variables {
    declared: Vec<(Ident, Shown)>,
}

/// What a declaration shows of a variable's type.
#[derive(Clone, Copy, Default)]
pub(crate) struct Shown {
    /// Whether the variable is a reference.
    ///
    /// `|| counter.send()`, on a `counter: &mut Counter`, captures `*counter`. The question that the rewrite adds,
    /// `counter.__xray_ask()`, captures the variable: no such method takes a `&mut Counter`, so that the compiler makes
    /// a reference to `counter` itself. The closure then cannot outlive the variable. So references are left alone.
    /// `tests/shapes/closures.rs::escapes_exclusively`
    is_reference: bool,
    /// Whether a later use may settle the variable's type: `let id = text.parse()?; service.call(id)`.
    /// `tests/shapes/arguments.rs::inferred`
    may_be_open: bool,
}

impl Variables {
    /// Returns whether a variable is a reference, as far as its declaration shows.
    pub(crate) fn is_reference(&self, name: &Ident) -> bool {
        self.shown(name).is_reference
    }

    /// Returns whether a later use may settle a variable's type, as far as its declaration shows.
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

    /// Ends the scope of the variables that were declared after the first `length`.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.declared.truncate(length);
    }

    /// Declares the parameters of the function. Their types are written down, so that they are never open.
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

    /// Declares the parameters of a closure. If the closure is bound to a variable, its first call settles their types:
    /// `let mut show = |value| database.execute(value); show("text");`. A closure that is an argument has them from the
    /// function that takes it. `tests/shapes/inference.rs::closures_in_variables`
    pub(crate) fn declare_inputs(&mut self, closure: &ExprClosure, is_bound: bool) {
        let shown = Shown { is_reference: false, may_be_open: is_bound };
        closure.inputs.iter().for_each(|input| self.declare(input, shown));
    }

    /// Returns what a `let` shows of its variables.
    pub(crate) fn of_local(&self, local: &Local) -> Shown {
        // `let value;` says nothing; an assignment may follow. tests/shapes/inference.rs::declared_first
        let Some(init) = &local.init else { return Shown { is_reference: false, may_be_open: true } };
        Shown { is_reference: self.shows_reference(&init.expr), may_be_open: !self.is_settled(&init.expr) }
    }

    /// Notes an assignment of a value whose type is settled. `tests/shapes/inference.rs::conversions` traces `request`,
    /// which is declared first and assigned in one of two branches.
    pub(crate) fn settle(&mut self, assigned: &Expr) {
        let Expr::Path(path) = peeled(assigned) else { return };
        let Some(name) = variable(path) else { return };
        if let Some((_, shown)) = self.declared.iter_mut().rev().find(|(declared, _)| declared == name) {
            shown.may_be_open = false;
        }
    }

    /// Returns what a matched value shows of the variables in a pattern.
    pub(crate) fn of_matched(&self, matched: &Expr) -> Shown {
        Shown { is_reference: self.shows_reference(matched), may_be_open: false }
    }

    /// Returns whether the type of an argument is settled without the call that it stands in, as far as its syntax
    /// shows.
    ///
    /// The runtime asks whether the argument is a request. The answer for a type that is still open would be yes, since
    /// method lookup chooses the first rung that an open type might satisfy, and the code would no longer compile.
    pub(crate) fn is_settled(&self, expression: &Expr) -> bool {
        match peeled(expression) {
            // Capital letters are functions, constants and `None`: none is a request, and `None` is open.
            Expr::Path(path) => variable(path).is_some_and(|name| !self.may_be_open(name)),
            // The compiler demands the type of what stands before the dot.
            Expr::Field(_) | Expr::Struct(_) => true,
            Expr::Try(unpacked) => self.is_settled(&unpacked.expr),
            Expr::Await(awaited) => self.is_settled(&awaited.base),
            Expr::MethodCall(call) => {
                let name = call.method.to_string();
                if UNPACKING.contains(&name.as_str()) { self.is_settled(&call.receiver) } else { !is_conversion(&name) }
            }
            Expr::Call(call) => matches!(peeled(&call.func), Expr::Path(function) if gives_a_settled_type(function)),
            Expr::Tuple(tuple) => tuple.elems.iter().all(|element| self.is_settled(element)),
            // All branches have one type, which one settled branch settles.
            Expr::Block(block) => self.is_tail_settled(&block.block),
            Expr::If(conditional) => {
                let otherwise = conditional.else_branch.as_ref();
                self.is_tail_settled(&conditional.then_branch)
                    || otherwise.is_some_and(|(_, otherwise)| self.is_settled(otherwise))
            }
            Expr::Match(choice) => choice.arms.iter().any(|arm| self.is_settled(&arm.body)),
            // Closures, literals, references, arrays, async blocks and operators are no requests. Hooked, a closure
            // would lose its higher-ranked signature and an array its coercion to a slice.
            // tests/shapes/inference.rs::a_client_of_another_kind, tests/shapes/arguments.rs::inferred
            _ => false,
        }
    }

    fn is_tail_settled(&self, block: &Block) -> bool {
        tail(block).is_some_and(|tail| self.is_settled(tail))
    }

    /// Returns whether an expression is a reference, as far as its syntax shows. Matched with a pattern, a reference
    /// makes references: `tests/shapes/closures.rs::escapes_from_an_exclusive_pattern`, `escapes_from_a_match`
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

    /// Declares the variables of a `for` loop. `tests/shapes/closures.rs::escapes_from_a_loop`
    pub(crate) fn declare_loop(&mut self, for_loop: &ExprForLoop) {
        let is_reference = match peeled(&for_loop.expr) {
            // Items of a list of references are references to references: `__xray_ask(&self)` borrows the inner one for
            // as long as the list only. tests/shapes/closures.rs::escapes_from_a_list_of_references
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
/// `tests/shapes/arguments.rs::inferred`, `tests/shapes/inference.rs::conversions_behind_a_variable`
const CONVERSIONS: &[&str] = &["into", "try_into", "parse", "default", "collect", "json", "sum", "product"];
/// The beginnings of more such names: `from_str`, `decode_json`.
const CONVERSION_PREFIXES: &[&str] = &["from", "decode"];
/// Traits whose functions give what the caller asks for: `From::from(1_u8)`, `Clone::clone(&open)`. A function of a
/// type, such as `Request::from_parts(..)`, gives that type. `tests/shapes/inference.rs::functions_of_types`
const CONVERSION_TRAITS: &[&str] = &["Clone", "Default", "Deserialize", "From", "FromIterator", "FromStr", "TryFrom"];
/// Methods that only unpack what stands before them: `text.parse().unwrap()` is as open as `text.parse()`.
/// `tests/shapes/inference.rs::conversions_behind_a_variable`
const UNPACKING: &[&str] = &["unwrap", "expect", "unwrap_or_default", "unwrap_or_else", "map_err", "context", "ok"];

fn is_conversion(name: &str) -> bool {
    CONVERSIONS.contains(&name) || CONVERSION_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Returns whether the path of a function settles the type of its result: `Request::from_parts(..)` does,
/// `From::from(..)` and `Some(..)` do not.
fn gives_a_settled_type(function: &ExprPath) -> bool {
    let mut names = function.path.segments.iter().rev().map(|segment| segment.ident.to_string());
    let (Some(name), of) = (names.next(), names.next().unwrap_or_default()) else { return false };
    let is_of_a_type = of.starts_with(char::is_uppercase);
    !name.starts_with(char::is_uppercase)
        && !CONVERSION_TRAITS.contains(&of.as_str())
        && (is_of_a_type || !is_conversion(&name))
}

/// Methods that take a value out of an option, a result or an iterator, or put it into another. If what stands before
/// them holds references, so does their result: `map.get_mut(&1).unwrap()`, `counters.iter_mut().rev()`.
/// `tests/shapes/closures.rs::escapes_from_a_lookup`, `escapes_from_a_loop`
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

/// Returns whether a method gives an exclusive reference, by its name.
/// `tests/shapes/closures.rs::escapes_from_a_lookup`, `escapes_from_an_entry`
///
/// Shared references do no harm, because `__xray_ask(&self)` takes a `&Shared` as it is.
/// `tests/shapes/closures.rs::escapes_by_inference`
fn gives_exclusive_reference(method: &str) -> bool {
    method.ends_with("_mut")
        || ["or_default", "or_insert", "or_insert_with", "get_or_insert", "get_or_insert_with"].contains(&method)
}

struct Declaring<'a> {
    variables: &'a mut Variables,
    /// What the matched value shows of every variable of the pattern.
    shown: Shown,
}

impl<'ast> Visit<'ast> for Declaring<'_> {
    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        let is_reference = self.shown.is_reference || pattern.by_ref.is_some();
        self.variables.declared.push((pattern.ident.clone(), Shown { is_reference, ..self.shown }));
        visit::visit_pat_ident(self, pattern);
    }

    // A pattern holds expressions in guards and ranges, which declare nothing.
    fn visit_expr(&mut self, _: &'ast Expr) {}
}
