//! How long the pages of large traces take.

use serde_json::json;
use xray_local::time;

use crate::browser::{Page, in_browser};
use crate::measure::{FIRST_PAINT, INTERACTION, received, report, report_first_paint};
use crate::server::{TRACE_ID, put};

/// Prints how long the server and the browser took for a page.
async fn print_times(page: &Page, name: &str) {
    let (drawn, processor_time) = page.rendering_times().await;
    let received = received(page).await;
    println!("{name}: {received}, drawn after {drawn:.0} ms, {processor_time:.0} ms of processor time in the browser");
}

/// Reports the times of five inputs, each until the frame after its effect. `input` is JavaScript with the input.
async fn report_interaction(page: &Page, input: &str, what: &str) {
    let mut times = Vec::new();
    for _ in 0..5 {
        let script = format!(
            "const done = arguments[0]; const started = performance.now(); {input};
             requestAnimationFrame(() => setTimeout(() => done(performance.now() - started)));"
        );
        let time = page.client.execute_async(&script, Vec::new()).await.unwrap();
        times.push(time.as_f64().unwrap());
    }
    report(what, &times, INTERACTION);
}

/// JavaScript that presses a key.
fn key(key: &str) -> String {
    format!("document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {{key: '{key}', bubbles: true}}))")
}

#[tokio::test]
async fn a_trace_of_10000_subsegments_is_painted_a_page_at_a_time() {
    in_browser(async |page| {
        let start = time::now() - 100.0;
        let entity = |id: u32, name: &str, from: f64, seconds: f64| {
            json!({"id": format!("{id:016x}"), "trace_id": TRACE_ID, "name": name, "start_time": start + from, "end_time": start + from + seconds})
        };
        put(&page.server, &entity(1, "shop", 0.0, 50.0));
        for number in 0..100 {
            let mut batch = entity(1_000 + number, &format!("batch {number}"), f64::from(number) * 0.5, 0.49);
            batch["type"] = "subsegment".into();
            batch["parent_id"] = format!("{:016x}", 1).into();
            let steps: Vec<_> = (0..99)
                .map(|index| {
                    let mut step = entity(10_000 + number * 100 + index, "stock.example.com", f64::from(number * 100 + index) * 0.005, 0.004);
                    step["namespace"] = "remote".into();
                    step["http"] = json!({"request": {"method": "GET", "url": format!("http://stock.example.com/items/{index}")},
                        "response": {"status": if index == 50 { 500 } else { 200 }}});
                    step["fault"] = (index == 50).into();
                    step
                })
                .collect();
            batch["subsegments"] = steps.into();
            put(&page.server, &batch);
        }
        let path = format!("/traces/{TRACE_ID}");
        let what = "a trace of 10,000 subsegments";
        report_first_paint(page, &path, what, FIRST_PAINT).await;
        assert!(page.text("#pages").await.contains("of 10,001"), "no row is left out in silence");
        report_interaction(page, &key("j"), "to the next row").await;
        report_interaction(page, &key("e"), "to the next error").await;
        report_interaction(page, &format!("{}; {}", key("c"), key("C")), "collapse and expand all").await;
        report_first_paint(page, &format!("{path}?find=items/77"), "a search in it", FIRST_PAINT).await;
        report_first_paint(page, &format!("{path}?from=10&to=20"), "a fifth of its time", FIRST_PAINT).await;
        report_first_paint(page, &format!("{path}?at={:016x}", 10_000 + 9_950), "its last page", FIRST_PAINT).await;
        // It reads two such traces.
        let comparison = format!("/compare?a={TRACE_ID}&b={TRACE_ID}");
        report_first_paint(page, &comparison, "its comparison", FIRST_PAINT * 2.0).await;
    })
    .await;
}

#[tokio::test]
async fn the_rows_of_a_page_are_scrolled_and_selected_without_delay() {
    in_browser(async |page| {
        let start = time::now() - 100.0;
        for number in 0..20 {
            let at = start + f64::from(number) * 4.0;
            let subsegments: Vec<_> = (0..100)
                .map(|index| {
                    let from = at + f64::from(index) * 0.03;
                    json!({"id": format!("{:016x}", 0xb_0000 + number * 100 + index), "name": format!("step {index}"), "start_time": from, "end_time": from + 0.025})
                })
                .collect();
                        let mut segment = json!({"id": format!("{:016x}", 0xa_0000 + number), "trace_id": TRACE_ID, "name": format!("service {number}"),
                "start_time": at, "end_time": at + 3.5, "subsegments": subsegments});
            if number > 0 {
                // The subsegment in the middle of the segment before calls this service.
                segment["parent_id"] = format!("{:016x}", 0xb_0000 + (number - 1) * 100 + 50).into();
            }
            put(&page.server, &segment);
        }
        page.start_measuring().await;
        page.visit(&format!("/traces/{TRACE_ID}")).await;
        print_times(page, "the first page of a trace of 2,000 subsegments").await;
        assert_eq!(page.count(".rows li").await, 500, "the first page");

        // The page shows the details of the root at first.
        page.until_text("aside header h2", "service 0").await;
        let select = "const done = arguments[0]; const started = performance.now();
            new MutationObserver(() => done(performance.now() - started)).observe(document.querySelector('aside'), {childList: true});
            [...document.querySelectorAll('.rows a')].at(-1).click();";
        let milliseconds = page.client.execute_async(select, Vec::new()).await.unwrap();
        println!("details of the last row: after {:.0} ms", milliseconds.as_f64().unwrap());
        assert!(page.text("aside header h2").await.starts_with("step "));

        let scroll = "const done = arguments[0]; let frames = 0;
            const frame = () => { scrollBy(0, 900); ++frames < 60 ? requestAnimationFrame(frame) : done(); };
            requestAnimationFrame(frame);";
        let before = page.processor_time().await;
        page.client.execute_async(scroll, Vec::new()).await.unwrap();
        println!("scrolling through it: {:.1} ms of processor time for each frame", (page.processor_time().await - before) / 60.0);
    })
    .await;
}
