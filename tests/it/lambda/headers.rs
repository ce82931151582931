//! Trace headers of calls made by invocations that are not recorded.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::service::{Lambda, PARENT, ROOT};
use support::{Seen, Server};

/// Invokes the function with `header` and asserts that it records nothing. Returns the headers of its requests and the
/// number of warnings logged so far.
async fn forwarded_headers(lambda: &mut Lambda, server: &Server, header: Option<&str>) -> (Vec<String>, Value) {
    let steps = json!({"url": server.url("/bytes/3"), "steps": ["call", "nested", "segment", "write"]});
    let answer = lambda.call(header, steps).await;
    assert!(!answer.is_error, "{}", answer.body);
    assert_eq!(answer.documents, [Value::Null; 0], "{header:?}");
    assert_eq!((&answer.body["samplers_asked"], &answer.body["values_rejected"]), (&json!(0), &json!(0)));
    assert_eq!(answer.body["trace"], header.map_or(Value::Null, |_| ROOT.into()));
    (server.take_seen().iter().flat_map(Seen::trace_headers).collect(), answer.body["warnings"].clone())
}

#[tokio::test]
async fn an_unsampled_header_is_forwarded_without_its_parent() {
    let server = Server::start().await;
    let mut lambda = Lambda::start("handler").await;
    let header = format!("Root={ROOT};Parent={PARENT};Sampled=0;Lineage=25:abc:1");
    let expected = format!("Root={ROOT};Sampled=0;Lineage=25:abc:1");
    let (headers, warnings) = forwarded_headers(&mut lambda, &server, Some(&header)).await;
    assert_eq!((headers, warnings), (vec![expected; 2], json!(0)));
    assert_eq!(lambda.stop().await, [Value::Null; 0]);
}

#[tokio::test]
async fn headers_without_a_sampling_decision_are_forwarded_unchanged() {
    let server = Server::start().await;
    let mut lambda = Lambda::start("handler").await;
    for header in [
        format!("Root={ROOT};Lineage=25:abc:1"),
        format!("Root={ROOT}"),
        format!("Root={ROOT};Parent={PARENT};Lineage=25:abc:1|d:2"),
        format!("Lineage=25:abc:1; Root={ROOT};Self=1-67891233-abcdef012345678912345678;"),
        // Without a parent, the header names no segment that the invocation could be recorded below.
        format!("Root={ROOT};Sampled=1"),
        // `?` requests a decision, which an invocation does not make.
        format!("Root={ROOT};Parent={PARENT};Sampled=?"),
    ] {
        let (headers, warnings) = forwarded_headers(&mut lambda, &server, Some(&header)).await;
        assert_eq!((headers, warnings), (vec![header.clone(); 2], json!(0)));
    }
    assert_eq!(lambda.stop().await, [Value::Null; 0]);
}

#[tokio::test]
async fn without_a_header_nothing_is_sent_and_each_place_is_logged_once() {
    let server = Server::start().await;
    let mut lambda = Lambda::start("handler").await;
    for _ in 0..3 {
        let (headers, warnings) = forwarded_headers(&mut lambda, &server, None).await;
        // One for the place of the calls, one for each of two places of subsegments, and one for the segment that
        // begins outside any invocation.
        assert_eq!((headers, warnings), (vec![], json!(4)));
    }
    assert_eq!(lambda.stop().await, [Value::Null; 0]);
}

/// `sam local invoke` sets `AWS_SAM_LOCAL`, and the header of each invocation is empty.
#[tokio::test]
async fn in_sams_local_runtime_each_invocation_begins_a_trace() {
    let server = Server::start().await;
    let mut lambda = Lambda::with("handler", &[("AWS_SAM_LOCAL", "true")]).await;
    let mut traces = HashSet::new();
    for _ in 0..2 {
        let steps = json!({"url": server.url("/bytes/3"), "steps": ["call"]});
        let answer = lambda.call(Some(""), steps).await;
        let [call] = &answer.documents[..] else { panic!("{:?}", answer.documents) };
        let trace = call["trace_id"].as_str().unwrap();
        let sent = server.take_seen().iter().flat_map(Seen::trace_headers).collect::<Vec<_>>();
        assert_eq!(sent, [format!("Root={trace};Parent={};Sampled=1", call["id"].as_str().unwrap())]);
        traces.insert(trace.to_owned());
    }
    assert_eq!(traces.len(), 2);
    assert_eq!(lambda.stop().await, [Value::Null; 0]);
}
