//! Invocations that are not recorded, and the headers of the calls that they make.

use serde_json::{Value, json};

use super::service::{Lambda, PARENT, ROOT};
use support::{Seen, Server};

/// Invokes a function with this header. Returns the headers of the requests that it makes, and the number of warnings
/// so far. Checks that nothing is recorded.
async fn carried(lambda: &mut Lambda, server: &Server, header: Option<&str>) -> (Vec<String>, Value) {
    let steps = json!({"url": server.url("/bytes/3"), "steps": ["call", "nested", "segment", "write"]});
    let answer = lambda.call(header, steps).await;
    assert!(!answer.is_error, "{}", answer.body);
    assert_eq!(answer.documents, [Value::Null; 0], "{header:?}");
    assert_eq!((&answer.body["samplers_asked"], &answer.body["values_rejected"]), (&json!(0), &json!(0)));
    assert_eq!(answer.body["trace"], header.map_or(Value::Null, |_| ROOT.into()));
    (server.take_seen().iter().flat_map(Seen::trace_headers).collect(), answer.body["warnings"].clone())
}

#[tokio::test]
async fn unsampled() {
    let server = Server::start().await;
    let mut lambda = Lambda::start("handler").await;
    let header = format!("Root={ROOT};Parent={PARENT};Sampled=0;Lineage=25:abc:1");
    let expected = format!("Root={ROOT};Sampled=0;Lineage=25:abc:1");
    let (headers, warnings) = carried(&mut lambda, &server, Some(&header)).await;
    assert_eq!((headers, warnings), (vec![expected; 2], json!(0)));
    assert_eq!(lambda.stop().await, [Value::Null; 0]);
}

#[tokio::test]
async fn pass_through() {
    let server = Server::start().await;
    let mut lambda = Lambda::start("handler").await;
    for header in [
        format!("Root={ROOT};Lineage=25:abc:1"),
        format!("Root={ROOT}"),
        format!("Root={ROOT};Parent={PARENT};Lineage=25:abc:1|d:2"),
        format!("Lineage=25:abc:1; Root={ROOT};Self=1-67891233-abcdef012345678912345678;"),
        format!("Root={ROOT};Sampled=1"),
        format!("Root={ROOT};Parent={PARENT};Sampled=?"),
    ] {
        let (headers, warnings) = carried(&mut lambda, &server, Some(&header)).await;
        assert_eq!((headers, warnings), (vec![header.clone(); 2], json!(0)));
    }
    assert_eq!(lambda.stop().await, [Value::Null; 0]);
}

#[tokio::test]
async fn none() {
    let server = Server::start().await;
    let mut lambda = Lambda::start("handler").await;
    for _ in 0..3 {
        let (headers, warnings) = carried(&mut lambda, &server, None).await;
        // One for the place of the calls, one for the segment that is to begin in no invocation.
        assert_eq!((headers, warnings), (vec![], json!(2)));
    }
    assert_eq!(lambda.stop().await, [Value::Null; 0]);
}
