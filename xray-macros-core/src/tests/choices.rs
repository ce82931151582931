//! How each call of a function is rewritten, in one word a call, and which syntax determines it.

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
fn check(cases: &[(&str, &str)]) {
    for (body, expected) in cases {
        assert_eq!(choices(&format!("async fn f(c: &Client) {{ {body} }}")), *expected, "{body}");
    }
}

/// Checks the choice for a call with each of these arguments. `call` ends with the opening parenthesis.
#[track_caller]
fn check_arguments(call: &str, arguments: &[&str], expected: &str) {
    for argument in arguments {
        check(&[(&format!("{call}{argument}).await"), expected)]);
    }
}

#[test]
fn a_future_that_stays_in_the_function_may_have_any_type() {
    check(&[
        ("c.request(r).await", "future"),
        ("(c.request(r)).await", "future"),
        ("keep(c.request(r))", "as-typed"),
        ("drop(c.request(r))", "future"),
        ("spawn_local(c.request(r))", "future"),
        ("Box::pin(c.request(r)).await", "future"),
        ("keep(Box::pin(c.request(r)))", "as-typed"),
        ("c.request(r).map(f).await", "future"),
        ("keep(c.request(r).map(f))", "as-typed"),
        ("c.request(r).boxed()", "future"),
        ("join(c.request(r), c.request(s)).await", "future future"),
        ("keep(join(c.request(r), c.request(s)))", "as-typed as-typed"),
        ("let _ = c.request(r);", "future"),
        ("let a: Response = c.request(r);", "as-typed"),
        ("let (a, b) = c.request(r);", "as-typed"),
        ("let a = c.request(r) as Boxed<dyn Future>;", "as-typed"),
        ("let a = Box::pin(c.request(r)) as Pin<Box<dyn Future>>;", "future"),
        ("let a = Box::pin(c.request(r)) as Pin<Box<Response>>;", "as-typed"),
        ("let a: Box<dyn Any> = Box::pin(c.request(r));", "future"),
        ("let a: Pin<Box<Response>> = Box::pin(c.request(r));", "as-typed"),
        ("pin! { let a = c.request(r); } a.await", "future"),
        ("pin!(c.request(r)).await", "future"),
        ("keep(pin!(c.request(r)))", "as-typed"),
        ("select(pin!(c.request(r)), pin!(c.request(s))).await", "future future"),
        ("let a: Pin<&mut Response> = pin!(c.request(r)); a.await", "as-typed"),
        ("let a: Pin<&mut dyn Future<Output = u8>> = pin!(c.request(r)); keep(a)", "future"),
    ]);
}

