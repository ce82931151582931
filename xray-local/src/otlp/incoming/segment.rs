//! Translates a span to a segment or subsegment.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::{Link, SpanKind};
use serde_json::{Map, Value, json};

use super::Translated;
use super::attributes::{annotation, entry, json as json_of, object, text, texts};
use super::cause::{Flags, Outcome};
use super::http::{Http, received_bytes};
use super::names::Names;
use super::resource::Resource;
use crate::document::TraceId;

/// The databases that X-Ray counts as SQL.
const SQL_SYSTEMS: [&str; 11] =
    ["db2", "derby", "hive", "mariadb", "mssql", "mysql", "oracle", "postgresql", "sqlite", "teradata", "other_sql"];

/// The deepest nesting of metadata that is kept as JSON. Deeper metadata is kept as text, because JSON parsers reject
/// it.
const MAX_DEPTH: usize = 64;

/// The attributes of a span, grouped by the fields of the document that they become.
#[derive(Default)]
struct Attributes {
    names: Names,
    http: Http,
    user: Option<String>,
    /// The keys of the attributes that become annotations. They are a set, because a span may have ten thousand
    /// attributes and as many keys.
    annotation_keys: HashSet<String>,
    rpc_method: Option<String>,
    operation: Option<String>,
    account_id: Option<String>,
    region: Option<String>,
    request_id: Option<String>,
    queue_url: Option<String>,
    table_name: Option<String>,
    table_names: Vec<String>,
    db_system: Option<Any>,
    db_statement: Option<Any>,
    db_user: Option<Any>,
    /// All other attributes, which become annotations and metadata.
    others: Vec<(String, Any)>,
}

/// Translates a span.
///
/// # Errors
///
/// If an id of the span is invalid. The text names the id and the problem.
pub(super) fn documents(span: Box<Span>, resource: &Resource) -> Translated {
    let (trace_id, id) = (trace_id(&span.trace_id, "traceId")?, span_id(&span.span_id, "spanId")?);
    let parent_id = if span.parent_span_id.iter().all(|byte| *byte == 0) {
        None
    } else {
        Some(span_id(&span.parent_span_id, "parentSpanId")?)
    };
    let kind = span.kind();
    let entity = Entity { trace_id, id, parent_id, kind, is_segment: kind == SpanKind::Server };
    let mut attributes = Attributes::default();
    let content_length = received_bytes(&span.attributes)
        .or_else(|| span.events.iter().find_map(|event| received_bytes(&event.attributes)));
    let mut span = span;
    for (key, value) in std::mem::take(&mut span.attributes).into_iter().filter_map(entry) {
        attributes.add(key, value);
    }
    let is_local_root = attributes.names.is_local_root();
    let is_dependency = !matches!(kind, SpanKind::Server | SpanKind::Internal);
    Ok(match (is_local_root, is_dependency) {
        (true, true) => entity.with_service(*span, attributes, resource, content_length),
        (true, false) => {
            let entity = Entity { is_segment: true, ..entity };
            vec![entity.document(*span, attributes, resource, content_length)]
        }
        (false, _) => {
            let is_segment = entity.is_segment || entity.parent_id.is_none();
            vec![Entity { is_segment, ..entity }.document(*span, attributes, resource, content_length)]
        }
    })
}

/// The ids of a document in its trace, and its kind.
struct Entity {
    trace_id: String,
    id: String,
    parent_id: Option<String>,
    kind: SpanKind,
    is_segment: bool,
}

