//! The SDK's own spans, which the `tracing` layer makes subsegments of.

use serde_json::json;
use tracing::instrument::WithSubscriber as _;
use tracing::{Dispatch, Level};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry;
use xray::traced_http;
use xray::tracing::SubsegmentLayer;
use xray_tests_aws_sdk::clients;
use xray_tests_aws_sdk::documents::call_of;
use xray_tests_aws_sdk::server::{Reply, Server};

fn subscriber(level: Level) -> Dispatch {
    registry().with(SubsegmentLayer::new().with_max_level(level)).into()
}

#[tokio::test]
async fn an_operation_is_a_subsegment_of_the_service_without_its_parts() {
    let server = Server::with(Reply::new(200, "{}"));
    let client = clients::dynamodb(server.url());
    for level in [Level::INFO, Level::TRACE] {
        let work = client.get_item().table_name("orders").send().with_subscriber(subscriber(level));
        let (_, call) = call_of(work).await;
        assert_eq!((&call["name"], &call["namespace"]), (&json!("DynamoDB"), &json!("aws")));
        assert_eq!(call["aws"], json!({ "operation": "GetItem" }));
        assert!(call.get("subsegments").is_none() && call.get("annotations").is_none(), "{call:#}");
    }
}

#[tokio::test]
async fn an_interceptor_adds_to_the_subsegment_of_the_span() {
    let body = r#"{"__type":"x#ResourceNotFoundException","message":"no table"}"#;
    let server = Server::with(Reply::new(400, body));
    let client = clients::traced_dynamodb(server.url());
    let work = client.get_item().table_name("orders").send().with_subscriber(subscriber(Level::INFO));
    let (_, call) = call_of(work).await;
    assert_eq!(
        call["aws"],
        json!({ "operation": "GetItem", "region": "eu-west-1", "request_id": "REQUEST-1", "table_name": "orders" })
    );
    assert!(call["error"] == true && call.get("fault").is_none());
    assert_eq!(call["cause"]["exceptions"][0]["type"], "ResourceNotFoundException");
    let header = server.requests()[0].header("x-amzn-trace-id").unwrap().to_owned();
    assert!(header.contains(call["id"].as_str().unwrap()));
}

#[traced_http]
async fn annotated(client: &aws_sdk_dynamodb::Client) {
    let _ = client.get_item().table_name("orders").send().await;
}

#[tokio::test]
async fn span_attribute_and_interceptor_make_one_subsegment() {
    let server = Server::with(Reply::new(200, "{}"));
    for client in [clients::dynamodb(server.url()), clients::traced_dynamodb(server.url())] {
        let (_, call) = call_of(annotated(&client).with_subscriber(subscriber(Level::INFO))).await;
        assert_eq!((&call["aws"]["table_name"], &call["http"]["response"]["status"]), (&json!("orders"), &json!(200)));
        assert!(call.get("subsegments").is_none(), "{call:#}");
    }
}
