//! Sends documents as spans, through the collector's OTLP receiver and its X-Ray exporter, to the X-Ray API. The
//! received documents are equal to those for the daemon, except for the differences that `docs/opentelemetry.md` lists.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use axum::Json;
use axum::routing::post;
use reqwest::Client;
use serde_json::{Map, Value, json};
use support::{Server, refused_url};
use tower::{Layer as _, ServiceExt as _, service_fn};
use xray::document::Preparation;
use xray::emitter::{Deliveries, Emitter, FinishedSegment, OtlpEmitter, SpanNames};
use xray::origin::Origin;
use xray::sampling::{Decision, Sampler, SamplingRequest};
use xray::tower::SegmentLayer;
use xray::{Document, Instrument as _, Namespace, Recorder, Segment, Sql, TraceHeader};

use super::{Program, subsegments, text};

/// The rows of the table of differences, each with the change that the exporter makes to a part of a document.
const DIFFERENCES: [(&str, Change); 13] = [
    ("`subsegments`", detach),
    ("`error`, `fault`, `throttle`", flags),
    ("`http.response`", response),
    ("`cause.exceptions`", exceptions),
    ("`cause`, if it is the id of an exception", reference),
    ("`sql`", sql),
    ("`aws`, keys that the exporter does not know", unknown_aws_keys),
    ("`aws.table_names`", table_names),
    ("`aws.xray.sampling_rule_name`", sampling_rule),
    ("`namespace: aws`", aws_namespace),
    ("`aws.xray`", sdk),
    ("`origin` and the blocks of `aws` about it", origin),
    ("`annotations`, whole numbers above 2^63", large_numbers),
];

/// Makes one change of the exporter to a document.
type Change = fn(&mut Value, &Place<'_>);

/// The place of an entity in the document for the daemon.
struct Place<'a> {
    document: &'a Value,
    /// The entity in this document.
    entity: &'a Value,
    /// The id of the parent entity.
    parent: Option<&'a Value>,
}

#[tokio::test]
async fn through_the_collector_come_the_documents_that_the_daemon_gets() {
    for names in [SpanNames::XRay, SpanNames::OpenTelemetry] {
        let Some(collector) = Collector::start() else { return };
        let documents = documents_sent_to(&collector, names).await;
        let mut arrived = collector.arrived(documents.iter().map(count).sum());
        let mut changes = Changes::default();
        for document in &documents {
            compare(document, &Place { document, entity: document, parent: None }, &mut arrived, names, &mut changes);
        }
        assert!(arrived.is_empty(), "more documents than expected: {arrived:#?}");
        changes.check();
    }
}

fn count(entity: &Value) -> usize {
    1 + subsegments(entity).map(count).sum::<usize>()
}

/// Compares an entity with the received document of the entity's id, and then compares the subsegments.
fn compare(
    entity: &Value,
    place: &Place<'_>,
    arrived: &mut BTreeMap<String, Value>,
    names: SpanNames,
    changes: &mut Changes,
) {
    let mut expected = entity.clone();
    for (name, change) in DIFFERENCES {
        let before = without_chance(&expected);
        change(&mut expected, place);
        if without_chance(&expected) != before {
            *changes.0.entry(name).or_default() += 1;
        }
    }
    let mut found = arrived.remove(text(&entity["id"])).unwrap_or_else(|| panic!("nothing arrives of {entity:#}"));
    let of_resource = take_metadata(&mut found, |key| key.starts_with("otel.resource."));
    assert_eq!(of_resource.is_empty(), place.parent.is_some() || !entity["type"].is_null(), "{found:#}");
    if names == SpanNames::OpenTelemetry {
        let peer = take_metadata(&mut found, |key| key == "peer.service");
        assert_eq!(peer.is_empty(), entity["namespace"].is_null(), "{found:#}");
        // The exporter joins the SDK's name and language.
        expected["aws"]["xray"]["sdk"] = "X-Ray for Rust for rust".into();
        // The exporter writes the name of a query's span as the URL.
        if !entity["sql"].is_null() {
            expected["sql"]["url"] = "SELECT shop".into();
        }
    }
    assert_eq!(normalized(&found), normalized(&expected), "of {entity:#}");
    for subsegment in subsegments(entity) {
        let place = Place { document: place.document, entity: subsegment, parent: Some(&entity["id"]) };
        compare(subsegment, &place, arrived, names, changes);
    }
}

