//! Whether a function names a future by its type. A traced future has another, so that a call of which the named one
//! may be the future is left alone.

use syn::visit::{self, Visit};
use syn::{Block, Expr, ExprPath, ExprStruct, Ident, Path, ReturnType, Signature, Stmt, Type, TypePath};

/// Traits, and boxes for a future of any type.
const NO_NAMES: &[&str] = &["Future", "IntoFuture", "TryFuture", "BoxFuture", "LocalBoxFuture"];

/// Whether a function names a future in its result or in its body: `ResponseFuture`, `S::Future`,
/// `CountsFuture { .. }`. One that polls keeps futures, and where it does their types have names.
pub(crate) fn names_a_future(signature: &Signature, block: &Block) -> bool {
    let mut search = Search { found: polls(signature) };
    if signature.asyncness.is_none() && !is_boxed(block) {
        search.visit_return_type(&signature.output);
    }
    search.visit_block(block);
    search.found
}

fn polls(signature: &Signature) -> bool {
    let ReturnType::Type(_, result) = &signature.output else { return false };
    matches!(&**result, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Poll"))
}

/// Whether a function puts what it returns into a box, which is then what `Self::Future` stands for.
fn is_boxed(block: &Block) -> bool {
    let Some(Stmt::Expr(tail, None)) = block.stmts.last() else { return false };
    match tail {
        Expr::Call(call) => matches!(&*call.func, Expr::Path(path) if ends_in(&path.path, ["Box", "pin"])),
        Expr::MethodCall(call) => call.method == "boxed" || call.method == "boxed_local",
        _ => false,
    }
}

fn ends_in(path: &Path, names: [&str; 2]) -> bool {
    let count = path.segments.len();
    count >= 2 && path.segments.iter().skip(count - 2).zip(names).all(|(segment, name)| segment.ident == name)
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
    /// A type; the path of a trait is none.
    fn visit_type_path(&mut self, path: &'ast TypePath) {
        if let Some(last) = path.path.segments.last() {
            self.look_at(&last.ident);
            let is_associated = path.qself.is_some() || path.path.segments.len() > 1;
            self.found |= is_associated && last.ident == "Future";
        }
        visit::visit_type_path(self, path);
    }

    fn visit_expr_path(&mut self, path: &'ast ExprPath) {
        path.path.segments.iter().for_each(|segment| self.look_at(&segment.ident));
        visit::visit_expr_path(self, path);
    }

    fn visit_expr_struct(&mut self, made: &'ast ExprStruct) {
        made.path.segments.iter().for_each(|segment| self.look_at(&segment.ident));
        visit::visit_expr_struct(self, made);
    }
}
