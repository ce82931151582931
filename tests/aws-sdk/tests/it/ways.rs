//! Compares the documents of four ways to trace an operation, for five services of moto: `#[traced_http]`, the
//! interceptor of the client, both together, and the SDK's own spans. `docs/aws-sdk.md` describes the documents.

use aws_sdk_dynamodb::types::ScalarAttributeType;
use aws_sdk_dynamodb::types::{AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use serde_json::{Map, Value, json};
use tracing::Dispatch;
use tracing::instrument::WithSubscriber as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry;
use xray::TraceHeader;
use xray::tracing::SubsegmentLayer;
use xray_tests_aws_sdk::clients;
use xray_tests_aws_sdk::documents::segment_of;
use xray_tests_aws_sdk::moto::Moto;
use xray_tests_aws_sdk::server::{Request, Server};

/// The clients of five services.
struct Clients {
    dynamodb: aws_sdk_dynamodb::Client,
    lambda: aws_sdk_lambda::Client,
    s3: aws_sdk_s3::Client,
    sns: aws_sdk_sns::Client,
    sqs: aws_sdk_sqs::Client,
}

impl Clients {
    fn plain(url: &str) -> Self {
        Self {
            dynamodb: clients::dynamodb(url),
            lambda: clients::lambda(url),
            s3: clients::s3(url),
            sns: clients::sns(url),
            sqs: clients::sqs(url),
        }
    }

    fn with_interceptor(url: &str) -> Self {
        Self {
            dynamodb: clients::traced_dynamodb(url),
            lambda: clients::traced_lambda(url),
            s3: clients::traced_s3(url),
            sns: clients::traced_sns(url),
            sqs: clients::traced_sqs(url),
        }
    }
}

/// Defines the functions that send an operation, with and without the attribute.
macro_rules! operations {
    ($($name:ident($clients:ident, $target:ident) => $send:expr;)*) => {
        mod plain {
            use super::*;

            $(pub(super) async fn $name($clients: &Clients, $target: &str) -> bool {
                $send.is_ok()
            })*
        }

        #[xray::traced_http]
        mod annotated {
            use super::*;

            $(pub(super) async fn $name($clients: &Clients, $target: &str) -> bool {
                $send.is_ok()
            })*
        }

        /// Sends the operation of a service on a target, such as a table.
        async fn send(is_annotated: bool, service: &str, clients: &Clients, target: &str) -> bool {
            match service {
                $(stringify!($name) if is_annotated => annotated::$name(clients, target).await,
                stringify!($name) => plain::$name(clients, target).await,)*
                _ => unreachable!("no operation of {service}"),
            }
        }
    };
}

operations! {
    dynamodb(clients, table) =>
        clients.dynamodb.get_item().table_name(table).key("id", AttributeValue::S("secret".to_owned())).send().await;
    functions(clients, _function) => clients.lambda.list_functions().send().await;
    lambda(clients, function) => clients.lambda.invoke().function_name(function).qualifier("live").send().await;
    s3(clients, bucket) => clients.s3.get_object().bucket(bucket).key("a b.jpg").send().await;
    sns(clients, topic) => clients.sns.publish().topic_arn(topic).message("secret").send().await;
    sqs(clients, queue) => clients.sqs.send_message().queue_url(queue).message_body("secret").send().await;
}

/// A way in which operations are traced.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Attribute,
    Interceptor,
    AttributeAndInterceptor,
    Spans,
}

/// Sends an operation in a segment, traced in one way. Returns the segment, the subsegment, and `true` if the operation
/// succeeded.
async fn trace(way: Way, url: &str, service: &str, target: &str) -> (Value, Value, bool) {
    let has_interceptor = matches!(way, Way::Interceptor | Way::AttributeAndInterceptor);
    let clients = if has_interceptor { Clients::with_interceptor(url) } else { Clients::plain(url) };
    let is_annotated = matches!(way, Way::Attribute | Way::AttributeAndInterceptor);
    let work = send(is_annotated, service, &clients, target);
    let subscriber = match way {
        Way::Spans => registry().with(SubsegmentLayer::new()).into(),
        _ => Dispatch::none(),
    };
    let (is_ok, segment) = segment_of(work.with_subscriber(subscriber)).await;
    let calls = segment["subsegments"].as_array().cloned().unwrap_or_default();
    let [call] = &calls[..] else { panic!("{way:?}, {service}: {segment:#}") };
    (segment.clone(), call.clone(), is_ok)
}

/// Creates a target in each service that needs one, such as a table in DynamoDB. Returns the targets by service.
async fn prepare(url: &str) -> Map<String, Value> {
    let Clients { dynamodb, s3, sns, sqs, .. } = Clients::plain(url);
    let id = AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S);
    let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash);
    let table = dynamodb
        .create_table()
        .table_name("orders")
        .attribute_definitions(id.build().unwrap())
        .key_schema(key.build().unwrap())
        .billing_mode(BillingMode::PayPerRequest);
    table.send().await.unwrap();
    let place = CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::EuWest1).build();
    s3.create_bucket().bucket("photos").create_bucket_configuration(place).send().await.unwrap();
    let picture = ByteStream::from_static(b"secret");
    s3.put_object().bucket("photos").key("a b.jpg").body(picture).send().await.unwrap();
    let topic = sns.create_topic().name("news").send().await.unwrap();
    let queue = sqs.create_queue().queue_name("orders").send().await.unwrap();
    let targets = json!({ "dynamodb": "orders", "s3": "photos", "sns": topic.topic_arn(), "sqs": queue.queue_url() });
    targets.as_object().unwrap().clone()
}

