//! An attribute with the name of `xray::traced_http` that returns its function unchanged, except for `#[xray(..)]`
//! marks, which it removes.
//!
//! `tests/it/shapes` loads each of its files twice, once with this attribute and once with the real one. So the plain
//! version of a function has the same tokens as the traced version.

use proc_macro::{Delimiter, Group, TokenStream, TokenTree};

/// Returns the item unchanged.
#[proc_macro_attribute]
pub fn traced_http(_arguments: TokenStream, item: TokenStream) -> TokenStream {
    without_ours(item)
}

fn without_ours(tokens: TokenStream) -> TokenStream {
    let mut tokens = tokens.into_iter().peekable();
    let mut output = TokenStream::new();
    while let Some(token) = tokens.next() {
        if matches!(&token, TokenTree::Punct(mark) if mark.as_char() == '#') && tokens.next_if(is_ours).is_some() {
            continue;
        }
        output.extend([match token {
            // The compiler ignores the invisible groups in a group that is made anew, so the others are returned as
            // they are.
            TokenTree::Group(group) if is_changed(group.stream()) => {
                let mut inner = Group::new(group.delimiter(), without_ours(group.stream()));
                inner.set_span(group.span());
                TokenTree::Group(inner)
            }
            other => other,
        }]);
    }
    output
}

/// Returns whether an attribute is removed from a group with these tokens.
fn is_changed(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match &token {
        TokenTree::Group(group) => is_ours(&token) || is_changed(group.stream()),
        _ => false,
    })
}

/// Returns whether a token is `[xray(..)]`.
fn is_ours(token: &TokenTree) -> bool {
    let TokenTree::Group(group) = token else { return false };
    group.delimiter() == Delimiter::Bracket
        && matches!(group.stream().into_iter().next(), Some(TokenTree::Ident(name)) if name.to_string() == "xray")
}
