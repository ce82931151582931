//! Converts segments and subsegments to spans in the form of the log group of Transaction Search: like OTLP in JSON,
//! but with attributes as plain objects.

use serde_json::{Map, Value, json};

use crate::document::{Cause, Document, Exception, Kind, Link, Namespace};

/// Returns the span of a segment, or of a subsegment that is embedded in the segment.
pub(crate) fn span(entity: &Document, segment: &Document) -> Value {
    let (start, end) = (nanoseconds(entity.start_time), entity.end_time.map(nanoseconds));
    let kind = match (entity.kind, entity.namespace) {
        (Kind::Segment, _) => "SERVER",
        (Kind::Subsegment, Some(Namespace::Aws | Namespace::Remote)) => "CLIENT",
        (Kind::Subsegment, _) => "INTERNAL",
    };
    let is_failed = entity.fault || entity.error || entity.throttle;
    let mut span = json!({
        "resource": resource(segment),
        "scope": { "name": "xray" },
        "traceId": w3c(&segment.trace_id),
        "spanId": entity.id,
        "flags": 1,
        "name": entity.name,
        "kind": kind,
        "startTimeUnixNano": start,
        "attributes": attributes(entity),
        "status": { "code": if is_failed { "ERROR" } else { "UNSET" } },
    });
    if let Some(end) = end {
        span["endTimeUnixNano"] = end.into();
        span["durationNano"] = end.saturating_sub(start).into();
    }
    if let Some(parent) = &entity.parent_id {
        span["parentSpanId"] = parent.as_str().into();
    }
    let events: Vec<Value> = entity
        .cause
        .iter()
        .flat_map(Cause::exceptions)
        .map(|exception| event(exception, end.unwrap_or(start)))
        .collect();
    if !events.is_empty() {
        span["events"] = events.into();
    }
    let links: Vec<Value> = entity.links().filter_map(link).collect();
    if !links.is_empty() {
        span["links"] = links.into();
    }
    span
}

fn resource(segment: &Document) -> Value {
    let mut attributes = json!({ "service.name": segment.name });
    let text = |path: &[&str]| {
        path.iter().try_fold(segment.aws().get(path[0])?, |value, field| {
            if *field == path[0] { Some(value) } else { value.get(field) }
        })
    };
    for (name, path) in [
        ("cloud.account.id", &["account_id"][..]),
        ("host.id", &["ec2", "instance_id"]),
        ("container.id", &["ecs", "container_id"]),
        ("k8s.pod.name", &["eks", "pod"]),
        ("telemetry.sdk.name", &["xray", "sdk"]),
        ("telemetry.sdk.version", &["xray", "sdk_version"]),
    ] {
        if let Some(value) = text(path) {
            attributes[name] = value.clone();
        }
    }
    if let Some(version) = segment.raw.get("service").and_then(|service| service.get("version")) {
        attributes["service.version"] = version.clone();
    }
    json!({ "attributes": attributes })
}

fn attributes(entity: &Document) -> Map<String, Value> {
    let mut attributes = Map::new();
    let mut set = |name: &str, value: Option<Value>| {
        attributes.extend(value.map(|value| (name.to_owned(), value)));
    };
    if let Some(http) = &entity.http {
        let text = |text: &Option<String>| text.clone().map(Value::from);
        set("http.request.method", text(&http.method));
        set("url.full", text(&http.url));
        set("user_agent.original", text(&http.user_agent));
        set("client.address", text(&http.client_ip));
        set("http.response.status_code", http.status.map(Value::from));
        set("http.response.body.size", http.content_length.filter(|length| *length >= 0).map(Value::from));
    }
    set("enduser.id", entity.user.clone().map(Value::from));
    if entity.namespace == Some(Namespace::Aws) {
        set("aws.service", Some(entity.name.as_str().into()));
    }
    for name in ["operation", "region", "request_id", "queue_url", "table_name"] {
        set(&format!("aws.{name}"), entity.aws().get(name).cloned());
    }
    for (name, field) in [("db.system", "database_type"), ("db.statement", "sanitized_query"), ("db.user", "user")] {
        set(name, entity.sql().get(field).cloned());
    }
    for (namespace, values) in entity.metadata() {
        set(&format!("aws.xray.metadata.{namespace}"), Some(values.to_string().into()));
    }
    let annotations = entity.annotations();
    if !annotations.is_empty() {
        set("aws.xray.annotations", Some(annotations.keys().cloned().collect()));
    }
    annotations.iter().for_each(|(key, value)| set(key, Some(value.clone())));
    attributes
}

fn event(exception: &Exception, time: u64) -> Value {
    let texts = [("exception.type", &exception.kind), ("exception.message", &exception.message)];
    let attributes: Map<String, Value> =
        texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text.clone()?.into()))).collect();
    json!({ "timeUnixNano": time, "name": "exception", "attributes": attributes })
}

fn link(link: Link<'_>) -> Option<Value> {
    let attributes = link.attributes.cloned().unwrap_or_default();
    Some(json!({ "traceId": w3c(link.trace_id), "spanId": link.id?, "attributes": attributes }))
}

/// Returns a trace id in the form of W3C.
fn w3c(id: &str) -> String {
    id.strip_prefix("1-").unwrap_or(id).replace('-', "")
}

/// Returns a time in nanoseconds, rounded to microseconds, the resolution of the times of X-Ray. A number of 64 bits
/// cannot hold today's time in nanoseconds, so the seconds and the rest are converted by themselves.
fn nanoseconds(seconds: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
    let [whole, micros] = [seconds.trunc() as u64, (seconds.fract() * 1e6).round() as u64];
    whole.saturating_mul(1_000_000_000).saturating_add(micros * 1_000)
}