/// Removes keys from the metadata in the default namespace, and returns them.
fn take_metadata(document: &mut Value, is_taken: impl Fn(&str) -> bool) -> Vec<String> {
    let Some(metadata) = document["metadata"].as_object_mut() else { return vec![] };
    let Some(values) = metadata.get_mut("default").and_then(Value::as_object_mut) else { return vec![] };
    let taken: Vec<_> = values.keys().filter(|key| is_taken(key)).cloned().collect();
    values.retain(|key, _| !is_taken(key));
    if values.is_empty() {
        metadata.remove("default");
    }
    if metadata.is_empty() {
        document.as_object_mut().unwrap().remove("metadata");
    }
    taken
}

/// The number of times that each difference was seen.
#[derive(Default)]
struct Changes(BTreeMap<&'static str, usize>);

impl Changes {
    /// Checks that each difference was seen, and that the page lists exactly these differences.
    fn check(&self) {
        let page = include_str!("../../docs/opentelemetry.md");
        let rows = page.lines().skip_while(|line| !line.starts_with("| in the document |")).skip(2);
        let listed = rows.take_while(|line| line.starts_with('|')).map(|row| row.split('|').nth(1).unwrap().trim());
        assert_eq!(listed.collect::<Vec<_>>(), DIFFERENCES.map(|(name, _)| name));
        let unseen: Vec<_> = DIFFERENCES.iter().filter(|(name, _)| !self.0.contains_key(name)).collect();
        assert!(unseen.is_empty(), "the program has nothing that shows {:?}", unseen.iter().map(|(name, _)| name));
    }
}

fn detach(expected: &mut Value, place: &Place<'_>) {
    let Some(parent) = place.parent else {
        expected.as_object_mut().unwrap().remove("subsegments");
        return;
    };
    let fields = expected.as_object_mut().unwrap();
    fields.remove("subsegments");
    fields.insert("trace_id".to_owned(), place.document["trace_id"].clone());
    fields.insert("parent_id".to_owned(), parent.clone());
    fields.insert("type".to_owned(), "subsegment".into());
}

/// Writes all flags. An HTTP status of 400 to 599 determines them, and every other failure is a fault.
fn flags(expected: &mut Value, place: &Place<'_>) {
    let status = place.entity["http"]["response"]["status"].as_u64().unwrap_or(0);
    let is_failed = ["error", "fault", "throttle"].iter().any(|flag| place.entity[flag] == true);
    let (error, fault) = match status {
        400..=499 => (true, false),
        500..=599 => (false, true),
        _ => (false, is_failed),
    };
    expected["error"] = error.into();
    expected["fault"] = fault.into();
    expected["throttle"] = (status == 429).into();
}

fn response(expected: &mut Value, _: &Place<'_>) {
    if let Some(http) = expected.get_mut("http") {
        let response = http.as_object_mut().unwrap().entry("response").or_insert_with(|| json!({}));
        response.as_object_mut().unwrap().entry("content_length").or_insert_with(|| json!(0));
    }
}

fn exceptions(expected: &mut Value, place: &Place<'_>) {
    let is_remote = !place.entity["namespace"].is_null();
    let Some(exceptions) = exceptions_of(expected) else { return };
    for exception in exceptions {
        let kind = exception.get("type").cloned().unwrap_or_else(|| "".into());
        *exception = json!({ "id": "new", "message": exception["message"], "type": kind, "remote": is_remote });
    }
}

fn exceptions_of(document: &mut Value) -> Option<&mut Vec<Value>> {
    document.get_mut("cause")?.get_mut("exceptions")?.as_array_mut()
}

/// Replaces the id of an exception by an exception, because a span cannot refer to an exception of another span.
fn reference(expected: &mut Value, place: &Place<'_>) {
    let Some(id) = place.entity["cause"].as_str() else { return };
    let message = message_of(place.entity, id).expect("the exception is in a subsegment");
    expected["cause"] = json!({ "exceptions": [{ "id": "new", "message": message, "type": "" }] });
}

fn message_of(entity: &Value, id: &str) -> Option<Value> {
    let of = |exceptions: &Value| {
        exceptions
            .as_array()
            .into_iter()
            .flatten()
            .find(|found| found["id"] == id)
            .map(|found| found["message"].clone())
    };
    of(&entity["cause"]["exceptions"]).or_else(|| subsegments(entity).find_map(|inside| message_of(inside, id)))
}

fn sql(expected: &mut Value, place: &Place<'_>) {
    let Some(sql) = place.entity.get("sql") else { return };
    expected["sql"] = json!({
        "url": place.entity["name"],
        "connection_string": if place.entity["name"] == "shop@db.example.com" {
            text(&sql["url"]).to_owned()
        } else {
            format!("{}/", text(&sql["url"]))
        },
        "database_type": if sql["database_type"] == "PostgreSQL" { "postgresql" } else { "other_sql" },
        "sanitized_query": sql["sanitized_query"],
    });
    if let Some(user) = sql.get("user") {
        expected["sql"]["user"] = user.clone();
    }
}

/// The keys of `aws` that the exporter keeps in `aws`.
const KNOWN_KEYS: [&str; 8] =
    ["operation", "region", "account_id", "request_id", "queue_url", "table_name", "table_names", "xray"];
/// The keys of `aws` about the resource.
const ORIGIN_KEYS: [&str; 5] = ["ec2", "ecs", "eks", "elastic_beanstalk", "cloudwatch_logs"];

fn unknown_aws_keys(expected: &mut Value, place: &Place<'_>) {
    let Some(aws) = place.entity["aws"].as_object() else { return };
    for (key, value) in aws {
        if !KNOWN_KEYS.contains(&key.as_str()) && !ORIGIN_KEYS.contains(&key.as_str()) {
            expected["aws"].as_object_mut().unwrap().remove(key);
            let key = if key == "retries" { "aws.xray.retries".to_owned() } else { format!("aws.{key}") };
            let value = if value.is_object() { value.to_string().into() } else { value.clone() };
            expected["metadata"]["default"][key] = value;
        }
    }
}

fn table_names(expected: &mut Value, place: &Place<'_>) {
    if let Some(names) = place.entity["aws"].get("table_names") {
        expected["metadata"]["default"]["aws.dynamodb.table_names"] = names.clone();
    }
}

fn sampling_rule(expected: &mut Value, place: &Place<'_>) {
    if let Some(rule) = place.entity["aws"]["xray"].get("sampling_rule_name") {
        expected["metadata"]["default"]["aws.xray.sampling_rule"] = rule.clone();
    }
}

fn aws_namespace(expected: &mut Value, place: &Place<'_>) {
    if place.entity["namespace"] == "aws" {
        expected["metadata"]["default"]["rpc.system"] = "aws-api".into();
    }
}

fn sdk(expected: &mut Value, place: &Place<'_>) {
    let version = &place.document["aws"]["xray"]["sdk_version"];
    let version = if version.is_null() { env!("CARGO_PKG_VERSION").into() } else { version.clone() };
    expected["aws"]["xray"] = json!({ "sdk": "X-Ray for Rust", "sdk_version": version, "auto_instrumentation": false });
}

/// Adds the origin, because every span has the resource. The exporter writes missing keys that it knows as `null`.
fn origin(expected: &mut Value, place: &Place<'_>) {
    if let Some(origin) = place.document.get("origin") {
        expected["origin"] = origin.clone();
    }
    let Some(aws) = place.document["aws"].as_object() else { return };
    for key in ORIGIN_KEYS {
        if let Some(block) = aws.get(key) {
            expected["aws"][key] = block.clone();
        }
    }
    if let Some(ec2) = expected["aws"].get_mut("ec2") {
        ec2["ami_id"] = Value::Null;
    }
    if let Some(beanstalk) = aws.get("elastic_beanstalk") {
        expected["service"] = json!({ "version": beanstalk["version_label"] });
    }
    if place.document["origin"] == "AWS::ECS::Fargate" {
        expected["aws"]["ecs"] = json!({ "launch_type": "fargate" });
    }
    if let (Some(account), true) = (aws.get("account_id"), place.entity["aws"]["account_id"].is_null()) {
        expected["aws"]["account_id"] = account.clone();
    }
}

fn large_numbers(expected: &mut Value, _: &Place<'_>) {
    for value in expected["annotations"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        if value.is_u64() && !value.is_i64() {
            *value = value.as_f64().unwrap().into();
        }
    }
}

/// Returns a document for comparison, in which all numbers are floating-point: the exporter writes a whole number
/// without a decimal point.
fn normalized(document: &Value) -> Value {
    with_plain_numbers(&without_chance(document))
}

/// Removes values that differ in each run: the ids of exceptions, and the digits of times below a microsecond.
fn without_chance(document: &Value) -> Value {
    let mut document = document.clone();
    for exception in exceptions_of(&mut document).into_iter().flatten() {
        exception["id"] = "new".into();
    }
    for time in ["start_time", "end_time"] {
        document[time] = format!("{:.6}", document[time].as_f64().unwrap()).into();
    }
    // Indexing with a missing key has inserted `null` for it.
    let fields = document.as_object_mut().unwrap();
    fields.retain(|_, value| !value.is_null());
    document
}

fn with_plain_numbers(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(values) => values.iter().map(with_plain_numbers).collect(),
        Value::Object(values) => values.iter().map(|(key, value)| (key.clone(), with_plain_numbers(value))).collect(),
        other => other.clone(),
    }
}

