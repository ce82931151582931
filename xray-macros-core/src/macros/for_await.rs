//! The loops `for await item in stream { .. }` of the crate async-stream, which are not Rust syntax.

use proc_macro2::{Group, Ident, Punct, Spacing, TokenStream, TokenTree};

/// The name that replaces `await`.
const HIDDEN: &str = "__xray_await";

/// Returns whether tokens contain such a loop.
pub(super) fn is_in(tokens: &TokenStream) -> bool {
    let mut is_after_for = false;
    tokens.clone().into_iter().any(|token| {
        let is_loop = is_after_for && is_word(&token, "await");
        is_after_for = is_word(&token, "for");
        is_loop || matches!(token, TokenTree::Group(group) if is_in(&group.stream()))
    })
}

/// Replaces `for await` by syntax that `syn` can parse.
//
// Input:  for await Ok(item) in stream { .. }
// Output: for __xray_await @ Ok(item) in stream { .. }
pub(super) fn hide(tokens: TokenStream) -> TokenStream {
    let mut output = Vec::new();
    for token in tokens {
        let is_hidden = is_word(&token, "await") && output.last().is_some_and(|last| is_word(last, "for"));
        if is_hidden {
            output.push(Ident::new(HIDDEN, token.span()).into());
            output.push(Punct::new('@', Spacing::Alone).into());
        } else {
            output.push(in_groups(token, hide));
        }
    }
    output.into_iter().collect()
}

/// Restores what [`hide`] replaced.
pub(super) fn restore(tokens: TokenStream) -> TokenStream {
    let mut tokens = tokens.into_iter();
    let mut output = Vec::new();
    while let Some(token) = tokens.next() {
        if is_word(&token, HIDDEN) {
            output.push(Ident::new("await", token.span()).into());
            // The `@` after it.
            tokens.next();
        } else {
            output.push(in_groups(token, restore));
        }
    }
    output.into_iter().collect()
}

fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(name) if name == word)
}

/// Replaces the content of a token that is a group.
fn in_groups(token: TokenTree, replace: impl FnOnce(TokenStream) -> TokenStream) -> TokenTree {
    let TokenTree::Group(group) = token else { return token };
    let mut replaced = Group::new(group.delimiter(), replace(group.stream()));
    replaced.set_span(group.span());
    replaced.into()
}
