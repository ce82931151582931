//! Tracks what the declarations of local variables reveal about their types.
//!
//! The rewrite depends on two facts about a variable:
//!
//! * Whether it is a reference. If so, naming it a second time would change how a closure captures it.
//! * Whether its type is *inferred*, that is, known without the call to rewrite. If not, method lookup in the type test
//!   would select the implementation for requests, and the variable would have to be a request.
//!
//! Syntax reveals only a part of this. The cases that these rules miss are listed in `docs/limits.md` and tested in
//! `tests/it/shapes/limits.rs`; `#[xray(skip)]` works around them.

use proc_macro2::Ident;
use syn::visit::{self, Visit};
use syn::{
    Block, Expr, ExprClosure, ExprForLoop, ExprPath, FnArg, Local, Pat, PatIdent, ReceiverKind, Signature, Type,
};

use crate::syntax::{peeled, tail, variable};

/// The variables in scope; the innermost is last.
#[derive(Default)]
pub(crate) struct Variables {
    declared: Vec<(Ident, TypeHint)>,
}

/// Facts about a variable's type that its declaration shows.
#[derive(Clone, Copy, Default)]
pub(crate) struct TypeHint {
    /// Whether the variable is a reference.
    ///
    /// With `counter: &mut Counter`, the closure `|| counter.send()` captures `*counter`. The type test of the rewrite,
    /// `counter.__xray_dispatch(site)`, would capture the variable: no `__xray_dispatch` takes a `&mut Counter`, so the
    /// compiler borrows `counter` itself. The closure then could not outlive the variable. So calls on a variable that
    /// is a reference are left unchanged. `tests/it/shapes/closures.rs::escapes_exclusively`
    is_reference: bool,
    /// Whether a later use may determine the variable's type: `let id = text.parse()?; service.call(id)`.
    /// `tests/it/shapes/arguments.rs::inferred`
    may_be_uninferred: bool,
}

impl Variables {
    /// Returns whether a variable is a reference, judged by its declaration.
    pub(crate) fn is_reference(&self, name: &Ident) -> bool {
        self.hint(name).is_reference
    }

    /// Returns whether a later use may determine a variable's type, judged by its declaration.
    pub(crate) fn may_be_uninferred(&self, name: &Ident) -> bool {
        self.hint(name).may_be_uninferred
    }

    fn hint(&self, name: &Ident) -> TypeHint {
        let innermost = self.declared.iter().rev().find(|(declared, _)| declared == name);
        innermost.map(|(_, hint)| *hint).unwrap_or_default()
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
                        .push((receiver.self_token.into(), TypeHint { is_reference, may_be_uninferred: false }));
                }
                FnArg::Typed(parameter) => {
                    let is_reference = matches!(*parameter.ty, Type::Reference(_));
                    self.declare_pattern(&parameter.pat, TypeHint { is_reference, may_be_uninferred: false });
                }
            }
        }
    }

    /// Declares the parameters of a closure. If the closure is bound to a variable, its first call determines their
    /// types: `let mut show = |value| database.execute(value); show("text");`. A closure passed as an argument takes its
    /// parameter types from the callee. `tests/it/shapes/inference.rs::closures_in_variables`
    pub(crate) fn declare_closure_parameters(&mut self, closure: &ExprClosure, is_bound: bool) {
        let hint = TypeHint { is_reference: false, may_be_uninferred: is_bound };
        closure.inputs.iter().for_each(|input| self.declare_pattern(input, hint));
    }

    /// Returns what is known about the variables of a `let` from its initializer.
    pub(crate) fn hint_of_local(&self, local: &Local) -> TypeHint {
        // `let value;` declares no type; a later assignment may determine it.
        // tests/it/shapes/inference.rs::declared_first
        let Some(init) = &local.init else { return TypeHint { is_reference: false, may_be_uninferred: true } };
        TypeHint {
            is_reference: self.is_reference_expression(&init.expr),
            may_be_uninferred: !self.is_inferred(&init.expr),
        }
    }

    /// Marks the type of the variable `assigned` as inferred, because a value of an inferred type is assigned to it.
    /// `tests/it/shapes/inference.rs::conversions` traces `request`, which is declared without a value and assigned in
    /// one of two branches.
    pub(crate) fn mark_inferred(&mut self, assigned: &Expr) {
        let Expr::Path(path) = peeled(assigned) else { return };
        let Some(name) = variable(path) else { return };
        if let Some((_, hint)) = self.declared.iter_mut().rev().find(|(declared, _)| declared == name) {
            hint.may_be_uninferred = false;
        }
    }

    /// Returns what is known about the variables of a pattern from the matched expression.
    pub(crate) fn hint_of_matched(&self, matched: &Expr) -> TypeHint {
        TypeHint { is_reference: self.is_reference_expression(matched), may_be_uninferred: false }
    }

    /// Returns whether the type of an argument can be inferred without the enclosing call, judged by syntax.
    ///
    /// The expansion tests whether the type of the argument is a request. For a type that is not inferred yet, method
    /// lookup would select the implementation for requests, and the user's code would no longer compile.
    pub(crate) fn is_inferred(&self, expression: &Expr) -> bool {
        match peeled(expression) {
            // Only a variable can be a request. A path that starts with a capital letter is a constant, a constructor or
            // `None`, and a path such as `module::value` is a function or constant.
            Expr::Path(path) => variable(path).is_some_and(|name| !self.may_be_uninferred(name)),
            // A field access requires the type of its base to be known, and a struct literal names its type.
            Expr::Field(_) | Expr::Struct(_) => true,
            Expr::Try(unpacked) => self.is_inferred(&unpacked.expr),
            Expr::Await(awaited) => self.is_inferred(&awaited.base),
            Expr::MethodCall(call) => {
                let name = call.method.to_string();
                if UNPACKING.contains(&name.as_str()) {
                    self.is_inferred(&call.receiver)
                } else {
                    !is_conversion(&name)
                }
            }
            Expr::Call(call) => matches!(peeled(&call.func), Expr::Path(function) if has_declared_result(function)),
            Expr::Tuple(tuple) => tuple.elems.iter().all(|element| self.is_inferred(element)),
            // All branches have the same type, so it is enough if the type of one branch is known.
            Expr::Block(block) => self.is_tail_inferred(&block.block),
            Expr::If(conditional) => {
                let otherwise = conditional.else_branch.as_ref();
                self.is_tail_inferred(&conditional.then_branch)
                    || otherwise.is_some_and(|(_, otherwise)| self.is_inferred(otherwise))
            }
            Expr::Match(choice) => choice.arms.iter().any(|arm| self.is_inferred(&arm.body)),
            // Closures, literals, references, arrays, async blocks and operators are never requests. Passing a closure
            // through `inspect` would lose its higher-ranked signature; passing an array reference would prevent its
            // coercion to a slice.
            // tests/it/shapes/inference.rs::a_client_of_another_kind, tests/it/shapes/arguments.rs::inferred
            _ => false,
        }
    }

    fn is_tail_inferred(&self, block: &Block) -> bool {
        tail(block).is_some_and(|tail| self.is_inferred(tail))
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
            }
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
        self.declare_pattern(&for_loop.pat, TypeHint { is_reference, may_be_uninferred: false });
    }

    /// Declares the variables of a pattern.
    pub(crate) fn declare_pattern(&mut self, pattern: &Pat, mut hint: TypeHint) {
        if let Pat::Type(typed) = pattern {
            hint.is_reference |= matches!(*typed.ty, Type::Reference(_));
            hint.may_be_uninferred = false;
        }
        Declaring { variables: self, hint }.visit_pat(pattern);
    }
}

