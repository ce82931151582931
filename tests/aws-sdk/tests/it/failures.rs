//! Operations that fail, are throttled, or are dropped.

use std::time::Duration;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use xray::aws_sdk::SubsegmentInterceptor;
use xray::emitter::MemoryEmitter;
use xray::{Instrument as _, Recorder, Segment};
use xray_tests_aws_sdk::clients::{self, shared};
use xray_tests_aws_sdk::documents::{call_of, segment_of};
use xray_tests_aws_sdk::server::{Reply, Server};

fn flags(call: &Value) -> [bool; 3] {
    ["error", "throttle", "fault"].map(|flag| call.get(flag).is_some_and(|value| value == true))
}

fn exception(call: &Value) -> &Value {
    &call["cause"]["exceptions"][0]
}

#[tokio::test]
async fn an_error_of_the_service_has_code_and_message() {
    let body = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"no table orders"}"#;
    let server = Server::with(Reply::new(400, body));
    let client = clients::traced_dynamodb(server.url());
    let (result, call) = call_of(client.get_item().table_name("orders").send()).await;
    assert!(result.unwrap_err().into_service_error().is_resource_not_found_exception());
    assert_eq!(flags(&call), [true, false, false]);
    let exception = exception(&call);
    assert_eq!((&exception["type"], &exception["remote"]), (&json!("ResourceNotFoundException"), &json!(true)));
    assert_eq!(exception["message"], "no table orders");
    assert_eq!((&call["http"]["response"]["status"], &call["aws"]["request_id"]), (&json!(400), &json!("REQUEST-1")));
    assert_eq!(call["aws"]["table_name"], "orders");
}

#[tokio::test]
async fn a_failed_condition_is_an_error_and_no_fault() {
    let body = r#"{"__type":"x#ConditionalCheckFailedException","message":"The conditional request failed"}"#;
    let server = Server::with(Reply::new(400, body));
    let client = clients::traced_dynamodb(server.url());
    let put = client.put_item().table_name("orders").condition_expression("attribute_not_exists(id)");
    let (_, call) = call_of(put.send()).await;
    assert_eq!(
        (flags(&call), &exception(&call)["type"]),
        ([true, false, false], &json!("ConditionalCheckFailedException"))
    );
}

#[tokio::test]
async fn an_operation_that_is_throttled_once_has_one_retry_and_no_flag() {
    let body = r#"{"__type":"x#ProvisionedThroughputExceededException","message":"slow down"}"#;
    let server =
        Server::start(move |_, before| if before == 0 { Reply::new(400, body) } else { Reply::new(200, "{}") });
    let client = clients::traced_dynamodb(server.url());
    let (result, call) = call_of(client.get_item().table_name("orders").send()).await;
    assert!(result.is_ok());
    assert_eq!((&call["aws"]["retries"], flags(&call)), (&json!(1), [false; 3]));
    assert_eq!(call["http"]["response"]["status"], 200);
    let headers: Vec<_> =
        server.requests().iter().map(|request| request.header("x-amzn-trace-id").map(ToOwned::to_owned)).collect();
    assert!(headers.len() == 2 && headers[0].is_some() && headers[0] == headers[1], "{headers:?}");
}

