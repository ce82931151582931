//! Any text as a document: xray-local takes it or reports why not, and then takes a good document.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xray_local::Document;
use xray_local::graph::service_graph;
use xray_local::store::{Limits, Source, Store};
use xray_local::summary::summary;
use xray_local::time::TimeRange;

const GOOD: &str = r#"{"id":"00000000000000ff","trace_id":"1-581cf771-a006649127e371903a2de979","name":"good","start_time":1,"end_time":2}"#;

fuzz_target!(|text: &str| {
    let store = Store::new(Limits::default());
    // Each line is a document, so that documents of one trace meet.
    for line in text.lines() {
        let outcome = store.put(line, Source::Udp);
        assert_ne!(outcome.is_taken(), outcome.rejection().is_some());
    }
    assert!(store.put(GOOD, Source::Udp).is_taken());
    for stored in store.traces() {
        let trace = stored.trace();
        for segment in &trace.segments {
            let text = serde_json::to_string(segment).expect("a document is valid JSON");
            assert!(Document::parse(&text).is_some(), "{text}");
        }
        serde_json::to_string(&summary(&trace)).expect("a summary is valid JSON");
        serde_json::to_string(&service_graph([&trace], TimeRange::ALL)).expect("a graph is valid JSON");
    }
});
