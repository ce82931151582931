//! Handlers that fail. Lambda gets the error unchanged, after the subsegments that ended.

use serde_json::json;

use super::service::{Lambda, PARENT, ROOT, sampled};

#[tokio::test]
async fn an_error_follows_the_ended_subsegments() {
    let mut lambda = Lambda::start("handler").await;
    let answer = lambda.call(Some(&sampled()), json!({"steps": ["fail"]})).await;
    assert_eq!((answer.is_error, &answer.body["errorMessage"]), (true, &json!("out of stock")));
    let [cart] = &answer.documents[..] else { panic!("{:#?}", answer.documents) };
    assert_eq!([&cart["name"], &cart["trace_id"], &cart["parent_id"]], ["cart", ROOT, PARENT]);
    assert!(!lambda.call(Some(&sampled()), json!({"steps": ["work"]})).await.is_error);
}

#[tokio::test]
async fn a_panic_follows_the_ended_subsegments() {
    let mut lambda = Lambda::start("handler").await;
    let answer = lambda.call(Some(&sampled()), json!({"steps": ["panic"]})).await;
    assert!(answer.is_error && answer.body["errorMessage"].as_str().unwrap().contains("out of stock"));
    let [outer] = &answer.documents[..] else { panic!("{:#?}", answer.documents) };
    assert_eq!([&outer["name"], &outer["parent_id"]], ["outer", PARENT]);
    assert_eq!((&outer["fault"], &outer["cause"]["exceptions"][0]["message"]), (&json!(true), &json!("out of stock")));

    let answer = lambda.call(Some(&sampled()), json!({"steps": ["work"]})).await;
    assert_eq!((answer.is_error, &answer.body["values_rejected"]), (false, &json!(0)));
    assert_eq!(answer.documents.len(), 1);
}
