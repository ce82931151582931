//! The list of traces.

use std::collections::HashSet;

use serde_json::{Value, json};
use xray_local::time;

use crate::browser::{Page, in_browser};
use crate::{server, shop};

const ROWS: &str = ".traces tbody tr";
const FIRST_ROW: &str = ".traces tbody tr:first-child";

#[tokio::test]
async fn traces_are_listed_newest_first_with_their_request_and_state() {
    in_browser(async |page| {
        shop::traffic(&page.server, 18);
        page.visit("/").await;
        assert_eq!(page.count(ROWS).await, 18);
        let row = page.text(FIRST_ROW).await;
        for cell in ["OK", "POST", "/checkout", "shop.example.com", "200", "storefront", "ago"] {
            assert!(row.contains(cell), "{cell} in {row}");
        }
        for (class, word) in [("ok", "OK"), ("error", "Error"), ("throttle", "Throttled"), ("fault", "Fault")] {
            assert_eq!(page.text(&format!(".traces .status.{class}")).await, word);
        }
        let times = "return [...document.querySelectorAll('.traces time')].map((time) => Date.parse(time.dateTime));";
        let times: Vec<f64> = page.evaluate(times).await;
        assert!(times.is_sorted_by(|a, b| a > b), "{times:?}");

        page.click(".traces tbody tr:nth-child(2) .subject a").await;
        page.find(".rows").await;
        assert!(page.location().await.starts_with("/traces/1-"));
    })
    .await;
}

#[tokio::test]
async fn on_a_phone_a_row_shows_method_and_status() {
    in_browser(async |page| {
        shop::traffic(&page.server, 18);
        page.set_screen(360, 740, true).await;
        page.visit("/").await;
        for cell in [".method", ".code", ".state"] {
            let is_visible = format!("return [...document.querySelectorAll('.traces tbody {cell}')].every((cell) => cell.offsetParent && cell.offsetWidth > 10);");
            assert_eq!(page.script(&is_visible).await, true, "{cell}");
        }
        let row = page.text(FIRST_ROW).await;
        assert!(row.contains("POST") && row.contains("200"), "{row}");
    })
    .await;
}

#[tokio::test]
async fn on_a_phone_the_badges_are_visible_and_the_urls_are_aligned() {
    in_browser(async |page| {
        shop::traffic(&page.server, 18);
        let throttled = server::segment(&json!({"error": true, "throttle": true, "trace_id": "1-6b076a21-00000000000000000000000a",
            "http": {"request": {"method": "OPTIONS", "url": "http://shop.example.com/"}, "response": {"status": 429}}}));
        let handled = server::segment(&json!({"trace_id": "1-6b076a21-00000000000000000000000b",
            "http": {"request": {"method": "GET", "url": "http://shop.example.com/"}, "response": {"status": 200}},
            "subsegments": [{"id": "70de5b6f19ff9a0b", "name": "pay", "start_time": 1.0, "end_time": 2.0, "fault": true}]}));
        server::send(&page.server, &throttled);
        server::send(&page.server, &handled);
        page.visit("/").await;
        let badges = page.count(".traces .tag").await;
        assert!(badges > 0);
        for width in [360, 375, 740] {
            page.set_screen(width, 740, true).await;
            page.visit("/").await;
            let visible = "return [...document.querySelectorAll('.traces .tag')].filter((tag) => tag.offsetWidth > 10).length;";
            assert_eq!(page.script(visible).await, badges, "{width}");
            let lefts = "return new Set([...document.querySelectorAll('.traces .subject a')].map((link) => link.getBoundingClientRect().left)).size;";
            assert_eq!(page.script(lefts).await, 1, "{width}");
            // The cells of a row do not cover each other.
            let overlaps = "return [...document.querySelectorAll('.traces tbody tr')].flatMap((row) => {
                const cells = [...row.cells].filter((cell) => cell.offsetParent && cell.textContent.trim()).map((cell) => {
                    const range = document.createRange();
                    range.selectNodeContents(cell);
                    const [box, text] = [cell.getBoundingClientRect(), range.getBoundingClientRect()];
                    return { name: cell.className, left: box.left, right: getComputedStyle(cell).overflow === 'hidden' ? box.right : Math.max(box.left, text.right), top: box.top, bottom: box.bottom };
                });
                return cells.flatMap((a, index) => cells.slice(index + 1).filter((b) => a.left < b.right - 1 && b.left < a.right - 1
                    && a.top < b.bottom - 1 && b.top < a.bottom - 1).map((b) => `${a.name} and ${b.name}`));
            });";
            let overlaps: Vec<String> = page.evaluate(overlaps).await;
            assert_eq!(overlaps, Vec::<String>::new(), "{width}");
            assert_eq!(page.script("return document.documentElement.scrollWidth;").await, width);
        }
    })
    .await;
}

