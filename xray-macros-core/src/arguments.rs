//! Decides from the syntax of an argument whether it may be a request, and how it can be used in two arms.

use quote::ToTokens as _;
use syn::visit::{self, Visit};
use syn::{Expr, ExprCall, Ident, Lit, UnOp};

use crate::syntax::{peeled, starts_upper_case, tail, text, variable};

/// The treatment of the argument of a call that appears in two arms of a `match`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ArgumentUse {
    /// The call has no argument, or the argument appears in both arms.
    Duplicated,
    /// The argument is evaluated before the arms.
    Hoisted,
}

/// Returns whether the argument of a call may be a request. Such an argument passes through the runtime's `inspect`.
///
/// Closures, literals, references, lists, async blocks and operators are never requests. In `inspect(argument)` a
/// closure would lose its higher-ranked signature, and a reference to an array would no longer be coerced to a slice.
/// `tests/it/shapes/inference.rs::a_client_of_another_kind`, `tests/it/shapes/arguments.rs::inferred`
pub(crate) fn can_pass_through(argument: &Expr) -> bool {
    match peeled(argument) {
        // A path that starts with a capital letter is a constant, a constructor or `None`, and a path such as
        // `module::value` is a function or a constant.
        Expr::Path(path) => variable(path).is_some(),
        Expr::Field(_) | Expr::Struct(_) | Expr::Try(_) | Expr::Await(_) | Expr::MethodCall(_) => true,
        Expr::Call(call) => is_function(call),
        // `*boxed` moves the request out of its box. tests/it/shapes/arguments.rs::moved_out_of_a_box
        Expr::Unary(unary) => matches!(unary.op, UnOp::Deref(_)) && can_pass_through(&unary.expr),
        Expr::Block(block) => tail(&block.block).is_some_and(can_pass_through),
        Expr::Unsafe(block) => tail(&block.block).is_some_and(can_pass_through),
        Expr::If(conditional) => tail(&conditional.then_branch).is_some_and(can_pass_through),
        Expr::Match(choice) => choice.arms.iter().any(|arm| can_pass_through(&arm.body)),
        _ => false,
    }
}

/// Returns whether the syntax of an argument says nothing about its value: a macro may expand to a closure or a list as
/// well as to a request.
pub(crate) fn has_unknown_value(argument: &Expr) -> bool {
    match peeled(argument) {
        Expr::Macro(_) | Expr::Loop(_) => true,
        Expr::Block(block) => tail(&block.block).is_some_and(has_unknown_value),
        Expr::Unsafe(block) => tail(&block.block).is_some_and(has_unknown_value),
        Expr::If(conditional) => tail(&conditional.then_branch).is_some_and(has_unknown_value),
        Expr::Match(choice) => choice.arms.iter().any(|arm| has_unknown_value(&arm.body)),
        _ => false,
    }
}

/// Returns whether a call is a call to a function and not to a constructor, whose name begins with a capital letter.
fn is_function(call: &ExprCall) -> bool {
    match peeled(&call.func) {
        Expr::Path(function) => function.path.segments.last().is_some_and(|last| !starts_upper_case(&last.ident)),
        _ => false,
    }
}

/// Returns how an argument can be used in both arms of the generated `match`, or `None` if it cannot.
pub(crate) fn in_two_arms(argument: &Expr) -> Option<ArgumentUse> {
    if can_be_duplicated(argument) {
        Some(ArgumentUse::Duplicated)
    } else {
        can_be_hoisted(argument).then_some(ArgumentUse::Hoisted)
    }
}

/// Returns whether an argument can be duplicated into both arms of the generated `match`: a variable, a field, a
/// literal other than an integer, a copy of one of these (`clone()`, `to_owned()`, `to_string()`), a reference to one,
/// or a tuple of them.
///
/// In the unreachable arm the parameter is generic, so the types of `|count| count as u8` and `None` could not be
/// inferred (`tests/it/shapes/bodies.rs::inferred`, `by_reference`).
fn can_be_duplicated(argument: &Expr) -> bool {
    match peeled(argument) {
        Expr::Path(path) => variable(path).is_some(),
        // In the unreachable arm, an integer would be an `i32`, which may be too small for it.
        // tests/it/shapes/evaluation.rs::integers
        Expr::Lit(literal) => !matches!(literal.lit, Lit::Int(_)),
        Expr::Field(field) => can_be_duplicated(&field.base),
        Expr::MethodCall(copy) => {
            let copies = ["clone", "to_owned", "to_string"].iter().any(|name| copy.method == name);
            copies && copy.args.is_empty() && is_place_or_literal(&copy.receiver)
        }
        Expr::Reference(reference) => is_place_or_literal(&reference.expr),
        Expr::Tuple(tuple) => !tuple.elems.is_empty() && tuple.elems.iter().all(can_be_duplicated),
        _ => false,
    }
}

