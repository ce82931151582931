//! How each call of a function is rewritten, in one word a call, and which syntax determines it.

mod arguments;
mod futures;

use proc_macro2::TokenStream;

use super::expand;
use crate::invisible_groups::tests::with_groups;

/// Parts of an expansion that show how a call was rewritten, and a word for each.
const MARKS: [(&str, &str); 8] = [
    (". __xray_kind ()", "future"),
    (":: AsValue", "as-typed"),
    ("send :: receiver", "value"),
    ("TraceablePlace as _", "place"),
    ("client :: Client (", "client"),
    ("send :: callee", "path"),
    (":: Callee :: of", "function"),
    ("LeftAlone {", "left-alone"),
];

/// Returns how the calls of a function are rewritten:
///
/// * `future`: the result of the call may be replaced by a future of another type.
/// * `as-typed`: the result keeps its type.
/// * `value`, `place`: the receiver is moved into its twin, or tested where it is.
/// * `client`, `function`, `path`: the call to a client, to a client's function, and to a method named by its path.
/// * `left-alone`: the call is not traced, and the function says so at run time.
fn choices(function: &str) -> String {
    choices_of(function.parse().unwrap())
}

fn choices_of(function: TokenStream) -> String {
    let expanded = expand(TokenStream::new(), function).to_string();
    assert!(!expanded.contains("compile_error"), "{expanded}");
    let mut found: Vec<(usize, &str)> = Vec::new();
    for (mark, word) in MARKS {
        found.extend(expanded.match_indices(mark).map(|(position, _)| (position, word)));
    }
    found.sort_unstable();
    found.into_iter().map(|(_, word)| word).collect::<Vec<_>>().join(" ")
}

/// Checks the choices for the bodies of functions.
#[track_caller]
pub(super) fn check(cases: &[(&str, &str)]) {
    for (body, expected) in cases {
        assert_eq!(choices(&format!("async fn f(c: &Client) {{ {body} }}")), *expected, "{body}");
    }
}

/// Checks the choice for a call with each of these arguments. `call` ends with the opening parenthesis.
#[track_caller]
pub(super) fn check_arguments(call: &str, arguments: &[&str], expected: &str) {
    for argument in arguments {
        check(&[(&format!("{call}{argument}).await"), expected)]);
    }
}

#[test]
fn the_body_of_a_stream_declares_the_variables_of_its_calls() {
    let function = "fn f(c: &Client) -> impl Stream { stream! { yield c.request(r).await; } }";
    let expanded = expand(TokenStream::new(), function.parse().unwrap()).to_string();
    assert!(expanded.contains("stream ! { let mut __xray_call_0 ="), "{expanded}");
}

#[test]
fn an_async_block_declares_the_variables_of_its_calls_around_its_value() {
    for (block, declares) in [
        ("async { c.request(r).await; }", "async { let mut __xray_call_0 ="),
        // The temporaries of the value are dropped before the variable.
        ("async move { c.request(r).await }", "CallInProgress :: none () ; if true { (match c . request"),
    ] {
        let expanded =
            expand(TokenStream::new(), format!("fn f(c: Client) {{ {block} }}").parse().unwrap()).to_string();
        assert!(expanded.contains(declares), "{expanded}");
    }
}