#[test]
fn the_uses_of_a_variable_determine_the_type_of_its_future() {
    check(&[
        ("let a = c.request(r); a.await", "future"),
        ("let a = c.request(r); (a).await", "future"),
        ("let a = c.request(r); keep(a)", "as-typed"),
        ("let a = c.request(r); keep(&a); a.await", "as-typed"),
        ("let a = c.request(r); info!(\"{}\", a.id()); a.await", "as-typed"),
        ("let a = c.request(r); keep(&mut a); a.await", "as-typed"),
        ("let a = c.request(r); select(&mut a, b).await;", "future"),
        ("let a = c.request(r); select(&a, b).await;", "as-typed"),
        ("let a = c.request(r); a.await; let a = g(); keep(a)", "future"),
        ("let a = c.request(r); let b = join(a, g()); b.await", "future"),
        ("let a = c.request(r); let b: Both = join(a, g()); b.await", "as-typed"),
        ("let a = c.request(r); let b = g(a); b.await", "as-typed"),
        ("let a = c.request(r); let b = a; b.await", "as-typed"),
        ("let a = c.request(r); let b = join(a, g()); keep(b)", "as-typed"),
        ("let a = c.request(r); let b = a.map(f); b.await", "future"),
        ("let a = c.request(r); let b = a.other(); b.await", "as-typed"),
        ("let a = c.request(r).map(f); a.await", "future"),
        ("let a = c.request(r).other(); a.await", "as-typed"),
        ("let a = g(c.request(r)); a.await", "as-typed"),
        ("let a = pin(c.request(r)); a.await", "as-typed"),
        ("let a = Box::new(c.request(r)); a.await", "as-typed"),
        ("let a = Box::pin(c.request(r)); a.await", "future"),
        ("let mut a = c.request(r); a = c.request(s); a.await", "future future"),
        ("let mut a = c.request(r); a = g(); a.await", "as-typed"),
        ("let mut a = c.request(r); b = g(); a.await", "future"),
        ("let mut a = c.request(r); #[xray(skip)] a = c.request(s); a.await", "as-typed"),
        ("let a = c.request(r); if b { return a.await; } keep(0)", "future"),
        ("let a = c.request(r); #[xray(skip)] a.send(); a.await", "as-typed"),
        ("let a = c.request(r); #[xray(skip)] b.send(); a.await", "future"),
        ("let a = c.request(r); #[xray(skip)] join(a, c.request(s)).await", "as-typed"),
        ("let ref a = c.request(r); a.await", "as-typed"),
        ("let a = std::pin::pin!(c.request(r)); select! { b = &mut a => b } a.await", "future"),
        ("let mut a = pin!(c.request(r)); a.as_mut().poll(d); a.as_mut().await", "future"),
        ("let mut a = pin!(c.request(r)); a.as_mut().cancel(); a.await", "as-typed"),
        ("let a = c.request(r); tokio::pin!(a); a.await", "future"),
        ("let a = c.request(r); tokio::pin! { let b = keep(a); } b.await", "as-typed"),
        ("let a = c.request(r); let b = pin!(a); b.await", "future"),
        ("let a = c.request(r); let b = pin!(a); b.as_mut().cancel()", "as-typed"),
        ("let a = || c.request(r); a().await", "future"),
        ("let a = || c.request(r); keep(a)", "as-typed"),
        ("let a = c.request(r); println!(\"{}\", a)", "as-typed"),
        ("let a = c.request(r); println!(\"{a}\"); a.await", "as-typed"),
        ("let a = c.request(r); println!(\"{}\", (format!(\"{a}\"))); a.await", "as-typed"),
        ("let a = c.request(r); info!(\"{a:?}\"); a.await", "as-typed"),
        ("let a = c.request(r); keep!(s, r#\"{{}} {0:>a$}\"#, 1); a.await", "as-typed"),
        ("let a = c.request(r); println!(\"a {{a}} {:a} {}\", 1); a.await", "future"),
        ("let a = c.request(r); let b = S { a }; b.await", "as-typed"),
        ("let b = async { let a = c.request(r); a.await }; b.await", "future"),
        ("let b = async { let a = c.request(r); keep(a) }; b.await", "as-typed"),
        ("keep(async { c.request(r) })", "as-typed"),
        // Too many expressions are between the call and the use.
        (&format!("let a = c.request(r); {} a.await", "g(1);".repeat(1000)), "as-typed"),
        (&format!("let a = c.request(r); {} a.await", "g(1);".repeat(100)), "future"),
    ]);
}

#[test]
fn the_branches_of_an_expression_have_one_type() {
    check(&[
        ("if b { c.request(r) } else { c.request(s) }.await", "future future"),
        ("if b { c.request(r) } else { g() }.await", "as-typed"),
        ("if b { c.request(r).map(f) } else { c.request(s) }.await", "future future"),
        ("match b { 1 => c.request(r), _ => return }.await", "future"),
        ("match b { 1 => c.request(r), _ => g() }.await", "as-typed"),
        ("if b { #[xray(skip)] c.request(r) } else { c.request(s) }.await", "left-alone"),
        ("{ #[xray(skip)] c.request(r) }.await; c.request(s).await", "future"),
        ("let a = if b { c.request(r).map(f) } else { c.request(s) }; a.await", "future future"),
        ("let a = { g(); c.request(r) }; a.await", "future"),
        ("unsafe { c.request(r) }.await", "future"),
        ("if b { c.request(r); } c.request(s).await", "as-typed future"),
        ("while c.request(r).await {}", "future"),
        ("let a = if b { ureq::run(r) } else { ureq::run(s) }; a.await", "future future"),
        ("if b { c.request(r) } else { request.send() }.await", "as-typed place"),
        ("if b { c.request(1) } else { c.request(r) }.await", "as-typed"),
        ("if b { ureq::run(1) } else { ureq::run(r) }.await", "as-typed"),
        ("if b { c.request(r).other() } else { c.request(s) }.await", "as-typed as-typed"),
        ("if b { keep(c.request(r)) } else { c.request(s) }.await", "as-typed as-typed"),
        ("if b { join(c.request(r), d) } else { c.request(s) }.await", "future future"),
        ("if b { RequestBuilder::send(r) } else { RequestBuilder::send(s) }.await", "path path"),
        ("if b { RequestBuilder::send(r) } else { g(r) }.await", "left-alone"),
    ]);
}

