//! Whether a function names a future by its type.
//!
//! A traced future has a type of its own. If the function returns, keeps or declares the client's future under its
//! name, as `fn call(..) -> ResponseFuture { self.client.request(request) }` does, the traced one would be a type
//! error. Calls whose future may be the named one are left alone; a call that is awaited on the spot never is.

use syn::visit::{self, Visit};
use syn::{Block, ExprPath, ExprStruct, Ident, ReturnType, Signature, Type, TypePath};

use crate::syntax::{is_boxed, tail};

/// Names that end in `Future` and fit a future of any type: traits, and boxes of trait objects.
/// `tests/shapes/named_futures.rs::returned_in_a_box`
const NO_NAMES: &[&str] = &["Future", "IntoFuture", "TryFuture", "BoxFuture", "LocalBoxFuture"];

/// Returns whether a function names a future in its result or in its body: `ResponseFuture`, `S::Future`,
/// `CountsFuture { .. }`.
///
/// The counterexamples are in `tests/shapes/named_futures.rs`: `returned` and `Passes` (`Self::Future`) name one in
/// their result, `in_variables` and `in_closures` in a type, `Keeps` in the constructor of a wrapper, and `Sends`
/// polls.
pub(crate) fn names_a_future(signature: &Signature, block: &Block) -> bool {
    let mut search = Search { found: polls(signature) };
    // The result of an `async fn` is the future's output. A boxed future is what `Self::Future` then stands for, and
    // the box takes any: tests/shapes/named_futures.rs::Boxes.
    if signature.asyncness.is_none() && !tail(block).is_some_and(is_boxed) {
        search.visit_return_type(&signature.output);
    }
    search.visit_block(block);
    search.found
}

/// Returns whether a function returns `Poll<..>`. Such a function keeps futures in fields, whose types have names that
/// stand elsewhere.
fn polls(signature: &Signature) -> bool {
    let ReturnType::Type(_, result) = &signature.output else { return false };
    matches!(&**result, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Poll"))
}

struct Search {
    found: bool,
}

impl Search {
    fn look_at(&mut self, name: &Ident) {
        let name = name.to_string();
        self.found |= name.ends_with("Future") && !NO_NAMES.contains(&name.as_str());
    }
}

impl<'ast> Visit<'ast> for Search {
    /// Visits types only: the trait in `impl Future<..>` is a path, but no type path.
    fn visit_type_path(&mut self, path: &'ast TypePath) {
        if let Some(last) = path.path.segments.last() {
            self.look_at(&last.ident);
            // `S::Future` names a future, although `Future` alone is the trait.
            let is_associated = path.qself.is_some() || path.path.segments.len() > 1;
            self.found |= is_associated && last.ident == "Future";
        }
        visit::visit_type_path(self, path);
    }

    /// Visits `CountsFuture::new(..)`, whose argument may be the client's future.
    /// `tests/shapes/named_futures.rs::Keeps`
    fn visit_expr_path(&mut self, path: &'ast ExprPath) {
        path.path.segments.iter().for_each(|segment| self.look_at(&segment.ident));
        visit::visit_expr_path(self, path);
    }

    /// Visits `CountsFuture { .. }`, whose field may be the client's future. `tests/shapes/named_futures.rs::Keeps`
    fn visit_expr_struct(&mut self, made: &'ast ExprStruct) {
        made.path.segments.iter().for_each(|segment| self.look_at(&segment.ident));
        visit::visit_expr_struct(self, made);
    }
}
