//! THE table: which calls may be HTTP calls. A name is only a candidate; the type of the receiver decides.

use syn::ExprMethodCall;

/// A method that may perform an HTTP call.
struct Method {
    name: &'static str,
    /// How many arguments it takes.
    arguments: usize,
}

const METHODS: &[Method] = &[Method { name: "send", arguments: 0 }];

/// Whether a call is in the table.
pub(crate) fn is_candidate(call: &ExprMethodCall) -> bool {
    METHODS.iter().any(|method| call.method == method.name && call.args.len() == method.arguments)
}

/// The table for a message: `.send()`.
pub(crate) fn list() -> String {
    let calls: Vec<_> = METHODS.iter().map(|method| format!("`.{}()`", method.name)).collect();
    calls.join(", ")
}