/// Methods and functions whose return type is determined by the caller.
/// `tests/it/shapes/arguments.rs::inferred`, `tests/it/shapes/inference.rs::conversions_behind_a_variable`
const CONVERSIONS: &[&str] = &["into", "try_into", "parse", "default", "collect", "json", "sum", "product"];
/// Prefixes of further methods and functions of this kind: `from_str`, `decode_json`.
const CONVERSION_PREFIXES: &[&str] = &["from", "decode"];
/// Traits whose functions return a type determined by the caller: `From::from(1_u8)`, `Clone::clone(&parsed)`. A
/// function of a type, such as `Request::from_parts(..)`, returns that type.
/// `tests/it/shapes/inference.rs::functions_of_types`
const CONVERSION_TRAITS: &[&str] = &["Clone", "Default", "Deserialize", "From", "FromIterator", "FromStr", "TryFrom"];
/// Methods whose result type follows from the type of the receiver: if the type of `text.parse()` is not inferred, that
/// of `text.parse().unwrap()` is not inferred either.
/// `tests/it/shapes/inference.rs::conversions_behind_a_variable`
const UNPACKING: &[&str] = &["unwrap", "expect", "unwrap_or_default", "unwrap_or_else", "map_err", "context", "ok"];

fn is_conversion(name: &str) -> bool {
    CONVERSIONS.contains(&name) || CONVERSION_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Returns whether the path of a function determines the type of its result: `Request::from_parts(..)` does,
/// `From::from(..)` and `Some(..)` do not.
fn has_declared_result(function: &ExprPath) -> bool {
    let mut names = function.path.segments.iter().rev().map(|segment| segment.ident.to_string());
    let (Some(name), of) = (names.next(), names.next().unwrap_or_default()) else { return false };
    let is_of_a_type = of.starts_with(char::is_uppercase);
    !name.starts_with(char::is_uppercase)
        && !CONVERSION_TRAITS.contains(&of.as_str())
        && (is_of_a_type || !is_conversion(&name))
}

/// Methods of `Option`, `Result` and `Iterator` that return references, or iterators over references, if their receiver
/// holds references: `map.get_mut(&1).unwrap()`, `counters.iter_mut().rev()`.
/// `tests/it/shapes/closures.rs::escapes_from_a_lookup`, `escapes_from_a_loop`
const ADAPTERS: &[&str] = &[
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
    hint: TypeHint,
}

impl<'ast> Visit<'ast> for Declaring<'_> {
    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        let is_reference = self.hint.is_reference || pattern.by_ref.is_some();
        self.variables.declared.push((pattern.ident.clone(), TypeHint { is_reference, ..self.hint }));
        visit::visit_pat_ident(self, pattern);
    }

    // Expressions inside a pattern (guards, range bounds) declare no variables.
    fn visit_expr(&mut self, _: &'ast Expr) {}
}