impl Entity {
    /// Returns the document of a span.
    fn document(
        self,
        span: Span,
        attributes: Attributes,
        resource: &Resource,
        content_length: Option<i64>,
    ) -> Map<String, Value> {
        let Attributes { names, http, .. } = &attributes;
        let (name, is_named_by_aws) = names.of(self.kind, http, resource.service_name.as_deref(), &span.name);
        let is_call = matches!(self.kind, SpanKind::Client | SpanKind::Producer | SpanKind::Consumer);
        let namespace = if names.is_aws_call() || is_named_by_aws {
            Some("aws")
        } else if self.kind == SpanKind::Client || is_call && names.remote_service.is_some() {
            Some("remote")
        } else {
            None
        };
        let is_aws_call = names.is_aws_call();
        let status = span.status.unwrap_or_default();
        let code = status.code();
        let flags = Flags::of(http.status, code);
        let outcome = Outcome {
            kind: self.kind,
            status: code,
            message: status.message,
            events: span.events,
            is_aws_call,
            language: &resource.language,
        };
        let cause = outcome.cause(|index| derived_id(&self.trace_id, &self.id, index));
        let links = links(span.links);

        let mut document = Map::new();
        let mut set = |field: &str, value: Option<Value>| {
            if let Some(value) = value {
                document.insert(field.to_owned(), value);
            }
        };
        set("name", Some(name.into()));
        set("start_time", Some(seconds(span.start_time_unix_nano)));
        if span.end_time_unix_nano == 0 {
            set("in_progress", Some(true.into()));
        } else {
            set("end_time", Some(seconds(span.end_time_unix_nano)));
        }
        for (field, flag) in [("error", flags.error), ("fault", flags.fault), ("throttle", flags.throttle)] {
            set(field, flag.then_some(Value::Bool(true)));
        }
        set("cause", cause);
        set("links", links);
        if self.is_segment {
            set("origin", resource.origin.map(Value::from));
            set("service", resource.service.clone());
        } else {
            set("type", Some("subsegment".into()));
            set("namespace", namespace.map(Value::from));
        }
        attributes.write(&self, &span.name, resource, content_length, &mut set);
        set("id", Some(self.id.into()));
        set("trace_id", Some(self.trace_id.into()));
        set("parent_id", self.parent_id.map(Value::from));
        document
    }

    /// Returns two documents for a span that is both the first span of its service and a call to another service: a
    /// segment for the service, and a subsegment of that segment for the call.
    fn with_service(
        self,
        span: Span,
        attributes: Attributes,
        resource: &Resource,
        content_length: Option<i64>,
    ) -> Vec<Map<String, Value>> {
        let service_id = derived_id(&self.trace_id, &self.id, usize::MAX);
        let (service_name, user) = (attributes.names.of_service(), attributes.user.clone());
        let is_consumer = self.kind == SpanKind::Consumer;
        let service = Self {
            trace_id: self.trace_id.clone(),
            id: service_id.clone(),
            parent_id: self.parent_id,
            kind: self.kind,
            is_segment: true,
        };
        let mut segment = service.document(span.clone(), Attributes::default(), resource, None);
        let callee = attributes.names.of_callee();
        let call = Self { parent_id: Some(service_id), is_segment: false, ..self };
        let mut subsegment = call.document(span, attributes, resource, content_length);
        // The flags of the segment depend on the status of the response, which is an attribute of the call.
        for field in ["error", "fault", "throttle", "annotations"] {
            segment.remove(field);
            segment.extend(subsegment.get(field).map(|value| (field.to_owned(), value.clone())));
        }
        segment.extend(user.map(|user| ("user".to_owned(), user.into())));
        if let Some(name) = service_name {
            segment.insert("name".to_owned(), name.into());
        }
        if let Some(name) = callee {
            subsegment.insert("name".to_owned(), name.into());
        }
        subsegment.entry("namespace").or_insert_with(|| "remote".into());
        // The links of a consumer belong to the segment. The links of any other span belong to the subsegment.
        if is_consumer { &mut subsegment } else { &mut segment }.remove("links");
        vec![subsegment, segment]
    }
}

impl Attributes {
    fn add(&mut self, key: String, value: Any) {
        self.names.look(&key, &value);
        let Some(value) = self.http.take(&key, value) else { return };
        let field = match key.as_str() {
            "enduser.id" => &mut self.user,
            "rpc.method" => &mut self.rpc_method,
            "aws.operation" => &mut self.operation,
            "aws.account_id" => &mut self.account_id,
            "aws.region" => &mut self.region,
            "aws.request_id" | "aws.requestId" => &mut self.request_id,
            "aws.queue_url" | "aws.queue.url" => &mut self.queue_url,
            "aws.table_name" | "aws.table.name" => &mut self.table_name,
            "aws.xray.annotations" => return self.annotation_keys = texts(value).into_iter().collect(),
            "db.system" => return self.db_system = Some(value),
            "db.statement" => return self.db_statement = Some(value),
            "db.user" => return self.db_user = Some(value),
            "db.connection_string" | "db.name" => return,
            _ => {
                match key.as_str() {
                    "messaging.url" => self.queue_url = text(value.clone()),
                    "aws.dynamodb.table_names" => self.table_names = texts(value.clone()),
                    _ => {}
                }
                return self.others.push((key, value));
            }
        };
        *field = text(value);
    }