#[test]
fn receivers_that_are_constants_are_left_alone() {
    check(&[
        ("g().send()", "value"),
        ("{ g() }.send()", "value"),
        ("unsafe { g() }.send()", "value"),
        ("{ Word(1) }.send()", "left-alone"),
        ("unsafe { Word(1) }.send()", "left-alone"),
        ("Word(1).send()", "left-alone"),
        ("Word((1, 2)).send()", "left-alone"),
        ("Word((1, g())).send()", "value"),
        ("Word([-1 + 2, 3 as u8]).send()", "left-alone"),
        ("Word(1 + g()).send()", "value"),
        ("Word(g() + 1).send()", "value"),
        ("Word(&Other { field: 1 }).send()", "left-alone"),
        ("Word(&Other { field: g() }).send()", "value"),
        ("Word(local).send()", "value"),
        ("Word(LIMIT).send()", "left-alone"),
        ("Word(LIMITS.0[1]).send()", "left-alone"),
        ("Word(LIMITS[g()]).send()", "value"),
        ("Word(local[1]).send()", "value"),
        ("Word(local.0).send()", "value"),
        ("Word([LIMIT; 2]).send()", "left-alone"),
        ("word(1).send()", "value"),
        ("(*boxed).send()", "left-alone"),
        ("list[0].send()", "left-alone"),
        ("local.send()", "place"),
        ("local.field.0.send()", "place"),
        ("g().field.send()", "left-alone"),
        ("local.send::<u8>()", "left-alone"),
    ]);
}

#[test]
fn a_receiver_that_is_a_reference_is_one_in_each_notation() {
    let of = |receiver: &str| choices(&format!("async fn f({receiver}) {{ self.send(); g().send() }}"));
    assert_ne!(of("&self"), of("self"));
    for receiver in ["self: &Self", "&mut self", "self: &mut Self"] {
        assert_eq!(of(receiver), of("&self"), "{receiver}");
    }
    for receiver in ["mut self", "self: Self"] {
        assert_eq!(of(receiver), of("self"), "{receiver}");
    }
}

#[test]
fn a_marked_call_is_traced_as_its_method_if_that_is_known() {
    for (call, module) in [("c.request(r)", "request"), ("c.call_it(r)", "any"), ("call_it(r)", "any")] {
        let function = format!("async fn f(c: &Client) {{ #[xray(trace)] {call}.await; }}");
        let expanded = expand(TokenStream::new(), function.parse().unwrap()).to_string();
        assert!(expanded.contains(&format!("__private :: {module} ::")), "{call}: {expanded}");
    }
}

#[test]
fn a_block_or_closure_that_is_spawned_keeps_the_trace() {
    const CALL: &str = "c.request(r).await;";
    for (spawns, keeps) in [
        (format!("spawn(async {{ {CALL} }})"), true),
        (format!("tokio::spawn(({{ g(); async move {{ {CALL} }} }}))"), true),
        (format!("set.spawn_on(async move {{ {CALL} }}, handle)"), true),
        (format!("spawn(async {{ {CALL} }}.instrument(span))"), true),
        (format!("spawn(async {{ {CALL} }}.in_current_span())"), true),
        (format!("spawn(async {{ {CALL} }}.boxed())"), true),
        (format!("spawn(Box::pin(async {{ {CALL} }}))"), true),
        (format!("spawn(async {{ {CALL} }}.map(drop))"), true),
        (format!("spawn(async {{ {CALL} }}.other())"), false),
        (format!("let job = async {{ {CALL} }}; spawn(job)"), true),
        (format!("let job = async {{ {CALL} }}; if a {{ set.spawn(job); }}"), true),
        (format!("let job = Box::pin(async {{ {CALL} }}); spawn(job)"), true),
        (format!("let job: BoxFuture<'_, u8> = Box::pin(async {{ {CALL} }}); spawn(job)"), true),
        (format!("let job: Job = timeout(limit, async {{ {CALL} }}); spawn(job)"), false),
        (format!("let job = async {{ {CALL} }}; job.await"), false),
        (format!("let job = async {{ {CALL} }}; if a {{ spawn(job); }} else {{ keep(job); }}"), false),
        (format!("let job = async {{ {CALL} }}; if a {{ spawn(job); }} else {{ keep!(job); }}"), false),
        (format!("let job = async {{ {CALL} }}; println!(\"{{job:?}}\"); spawn(job)"), false),
        ("let job = async { g() }; spawn(job); c.request(r).await".to_owned(), false),
        ("let job = || g().send(); spawn(job)".to_owned(), false),
        ("Retry::spawn(policy, || g().send())".to_owned(), false),
        (format!("spawn('a: {{ async {{ {CALL} }} }})"), false),
        ("spawn(|| g().send())".to_owned(), true),
        ("spawn_blocking(|| g().send())".to_owned(), true),
        ("#[xray(skip)] spawn(|| g().send())".to_owned(), false),
        (format!("#[xray(skip)] spawn(async {{ {CALL} }})"), true),
        ("spawn_twice(|| g().send())".to_owned(), false),
        ("spawn(|worker| g().send())".to_owned(), false),
        ("spawn((|| g().send()).instrument(span))".to_owned(), false),
        (format!("run(async {{ {CALL} }})"), false),
    ] {
        let function = format!("async fn f(c: &Client) {{ {spawns}; }}");
        let expanded = expand(TokenStream::new(), function.parse().unwrap()).to_string();
        assert_eq!(expanded.contains("in_current_trace"), keeps, "{spawns}");
    }
}

