//! The page of one trace: its timeline, and the details of its segments.

use serde_json::json;

use crate::browser::in_browser;
use crate::server::{SEGMENT_ID, TRACE_ID, segment, send};
use crate::shop;

/// The label of the query in the shop's stock.
const RESERVE: &str = "UPDATE stock SET reserved = reserved + ? WHERE product = ? AND available >= ?";

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
                [1, "POST /orders", false],
                [2, "checkout", false],
                [3, "validate cart", false],
                [3, "POST /reservations", false],
                [4, "inventory", false],
                [5, RESERVE, false],
                [3, "POST /v2/charges", false],
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

        // A switch shows the inferred segments too. It is a link, so it needs no script.
        page.click_link("Show 2 inferred segments").await;
        page.until("return document.querySelectorAll('.rows li.inferred').length === 2;").await;
        let inferred = "return [...document.querySelectorAll('.rows li')].map((row, index) => [index, row]).filter(([, row]) => row.matches('.inferred'))
            .map(([index, row]) => [index, Number(row.dataset.depth), row.querySelector('b').textContent]);";
        assert_eq!(page.script(inferred).await, json!([[6 + 1, 6, "shop@db.internal"], [8 + 1, 4, "api.cardpay.example"]]));
        let dashes = |css: &str| format!("return getComputedStyle(document.querySelector('{css}')).strokeDasharray;");
        assert_ne!(page.script(&dashes(".rows .inferred rect")).await, page.script(&dashes(".rows .subsegment rect")).await);
        page.click_link("Hide inferred segments").await;
        page.until("return document.querySelectorAll('.rows li.inferred').length === 0;").await;
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
        page.script(&select("POST /v2/charges")).await;
        page.until_text("aside header h2", "api.cardpay.example").await;
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
        page.until_text("aside header h2", "checkout").await;
        let details = page.text("aside").await;
        for part in ["Recorded in api.cardpay.example", "tenant", "acme", "customer-108", "\"total\": 119.85", "ecs.container\ncheckout-7c9d"] {
            assert!(details.contains(part), "{part} in {details}");
        }
        page.click("aside summary").await;
        assert!(page.text("aside details pre").await.contains("\"origin\": \"AWS::ECS::Container\""));

        page.script(&select(RESERVE)).await;
        page.until_text("aside header h2", "shop@db.internal").await;
        assert!(page.text("aside").await.contains("UPDATE stock SET reserved"));

        // The selection is part of the address.
        page.client.refresh().await.unwrap();
        page.until_text("aside header h2", "shop@db.internal").await;

        page.script("document.querySelector('aside .pairs a').click();").await;
        page.find("[data-segment] h1").await;
        assert!(page.location().await.contains("/segment?id="));
    })
    .await;
}

/// The id of a missing parent may hold any character, and a reader may type any address.
#[tokio::test]
async fn a_percent_sign_in_the_address_stops_no_script() {
    in_browser(async |page| {
        let fields = json!({ "type": "subsegment", "parent_id": "100%", "id": "0000000000000002" });
        send(&page.server, &segment(&fields));
        page.visit(&format!("/traces/{TRACE_ID}#s-100%")).await;
        page.until("return document.querySelector('.rows a[aria-current]') !== null;").await;
        page.visit(&format!("/traces/{TRACE_ID}#s-100%25")).await;
        page.until("return document.querySelector('.rows a[aria-current]')?.id === 's-100%';").await;
    })
    .await;
}

#[tokio::test]
async fn the_label_of_a_call_tells_it_from_others() {
    in_browser(async |page| {
        let call = |number: u32, fields: serde_json::Value| {
            let mut call = json!({"id": format!("{number:016x}"), "name": "api.example.com", "namespace": "remote",
                "start_time": 1_795_600_000.1, "end_time": 1_795_600_000.2});
            call.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            call
        };
        let get = |url: &str| json!({"http": {"request": {"method": "GET", "url": url}, "response": {"status": 200}}});
        send(&page.server, &segment(&json!({"subsegments": [
            call(1, get("https://api.example.com/items/1")),
            call(2, get("https://api.example.com/items/2")),
            call(3, get("https://api.example.com")),
            call(4, json!({"name": "items", "http": {"request": {"method": "GET", "url": "http://10.0.0.7/items"}}})),
            call(5, json!({"name": "DynamoDB", "namespace": "aws", "aws": {"operation": "PutItem", "table_name": "carts"}})),
            call(6, json!({"name": "shop@db", "sql": {"sanitized_query": "SELECT 1"}})),
            call(7, json!({"http": {"response": {"status": 200}}}))
        ]})));
        page.visit(&format!("/traces/{TRACE_ID}")).await;
        let labels = "return [...document.querySelectorAll('.rows li')].slice(1)
            .map((row) => [row.querySelector('b').textContent, row.querySelector('small').textContent]);";
        assert_eq!(
            page.script(labels).await,
            json!([
                ["GET /items/1", "api.example.com 200"],
                ["GET /items/2", "api.example.com 200"],
                ["GET /", "api.example.com 200"],
                ["GET /items", "items 10.0.0.7"],
                ["PutItem carts", "DynamoDB"],
                ["SELECT 1", "shop@db"],
                ["api.example.com", "200"]
            ])
        );
    })
    .await;
}

#[tokio::test]
async fn the_first_cause_or_the_root_is_selected_at_the_start() {
    in_browser(async |page| {
        shop::traffic(&page.server, 18);
        page.open_first_trace("fault").await;
        page.until_text("aside header h2", "api.cardpay.example").await;
        assert_eq!(page.text(".rows a[aria-current] b").await, "POST /v2/charges");
        assert!(!page.location().await.contains('#'), "only the reader's choice is part of the address");

        page.open_first_trace("ok").await;
        page.until_text("aside header h2", "storefront").await;
        assert_eq!(page.count(".rows a[aria-current]").await, 1);
        assert_eq!(page.text(".rows a[aria-current] b").await, "storefront");
    })
    .await;
}

#[tokio::test]
async fn a_key_jumps_to_the_next_error() {
    in_browser(async |page| {
        shop::traffic(&page.server, 18);
        page.open_first_trace("fault").await;
        let focused = "return document.activeElement.querySelector('b')?.textContent;";
        for (key, label) in [
            ("e", "storefront"),
            ("e", "POST /orders"),
            ("e", "checkout"),
            ("e", "POST /v2/charges"),
            ("e", "storefront"),
            ("E", "POST /v2/charges"),
            ("E", "checkout"),
        ] {
            page.press(key).await;
            assert_eq!(page.script(focused).await, label, "{key}");
        }
        page.until_text("aside header h2", "checkout").await;
        // A row in a folded part is unfolded.
        page.press("E").await;
        page.press("E").await;
        page.press("\u{e012}").await;
        page.press("e").await;
        assert_eq!(page.script(focused).await, "POST /orders");
        let keys = page.text(".foot .keys").await;
        assert!(keys.contains("e next error"), "{keys}");

        // In the list the key jumps to the next trace with an error.
        page.visit("/").await;
        page.press("e").await;
        let state = "return document.activeElement.closest('tr').querySelector('.status').textContent;";
        assert_ne!(page.script(state).await, "OK");
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