/// An emitter that sends documents as spans, and also keeps them as the daemon would receive them.
struct Both {
    spans: OtlpEmitter,
    documents: Arc<Mutex<Vec<Value>>>,
}

impl Emitter for Both {
    fn emit(&self, segment: FinishedSegment) {
        self.documents.lock().unwrap().push(serde_json::to_value(Document::from(segment.clone())).unwrap());
        self.spans.emit(segment);
    }

    fn flush(&self, limit: Duration) -> bool {
        self.spans.flush(limit)
    }

    fn attach(&self, deliveries: &Deliveries) {
        self.spans.attach(deliveries);
    }
}

/// A sampler whose decisions name a rule.
struct ByRule;

impl Sampler for ByRule {
    fn sample(&self, _: &SamplingRequest<'_>) -> Decision {
        Decision::sampled().by_rule("payments")
    }
}

/// Records documents of every kind for the collector, and returns them as the daemon would receive them.
async fn documents_sent_to(collector: &Collector, names: SpanNames) -> Vec<Value> {
    let documents = Arc::<Mutex<Vec<Value>>>::default();
    let recorder = |origin: Option<Origin>| {
        let spans = OtlpEmitter::builder().endpoint(format!("http://{}", collector.otlp)).span_names(names).build();
        let emitter = Both { spans: spans.unwrap(), documents: Arc::clone(&documents) };
        let builder = Recorder::builder().sampler(ByRule).service_name("program").emitter(emitter);
        let builder = builder.streaming_threshold(3).log_groups(["arn:aws:logs:eu-west-1:1:log-group:/shop"]);
        if let Some(origin) = origin { builder.origin(origin).build() } else { builder.build() }
    };
    let ec2 = json!({ "instance_id": "i-1", "availability_zone": "eu-west-1c", "instance_size": "m5.large" });
    let ecs = json!({
        "container": "c-1", "container_id": "3f", "container_arn": "arn:c", "cluster_arn": "arn:cluster",
        "task_arn": "arn:task", "task_family": "shop", "availability_zone": "eu-west-1c", "launch_type": "FARGATE",
    });
    let eks = json!({ "cluster_name": "shop", "pod": "shop-1", "container_id": "3f" });
    let beanstalk = json!({ "environment_name": "shop", "deployment_id": 3, "version_label": "v1" });
    let origins = [
        None,
        Some(Origin::new("AWS::EC2::Instance").with_aws("ec2", ec2).with_aws("account_id", "123456789012")),
        Some(Origin::new("AWS::ECS::Container").with_aws("ecs", ecs)),
        Some(Origin::new("AWS::ECS::Fargate")),
        Some(Origin::new("AWS::EKS::Container").with_aws("eks", eks)),
        Some(Origin::new("AWS::ElasticBeanstalk::Environment").with_aws("elastic_beanstalk", beanstalk)),
        Some(Origin::new("AWS::AppRunner::Service")),
    ];
    let server = Server::start().await;
    for origin in origins {
        let recorder = recorder(origin);
        program(&recorder, &server).await;
        assert!(recorder.flush(Duration::from_secs(60)));
        let stats = recorder.stats();
        assert_eq!((stats.documents_dropped, stats.documents_sent), (0, stats.documents_emitted), "{stats:?}");
    }
    let documents = documents.lock().unwrap();
    documents.clone()
}

