//! Which arguments may be a request, and which are written twice.

use proc_macro2::TokenStream;

use super::{check, check_arguments};
use crate::tests::expand;

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
        "*boxed",
        "**a.b",
        "unsafe { g() }",
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
        "make!(u)",
        "loop { break r }",
        "-a",
        "*CONSTANT",
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
        "[[1], [2]]",
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
        "[[&a]]",
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
fn a_call_to_get_is_left_alone_for_its_argument_only_if_it_may_be_awaited() {
    check(&[
        ("client.get(if a { b } else { d }).await;", "left-alone"),
        ("let a = client.get(if a { b } else { d }); requests[0].send()", "left-alone"),
        ("join(client.get(Some(a)), b).await;", "left-alone"),
        ("c.request(r).await; let a = client.get(if a { b } else { d });", "future"),
        ("c.request(r).await; client.get(if a { b } else { d }).send().await;", "future value"),
        ("c.request(r).await; client.get::<A>(a).await;", "future"),
    ]);
}

#[test]
fn a_call_to_get_that_cannot_be_traced_is_an_error_only_if_it_is_marked() {
    const GET: &str = "client.get(if a { b } else { d })";
    let of = |arguments: &str, body: String| {
        let function = format!("async fn f(c: &Client) {{ c.request(r).await; {body} }}").parse().unwrap();
        expand(arguments.parse().unwrap(), function).to_string()
    };
    for body in [format!("#[xray(trace)] {GET};"), format!("#[xray(trace)] {GET}.await;")] {
        assert!(of("", body).contains("this call is not traced, because the type of its argument may depend"));
    }
    for body in [format!("{GET};"), format!("{GET}.await;")] {
        assert!(!of("strict", body).contains("compile_error"));
    }
}

#[test]
fn the_reason_fits_the_receiver_and_the_argument() {
    let reason = |call: &str| {
        let function = format!("fn f() {{ {call} }}").parse().unwrap();
        let expanded = expand(TokenStream::new(), function).to_string();
        let (_, why) = expanded.split_once("why : \"").expect("the call is left alone");
        why.split_once('"').unwrap().0.to_owned()
    };
    for (call, part) in [
        ("p().r.send();", "a field of a value"),
        ("(a, 1).0.send();", "a field of a value"),
        ("(a as RequestBuilder).send();", "a cast or a loop"),
        ("loop { break a }.send();", "a cast or a loop"),
        ("a[0].send();", "an index"),
        ("make!().send();", "a macro"),
        ("c.request(make!(u));", "a macro or a loop"),
        ("c.request({ loop { break r } });", "a macro or a loop"),
        ("c.request(unsafe { make!(u) });", "a macro or a loop"),
        ("c.request(if a { make!(u) } else { r });", "a macro or a loop"),
        ("c.request(match a { 1 => make!(u), _ => 2 });", "a macro or a loop"),
        ("c.request(&r);", "shows that it is not a request"),
    ] {
        assert!(reason(call).contains(part), "{call}: {}", reason(call));
    }
}

#[test]
fn a_macro_that_prints_an_argument_without_a_call_is_no_call() {
    check(&[
        ("requests[0].send(); assert_eq!(a, b)", "left-alone"),
        ("requests[0].send(); assert_eq!(c.request(r), b)", "left-alone left-alone"),
    ]);
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
fn a_value_that_is_sent_to_a_channel_is_no_request() {
    check(&[
        ("request.send(a)", "place"),
        ("sender.send(a); g().send()", "value"),
        ("tx.send(a); g().send()", "value"),
        ("tx2.send(a); tx_first.send(a); sender_first.send(a); g().send()", "value"),
        ("self.sender.send(a); g().send()", "value"),
        ("builders.map(RequestBuilder::send)", "path"),
        ("builders.map(RequestBuilder::send); Word(1).send()", "path"),
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