#[test]
fn each_side_of_an_either_has_a_type_of_its_own() {
    check(&[
        ("if b { c.request(r).left_future() } else { c.request(s).right_future() }.await", "future future"),
        ("if b { c.request(r).left_future() } else { g().right_future() }.await", "future"),
        ("if b { g().left_future() } else { c.request(r).right_future() }.await", "future"),
        ("if b { c.request(r).left_future() } else { request.send().right_future() }.await", "future place"),
        (
            "if b { c.request(r).left_future() } else if d { g().left_future() } else { h().right_future() }.await",
            "as-typed",
        ),
        (
            "if b { c.request(r).right_future() } else if d { g().right_future() } else { h().left_future() }.await",
            "as-typed",
        ),
    ]);
}

#[test]
fn the_items_of_a_list_have_one_type() {
    check(&[
        ("join_all([c.request(r), c.request(s)]).await", "future future"),
        ("join_all([c.request(r), g()]).await", "as-typed"),
        ("keep([c.request(r), c.request(s)])", "as-typed as-typed"),
        ("keep(vec![c.request(r); 2])", "as-typed"),
        ("keep(json!({ \"a\": c.request(r), \"b\": [null, c.request(s)] }))", "as-typed as-typed"),
        ("join_all(vec![c.request(r), c.request(s)]).await", "future future"),
        ("join_all(vec![c.request(r), g()]).await", "as-typed"),
        ("let mut a = Vec::new(); a.push(c.request(r)); join_all(a).await", "future"),
        ("let mut a = Vec::<Response>::new(); a.push(c.request(r)); join_all(a).await", "as-typed"),
        ("let mut a = list(); a.push(c.request(r)); join_all(a).await", "as-typed"),
        ("let mut a: Vec<_> = Vec::new(); a.push(c.request(r)); join_all(a).await", "future"),
        ("let mut a: Vec<Response> = Vec::new(); a.push(c.request(r)); join_all(a).await", "as-typed"),
        ("let mut a = Vec::new(); a.push(c.request(r)); a.push(g()); join_all(a).await", "as-typed"),
        ("join_all(list.iter().map(|r| c.request(r))).await", "future"),
        ("keep(list.iter().map(|r| c.request(r)))", "as-typed"),
        ("join_all(list.iter().map(|r| c.request(r)).collect::<Vec<_>>()).await", "future"),
        ("join_all(list.iter().map(|r| c.request(r)).collect::<Vec<Response>>()).await", "as-typed"),
        ("join_all(list.iter().map(|r| c.request(r)).other()).await", "as-typed"),
        ("let a = list.iter().map(|r| c.request(r)); join_all(a).await", "future"),
        ("let a = list.iter().map(|r| c.request(r)).rev().collect(); join_all(a).await", "future"),
        ("let mut a = other![c.request(r)]; a.push(c.request(s)); join_all(a).await", "as-typed"),
        ("stream.map(|r| c.request(r)).buffered(2).next().await", "future"),
        ("stream.for_each(|r| c.request(r)).await", "future"),
        ("stream.for_each(async |r| c.request(r)).await", "as-typed"),
        ("now.then(|| c.request(r))", "as-typed"),
        ("first.then(|_| c.request(r)).await", "future"),
        ("let mut a = vec![b]; a.push(c.request(r)); join_all(a).await", "as-typed"),
        ("let mut a = vec![]; a.push(c.request(r)); join_all(a).await", "future"),
        ("stream.for_each(|r| { if b { return c.request(r); } c.request(s) }).await", "future future"),
        ("stream.for_each(|r| { if b { return g(); } c.request(s) }).await", "as-typed"),
        ("retry_if(|| c.request(r), policy).await", "future"),
        ("(|| c.request(r)).retry(policy).await", "future"),
        ("other(|| c.request(r)).await", "as-typed"),
        ("let a = [c.request(r), c.request(s)]; for b in a { b.await }", "future future"),
        ("let a = [c.request(r), c.request(s)]; for b in a { keep(b) }", "as-typed as-typed"),
        ("let a = [c.request(r)]; for b in a { b.await; } for a in d { keep(a); }", "future"),
        ("let a = [c.request(r)]; for b in a { b.await; } for b in d { keep(a); }", "as-typed"),
        ("keep([c.request(r); 2])", "as-typed"),
    ]);
}

