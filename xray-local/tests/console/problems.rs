//! What is wrong with documents, and documents that mean harm.

use serde_json::json;

use crate::browser::{Page, in_browser};
use crate::shop;

const TRACE_ID: &str = "1-6b076a21-a006649127e371903a2de979";
const MARKUP: &str =
    "</title></script><script>window.harmed=1</script><img src=x onerror=window.harmed=1>\"'&<b id=s-x>";

#[tokio::test]
async fn a_rejected_document_is_explained() {
    in_browser(async |page| {
        let document = json!({"id": "70de5b6f19ff9a0a", "trace_id": TRACE_ID, "name": "Vec<String>", "start_time": 1.0, "end_time": 2.0});
        page.visit("/problems").await;
        assert_eq!(page.text(".empty h2").await, "No problems");
        shop::send(&page.server, &document);
        page.until("return document.querySelectorAll('.problems > li').length === 1;").await;
        let finding = page.server.store().reports()[0].findings[0].clone();
        assert_eq!((finding.field.as_str(), finding.is_rejection()), ("name", true));
        let problem = page.text(".problems > li").await;
        let (reason, advice) = (finding.reason.replace('`', ""), finding.advice.replace('`', ""));
        for part in ["Rejected", "InvalidName", "name", &reason, &advice, "over UDP"] {
            assert!(problem.contains(part), "{part} in {problem}");
        }
        page.find(".problems summary").await.click().await.unwrap();
        assert_eq!(page.text(".problems pre").await, document.to_string());
        assert_eq!(page.text(".top nav .count").await.lines().next(), Some("1"));

        page.visit("/counters").await;
        let counters = page.text("main").await;
        assert!(counters.contains("Rejected\n1\n") && counters.contains("Received\n1\n"), "{counters}");
    })
    .await;
}

/// The page shows the text as it is, and is the page that it would be with any other text.
async fn assert_unharmed(page: &Page, place: &str) {
    assert_eq!(page.script("return window.harmed === undefined;").await, true, "{place}");
    let foreign = "return document.querySelectorAll('img, script:not([src^=\"/assets/\"]), b#s-x, [onerror]').length;";
    assert_eq!(page.script(foreign).await, 0, "{place}");
}

#[tokio::test]
async fn nothing_of_a_document_becomes_markup() {
    in_browser(async |page| {
        // A name that X-Ray refuses, and every text that it takes.
        shop::send(&page.server, &json!({"id": "70de5b6f19ff9a0a", "trace_id": TRACE_ID, "name": MARKUP, "start_time": 1.0, "end_time": 2.0}));
        let cut: String = MARKUP.chars().take(200).collect();
        shop::send(&page.server, &json!({
            "id": "70de5b6f19ff9a0b", "trace_id": TRACE_ID, "name": "shop", "start_time": 1_795_600_000.0, "end_time": 1_795_600_001.0,
            "user": cut, "origin": cut,
            "http": {"request": {"method": "<b>", "url": "javascript:window.harmed=1", "user_agent": cut, "client_ip": cut}, "response": {"status": 500}},
            "fault": true, "cause": {"working_directory": cut, "exceptions": [{"id": "70de5b6f19ff9a0c", "type": cut, "message": cut,
                "stack": [{"path": cut, "line": 1, "label": cut}]}]},
            "annotations": {"key": cut}, "metadata": {"default": {"key": cut}},
            "subsegments": [
                {"id": "70de5b6f19ff9a0d", "name": "db", "namespace": "remote", "start_time": 1_795_600_000.1, "end_time": 1_795_600_000.2,
                    "sql": {"sanitized_query": cut, "url": cut}},
                {"id": "70de5b6f19ff9a0e", "name": "SQS", "namespace": "aws", "start_time": 1_795_600_000.1, "end_time": 1_795_600_000.2,
                    "aws": {"operation": cut, "queue_url": "javascript:window.harmed=1"}}]
        }));
        page.visit("/problems").await;
        page.find(".problems summary").await.click().await.unwrap();
        assert!(page.text(".problems pre").await.contains("<script>window.harmed=1</script>"));
        assert_unharmed(page, "problems").await;

        let segment = format!("/traces/{TRACE_ID}/segment?id=70de5b6f19ff9a0b");
        for path in ["/", &format!("/traces/{TRACE_ID}"), &segment, "/map", "/counters"] {
            page.visit(path).await;
            assert_unharmed(page, path).await;
            let schemes = "return [...document.querySelectorAll('[href], [src], [action]')].map((element) => element.href ?? element.src ?? element.action)
                .map((address) => new URL(address.baseVal ?? address, location).protocol).filter((scheme) => scheme !== 'http:');";
            assert_eq!(page.script(schemes).await, json!([]), "{path}");
        }
        page.visit(&segment).await;
        let shown = page.text("[data-segment]").await;
        assert!(shown.contains("javascript:window.harmed=1") && shown.contains("<img src=x onerror=window.harmed=1>"), "{shown}");

        page.visit(&format!("/?filter={}", "%22%3E%3Cscript%3Ewindow.harmed%3D1%3C%2Fscript%3E")).await;
        assert_unharmed(page, "filter").await;
        assert!(page.text("#wrong").await.contains("<script>"));
    })
    .await;
}
