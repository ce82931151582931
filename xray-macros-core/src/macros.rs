//! Walks the arguments of macros whose grammar is known, such as `join!` and `format!`. Any other macro call is left
//! alone, because only the definition of the macro gives its tokens a meaning.
//!
//! `tests/it/shapes/macros.rs::known_macros`, `unknown_macros`

mod for_await;

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{ToTokens as _, quote};
use syn::parse::{ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::visit_mut::VisitMut as _;
use syn::{Block, Expr, Ident, Macro, Pat, Result, Token, token};

use crate::ends::Ends;
use crate::invisible_groups::Parenthesize;
use crate::position::Position;
use crate::syntax::text;

/// The grammar of a macro's arguments.
#[derive(Clone, Copy)]
enum Grammar {
    /// Comma-separated expressions, each evaluated in place: `format!("{}", a)`.
    Expressions,
    /// The elements of a list: `vec![a, b]`, `vec![a; 2]`.
    Elements,
    /// Comma-separated futures: `join!(a, b)`.
    Futures,
    /// A future whose pin is the value of the macro, or statements that declare such futures: `pin!(a)`,
    /// `pin! { let b = a; }`.
    Pinned,
    /// The statements of an async block: `stream! { yield a; }`.
    AsyncBody,
    /// The JSON of `serde_json`: `json!({ "key": a, "list": [b, null] })`.
    Json,
    /// Comma-separated expressions. The macro checks the first ones: `assert!(a, "{}", b)` checks one. The field is the
    /// number of checked expressions. The arguments are walked only if a message follows the checked expressions.
    /// Without a message, these macros print the tokens of the expressions, so the panic's message would show the
    /// rewritten tokens.
    Checked(usize),
    /// An expression and a pattern: `matches!(a, Some(_))`.
    Pattern,
    /// Arms, each with a pattern, a future and a handler: `select! { r = a => b }`.
    Arms,
    /// Tokens that are not walked: the macro prints them, or they cannot contain a call.
    Opaque,
}

const GRAMMARS: &[(&[&str], Grammar)] = &[
    (&["join", "try_join"], Grammar::Futures),
    (&["pin", "pin_mut"], Grammar::Pinned),
    (&["vec"], Grammar::Elements),
    (&["format", "format_args", "print", "println", "eprint", "eprintln", "write", "writeln"], Grammar::Expressions),
    (&["panic", "bail"], Grammar::Expressions),
    // The macros of `tracing` and `log`. They evaluate their arguments only if the level is enabled, and their grammar
    // has more than expressions, such as `%value`.
    (&["trace", "debug", "info", "warn", "error"], Grammar::Opaque),
    (&["matches"], Grammar::Pattern),
    (&["select", "select_biased"], Grammar::Arms),
    (&["stream", "try_stream"], Grammar::AsyncBody),
    (&["json"], Grammar::Json),
    (&["assert", "debug_assert", "ensure"], Grammar::Checked(1)),
    (&["assert_eq", "assert_ne", "debug_assert_eq", "debug_assert_ne"], Grammar::Checked(2)),
    (&["dbg", "todo", "unimplemented", "unreachable", "env", "option_env", "concat"], Grammar::Opaque),
    (&["stringify", "include_str", "include_bytes", "cfg", "line", "file", "module_path"], Grammar::Opaque),
];

/// The role of an argument of a macro.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Role {
    /// The macro evaluates it.
    Value,
    /// The macro puts it into a list.
    Element,
    /// The macro polls it: it is a future of any type.
    Future,
    /// The macro returns a pin of it.
    Pinned,
    /// The macro makes it the body of an async block.
    AsyncBody,
    /// The macro also prints its tokens, so they must not be changed.
    Printed,
}

impl Role {
    /// Returns the position of an argument with this role. `of_macro` is the position of the macro call.
    pub(crate) fn position(self, of_macro: Position) -> Position {
        match self {
            Self::Future => Position::AnyFuture,
            // tests/it/shapes/named_futures.rs::pinned
            Self::Pinned => of_macro.of_content(),
            // `join_all(vec![a, b])`: the elements of the list have one type.
            Self::Element => of_macro.of_items(),
            _ => Position::Elsewhere,
        }
    }
}

/// Visits the arguments of a macro.
pub(crate) trait Arguments {
    fn expression(&mut self, expression: &mut Expr, role: Role);

    fn statements(&mut self, block: &mut Block, role: Role);
}

/// Returns whether the arguments of a macro call are not walked.
pub(crate) fn is_opaque(call: &Macro) -> bool {
    matches!(grammar(call), Some(Grammar::Opaque))
}

