//! In and out: traces as files, and ranges of time in addresses.

use std::path::Path;

use serde_json::{Value, json};
use xray_local::{Server, time};

use crate::browser::{Page, in_browser};
use crate::server::{TRACE_ID, put, segment, send, start};
use crate::shop;

type Response = ureq::http::Response<ureq::Body>;

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into()
}

fn get(server: &Server, path: &str) -> Response {
    agent().get(format!("http://{}{path}", server.http_address())).call().unwrap()
}

fn text(mut response: Response) -> String {
    response.body_mut().with_config().limit(1 << 30).read_to_string().unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// Sends a form with one file, as a browser does.
fn load(server: &Server, content: &[u8]) -> Response {
    let mut body = b"--mark\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a<b>.json\"\r\n\r\n".to_vec();
    body.extend_from_slice(content);
    body.extend_from_slice(b"\r\n--mark--\r\n");
    let request = agent().post(format!("http://{}/load", server.http_address()));
    request.header("content-type", "multipart/form-data; boundary=mark").send(&body[..]).unwrap()
}

/// Returns the names of a trace's rows by depth.
fn outline(server: &Server, id: &str) -> Vec<(usize, String)> {
    let trace = server.store().trace(id).unwrap();
    trace.rows(true).iter().map(|row| (row.depth, row.document.name.clone())).collect()
}

#[test]
fn a_trace_that_is_downloaded_and_loaded_again_has_equal_rows() {
    let server = start();
    shop::traffic(&server, 9);
    let id = server.store().traces()[0].id().to_string();
    for (path, name) in [
        (format!("/traces/{id}.json"), format!("{id}.json")),
        (format!("/traces/{id}.json?format=otlp"), format!("{id}.otlp.json")),
    ] {
        let response = get(&server, &path);
        assert_eq!(
            (response.status().as_u16(), header(&response, "content-type")),
            (200, "application/json"),
            "{path}"
        );
        assert_eq!(header(&response, "content-disposition"), format!("attachment; filename=\"{name}\""));
        let file = text(response);
        let other = start();
        let response = load(&other, file.as_bytes());
        assert_eq!(
            (response.status().as_u16(), header(&response, "location")),
            (303, &*format!("/traces/{id}")),
            "{path}"
        );
        assert_eq!(outline(&other, &id), outline(&server, &id), "{path}");
        assert_eq!(other.store().counters().rejected, 0);
    }
    assert_eq!(get(&server, &format!("/traces/{id}.json?format=xml")).status(), 400);
    assert_eq!(get(&server, "/traces/1-00000000-000000000000000000000000.json").status(), 404);
}

#[test]
fn the_downloads_have_the_forms_of_batch_get_traces_and_otlp() {
    let server = start();
    send(
        &server,
        &segment(&json!({"annotations": {"tenant": "acme"}, "subsegments": [{"id": "00000000000000aa", "name": "call",
        "start_time": 1_795_600_000.25, "end_time": 1_795_600_000.5}]})),
    );
    let file: Value = serde_json::from_str(&text(get(&server, &format!("/traces/{TRACE_ID}.json")))).unwrap();
    let document = file["Traces"][0]["Segments"][0]["Document"].as_str().unwrap();
    let document: Value = serde_json::from_str(document).unwrap();
    assert_eq!(
        (file["Traces"][0]["Id"].as_str(), &document["subsegments"][0]["name"]),
        (Some(TRACE_ID), &json!("call"))
    );
    assert_eq!(file["UnprocessedTraceIds"], json!([]));

    let file: Value =
        serde_json::from_str(&text(get(&server, &format!("/traces/{TRACE_ID}.json?format=otlp")))).unwrap();
    let spans = &file["resourceSpans"][0]["scopeSpans"][0]["spans"];
    assert_eq!(
        (&spans[0]["kind"], &spans[0]["traceId"], &spans[1]["startTimeUnixNano"], &spans[1]["parentSpanId"]),
        (&json!(2), &json!("6b076a21a006649127e371903a2de979"), &json!("1795600000250000000"), &spans[0]["spanId"])
    );
    let attributes = spans[0]["attributes"].as_array().unwrap();
    assert!(attributes.contains(&json!({"key": "tenant", "value": {"stringValue": "acme"}})), "{attributes:?}");
}

#[test]
fn a_document_lines_of_documents_and_lines_of_otlp_are_loaded() {
    let document = |number: u32| {
        let mut document = segment(&json!({"trace_id": format!("1-6b076a21-{number:024x}")}));
        document["name"] = format!("shop {number}").into();
        document
    };
    let span = |number: u32| {
        json!({"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": format!("{number:032x}"), "spanId": "00000000000000aa",
        "name": "a", "kind": 2, "startTimeUnixNano": "1795600000000000000", "endTimeUnixNano": "1795600001000000000"}]}]}]})
    };
    let pretty = serde_json::to_string_pretty(&document(1)).unwrap();
    for (file, traces, location) in [
        (format!("\u{feff}{pretty}\n"), 1, true),
        (format!("{}\n\n{}\r\n", document(1), document(2)), 2, false),
        (format!("{}\n{}\n", span(1), span(2)), 2, false),
        // The datagrams that an SDK sends, as `nc` writes them to a file.
        (format!("{{\"format\":\"json\",\"version\":1}}\n{}\n", document(1)), 1, true),
    ] {
        let server = start();
        let response = load(&server, file.as_bytes());
        assert_eq!(response.status().as_u16() == 303, location, "{file}");
        assert_eq!(server.store().counters().traces, traces, "{file}");
        if !location {
            let page = text(response);
            assert!(page.contains("2 traces") && page.contains("href=\"/traces/1-"), "{page}");
        }
    }
}

