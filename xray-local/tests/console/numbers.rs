//! The statistics of the list: percentiles, the histogram of response times, charts over time, and groups.

use serde_json::json;

use crate::browser::{Page, in_browser};
use crate::server::{put, segment};
use crate::shop;

const ROWS: &str = ".traces tbody tr";

/// Stores traces that take this many seconds each, the number `fault` of them with a fault.
fn fill(page: &Page, seconds: &[f64], fault: usize) {
    for (number, seconds) in seconds.iter().enumerate() {
        let start = 1_795_600_000.0;
        put(
            &page.server,
            &segment(
                &json!({"id": format!("{number:016x}"), "trace_id": format!("1-6b076a21-{number:024x}"), "start_time": start,
                "end_time": start + seconds, "fault": number == fault,
                "http": {"request": {"method": "GET", "url": format!("http://shop/items/{number}")}}}),
            ),
        );
    }
}

/// Returns the facts above the charts: pairs of names and values.
async fn facts(page: &Page) -> Vec<(String, String)> {
    let script = "return [...document.querySelectorAll('.numbers .facts div')].map((fact) =>
        [fact.querySelector('dt').textContent, fact.querySelector('dd').textContent.trim()]);";
    page.evaluate(script).await
}

/// Returns the labels of the bars of the histogram.
async fn bars(page: &Page) -> Vec<String> {
    page.evaluate("return [...document.querySelectorAll('.bars a')].map((bar) => bar.getAttribute('aria-label'));")
        .await
}

#[tokio::test]
async fn the_list_shows_percentiles_and_a_bar_of_the_histogram_leads_to_its_traces() {
    in_browser(async |page| {
        fill(page, &[0.125, 0.25, 0.25, 1.0], 3);
        page.visit("/").await;
        let expected = [
            ("Requests", "4"),
            ("Faults", "1 25 %"),
            ("Throttled", "0 0 %"),
            ("Errors", "0 0 %"),
            ("p50", "250 ms"),
            ("p90", "1.00 s"),
            ("p99", "1.00 s"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(facts(page).await, expected);
        assert_eq!(
            bars(page).await,
            ["120 ms to 130 ms: 1 request", "250 ms to 270 ms: 2 requests", "1 s to 1.1 s: 1 request"]
        );
        // The bars are links, and the keyboard reaches them.
        page.script("document.querySelectorAll('.bars a')[1].focus();").await;
        page.press("\u{e007}").await;
        let filter = "responsetime >= 0.25 AND responsetime < 0.27";
        page.until(&format!("return document.querySelector('#filter')?.value === {};", json!(filter))).await;
        assert_eq!(page.count(ROWS).await, 2);
        page.click("#all-times").await;
        page.until("return document.querySelectorAll('.traces tbody tr').length === 4;").await;
    })
    .await;
}

#[tokio::test]
async fn each_bar_finds_as_many_traces_as_it_counts_whatever_was_searched_for() {
    in_browser(async |page| {
        page.turn_scripts_off().await;
        shop::traffic(&page.server, 40);
        for filter in ["", "storefront", "fault+OR+ok", "%22inventory%22+AND+ok"] {
            let address = format!("/?filter={filter}");
            page.visit(&address).await;
            let (labels, requests) = (bars(page).await, facts(page).await[0].1.clone());
            let mut all = 0;
            for (index, label) in labels.iter().enumerate() {
                page.visit(&address).await;
                let link =
                    page.script(&format!("return document.querySelectorAll('.bars a')[{index}].href.baseVal;")).await;
                page.visit(link.as_str().unwrap()).await;
                let count: usize = label.split(": ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
                assert_eq!(page.count(ROWS).await, count, "{label} of {filter}");
                all += count;
            }
            assert!(labels.len() > 2, "{labels:?}");
            assert_eq!(all.to_string(), requests, "{filter}");
        }
    })
    .await;
}

#[tokio::test]
async fn charts_show_requests_and_failures_over_time() {
    in_browser(async |page| {
        shop::traffic(&page.server, 27);
        page.visit("/").await;
        let titles: Vec<String> =
            page.evaluate("return [...document.querySelectorAll('.chart svg[role=img]')].map((chart) => chart.getAttribute('aria-label'));").await;
        assert_eq!(titles, ["Requests in 2 s, at most 1", "Faults, throttles and errors in 2 s, at most 1"]);
        let bars = "return [...document.querySelectorAll('.chart svg[role=img]')].map((chart) => chart.querySelectorAll('rect:not(.hit)').length);";
        assert_eq!(page.script(bars).await, json!([27, 5]));
        for (class, count) in [("fault", 1), ("throttle", 1), ("error", 3)] {
            assert_eq!(page.count(&format!(".chart rect.{class}")).await, count, "{class}");
        }
        let periods: Vec<String> =
            page.evaluate("return [...document.querySelectorAll('.chart svg svg title')].map((title) => title.textContent);").await;
        assert!(periods.iter().any(|period| period.ends_with(" UTC: 1 request, 1 fault")), "{periods:?}");
        // A new trace appears in the numbers without a reload.
        put(&page.server, &segment(&json!({})));
        page.until("return document.querySelector('.numbers dd').textContent === '28';").await;
    })
    .await;
}

#[tokio::test]
async fn statistics_by_url_and_by_operation_can_be_sorted_and_lead_to_their_traces() {
    in_browser(async |page| {
        shop::traffic(&page.server, 36);
        page.visit("/").await;
        page.click_link("Statistics by URL").await;
        page.find(".groups").await;
        let rows = "return [...document.querySelectorAll('.groups tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent.trim()));";
        let urls: Vec<Vec<String>> = page.evaluate(rows).await;
        let names: Vec<_> = urls.iter().map(|row| &*row[1]).collect();
        assert_eq!(
            names[0..2],
            ["GET https://shop.example.com/products/*", "POST https://shop.example.com/checkout"],
            "{names:?}"
        );
        assert_eq!(urls[0][..6], ["storefront", names[0], "12", "4 33 %", "0", "0"], "{urls:?}");
        assert!(urls[0][6..].iter().all(|time| time.ends_with(" ms")), "{urls:?}");

        page.click_link("p99").await;
        page.until("return document.querySelector('[aria-sort]').textContent === 'p99';").await;
        let slowest: Vec<Vec<String>> = page.evaluate(rows).await;
        assert_eq!(slowest[0][1], "POST https://shop.example.com/checkout");
        page.click_link("POST https://shop.example.com/checkout").await;
        page.find(".traces").await;
        assert_eq!(page.count(ROWS).await.to_string(), slowest[0][2]);

        page.visit("/").await;
        page.click_link("Statistics by operation").await;
        page.find(".groups").await;
        let operations: Vec<Vec<String>> = page.evaluate(rows).await;
        for (service, operation, count) in [
            ("checkout", "POST https://api.cardpay.example/v2/charges", "12"),
            ("search", "SELECT id FROM products WHERE name_index @@ to_tsquery(?) LIMIT 20", "8"),
            ("cart", "PutItem carts", "4"),
            ("storefront", "render page", "8"),
        ] {
            let row = operations.iter().find(|row| row[0] == service && row[1] == operation);
            assert_eq!(row.unwrap_or_else(|| panic!("{operation} in {operations:?}"))[2], count, "{operation}");
        }
        page.click_link("render page").await;
        page.find(".traces").await;
        assert_eq!(page.count(ROWS).await, 8);
    })
    .await;
}
