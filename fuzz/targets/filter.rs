//! Any text as a filter expression or as what is typed into the search box.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use xray_local::Trace;
use xray_local::document::{Document, TraceId};
use xray_local::filter::{EntitySelector, Filter, Search};

static TRACE: LazyLock<Trace> = LazyLock::new(|| {
    let id = TraceId::parse("1-581cf771-a006649127e371903a2de979").expect("the id is valid");
    let document = Document::parse(
        r#"{"id":"00000000000000ff","trace_id":"1-581cf771-a006649127e371903a2de979","name":"shop","start_time":1,
            "end_time":2,"http":{"request":{"method":"GET","url":"http://shop/cart"},"response":{"status":500}},
            "fault":true,"annotations":{"user":"anna","items":3},"subsegments":[{"id":"00000000000000fe","name":"stock",
            "namespace":"remote","start_time":1,"end_time":2,"error":true}]}"#,
    );
    Trace::of(id, document)
});

fuzz_target!(|text: &str| {
    match Filter::parse(text) {
        Ok(filter) => drop(filter.matches(&TRACE)),
        Err(error) => drop((error.to_string(), error.corrected(text))),
    }
    if let Ok(search) = Search::parse(text) {
        let _ = search.filter().matches(&TRACE);
    }
    if let Ok(selector) = EntitySelector::parse(text) {
        let _ = selector.select(&TRACE);
    }
});