/// Records segments of every kind.
async fn program(recorder: &Recorder, server: &Server) {
    let header = TraceHeader::parse("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1");
    let segment = Segment::builder("Grüße/日本").trace_header(&header).recorder(recorder).begin();
    segment.set_user("jürgen");
    segment.annotate("tier", "gold");
    segment.annotate("count", -3);
    segment.annotate("largest", u64::MAX);
    segment.annotate("share", 0.5);
    segment.annotate("is_new", true);
    segment.add_metadata("cart", json!({ "items": [1, 2.5, null, "é\"\n"], "more": { "deep": true } }));
    segment.add_metadata_in("other", "key", "value");
    segment.link(&TraceHeader::parse("Root=1-5759e988-aaaaaaaaaaaaaaaaaaaaaaaa;Parent=53995c3f42cd8ad9"));
    calls(&Client::new(), server).in_subsegment("local").in_segment(segment).await;

    let segment = Segment::builder("failures").recorder(recorder).begin();
    let error = || std::io::Error::other("x".parse::<u8>().unwrap_err());
    let part = segment.subsegment("part");
    part.record_error(&error());
    part.end();
    segment.record_error(&error());
    segment.subsegment("caller's").set_error();
    let late = segment.subsegment("late");
    segment.end();
    late.subsegment("inner").end();
    late.end();

    let segment = Segment::builder("blocks").recorder(recorder).begin();
    for (name, database) in [("shop@db.example.com", "PostgreSQL"), ("orders", "CockroachDB")] {
        let query = segment.subsegment(name);
        query.set_namespace(Namespace::Remote);
        let sql = Sql::new(database).url("postgresql://db.example.com:5432/shop").sanitized_query("SELECT 1");
        query.set_sql(sql.user("app").database_version("15").preparation(Preparation::Statement));
    }
    let operation = segment.subsegment("DynamoDB");
    operation.set_namespace(Namespace::Aws);
    for (key, value) in [
        ("operation", json!("GetItem")),
        ("region", json!("eu-west-1")),
        ("request_id", json!("4P")),
        ("table_name", json!("Orders")),
        ("retries", json!(2)),
        ("consistent_read", json!(true)),
        ("attributes_to_get", json!(["a", "b"])),
        ("consumed", json!({ "units": 0.5 })),
    ] {
        operation.add_aws(key, value);
    }
    operation.end();
    let batch = segment.subsegment("DynamoDB");
    batch.set_namespace(Namespace::Aws);
    batch.add_aws("table_names", json!(["Orders", "Carts"]));
    batch.end();
    segment.end();

    let answer = service_fn(async |request: http::Request<()>| {
        let status = request.uri().path()[1..].parse().unwrap();
        Ok::<_, std::convert::Infallible>(http::Response::builder().status::<u16>(status).body(String::new()).unwrap())
    });
    for (layer, status) in [
        (SegmentLayer::new("served").recorder(recorder), 200),
        (SegmentLayer::new("served").recorder(recorder).client_ip(|_| Some([203, 0, 113, 7].into())), 404),
        (SegmentLayer::new("served").recorder(recorder), 429),
        (SegmentLayer::new("served").recorder(recorder), 503),
    ] {
        let request = http::Request::get(format!("http://shop.example.com/{status}"));
        let request = request.header("user-agent", "curl/8").header("x-forwarded-for", "203.0.113.8").body(()).unwrap();
        layer.layer(answer).oneshot(request).await.unwrap();
    }
}

