//! One trace.

use serde_json::{Value, json};

use crate::browser::in_browser;
use crate::shop;

const TRACE_ID: &str = "1-6b076a21-a006649127e371903a2de979";

fn segment(extra: &Value) -> Value {
    let mut segment = json!({"id": "70de5b6f19ff9a0a", "trace_id": TRACE_ID, "name": "shop",
        "start_time": 1_795_600_000.0, "end_time": 1_795_600_001.0});
    segment.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    segment
}

#[tokio::test]
async fn a_trace_is_nested_bars_with_callees_below_their_calls() {
    in_browser(async |page| {
        shop::traffic(&page.server, 18);
        page.visit("/?filter=fault").await;
        page.find(".traces .what a").await.click().await.unwrap();
        page.find(".rows").await;
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
        // Each bar lies within that of its parent, and a row is indented more than that.
        let lies = "const rows = [...document.querySelectorAll('.rows li')];
            return rows.slice(1).every((row, index) => {
                const parent = rows.slice(0, index + 1).reverse().find((other) => +other.dataset.depth < +row.dataset.depth);
                const [bar, outer] = [row, parent].map((row) => row.querySelector('rect').getBoundingClientRect());
                const [name, outerName] = [row, parent].map((row) => row.querySelector('b').getBoundingClientRect());
                return bar.left >= outer.left - 1 && bar.right <= outer.right + 1 && name.left > outerName.left;
            });";
        assert_eq!(page.script(lies).await, true);
        let style = |css: &str| format!("return getComputedStyle(document.querySelector('{css}')).strokeDasharray;");
        assert_ne!(page.script(&style(".rows .inferred rect")).await, page.script(&style(".rows .part rect")).await);
    })
    .await;
}

#[tokio::test]
async fn a_bar_tells_all_of_its_segment_beside_the_timeline() {
    in_browser(async |page| {
        shop::traffic(&page.server, 18);
        page.visit("/?filter=fault").await;
        page.find(".traces .what a").await.click().await.unwrap();
        page.find(".rows").await;
        let select = |name: &str| {
            format!("[...document.querySelectorAll('.rows a')].findLast((row) => row.querySelector('b').textContent === '{name}'
                && !row.closest('.inferred')).click();")
        };
        page.script(&select("api.cardpay.example")).await;
        page.until("return document.querySelector('aside h1')?.textContent === 'api.cardpay.example';").await;
        let details = page.text("aside").await;
        for part in [
            "remote call", "POST", "https://api.cardpay.example/v2/charges", "503",
            "checkout::payment::ChargeError", "card provider answered 503 after 3 attempts",
            "checkout::orders::place", "src/orders.rs:64", "11 more frames were left out",
            "caused by", "reqwest::Error", "Raw JSON",
        ] {
            assert!(details.contains(part), "{part} in {details}");
        }
        assert_eq!(page.count(".rows a[aria-current]").await, 1);

        page.script(&select("checkout")).await;
        page.until("return document.querySelector('aside h1')?.textContent === 'checkout';").await;
        let details = page.text("aside").await;
        for part in ["As recorded in api.cardpay.example", "tenant", "acme", "customer-108", "\"total\": 119.85", "ecs.container\ncheckout-7c9d"] {
            assert!(details.contains(part), "{part} in {details}");
        }
        page.find("aside summary").await.click().await.unwrap();
        assert!(page.text("aside details pre").await.contains("\"origin\": \"AWS::ECS::Container\""));

        page.script(&select("shop@db.internal")).await;
        page.until("return document.querySelector('aside h1')?.textContent === 'shop@db.internal';").await;
        assert!(page.text("aside").await.contains("UPDATE stock SET reserved"));

        // What is selected is part of the address.
        page.client.refresh().await.unwrap();
        page.until("return document.querySelector('aside h1')?.textContent === 'shop@db.internal';").await;

        page.script("document.querySelector('aside .pairs a').click();").await;
        page.find("[data-segment] h1").await;
        assert!(page.place().await.contains("/segment?id="));
    })
    .await;
}

#[tokio::test]
async fn annotations_lead_to_the_traces_that_have_them() {
    in_browser(async |page| {
        shop::send(&page.server, &segment(&json!({"annotations": {"tenant": "acme \"inc\"", "retry": true}})));
        page.visit(&format!("/traces/{TRACE_ID}/segment?id=70de5b6f19ff9a0a")).await;
        for annotation in ["acme \"inc\"", "true"] {
            page.client.find(fantoccini::Locator::LinkText(annotation)).await.unwrap().click().await.unwrap();
            page.find(".traces").await;
            assert_eq!(page.count(".traces tbody tr").await, 1, "{annotation}");
            page.client.back().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn what_has_not_ended_is_shown_so_and_ends_by_itself() {
    in_browser(async |page| {
        let mut under_way = segment(&json!({"in_progress": true}));
        under_way.as_object_mut().unwrap().remove("end_time");
        shop::send(&page.server, &under_way);
        let orphan = json!({"id": "70de5b6f19ff9a0c", "type": "subsegment", "trace_id": TRACE_ID, "parent_id": "70de5b6f19ff9a0f",
            "name": "lost", "start_time": 1_795_600_000.5, "end_time": 1_795_600_000.6});
        shop::send(&page.server, &orphan);
        page.visit(&format!("/traces/{TRACE_ID}")).await;
        assert_eq!(page.count("rect.progress").await, 1);
        let notices = page.text("[data-live]").await;
        assert!(notices.contains("not all of this trace has ended"), "{notices}");
        assert!(notices.contains("1 subsegment without a parent"), "{notices}");
        assert_eq!(page.text(".rows .tag.error").await, "parent missing");

        shop::send(&page.server, &segment(&json!({})));
        page.until("return document.querySelectorAll('rect.progress').length === 0;").await;
        let notices = page.text("[data-live]").await;
        assert!(!notices.contains("not all of this trace has ended"), "{notices}");
    })
    .await;
}
