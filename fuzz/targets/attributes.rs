//! Any tokens as the arguments of an attribute and as its function: the result is Rust, if only a `compile_error!`.
//!
//! The first line of an input is the arguments, and the rest is the item.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use proc_macro2::{TokenStream, TokenTree};

/// rustc refuses source text that nests deeper. (Its default `recursion_limit`.)
const MAX_DEPTH: usize = 128;

fuzz_target!(|text: &str| -> Corpus {
    let Some((arguments, item)) = text.split_once('\n') else { return Corpus::Reject };
    let (Some(arguments), Some(item)) = (tokens(arguments), tokens(item)) else { return Corpus::Reject };
    for expand in [xray_macros_core::traced_http, xray_macros_core::traced_http_with_aws_sdk, xray_macros_core::traced]
    {
        let expansion = expand(arguments.clone(), item.clone());
        // Some items are no items of a file, such as a statement. The attribute refuses them with a `compile_error!`.
        if syn::parse2::<syn::Item>(item.clone()).is_ok() {
            assert!(syn::parse2::<syn::File>(expansion.clone()).is_ok(), "{expansion}");
        }
    }
    Corpus::Keep
});

fn tokens(text: &str) -> Option<TokenStream> {
    let depth = text.bytes().filter(|byte| matches!(byte, b'(' | b'[' | b'{')).count();
    // `str::parse` recurses into groups, so the text is judged before it is parsed.
    let tokens = (depth <= MAX_DEPTH).then(|| text.parse::<TokenStream>().ok())??;
    // An empty group without delimiters never reaches an attribute from source text.
    let is_source = |token: TokenTree| !matches!(token, TokenTree::Group(group) if group.delimiter() == proc_macro2::Delimiter::None);
    tokens.clone().into_iter().all(is_source).then_some(tokens)
}