    /// Writes the fields that come from attributes.
    fn write(
        mut self,
        entity: &Entity,
        span_name: &str,
        resource: &Resource,
        content_length: Option<i64>,
        set: &mut impl FnMut(&str, Option<Value>),
    ) {
        set("sql", self.sql(span_name).filter(|_| !entity.is_segment));
        set("aws", self.aws(entity, resource));
        let http = std::mem::take(&mut self.http);
        set("http", http.block(entity.kind == SpanKind::Server, entity.is_segment, content_length));
        if let (true, Some(user)) = (entity.is_segment, self.user.take()) {
            set("user", Some(user.into()));
        }
        self.write_values(entity, resource, set);
    }

    /// Returns the `sql` block. Moves the attributes of other databases to `others`.
    fn sql(&mut self, span_name: &str) -> Option<Value> {
        let Names { db_name, db_connection, .. } = &self.names;
        let system = self.db_system.take();
        let known = [("db.statement", self.db_statement.take()), ("db.user", self.db_user.take())];
        let is_sql = matches!(&system, Some(Any::StringValue(name)) if SQL_SYSTEMS.contains(&name.as_str()));
        if !is_sql {
            let text = |text: &Option<String>| text.clone().map(Any::StringValue);
            let names = [("db.name", text(db_name)), ("db.connection_string", text(db_connection))];
            let all = [("db.system", system)].into_iter().chain(known).chain(names);
            self.others.extend(all.filter_map(|(key, value)| Some((key.to_owned(), value?))));
            return None;
        }
        let connection = db_connection.as_deref().unwrap_or("localhost");
        let connection = format!("{connection}/{}", db_name.as_deref().unwrap_or_default());
        let mut sql = json!({ "url": span_name, "connection_string": connection });
        sql["database_type"] = system.and_then(text).into();
        for (field, (_, value)) in ["sanitized_query", "user"].into_iter().zip(known) {
            if let Some(value) = value.and_then(text) {
                sql[field] = value.into();
            }
        }
        Some(sql)
    }

    /// Returns the `aws` block: the AWS call, and in a segment also the resource.
    fn aws(&mut self, entity: &Entity, resource: &Resource) -> Option<Value> {
        let mut aws = resource.aws.as_ref().map(|aws| if entity.is_segment { aws.clone() } else { Map::new() })?;
        if self.table_names.len() == 1 {
            self.table_name = self.table_names.pop();
        }
        if !self.table_names.is_empty() {
            self.table_name = None;
            aws.insert("table_names".to_owned(), std::mem::take(&mut self.table_names).into());
        }
        let fields = [
            ("operation", self.operation.take().or_else(|| self.rpc_method.take())),
            ("account_id", self.account_id.take()),
            ("region", self.region.take()),
            ("request_id", self.request_id.take()),
            ("queue_url", self.queue_url.take()),
            ("table_name", self.table_name.take()),
        ];
        aws.extend(fields.into_iter().filter_map(|(field, value)| Some((field.to_owned(), value?.into()))));
        (!aws.is_empty()).then_some(Value::Object(aws))
    }