#[test]
fn the_values_of_a_function_have_one_type() {
    let of = |body: &str| choices(&format!("fn f(c: &Client) -> impl Future<Output = u8> {{ {body} }}"));
    assert_eq!(of("c.request(r)"), "future");
    assert_eq!(of("if b { return c.request(r); } c.request(s)"), "future future");
    assert_eq!(of("if b { return g(); } c.request(s)"), "as-typed");
    assert_eq!(of("if b { return c.request(r); } g()"), "as-typed");
    assert_eq!(of("let g = || { return g(); }; c.request(s)"), "future");
    assert_eq!(of("async { if b { return c.request(r); } g() }"), "as-typed");
    assert_eq!(of("let a = c.request(r); a"), "future");
    assert_eq!(of("let a = c.request(r); keep(a)"), "as-typed");
    assert_eq!(choices("fn f(c: &Client) -> Response { c.request(r) }"), "as-typed");
    assert_eq!(choices("fn f(c: &Client) -> BoxFuture<u8> { Box::pin(c.request(r)) }"), "future");
    assert_eq!(choices("fn f(c: &Client) -> BoxFuture<u8> { c.request(r) }"), "as-typed");
    let of = |result: &str, body: &str| choices(&format!("fn f(c: Client) -> {result} {{ {body} }}"));
    assert_eq!(of("impl Fn(Request) -> Response", "move |r| c.request(r)"), "as-typed");
    assert_eq!(of("impl Iterator<Item = Response>", "rs.map(|r| c.request(r))"), "as-typed");
    assert_eq!(of("impl Iterator<Item = impl Future>", "rs.map(|r| c.request(r))"), "future");
    assert_eq!(
        of("impl Future<Output = u8>", "'a: { if b { break 'a c.request(r); } c.request(s) }"),
        "as-typed as-typed"
    );
}

#[test]
fn an_argument_that_cannot_be_a_request_is_left_alone() {
    let may_be = [
        "r",
        "r.field",
        "Request { url }",
        "g()?",
        "g().await",
        "a.build()",
        "g(1)",
        "{ g(); r }",
        "if b { r } else { s }",
        "match b { 1 => Request, _ => g() }",
    ];
    let cannot_be = [
        "1",
        "&r",
        "|a| a",
        "[r]",
        "async { r }",
        "a + b",
        "None",
        "Some(r)",
        "module::value",
        "(f)(r)[0]",
        "#[allow(a)] r",
        "#[allow(a)] (r)",
        "{ 1 }",
        "if b { 1 } else { s }",
        "match b { 1 => Request, _ => None }",
    ];
    check_arguments("c.request(", &may_be, "future");
    check_arguments("c.request(", &cannot_be, "left-alone");
}

#[test]
fn an_argument_whose_type_may_depend_on_the_parameter_is_left_alone() {
    let independent = [
        "a",
        "a.b",
        "1",
        "&a",
        "&1",
        "a.clone()",
        "(a, 1)",
        "a.build()",
        "g(a)",
        "g(1, h(2))",
        "g(a)?",
        "g(a).await",
        "&g(a)",
        "&list[1]",
        "&list()[1]",
        "[1, 2]",
        "[g(a)]",
        "&[(\"a\", a)]",
        "Payload { a, b: 1 }",
        "&Payload { a: a.b }",
        "json!({})",
        "serde_json::json!({})",
        "format!(\"{a}\")",
    ];
    let dependent = [
        "()",
        "None",
        "Some(1)",
        "|a| a",
        "Box::new(|a| a)",
        "g(|a| a)",
        "g(h(|a| a))",
        "g(None)",
        "g(Some(1))",
        "[None]",
        "[&a]",
        "[(a, &b)]",
        "[Box::new(a)]",
        "[std::sync::Arc::new(a)]",
        "(1, Rc::new(a))",
        "&[|a| a]",
        "Payload { a: None }",
        "Payload { a, ..b }",
        "a + 1",
        "other!({})",
        "&{ a }",
        "&None",
        "(a, None)",
    ];
    check_arguments("local.send_json(", &independent, "place");
    check_arguments("local.send_json(", &dependent, "left-alone");
}

#[test]
fn a_macro_that_prints_an_argument_without_a_call_is_no_call() {
    check(&[
        ("requests[0].send(); assert_eq!(a, b)", "left-alone"),
        ("requests[0].send(); assert_eq!(c.request(r), b)", "left-alone left-alone"),
    ]);
}