#[tokio::test]
async fn an_operation_that_stays_throttled_is_marked_so() {
    for (status, code) in
        [(400, "ThrottlingException"), (400, "ProvisionedThroughputExceededException"), (429, "Other")]
    {
        let server = Server::with(Reply::new(status, format!(r#"{{"__type":"x#{code}","message":"slow down"}}"#)));
        let client = clients::traced_dynamodb(server.url());
        let (_, call) = call_of(client.get_item().table_name("orders").send()).await;
        assert_eq!((flags(&call), &exception(&call)["type"]), ([true, true, false], &json!(code)), "{call:#}");
    }
}

#[tokio::test]
async fn a_status_of_5xx_is_a_fault() {
    let server = Server::with(Reply::new(503, "<html>unavailable</html>"));
    let client = clients::traced_s3(server.url());
    let (_, call) = call_of(client.list_objects_v2().bucket("photos").send()).await;
    assert_eq!((flags(&call), &call["aws"]["retries"]), ([false, false, true], &json!(2)));
    assert!(!call.to_string().contains("html"));
}

#[tokio::test]
async fn an_error_in_xml_and_one_without_a_body_are_read() {
    let body = "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Message>no key &lt;a&gt;</Message></Error>";
    let server = Server::with(Reply::new(404, body));
    let client = clients::traced_s3(server.url());
    let (_, call) = call_of(client.get_object().bucket("photos").key("k").send()).await;
    assert_eq!((&exception(&call)["type"], &exception(&call)["message"]), (&json!("NoSuchKey"), &json!("no key <a>")));
    let (_, call) = call_of(client.head_object().bucket("photos").key("k").send()).await;
    assert_eq!((flags(&call), &exception(&call)["remote"]), ([true, false, false], &json!(true)));
}

#[tokio::test]
async fn a_refused_connection_is_a_fault_with_its_error() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let client = clients::traced_dynamodb(&format!("http://127.0.0.1:{port}"));
    let (_, call) = call_of(client.get_item().table_name("orders").send()).await;
    assert_eq!((flags(&call), &call["namespace"]), ([false, false, true], &json!("aws")));
    assert!(call.get("http").is_none() && call["cause"].to_string().contains("refused"), "{call:#}");
    assert_eq!(call["aws"]["table_name"], "orders");
}

#[tokio::test]
async fn a_timeout_is_a_fault() {
    let server = Server::with(Reply::never());
    let timeouts = TimeoutConfig::builder().operation_timeout(Duration::from_millis(50)).build();
    let config = aws_sdk_dynamodb::config::Builder::from(&shared(server.url()))
        .timeout_config(timeouts)
        .retry_config(RetryConfig::disabled())
        .interceptor(SubsegmentInterceptor::new());
    let client = aws_sdk_dynamodb::Client::from_conf(config.build());
    let (result, call) = call_of(client.get_item().table_name("orders").send()).await;
    assert!(result.is_err());
    assert_eq!(flags(&call), [false, false, true]);
    assert!(call["cause"].to_string().contains("timeout"), "{call:#}");
}

#[tokio::test]
async fn a_dropped_operation_is_marked_as_cancelled() {
    let server = Server::with(Reply::never());
    let client = clients::traced_dynamodb(server.url());
    let (_, call) = call_of(async {
        let operation = client.get_item().table_name("orders").send();
        tokio::select! {
            _ = operation => unreachable!("the server does not answer"),
            () = async { while server.requests().is_empty() { tokio::task::yield_now().await } } => {}
        }
    })
    .await;
    assert_eq!((&call["metadata"]["xray"]["cancelled"], flags(&call)), (&json!(true), [false; 3]));
    assert_eq!((&call["aws"]["operation"], &call["aws"]["table_name"]), (&json!("GetItem"), &json!("orders")));
}

#[tokio::test]
async fn an_operation_that_cannot_be_built_fails_as_without_tracing() {
    let client = clients::traced_s3("http://127.0.0.1:9");
    let (result, segment) = segment_of(client.get_object().bucket("photos").send()).await;
    let error = format!("{:?}", result.unwrap_err());
    assert!(error.contains("key"), "{error}");
    assert!(!segment.to_string().contains("cancelled"), "{segment:#}");
}

#[tokio::test]
async fn a_response_without_ids_and_with_a_broken_body_is_recorded() {
    for body in ["", "no json", "{\"ConsumedCapacity\":", "[1]"] {
        let server = Server::with(Reply::new(200, body).without_id());
        let client = clients::traced_dynamodb(server.url());
        let (_, call) = call_of(client.get_item().table_name("orders").send()).await;
        assert_eq!(call["http"]["response"]["status"], 200, "{body}");
        assert!(call["aws"].get("request_id").is_none());
    }
}

#[tokio::test]
async fn a_huge_item_is_not_read() {
    let server = Server::with(Reply::new(200, "{}"));
    let client = clients::traced_sqs(server.url());
    let text = "x".repeat(1 << 20);
    let (_, call) = call_of(client.send_message().queue_url("http://q").message_body(text).send()).await;
    assert_eq!((&call["aws"]["operation"], call["aws"].get("queue_url")), (&json!("SendMessage"), None));
}

/// Lambda stops a function that exceeds its time without notice, so an operation that stays open is sent before its
/// end.
#[tokio::test]
async fn below_a_facade_an_open_operation_is_sent_and_sent_again_at_its_end() {
    let emitter = MemoryEmitter::new();
    Recorder::builder().in_progress_after(Duration::from_millis(20)).emitter(emitter.clone()).install().unwrap();
    let server = Server::with(Reply::never());
    let client = clients::traced_dynamodb(server.url());
    let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    let operation = client.get_item().table_name("orders").send();
    let operation = tokio::time::timeout(Duration::from_secs(1), operation).in_segment(Segment::facade(header));
    assert!(operation.await.is_err());
    let documents = emitter.take();
    let [open, ended] = &documents[..] else { panic!("{documents:#?}") };
    assert_eq!((&*open.name, open.id, open.in_progress), ("DynamoDB", ended.id, true));
    let open = serde_json::to_value(open).unwrap();
    assert_eq!((&open["namespace"], &open["aws"]["operation"]), (&json!("aws"), &json!("GetItem")));
    let ended = serde_json::to_value(ended).unwrap();
    assert_eq!(
        (&ended["aws"]["table_name"], &ended["metadata"]["xray"]["cancelled"]),
        (&json!("orders"), &json!(true))
    );
}