#[test]
fn a_segment_larger_than_x_ray_takes_is_loaded_from_a_trace() {
    let server = start();
    let steps: Vec<_> = (1..3_000_u32)
        .map(|number| json!({"id": format!("{number:016x}"), "name": format!("step {number}"), "start_time": 1_795_600_000.1, "end_time": 1_795_600_000.2}))
        .collect();
    let document = segment(&json!({"subsegments": steps})).to_string();
    let inferred = segment(&json!({"id": "00000000000000bb", "name": "inferred", "inferred": true})).to_string();
    let file = json!({"Traces": [{"Id": TRACE_ID, "Segments": [{"Id": "a", "Document": document}, {"Id": "b", "Document": inferred}]}], "UnprocessedTraceIds": []});
    assert_eq!(load(&server, file.to_string().as_bytes()).status(), 303);
    let trace = server.store().trace(TRACE_ID).unwrap();
    assert_eq!(
        (trace.entities().count(), trace.segments[0].subsegments.len()),
        (3_000, 2_999),
        "without the inferred segment"
    );
}

#[test]
fn what_is_wrong_with_a_file_is_said_on_the_page() {
    let server = start();
    let deep = "[".repeat(100_000);
    let wrong = segment(&json!({"name": "a?b"}));
    let many = "[],".repeat(20_000);
    for (file, reason) in [
        (b"".to_vec(), "is empty"),
        (b"no JSON".to_vec(), "is not JSON"),
        (b"{\n  \"a\": 1,\n  b\n}".to_vec(), "line 3"),
        (b"\xff\xfe\x00".to_vec(), "is not UTF-8"),
        (deep.into_bytes(), "is not JSON"),
        (wrong.to_string().into_bytes(), "name"),
        (format!("{}\n{wrong}\nnonsense\n", segment(&json!({}))).into_bytes(), "Line 3"),
        (b"{\"Traces\": 7}".to_vec(), "Traces"),
        (format!("{{\"Traces\": [{}{{}}]}}", "{},".repeat(20_000)).into_bytes(), "at most"),
        (format!("{{\"resourceSpans\": [{many}{{}}]}}").into_bytes(), "resourceSpans"),
        (b"[1, 2]".to_vec(), "is not a segment document"),
    ] {
        let response = load(&server, &file);
        let shown = String::from_utf8_lossy(&file[..file.len().min(60)]).into_owned();
        assert_eq!(
            (response.status().as_u16(), header(&response, "content-type")),
            (422, "text/html; charset=utf-8"),
            "{shown}"
        );
        let page = text(response);
        assert!(page.contains(reason) && page.contains("a&lt;b&gt;.json"), "{shown}: {page}");
    }
    assert_eq!(server.store().counters().traces, 1, "the good line of the file");
    // A form without a file, and a body that is too large.
    let form = |content_type: &str, body: &[u8]| {
        let request = agent().post(format!("http://{}/load", server.http_address()));
        request.header("content-type", content_type).send(body).unwrap()
    };
    let empty = form("multipart/form-data; boundary=mark", b"--mark--\r\n");
    assert_eq!(empty.status(), 422);
    assert!(text(empty).contains("Choose a file"));
    for (content_type, body) in [("text/plain", &b"x"[..]), ("multipart/form-data; boundary=mark", b"--mark\r\ncut")] {
        assert_eq!(form(content_type, body).status(), 422, "{content_type}");
    }
    let response = load(&server, &vec![b' '; 9 << 20]);
    assert_eq!(header(&response, "content-type"), "text/html; charset=utf-8");
    assert!(text(response).contains("8388608"));
}

