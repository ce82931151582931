//! How long the list and the map take with many traces and services.

use std::collections::HashMap;

use serde_json::{Value, json};
use xray_local::time;

use crate::browser::{Page, in_browser};
use crate::measure::{FIRST_PAINT, INTERACTION, report, report_first_paint};
use crate::server::{TRACE_ID, put};

/// The number of traces. A debug build takes too long for more.
const TRACES: u32 = if cfg!(debug_assertions) { 500 } else { 10_000 };

#[tokio::test]
async fn a_list_of_10000_traces_is_painted_before_its_statistics_are_complete() {
    in_browser(async |page| {
        let start = time::now() - f64::from(TRACES);
        for number in 0..TRACES {
            let at = start + f64::from(number);
            let seconds = 0.01 * f64::from(number % 97 + 1);
            let call = json!({"id": format!("{:016x}", 0x1_0000_0000_u64 + u64::from(number)), "name": "stock.example.com", "namespace": "remote",
                "start_time": at, "end_time": at + seconds / 2.0,
                "http": {"request": {"method": "GET", "url": "http://stock.example.com/items"}, "response": {"status": 200}}});
            put(&page.server, &json!({"id": format!("{:016x}", number + 1), "trace_id": format!("1-6b076a21-{number:024x}"), "name": "shop",
                "start_time": at, "end_time": at + seconds, "fault": number % 50 == 0, "annotations": {"tenant": format!("tenant-{}", number % 7)},
                "http": {"request": {"method": "GET", "url": format!("http://shop.example.com/carts/{number}")}, "response": {"status": 200}},
                "subsegments": [call]}));
        }
        let what = format!("a list of {TRACES} traces");
        report_first_paint(page, "/", &what, FIRST_PAINT).await;
        // The script loads the statistics of all traces, if the first ones do not cover them.
        let all = format!("return document.querySelector('.numbers dd').textContent.replace(',', '') === '{TRACES}';");
        page.until(&all).await;
        report_first_paint(page, "/?filter=service(%22shop%22)", &format!("{what} with a filter"), FIRST_PAINT).await;
        report_first_paint(page, "/?by=url", &format!("statistics of {TRACES} traces by URL"), FIRST_PAINT).await;
        report_first_paint(page, "/map", &format!("the map of {TRACES} traces"), FIRST_PAINT).await;

        page.visit("/").await;
        let complete = "const done = arguments[0]; const started = performance.now();
            const field = document.querySelector('#filter');
            field.focus();
            field.setRangeText('annotation.ten', 0, field.value.length, 'end');
            field.dispatchEvent(new InputEvent('input', {bubbles: true}));
            requestAnimationFrame(() => setTimeout(() => done(performance.now() - started)));";
        let mut times = Vec::new();
        for _ in 0..5 {
            let time = page.client.execute_async(complete, Vec::new()).await.unwrap();
            times.push(time.as_f64().unwrap());
        }
        assert_eq!(page.text("#completions li span").await, "annotation.tenant");
        report("completing a word", &times, INTERACTION);
    })
    .await;
}

/// Stores a trace with this many services. Each calls up to three others.
fn fill(page: &Page, services: u32) {
    // The segment that makes these calls belongs to the first call that the service receives. Each further call gets a
    // segment without calls.
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
    for number in 0..services {
        let called = [number * 2 + 1, number * 2 + 2, number + services / 8];
        let mut calls = Vec::new();
        for (index, callee) in (number * 4..).zip(called.into_iter().filter(|callee| *callee < services)) {
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
}

#[tokio::test]
async fn a_map_of_500_nodes_is_drawn_whole_and_no_edge_crosses_a_node() {
    in_browser(async |page| {
        // One node stands for the clients.
        fill(page, 499);
        report_first_paint(page, "/map", "a map of 500 nodes", FIRST_PAINT).await;
        report_first_paint(page, "/map?node=service-7", "a service of a map of 500 nodes", FIRST_PAINT).await;
        report_first_paint(page, "/map?node=service-7&path=only", "the path of a service of a map of 500 nodes", FIRST_PAINT).await;
        page.visit("/map").await;
        let nodes = page.count(".map .node").await;
        println!("{nodes} nodes, {} edges", page.count(".map .edge").await);
        assert_eq!(nodes, 500);
        let small = "return Math.min(...[...document.querySelectorAll('.map .node text')].map((text) => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a));";
        assert!(page.evaluate::<f64>(small).await >= 10.0, "the text can be read");
        // Points along each edge, and the boxes of the nodes, in the coordinates of the drawing.
        let crossed = "const boxes = [...document.querySelectorAll('.map .node')].map((node) => node.transform.baseVal[0].matrix)
                .map(({e, f}) => ({left: e + 1, right: e + 215, top: f + 1, bottom: f + 67}));
            let crossed = 0;
            for (const path of document.querySelectorAll('.map .edge path:not(.hit)')) {
                const length = path.getTotalLength();
                for (let at = 0; at <= length; at += 20) {
                    const {x, y} = path.getPointAtLength(at);
                    if (boxes.some((box) => x > box.left && x < box.right && y > box.top && y < box.bottom)) crossed++;
                }
            }
            return crossed;";
        assert_eq!(page.script(crossed).await, 0);
    })
    .await;
}
