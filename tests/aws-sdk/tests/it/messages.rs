//! Messages of SQS as a Lambda function and a client of the SDK receive them.

use aws_lambda_events::sqs::SqsEvent;
use aws_sdk_sqs::types::MessageSystemAttributeName;
use serde_json::{Value, json};
use xray::TraceHeader;
use xray_tests_aws_sdk::clients;
use xray_tests_aws_sdk::documents::segment_of;
use xray_tests_aws_sdk::server::{Reply, Server};

const HEADER: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";

fn links() -> Value {
    json!([{ "trace_id": "1-5759e988-bd862e3fe1be46a994272793", "id": "53995c3f42cd8ad8" }])
}

#[tokio::test]
async fn the_event_of_a_lambda_function_links_the_sender() {
    // The event in AWS's documentation. (Lambda developer guide, "Using Lambda with Amazon SQS".)
    let event = json!({ "Records": [{
        "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": "Test message.",
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1545082649183",
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "AWSTraceHeader": HEADER,
            "ApproximateFirstReceiveTimestamp": "1545082649185"
        },
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-2:123456789012:my-queue",
        "awsRegion": "us-east-2"
    }] });
    let event: SqsEvent = serde_json::from_value(event).unwrap();
    let ((), segment) = segment_of(async {
        for message in &event.records {
            xray::current().link(&TraceHeader::of_message(&message.attributes));
        }
    })
    .await;
    assert_eq!(segment["links"], links());
}

#[tokio::test]
async fn a_message_that_a_client_receives_links_the_sender() {
    let messages = json!({ "Messages": [{ "Body": "text", "Attributes": { "AWSTraceHeader": HEADER } }] });
    let server = Server::with(Reply::new(200, messages.to_string()));
    let client = clients::sqs(server.url());
    let ((), segment) = segment_of(async {
        let receive = client.receive_message().queue_url("https://sqs/1/orders");
        let received = receive.message_system_attribute_names(MessageSystemAttributeName::AwsTraceHeader).send().await;
        for message in received.unwrap().messages() {
            xray::current().link(&TraceHeader::of_message(message.attributes().into_iter().flatten()));
        }
    })
    .await;
    assert_eq!(segment["links"], links());
    let asked: Value = serde_json::from_slice(&server.requests()[0].body).unwrap();
    assert_eq!(asked["MessageSystemAttributeNames"], json!(["AWSTraceHeader"]));
}