#[test]
fn a_spawned_block_is_searched_for_in_a_part_of_a_long_function() {
    let keeps = |before: &str, after: &str| {
        let function = format!(
            "async fn f(c: &Client) {{ let job = async {{ c.request(r).await; }}; {} spawn(job); {} }}",
            before.repeat(2000),
            after.repeat(2000)
        );
        expand(TokenStream::new(), function.parse().unwrap()).to_string().contains("in_current_trace")
    };
    assert!(keeps("", ""));
    assert!(!keeps("g(1); h!(job);", ""));
    assert!(!keeps("g(1);", ""));
    assert!(!keeps("", "g(1);"));
}

#[test]
fn receivers_that_are_references_are_left_alone() {
    check(&[
        ("let a = &mut b; a.send()", "left-alone"),
        ("let a = b; a.send()", "place"),
        ("let a: &mut B = g(); a.send()", "left-alone"),
        ("let a: B = g(); a.send()", "place"),
        ("let a = map.get_mut(&1).unwrap(); a.send()", "left-alone"),
        ("let a = map.get(&1).unwrap(); a.send()", "place"),
        ("let a = (&mut b).unwrap(); a.send()", "left-alone"),
        ("let a = (&mut b)?; a.send()", "left-alone"),
        ("let a = b?; a.send()", "place"),
        ("let a = map.entry(1).or_default(); a.send()", "left-alone"),
        ("match &mut b { a => a.send() }", "left-alone"),
        ("match b { a => a.send() }", "place"),
        ("match b { ref mut a => a.send() }", "left-alone"),
        ("if let Some(a) = &mut b { a.send() }", "left-alone"),
        ("for a in b.iter_mut() { a.send() }", "left-alone"),
        ("for a in b.iter() { a.send() }", "left-alone"),
        ("for a in b { a.send() }", "place"),
        ("for a in b.other() { a.send() }", "place"),
        ("{ let a = &mut b; } a.send()", "place"),
        ("let a = &mut b; let &a = g(); a.send()", "place"),
        ("let &a = &mut b; a.send()", "place"),
        ("let a = &mut b; { let d = g(); } a.send()", "left-alone"),
        ("let a = |b: &mut B| b.send(); a(d)", "left-alone"),
        ("let b = &mut d; let a = |b| b.send(); a(e)", "place"),
        // An item of an iterator over references is a reference.
        ("let a = b.iter_mut(); if let Some(d) = a.next() { d.send() }", "left-alone"),
        ("if let Some(d) = b.iter_mut().next() { d.send() }", "left-alone"),
        ("if let Some(d) = b.next() { d.send() }", "place"),
        // `take` on an option behind a reference returns a value, and the value is no reference.
        ("let a = map.get_mut(&1).unwrap(); if let Some(d) = a.take() { d.send() }", "place"),
        ("if let Some(d) = map.get_mut(&1).unwrap().take() { d.send() }", "place"),
    ]);
}

