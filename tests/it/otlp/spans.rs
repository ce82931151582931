//! The spans of documents.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::num::ParseIntError;

use serde_json::{Value, json};
use support::otlp::{Export, OtlpServer, attributes};
use xray::emitter::SpanNames;
use xray::origin::Origin;
use xray::{Namespace, Segment, Sql, TraceHeader};

use super::{recorder, settled, to};

/// Runs a closure with a recorder that sends spans. Returns the received spans by name.
fn spans(names: SpanNames, record: impl FnOnce(&xray::Recorder)) -> BTreeMap<String, Value> {
    let server = OtlpServer::start(|_| "{}");
    let recorder = recorder(to(server.url()).span_names(names));
    record(&recorder);
    settled(&recorder);
    let exports = server.received();
    let spans = exports.iter().flat_map(Export::spans);
    spans.map(|span| (span.span["name"].as_str().unwrap().to_owned(), span.span)).collect()
}

fn text(value: &str) -> Value {
    json!({ "stringValue": value })
}

#[test]
fn a_segment_is_a_server_and_a_call_is_a_client() {
    let header = TraceHeader::parse("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1");
    let spans = spans(SpanNames::XRay, |recorder| {
        let builder =
            Segment::builder("shop").trace_header(&header).request("get", "https://shop.example.com/cart?key=7");
        let segment = builder.recorder(recorder).begin();
        segment.set_user("jürgen");
        segment.annotate("tier", "gold");
        segment.annotate("count", -3);
        segment.add_metadata("cart", json!({ "items": [1, null] }));
        segment.set_http_response(404, Some(12));
        let call = segment.subsegment("payments.example.com");
        call.set_namespace(Namespace::Remote);
        call.subsegment("local").end();
    });
    let [segment, call, local] = ["shop", "payments.example.com", "local"].map(|name| &spans[name]);
    assert_eq!([&segment["kind"], &call["kind"], &local["kind"]], [2, 3, 1]);
    assert!(spans.values().all(|span| span["traceId"] == "5759e988bd862e3fe1be46a994272793"));
    assert_eq!(segment["parentSpanId"], "53995c3f42cd8ad8");
    assert_eq!([&call["parentSpanId"], &local["parentSpanId"]], [&segment["spanId"], &call["spanId"]]);
    let times =
        ["startTimeUnixNano", "endTimeUnixNano"].map(|key| segment[key].as_str().unwrap().parse::<u64>().unwrap());
    assert!(times[0] <= times[1] && times[0] % 1000 == 0, "{segment:#}");
    assert_eq!(segment["status"]["code"], 2);
    let expected = [
        ("http.request.method", text("GET")),
        ("url.full", text("https://shop.example.com/cart")),
        ("http.response.status_code", json!({ "intValue": "404" })),
        ("enduser.id", text("jürgen")),
        ("count", json!({ "intValue": "-3" })),
        ("tier", text("gold")),
        ("aws.xray.annotations", json!({ "arrayValue": { "values": [text("count"), text("tier")] } })),
        ("aws.xray.metadata.default", text(r#"{"cart":{"items":[1,null]}}"#)),
    ];
    assert_eq!(attributes(segment), expected.map(|(key, value)| (key.to_owned(), value)).into());
    assert_eq!(segment["events"][0]["name"], "message");
    assert_eq!(attributes(&segment["events"][0])["messaging.message.body.size"], json!({ "intValue": "12" }));
    assert!(call["attributes"].is_null() && call["status"].is_null());
}

/// An error with a source.
#[derive(Debug)]
struct Failed(ParseIntError);

impl fmt::Display for Failed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("no price")
    }
}

impl Error for Failed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn an_error_is_an_event_and_is_named_where_it_passed() {
    let spans = spans(SpanNames::XRay, |recorder| {
        let segment = Segment::builder("shop").recorder(recorder).begin();
        let error = || Failed("x".parse::<u8>().unwrap_err());
        let part = segment.subsegment("part");
        part.record_error(&error());
        part.end();
        segment.record_error(&error());
    });
    let events = spans["part"]["events"].as_array().unwrap();
    assert_eq!(events.iter().map(|event| &event["name"]).collect::<Vec<_>>(), ["exception"; 2]);
    let first = attributes(&events[0]);
    assert_eq!(first["exception.message"], text("no price"));
    assert_eq!(first["aws.xray.exception.cause"], attributes(&events[1])["aws.xray.exception.id"]);
    for span in [&spans["shop"], &spans["part"]] {
        assert_eq!(span["status"], json!({ "code": 2, "message": "no price" }));
    }
    assert!(spans["shop"]["events"].is_null());
}