fn is_place_or_literal(expression: &Expr) -> bool {
    matches!(peeled(expression), Expr::Path(_) | Expr::Field(_) | Expr::Lit(_)) && can_be_duplicated(expression)
}

/// Returns whether an argument can be evaluated before the generated `match`:
/// `match argument { __xray_argument => match .. }`.
///
/// Temporaries of a scrutinee live to the end of the statement, like temporaries of an argument
/// (`tests/it/shapes/bodies.rs::borrowed_bytes`). But a scrutinee has no expected type. A closure in a call to a
/// function and the value in a constructor would lose the type that the parameter gives them, as in
/// `Box::new(|count| count + 1)` and `Some(Box::new(1))`. `tests/it/shapes/bodies.rs::inferred`
fn can_be_hoisted(argument: &Expr) -> bool {
    let is_part = |part: &Expr| in_two_arms(part).is_some();
    // The parts of a list or a tuple have the types that the parameter names: `&[("user", &user)]` for
    // `&[(&str, &str)]`.
    let is_item = |item: &Expr| is_part(item) && !is_coerced(item);
    match peeled(argument) {
        Expr::MethodCall(_) | Expr::Lit(_) => true,
        Expr::Array(array) => array.elems.iter().all(is_item),
        // The path names the type except for its type parameters, which later code may determine.
        Expr::Struct(made) => made.rest.is_none() && made.fields.iter().all(|field| is_part(&field.expr)),
        Expr::Tuple(tuple) => !tuple.elems.is_empty() && tuple.elems.iter().all(is_item),
        Expr::Call(call) => is_function(call) && !call.args.iter().any(is_untyped),
        Expr::Try(tried) => can_be_hoisted(&tried.expr),
        Expr::Await(awaited) => can_be_hoisted(&awaited.base),
        Expr::Reference(reference) => match peeled(&reference.expr) {
            Expr::Index(index) => is_place_or_literal(&index.expr) || can_be_hoisted(&index.expr),
            inner => can_be_hoisted(inner),
        },
        Expr::Macro(call) => {
            let name = call.mac.path.segments.last();
            name.is_some_and(|name| ["json", "format"].iter().any(|known| name.ident == known))
        }
        _ => false,
    }
}

/// Returns whether an argument names the receiver of its call, a part of it, or a value that it is a part of.
///
/// A hoisted argument is evaluated before the receiver, and the receiver may be copied: `count.send(bump(&mut count))`.
/// A request is moved by its call, so the argument of an HTTP call cannot name the request.
/// `tests/it/shapes/evaluation.rs::changed_receivers`
pub(crate) fn names_receiver(argument: &Expr, receiver: &Expr) -> bool {
    struct Names {
        receiver: Vec<String>,
        found: bool,
    }
    impl<'ast> Visit<'ast> for Names {
        fn visit_expr(&mut self, expression: &'ast Expr) {
            match names_of_place(expression) {
                Some(names) => self.found |= names.iter().zip(&self.receiver).all(|(name, receiver)| name == receiver),
                None => visit::visit_expr(self, expression),
            }
        }
    }
    let mut names = Names { receiver: names_of_place(receiver).unwrap_or_default(), found: false };
    names.visit_expr(argument);
    names.found
}

/// Returns the variable and the fields that an expression names: `self`, `request` and `0` for `self.request.0`.
fn names_of_place(expression: &Expr) -> Option<Vec<String>> {
    match peeled(expression) {
        Expr::Path(path) => variable(path).map(|name| vec![text(name)]),
        Expr::Field(field) => {
            let mut names = names_of_place(&field.base)?;
            names.push(field.member.to_token_stream().to_string());
            Some(names)
        }
        _ => None,
    }
}

/// Returns whether an expression is often coerced to another type: a reference, or a pointer such as `Box::new(value)`.
/// `tests/it/shapes/hoisted.rs::coerced_parts`
fn is_coerced(expression: &Expr) -> bool {
    match peeled(expression) {
        Expr::Reference(_) => true,
        Expr::Call(call) => match peeled(&call.func) {
            Expr::Path(function) => {
                let is_pointer = |name: &Ident| ["Box", "Rc", "Arc"].iter().any(|pointer| name == pointer);
                function.path.segments.iter().any(|segment| is_pointer(&segment.ident))
            }
            _ => false,
        },
        Expr::Tuple(tuple) => tuple.elems.iter().any(is_coerced),
        _ => false,
    }
}

/// Returns whether the type of an expression may depend on its context: a closure, a constructor, `None`.
fn is_untyped(expression: &Expr) -> bool {
    match peeled(expression) {
        Expr::Closure(_) => true,
        Expr::Path(path) => variable(path).is_none(),
        Expr::Call(call) => !is_function(call) || call.args.iter().any(is_untyped),
        _ => false,
    }
}
