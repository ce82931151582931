//! Types of reqwest that a function names, checked to be of a version that the build traces.
//!
//! The macro cannot see features. For each such type it emits a constant that does nothing and compiles only
//! where the runtime knows the type; see `reqwest_version` there.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote_spanned};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Arm, Block, Expr, FieldValue, FnArg, Item, Local, Path, PathSegment, Signature, Stmt};

use crate::attributes::{attributes, is_conditional};
use crate::options::Options;

/// The checks for the types that a function names.
pub(crate) fn checks(signature: &Signature, block: &Block, options: &Options) -> Vec<Item> {
    let mut named = NamedTypes { options, paths: Vec::new() };
    named.visit_signature(signature);
    visit::visit_block(&mut named, block);
    named.paths.iter().map(|path| Item::Verbatim(check(path, &options.runtime))).collect()
}

/// A constant that calls a method which only reqwest's type has, and asks the runtime about its result.
fn check(path: &Path, runtime: &Path) -> TokenStream {
    let span = Span::mixed_site().located_at(path.span());
    let (kind, probe) = match path.segments[1].ident.to_string().as_str() {
        "Client" => (quote_spanned!(span=> fn() = ||), quote_spanned!(path.span()=> <#path>::builder())),
        "RequestBuilder" => {
            (quote_spanned!(span=> fn(#path) = |__xray_it|), quote_spanned!(span=> __xray_it.build_split()))
        }
        _ => (quote_spanned!(span=> fn(&#path) = |__xray_it|), quote_spanned!(span=> __xray_it.try_clone())),
    };
    quote_spanned! {span=>
        const _: #kind {
            #[allow(unused_imports)]
            use #runtime::__private::reqwest_version::Unrelated as _;
            #runtime::__private::reqwest_version::supported(#probe);
        };
    }
}

/// Finds `reqwest::Client`, `RequestBuilder` and `Request`, wherever they are sure to be compiled.
struct NamedTypes<'a> {
    options: &'a Options,
    paths: Vec<Path>,
}

impl NamedTypes<'_> {
    fn is_reqwest(&self, path: &Path) -> bool {
        let mut segments = path.segments.iter();
        let (Some(first), Some(second)) = (segments.next(), segments.next()) else { return false };
        let (first, arguments, second) = (first.ident.to_string(), &second.arguments, second.ident.to_string());
        // `reqwest`, or one of several versions under a name such as `reqwest_0_12`.
        let version = first.strip_prefix("reqwest");
        version.is_some_and(|version| version.chars().all(|character| "_v0123456789".contains(character)))
            && ["Client", "RequestBuilder", "Request"].contains(&second.as_str())
            // reqwest's own types have no parameters.
            && arguments.is_none()
            && !self.options.local.iter().any(|local| *local == first)
    }
}

impl<'ast> Visit<'ast> for NamedTypes<'_> {
    fn visit_path(&mut self, path: &'ast Path) {
        if self.is_reqwest(path) {
            let segments =
                path.segments.iter().take(2).map(|segment| PathSegment::from(segment.ident.clone())).collect();
            let named = Path { leading_colon: path.leading_colon, segments };
            let text = named.to_token_stream().to_string();
            if self.paths.iter().all(|path| path.to_token_stream().to_string() != text) {
                self.paths.push(named);
            }
        }
        visit::visit_path(self, path);
    }

    fn visit_fn_arg(&mut self, parameter: &'ast FnArg) {
        let attributes = match parameter {
            FnArg::Receiver(receiver) => &receiver.attrs,
            FnArg::Typed(typed) => &typed.attrs,
        };
        if !is_conditional(attributes) {
            visit::visit_fn_arg(self, parameter);
        }
    }

    /// Items in a block may give the name another meaning there than where the check stands.
    fn visit_block(&mut self, block: &'ast Block) {
        if !block.stmts.iter().any(|statement| matches!(statement, Stmt::Item(_))) {
            visit::visit_block(self, block);
        }
    }

    fn visit_local(&mut self, local: &'ast Local) {
        if !is_conditional(&local.attrs) {
            visit::visit_local(self, local);
        }
    }

    fn visit_expr(&mut self, expression: &'ast Expr) {
        if !is_conditional(attributes(expression)) {
            visit::visit_expr(self, expression);
        }
    }

    fn visit_arm(&mut self, arm: &'ast Arm) {
        if !is_conditional(&arm.attrs) {
            visit::visit_arm(self, arm);
        }
    }

    fn visit_field_value(&mut self, field: &'ast FieldValue) {
        if !is_conditional(&field.attrs) {
            visit::visit_field_value(self, field);
        }
    }

    /// Another function is not this one.
    fn visit_item(&mut self, _: &'ast Item) {}
}
