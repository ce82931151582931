//! Invocations that run at the same time, as on Lambda Managed Instances. `_X_AMZN_TRACE_ID` is not
//! set in this mode.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::function::TOGETHER;
use super::service::Lambda;
use support::{Seen, Server};

#[tokio::test]
async fn concurrent_invocations_record_separate_traces() {
    const MANY: usize = 5 * TOGETHER;

    let server = Server::start().await;
    let limit = TOGETHER.to_string();
    let mut lambda = Lambda::with("concurrent", &[("AWS_LAMBDA_MAX_CONCURRENCY", &limit)]).await;
    for number in 0..MANY {
        let header = format!("Root=1-5759e988-{number:024x};Parent={:016x};Sampled=1;Lineage=l:{number}", number + 1);
        let url = server.url(&format!("/bytes/{number}"));
        lambda.invoke(Some(&header), json!({"url": url, "steps": ["call", "together", "nested", "segment"]}));
    }
    let mut documents: HashMap<String, Vec<Value>> = HashMap::new();
    for _ in 0..MANY {
        let answer = lambda.answer().await;
        assert!(!answer.is_error, "{}", answer.body);
        assert_eq!(answer.body["variable"], Value::Null, "the environment variable must not be set");
        assert_eq!(answer.body["trace_outside"], Value::Null, "work without a context may be of any invocation");
        for document in answer.documents {
            documents.entry(document["trace_id"].as_str().unwrap().to_owned()).or_default().push(document);
        }
        let own = &documents[answer.body["trace"].as_str().unwrap()];
        assert_eq!(own.len(), 3, "an invocation's documents arrive before its response: {own:#?}");
    }
    assert_eq!(lambda.stop().await, [Value::Null; 0]);
    let seen = server.take_seen();
    assert_eq!((documents.len(), seen.len()), (MANY, 2 * MANY));
    for number in 0..MANY {
        let root = format!("1-5759e988-{number:024x}");
        let [call, nested, segment] = &documents[&root][..] else { panic!("{documents:#?}") };
        for document in [call, nested, segment] {
            assert_eq!(document["parent_id"], format!("{:016x}", number + 1));
        }
        let path = format!("/bytes/{number}");
        let headers: Vec<_> =
            seen.iter().filter(|seen| seen.uri.path() == path).flat_map(Seen::trace_headers).collect();
        let ids = [&call["id"], &nested["subsegments"][0]["id"]].map(|id| id.as_str().unwrap());
        assert_eq!(headers, ids.map(|id| format!("Root={root};Parent={id};Sampled=1;Lineage=l:{number}")));
    }
}
