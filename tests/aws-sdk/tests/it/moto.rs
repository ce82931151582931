//! Operations of five services against moto, and the same operations by boto3 with the X-Ray SDK for Python 2.15.
//!
//! The two documents are compared field by field. `differences` names each field that differs, with the reason.
//!
//! Without moto the test is skipped; see [`Moto`].

use std::net::UdpSocket;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::primitives::ByteStream;
use serde_json::{Map, Value};
use xray::traced_http;
use xray_tests_aws_sdk::clients;
use xray_tests_aws_sdk::documents::segment_of;
use xray_tests_aws_sdk::moto::Moto;

/// Runs the operations by boto3. Returns the segment, and the URL of the queue and the topic's ARN.
fn by_boto3(moto: &Moto) -> (Value, [String; 2]) {
    let daemon = UdpSocket::bind("127.0.0.1:0").unwrap();
    daemon.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let output = Command::new(moto.python())
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("neighbour.py"))
        .arg(moto.url())
        .env("AWS_XRAY_DAEMON_ADDRESS", daemon.local_addr().unwrap().to_string())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success());
    let mut datagram = vec![0; 65_536];
    let length = daemon.recv(&mut datagram).unwrap();
    let text = String::from_utf8_lossy(&datagram[..length]).into_owned();
    let segment = serde_json::from_str(text.split_once('\n').unwrap().1).unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let mut lines = printed.lines().map(ToOwned::to_owned);
    (segment, [lines.next().unwrap(), lines.next().unwrap()])
}

#[traced_http]
async fn by_this_sdk(url: &str, queue: &str, topic: &str) {
    let (dynamodb, s3) = (clients::dynamodb(url), clients::s3(url));
    let (sqs, sns, lambda) = (clients::sqs(url), clients::sns(url), clients::lambda(url));
    let id = || AttributeValue::S("1".to_owned());
    dynamodb.put_item().table_name("orders").item("id", id()).send().await.unwrap();
    dynamodb.get_item().table_name("orders").key("id", id()).consistent_read(true).send().await.unwrap();
    dynamodb.scan().table_name("orders").limit(5).send().await.unwrap();
    let put = dynamodb.put_item().table_name("orders").item("id", id());
    put.condition_expression("attribute_not_exists(id)").send().await.unwrap_err();
    dynamodb.get_item().table_name("missing").key("id", id()).send().await.unwrap_err();
    s3.put_object().bucket("photos").key("a b.jpg").body(ByteStream::from_static(b"picture")).send().await.unwrap();
    s3.get_object().bucket("photos").key("a b.jpg").send().await.unwrap();
    s3.list_objects_v2().bucket("photos").prefix("a").send().await.unwrap();
    s3.get_object().bucket("photos").key("missing").send().await.unwrap_err();
    sqs.send_message().queue_url(queue).message_body("text").delay_seconds(0).send().await.unwrap();
    sqs.receive_message().queue_url(queue).max_number_of_messages(10).send().await.unwrap();
    sns.publish().topic_arn(topic).message("text").send().await.unwrap();
    lambda.invoke().function_name("missing").send().await.unwrap_err();
}

/// Returns the fields of a subsegment that can be compared, by their paths.
fn fields(call: &Value) -> Map<String, Value> {
    let mut fields = Map::new();
    for flag in ["error", "throttle", "fault"] {
        fields.insert(flag.to_owned(), (call.get(flag) == Some(&Value::Bool(true))).into());
    }
    fields.insert("namespace".to_owned(), call["namespace"].clone());
    fields.insert("name".to_owned(), call["name"].as_str().unwrap().to_lowercase().into());
    fields.insert("status".to_owned(), call["http"]["response"]["status"].clone());
    let exception = &call["cause"]["exceptions"][0];
    fields.insert("remote".to_owned(), exception["remote"].clone());
    fields.insert("message".to_owned(), exception["message"].clone());
    fields.extend(call["aws"].as_object().unwrap().iter().map(|(key, value)| (format!("aws.{key}"), value.clone())));
    fields
}

/// Returns the fields that differ, without those whose reason is known.
fn differences(theirs: &Value, ours: &Value) -> Vec<String> {
    let (theirs, ours) = (fields(theirs), fields(ours));
    let mut keys: Vec<_> = theirs.keys().chain(ours.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let null = Value::Null;
    let value = |fields: &Map<String, Value>, key: &str| fields.get(key).unwrap_or(&null).clone();
    let differ = keys.into_iter().filter(|key| {
        let (theirs, ours) = (value(&theirs, key), value(&ours, key));
        theirs != ours && !is_known(key, &theirs, &ours)
    });
    differ.map(|key| format!("{key}: {} and {}", value(&theirs, key), value(&ours, key))).collect()
}

/// Returns whether a difference has a reason.
fn is_known(key: &str, theirs: &Value, ours: &Value) -> bool {
    match key {
        // Two requests have two ids, and two messages too.
        "aws.request_id" | "aws.id_2" | "aws.message_id" => true,
        // The SDK for Python marks every exception as a fault, also one for a status of 4xx.
        "fault" => theirs == true && ours == false,
        // botocore puts code and operation before the message:
        // `An error occurred (NoSuchKey) when calling ..: message`.
        "message" => theirs.as_str().zip(ours.as_str()).is_some_and(|(theirs, ours)| theirs.ends_with(ours)),
        // The SDK for Python records the number of retries if there was none, too.
        "aws.retries" => theirs == 0 && ours.is_null(),
        _ => false,
    }
}

#[tokio::test]
async fn the_document_is_that_of_the_sdk_for_python_but_for_known_differences() {
    let Some(moto) = Moto::start() else { return eprintln!("skipped: target/moto is missing") };
    let (theirs, [queue, topic]) = by_boto3(&moto);
    let ((), ours) = segment_of(by_this_sdk(moto.url(), &queue, &topic)).await;
    let calls = |segment: &Value| segment["subsegments"].as_array().unwrap().clone();
    let (theirs, ours) = (calls(&theirs), calls(&ours));
    assert_eq!((theirs.len(), ours.len()), (13, 13));
    let mut found = Vec::new();
    for (theirs, ours) in theirs.iter().zip(&ours) {
        let operation = theirs["aws"]["operation"].as_str().unwrap();
        found.extend(differences(theirs, ours).into_iter().map(|difference| format!("{operation}: {difference}")));
    }
    assert!(found.is_empty(), "{found:#?}");
    let known: Vec<_> = ours.iter().filter(|call| call["aws"].get("request_id").is_some()).collect();
    assert!(known.len() >= 10, "{ours:#?}");
}
