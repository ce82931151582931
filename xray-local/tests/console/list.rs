//! The list of traces.

use serde_json::json;

use crate::browser::in_browser;
use crate::shop;

const FIRST_ROW: &str = ".traces tbody tr:first-child";

#[tokio::test]
async fn an_empty_list_says_how_to_begin() {
    in_browser(async |page| {
        page.visit("/").await;
        let command = format!("AWS_XRAY_DAEMON_ADDRESS={} cargo run --example quickstart", page.server.udp_address());
        assert_eq!(page.text(".empty pre").await, command);
    })
    .await;
}

#[tokio::test]
async fn traces_are_listed_newest_first_with_what_they_are_about() {
    in_browser(async |page| {
        shop::traffic(&page.server, 18);
        page.visit("/").await;
        assert_eq!(page.count(".traces tbody tr").await, 18);
        let row = page.text(FIRST_ROW).await;
        for cell in ["OK", "POST", "/checkout", "shop.example.com", "200", "storefront", "ago"] {
            assert!(row.contains(cell), "{cell} in {row}");
        }
        for (class, word) in [("ok", "OK"), ("error", "Error"), ("throttle", "Throttled"), ("fault", "Fault")] {
            assert_eq!(page.text(&format!(".traces .status.{class}")).await, word);
        }
        let ages = "return [...document.querySelectorAll('.traces time')].map((time) => Date.parse(time.dateTime));";
        let ages: Vec<f64> = serde_json::from_value(page.script(ages).await).unwrap();
        assert!(ages.is_sorted_by(|a, b| a > b), "{ages:?}");

        page.find(".traces tbody tr:nth-child(2) .what a").await.click().await.unwrap();
        page.find(".rows").await;
        assert!(page.place().await.starts_with("/traces/1-"));
    })
    .await;
}

#[tokio::test]
async fn a_filter_finds_and_its_mistakes_are_shown_where_they_are() {
    in_browser(async |page| {
        shop::traffic(&page.server, 18);
        page.visit("/").await;
        page.find("#filter").await.send_keys("http.status = 404\u{e007}").await.unwrap();
        page.until("return new URLSearchParams(location.search).get('filter') === 'http.status = 404';").await;
        page.find(".traces").await;
        assert_eq!(page.count(".traces tbody tr").await, page.count(".traces .status.error").await);
        assert_eq!(page.count(".traces tbody tr").await, 2);

        page.visit("/?filter=http.status+%3D+404+AND+duration+%3E+%22x").await;
        assert_eq!(page.text("#wrong mark").await, "\"");
        assert!(page.text("#wrong p").await.starts_with("Column 34:"), "{}", page.text("#wrong p").await);
        assert_eq!(page.find("#filter").await.attr("aria-invalid").await.unwrap().as_deref(), Some("true"));

        page.visit("/?filter=http.status+%3D+599").await;
        assert_eq!(page.text(".empty h2").await, "No trace matches");
    })
    .await;
}

#[tokio::test]
async fn many_traces_are_shown_page_by_page() {
    in_browser(async |page| {
        shop::traffic(&page.server, 120);
        page.visit("/").await;
        let mut seen = std::collections::HashSet::new();
        for expected in [50, 50, 20] {
            let ids =
                page.script("return [...document.querySelectorAll('.traces .what a')].map((link) => link.id);").await;
            let ids: Vec<String> = serde_json::from_value(ids).unwrap();
            assert_eq!(ids.len(), expected);
            seen.extend(ids);
            if seen.len() < 120 {
                let place = page.place().await;
                page.client.find(fantoccini::Locator::LinkText("Older →")).await.unwrap().click().await.unwrap();
                page.until(&format!("return location.pathname + location.search !== {};", json!(place))).await;
                page.find(".traces").await;
            }
        }
        assert_eq!(seen.len(), 120);
        assert_eq!(page.count(".pages a").await, 1, "only back to the newest");
    })
    .await;
}

#[tokio::test]
async fn what_arrives_appears_by_itself_and_disturbs_nothing() {
    in_browser(async |page| {
        let document = |id: u32, name: &str| {
            json!({"id": format!("{id:016x}"), "trace_id": format!("1-6b076a21-{id:024x}"), "name": name,
                "start_time": shop::now() - 1.0, "end_time": shop::now()})
        };
        shop::send(&page.server, &document(1, "first"));
        page.visit("/").await;
        page.script("document.querySelector('.what a').focus(); window.sameDocument = true;").await;
        shop::send(&page.server, &document(2, "second"));
        page.until("return document.querySelectorAll('.traces tbody tr').length === 2;").await;
        assert!(page.text(FIRST_ROW).await.contains("second"));
        assert_eq!(page.script("return document.activeElement.textContent;").await, "first", "keeps the focus");
        assert_eq!(page.script("return window.sameDocument === true;").await, true);

        page.find("[data-live-switch]").await.click().await.unwrap();
        assert_eq!(page.text("[data-live-switch]").await, "Paused");
        shop::send(&page.server, &document(3, "third"));
        tokio::time::sleep(std::time::Duration::from_millis(2_500)).await;
        assert_eq!(page.count(".traces tbody tr").await, 2, "while it is paused");
        page.find("[data-live-switch]").await.click().await.unwrap();
        page.until("return document.querySelectorAll('.traces tbody tr').length === 3;").await;
    })
    .await;
}