#[xray::traced_http]
async fn calls(client: &Client, server: &Server) {
    for path in ["/bytes/3", "/status/404", "/status/429", "/status/503", "/chunked"] {
        let _ = client.get(format!("{}?secret", server.url(path))).send().await;
    }
    let _ = client.delete(refused_url()).send().await;
}

/// The collector and the X-Ray API behind it.
struct Collector {
    otlp: SocketAddr,
    documents: Receiver<String>,
    _program: Program,
}

impl Collector {
    /// Starts the collector. Returns `None` without Go.
    fn start() -> Option<Self> {
        let program = super::build("exporter", Path::new("exporter"))?;
        let (otlp, (xray, documents)) = (free_address(), x_ray());
        let program = Program::start(&program, &["-otlp", &otlp.to_string(), "-xray", &xray.to_string()]);
        Some(Self { otlp, documents, _program: program })
    }

    /// Waits for `count` documents, and returns them by their ids.
    fn arrived(&self, count: usize) -> BTreeMap<String, Value> {
        let mut arrived = BTreeMap::new();
        for number in 0..count {
            let next = self.documents.recv_timeout(Duration::from_secs(60));
            let json = next.unwrap_or_else(|_| panic!("{number} of {count} documents arrive: {arrived:#?}"));
            let document: Value = serde_json::from_str(&json).unwrap();
            arrived.insert(text(&document["id"]).to_owned(), document);
        }
        arrived.extend(self.documents.try_iter().map(|json| (json.clone(), json.into())));
        arrived
    }
}

/// Starts a server in place of the X-Ray API, which keeps the received documents.
fn x_ray() -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let (address, (sender, documents)) = (listener.local_addr().unwrap(), channel());
    let put = async move |Json(request): Json<Value>| {
        for document in request["TraceSegmentDocuments"].as_array().unwrap() {
            let _ = sender.send(text(document).to_owned());
        }
        Json(json!({ "UnprocessedTraceSegments": [] }))
    };
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, axum::Router::new().route("/TraceSegments", post(put))).await.unwrap();
        });
    });
    (address, documents)
}

fn free_address() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}