    /// Writes annotations and metadata.
    fn write_values(self, entity: &Entity, resource: &Resource, set: &mut impl FnMut(&str, Option<Value>)) {
        let (mut annotations, mut metadata, mut default) = (Map::new(), Map::new(), Map::new());
        if entity.is_segment {
            for (key, value) in &resource.metadata {
                if self.annotation_keys.contains(key) && !(value.is_array() || value.is_object()) {
                    annotations.insert(annotation_key(key), value.clone());
                } else {
                    default.insert(key.clone(), value.clone());
                }
            }
        }
        for (key, value) in self.others {
            if self.annotation_keys.contains(&key) {
                annotations.extend(annotation(value).map(|value| (annotation_key(&key), value)));
                continue;
            }
            match key.strip_prefix("aws.xray.metadata.").and_then(|namespace| Some((namespace, block(&value)?))) {
                Some((namespace, block)) if namespace.eq_ignore_ascii_case("default") => default.extend(block),
                Some((namespace, block)) => {
                    metadata.insert(namespace.to_owned(), Value::Object(block));
                }
                None => {
                    default.insert(key, json_of(value));
                }
            }
        }
        if !default.is_empty() {
            metadata.insert("default".to_owned(), Value::Object(default));
        }
        set("annotations", (!annotations.is_empty()).then_some(Value::Object(annotations)));
        set("metadata", (!metadata.is_empty()).then_some(Value::Object(metadata)));
    }
}

/// Parses the value of an attribute `aws.xray.metadata.NAMESPACE`, which is the text of a JSON object. Returns `None`
/// for other values, and for objects that are nested too deeply.
fn block(value: &Any) -> Option<Map<String, Value>> {
    let Any::StringValue(text) = value else { return None };
    let block: Map<String, Value> = serde_json::from_str(text).ok()?;
    block.values().all(|value| is_flat(value, MAX_DEPTH)).then_some(block)
}

fn is_flat(value: &Value, depth: usize) -> bool {
    match value {
        Value::Array(values) => depth > 0 && values.iter().all(|value| is_flat(value, depth - 1)),
        Value::Object(fields) => depth > 0 && fields.values().all(|value| is_flat(value, depth - 1)),
        _ => true,
    }
}

/// Returns an annotation's key without the characters that X-Ray does not accept.
fn annotation_key(key: &str) -> String {
    key.chars().map(|letter| if letter.is_ascii_alphanumeric() || letter == '.' { letter } else { '_' }).collect()
}

fn links(links: Vec<Link>) -> Option<Value> {
    let link = |link: Link| {
        let mut written =
            json!({ "trace_id": trace_id(&link.trace_id, "").ok()?, "id": span_id(&link.span_id, "").ok()? });
        if !link.attributes.is_empty() {
            written["attributes"] = Value::Object(object(link.attributes));
        }
        Some(written)
    };
    let links: Vec<Value> = links.into_iter().filter_map(link).collect();
    (!links.is_empty()).then(|| links.into())
}

/// Returns a time in seconds since 1970.
#[expect(clippy::cast_precision_loss, reason = "X-Ray's times are numbers of 64 bits, too")]
fn seconds(nanoseconds: u64) -> Value {
    (nanoseconds as f64 / 1e9).into()
}

fn trace_id(bytes: &[u8], field: &str) -> Result<String, String> {
    let id = <[u8; 16]>::try_from(bytes).map_err(|_| wrong_length(field, bytes.len(), 16))?;
    match u128::from_be_bytes(id) {
        0 => Err(format!("{field}: has only zeros, so it is not an id")),
        id => Ok(TraceId::from(id).to_string()),
    }
}

fn span_id(bytes: &[u8], field: &str) -> Result<String, String> {
    let id = <[u8; 8]>::try_from(bytes).map_err(|_| wrong_length(field, bytes.len(), 8))?;
    match u64::from_be_bytes(id) {
        0 => Err(format!("{field}: has only zeros, so it is not an id")),
        id => Ok(format!("{id:016x}")),
    }
}

fn wrong_length(field: &str, found: usize, wanted: usize) -> String {
    format!("{field}: must have {wanted} bytes, and has {found}")
}

/// Derives an id from the ids of a span and a number. So a span that arrives twice gets the same derived ids.
fn derived_id(trace_id: &str, span_id: &str, number: usize) -> String {
    let mut hasher = DefaultHasher::new();
    // The text `span` makes these ids differ from the ids of inferred segments, which are hashes too.
    ("span", trace_id, span_id, number).hash(&mut hasher);
    // An id must not be 0.
    format!("{:016x}", hasher.finish().max(1))
}
