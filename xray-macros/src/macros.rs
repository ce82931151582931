//! Walks the arguments of macros with a known grammar. Any other macro call is left unchanged, because only the macro's
//! definition determines what its tokens mean.
//!
//! `tests/it/shapes/macros.rs::known_macros`, `unknown_macros`

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens as _, quote};
use syn::parse::{ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::visit_mut::VisitMut;
use syn::{Expr, Ident, Macro, Pat, Result, Token, token};

/// The grammar of a macro's arguments.
#[derive(Clone, Copy)]
enum Grammar {
    /// Comma-separated expressions, each evaluated in place: `join!(a, b)`, `format!("{}", a)`.
    Expressions,
    /// Comma-separated expressions that begin with this number of checked ones: `assert!(a, "{}", b)` checks one. They
    /// are walked only if a message follows. Without a message, these macros print the tokens of the checked
    /// expressions, and the panic's message would contain the rewritten tokens.
    Checked(usize),
    /// An expression and a pattern: `matches!(a, Some(_))`.
    Pattern,
    /// Arms, each with a pattern, a future and a handler: `select! { r = a => b }`.
    Arms,
    /// Tokens that are not walked, because the macro prints them or they cannot contain a call.
    Opaque,
}

const GRAMMARS: &[(&[&str], Grammar)] = &[
    (&["join", "try_join", "vec"], Grammar::Expressions),
    (&["format", "format_args", "print", "println", "eprint", "eprintln", "write", "writeln"], Grammar::Expressions),
    (&["panic", "bail"], Grammar::Expressions),
    // The macros of `tracing` and `log` evaluate their arguments only if the level is enabled, and have their own syntax
    // such as `%value`.
    (&["trace", "debug", "info", "warn", "error"], Grammar::Opaque),
    (&["matches"], Grammar::Pattern),
    (&["select"], Grammar::Arms),
    (&["assert", "debug_assert", "ensure"], Grammar::Checked(1)),
    (&["assert_eq", "assert_ne", "debug_assert_eq", "debug_assert_ne"], Grammar::Checked(2)),
    (&["dbg", "todo", "unimplemented", "unreachable", "env", "option_env", "concat"], Grammar::Opaque),
    (&["stringify", "include_str", "include_bytes", "cfg", "line", "file", "module_path"], Grammar::Opaque),
];

/// Walks the arguments of a macro with a known name. Returns whether the name and the grammar of the arguments are known.
pub(crate) fn walk(walker: &mut impl VisitMut, call: &mut Macro) -> bool {
    let name = call.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
    let Some((_, grammar)) = GRAMMARS.iter().find(|(names, _)| names.contains(&name.as_str())) else { return false };
    let tokens = call.tokens.clone();
    let output = match *grammar {
        Grammar::Expressions => (|input: ParseStream<'_>| expressions(walker, input)).parse2(tokens),
        Grammar::Checked(count) => (|input: ParseStream<'_>| checked(walker, input, count)).parse2(tokens),
        Grammar::Pattern => (|input: ParseStream<'_>| pattern(walker, input)).parse2(tokens),
        Grammar::Arms => (|input: ParseStream<'_>| arms(walker, input)).parse2(tokens),
        Grammar::Opaque => return true,
    };
    // If the tokens have another grammar, the call is of a user's macro of the same name.
    output.map(|output| call.tokens = output).is_ok()
}

/// Walks the arguments of a macro call that is marked with `#[xray(trace)]`. They must be expressions.
pub(crate) fn walk_expressions(walker: &mut impl VisitMut, call: &mut Macro) -> Result<()> {
    let tokens = call.tokens.clone();
    call.tokens = (|input: ParseStream<'_>| expressions(walker, input)).parse2(tokens)?;
    Ok(())
}

fn walked(walker: &mut impl VisitMut, mut expression: Expr) -> TokenStream {
    walker.visit_expr_mut(&mut expression);
    expression.into_token_stream()
}

/// Reads comma-separated expressions, and walks them. tokio's `biased;` and the length in `vec![a; n]` are not walked.
fn expressions(walker: &mut impl VisitMut, input: ParseStream<'_>) -> Result<TokenStream> {
    let mut output = biased(input)?;
    // Read all expressions before walking the first. A walk counts candidates and declares slots. If the tokens have
    // another grammar, the macro call is left unchanged, so nothing may be counted or declared.
    let mut read = Vec::new();
    while !input.is_empty() {
        let expression: Expr = input.parse()?;
        let separator = match input.parse::<Option<Token![,]>>()? {
            Some(comma) => comma.into_token_stream(),
            None if input.is_empty() => TokenStream::new(),
            None => {
                let (semicolon, length): (Token![;], Expr) = (input.parse()?, input.parse()?);
                quote!(#semicolon #length)
            }
        };
        read.push((expression, separator));
    }
    for (expression, separator) in read {
        output.extend(walked(walker, expression));
        output.extend(separator);
    }
    Ok(output)
}

fn checked(walker: &mut impl VisitMut, input: ParseStream<'_>, count: usize) -> Result<TokenStream> {
    let mut expressions = Punctuated::<Expr, Token![,]>::parse_terminated(input)?;
    if expressions.len() > count {
        expressions.iter_mut().for_each(|expression| walker.visit_expr_mut(expression));
    }
    Ok(expressions.into_token_stream())
}

fn pattern(walker: &mut impl VisitMut, input: ParseStream<'_>) -> Result<TokenStream> {
    let (expression, comma, rest): (Expr, Token![,], TokenStream) = (input.parse()?, input.parse()?, input.parse()?);
    let expression = walked(walker, expression);
    Ok(quote!(#expression #comma #rest))
}

/// Reads `biased;` if the input begins with it.
fn biased(input: ParseStream<'_>) -> Result<TokenStream> {
    if input.peek(Ident) && input.peek2(Token![;]) {
        let (biased, semicolon): (Ident, Token![;]) = (input.parse()?, input.parse()?);
        return Ok(quote!(#biased #semicolon));
    }
    Ok(TokenStream::new())
}

/// An arm of `select!`.
struct SelectArm {
    event: Event,
    arrow: Token![=>],
    handler: Expr,
    comma: Option<Token![,]>,
}

enum Event {
    /// `pattern = future`, and an optional guard.
    Ready(Box<Ready>),
    /// `else`, `complete` or `default`.
    Word(TokenTree),
}

struct Ready {
    pattern: Pat,
    equals: Token![=],
    future: Expr,
    guard: Option<(Token![,], Token![if], Expr)>,
}

fn arms(walker: &mut impl VisitMut, input: ParseStream<'_>) -> Result<TokenStream> {
    let mut output = biased(input)?;
    let mut read = Vec::new();
    while !input.is_empty() {
        read.push(arm(input)?);
    }
    for SelectArm { event, arrow, handler, comma } in read {
        match event {
            Event::Ready(ready) => {
                let Ready { pattern, equals, future, guard } = *ready;
                let future = walked(walker, future);
                output.extend(quote!(#pattern #equals #future));
                if let Some((comma, conditional, guard)) = guard {
                    let guard = walked(walker, guard);
                    output.extend(quote!(#comma #conditional #guard));
                }
            }
            Event::Word(word) => output.extend([word]),
        }
        let handler = walked(walker, handler);
        output.extend(quote!(#arrow #handler #comma));
    }
    Ok(output)
}

fn arm(input: ParseStream<'_>) -> Result<SelectArm> {
    let event = if input.peek2(Token![=>]) { Event::Word(input.parse()?) } else { ready(input)? };
    let arrow = input.parse()?;
    let handler =
        if input.peek(token::Brace) { Expr::parse_with_earlier_boundary_rule(input)? } else { input.parse()? };
    Ok(SelectArm { event, arrow, handler, comma: input.parse()? })
}

fn ready(input: ParseStream<'_>) -> Result<Event> {
    let (pattern, equals, future) = (Pat::parse_multi_with_leading_vert(input)?, input.parse()?, input.parse()?);
    let guard = match input.parse::<Option<Token![,]>>()? {
        Some(comma) => Some((comma, input.parse()?, input.parse()?)),
        None => None,
    };
    Ok(Event::Ready(Box::new(Ready { pattern, equals, future, guard })))
}
