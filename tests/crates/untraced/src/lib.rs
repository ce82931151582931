//! The attribute that is not there: the same name as the real one, and the function comes out as it went in, but
//! for `#[xray(..)]`, which only the real one knows.
//!
//! `tests/shapes.rs` loads each of its files twice, once with this attribute in scope and once with the real
//! one, so that the plain version of a function is the same source, token for token.

use proc_macro::{Delimiter, Group, TokenStream, TokenTree};

/// Gives the item back.
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
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), without_ours(group.stream()));
                inner.set_span(group.span());
                TokenTree::Group(inner)
            }
            other => other,
        }]);
    }
    output
}

/// Whether a token is `[xray(..)]`.
fn is_ours(token: &TokenTree) -> bool {
    let TokenTree::Group(group) = token else { return false };
    group.delimiter() == Delimiter::Bracket
        && matches!(group.stream().into_iter().next(), Some(TokenTree::Ident(name)) if name.to_string() == "xray")
}
