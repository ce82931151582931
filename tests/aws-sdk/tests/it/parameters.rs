//! The parameters that are recorded of five services.

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use aws_sdk_sqs::types::{MessageAttributeValue, SendMessageBatchRequestEntry};
use serde_json::{Value, json};
use xray_tests_aws_sdk::clients;
use xray_tests_aws_sdk::documents::call_of;
use xray_tests_aws_sdk::server::{Reply, Server};

/// Returns the `aws` block without operation, region and request id.
async fn parameters(name: &str, operation: &str, work: impl Future) -> Value {
    let (_, call) = call_of(work).await;
    assert_eq!((&call["name"], &call["aws"]["operation"]), (&json!(name), &json!(operation)));
    let text = call.to_string();
    assert!(!text.contains("secret"), "{text}");
    let mut parameters = call["aws"].as_object().unwrap().clone();
    parameters.retain(|key, _| !["operation", "region", "request_id"].contains(&key.as_str()));
    parameters.into()
}

#[tokio::test]
async fn of_dynamodb() {
    let server = Server::with(Reply::new(200, r#"{"Count":2,"ScannedCount":7,"Items":[{"id":{"S":"secret"}}]}"#));
    let client = clients::traced_dynamodb(server.url());
    let secret = || AttributeValue::S("secret".to_owned());
    let query = client
        .query()
        .table_name("orders")
        .index_name("by-day")
        .limit(3)
        .projection_expression("id, day")
        .key_condition_expression("id = :id")
        .expression_attribute_values(":id", secret());
    assert_eq!(
        parameters("DynamoDB", "Query", query.send()).await,
        json!({ "table_name": "orders", "index_name": "by-day", "limit": 3, "projection_expression": "id, day" })
    );
    assert_eq!(
        parameters("DynamoDB", "Scan", client.scan().table_name("orders").total_segments(4).segment(0).send()).await,
        json!({ "table_name": "orders", "total_segments": 4, "segment": 0, "count": 2, "scanned_count": 7 })
    );
    let put = client.put_item().table_name("orders").item("id", secret());
    assert_eq!(parameters("DynamoDB", "PutItem", put.send()).await, json!({ "table_name": "orders" }));
    let keys = |table: &str| {
        let keys = KeysAndAttributes::builder().keys([("id".to_owned(), secret())].into()).build().unwrap();
        (table.to_owned(), keys)
    };
    let batch = client.batch_get_item().set_request_items(Some([keys("orders"), keys("carts")].into()));
    assert_eq!(
        parameters("DynamoDB", "BatchGetItem", batch.send()).await,
        json!({ "table_names": ["carts", "orders"] })
    );
}

#[tokio::test]
async fn of_sqs() {
    let server = Server::start(|request, _| match request.header("x-amz-target") {
        Some("AmazonSQS.SendMessage") => Reply::new(200, r#"{"MessageId":"m-1","MD5OfMessageBody":"x"}"#),
        Some("AmazonSQS.ReceiveMessage") => Reply::new(200, r#"{"Messages":[{"Body":"secret"},{"Body":"secret"}]}"#),
        _ => Reply::new(200, r#"{"Successful":[],"Failed":[{"Id":"a","Code":"x","SenderFault":true}]}"#),
    });
    let client = clients::traced_sqs(server.url());
    let attribute = MessageAttributeValue::builder().data_type("String").string_value("secret").build().unwrap();
    let send = client
        .send_message()
        .queue_url("https://sqs/1/orders")
        .message_body("secret")
        .delay_seconds(5)
        .message_attributes("kind", attribute);
    assert_eq!(
        parameters("SQS", "SendMessage", send.send()).await,
        json!({
            "queue_url": "https://sqs/1/orders", "delay_seconds": 5, "message_attribute_names": ["kind"], "message_id": "m-1",
        })
    );
    let receive =
        client.receive_message().queue_url("https://sqs/1/orders").max_number_of_messages(10).wait_time_seconds(0);
    assert_eq!(
        parameters("SQS", "ReceiveMessage", receive.send()).await,
        json!({
            "queue_url": "https://sqs/1/orders", "max_number_of_messages": 10, "wait_time_seconds": 0, "message_count": 2,
        })
    );
    let entry = || SendMessageBatchRequestEntry::builder().id("a").message_body("secret").build().unwrap();
    let batch = client.send_message_batch().queue_url("https://sqs/1/orders").entries(entry()).entries(entry());
    assert_eq!(
        parameters("SQS", "SendMessageBatch", batch.send()).await,
        json!({ "queue_url": "https://sqs/1/orders", "message_count": 2, "successful_count": 0, "failed_count": 1 })
    );
}

#[tokio::test]
async fn of_sns() {
    let body = "<PublishResponse><PublishResult><MessageId>m-1</MessageId></PublishResult></PublishResponse>";
    let server = Server::with(Reply::new(200, body));
    let client = clients::traced_sns(server.url());
    let publish = client.publish().topic_arn("arn:aws:sns:eu-west-1:1:news").message("secret");
    assert_eq!(
        parameters("SNS", "Publish", publish.send()).await,
        json!({ "topic_arn": "arn:aws:sns:eu-west-1:1:news" })
    );
}

#[tokio::test]
async fn of_lambda() {
    let server = Server::with(Reply::new(200, "\"secret\"").header("x-amz-function-error", "Unhandled"));
    let client = clients::traced_lambda(server.url());
    let invoke = client
        .invoke()
        .function_name("arn:aws:lambda:eu-west-1:1:function:price")
        .qualifier("live")
        .invocation_type(InvocationType::RequestResponse)
        .payload(Blob::new("secret"));
    assert_eq!(
        parameters("Lambda", "Invoke", invoke.send()).await,
        json!({
            "function_name": "arn:aws:lambda:eu-west-1:1:function:price", "qualifier": "live",
            "invocation_type": "RequestResponse", "function_error": "Unhandled", "status_code": 200,
        })
    );
}

#[tokio::test]
async fn of_s3() {
    let server = Server::with(Reply::new(200, "<ListBucketResult></ListBucketResult>").header("x-amz-id-2", "E"));
    let client = clients::traced_s3(server.url());
    let list = client.list_objects_v2().bucket("photos").prefix("2026/nov ember");
    assert_eq!(
        parameters("S3", "ListObjectsV2", list.send()).await,
        json!({ "bucket_name": "photos", "prefix": "2026/nov ember", "id_2": "E" })
    );
    let copy = client.copy_object().bucket("photos").key("b").copy_source("photos/a%20a");
    assert_eq!(
        parameters("S3", "CopyObject", copy.send()).await,
        json!({ "bucket_name": "photos", "key": "b", "copy_source": "photos/a a", "id_2": "E" })
    );
    assert_eq!(parameters("S3", "ListBuckets", client.list_buckets().send()).await, json!({ "id_2": "E" }));
}

#[tokio::test]
async fn of_an_operation_that_the_list_lacks() {
    let server = Server::with(Reply::new(200, "{}"));
    let client = clients::traced_dynamodb(server.url());
    let describe = client.describe_time_to_live().table_name("orders");
    assert_eq!(parameters("DynamoDB", "DescribeTimeToLive", describe.send()).await, json!({}));
}
