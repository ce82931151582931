//! Expansions: for each `tests/expansions/NAME.rs` what comes out is in `NAME.expanded.rs`.
//!
//! `UPDATE_EXPECT=1 cargo test -p xray-macros` writes what comes out now.

use std::fs;
use std::path::Path;

use expect_test::{expect, expect_file};
use proc_macro2::TokenStream;
use quote::ToTokens as _;
use syn::{Item, ItemFn, Meta};

use crate::function::expand;

#[test]
fn expansions() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expansions");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().ends_with(".expanded.rs") {
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        expect_file![path.with_extension("expanded.rs")].assert_eq(&expand_file(&source));
        count += 1;
    }
    assert!(count >= 8, "the folder has moved");
}

/// Expands the attribute on each function of a file.
fn expand_file(source: &str) -> String {
    let mut file = syn::parse_file(source).unwrap();
    let expanded: TokenStream = file.items.drain(..).map(expand_item).collect();
    file.items = syn::parse2::<syn::File>(expanded).unwrap().items;
    prettyplease::unparse(&file)
}

fn expand_item(mut item: Item) -> TokenStream {
    let attributes = match &mut item {
        Item::Fn(function) => &mut function.attrs,
        Item::Impl(implementation) => &mut implementation.attrs,
        _ => return item.into_token_stream(),
    };
    let position = attributes.iter().position(|attribute| attribute.path().is_ident("traced_http"));
    let Some(position) = position else { return item.into_token_stream() };
    let arguments = match attributes.remove(position).meta {
        Meta::List(list) => list.tokens,
        _ => TokenStream::new(),
    };
    expand(arguments, item.into_token_stream())
}

/// The messages in what comes out, one a line, and whether the user's function came out too.
fn messages(arguments: &str, item: &str) -> String {
    let expanded = expand(arguments.parse().unwrap(), item.parse().unwrap()).to_string();
    let messages = expanded.split("compile_error ! {").skip(1).map(|rest| rest.split_once('}').unwrap().0.trim());
    let text = messages.fold(String::new(), |text, message| text + message + "\n");
    let function = item.parse::<TokenStream>().unwrap().to_string();
    let kept = expanded.starts_with(&function) || expanded.starts_with(function.split("# [xray").next().unwrap());
    text + if kept { "the function is kept" } else { "the function is lost" }
}

const FUNCTION: &str = "async fn f(c: &Client) { c.get(u).send().await; }";

#[test]
fn wrong_options_are_told_all_at_once() {
    expect![[r#"
        "unknown option `nmae`, expected one of: `name = \"..\"`, `annotate(key = value)`, `skip_hosts(\"..\")`, `strict`, `crate = \"..\"`, `local(..)`"
        "expected a string in quotes that is not empty"
        "`name` stands here twice; keep one"
        "expected attribute arguments in parentheses: `local(...)`"
        the function is kept"#]]
    .assert_eq(&messages("nmae = \"x\", name = 1, name = \"y\", local", FUNCTION));
}

#[test]
fn wrong_places_are_told() {
    let of = |item| messages("", item);
    expect![[r#"
        "a `const fn` cannot make HTTP calls; remove `const`"
        the function is kept"#]]
    .assert_eq(&of("const fn f() { c().send(); }"));
    expect![[r#"
        "a function without a body makes no calls; annotate one with a body"
        the function is kept"#]]
    .assert_eq(&of("fn f();"));
    expect![[r#"
        "expected a function: `#[traced_http]` stands on each `fn` that makes calls, or on an `impl`"
        the function is kept"#]]
    .assert_eq(&of("struct S { field: u32 }"));
    expect![[r#"
        "no HTTP call in here: looked for `.send()`, `.send_json(..)`, `.execute(..)`, `.request(..)`, `.call(..)`, `reqwest::get(..)` or the like (the README has the table), and not inside macros; annotate the function that calls"
        the function is kept"#]]
    .assert_eq(&of("fn f() { println!(\"{}\", tx.send(1)); fn g() { c().send(); } }"));
    expect!["the function is kept"].assert_eq(&of("fn f() { users_own!(c.send()) }"));
}

#[test]
fn half_typed_code_is_kept() {
    expect![[r#"
        "expected an expression"
        the function is kept"#]]
    .assert_eq(&messages("", "async fn f() { let x = ; c.get(u).send().await }"));
    expect![[r#"
        "unexpected end of input, expected identifier or integer"
        the function is kept"#]]
    .assert_eq(&messages("", "async fn f() { c.get(u).send(). }"));
}

#[test]
fn wrong_inner_options_are_told() {
    let of = |inner| messages("", &format!("async fn f() {{ c.get(u).send().await; #[xray{inner}] c.other(); }}"));
    expect![[r#"
        "unknown option `skp`, expected one of: `skip`, `trace`, `name = \"..\"`"
        the function is kept"#]]
    .assert_eq(&of("(skp)"));
    expect![[r#"
        "expected `#[xray(skip)]`, `#[xray(trace)]` or `#[xray(name = \"..\")]`"
        the function is kept"#]]
    .assert_eq(&of(""));
}

#[test]
fn inner_options_never_reach_the_compiler() {
    for inner in ["(skip)", "(name = \"x\")", "(wrong)", ""] {
        let function = format!("fn f() {{ #[xray{inner}] let x = a().send(); #[xray{inner}] a.send()? }}");
        let expanded = expand(TokenStream::new(), function.parse().unwrap()).to_string();
        assert!(!expanded.contains("# [xray"), "{expanded}");
    }
}

#[test]
fn a_long_chain_takes_linear_time_and_little_stack() {
    let length = |depth: usize| {
        let body = "a()".to_owned() + &".send().map(g)".repeat(depth);
        let function: ItemFn = syn::parse_str(&format!("fn f() {{ {body} }}")).unwrap();
        expand(TokenStream::new(), function.into_token_stream()).to_string().len()
    };
    let (short, long) = (length(10), length(100));
    assert!(long < 11 * short, "{short} and {long} bytes");
}
