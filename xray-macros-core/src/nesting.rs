//! Removes brackets that are nested too deeply to parse.
//!
//! syn parses nested brackets by recursion. Procedural macros are usually built without optimisation, and then each
//! level of expressions takes up to 25 KiB of stack, and one of types 35 KiB. The compiler's stack has 8 MiB, so 300
//! levels could crash it. So tokens that are nested too deeply are removed before parsing. Afterwards they are put
//! back, unchanged, and calls in them are not traced. `tests.rs::code_that_is_too_deep_is_left_as_it_was`

use proc_macro2::{Group, Spacing, TokenStream, TokenTree};
use quote::{format_ident, quote};

/// The number of levels that are parsed. Handwritten code has about 30; 150 levels take 4 of the stack's 8 MiB, or 5
/// if all of them are types.
const MAX_DEPTH: usize = 150;

/// The name of a macro that does not exist. A call to it replaces the removed tokens until they are put back, because
/// a macro call is valid syntax for an expression, a pattern, a type and an item.
const PLACEHOLDER: &str = "__xray_too_deep";

/// The removed contents of brackets.
pub(crate) struct TooDeep(Vec<TokenStream>);

/// Removes the contents of brackets that are nested too deeply.
///
/// ```text
/// Input:  ((( .. a + (b) .. )))
/// Output: ((( .. __xray_too_deep!(0) .. )))
/// ```
pub(crate) fn take_too_deep(tokens: TokenStream) -> (TokenStream, TooDeep) {
    let mut taken = TooDeep(Vec::new());
    if !is_deeper(&tokens, MAX_DEPTH) {
        return (tokens, taken);
    }
    let tokens = taken.replace_too_deep(tokens, MAX_DEPTH);
    (tokens, taken)
}

fn is_deeper(tokens: &TokenStream, depth: usize) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Group(group) => depth == 0 || is_deeper(&group.stream(), depth - 1),
        _ => false,
    })
}

impl TooDeep {
    /// Replaces each placeholder by the removed contents.
    pub(crate) fn put_back(&mut self, tokens: TokenStream) -> TokenStream {
        if self.0.is_empty() {
            return tokens;
        }
        each_group(tokens, |content| match placeholder_number(&content) {
            Some(number) => std::mem::take(&mut self.0[number]),
            None => self.put_back(content),
        })
    }

    fn replace_too_deep(&mut self, tokens: TokenStream, depth: usize) -> TokenStream {
        each_group(tokens, |content| {
            if depth > 0 {
                return self.replace_too_deep(content, depth - 1);
            }
            // Brackets without inner brackets are parsed like the level above. They may be empty, as in
            // `match never {}`.
            if !is_deeper(&content, 0) {
                return content;
            }
            let (placeholder, number) = (format_ident!("{PLACEHOLDER}"), self.0.len());
            // Between the braces of a `match` only arms are valid syntax, so the placeholder becomes the body of an
            // arm. Between those of a struct expression it becomes the base.
            let (has_arms, has_fields) = (has_match_arms(&content), has_struct_fields(&content));
            self.0.push(content);
            match (has_arms, has_fields) {
                (true, _) => quote!(_ => #placeholder!(#number)),
                (false, true) => quote!(..#placeholder!(#number)),
                (false, false) => quote!(#placeholder!(#number)),
            }
        })
    }
}

/// Returns the tokens, with `change` applied to the contents of each pair of brackets.
fn each_group(tokens: TokenStream, mut change: impl FnMut(TokenStream) -> TokenStream) -> TokenStream {
    let changed = tokens.into_iter().map(|token| match token {
        TokenTree::Group(group) => {
            let mut changed = Group::new(group.delimiter(), change(group.stream()));
            changed.set_span(group.span());
            TokenTree::Group(changed)
        }
        token => token,
    });
    changed.collect()
}

/// Returns whether the content of braces is the arms of a `match`, judged by `=>`.
fn has_match_arms(content: &TokenStream) -> bool {
    let is = |token: &TokenTree, punct| matches!(token, TokenTree::Punct(found) if found.as_char() == punct);
    let tokens: Vec<_> = content.clone().into_iter().collect();
    tokens.windows(2).any(|pair| is(&pair[0], '=') && is(&pair[1], '>'))
}

/// Returns whether the content of braces is the fields of a struct expression, judged by its beginning: `name: value`
/// or `name, ..`.
fn has_struct_fields(content: &TokenStream) -> bool {
    let mut tokens = content.clone().into_iter();
    match (tokens.next(), tokens.next()) {
        (Some(TokenTree::Ident(_)), Some(TokenTree::Punct(next))) => match next.as_char() {
            ':' => next.spacing() == Spacing::Alone,
            ',' => true,
            _ => false,
        },
        _ => false,
    }
}

/// Returns the number of the placeholder between a pair of brackets, or `None` if the brackets contain no placeholder.
fn placeholder_number(content: &TokenStream) -> Option<usize> {
    let mut tokens =
        content.clone().into_iter().skip_while(|token| !matches!(token, TokenTree::Ident(name) if name == PLACEHOLDER));
    tokens.next()?;
    match tokens.nth(1)? {
        TokenTree::Group(number) => number.stream().to_string().trim_end_matches("usize").parse().ok(),
        _ => None,
    }
}
