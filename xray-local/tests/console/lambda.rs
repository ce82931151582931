//! Traces of Lambda functions: their segment comes from AWS and does not arrive here.

use serde_json::{Value, json};

use crate::browser::{Page, in_browser};
use crate::server::{SEGMENT_ID, TRACE_ID, segment, send};

/// The id of the segment that Lambda sends.
const LAMBDA: &str = "53995c3f42cd8ad8";

/// A subsegment as an SDK sends it in a Lambda function: as a document of its own.
fn subsegment(id: &str, fields: &Value) -> Value {
    let mut subsegment = json!({"id": id, "trace_id": TRACE_ID, "type": "subsegment", "parent_id": LAMBDA, "name": "work",
        "start_time": 1_795_600_000.1, "end_time": 1_795_600_000.4});
    subsegment.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    subsegment
}

fn call(id: &str) -> Value {
    subsegment(
        id,
        &json!({"name": "api.example.com", "namespace": "remote", "start_time": 1_795_600_000.5, "end_time": 1_795_600_000.9,
        "http": {"request": {"method": "GET", "url": "https://api.example.com/items/2"}, "response": {"status": 200}}}),
    )
}

/// Returns the depth and the label of each row.
async fn rows(page: &Page) -> Value {
    page.visit(&format!("/traces/{TRACE_ID}")).await;
    page.script("return [...document.querySelectorAll('.rows li')].map((row) => [Number(row.dataset.depth), row.querySelector('b').textContent]);")
        .await
}

#[tokio::test]
async fn the_segment_that_aws_sends_is_drawn_on_the_timeline_and_the_map() {
    in_browser(async |page| {
        send(&page.server, &subsegment("70de5b6f19ff9a01", &json!({})));
        send(&page.server, &call("70de5b6f19ff9a02"));
        assert_eq!(rows(page).await, json!([[0, "Lambda, sent by AWS"], [1, "work"], [1, "GET /items/2"]]));
        assert_eq!(page.count(".rows .stand-in rect:not(.critical)").await, 1);
        let notices = page.text("[data-live]").await;
        assert!(notices.contains("AWS sends the segment of a Lambda function"), "{notices}");
        assert!(!notices.contains("is missing"), "{notices}");
        assert_eq!(page.count(".rows .tag.error").await, 0);

        page.visit(&format!("/traces/{TRACE_ID}/segment?id={LAMBDA}")).await;
        let details = page.text("[data-segment]").await;
        assert!(details.contains("Lambda, sent by AWS") && details.contains("not received"), "{details}");

        page.visit("/map").await;
        let titles: Vec<String> = page
            .evaluate("return [...document.querySelectorAll('.map title')].map((title) => title.textContent);")
            .await;
        assert!(
            titles.iter().any(|title| title.starts_with("Lambda, sent by AWS → api.example.com: 1 request")),
            "{titles:?}"
        );
        assert!(
            !titles.iter().any(|title| title.starts_with("Lambda, sent by AWS → Lambda")),
            "no clients: {titles:?}"
        );

        // The segment arrives after all, for instance from an emulator.
        let function = json!({"id": LAMBDA, "name": "my-function", "origin": "AWS::Lambda::Function"});
        send(&page.server, &segment(&function));
        assert_eq!(rows(page).await[0], json!([0, "my-function"]));
        assert_eq!(page.count(".rows .stand-in").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_missing_segment_of_another_program_is_not_taken_for_lambda() {
    in_browser(async |page| {
        // A service whose root segment has arrived and calls no function: a part of its work was lost.
        send(&page.server, &segment(&json!({})));
        send(&page.server, &subsegment("70de5b6f19ff9a01", &json!({})));
        assert_eq!(rows(page).await, json!([[0, "shop"], [0, "Not received"], [1, "work"]]));
        let notices = page.text("[data-live]").await;
        assert!(notices.contains("The parent of 1 subsegment is missing."), "{notices}");

        // The shop calls a function.
        let invoke = json!({"subsegments": [{"id": "70de5b6f19ff9a03", "name": "Lambda", "namespace": "aws",
            "start_time": 1_795_600_000.0, "end_time": 1_795_600_001.0, "aws": {"operation": "Invoke", "function_name": "my-function"}}]});
        send(&page.server, &segment(&invoke));
        let rows = rows(page).await;
        assert!(rows.as_array().unwrap().contains(&json!([0, "Lambda, sent by AWS"])), "{rows}");
    })
    .await;
}

#[tokio::test]
async fn a_missing_segment_is_not_taken_for_lambda_while_work_is_in_progress_or_if_it_was_rejected() {
    in_browser(async |page| {
        let mut open = subsegment("70de5b6f19ff9a01", &json!({"in_progress": true}));
        open.as_object_mut().unwrap().remove("end_time");
        send(&page.server, &open);
        assert_eq!(rows(page).await[0], json!([0, "Not received"]));
        send(&page.server, &subsegment("70de5b6f19ff9a01", &json!({})));
        assert_eq!(rows(page).await[0], json!([0, "Lambda, sent by AWS"]));
        send(&page.server, &segment(&json!({"id": LAMBDA, "name": "shop?"})));
        assert_eq!(rows(page).await[0], json!([0, "Not received"]));
        assert!(page.text("[data-live]").await.contains("X-Ray would reject"));
    })
    .await;
}

#[tokio::test]
async fn a_mark_of_lambda_in_a_document_decides() {
    in_browser(async |page| {
        send(&page.server, &segment(&json!({"id": SEGMENT_ID})));
        send(
            &page.server,
            &subsegment("70de5b6f19ff9a01", &json!({"name": "## handler", "annotations": {"ColdStart": true}})),
        );
        assert!(rows(page).await.as_array().unwrap().contains(&json!([0, "Lambda, sent by AWS"])));
    })
    .await;
}