#[test]
fn a_function_of_a_client_is_one_with_its_name_and_one_argument() {
    check(&[
        ("reqwest::get(u).await", "function"),
        ("(reqwest::get)(u).await", "function"),
        ("reqwest::get(u, v).await; g().send()", "value"),
        ("<reqwest as A>::get(u).await; g().send()", "value"),
        ("mine::get(u).await; g().send()", "value"),
        ("RequestBuilder::send(r).await", "path"),
        ("RequestBuilder::send::<u8>(r).await; g().send()", "value"),
        ("<RequestBuilder as A>::send(r).await; g().send()", "value"),
        ("Sender::send(r).await; g().send()", "value"),
    ]);
}

#[test]
fn an_option_of_an_assignment_is_that_of_its_right_side() {
    check(&[
        ("#[xray(trace)] a = g(r);", "future"),
        ("#[xray(trace)] a += g(r).await?;", "future"),
        ("#[xray(trace)] &g(r);", "future"),
        ("#[xray(trace)] (g(r) as u8);", "future"),
        ("#[xray(trace)] !g(r);", "future"),
        ("#[xray(trace)] return g(r);", "future"),
        ("#[xray(trace)] tx.send(r);", ""),
        ("#[xray(skip)] a = c.request(r); g().send()", "value"),
        ("#[xray(skip)] a.b[0] += c.request(r); g().send()", "value"),
        ("#[xray(skip)] a = c.request(r)", ""),
    ]);
}

#[test]
fn an_option_of_a_statement_applies_to_all_its_operands() {
    check(&[
        ("#[xray(skip)] a && g().send().is_ok()", ""),
        ("#[xray(skip)] a || b && g().send().is_ok(); g().send()", "value"),
        ("#[xray(skip)] g().send() as u8 == g().send();", ""),
        ("#[xray(trace)] g(r).await? == 3", "future"),
        ("#[xray(trace)] g(r) as u8 == 3;", "future"),
        ("let a = #[xray(skip)] g().send() + g().send();", "value"),
    ]);
}

#[test]
fn a_closure_that_names_no_variable_of_the_function_declares_its_open_types() {
    // It may be coerced to a function pointer, and it could not be if it named a variable of the function.
    let declares = |closure: &str| {
        let function = format!("async fn f(c: &Client) {{ let a = {closure}; keep(a) }}");
        let expanded = expand(TokenStream::new(), function.parse().unwrap()).to_string();
        expanded.find("let a =").unwrap() < expanded.find("CallTypes :: new").unwrap()
    };
    assert!(declares("|c, r| c.request(r)"));
    assert!(declares("|r| client().request(r)"));
    assert!(!declares("|r| c.request(r)"));
    assert!(!declares("|r| client(vec![c]).request(r)"));
    assert!(!declares("|r| client(format!(\"{:.c$}\", 1)).request(r)"));
}

#[test]
fn a_group_without_delimiters_is_read_as_its_content() {
    // `macro_rules!` puts such a group around `$call:expr`, which the function below writes as `$(..)`.
    for (body, expected) in [
        ("$(c.request(r)).await", "future"),
        ("c.request($(r)).await", "future"),
        ("$(local).send()", "place"),
        ("#[xray(trace)] $(g(r)).await;", "future"),
        ("let a = c.request(r); $(a).await", "future"),
        ("let a = c.request(r); keep($(a))", "as-typed"),
        ("c.request(#[allow(a)] $(r)).await", "left-alone"),
        ("Box::pin(c.request(r)) as Pin<Box<$(dyn Future)>>", "future"),
    ] {
        let function = with_groups(&format!("async fn f(c: &Client) {{ {body} }}"));
        assert_eq!(choices_of(function), expected, "{body}");
    }
}