/// A row of the table: an operation on a target.
struct Row {
    service: &'static str,
    target: String,
    /// The name and the operation of the subsegment.
    name: [&'static str; 2],
    parameters: Value,
    /// The status of the response, and the code of the service's error.
    outcome: (u16, Option<&'static str>),
}

/// Returns the subsegment that the documentation describes for a way, without the id, the times and the values that
/// moto chooses.
fn described(way: Way, row: &Row) -> Value {
    let [name, operation] = row.name;
    if way == Way::Spans {
        return json!({ "name": name, "namespace": "aws", "aws": { "operation": operation } });
    }
    let mut aws = json!({ "operation": operation, "region": "eu-west-1" });
    aws.as_object_mut().unwrap().extend(row.parameters.as_object().unwrap().clone());
    let (status, code) = row.outcome;
    let mut call =
        json!({ "name": name, "namespace": "aws", "aws": aws, "http": { "response": { "status": status } } });
    if let Some(code) = code {
        call["error"] = true.into();
        call["cause"] = json!({ "type": code, "remote": true });
    }
    call
}

/// Returns a subsegment without the id, the times and the values that moto chooses.
fn reduced(mut call: Value) -> Value {
    let fields = call.as_object_mut().unwrap();
    for key in ["id", "start_time", "end_time"] {
        assert!(fields.remove(key).is_some(), "{key} is missing");
    }
    if let Some(cause) = fields.get_mut("cause") {
        let exception = &cause["exceptions"][0];
        assert!(!exception["message"].as_str().unwrap_or_default().is_empty(), "{cause:#}");
        *cause = json!({ "type": exception["type"], "remote": exception["remote"] });
    }
    for key in ["request_id", "id_2", "message_id"] {
        fields["aws"].as_object_mut().unwrap().remove(key);
    }
    call
}

/// Checks that the header of a request names the subsegment. With spans the SDK's request has no header.
fn check_header(way: Way, request: &Request, segment: &Value, call: &Value) {
    let header = request.header("x-amzn-trace-id");
    if way == Way::Spans {
        return assert_eq!(header, None);
    }
    let header = TraceHeader::parse(header.expect("a header"));
    assert_eq!((json!(header.root), json!(header.parent)), (segment["trace_id"].clone(), call["id"].clone()));
    assert_eq!(header.sampled, Some(xray::Sampled::Yes));
}

#[tokio::test]
async fn four_ways_give_the_documents_described_for_five_services() {
    let Some(moto) = Moto::start() else { return eprintln!("skipped: target/moto is missing") };
    let targets = prepare(moto.url()).await;
    let [topic, queue] = ["sns", "sqs"].map(|service| targets[service].as_str().unwrap().to_owned());
    let (no_topic, no_queue) = (topic.replace("news", "missing"), queue.replace("orders", "missing"));
    let row = |service, target: &str, name, parameters, outcome| Row {
        service,
        target: target.to_owned(),
        name,
        parameters,
        outcome,
    };
    let (get_item, get_object) = (["DynamoDB", "GetItem"], ["S3", "GetObject"]);
    let (publish, send) = (["SNS", "Publish"], ["SQS", "SendMessage"]);
    let object = |bucket: &str| json!({ "bucket_name": bucket, "key": "a b.jpg" });
    let rows = [
        row("dynamodb", "orders", get_item, json!({ "table_name": "orders" }), (200, None)),
        row(
            "dynamodb",
            "missing",
            get_item,
            json!({ "table_name": "missing" }),
            (400, Some("ResourceNotFoundException")),
        ),
        row("functions", "", ["Lambda", "ListFunctions"], json!({}), (200, None)),
        row(
            "lambda",
            "missing",
            ["Lambda", "Invoke"],
            json!({ "function_name": "missing", "qualifier": "live" }),
            (404, Some("ResourceNotFoundException")),
        ),
        row("s3", "photos", get_object, object("photos"), (200, None)),
        row("s3", "missing", get_object, object("missing"), (404, Some("NoSuchBucket"))),
        row("sns", &topic, publish, json!({ "topic_arn": topic }), (200, None)),
        row("sns", &no_topic, publish, json!({ "topic_arn": no_topic }), (404, Some("NotFound"))),
        row("sqs", &queue, send, json!({ "queue_url": queue }), (200, None)),
        row("sqs", &no_queue, send, json!({ "queue_url": no_queue }), (400, Some("QueueDoesNotExist"))),
    ];
    for row in &rows {
        for way in [Way::Attribute, Way::Interceptor, Way::AttributeAndInterceptor, Way::Spans] {
            let server = Server::in_front_of(moto.address());
            let (segment, call, is_ok) = trace(way, server.url(), row.service, &row.target).await;
            assert_eq!(is_ok, row.outcome.1.is_none(), "{way:?}: {call:#}");
            assert!(!segment.to_string().contains("secret"), "{way:?}: {segment:#}");
            check_header(way, &server.requests()[0], &segment, &call);
            assert_eq!(reduced(call), described(way, row), "{way:?}");
        }
    }
}
