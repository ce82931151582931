//! The page of problems, and documents that try to inject markup.

use serde_json::json;

use crate::browser::{Page, in_browser};
use crate::server::{TRACE_ID, segment, send};

/// Ends each context in which a page may show a text (a title, a script, an attribute), and then tries to run a script.
const MARKUP: &str =
    "</title></script><script>window.harmed=1</script><img src=x onerror=window.harmed=1>\"'&<b id=s-x>";

#[tokio::test]
async fn a_rejected_document_is_explained() {
    in_browser(async |page| {
        let document = segment(&json!({"name": "Vec<String>"}));
        page.visit("/problems").await;
        assert_eq!(page.text(".empty h2").await, "No problems");
        send(&page.server, &document);
        page.until("return document.querySelectorAll('.problems > li').length === 1;").await;
        let finding = page.server.store().reports()[0].findings[0].clone();
        assert_eq!((finding.field.as_str(), finding.is_rejection()), ("name", true));
        let problem = page.text(".problems > li").await;
        let (reason, advice) = (finding.reason.replace('`', ""), finding.advice.replace('`', ""));
        for part in ["Rejected", "InvalidName", "name", &reason, &advice, "over UDP"] {
            assert!(problem.contains(part), "{part} in {problem}");
        }
        page.click(".problems summary").await;
        assert_eq!(page.text(".problems pre").await, document.to_string());
        assert_eq!(page.text(".top nav .count").await.lines().next(), Some("1"));

        page.visit("/counters").await;
        let counters = page.text("main").await;
        assert!(counters.contains("Rejected\n1\n") && counters.contains("Received\n1\n"), "{counters}");
    })
    .await;
}

/// Asserts that no script of a document has run, and that the page has no element of a document.
async fn assert_unharmed(page: &Page, place: &str) {
    assert_eq!(page.script("return window.harmed === undefined;").await, true, "{place}");
    let foreign = "return document.querySelectorAll('img, script:not([src^=\"/assets/\"]), b#s-x, [onerror]').length;";
    assert_eq!(page.script(foreign).await, 0, "{place}");
}

#[tokio::test]
async fn no_text_of_a_document_becomes_markup() {
    in_browser(async |page| {
        // X-Ray rejects a name with markup, but accepts it in every other text.
        send(&page.server, &segment(&json!({"name": MARKUP})));
        let text: String = MARKUP.chars().take(200).collect();
        send(&page.server, &segment(&json!({
            "id": "70de5b6f19ff9a0b", "user": text, "origin": text,
            "http": {"request": {"method": "<b>", "url": "javascript:window.harmed=1", "user_agent": text, "client_ip": text}, "response": {"status": 500}},
            "fault": true, "cause": {"working_directory": text, "exceptions": [{"id": "70de5b6f19ff9a0c", "type": text, "message": text,
                "stack": [{"path": text, "line": 1, "label": text}]}]},
            "annotations": {"key": text}, "metadata": {"default": {"key": text}},
            "subsegments": [
                {"id": "70de5b6f19ff9a0d", "name": "db", "namespace": "remote", "start_time": 1_795_600_000.1, "end_time": 1_795_600_000.2,
                    "sql": {"sanitized_query": text, "url": text}},
                {"id": "70de5b6f19ff9a0e", "name": "SQS", "namespace": "aws", "start_time": 1_795_600_000.1, "end_time": 1_795_600_000.2,
                    "aws": {"operation": text, "queue_url": "javascript:window.harmed=1"}}]
        })));
        page.visit("/problems").await;
        page.click(".problems summary").await;
        assert!(page.text(".problems pre").await.contains("<script>window.harmed=1</script>"));
        assert_unharmed(page, "/problems").await;

        let details = format!("/traces/{TRACE_ID}/segment?id=70de5b6f19ff9a0b");
        for path in ["/", &format!("/traces/{TRACE_ID}"), &details, "/map", "/counters"] {
            page.visit(path).await;
            assert_unharmed(page, path).await;
            // No link, image or form leads anywhere but to a server.
            let schemes = "return [...document.querySelectorAll('[href], [src], [action]')].map((element) => element.href ?? element.src ?? element.action)
                .map((address) => new URL(address.baseVal ?? address, location).protocol).filter((scheme) => scheme !== 'http:');";
            assert_eq!(page.script(schemes).await, json!([]), "{path}");
        }
        page.visit(&details).await;
        let shown = page.text("[data-segment]").await;
        assert!(shown.contains("javascript:window.harmed=1") && shown.contains("<img src=x onerror=window.harmed=1>"), "{shown}");

        page.visit(&format!("/?filter={}", "%22%3E%3Cscript%3Ewindow.harmed%3D1%3C%2Fscript%3E")).await;
        assert_unharmed(page, "the filter").await;
        assert!(page.text("#filter-error").await.contains("<script>"));
    })
    .await;
}
