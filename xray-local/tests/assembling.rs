//! Documents in, traces and graphs out.

use xray_local::graph::service_graph;
use xray_local::store::{Limits, Source, Store};
use xray_local::time::TimeRange;

const SEGMENT: &str = r#"{"id":"70de5b6f19ff9a0a","trace_id":"1-5880168b-fd5153bb58284b67678aa78c","name":"shop","start_time":1484786387,"end_time":1484786388,
  "subsegments":[{"id":"004f72be19cddc2a","start_time":1484786387.131,"end_time":1484786387.501,"name":"names.example.com","namespace":"remote",
  "http":{"request":{"method":"GET","url":"https://names.example.com/"},"response":{"content_length":-1,"status":200}}}]}"#;

#[test]
fn the_documented_example() {
    let store = Store::new(Limits::default());
    assert!(store.put(SEGMENT, Source::Udp).is_taken());
    let trace = store.trace("1-5880168b-fd5153bb58284b67678aa78c").unwrap();
    let mut inferred = serde_json::to_value(&trace.segments[1]).unwrap();
    assert_eq!(inferred["id"].as_str().unwrap().len(), 16);
    inferred["id"] = "168416dc2ea97781".into();
    let documented: serde_json::Value = serde_json::from_str(
        r#"{ "id": "168416dc2ea97781", "name": "names.example.com", "trace_id": "1-5880168b-fd5153bb58284b67678aa78c",
             "start_time": 1484786387.131, "end_time": 1484786387.501, "parent_id": "004f72be19cddc2a",
             "http": { "request": { "method": "GET", "url": "https://names.example.com/" }, "response": { "content_length": -1, "status": 200 } }, "inferred": true }"#,
    )
    .unwrap();
    assert_eq!(inferred, documented);

    let graph = service_graph([&trace], TimeRange::ALL);
    let names: Vec<_> = graph.services.iter().map(|service| (service.name.as_str(), service.kind.as_deref())).collect();
    assert_eq!(names, [("names.example.com", Some("remote")), ("shop", None), ("shop", Some("client"))]);
    assert_eq!(graph.services[1].edges[0].reference_id, 0);
    assert_eq!(graph.services[2].edges[0].reference_id, 1);
}