fn grammar(call: &Macro) -> Option<Grammar> {
    let name = call.path.segments.last().map(|segment| text(&segment.ident))?;
    GRAMMARS.iter().find_map(|(names, grammar)| names.contains(&name.as_str()).then_some(*grammar))
}

/// Walks the arguments of a macro call. Returns `false`, and changes nothing, if the macro's name is unknown or the
/// arguments do not have the grammar of that name.
pub(crate) fn walk(walker: &mut impl Arguments, call: &mut Macro) -> bool {
    let Some(grammar) = grammar(call) else { return false };
    let tokens = call.tokens.clone();
    let output = match grammar {
        Grammar::Expressions => (|input: ParseStream<'_>| expressions(walker, input, Role::Value)).parse2(tokens),
        Grammar::Elements => (|input: ParseStream<'_>| expressions(walker, input, Role::Element)).parse2(tokens),
        Grammar::Futures => expressions_or_statements(walker, tokens, Role::Future),
        Grammar::Pinned => expressions_or_statements(walker, tokens, Role::Pinned),
        Grammar::AsyncBody => statements(walker, tokens, Role::AsyncBody),
        Grammar::Json => (|input: ParseStream<'_>| json(walker, input)).parse2(tokens),
        Grammar::Checked(count) => {
            let changed = (|input: ParseStream<'_>| checked(walker, input, count)).parse2(tokens.clone());
            changed.map(|changed| changed.unwrap_or(tokens))
        }
        Grammar::Pattern => (|input: ParseStream<'_>| pattern(walker, input)).parse2(tokens),
        Grammar::Arms => (|input: ParseStream<'_>| arms(walker, input)).parse2(tokens),
        Grammar::Opaque => return true,
    };
    // If the tokens have another grammar, the macro is a user's own macro of that name.
    output.map(|output| call.tokens = output).is_ok()
}

/// Walks the arguments of a macro call that is marked with `#[xray(trace)]`. They must be expressions or statements.
pub(crate) fn walk_marked(walker: &mut impl Arguments, call: &mut Macro) -> Result<()> {
    call.tokens = expressions_or_statements(walker, call.tokens.clone(), Role::Value)?;
    Ok(())
}

fn walked(walker: &mut impl Arguments, mut expression: Expr, role: Role) -> TokenStream {
    walker.expression(&mut expression, role);
    parenthesized(expression)
}

/// Returns the tokens of an expression that was read, with parentheses in place of invisible groups; see
/// `invisible_groups`.
fn parenthesized(mut expression: Expr) -> TokenStream {
    Parenthesize.visit_expr_mut(&mut expression);
    expression.into_token_stream()
}

/// Walks comma-separated expressions, or else statements: `tokio::pin! { let future = ..; }`.
fn expressions_or_statements(walker: &mut impl Arguments, tokens: TokenStream, role: Role) -> Result<TokenStream> {
    let of_expressions = (|input: ParseStream<'_>| expressions(walker, input, role)).parse2(tokens.clone());
    of_expressions.or_else(|error| statements(walker, tokens, role).map_err(|_| error))
}

fn statements(walker: &mut impl Arguments, tokens: TokenStream, role: Role) -> Result<TokenStream> {
    let has_for_await = role == Role::AsyncBody && for_await::is_in(&tokens);
    let tokens = if has_for_await { for_await::hide(tokens) } else { tokens };
    let mut block = Block { brace_token: token::Brace::default(), stmts: Block::parse_within.parse2(tokens)? };
    walker.statements(&mut block, role);
    Parenthesize.visit_block_mut(&mut block);
    let statements = &block.stmts;
    let tokens = quote!(#(#statements)*);
    Ok(if has_for_await { for_await::restore(tokens) } else { tokens })
}

/// Reads comma-separated expressions, and walks them. tokio's `biased;` and the length in `vec![a; n]` are not walked.
fn expressions(walker: &mut impl Arguments, input: ParseStream<'_>, role: Role) -> Result<TokenStream> {
    let mut output = biased(input)?;
    // Read all expressions before walking the first one. If the tokens have another grammar, the macro call is left
    // alone. No expression may have been walked in that case, because a walk counts candidates and declares
    // variables.
    let mut read = Vec::new();
    while !input.is_empty() {
        let expression: Expr = input.parse()?;
        let separator = match input.parse::<Option<Token![,]>>()? {
            Some(comma) => comma.into_token_stream(),
            None if input.is_empty() => TokenStream::new(),
            None => {
                let (semicolon, length): (Token![;], Expr) = (input.parse()?, input.parse()?);
                let length = parenthesized(length);
                quote!(#semicolon #length)
            }
        };
        read.push((expression, separator));
    }
    // The elements of a list have one type, so a future is replaced in all of them or in none.
    let is_replaced = role != Role::Element || Ends::of_all(read.iter().map(|(expression, _)| expression)).is_some();
    let role = if is_replaced { role } else { Role::Value };
    for (expression, separator) in read {
        output.extend(walked(walker, expression, role));
        output.extend(separator);
    }
    Ok(output)
}

/// Walks the arguments of a macro such as `assert!`. Returns `None` if they stay as they are, because the macro prints
/// them.
fn checked(walker: &mut impl Arguments, input: ParseStream<'_>, count: usize) -> Result<Option<TokenStream>> {
    let mut expressions = Punctuated::<Expr, Token![,]>::parse_terminated(input)?;
    let role = if expressions.len() > count { Role::Value } else { Role::Printed };
    expressions.iter_mut().for_each(|expression| walker.expression(expression, role));
    if role == Role::Printed {
        return Ok(None);
    }
    expressions.iter_mut().for_each(|expression| Parenthesize.visit_expr_mut(expression));
    Ok(Some(expressions.into_token_stream()))
}

fn pattern(walker: &mut impl Arguments, input: ParseStream<'_>) -> Result<TokenStream> {
    let (expression, comma, rest): (Expr, Token![,], TokenStream) = (input.parse()?, input.parse()?, input.parse()?);
    let expression = walked(walker, expression, Role::Value);
    Ok(quote!(#expression #comma #rest))
}

/// A part of the arguments of `json!`.
enum Json {
    /// Tokens of the macro's own: `null`, a key, a colon, a comma.
    Own(TokenStream),
    Value(Box<Expr>),
    Brackets(Group, Vec<Json>),
}

/// Reads the argument of `serde_json::json!`, and walks its values.
fn json(walker: &mut impl Arguments, input: ParseStream<'_>) -> Result<TokenStream> {
    let read = json_value(input)?;
    input.is_empty().then_some(()).ok_or_else(|| input.error("expected the end of the JSON"))?;
    let mut output = TokenStream::new();
    walk_json(walker, read, &mut output);
    Ok(output)
}

fn walk_json(walker: &mut impl Arguments, json: Json, output: &mut TokenStream) {
    match json {
        Json::Own(tokens) => output.extend(tokens),
        Json::Value(value) => output.extend(walked(walker, *value, Role::Value)),
        Json::Brackets(group, inner) => {
            let mut content = TokenStream::new();
            for json in inner {
                walk_json(walker, json, &mut content);
            }
            let mut changed = Group::new(group.delimiter(), content);
            changed.set_span(group.span());
            output.extend([TokenTree::Group(changed)]);
        }
    }
}

fn json_value(input: ParseStream<'_>) -> Result<Json> {
    let is_list = input.peek(token::Bracket);
    if !is_list && !input.peek(token::Brace) {
        return input.parse().map(|value| Json::Value(Box::new(value)));
    }
    let TokenTree::Group(group) = input.parse()? else { return Err(input.error("expected JSON")) };
    let inner = (|input: ParseStream<'_>| json_entries(input, is_list)).parse2(group.stream())?;
    Ok(Json::Brackets(group, inner))
}

fn json_entries(input: ParseStream<'_>, is_list: bool) -> Result<Vec<Json>> {
    let mut entries = Vec::new();
    while !input.is_empty() {
        if !is_list {
            let (key, colon): (TokenTree, Token![:]) = (input.parse()?, input.parse()?);
            entries.push(Json::Own(quote!(#key #colon)));
        }
        entries.push(json_value(input)?);
        if !input.is_empty() {
            entries.push(Json::Own(input.parse::<Token![,]>()?.into_token_stream()));
        }
    }
    Ok(entries)
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

fn arms(walker: &mut impl Arguments, input: ParseStream<'_>) -> Result<TokenStream> {
    let mut output = biased(input)?;
    let mut read = Vec::new();
    while !input.is_empty() {
        read.push(arm(input)?);
    }
    for SelectArm { event, arrow, handler, comma } in read {
        match event {
            Event::Ready(ready) => {
                let Ready { pattern, equals, future, guard } = *ready;
                let future = walked(walker, future, Role::Future);
                output.extend(quote!(#pattern #equals #future));
                if let Some((comma, conditional, guard)) = guard {
                    let guard = walked(walker, guard, Role::Value);
                    output.extend(quote!(#comma #conditional #guard));
                }
            }
            Event::Word(word) => output.extend([word]),
        }
        let handler = walked(walker, handler, Role::Value);
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
