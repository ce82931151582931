//! How long large pages take. Printed, not judged: the machine may be any.

use std::collections::HashMap;

use serde_json::{Value, json};
use xray_local::store::Source;

use crate::browser::{Page, in_browser};
use crate::shop;

const TRACE_ID: &str = "1-6b076a21-a006649127e371903a2de979";

fn put(page: &Page, document: &Value) {
    let outcome = page.server.store().put(&document.to_string(), Source::Http);
    assert!(outcome.is_taken(), "{outcome:?}");
}

async fn tell(page: &Page, what: &str) {
    let (drawn, work) = page.rendering_times().await;
    let navigation = "const {responseEnd, decodedBodySize} = performance.getEntriesByType('navigation')[0];
        return `answered in ${Math.round(responseEnd)} ms, ${decodedBodySize} bytes`;";
    let answer = page.script(navigation).await;
    println!(
        "{what}: {}, drawn after {drawn:.0} ms, of which {work:.0} ms are the page's work",
        answer.as_str().unwrap()
    );
}

#[tokio::test]
async fn a_trace_of_two_thousand_subsegments() {
    in_browser(async |page| {
        let start = shop::now() - 100.0;
        for part in 0..20 {
            let at = start + f64::from(part) * 4.0;
            let subsegments: Vec<_> = (0..100)
                .map(|index| {
                    let from = at + f64::from(index) * 0.03;
                    json!({"id": format!("{:016x}", 0xb_0000 + part * 100 + index), "name": format!("step {index}"), "start_time": from, "end_time": from + 0.025})
                })
                .collect();
            let caller = if part == 0 { Value::Null } else { format!("{:016x}", 0xb_0000 + (part - 1) * 100 + 50).into() };
            let mut segment = json!({"id": format!("{:016x}", 0xa_0000 + part), "trace_id": TRACE_ID, "name": format!("service {part}"),
                "start_time": at, "end_time": at + 3.5, "subsegments": subsegments});
            if !caller.is_null() {
                segment["parent_id"] = caller;
            }
            put(page, &segment);
        }
        page.start_measuring().await;
        page.visit(&format!("/traces/{TRACE_ID}")).await;
        tell(page, "a trace of 2,000 subsegments").await;
        assert_eq!(page.count(".rows li").await, 2_020);

        let select = "const done = arguments[0]; const begun = performance.now();
            new MutationObserver(() => done(performance.now() - begun)).observe(document.querySelector('aside'), {childList: true});
            [...document.querySelectorAll('.rows a')].at(-1).click();";
        let took = page.client.execute_async(select, Vec::new()).await.unwrap();
        println!("to its last subsegment's details: {:.0} ms", took.as_f64().unwrap());
        assert!(page.text("aside h1").await.starts_with("step "));

        let scroll = "const done = arguments[0]; let frames = 0;
            const frame = () => { scrollBy(0, 900); ++frames < 60 ? requestAnimationFrame(frame) : done(); };
            requestAnimationFrame(frame);";
        let before = page.work().await;
        page.client.execute_async(scroll, Vec::new()).await.unwrap();
        println!("scrolled through: {:.1} ms of work a frame", (page.work().await - before) / 60.0);
    })
    .await;
}

#[tokio::test]
async fn a_map_of_two_hundred_nodes() {
    in_browser(async |page| {
        // Each service calls up to three others; the first call of each service leads to its one busy segment.
        let start = shop::now() - 10.0;
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
            for (place, callee) in (number * 4..).zip(called) {
                let call = id(1, place);
                calls.push(json!({"id": call, "name": format!("service-{callee}"), "namespace": "remote",
                    "start_time": start, "end_time": start + 0.1}));
                if let Some(first) = callers.insert(callee, call.clone()) {
                    callers.insert(callee, first);
                    put(page, &segment(id(2, place), Some(call), callee, &[]));
                }
            }
            put(page, &segment(id(3, number), callers.get(&number).cloned(), number, &calls));
        }
        page.start_measuring().await;
        page.visit("/map").await;
        tell(page, "a map of 200 nodes").await;
        let nodes = page.count(".map .node").await;
        println!("{nodes} nodes, {} edges", page.count(".map .edge").await);
        assert_eq!(nodes, 200);
    })
    .await;
}
