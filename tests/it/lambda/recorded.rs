//! Invocations that are sampled.

use std::time::Duration;

use serde_json::{Value, json};

use super::service::{Lambda, PARENT, ROOT, sampled};
use support::{Seen, Server};

#[tokio::test]
async fn each_subsegment_leaves_by_itself() {
    let server = Server::start().await;
    let mut lambda = Lambda::start("handler").await;
    let steps = json!({"url": server.url("/bytes/3"), "steps": ["call", "nested", "thread"]});
    let answer = lambda.call(Some(&sampled()), steps).await;
    assert!(!answer.is_error, "{}", answer.body);
    assert_eq!([&answer.body["trace"], &answer.body["trace_outside"]], [ROOT, ROOT]);
    assert_eq!(answer.body["samplers_asked"], 0);

    let [call, nested, thread] = &answer.documents[..] else { panic!("{:#?}", answer.documents) };
    for document in [call, nested, thread] {
        assert_eq!([&document["trace_id"], &document["parent_id"]], [ROOT, PARENT], "{document:#}");
        assert_eq!(document["type"], "subsegment");
        assert!(document.get("end_time").is_some() && document.get("aws").is_none());
    }
    assert_eq!([&call["name"], &nested["name"], &thread["name"]], ["127.0.0.1", "outer", "outer"]);
    assert_eq!(nested["subsegments"][0]["name"], "127.0.0.1");
    assert_eq!(
        thread["subsegments"][0]["name"], "inner",
        "the surrounding subsegment is the parent of the thread's subsegment"
    );

    let headers: Vec<_> = server.take_seen().iter().flat_map(Seen::trace_headers).collect();
    let header = |id: &Value| format!("Root={ROOT};Parent={};Sampled=1;Lineage=25:abc:1", id.as_str().unwrap());
    assert_eq!(headers, [header(&call["id"]), header(&nested["subsegments"][0]["id"])]);
    assert_eq!(lambda.stop().await, [Value::Null; 0], "all documents were sent before the answer");
}

#[tokio::test]
async fn invocations_in_turn_keep_apart() {
    let mut lambda = Lambda::start("handler").await;
    for number in 0..20 {
        let root = format!("1-5759e988-{number:024x}");
        let parent = format!("{:016x}", number + 1);
        let header = format!("Root={root};Parent={parent};Sampled={}", number % 2);
        let answer = lambda.call(Some(&header), json!({"steps": ["work", "work"]})).await;
        let ids: Vec<_> =
            answer.documents.iter().map(|document| [&document["trace_id"], &document["parent_id"]]).collect();
        let expected = if number % 2 == 1 { 2 } else { 0 };
        assert_eq!(ids, vec![[&json!(root), &json!(parent)]; expected], "{header}");
    }
}

#[tokio::test]
async fn after_its_answer_an_invocation_is_not_current_any_more() {
    let mut lambda = Lambda::start("handler").await;
    let answer = lambda.call(Some(&sampled()), json!({"steps": ["wait for the end"]})).await;
    assert_eq!(answer.body["trace_outside"], ROOT);
    let ended = lambda.directory().join("ended");
    let end = async {
        while !ended.exists() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), end).await.expect("the invocation is still current");
}

#[tokio::test]
async fn what_is_written_to_the_facade_is_counted() {
    let mut lambda = Lambda::start("handler").await;
    let answer = lambda.call(Some(&sampled()), json!({"steps": ["write", "write", "work"]})).await;
    assert!(!answer.is_error, "{}", answer.body);
    assert_eq!((&answer.body["values_rejected"], &answer.body["warnings"]), (&json!(8), &json!(1)));
    let [cart] = &answer.documents[..] else { panic!("{:#?}", answer.documents) };
    assert!(cart.get("annotations").is_none() && cart.get("cause").is_none(), "{cart:#}");
}

#[tokio::test]
async fn what_is_left_open_is_apart_from_a_retry() {
    let mut lambda = Lambda::start("handler").await;
    let answer = lambda.call(Some(&sampled()), json!({"steps": ["leave open"]})).await;
    assert_eq!(answer.documents, [Value::Null; 0]);
    let answer = lambda.call(Some(&sampled()), json!({"steps": ["work"]})).await;
    assert_eq!(answer.documents[0]["parent_id"], PARENT);
    let other = "Root=1-11111111-111111111111111111111111;Parent=1111111111111111;Sampled=0";
    let answer = lambda.call(Some(other), json!({"steps": ["end what is left open"]})).await;
    let [left_open] = &answer.documents[..] else { panic!("{:#?}", answer.documents) };
    let ids = [&left_open["name"], &left_open["trace_id"], &left_open["parent_id"]];
    assert_eq!(ids, ["left open", ROOT, PARENT], "the subsegment belongs to the trace in which it began");
}

#[tokio::test]
async fn an_emitter_that_is_stuck_is_waited_for_once_an_invocation() {
    let mut lambda = Lambda::start("stuck").await;
    for waited in 1..=2 {
        let answer = lambda.call(Some(&sampled()), json!({"steps": ["work", "work", "work"]})).await;
        assert_eq!((answer.is_error, &answer.body["flushes"]), (false, &json!(waited)));
    }
}

#[tokio::test]
async fn lambda_is_told_that_an_sdk_is_there() {
    let mut lambda = Lambda::start("handler").await;
    lambda.call(None, json!({"steps": []})).await;
    assert!(lambda.directory().join(".aws-xray/initialized").is_file());
}

#[tokio::test]
async fn a_disabled_recorder_records_nothing() {
    let server = Server::start().await;
    let mut lambda = Lambda::with("handler", &[("AWS_XRAY_SDK_ENABLED", "false")]).await;
    let steps = json!({"url": server.url("/bytes/3"), "steps": ["call", "segment", "write"]});
    let answer = lambda.call(Some(&sampled()), steps).await;
    assert_eq!((&answer.body["trace"], answer.documents.len()), (&Value::Null, 0));
    assert_eq!(server.take_seen()[0].trace_headers(), [""; 0]);
}
