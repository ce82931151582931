//! The pages as they are sent over HTTP, without a browser and its script.

use serde_json::json;
use xray_local::{Server, time};

use crate::server::{SEGMENT_ID, TRACE_ID, segment, send, start};
use crate::shop;

type Response = ureq::http::Response<ureq::Body>;

fn get(server: &Server, path: &str) -> Response {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    agent.get(format!("http://{}{path}", server.http_address())).call().unwrap()
}

fn body(server: &Server, path: &str) -> String {
    get(server, path).body_mut().read_to_string().unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// Returns the first address in a page that begins with `start`.
fn link(page: &str, start: &str) -> String {
    let begin = page.find(&format!("href=\"{start}")).unwrap_or_else(|| panic!("no link to {start}")) + 6;
    page[begin..].split('"').next().unwrap().replace("&amp;", "&")
}

#[test]
fn links_lead_from_the_list_to_a_segment_and_back() {
    let server = start();
    shop::traffic(&server, 9);
    let trace = link(&body(&server, "/"), "/traces/");
    let segment = link(&body(&server, &trace), &format!("{trace}/segment?id="));
    let details = body(&server, &segment);
    assert!(details.contains("storefront") && details.contains("Raw JSON"), "{details}");
    assert!(link(&details, &trace).starts_with(&format!("{trace}#s-")));
}

/// A worker may continue a header whose sender is unknown here.
#[test]
fn the_missing_parent_of_a_segment_is_named_and_explained() {
    let server = start();
    let parent = "53995c3f42cd8ad8";
    send(&server, &segment(&json!({ "parent_id": parent })));
    let show = || body(&server, &format!("/traces/{TRACE_ID}"));
    let page = show();
    let notice = format!("The parent segment <code>{parent}</code> was not received. Usually ");
    assert!(page.contains(&notice) && page.contains("parent missing"), "{page}");

    send(&server, &segment(&json!({ "id": parent, "name": "caller" })));
    let page = show();
    assert!(
        page.contains("caller") && !page.contains("was not received") && !page.contains("parent missing"),
        "{page}"
    );
}

#[test]
fn a_parent_in_another_trace_that_is_only_suspicious_was_not_rejected() {
    let server = start();
    let other = "1-581cf771-a006649127e371903a2de979";
    for (id, field, is_rejected) in [("70de5b6f19ff9a0a", "unknown", false), ("70de5b6f19ff9a0b", "name", true)] {
        send(&server, &segment(&json!({ "id": id, field: "a?" })));
        let orphan =
            json!({ "type": "subsegment", "id": id.replace("0de", "0df"), "parent_id": id, "trace_id": other });
        send(&server, &segment(&orphan));
        let page = body(&server, &format!("/traces/{other}"));
        assert_eq!(page.contains("A parent was received, but X-Ray would reject it"), is_rejected, "{id}");
    }
}

#[test]
fn the_details_of_a_segment_link_to_other_traces_and_list_its_aws_block() {
    let server = start();
    let linked = "1-5759e988-bd862e3fe1be46a994272793";
    send(
        &server,
        &segment(&json!({
            "links": [{ "trace_id": linked, "id": "53995c3f42cd8ad8" }, { "trace_id": "javascript:alert(1)", "id": "x" }],
            "subsegments": [{
                "id": "70de5b6f19ff9a0f", "name": "SQS", "namespace": "aws", "start_time": 1.0, "end_time": 2.0,
                "aws": { "operation": "SendMessage", "queue_url": "https://sqs.example.com/1/orders" },
            }],
        })),
    );
    let trace = format!("/traces/{TRACE_ID}");
    let details = link(&body(&server, &trace), &format!("{trace}/segment?id="));
    let page = body(&server, &details);
    assert!(page.contains("Linked traces") && page.contains(&format!("href=\"/traces/{linked}\"")), "{page}");
    assert!(!page.contains("href=\"javascript") && !page.contains("/traces/javascript"));
    let call = body(&server, &format!("{trace}/segment?id=70de5b6f19ff9a0f"));
    assert!(call.contains("queue_url") && call.contains("https://sqs.example.com/1/orders"), "{call}");
}

/// The documents of a Lambda function: the second subsegment fails, or only a call inside it does, which it handles.
#[test]
fn all_pages_show_one_state_for_a_trace_without_a_segment() {
    for (is_handled, state, tag) in [(true, "ok", true), (false, "fault", false)] {
        let server = start();
        let mut documents = [1, 2].map(|number| {
            segment(&json!({ "id": format!("{number:016x}"), "type": "subsegment", "parent_id": "53995c3f42cd8ad8",
                "name": "work", "start_time": time::now() + f64::from(number), "end_time": time::now() + 3.0 }))
        });
        documents[1]["fault"] = (!is_handled).into();
        documents[1]["subsegments"] = json!([{ "id": "0000000000000003", "name": "api", "namespace": "remote",
            "start_time": time::now(), "end_time": time::now(), "fault": is_handled }]);
        for document in &documents {
            send(&server, document);
        }
        let status = format!("<span class=\"status {state}\">");
        let list = body(&server, "/");
        assert!(list.contains(&format!("<td class=\"state\">{status}")), "{list}");
        assert_eq!(list.contains("<span class=\"tag fault\">1 fault</span>"), tag, "{list}");
        let faults = format!("<dt>Faults</dt><dd>{}", if is_handled { "0" } else { "<i class=\"dot fault\"></i> 1" });
        assert!(list.contains(&faults), "{list}");
        let page = body(&server, &format!("/traces/{TRACE_ID}"));
        assert!(page.contains(&format!("<dt>Status</dt><dd>{status}")), "{page}");
        assert!(body(&server, "/recent").contains(&status));
    }
}

#[test]
fn a_page_may_load_only_files_of_the_console() {
    let server = start();
    for path in ["/", "/map", "/problems", "/counters", &format!("/traces/{TRACE_ID}")] {
        let response = get(&server, path);
        let policy = header(&response, "content-security-policy");
        assert!(policy.starts_with("default-src 'none';"), "{path}: {policy}");
        assert!(policy.contains("script-src 'self'; style-src 'self'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{path}: {policy}");
        assert_eq!(header(&response, "x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header(&response, "cross-origin-resource-policy"), "same-origin", "{path}");
        assert_eq!(header(&response, "cross-origin-opener-policy"), "same-origin", "{path}");
        assert_eq!(header(&response, "cache-control"), "no-store", "{path}");
        assert_eq!(header(&response, "referrer-policy"), "same-origin", "{path}");
        assert!(header(&response, "content-type").starts_with("text/html; charset=utf-8"), "{path}");
    }
}

#[test]
fn an_asset_may_be_cached_forever_because_its_address_names_its_content() {
    let server = start();
    let style = link(&body(&server, "/"), "/assets/style.css?v=");
    let response = get(&server, &style);
    assert_eq!(header(&response, "cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(header(&response, "content-type"), "text/css; charset=utf-8");
    assert_eq!(header(&response, "x-content-type-options"), "nosniff");
    assert_eq!(get(&server, "/assets/..%2fmod.rs").status(), 404);
}

#[test]
fn an_unknown_trace_or_segment_gives_a_page_with_status_404() {
    let server = start();
    let trace = format!("/traces/{TRACE_ID}");
    send(&server, &segment(&json!({})));
    for path in [
        "/traces/nonsense",
        "/traces/1-00000000-000000000000000000000000",
        &format!("{trace}/segment?id=70de5b6f19ff9a0f"),
    ] {
        let mut response = get(&server, path);
        assert_eq!(response.status(), 404, "{path}");
        let page = response.body_mut().read_to_string().unwrap();
        assert!(page.contains("<h1>Not found</h1>"), "{path}");
        for tab in ["/", "/map", "/problems", "/counters"] {
            assert!(page.contains(&format!("<a href=\"{tab}\"")), "no link to {tab} in {page}");
        }
    }
    assert_eq!(get(&server, &trace).status(), 200);
}

#[test]
fn no_page_has_a_number_that_is_infinite() {
    let server = start();
    let call = |id: u32, start: f64, end: f64| json!({ "id": format!("{id:016x}"), "name": "api", "namespace": "remote", "start_time": start, "end_time": end });
    let calls = [call(1, -1.7e308, 1.7e308), call(2, 1.7e308, -1.7e308), call(3, 5e-324, 1.7e308)];
    let document = segment(&json!({ "start_time": -1.7e308, "end_time": 1.7e308, "subsegments": calls }));
    server.store().put(&document.to_string(), xray_local::store::Source::Http);
    let trace = format!("/traces/{TRACE_ID}");
    let of_trace = [trace.clone(), format!("{trace}/flame"), format!("{trace}/segment?id={SEGMENT_ID}")];
    for path in ["/", "/?by=operation", "/map", "/recent"].into_iter().chain(of_trace.iter().map(String::as_str)) {
        let page = body(&server, path);
        for wrong in ["NaN", "inf\"", "inf%", "inf ", "inf<"] {
            assert!(!page.contains(wrong), "{path}: {wrong} in {page}");
        }
    }
}

#[test]
fn a_mistyped_parameter_counts_as_absent() {
    let server = start();
    send(&server, &segment(&json!({})));
    for (path, mistyped) in
        [("/", "/?by=zz"), ("/?by=url", "/?by=url&sort=zz"), ("/map", "/map?minutes=zz&zoom=zz&group=zz")]
    {
        let mut response = get(&server, mistyped);
        assert_eq!(response.status(), 200, "{mistyped}");
        let rows = |page: &str| page.matches("<tr").count();
        assert_eq!(rows(&response.body_mut().read_to_string().unwrap()), rows(&body(&server, path)), "{mistyped}");
    }
}

#[test]
fn a_revision_grows_with_the_documents_that_it_counts() {
    let server = start();
    let revision = |path: &str| body(&server, path).parse::<u64>().unwrap();
    let of_trace = format!("/changes?trace={TRACE_ID}");
    assert_eq!((revision("/changes"), revision(&of_trace)), (0, 0));
    send(&server, &segment(&json!({})));
    let (all, one) = (revision("/changes"), revision(&of_trace));
    assert!(all > 0 && one > 0);
    send(&server, &segment(&json!({"trace_id": "1-6b076a21-000000000000000000000001"})));
    assert!(revision("/changes") > all);
    assert_eq!(revision(&of_trace), one, "the document belongs to another trace");
}
