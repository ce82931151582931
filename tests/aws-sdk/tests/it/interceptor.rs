//! The interceptor on a client.

use std::env;
use std::process::Command;
use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use serde_json::json;
use xray::aws_sdk::SubsegmentInterceptor;
use xray::emitter::MemoryEmitter;
use xray::sampling::Always;
use xray::{Instrument as _, Recorder, Segment, TraceHeader};
use xray_tests_aws_sdk::clients::{self, shared};
use xray_tests_aws_sdk::documents::{call_of, segment_of};
use xray_tests_aws_sdk::server::{Reply, Server};

#[tokio::test]
async fn an_operation_is_a_subsegment_of_the_service() {
    let server = Server::with(Reply::new(200, r#"{"ConsumedCapacity":{"TableName":"orders","CapacityUnits":0.5}}"#));
    let client = clients::traced_dynamodb(server.url());
    let (result, call) = call_of(client.get_item().table_name("orders").consistent_read(true).send()).await;
    assert!(result.unwrap().item().is_none());
    assert_eq!((&call["name"], &call["namespace"]), (&json!("DynamoDB"), &json!("aws")));
    assert_eq!(
        call["aws"],
        json!({
            "operation": "GetItem", "region": "eu-west-1", "request_id": "REQUEST-1", "table_name": "orders",
            "consistent_read": true, "consumed_capacity": { "TableName": "orders", "CapacityUnits": 0.5 },
        })
    );
    assert_eq!(call["http"], json!({ "response": { "status": 200 } }));
    assert!(call["end_time"].as_f64() > call["start_time"].as_f64());
    assert!(["error", "fault", "throttle", "cause", "metadata"].iter().all(|key| call.get(key).is_none()));
}

#[tokio::test]
async fn the_header_names_the_subsegment_and_is_not_signed() {
    let server = Server::with(Reply::new(200, "{}"));
    let client = clients::traced_dynamodb(server.url());
    let (_, segment) = segment_of(client.get_item().table_name("orders").send()).await;
    let request = server.requests().remove(0);
    let header = TraceHeader::parse(request.header("x-amzn-trace-id").unwrap());
    assert_eq!(json!(header.root), segment["trace_id"]);
    assert_eq!(json!(header.parent), segment["subsegments"][0]["id"]);
    let signed = request.header("authorization").unwrap();
    assert!(signed.contains("SignedHeaders=") && !signed.contains("x-amzn-trace-id"), "{signed}");
}

#[tokio::test]
async fn a_header_that_the_program_sets_is_replaced() {
    let server = Server::with(Reply::new(200, "{}"));
    let client = clients::dynamodb(server.url());
    let operation = client.get_item().table_name("orders").customize().mutate_request(|request| {
        request.headers_mut().insert("x-amzn-trace-id", "Root=1-00000000-000000000000000000000000;Parent=1;Sampled=0");
    });
    let (_, call) = call_of(operation.interceptor(SubsegmentInterceptor::new()).send()).await;
    let request = server.requests().remove(0);
    let headers: Vec<_> = request.headers.iter().filter(|(name, _)| name == "x-amzn-trace-id").collect();
    assert_eq!(headers.len(), 1);
    assert!(headers[0].1.contains(call["id"].as_str().unwrap()));
}

#[tokio::test]
async fn two_interceptors_make_one_subsegment() {
    let server = Server::with(Reply::new(200, "{}"));
    let client = clients::traced_dynamodb(server.url());
    let second = SubsegmentInterceptor::new().without("table_name");
    let operation = client.get_item().table_name("orders").customize().interceptor(second);
    let (_, call) = call_of(operation.send()).await;
    assert!(call["aws"].get("table_name").is_none() && call["aws"]["operation"] == "GetItem");
}

#[tokio::test]
async fn parameters_can_be_left_out() {
    let server = Server::with(Reply::new(200, ""));
    let interceptor = SubsegmentInterceptor::new().without("key");
    let config =
        aws_sdk_s3::config::Builder::from(&shared(server.url())).force_path_style(true).interceptor(interceptor);
    let client = aws_sdk_s3::Client::from_conf(config.build());
    let (_, call) = call_of(client.get_object().bucket("photos").key("anna.jpg").send()).await;
    assert_eq!(call["aws"]["bucket_name"], "photos");
    assert!(!call.to_string().contains("anna"));
}

#[tokio::test]
async fn outside_any_segment_the_request_is_unchanged() {
    let server = Server::with(Reply::new(200, "{}"));
    let client = clients::traced_dynamodb(server.url());
    assert!(client.get_item().table_name("orders").send().await.is_ok());
    assert_eq!(server.requests()[0].header("x-amzn-trace-id"), None);
}

#[tokio::test]
async fn an_unsampled_operation_sends_the_decision_and_records_nothing() {
    let server = Server::with(Reply::new(200, "{}"));
    let client = clients::traced_dynamodb(server.url());
    let header = TraceHeader::parse("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0");
    let work = client.get_item().table_name("orders").send();
    let (_, documents) = xray::testing::capture(async {
        work.in_segment(Segment::builder("shop").trace_header(&header)).await.unwrap();
    })
    .await;
    assert!(documents.is_empty());
    let sent = server.requests()[0].header("x-amzn-trace-id").unwrap().to_owned();
    assert_eq!(sent, "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0");
}

#[tokio::test]
async fn in_lambda_a_subsegment_is_sent_below_the_function() {
    let server = Server::with(Reply::new(200, "{}"));
    let client = clients::traced_dynamodb(server.url());
    let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    let (_, documents) = xray::testing::capture(async {
        client.get_item().table_name("orders").send().in_segment(Segment::facade(header)).await.unwrap();
    })
    .await;
    let call = serde_json::to_value(&documents[0]).unwrap();
    assert_eq!((&call["type"], &call["parent_id"]), (&json!("subsegment"), &json!("53995c3f42cd8ad8")));
    assert_eq!((&call["namespace"], &call["aws"]["table_name"]), (&json!("aws"), &json!("orders")));
}

#[tokio::test]
async fn in_lambda_the_header_of_the_sdk_is_replaced() {
    // The SDK's own header names the function. The SDK reads its values from the environment, so the test needs a child
    // process.
    const OF_THE_FUNCTION: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    const ENVIRONMENT: [(&str, &str); 2] =
        [("AWS_LAMBDA_FUNCTION_NAME", "price"), ("_X_AMZN_TRACE_ID", OF_THE_FUNCTION)];
    if env::var_os(ENVIRONMENT[0].0).is_none() {
        let name = "interceptor::in_lambda_the_header_of_the_sdk_is_replaced";
        let mut test = Command::new(env::current_exe().unwrap());
        let output = test.args(["--exact", name]).envs(ENVIRONMENT).output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout);
        return assert!(output.status.success() && printed.contains("1 passed"), "{printed}");
    }
    let server = Server::with(Reply::new(200, "{}"));
    let send = |client: aws_sdk_dynamodb::Client| async move { client.get_item().table_name("orders").send().await };
    let plain = send(clients::dynamodb(server.url()));
    plain.in_segment(Segment::facade(OF_THE_FUNCTION)).await.unwrap();
    let (_, documents) = xray::testing::capture(async {
        let traced = send(clients::traced_dynamodb(server.url()));
        traced.in_segment(Segment::facade(OF_THE_FUNCTION)).await.unwrap();
    })
    .await;
    let parents = server
        .requests()
        .iter()
        .map(|request| TraceHeader::parse(request.header("x-amzn-trace-id").unwrap()).parent.unwrap().to_string())
        .collect::<Vec<_>>();
    assert_eq!(parents, ["53995c3f42cd8ad8".to_owned(), documents[0].id.to_string()]);
}

#[tokio::test]
async fn a_presigned_request_makes_no_subsegment_and_has_no_header() {
    let client = clients::traced_s3("http://127.0.0.1:9");
    let config = PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
    let (presigned, segment) = segment_of(client.get_object().bucket("photos").key("anna.jpg").presigned(config)).await;
    let presigned = presigned.unwrap();
    assert!(presigned.uri().contains("X-Amz-Signature="));
    assert!(presigned.headers().all(|(name, _)| name != "x-amzn-trace-id"));
    assert!(segment.get("subsegments").is_none(), "{segment:#}");
}

#[tokio::test]
async fn a_streaming_body_is_left_to_the_program() {
    let server = Server::with(Reply::new(200, "the picture").header("x-amz-id-2", "EXTENDED"));
    let client = clients::traced_s3(server.url());
    let (body, call) = call_of(async {
        let photo = ByteStream::from_static(b"the new picture");
        client.put_object().bucket("photos").key("a b/c.jpg").body(photo).send().await.unwrap();
    })
    .await;
    let () = body;
    assert_eq!((&call["aws"]["bucket_name"], &call["aws"]["key"]), (&json!("photos"), &json!("a b/c.jpg")));
    assert_eq!(call["aws"]["id_2"], "EXTENDED");
    assert!(!call.to_string().contains("picture"));

    let (body, call) = call_of(async {
        let object = client.get_object().bucket("photos").key("c.jpg").version_id("v7").send().await.unwrap();
        object.body.collect().await.unwrap().into_bytes()
    })
    .await;
    assert_eq!((&body[..], &call["aws"]["version_id"]), (&b"the picture"[..], &json!("v7")));
}

#[tokio::test]
async fn the_rules_of_the_recorder_apply() {
    let server = Server::with(Reply::new(200, "{}"));
    let client = clients::traced_dynamodb(server.url());
    for (builder, calls) in
        [(Recorder::builder().ignore("127.0.0.1"), 0), (Recorder::builder().inject_only("*.example.com"), 1)]
    {
        let emitter = MemoryEmitter::new();
        let recorder = builder.sampler(Always).emitter(emitter.clone()).build();
        let segment = Segment::builder("shop").recorder(&recorder).begin();
        client.get_item().table_name("orders").send().in_segment(segment).await.unwrap();
        assert_eq!(emitter.take()[0].subsegments.len(), calls);
    }
    assert!(server.requests().iter().all(|request| request.header("x-amzn-trace-id").is_none()));
}