#[test]
fn the_body_of_a_stream_declares_the_variables_of_its_calls() {
    let function = "fn f(c: &Client) -> impl Stream { stream! { yield c.request(r).await; } }";
    let expanded = expand(TokenStream::new(), function.parse().unwrap()).to_string();
    assert!(expanded.contains("stream ! { let mut __xray_call_0 ="), "{expanded}");
}

#[test]
fn an_argument_whose_type_the_parameter_may_determine_is_written_twice() {
    let times = |argument: &str| {
        let function = format!("async fn f(local: Request) {{ local.send_json({argument}).await }}");
        expand(TokenStream::new(), function.parse().unwrap()).to_string().matches("here").count()
    };
    let copied = [
        "here",
        "(here)",
        "here.field",
        "\"here\"",
        "&here",
        "&here.field",
        "&\"here\"",
        "here.clone()",
        "here.field.to_owned()",
        "\"here\".to_string()",
        "(here, true)",
    ];
    let evaluated_once = [
        "g(here)",
        "(here, 1)",
        "(1, here.field)",
        "[here]",
        "&[(\"a\", here)]",
        "Payload { field: here }",
        "g().here",
        "here.build()",
        "here.clone(1)",
        "here.build().clone()",
        "here().to_owned()",
        "&g(here)",
        "&here()",
        "&here.build()",
        "here().await",
        "here()?",
        "format!(\"here\")",
    ];
    for argument in copied {
        assert_eq!(times(argument), 2, "{argument}");
    }
    for argument in evaluated_once {
        assert_eq!(times(argument), 1, "{argument}");
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
fn an_argument_that_names_the_receiver_is_not_evaluated_before_it() {
    check(&[
        ("a.send_json(g(&mut a))", "left-alone"),
        ("a.send_json(a.next())", "left-alone"),
        ("a.b.send_json(g(&mut a.b))", "left-alone"),
        ("a.b.send_json(a.g())", "left-alone"),
        ("a.b.send_json(g(a.b.c))", "left-alone"),
        ("a.b.send_json(a.c.g())", "place"),
        ("a.send_json(g(b.a))", "place"),
        ("a.send_json(&a)", "place"),
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
        // What is taken out of an option behind a reference is none.
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
fn a_value_that_is_sent_to_a_channel_is_no_request() {
    check(&[
        ("request.send(a)", "place"),
        ("sender.send(a); g().send()", "value"),
        ("tx.send(a); g().send()", "value"),
        ("tx2.send(a); tx_first.send(a); sender_first.send(a); g().send()", "value"),
        ("self.sender.send(a); g().send()", "value"),
        ("builders.map(RequestBuilder::send)", "path"),
        ("#[xray(skip)] builders.map(RequestBuilder::send);", ""),
        ("builders.map(Sender::send); g().send()", "value"),
    ]);
}

#[test]
fn arguments_of_macros_that_print_them_are_left_alone() {
    check(&[
        ("c.request(r).await; println!(\"{}\", a)", "future"),
        ("#[xray(skip)] c.request(r).await; assert!(c.request(s).is_ok())", "left-alone"),
        ("c.request(r).await; assert!(c.request(s).is_ok(), \"text\")", "future as-typed"),
        ("assert!(matches!(c.request(r), Ok(_) if b), \"text\")", "as-typed"),
    ]);
}

#[test]
fn the_future_of_a_client_is_replaced_or_its_call_is_left_alone() {
    check(&[
        ("client.get(url).await", "client"),
        // The open type of the variable is settled too.
        ("let a = client.get(url); a.await", "client future"),
        ("keep(client.get(url))", ""),
        ("client.get(url)?", ""),
        ("client.get(&key).await; c.request(r).await", "future"),
        ("map.get(url).await; c.request(r).await", "future"),
        ("client.get::<u32>(url).await; c.request(r).await", "future"),
        ("let a = if b { client.get::<u32>(url) } else { c.request(r) }; a.await", "as-typed"),
        ("state.client.get(url).await", "client"),
        ("state.lock().await.client.get(url).await", "left-alone"),
        ("pool[0].client.get(url).await", "left-alone"),
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
    let function = "fn f() { #[xray(trace)] (#[allow(a)] (g())).send(); }";
    let expanded = expand(TokenStream::new(), function.parse().unwrap()).to_string();
    assert!(expanded.contains("# [allow (a)]"), "{expanded}");
}
