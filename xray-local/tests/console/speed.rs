//! How long large pages take. The times are printed and not asserted, because they depend on the machine.

use std::collections::HashMap;

use serde_json::{Value, json};
use xray_local::time;

use crate::browser::{Page, in_browser};
use crate::server::{TRACE_ID, put};

/// Prints how long the server and the browser took for a page.
async fn print_times(page: &Page, name: &str) {
    let (drawn, processor_time) = page.rendering_times().await;
    let navigation = "const {responseEnd, decodedBodySize} = performance.getEntriesByType('navigation')[0];
        return `received ${decodedBodySize} bytes after ${Math.round(responseEnd)} ms`;";
    let received: String = page.evaluate(navigation).await;
    println!("{name}: {received}, drawn after {drawn:.0} ms, {processor_time:.0} ms of processor time in the browser");
}

#[tokio::test]
async fn a_trace_of_2000_subsegments_is_shown_whole() {
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
        print_times(page, "a trace of 2,000 subsegments").await;
        assert_eq!(page.count(".rows li").await, 2_020);

        // The page shows the details of the root at first.
        page.until_text("aside header h2", "service 0").await;
        let select = "const done = arguments[0]; const started = performance.now();
            new MutationObserver(() => done(performance.now() - started)).observe(document.querySelector('aside'), {childList: true});
            [...document.querySelectorAll('.rows a')].at(-1).click();";
        let milliseconds = page.client.execute_async(select, Vec::new()).await.unwrap();
        println!("details of its last subsegment: after {:.0} ms", milliseconds.as_f64().unwrap());
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

#[tokio::test]
async fn a_map_of_200_nodes_is_drawn_whole() {
    in_browser(async |page| {
        // Each service calls up to three others. The segment that makes these calls belongs to the first call that the
        // service receives. Each further call gets a segment without calls.
        let start = time::now() - 10.0;
        let id = |kind: u32, number: u32| format!("{:016x}", kind * 0x1_0000 + number);
        let segment = |id: String, caller: Option<String>, number: u32, calls: &[Value]| {
            let mut segment = json!({"id": id, "trace_id": TRACE_ID, "name": format!("service-{number}"), "start_time": start,
                "end_time": start + 0.2, "subsegments": calls});
            if let Some(caller) = caller {
                segment["parent_id"] = caller.into();
            }
            segment
        };
        let mut callers = HashMap::<u32, String>::new();
        for number in 0..199_u32 {
            let called = [number * 2 + 1, number * 2 + 2, number + 7].into_iter().filter(|callee| *callee < 199);
            let mut calls = Vec::new();
            for (index, callee) in (number * 4..).zip(called) {
                let call = id(1, index);
                calls.push(json!({"id": call, "name": format!("service-{callee}"), "namespace": "remote",
                    "start_time": start, "end_time": start + 0.1}));
                if let Some(first) = callers.insert(callee, call.clone()) {
                    callers.insert(callee, first);
                    put(&page.server, &segment(id(2, index), Some(call), callee, &[]));
                }
            }
            put(&page.server, &segment(id(3, number), callers.get(&number).cloned(), number, &calls));
        }
        page.start_measuring().await;
        page.visit("/map").await;
        print_times(page, "a map of 200 nodes").await;
        let nodes = page.count(".map .node").await;
        println!("{nodes} nodes, {} edges", page.count(".map .edge").await);
        assert_eq!(nodes, 200);
    })
    .await;
}
