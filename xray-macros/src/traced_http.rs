//! Implements `#[traced_http]`: records a subsegment for each HTTP call in a function.

use proc_macro2::TokenStream;
use syn::{Block, Result, Signature};

use crate::body;
use crate::calls;
use crate::client_paths;
use crate::driver::{Attribute, Owner, Wording};
use crate::head;
use crate::options::TracedHttpOptions;

impl Attribute for TracedHttpOptions {
    const WORDING: Wording = Wording {
        attribute: "traced_http",
        other: "traced",
        no_body: "this function has no body and makes no calls; put `#[traced_http]` on its implementation",
        no_function: "expected a function or an `impl` block: put `#[traced_http]` on each `fn` that makes calls, or on its `impl`",
        const_fn: "a `const fn` cannot make HTTP calls; remove `const`",
    };

    // An attribute on an item without candidates is an error: the user expects its calls to be traced.
    const ACCEPTS_ONLY_SKIPPED: bool = false;

    fn nothing_to_trace() -> String {
        format!(
            "no HTTP call found: expected {}, outside macros; put `#[traced_http]` on the function that makes the calls",
            calls::EXAMPLES
        )
    }

    fn parse(arguments: TokenStream) -> Result<Self> {
        Self::parse(arguments)
    }

    /// Rewrites the calls of the function. A function without a candidate is accepted if it contains a macro that the
    /// attribute cannot read, because the macro may contain a call (`tests.rs::wrong_items_are_rejected`).
    fn apply(&self, signature: &Signature, block: &mut Block, _: Owner) -> Result<bool> {
        // The checks come first: they read the paths as the user wrote them.
        let checks = client_paths::checks(signature, block, self);
        let found = body::rewrite_calls(signature, block, self)?;
        let declarations = head::declarations(signature, self, &checks, found.has_candidate);
        block.stmts.splice(0..0, declarations);
        Ok(found.has_candidate || found.has_unknown_macro)
    }
}
