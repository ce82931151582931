//! Implementation detail of the [`xray-sdk`](https://docs.rs/xray-sdk) crate: the rewrite behind its attributes. This
//! crate has no stable interface.
//!
//! A crate of procedural macros exports only macros. So the rewrite is in this crate, where other programs can call it,
//! and `xray-macros` declares the attributes.

mod arguments;
mod attributes;
mod body;
mod call_variable;
mod calls;
mod candidate;
mod captures;
mod client_paths;
mod combinators;
mod conditions;
mod divergence;
mod driver;
mod ends;
#[cfg(feature = "untraced")]
mod found;
mod head;
mod invisible_groups;
mod macros;
mod nesting;
mod options;
mod position;
mod receiver;
mod rewrite;
mod runtime_tables;
mod settlement;
mod spawn;
mod syntax;
#[cfg(test)]
mod tests;
mod traced;
mod traced_http;
#[cfg(feature = "untraced")]
mod untraced;
mod uses;
mod variables;

use proc_macro2::TokenStream;

#[cfg(feature = "untraced")]
pub use self::found::FoundCall;
pub use self::runtime_tables::{for_each_client, for_each_method};
#[cfg(feature = "untraced")]
pub use self::untraced::{Attribute, Body, is_test, items_in, untraced};

use self::options::{TracedHttpOptions, TracedOptions};

/// Expands `#[traced_http(arguments)] item`.
#[must_use]
pub fn traced_http(arguments: TokenStream, item: TokenStream) -> TokenStream {
    driver::expand::<TracedHttpOptions>(arguments, item)
}

/// Expands `#[traced_http(arguments)] item` for a runtime with the feature `aws-sdk`. The expansion also traces
/// requests of the AWS SDK.
///
/// The expansion for other runtimes omits this code, so that it compiles faster.
#[must_use]
pub fn traced_http_with_aws_sdk(arguments: TokenStream, item: TokenStream) -> TokenStream {
    driver::expand_with(arguments, item, |options| TracedHttpOptions { traces_aws_sdk: true, ..options })
}

/// Expands `#[traced(arguments)] item`.
#[must_use]
pub fn traced(arguments: TokenStream, item: TokenStream) -> TokenStream {
    driver::expand::<TracedOptions>(arguments, item)
}
