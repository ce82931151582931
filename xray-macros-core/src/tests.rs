//! Tests of expansions and errors. The expansion of `NAME.rs` in `tests/expansions` is `NAME.expanded.rs`.
//!
//! `UPDATE_EXPECT=1 cargo test -p xray-macros-core` updates the expanded files.

mod choices;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use expect_test::{expect, expect_file};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{Attribute, Item, ItemFn, Meta};

use crate::calls::{self, Shape};

fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    crate::traced_http(arguments, item)
}

fn expand_with_aws_sdk(arguments: TokenStream, item: TokenStream) -> TokenStream {
    crate::traced_http_with_aws_sdk(arguments, item)
}

fn expand_traced(arguments: TokenStream, item: TokenStream) -> TokenStream {
    crate::traced(arguments, item)
}

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

/// Expands the attributes on each function of a file.
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
        Item::Mod(module) => &mut module.attrs,
        _ => return item.into_token_stream(),
    };
    let is_ours = |attribute: &Attribute| {
        ["traced_http", "traced_http_with_aws_sdk", "traced"].iter().any(|name| attribute.path().is_ident(name))
    };
    let Some(position) = attributes.iter().position(is_ours) else { return item.into_token_stream() };
    let (path, arguments) = match attributes.remove(position).meta {
        Meta::List(list) => (list.path, list.tokens),
        meta => (meta.path().clone(), TokenStream::new()),
    };
    let expand = match &*path.require_ident().unwrap().to_string() {
        "traced" => expand_traced,
        "traced_http_with_aws_sdk" => expand_with_aws_sdk,
        _ => expand,
    };
    let expanded = expand(arguments, item.into_token_stream());
    // The attribute below this one.
    syn::parse2::<syn::File>(expanded).unwrap().items.into_iter().map(expand_item).collect()
}

/// Returns the errors in the expansion of `traced_http`, one a line, and whether the user's function is in it too.
fn messages(arguments: &str, item: &str) -> String {
    messages_of(expand, arguments, item)
}

fn messages_of(expand: fn(TokenStream, TokenStream) -> TokenStream, arguments: &str, item: &str) -> String {
    let expanded = expand(arguments.parse().unwrap(), item.parse().unwrap()).to_string();
    let messages = expanded.split("compile_error ! {").skip(1).map(|rest| rest.split_once('}').unwrap().0.trim());
    let text = messages.fold(String::new(), |text, message| text + message + "\n");
    let function = item.parse::<TokenStream>().unwrap().to_string();
    let kept = expanded.starts_with(&function) || expanded.starts_with(function.split("# [xray").next().unwrap());
    text + if kept { "the function is kept" } else { "the function is lost" }
}

const FUNCTION: &str = "async fn f(c: &Client) { c.get(u).send().await; }";