#[test]
fn a_subsegment_that_is_sent_by_itself_belongs_to_the_service_of_the_recorder() {
    let server = OtlpServer::start(|_| "{}");
    let emitter = to(server.url()).build().unwrap();
    let builder = xray::Recorder::builder().sampler(support::Always).service_name("shop").emitter(emitter);
    let recorder = builder.streaming_threshold(0).build();
    let segment = Segment::builder("other").recorder(&recorder).begin();
    segment.subsegment("part").end();
    segment.end();
    settled(&recorder);
    let spans = server.receive().spans();
    let of = |name| spans.iter().find(|span| span.span["name"] == name).unwrap();
    assert_eq!(of("part").resource["service.name"], text("shop"));
    assert_eq!(of("other").resource["service.name"], text("other"));
    assert_eq!(of("part").span["parentSpanId"], of("other").span["spanId"]);
}

#[test]
fn the_origin_is_a_part_of_the_resource() {
    let server = OtlpServer::start(|_| "{}");
    let origin = Origin::new("AWS::ECS::Container")
        .with_aws("ecs", json!({ "container": "c-1", "task_arn": "arn:task", "launch_type": "FARGATE", "new": 1 }))
        .with_aws("account_id", "123456789012")
        .with_aws("own", json!({ "a": [1] }));
    let emitter = to(server.url()).build().unwrap();
    let builder = xray::Recorder::builder().sampler(support::Always).emitter(emitter).origin(origin);
    let recorder = builder.log_groups(["/shop", "/shop/audit"]).build();
    super::record(&recorder, "shop");
    settled(&recorder);
    let span = server.receive().spans().remove(0);
    let mut resource = span.resource;
    assert!(resource.remove("telemetry.sdk.version").is_some());
    let expected = [
        ("service.name", text("shop")),
        ("telemetry.sdk.name", text("X-Ray for Rust")),
        ("cloud.provider", text("aws")),
        ("cloud.platform", text("aws_ecs")),
        ("cloud.account.id", text("123456789012")),
        ("container.name", text("c-1")),
        ("aws.ecs.task.arn", text("arn:task")),
        ("aws.ecs.launchtype", text("FARGATE")),
        ("aws.log.group.names", json!({ "arrayValue": { "values": [text("/shop"), text("/shop/audit")] } })),
    ];
    assert_eq!(resource, expected.map(|(key, value)| (key.to_owned(), value)).into());
    assert_eq!(attributes(&span.span), [("aws.own".to_owned(), text(r#"{"a":[1]}"#))].into());
}

/// Records a segment and subsegments of each kind for which OpenTelemetry has its own rules for names.
fn of_each_kind(recorder: &xray::Recorder) {
    let segment = Segment::builder("shop").request("POST", "https://shop.example.com/cart").recorder(recorder).begin();
    let query = segment.subsegment("orders@db.example.com");
    query.set_namespace(Namespace::Remote);
    query.set_sql(
        Sql::new("PostgreSQL").url("postgresql://db.example.com:5432/orders").sanitized_query("SELECT * FROM items"),
    );
    let operation = segment.subsegment("DynamoDB");
    operation.set_namespace(Namespace::Aws);
    operation.add_aws("operation", "GetItem");
    operation.add_aws("table_name", "Orders");
    operation.add_aws("retries", 2);
    segment.subsegment("price").end();
}

#[test]
fn spans_have_the_names_of_x_ray_or_of_opentelemetry() {
    let x_ray = spans(SpanNames::XRay, of_each_kind);
    assert_eq!(x_ray.keys().collect::<Vec<_>>(), ["DynamoDB", "orders@db.example.com", "price", "shop"]);
    let operation = [
        ("rpc.system", text("aws-api")),
        ("aws.operation", text("GetItem")),
        ("aws.table_name", text("Orders")),
        ("aws.xray.retries", json!({ "intValue": "2" })),
    ];
    assert_eq!(attributes(&x_ray["DynamoDB"]), operation.map(|(key, value)| (key.to_owned(), value)).into());
    let query = [
        ("db.system", text("postgresql")),
        ("db.connection_string", text("postgresql://db.example.com:5432")),
        ("db.name", text("orders")),
        ("db.statement", text("SELECT * FROM items")),
    ];
    assert_eq!(attributes(&x_ray["orders@db.example.com"]), query.map(|(key, value)| (key.to_owned(), value)).into());

    let spans = spans(SpanNames::OpenTelemetry, of_each_kind);
    assert_eq!(spans.keys().collect::<Vec<_>>(), ["DynamoDB.GetItem", "POST", "SELECT orders", "price"]);
    assert_eq!(attributes(&spans["DynamoDB.GetItem"])["peer.service"], text("DynamoDB"));
    assert_eq!(attributes(&spans["SELECT orders"])["peer.service"], text("orders@db.example.com"));
    assert!(!attributes(&spans["price"]).contains_key("peer.service"));
}
