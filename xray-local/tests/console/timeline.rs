//! The page of one trace: its timeline, and the details of its segments.

use serde_json::json;

use crate::browser::in_browser;
use crate::server::{SEGMENT_ID, TRACE_ID, segment, send};
use crate::shop;

#[tokio::test]
async fn a_called_service_stands_below_its_call_and_within_its_bar() {
    in_browser(async |page| {
        shop::traffic(&page.server, 18);
        page.open_first_trace("fault").await;
        let rows = "return [...document.querySelectorAll('.rows li')].map((row) => [
            Number(row.dataset.depth), row.querySelector('b').textContent, row.classList.contains('inferred')]);";
        assert_eq!(
            page.script(rows).await,
            json!([
                [0, "storefront", false],
                [1, "checkout", false],
                [2, "checkout", false],
                [3, "validate cart", false],
                [3, "inventory", false],
                [4, "inventory", false],
                [5, "shop@db.internal", false],
                [6, "shop@db.internal", true],
                [3, "api.cardpay.example", false],
                [4, "api.cardpay.example", true],
                [3, "release reservation", false]
            ])
        );
        // Each bar lies within the bar of its parent, and each name is indented more than the name of its parent.
        let is_nested = "const rows = [...document.querySelectorAll('.rows li')];
            return rows.slice(1).every((row, index) => {
                const parent = rows.slice(0, index + 1).reverse().find((other) => +other.dataset.depth < +row.dataset.depth);
                const [bar, outer] = [row, parent].map((row) => row.querySelector('rect').getBoundingClientRect());
                const [name, outerName] = [row, parent].map((row) => row.querySelector('b').getBoundingClientRect());
                return bar.left >= outer.left - 1 && bar.right <= outer.right + 1 && name.left > outerName.left;
            });";
        assert_eq!(page.script(is_nested).await, true);
        let dashes = |css: &str| format!("return getComputedStyle(document.querySelector('{css}')).strokeDasharray;");
        assert_ne!(page.script(&dashes(".rows .inferred rect")).await, page.script(&dashes(".rows .subsegment rect")).await);
    })
    .await;
}

#[tokio::test]
async fn selecting_a_bar_shows_the_details_beside_the_timeline() {
    in_browser(async |page| {
        shop::traffic(&page.server, 18);
        page.open_first_trace("fault").await;
        let select = |name: &str| {
            format!("[...document.querySelectorAll('.rows a')].findLast((row) => row.querySelector('b').textContent === '{name}'
                && !row.closest('.inferred')).click();")
        };
        page.script(&select("api.cardpay.example")).await;
        page.until_text("aside h1", "api.cardpay.example").await;
        let details = page.text("aside").await;
        for part in [
            "remote call", "POST", "https://api.cardpay.example/v2/charges", "503",
            "checkout::payment::ChargeError", "card provider answered 503 after 3 attempts",
            "checkout::orders::place", "src/orders.rs:64", "11 more stack frames not recorded",
            "caused by", "reqwest::Error", "Raw JSON",
        ] {
            assert!(details.contains(part), "{part} in {details}");
        }
        assert_eq!(page.count(".rows a[aria-current]").await, 1);

        page.script(&select("checkout")).await;
        page.until_text("aside h1", "checkout").await;
        let details = page.text("aside").await;
        for part in ["Recorded in api.cardpay.example", "tenant", "acme", "customer-108", "\"total\": 119.85", "ecs.container\ncheckout-7c9d"] {
            assert!(details.contains(part), "{part} in {details}");
        }
        page.click("aside summary").await;
        assert!(page.text("aside details pre").await.contains("\"origin\": \"AWS::ECS::Container\""));

        page.script(&select("shop@db.internal")).await;
        page.until_text("aside h1", "shop@db.internal").await;
        assert!(page.text("aside").await.contains("UPDATE stock SET reserved"));

        // The selection is part of the address.
        page.client.refresh().await.unwrap();
        page.until_text("aside h1", "shop@db.internal").await;

        page.script("document.querySelector('aside .pairs a').click();").await;
        page.find("[data-segment] h1").await;
        assert!(page.location().await.contains("/segment?id="));
    })
    .await;
}

#[tokio::test]
async fn an_annotation_links_to_the_traces_that_have_it() {
    in_browser(async |page| {
        send(&page.server, &segment(&json!({"annotations": {"tenant": "acme \"inc\"", "retry": true}})));
        page.visit(&format!("/traces/{TRACE_ID}/segment?id={SEGMENT_ID}")).await;
        for annotation in ["acme \"inc\"", "true"] {
            page.click_link(annotation).await;
            page.find(".traces").await;
            assert_eq!(page.count(".traces tbody tr").await, 1, "{annotation}");
            page.client.back().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn a_segment_in_progress_is_marked_until_its_end_arrives() {
    in_browser(async |page| {
        let mut in_progress = segment(&json!({"in_progress": true}));
        in_progress.as_object_mut().unwrap().remove("end_time");
        send(&page.server, &in_progress);
        let orphan = json!({"id": "70de5b6f19ff9a0c", "type": "subsegment", "trace_id": TRACE_ID, "parent_id": "70de5b6f19ff9a0f",
            "name": "lost", "start_time": 1_795_600_000.5, "end_time": 1_795_600_000.6});
        send(&page.server, &orphan);
        page.visit(&format!("/traces/{TRACE_ID}")).await;
        assert_eq!(page.count("rect.progress").await, 1);
        let notices = page.text("[data-live]").await;
        assert!(notices.contains("Some segments are still open;"), "{notices}");
        assert!(notices.contains("The parent of 1 subsegment is missing."), "{notices}");
        assert_eq!(page.text(".rows .tag.error").await, "parent missing");

        send(&page.server, &segment(&json!({})));
        page.until("return document.querySelectorAll('rect.progress').length === 0;").await;
        let notices = page.text("[data-live]").await;
        assert!(!notices.contains("Some segments are still open;"), "{notices}");
    })
    .await;
}