#[test]
fn a_group_without_delimiters_keeps_its_precedence() {
    for item in [
        "async fn f(c: &Client) { c.request(r).await; $(1 + 2) * 3 }",
        "impl S { async fn f(c: &Client) { c.request(r).await; $(1 + 2) * 3 } }",
        "mod m { async fn f(c: &Client) { c.request(r).await; $(1 + 2) * 3 } }",
        "async fn f(c: &Client) { c.request(r).await; vec![$(1 + 2) * 3] }",
    ] {
        let expanded = expand(TokenStream::new(), with_groups(item)).to_string();
        assert!(expanded.contains("(1 + 2) * 3"), "{expanded}");
    }
    let expanded = expand(TokenStream::new(), with_groups("async fn f() $({ g().send() })")).to_string();
    assert!(!expanded.contains("compile_error"), "{expanded}");
}

#[test]
fn a_part_of_a_value_or_of_a_list_is_a_call_too() {
    check(&[
        ("keep(S { #[cfg(a)] b: c.request(r) })", "as-typed"),
        ("keep(S { b: c.request(r) })", "as-typed"),
        // The length is evaluated by the compiler.
        ("keep([c.request(r); g().send()])", "as-typed"),
    ]);
}

#[test]
fn a_loop_over_a_stream_is_read_in_the_body_of_a_stream_alone() {
    let of = |body: &str| choices(&format!("fn f(c: &Client) -> impl Stream {{ {body} }}"));
    assert_eq!(of("stream! { for await a in g() { yield c.request(r).await; } }"), "future");
    assert_eq!(of("g().send(); tokio::pin! { for await a in g() { c.request(r).await; } }"), "value");
}

#[test]
fn a_method_by_its_path_may_have_a_name() {
    for body in [
        "#[xray(name = \"x\")] builders.map(RequestBuilder::send);",
        "#[xray(name = \"x\")] RequestBuilder::send(r).await;",
    ] {
        let function = format!("async fn f() {{ {body} }}");
        let expanded = expand(TokenStream::new(), function.parse().unwrap()).to_string();
        assert!(expanded.contains(". with_name (\"x\")"), "{expanded}");
    }
}

#[test]
fn the_receiver_of_a_marked_call_keeps_its_attributes() {
    let of = |receiver: &str| {
        let function = with_groups(&format!("fn f() {{ #[xray(trace)] {receiver}.send(); }}"));
        expand(TokenStream::new(), function).to_string()
    };
    for receiver in ["(#[allow(a)] (g()))", "(#[allow(a)] $(g()))"] {
        assert!(of(receiver).contains("# [allow (a)]"), "{}", of(receiver));
    }
    // The compiler would report parentheses around an argument as unused.
    for receiver in ["(g())", "$(g())", "$((g()))"] {
        assert_eq!(of(receiver), of("g()"), "{receiver}");
    }
}

#[test]
fn a_closure_that_may_be_a_function_pointer_has_no_annotations() {
    let names_annotations = |body: &str| {
        let function = format!("fn f(a: &Agent, id: u32) {{ {body} }}").parse().unwrap();
        expand("annotate(id = id)".parse().unwrap(), function).to_string().contains("& __xray_annotations")
    };
    for body in [
        "a.get(url()).call();",
        "run(|| a.get(url()).call());",
        "urls.map(|url| ureq::get(url).call());",
        "thread::spawn(|| ureq::get(url()).call());",
        "(|| ureq::get(url()).call()).retry(policy());",
        "run(|b| { let get = || b.get(id).call(); get() });",
    ] {
        assert!(names_annotations(body), "{body}");
    }
    for body in [
        "run(|a| a.get(url()).call());",
        "urls.map(Box::new(|url| ureq::get(url).call()));",
        "urls.map(run(|url| ureq::get(url).call()));",
        "run(|b| { let get = move || b.get(url()).call(); get() });",
        "run(|b| Box::pin(async move { b.get(url()).send().await }));",
    ] {
        assert!(!names_annotations(body), "{body}");
    }
}