#[tokio::test]
async fn the_list_names_the_response_time_as_the_page_of_a_trace_does() {
    in_browser(async |page| {
        let mail = json!({"id": "70de5b6f19ff9a0b", "name": "mail", "start_time": 1_795_600_000.0, "end_time": 1_795_600_004.0});
        server::send(&page.server, &server::segment(&json!({"subsegments": [mail]})));
        page.visit("/").await;
        let headings = page.text(".traces thead").await;
        assert!(headings.contains("Response time") && !headings.contains("Duration"), "{headings}");
        assert!(page.text(".traces td.duration").await.starts_with("1.00 s"));
        page.click(".traces .subject a").await;
        page.find(".rows").await;
        let facts = page.text(".facts").await;
        assert!(facts.contains("Response time\n1.00 s") && facts.contains("Duration\n4.00 s"), "{facts}");
    })
    .await;
}

#[tokio::test]
async fn a_filter_finds_traces_and_its_mistakes_are_marked() {
    in_browser(async |page| {
        shop::traffic(&page.server, 18);
        page.visit("/").await;
        page.find("#filter").await.send_keys("http.status = 404\u{e007}").await.unwrap();
        page.until("return new URLSearchParams(location.search).get('filter') === 'http.status = 404';").await;
        page.find(".traces").await;
        assert_eq!(page.count(ROWS).await, page.count(".traces .status.error").await);
        assert_eq!(page.count(ROWS).await, 2);

        page.visit("/?filter=http.status+%3D+404+AND+duration+%3E+%22x").await;
        assert_eq!(page.text("#filter-error mark").await, "\"");
        let message = page.text("#filter-error p").await;
        assert!(message.starts_with("Column 34:"), "{message}");
        assert_eq!(page.find("#filter").await.attr("aria-invalid").await.unwrap().as_deref(), Some("true"));

        page.visit("/?filter=http.status+%3D+599").await;
        assert_eq!(page.text(".empty h2").await, "No matching traces");
        assert_eq!(page.text(".empty p").await, "No trace matches this filter.");
    })
    .await;
}

#[tokio::test]
async fn many_traces_are_shown_on_several_pages() {
    in_browser(async |page| {
        shop::traffic(&page.server, 120);
        page.visit("/").await;
        let mut seen = HashSet::new();
        for expected in [50, 50, 20] {
            let ids = "return [...document.querySelectorAll('.traces .subject a')].map((link) => link.id);";
            let ids: Vec<String> = page.evaluate(ids).await;
            assert_eq!(ids.len(), expected);
            seen.extend(ids);
            if seen.len() < 120 {
                let location = page.location().await;
                page.click_link("Older →").await;
                page.until(&format!("return location.pathname + location.search !== {};", json!(location))).await;
                page.find(".traces").await;
            }
        }
        assert_eq!(seen.len(), 120);
        assert_eq!(page.count(".pages a").await, 1, "the last page links to the newest traces only");
    })
    .await;
}

#[tokio::test]
async fn a_new_trace_appears_by_itself_unless_updates_are_paused() {
    in_browser(async |page| {
        let segment = |number: u32, name: &str| {
            server::segment(&json!({"id": format!("{number:016x}"), "trace_id": format!("1-6b076a21-{number:024x}"),
                "name": name, "start_time": time::now() - 1.0, "end_time": time::now()}))
        };
        server::send(&page.server, &segment(1, "first"));
        page.visit("/").await;
        page.script("document.querySelector('.subject a').focus(); window.isSameDocument = true;").await;
        server::send(&page.server, &segment(2, "second"));
        page.until("return document.querySelectorAll('.traces tbody tr').length === 2;").await;
        assert!(page.text(FIRST_ROW).await.contains("second"));
        assert_eq!(page.script("return document.activeElement.textContent;").await, "first", "keeps the focus");
        assert_eq!(page.script("return window.isSameDocument === true;").await, true, "the page is not reloaded");

        page.click("[data-live-switch]").await;
        assert_eq!(page.text("[data-live-switch]").await, "Paused");
        check_for_changes(page).await;
        server::send(&page.server, &segment(3, "third"));
        check_for_changes(page).await;
        assert_eq!(page.count(ROWS).await, 2, "a paused page is not updated");
        page.click("[data-live-switch]").await;
        page.until("return document.querySelectorAll('.traces tbody tr').length === 3;").await;
    })
    .await;
}

/// Runs the check for changes that the page's script runs every second, and waits until it has ended.
///
/// A check that is under way may have asked the server before the test sent a document, so it is waited for first. The
/// script also skips checks for some time after a slow one, and a skipped check would prove nothing.
async fn check_for_changes(page: &Page) {
    let script = "const done = arguments[0];
        const check = () => {
            if (updates.isChecking || performance.now() < updates.notBefore) setTimeout(check, 10);
            else updates.check().then(() => done('checked'), (error) => done(`${error}`));
        };
        check();";
    let outcome: Value = page.client.execute_async(script, Vec::new()).await.unwrap();
    assert_eq!(outcome, "checked");
}
