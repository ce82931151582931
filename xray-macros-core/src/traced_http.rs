//! Implements `#[traced_http]`: records a subsegment for each HTTP call in a function.

use proc_macro2::TokenStream;
use syn::visit::{self, Visit};
use syn::{Block, Error, ExprMethodCall, Item, Path, Result, Signature, Stmt};

use crate::body;
use crate::calls;
use crate::client_paths;
use crate::driver::{AttributeMacro, Messages, Owner, Searched};
use crate::head;
use crate::options::TracedHttpOptions;

impl AttributeMacro for TracedHttpOptions {
    const MESSAGES: Messages = Messages {
        attribute: "traced_http",
        other: "traced",
        no_body: "this function has no body and makes no calls; put `#[traced_http]` on its implementation",
        no_function: "expected a function, an `impl` block or a module: put `#[traced_http]` on each `fn` that makes calls, \
            on its `impl` or on its `mod`",
        const_fn: "a `const fn` cannot make HTTP calls; remove `const`",
    };

    // An attribute on an item without candidates is an error: the user expects its calls to be traced.
    const ACCEPTS_UNCHANGED_CONTAINERS: bool = false;

    fn nothing_to_trace(searched: Searched) -> String {
        match searched {
            Searched::All => format!(
                "no HTTP call found: expected {}, and not inside a macro whose arguments the attribute does not read; put \
                 `#[traced_http]` on the function that makes the calls",
                calls::EXAMPLES
            ),
            Searched::Generated => "no HTTP call found in this function, which another attribute has written: put \
                `#[traced_http]` above that attribute, which then sees the code that you wrote"
                .to_owned(),
            Searched::Remaining => "no HTTP call found outside the functions that have `#[traced_http]` or \
                `#[xray(skip)]` themselves; remove this attribute"
                .to_owned(),
        }
    }

    fn advice(block: &Block) -> Option<&'static str> {
        let mut search = GetSearch { found: false };
        search.visit_block(block);
        search.found.then_some(
            "; `.get(uri)` is found only on a variable or field whose name ends in `client`, because every map has a \
             method `get`",
        )
    }

    fn parse(arguments: TokenStream) -> Result<Self> {
        Self::parse(arguments)
    }

    fn is_applied(block: &Block) -> bool {
        block
            .stmts
            .iter()
            .any(|statement| matches!(statement, Stmt::Item(Item::Static(of)) if of.ident == "__XRAY_CALL_SITES"))
    }

    /// Rewrites the calls of the function.
    fn apply(
        &self,
        signature: &Signature,
        block: &mut Block,
        owner: Owner,
        attributes: &[syn::Attribute],
    ) -> Result<bool> {
        // The checks come first: they read the paths as the user wrote them.
        let checks = client_paths::checks(signature, block, self);
        let found = body::rewrite_calls(signature, block, self, attributes.iter().any(may_be_attribute_macro))?;
        let declarations = head::declarations(signature, self, &checks, found.has_candidate, &found.left_alone);
        block.stmts.splice(0..0, declarations);
        match found.unknown_macros.first() {
            Some(unknown) if !found.has_candidate && owner == Owner::Function => Err(unknown_macro_error(unknown)),
            _ => Ok(found.has_candidate),
        }
    }
}

/// Looks for a call of the form `value.get(uri)` on a receiver that is not named like a client.
struct GetSearch {
    found: bool,
}

impl<'ast> Visit<'ast> for GetSearch {
    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        self.found |= calls::may_be_unnamed_client(call);
        visit::visit_expr_method_call(self, call);
    }

    /// Nested items are functions of their own.
    fn visit_item(&mut self, _: &'ast Item) {}
}

/// Returns whether an attribute below this one may look at the rewritten function.
fn may_be_attribute_macro(attribute: &syn::Attribute) -> bool {
    const INERT: &[&str] = &[
        "allow",
        "cfg",
        "cold",
        "deny",
        "deprecated",
        "doc",
        "expect",
        "forbid",
        "inline",
        "must_use",
        "track_caller",
        "warn",
    ];
    !INERT.iter().any(|inert| attribute.path().is_ident(inert))
}

/// Returns the error for a function whose calls, if it has any, are in a macro that the attribute cannot read.
fn unknown_macro_error(unknown: &Path) -> Error {
    let name = unknown.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
    let message = format!(
        "no HTTP call found, and the attribute does not know what `{name}!` does with its arguments: if they are \
         expressions or statements with calls, put `#[xray(trace)]` on the macro call"
    );
    Error::new_spanned(unknown, message)
}
