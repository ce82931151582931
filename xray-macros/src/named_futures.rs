//! Detects functions that name the type of a future.
//!
//! A traced call returns a future of another type than the client's. If the function names the type of the client's
//! future, as `fn call(..) -> ResponseFuture { self.client.request(request) }` does, the traced call would be a type
//! error. So in such a function calls are left unchanged, except for calls that are awaited directly.

use syn::visit::{self, Visit};
use syn::{Block, ExprPath, ExprStruct, Ident, ReturnType, Signature, Type, TypePath};

use crate::syntax::{is_boxed, tail};

/// Names that end in `Future` and accept a future of any type: traits, and boxes of trait objects.
/// `tests/it/shapes/named_futures.rs::returned_in_a_box`
const NO_NAMES: &[&str] = &["Future", "IntoFuture", "TryFuture", "BoxFuture", "LocalBoxFuture"];

/// Returns whether a function names a future in its result or in its body: `ResponseFuture`, `S::Future`,
/// `CountsFuture { .. }`.
///
/// The counterexamples are in `tests/it/shapes/named_futures.rs`: `returned` and `Passes` (`Self::Future`) name one in
/// their result, `in_variables` and `in_closures` in a type, `Keeps` in the constructor of a wrapper, and `Sends`
/// polls.
pub(crate) fn names_a_future(signature: &Signature, block: &Block) -> bool {
    let mut search = Search { found: polls(signature) };
    // The return type of an `async fn` is the future's output. If the function returns a boxed future, `Self::Future` is
    // a box, which accepts any future: tests/it/shapes/named_futures.rs::Boxes.
    if signature.asyncness.is_none() && !tail(block).is_some_and(is_boxed) {
        search.visit_return_type(&signature.output);
    }
    search.visit_block(block);
    search.found
}

/// Returns whether a function returns `Poll<..>`. Such a function keeps futures in fields, and the definition of the
/// struct names their types.
fn polls(signature: &Signature) -> bool {
    let ReturnType::Type(_, result) = &signature.output else { return false };
    matches!(&**result, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Poll"))
}

struct Search {
    found: bool,
}

impl Search {
    fn check_name(&mut self, name: &Ident) {
        let name = name.to_string();
        self.found |= name.ends_with("Future") && !NO_NAMES.contains(&name.as_str());
    }
}

impl<'ast> Visit<'ast> for Search {
    /// Visits types only: the trait in `impl Future<..>` is a path, but not a type path.
    fn visit_type_path(&mut self, path: &'ast TypePath) {
        if let Some(last) = path.path.segments.last() {
            self.check_name(&last.ident);
            // `S::Future` names a future, although `Future` alone is the trait.
            let is_associated = path.qself.is_some() || path.path.segments.len() > 1;
            self.found |= is_associated && last.ident == "Future";
        }
        visit::visit_type_path(self, path);
    }

    /// Visits `CountsFuture::new(..)`, whose argument may be the client's future.
    /// `tests/it/shapes/named_futures.rs::Keeps`
    fn visit_expr_path(&mut self, path: &'ast ExprPath) {
        path.path.segments.iter().for_each(|segment| self.check_name(&segment.ident));
        visit::visit_expr_path(self, path);
    }

    /// Visits `CountsFuture { .. }`, whose field may be the client's future. `tests/it/shapes/named_futures.rs::Keeps`
    fn visit_expr_struct(&mut self, made: &'ast ExprStruct) {
        made.path.segments.iter().for_each(|segment| self.check_name(&segment.ident));
        visit::visit_expr_struct(self, made);
    }
}