#[test]
fn all_wrong_options_are_reported_at_once() {
    expect![[r#"
        "unknown option `nmae`, expected one of: `name = \"..\"`, `annotate(key = value)`, `skip_hosts(\"..\")`, `strict`, `crate = \"..\"`, `local(..)`"
        "expected a non-empty string in quotes"
        "duplicate option `name`; keep one"
        "expected attribute arguments in parentheses: `local(...)`"
        the function is kept"#]]
    .assert_eq(&messages("nmae = \"x\", name = 1, name = \"y\", local", FUNCTION));
    expect![[r#"
        "expected a non-empty string in quotes"
        the function is kept"#]]
    .assert_eq(&messages("name = \"\"", FUNCTION));
    for host in ["", "a b", "http://a"] {
        expect![[r#"
            "expected a host such as \"localhost\" or \"*.example.com\", without scheme or path"
            the function is kept"#]]
        .assert_eq(&messages(&format!("skip_hosts({host:?})"), FUNCTION));
    }
}

#[test]
fn wrong_items_are_rejected() {
    let of = |item| messages("", item);
    expect![[r#"
        "a `const fn` cannot make HTTP calls; remove `const`"
        the function is kept"#]]
    .assert_eq(&of("const fn f() { c().send(); }"));
    expect![[r#"
        "this function has no body and makes no calls; put `#[traced_http]` on its implementation"
        the function is kept"#]]
    .assert_eq(&of("fn f();"));
    expect![[r#"
        "expected a function, an `impl` block or a module: put `#[traced_http]` on each `fn` that makes calls, on its `impl` or on its `mod`"
        the function is kept"#]]
    .assert_eq(&of("struct S { field: u32 }"));
    expect![[r#"
        "no HTTP call found: expected `.send()`, `.send_json(..)`, `.execute(..)`, `.request(..)`, `.call(..)`, `reqwest::get(..)` or similar (the full list: https://github.com/xray-rs/xray/blob/main/docs/what-is-traced.md), and not inside a macro whose arguments the attribute does not read; put `#[traced_http]` on the function that makes the calls"
        the function is kept"#]]
    .assert_eq(&of("fn f() { println!(\"{}\", tx.send(1)); fn g() { c().send(); } }"));
    expect![[r#"
        "no HTTP call found: expected `.send()`, `.send_json(..)`, `.execute(..)`, `.request(..)`, `.call(..)`, `reqwest::get(..)` or similar (the full list: https://github.com/xray-rs/xray/blob/main/docs/what-is-traced.md), and not inside a macro whose arguments the attribute does not read; put `#[traced_http]` on the function that makes the calls; `.get(uri)` is found only on a variable or field whose name ends in `client`, because every map has a method `get`"
        the function is kept"#]]
    .assert_eq(&of("impl Api { fn f(&self) { map.get(&key) } fn g(&self, u: Uri) { self.http.get(u) } }"));
    for body in [
        "map.get(&key)",
        "self.http.get(u, v)",
        "self.http.other(u)",
        "self.client.get(&key)",
        "RequestBuilder::execute(r)",
        "RequestBuilder::send_json(r)",
        "RequestBuilder::other(r)",
        "Sender::send(r)",
    ] {
        let messages = messages("", &format!("fn f() {{ {body} }}"));
        assert!(messages.contains("no HTTP call found") && !messages.contains("every map"), "{body}: {messages}");
    }
    expect![[r#"
        "no HTTP call found, and the attribute does not know what `users_own!` does with its arguments: if they are expressions or statements with calls, put `#[xray(trace)]` on the macro call"
        the function is kept"#]].assert_eq(&of("fn f() { users_own!(c.send()) }"));
}

#[test]
fn functions_of_other_attributes_are_accepted() {
    // `#[wasm_bindgen]` above the attribute copies it onto a function of its own.
    expect!["the function is kept"].assert_eq(&messages("", "fn __wasm_bindgen_generated_f() { f() }"));
}

#[test]
fn a_body_that_another_attribute_has_written_is_no_place_for_the_attribute() {
    // The braces have the position of that attribute.
    let attribute = "cached".parse::<TokenStream>().unwrap().into_iter().next().unwrap().span();
    let mut function: TokenStream = "fn f()".parse().unwrap();
    let mut body = Group::new(Delimiter::Brace, "g()".parse().unwrap());
    body.set_span(attribute);
    function.extend([TokenTree::from(body)]);
    let expanded = expand(TokenStream::new(), function).to_string();
    assert!(expanded.contains("which another attribute has written"), "{expanded}");
}

#[test]
fn an_attribute_applies_to_an_item_once() {
    let function = "fn f() { c().send(); }";
    expect![[r#"
        "`#[traced_http]` applies to this item twice; remove one of the attributes"
        the function is kept"#]]
    .assert_eq(&messages("", &format!("#[traced_http] {function}")));
    expect![[r#"
        "`#[traced]` applies to this item twice; remove one of the attributes"
        the function is kept"#]]
    .assert_eq(&messages_of(expand_traced, "", &format!("#[traced] {function}")));
    for expand in [expand, expand_traced] {
        let once = expand(TokenStream::new(), function.parse().unwrap());
        assert!(!once.to_string().contains("twice"));
        let twice = expand(TokenStream::new(), once).to_string();
        assert!(twice.contains("applies to this item twice"), "{twice}");
    }
    // The two attributes do not exclude each other.
    let once = expand(TokenStream::new(), function.parse().unwrap());
    let both = expand_traced(TokenStream::new(), once).to_string();
    assert!(!both.contains("compile_error"), "{both}");
}

#[test]
fn the_error_about_a_wrong_item_is_at_its_keyword() {
    for (item, keyword) in [
        ("pub struct S { field: u32 }", "struct"),
        ("#[inline] pub(crate) enum E {}", "enum"),
        ("use a::b;", "use"),
        ("static A: u8 = 1;", "static"),
    ] {
        let item: TokenStream = item.parse().unwrap();
        // syn gives the tokens of an error the position of the error.
        let error = expand(TokenStream::new(), item.clone()).into_iter().nth(item.into_iter().count()).unwrap();
        assert_eq!(error.span().source_text().as_deref(), Some(keyword));
    }
}

#[test]
fn the_parts_of_an_item_accept_the_option_skip_alone() {
    for option in ["trace", "name = \"x\""] {
        expect![[r#"
            "here only `#[xray(skip)]` is accepted; for other options of a function, put `#[traced_http(..)]` on the function"
            the function is kept"#]]
        .assert_eq(&messages("", &format!("impl S {{ #[xray({option})] fn f() {{ c().send(); }} }}")));
    }
}

#[test]
fn an_option_may_have_a_condition() {
    let traced = |attribute: &str| {
        let function = format!("fn f() {{ {attribute} c().send(); }}");
        let expanded = expand(TokenStream::new(), function.parse().unwrap()).to_string();
        expanded.contains("__private :: send ::")
    };
    assert!(!traced("#[cfg_attr(feature = \"x\", xray(skip))]"));
    assert!(traced("#[cfg_attr(feature = \"x\", inline)]"));
    assert!(traced("#[cfg_attr(feature = \"x\", xray(name = \"y\"))]"));
}

#[test]
fn a_function_without_calls_has_the_checks_of_its_clients_alone() {
    let item = "impl S { fn f() { ureq::agent(); } fn g() { c().send(); } }";
    let expanded = expand(TokenStream::new(), item.parse().unwrap()).to_string();
    assert!(expanded.contains("fn f () { const _ : () = { { use"), "{expanded}");
    assert_eq!(expanded.matches("static __XRAY_CALL_SITES").count(), 1, "{expanded}");
}

#[test]
fn a_function_that_returns_an_open_type_returns_its_body_before_the_types_are_determined() {
    let of = |result: &str, body: &str| {
        let function = format!("fn f(c: &Client) -> {result} {{ {body} }}");
        expand(TokenStream::new(), function.parse().unwrap()).to_string()
    };
    let expanded = of("impl Future", "c.request(r)");
    assert!(expanded.contains("return ({") && !expanded.contains("if true {"), "{expanded}");
    for body in ["return c.request(r)", "c.request(r); panic!()", "if b { return c.request(r) } else { return g() }"] {
        let expanded = of("impl Future", body);
        assert!(expanded.contains("return __xray_value ;") && !expanded.contains("return ({"), "{expanded}");
    }
    let expanded = of("Vec<u8>", "c.request(r)");
    assert!(expanded.contains("if true {") && !expanded.contains("return"), "{expanded}");
}

#[test]
fn only_the_future_in_a_box_is_spawned_in_the_trace() {
    const BLOCK: &str = "async { c().send(); }";
    for (spawned, start, end) in [
        (BLOCK.to_owned(), "spawn (HERE (async {", "}))"),
        (format!("Box::pin({BLOCK})"), "spawn (Box :: pin (HERE (async {", "})))"),
        (format!("timeout(limit, {BLOCK})"), "spawn (timeout (limit , HERE (async {", "})))"),
        (format!("{BLOCK}.boxed()"), "spawn (HERE (async {", "}) . boxed ())"),
        (format!("{BLOCK}.map(g)"), "spawn (HERE (async {", "} . map (g)))"),
    ] {
        let function = format!("fn f() {{ spawn({spawned}) }}");
        let expanded = expand(TokenStream::new(), function.parse().unwrap()).to_string();
        let expanded = expanded.replace(":: xray :: __private :: future_in_current_trace", "HERE");
        assert!(expanded.contains(start) && expanded.contains(end), "{expanded}");
    }
}

#[test]
fn a_parameter_whose_drop_may_have_an_effect_is_named_first() {
    let named = |parameters: &str, body: &str| {
        let function = format!("fn f({parameters}) -> u8 {{ {body} }}");
        let expanded = expand_traced(TokenStream::new(), function.parse().unwrap()).to_string();
        let (_, rest) = expanded.split_once("let _ = (")?;
        Some(rest.split_once(") ;").unwrap().0.replace(' ', ""))
    };
    assert_eq!(named("a: A, b: B", "a.g(); b.g()").as_deref(), Some("&b,&a,"));
    assert_eq!(named("self, a: A", "self.g(); a.g()").as_deref(), Some("&a,&self,"));
    assert_eq!(named("&self, a: A", "self.g(); a.g()").as_deref(), Some("&a,"));
    assert_eq!(named("self: Box<Self>, a: A", "self.g(); a.g()").as_deref(), Some("&a,&self,"));
    assert_eq!(named("Some(a): A, Word: B, ref b: C", "a.g(); Word.g(); b.g()").as_deref(), Some("&a,"));
    assert_eq!(named("a: A, _b: B, d: D", "a.g()").as_deref(), Some("&_b,&a,"));
    assert_eq!(named("a: &A, b: u8", "a.g(b)"), None);
}

#[test]
fn an_async_block_stays_at_the_end_above_other_attributes() {
    let last = |attribute: &str, body: &str| {
        let function = format!("{attribute} fn f(&self) -> BoxFuture<'_, u8> {{ {body} }}");
        let expanded: ItemFn = syn::parse2(expand(TokenStream::new(), function.parse().unwrap())).unwrap();
        expanded.block.stmts.last().unwrap().to_token_stream().to_string()
    };
    let block = "async move { self.execute(request).await }";
    for (body, start) in [
        (block.to_owned(), "async move {"),
        (format!("Box::pin({block})"), "Box :: pin (async move {"),
        (format!("{block}.boxed()"), "async move {"),
        (format!("{block}.boxed_local()"), "async move {"),
        (format!("let a = g(); {block}"), "async move {"),
    ] {
        assert!(last("#[instrument]", &body).starts_with(start), "{body}: {}", last("#[instrument]", &body));
        assert!(last("#[inline]", &body).starts_with("if true {"), "{body}: {}", last("#[inline]", &body));
    }
    for body in [format!("g({block})"), format!("let a = self.execute(request); {block}")] {
        assert!(last("#[instrument]", &body).starts_with("if true {"), "{body}: {}", last("#[instrument]", &body));
    }
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
fn wrong_inner_options_are_rejected() {
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
fn required_calls_without_a_request_are_rejected() {
    expect![[r#"
        "this call is not traced, because it has no request to trace: expected one as its first argument"
        the function is kept"#]]
    .assert_eq(&messages("", "fn f() { #[xray(trace)] g(); }"));
    expect![[r#"
        "expected a call to a method, a function or a macro after `#[xray(trace)]`"
        the function is kept"#]]
    .assert_eq(&messages("", "fn f() { #[xray(trace)] (a + g(b)); }"));
}

#[test]
fn inner_options_never_reach_the_compiler() {
    for inner in ["(skip)", "(name = \"x\")", "(wrong)", ""] {
        let function = format!("fn f() {{ #[xray{inner}] let x = a().send(); #[xray{inner}] a.send()? }}");
        let expanded = expand(TokenStream::new(), function.parse().unwrap()).to_string();
        assert!(!expanded.contains("# [xray"), "{expanded}");
    }
}

/// Runs on a stack that is smaller than the compiler's.
fn on_a_small_stack<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    const STACK: usize = 6 << 20;
    std::thread::Builder::new().stack_size(STACK).spawn(run).unwrap().join().unwrap()
}

/// Returns how much the expansion of a function with this body allocates, which grows as its time does.
fn work(body: String) -> u64 {
    on_a_small_stack(move || {
        let tokens: TokenStream = format!("async fn f() {{ z().send(); {body} }}").parse().unwrap();
        let mut expanded = TokenStream::new();
        let info = allocation_counter::measure(|| expanded = expand(TokenStream::new(), tokens));
        let expanded = expanded.to_string();
        assert!(expanded.contains("__xray") && !expanded.contains("compile_error"), "it is rewritten");
        info.bytes_total + info.count_total
    })
}

/// Asserts that twice as much of a thing takes about twice as much work.
fn is_linear(name: &str, count: usize, body: impl Fn(usize) -> String) {
    let (half, whole) = (work(body(count / 2)), work(body(count)));
    assert!(whole < half * 23 / 10, "{name}: {half} for {}, {whole} for {count}", count / 2);
}

#[test]
fn code_that_is_too_deep_is_left_as_it_was() {
    for (open, inner, close) in [
        ("(", "a.send()", ")"),
        ("{", "a.send(); b", "}"),
        ("match a { b =>", "c.send()", "}"),
        ("[", "a.send(), b", "]"),
        ("Node { next: Some(Box::new(", "a.send()", ")) }"),
        ("Node { left, right: Some(Box::new(", "Node { left, right }", ")) }"),
        ("(match never {}, Leaf {}, [], ", "f()", ")"),
    ] {
        let levels = |text: &str, count| (text.to_owned() + " ").repeat(count);
        // The innermost levels, as a stream of tokens prints them.
        let core = format!("{}{inner} {}", levels(open, 50), levels(close, 50));
        // The code is cut in another pair of brackets for each number of levels around it.
        for around in 0..3 {
            let (before, after) = (levels("(", around) + &levels(open, 250), levels(close, 250) + &levels(")", around));
            let (body, core) = (before + &core + &after, core.clone());
            let (expanded, core) = on_a_small_stack(move || {
                let expanded = expand(TokenStream::new(), format!("fn f() {{ b.send(); {body} }}").parse().unwrap());
                (expanded.to_string(), core.parse::<TokenStream>().unwrap().to_string())
            });
            assert!(expanded.contains("__xray_dispatch") && !expanded.contains("__xray_too_deep"), "{expanded}");
            assert!(expanded.contains(&core), "{core}: {expanded}");
        }
    }
    // A cut in a type.
    let body = "(".repeat(190) + "a as " + &"(".repeat(20) + "u8" + &")".repeat(210);
    let function = format!("fn f() {{ b.send(); {body} }}");
    let expanded = on_a_small_stack(move || expand(TokenStream::new(), function.parse().unwrap()).to_string());
    assert!(expanded.contains("(((u8)))") && expanded.contains("__xray_dispatch"), "{expanded}");
}

#[test]
fn long_and_deep_code_takes_linear_work_and_little_stack() {
    let nested = |open: &str, inner: &str, close: &str, depth: usize| open.repeat(depth) + inner + &close.repeat(depth);
    is_linear("a chain", 400, |length| "a()".to_owned() + &".send().map(g)".repeat(length));
    is_linear("statements", 4000, |length| "client.get(url).send().await?;".repeat(length));
    is_linear("a match of thousands of lines", 4000, |lines| {
        format!("match b.send() {{ {} _ => c }};", "1 => a.send(),\n".repeat(lines))
    });
    is_linear("parentheses", 500, |depth| nested("(", "a.send()", ")", depth));
    is_linear("blocks", 500, |depth| nested("{ let a = b.send(); ", "b.send()", "; a.send() }", depth));
    is_linear("arms", 500, |depth| nested("match a.send() { b => ", "c", ", }", depth));
    is_linear("closures", 500, |depth| nested("(|a| ", "a.send()", ")(b.send())", depth));
    is_linear("async blocks", 500, |depth| nested("async move { ", "a.call(b.c)", ".await }", depth));
    is_linear("arguments", 500, |depth| nested("a.execute(b.call(", "c()", ").d())", depth));
    is_linear("macros", 500, |length| format!("vec![{}]", "a.send(), ".repeat(length)));
    is_linear("64 bodies that are sent, in each other", 64, |depth| nested("a.send_json(&", "b", ")", depth));
    is_linear("the same as values", 64, |depth| nested("a().send_json(", "b", ")", depth));
    is_linear("conditions", 500, |depth| nested("if a.send() { b } else { ", "c", " }", depth));
}

#[test]
fn all_wrong_options_of_traced_are_reported_at_once() {
    let of = |arguments, item| messages_of(expand_traced, arguments, item);
    expect![[r#"
        "unknown option `strict`, expected one of: `name = \"..\"`, `err`, `annotate(key = value)`, `crate = \"..\"`"
        "expected a non-empty string in quotes"
        "duplicate option `name`; keep one"
        "`err` takes no value; write `err` alone"
        "expected attribute arguments in parentheses: `annotate(...)`"
        the function is kept"#]]
    .assert_eq(&of("strict, name = 1, name = \"y\", err(x), annotate", "fn f() {}"));
    expect![[r#"
        "`err` requires a function that returns a `Result`, but this function returns nothing; remove `err`, or return a `Result`"
        the function is kept"#]]
    .assert_eq(&of("err", "fn f() {}"));
    expect![[r#"
        "`err` requires a function that returns a `Result`, but this function never returns; remove `err`, or return a `Result`"
        the function is kept"#]]
    .assert_eq(&of("err", "fn f() -> ! { loop {} }"));
    for function in ["async fn f() -> impl Display { 1 }", "fn f() -> impl Display { 1 }"] {
        expect![[r#"
            "`err` requires a function that returns a `Result`; remove `err`, or return a `Result`"
            the function is kept"#]]
        .assert_eq(&of("err", function));
    }
    expect!["the function is lost"].assert_eq(&of("err", "fn f() -> impl Future<Output = Result<u8>> { g() }"));
    expect![[r#"
        "a `const fn` cannot be traced, because it may run in the compiler; remove `const`"
        the function is kept"#]]
    .assert_eq(&of("", "const fn f() {}"));
    expect![[r#"
        "this function has no body to trace; put `#[traced]` on its implementation"
        the function is kept"#]]
    .assert_eq(&of("", "fn f();"));
    expect![[r#"
        "expected a function, an `impl` block or a module: put `#[traced]` on a `fn`, an `impl` or a `mod`"
        the function is kept"#]]
    .assert_eq(&of("", "struct S { field: u32 }"));
    expect![[r#"
        "no function to trace; remove the attribute"
        the function is kept"#]]
    .assert_eq(&of("", "impl S {}"));
    expect![[r#"
        "no function here returns a type whose name ends in `Result`, so `err` has no effect; remove `err`"
        the function is kept"#]]
    .assert_eq(&of("err", "impl S { fn f() {} }"));
    expect!["the function is lost"].assert_eq(&of("err", "impl S { fn f() -> Result<u8> { g() } }"));
    expect![[r#"
        "expected an expression"
        the function is kept"#]]
    .assert_eq(&of("", "fn f() { let x = ; }"));
}

#[test]
fn options_that_the_other_attribute_needs_are_kept_for_it() {
    let item = "#[traced_http] impl S { #[xray(skip)] fn f() {} fn g() { #[xray(skip)] c.send(); } }";
    for arguments in ["", "wrong"] {
        let expanded = expand_traced(arguments.parse().unwrap(), item.parse().unwrap()).to_string();
        assert_eq!(expanded.matches("# [xray (skip)]").count(), 2, "{expanded}");
    }
    let expanded = expand_traced("wrong".parse().unwrap(), item.replace("#[traced_http]", "").parse().unwrap());
    assert!(!expanded.to_string().contains("# [xray"), "{expanded}");
    let inner = "#[xray(skip)] fn f() { #[xray(skip)] c.send(); }";
    for item in
        [&*format!("impl S {{ {inner} }}"), &*format!("mod n {{ {inner} }}"), "fn f() { #[xray(skip)] c.send(); }"]
    {
        let count = item.matches("xray").count();
        for attribute in ["traced_http", "traced"] {
            // The inner attribute expands later, and one item has none.
            let module =
                format!("mod m {{ #[{attribute}] {item} #[xray(skip)] fn g() {{}} fn h() {{ c().send(); }} }}");
            for expand in [expand, expand_traced] {
                let expanded = expand("wrong".parse().unwrap(), module.parse().unwrap()).to_string();
                assert_eq!(expanded.matches("# [xray (skip)]").count(), count, "{expanded}");
            }
        }
        let module = format!("mod m {{ #[traced_http] {item} fn h() {{}} }}");
        let expanded = expand_traced(TokenStream::new(), module.parse().unwrap()).to_string();
        assert_eq!(expanded.matches("# [xray (skip)]").count(), count, "{expanded}");
    }
}

#[test]
fn the_runtime_gets_a_row_for_each_method_and_each_client() {
    let methods = crate::for_each_method("table".parse().unwrap()).to_string().replace(' ', "");
    assert!(methods.starts_with("table!{"), "{methods}");
    for row in ["send(01)", "send_json(1)", "execute()"] {
        assert!(methods.contains(row), "{row}: {methods}");
    }
    let names: BTreeSet<_> = calls::METHODS.iter().map(|method| method.name).collect();
    assert_eq!(methods.matches('(').count(), names.len());
    let clients = crate::for_each_client("table".parse().unwrap()).to_string();
    assert!(clients.starts_with("table ! {"), "{clients}");
    for client in calls::CLIENTS {
        assert!(clients.contains(&format!("{} (any (feature", client.module)), "{clients}");
        assert!(clients.contains(client.message), "{clients}");
    }
}

/// Returns the code spans in a text: `` `send_json` `` is one.
fn code_spans(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The functions of the table as users write them: `reqwest::blocking::get`.
fn function_paths() -> Vec<String> {
    let paths = calls::CLIENTS.iter().flat_map(|client| {
        client.functions.iter().map(|(function, _)| format!("{}::{function}", client.path.join("::")))
    });
    paths.collect()
}

#[test]
fn the_documentation_lists_the_table() {
    let source = include_str!("../../xray-macros/src/lib.rs");
    let (_, rest) = source.split_once("/// # What is traced\n").unwrap();
    let (list, _) = rest.split_once("/// [What is traced]").unwrap();
    let listed: BTreeSet<_> = code_spans(list).into_iter().map(str::to_owned).collect();
    let methods = calls::METHODS.iter().filter(|method| method.shape != Shape::Client);
    let mut expected: BTreeSet<_> = methods.map(|method| method.name.to_owned()).collect();
    expected.extend(function_paths());
    // The method that is a candidate by its receiver's name too is listed with it.
    expected.extend(["client".to_owned(), "client.get(uri)".to_owned()]);
    assert_eq!(listed, expected);
}

#[test]
fn the_page_of_traced_calls_names_every_method_and_function() {
    // The page belongs to the repository. It is not in the archive of this crate.
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/what-is-traced.md");
    let page = fs::read_to_string(page).unwrap();
    let rows: Vec<_> = page.lines().filter(|line| line.starts_with('|')).collect();
    // `Client::execute`, `request.send()` and `svc.call(request)` name their last name before a parenthesis.
    let named: BTreeSet<_> = rows
        .iter()
        .flat_map(|row| code_spans(row))
        .map(|code| code.split('(').next().unwrap_or_default())
        .filter_map(|path| path.rsplit([':', '.']).next())
        .collect();
    let methods = calls::METHODS.iter().map(|method| method.name);
    let functions = calls::CLIENTS.iter().flat_map(|client| client.functions.iter().map(|(name, _)| *name));
    let missing: Vec<_> = methods.chain(functions).filter(|name| !named.contains(name)).collect();
    assert_eq!(missing, [""; 0], "are missing from the table of clients in docs/what-is-traced.md");
}

#[test]
fn examples_in_messages_are_in_the_table() {
    for example in code_spans(calls::EXAMPLES) {
        let name = example.split('(').next().unwrap().trim_start_matches('.');
        let is_method = calls::METHODS.iter().any(|method| method.name == name);
        assert!(is_method || function_paths().iter().any(|path| path == name), "{example}");
    }
}