#[test]
fn a_foreign_page_can_load_no_file() {
    let server = start();
    let body = format!(
        "--mark\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n{}\r\n--mark--\r\n",
        segment(&json!({}))
    );
    for (name, value) in [
        ("origin", "http://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("host", "evil.example"),
    ] {
        let request = agent().post(format!("http://{}/load", server.http_address())).header(name, value);
        let response = request.header("content-type", "multipart/form-data; boundary=mark").send(&body).unwrap();
        assert_eq!(response.status(), 403, "{name}");
    }
    assert_eq!(server.store().counters().traces, 0);
}

async fn choose(page: &Page, path: &Path) {
    page.find("#file").await.send_keys(path.to_str().unwrap()).await.unwrap();
    page.click("#load button").await;
}

#[tokio::test]
async fn a_file_is_chosen_or_dropped_on_the_page() {
    in_browser(async |page| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("trace.json");
        std::fs::write(&path, segment(&json!({"name": "from a file"})).to_string()).unwrap();
        page.visit("/").await;
        page.click_link("Load a file").await;
        choose(page, &path).await;
        page.find(".rows").await;
        assert_eq!(page.text("main h1").await, "from a file");
        assert!(page.location().await.starts_with(&format!("/traces/{TRACE_ID}")));

        // Dropped on any page.
        page.visit("/map").await;
        let other = segment(&json!({"trace_id": "1-6b076a21-00000000000000000000000b", "name": "dropped"}));
        let drop = format!(
            "const files = new DataTransfer(); files.items.add(new File([{}], 'dropped.json'));
             for (const type of ['dragover', 'drop']) document.body.dispatchEvent(new DragEvent(type, {{bubbles: true, cancelable: true, dataTransfer: files}}));",
            json!(other.to_string())
        );
        page.script(&drop).await;
        page.until("return document.querySelector('main h1')?.textContent === 'dropped';").await;

        // Without a script, and with a problem.
        std::fs::write(&path, "nonsense").unwrap();
        page.turn_scripts_off().await;
        page.visit("/load").await;
        choose(page, &path).await;
        let problem = page.text(".notice.bad").await;
        assert!(problem.contains("trace.json") && problem.contains("is not JSON"), "{problem}");
        // The browser reports the status of the response.
        page.expect_message("422").await;
    })
    .await;
}

#[tokio::test]
async fn a_range_of_time_restricts_the_list_and_stays_in_its_links() {
    in_browser(async |page| {
        let now = time::now();
        for (number, age) in [(1, 60.0), (2, 20.0 * 60.0), (3, 3.0 * 3_600.0)] {
            put(
                &page.server,
                &segment(&json!({"trace_id": format!("1-6b076a21-{number:024x}"), "name": format!("shop {number}"),
                "start_time": now - age, "end_time": now - age + 1.0})),
            );
        }
        page.visit("/").await;
        let names = "return [...document.querySelectorAll('.traces tbody .service')].map((cell) => cell.textContent);";
        page.click_link("5 min").await;
        assert_eq!(page.script(names).await, json!(["shop 1"]));
        assert!(page.location().await.contains("minutes=5"));
        page.click_link("1 h").await;
        assert_eq!(page.script(names).await.as_array().unwrap().len(), 2);
        // The search keeps the range.
        page.find("#filter").await.send_keys("shop\u{e007}").await.unwrap();
        page.until("return new URL(location).searchParams.get('filter') === 'shop';").await;
        assert_eq!(page.script(names).await.as_array().unwrap().len(), 2);
        page.click("nav[aria-label='Range of time'] a:first-of-type").await;
        assert_eq!(page.script(names).await.as_array().unwrap().len(), 3);

        // A free choice: times of UTC, as the address has them.
        let at = |age: f64| format!("{:.0}", now - age);
        page.visit(&format!("/?from={}&to={}", at(3_000.0), at(600.0))).await;
        assert_eq!(page.script(names).await, json!(["shop 2"]));
        page.click("#times summary").await;
        let value = page.script("return document.querySelector('#times [name=from]').value;").await;
        assert!(value.as_str().unwrap().contains('T'), "{value}");
        page.visit("/?from=nonsense&to=1e999&minutes=x").await;
        assert_eq!(page.script(names).await.as_array().unwrap().len(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_w3c_trace_id_in_the_search_box_opens_the_trace() {
    in_browser(async |page| {
        send(&page.server, &segment(&json!({})));
        page.visit("/").await;
        page.find("#filter").await.send_keys("6b076a21a006649127e371903a2de979\u{e007}").await.unwrap();
        page.find(".rows").await;
        assert_eq!(page.location().await, format!("/traces/{TRACE_ID}"));
    })
    .await;
}
