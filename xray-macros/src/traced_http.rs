//! `#[traced_http]`: a subsegment around each HTTP call in a function.

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
        no_body: "a function without a body makes no calls; annotate one with a body",
        no_function: "expected a function: `#[traced_http]` stands on each `fn` that makes calls, or on an `impl`",
        const_fn: "a `const fn` cannot make HTTP calls; remove `const`",
    };

    // An attribute that traces nothing is a mistake: the user believes that the calls are traced.
    const ACCEPTS_ONLY_SKIPPED: bool = false;

    fn nothing_to_trace() -> String {
        format!(
            "no HTTP call in here: looked for {}, and not inside macros; annotate the function that calls",
            calls::EXAMPLES
        )
    }

    fn parse(arguments: TokenStream) -> Result<Self> {
        Self::parse(arguments)
    }

    /// Rewrites the calls of the function. A function is accepted without a candidate if it holds a macro that the
    /// attribute cannot read, because a call may stand in there (`tests.rs::wrong_items_are_rejected`).
    fn apply(&self, signature: &Signature, block: &mut Block, _: Owner) -> Result<bool> {
        // The checks come first: they read the paths as the user wrote them.
        let checks = client_paths::checks(signature, block, self);
        let found = body::rewrite_calls(signature, block, self)?;
        let declarations = head::declarations(signature, self, &checks, found.has_candidate);
        block.stmts.splice(0..0, declarations);
        Ok(found.has_candidate || found.has_unknown_macro)
    }
}
