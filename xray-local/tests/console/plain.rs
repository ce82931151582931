//! The pages as they come over HTTP, without a script.

use serde_json::json;
use xray_local::Server;

use crate::shop;

type Answer = ureq::http::Response<ureq::Body>;

fn get(server: &Server, path: &str) -> Answer {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    agent.get(format!("http://{}{path}", server.http_address())).call().unwrap()
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// The first address in a page that begins so.
fn link(page: &str, start: &str) -> String {
    let begin = page.find(&format!("href=\"{start}")).unwrap_or_else(|| panic!("no link to {start}")) + 6;
    page[begin..].split('"').next().unwrap().replace("&amp;", "&")
}

#[test]
fn links_lead_from_the_list_to_a_segment_and_back() {
    let server = Server::builder().address("127.0.0.1:0").start().unwrap();
    shop::traffic(&server, 9);
    let body = |path: &str| get(&server, path).body_mut().read_to_string().unwrap();
    let list = body("/");
    let trace = link(&list, "/traces/");
    let segment = link(&body(&trace), &format!("{trace}/segment?id="));
    let details = body(&segment);
    assert!(details.contains("storefront") && details.contains("Raw JSON"), "{details}");
    assert!(link(&details, &trace).starts_with(&format!("{trace}#s-")));
}

#[test]
fn pages_allow_nothing_but_their_own() {
    let server = Server::builder().address("127.0.0.1:0").start().unwrap();
    for path in ["/", "/map", "/problems", "/counters", "/traces/1-6b076a21-a006649127e371903a2de979"] {
        let answer = get(&server, path);
        let policy = header(&answer, "content-security-policy");
        assert!(policy.starts_with("default-src 'none';"), "{path}: {policy}");
        assert!(policy.contains("script-src 'self'; style-src 'self'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{path}: {policy}");
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header(&answer, "cache-control"), "no-store", "{path}");
        assert_eq!(header(&answer, "referrer-policy"), "no-referrer", "{path}");
        assert!(header(&answer, "content-type").starts_with("text/html; charset=utf-8"), "{path}");
    }
}

#[test]
fn assets_are_kept_for_ever_at_an_address_of_their_content() {
    let server = Server::builder().address("127.0.0.1:0").start().unwrap();
    let page = get(&server, "/").body_mut().read_to_string().unwrap();
    let style = link(&page, "/assets/style.css?v=");
    let answer = get(&server, &style);
    assert_eq!(header(&answer, "cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(header(&answer, "content-type"), "text/css; charset=utf-8");
    assert_eq!(header(&answer, "x-content-type-options"), "nosniff");
    assert_eq!(get(&server, "/assets/..%2fmod.rs").status(), 404);
}

#[test]
fn what_is_not_here_is_answered_with_a_page() {
    let server = Server::builder().address("127.0.0.1:0").start().unwrap();
    let trace = "/traces/1-6b076a21-a006649127e371903a2de979";
    shop::send(
        &server,
        &json!({"id": "70de5b6f19ff9a0a", "trace_id": &trace[8..], "name": "shop", "start_time": 1, "end_time": 2}),
    );
    for path in [
        "/traces/nonsense",
        "/traces/1-00000000-000000000000000000000000",
        &format!("{trace}/segment?id=70de5b6f19ff9a0f"),
    ] {
        let mut answer = get(&server, path);
        assert_eq!(answer.status(), 404, "{path}");
        assert!(answer.body_mut().read_to_string().unwrap().contains("<h1>Not here</h1>"), "{path}");
    }
    assert_eq!(get(&server, trace).status(), 200);
}

#[test]
fn changes_are_told_as_a_number() {
    let server = Server::builder().address("127.0.0.1:0").start().unwrap();
    let trace = "1-6b076a21-a006649127e371903a2de979";
    let number = |path: &str| get(&server, path).body_mut().read_to_string().unwrap().parse::<u64>().unwrap();
    let of_trace = format!("/changes?trace={trace}");
    assert_eq!((number("/changes"), number(&of_trace)), (0, 0));
    shop::send(
        &server,
        &json!({"id": "70de5b6f19ff9a0a", "trace_id": trace, "name": "shop", "start_time": 1, "end_time": 2}),
    );
    let (all, one) = (number("/changes"), number(&of_trace));
    assert!(all > 0 && one > 0);
    shop::send(
        &server,
        &json!({"id": "70de5b6f19ff9a0b", "trace_id": "1-6b076a21-000000000000000000000001", "name": "shop", "start_time": 1, "end_time": 2}),
    );
    assert!(number("/changes") > all);
    assert_eq!(number(&of_trace), one, "of another trace");
}
