//! Between traces: comparing two, others like one, and the slowest and the failing ones of the last minutes.

use serde_json::json;
use xray_local::time;

use crate::browser::in_browser;
use crate::server::put;
use crate::shop;

fn id(number: u32) -> String {
    format!("1-6b076a21-{number:024x}")
}

#[tokio::test]
async fn two_traces_are_compared_by_structure_time_and_state() {
    in_browser(async |page| {
        let start = time::now() - 10.0;
        for (number, offset, missing, slow, fails) in [(1, 0.0, "old", 0.1, false), (2, 5.0, "new", 0.6, true)] {
            let start = start + offset;
            let call = |id: u32, name: &str, path: &str, from: f64, seconds: f64, fails: bool| {
                json!({"id": format!("{id:016x}"), "name": name, "namespace": "remote", "start_time": start + from,
                    "end_time": start + from + seconds, "fault": fails,
                    "http": {"request": {"method": "GET", "url": format!("http://{name}{path}")}, "response": {"status": if fails { 500 } else { 200 }}}})
            };
            put(&page.server, &json!({"id": format!("{:016x}", 99), "trace_id": id(number), "name": "shop",
                "start_time": start, "end_time": start + 0.9, "subsegments": [
                    call(1, "same.example.com", "/a", 0.0, 0.05, false),
                    call(2, "slow.example.com", &format!("/items/{number}"), 0.1, slow, false),
                    call(3, "failing.example.com", "/c", 0.7, 0.05, fails),
                    {"id": format!("{:016x}", 4), "name": format!("only {missing}"), "start_time": start + 0.8, "end_time": start + 0.85}
            ]}));
        }
        page.visit(&format!("/traces/{}", id(1))).await;
        page.click_link("Compare").await;
        page.click(&format!("a[href='/compare?a={}&b={}']", id(1), id(2))).await;
        let rows = "return [...document.querySelectorAll('.compared tbody tr')].map((row) => [
            row.querySelector('b').textContent, row.querySelector('.change').textContent.trim()]);";
        page.find(".compared").await;
        assert_eq!(
            page.script(rows).await,
            json!([
                ["shop", ""],
                ["GET /a", ""],
                ["GET /items/1", "slower in B"],
                ["GET /c", "fails in B"],
                ["only old", "only in A"],
                ["only new", "only in B"],
            ])
        );
        let times = page.text(".compared tbody tr:nth-child(3)").await;
        assert!(times.contains("100 ms") && times.contains("600 ms") && times.contains("+500 ms"), "{times}");
        page.click_link("Only differences").await;
        page.until("return document.querySelectorAll('.compared tbody tr').length === 5;").await;
        page.click_link("Swap").await;
        page.until("return document.querySelector('.compared').textContent.includes('faster in B');").await;

        // Another trace is named by its id.
        page.visit(&format!("/compare?a={}", id(1))).await;
        page.client.form(fantoccini::Locator::Css("#other")).await.unwrap()
            .set_by_name("b", &id(2)[2..].replace('-', "")).await.unwrap();
        page.click("#other button").await;
        page.find(".compared").await;
        // A trace that is not there.
        page.visit(&format!("/compare?a={}&b={}", id(1), id(9))).await;
        assert!(page.text("main").await.contains("is not stored"));
    })
    .await;
}

#[tokio::test]
async fn a_row_of_the_list_leads_to_the_comparison() {
    in_browser(async |page| {
        shop::traffic(&page.server, 18);
        page.visit("/?filter=fault").await;
        page.click(".traces tbody tr:first-child a.compare").await;
        page.find("#other").await;
        assert!(page.location().await.starts_with("/compare?a=1-"));
        // The traces of the same request are offered first.
        let first = page.text(".candidates li:first-child").await;
        assert!(first.contains("POST") && first.contains("/checkout"), "{first}");
        page.click(".candidates li:first-child a").await;
        page.find(".compared").await;
    })
    .await;
}

#[tokio::test]
async fn a_trace_leads_to_others_like_it_and_to_the_slowest_and_failing_ones() {
    in_browser(async |page| {
        shop::traffic(&page.server, 27);
        page.open_first_trace("fault").await;
        page.click_link("More like this").await;
        page.until("return document.querySelectorAll('.traces tbody tr').length === 1;").await;
        let filter = page.script("return new URL(location).searchParams.get('filter');").await;
        assert_eq!(filter, "service(\"storefront\") AND fault");

        page.open_first_trace("ok").await;
        page.click_link("Slowest and failing").await;
        page.find("#slowest li").await;
        let times =
            "return [...document.querySelectorAll('#slowest [data-seconds]')].map((row) => +row.dataset.seconds);";
        let times: Vec<f64> = page.evaluate(times).await;
        assert!(times.len() == 20 && times.is_sorted_by(|a, b| a >= b), "{times:?}");
        let states = "return [...document.querySelectorAll('#failing .status')].map((state) => state.textContent);";
        let states: Vec<String> = page.evaluate(states).await;
        assert!(!states.is_empty() && states.iter().all(|state| state != "OK"), "{states:?}");
        page.click("#failing li a").await;
        page.find(".rows").await;

        page.visit("/recent?minutes=0.001").await;
        assert!(page.text("main").await.contains("No trace started in the last"), "{}", page.text("main").await);
    })
    .await;
}
