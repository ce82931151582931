//! The attributes of a span: the recorded HTTP, AWS and SQL data of a segment or subsegment, its annotations and its
//! metadata.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::names::{SpanNames, sql_name};
use super::resource::is_of_resource;
use super::wire::{Value, WriteAttribute as _};
use crate::document::{AnnotationValue, Aws, Document, Http, Namespace, Sql};
use crate::support::json::List;

/// Writes the attributes of one segment or subsegment, without its subsegments.
pub(super) fn write_attributes(document: &Document, is_segment: bool, names: SpanNames, list: &mut List<'_>) {
    let mut attributes = Attributes(list);
    // With the names of OpenTelemetry, the name of a span is not the name of its subsegment. The collector's X-Ray
    // exporter takes the name of a subsegment from this attribute first.
    if names == SpanNames::OpenTelemetry && !is_segment && document.namespace.is_some() {
        attributes.add("peer.service", document.name.as_str());
    }
    if let Some(http) = &document.http {
        attributes.add_http(http);
    }
    if document.namespace == Some(Namespace::Aws) {
        attributes.add("rpc.system", "aws-api");
    }
    if let Some(aws) = &document.aws {
        attributes.add_aws(aws, is_segment);
    }
    if let Some(sql) = &document.sql {
        attributes.add_sql(sql, &document.name);
    }
    attributes.add_text("enduser.id", document.user.as_deref());
    attributes.add_annotations(document);
    for (namespace, values) in &document.metadata {
        // JSON with string keys always serializes.
        let json = serde_json::to_string(values).unwrap_or_default();
        attributes.0.attribute_of(&format!("aws.xray.metadata.{namespace}"), json);
    }
}

struct Attributes<'a, 'j>(&'a mut List<'j>);

impl Attributes<'_, '_> {
    fn add<'v>(&mut self, key: &'static str, value: impl Into<Value<'v>>) {
        self.0.attribute(key, value);
    }

    fn add_text(&mut self, key: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            self.add(key, text);
        }
    }

    /// Adds a request and its response. (Semantic conventions, "HTTP spans", stable since 1.23.)
    fn add_http(&mut self, http: &Http) {
        if let Some(request) = &http.request {
            self.add_text("http.request.method", request.method.as_deref());
            self.add_text("url.full", request.url.as_deref());
            self.add_text("user_agent.original", request.user_agent.as_deref());
            // The exporter sets `x_forwarded_for` if the address has the key `client.address`.
            let key = if request.x_forwarded_for { "client.address" } else { "network.peer.address" };
            self.add_text(key, request.client_ip.as_deref());
        }
        if let Some(status) = http.response.and_then(|response| response.status) {
            self.add("http.response.status_code", i64::from(status));
        }
    }

    fn add_aws(&mut self, aws: &Aws, is_segment: bool) {
        if let Some(rule) = aws.xray.as_ref().and_then(|sdk| sdk.sampling_rule_name.as_deref()) {
            // The AWS distribution of OpenTelemetry uses this key.
            self.add("aws.xray.sampling_rule", rule);
        }
        for (key, json) in &aws.other {
            match key.as_str() {
                key if is_segment && is_of_resource(key) => {}
                "retries" => self.add("aws.xray.retries", value(json)),
                "table_names" => self.add("aws.dynamodb.table_names", value(json)),
                key => self.0.attribute_of(&format!("aws.{key}"), value(json)),
            }
        }
    }

    /// Adds a query. The exporter reads only the keys that are older than the stable conventions.
    fn add_sql(&mut self, sql: &Sql, name: &str) {
        self.add("db.system", system(sql.database_type.as_deref().unwrap_or_default()));
        if let Some(url) = &sql.url {
            match url.rsplit_once('/') {
                // If the span has a database, the exporter names the subsegment `database@host`.
                Some((server, database)) if sql_name(server, database).is_some_and(|exported| exported == name) => {
                    self.add("db.connection_string", server);
                    self.add("db.name", database);
                }
                _ => self.add("db.connection_string", url.as_str()),
            }
        }
        self.add_text("db.statement", sql.sanitized_query.as_deref());
        self.add_text("db.user", sql.user.as_deref());
    }

    fn add_annotations(&mut self, document: &Document) {
        if document.annotations.is_empty() {
            return;
        }
        for (key, annotation) in &document.annotations {
            let value = match annotation {
                AnnotationValue::Bool(value) => Value::from(*value),
                AnnotationValue::Integer(number) => Value::from(*number),
                #[expect(clippy::cast_precision_loss, reason = "OTLP has no whole number of this size")]
                AnnotationValue::Unsigned(number) => Value::from(*number as f64),
                AnnotationValue::Number(number) => Value::from(*number),
                AnnotationValue::String(text) => Value::from(text.as_str()),
            };
            self.0.attribute_of(key, value);
        }
        self.add("aws.xray.annotations", Value::Texts(document.annotations.keys().map(String::as_str).collect()));
    }
}

/// Returns the `db.system` of a kind of database. The exporter recognizes a query as SQL only with one of these values.
fn system(database_type: &str) -> &'static str {
    const KNOWN: [&str; 10] =
        ["db2", "derby", "hive", "mariadb", "mssql", "mysql", "oracle", "postgresql", "sqlite", "teradata"];
    let is_known = |known: &&&str| known.eq_ignore_ascii_case(database_type);
    match KNOWN.iter().find(is_known) {
        Some(known) => known,
        None if database_type.eq_ignore_ascii_case("postgres") => "postgresql",
        None if database_type.eq_ignore_ascii_case("Microsoft SQL Server") => "mssql",
        None => "other_sql",
    }
}

/// Returns a value of the `aws` block as the value of an attribute. A value without a form in OTLP becomes JSON text.
fn value(json: &Json) -> Value<'_> {
    match json {
        Json::String(text) => Value::from(text.as_str()),
        Json::Bool(value) => Value::from(*value),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Value::from(number),
            (None, Some(number)) => Value::from(number),
            (None, None) => Value::Text(Cow::Owned(number.to_string())),
        },
        Json::Array(values) if values.iter().all(Json::is_string) => {
            Value::Texts(values.iter().filter_map(Json::as_str).collect())
        }
        other => Value::from(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::id::SegmentId;
    use crate::support::json::written;

    #[test]
    fn a_kind_of_database_has_the_name_that_the_exporter_knows() {
        for (database_type, expected) in [
            ("PostgreSQL", "postgresql"),
            ("Postgres", "postgresql"),
            ("MySQL", "mysql"),
            ("Microsoft SQL Server", "mssql"),
            ("CockroachDB", "other_sql"),
            ("", "other_sql"),
        ] {
            assert_eq!(system(database_type), expected, "{database_type}");
        }
    }

    #[test]
    fn the_database_is_an_attribute_only_if_the_exporter_then_names_the_subsegment_as_it_is_named() {
        let attributes = |name: &str| {
            let sql = Some(Box::new(Sql { url: Some("postgresql://db/shop".to_owned()), ..Sql::default() }));
            let document = Document { sql, ..Document::new(SegmentId::random(), name.to_owned(), 1.0) };
            written(|object| {
                object.list("attributes", |list| write_attributes(&document, false, SpanNames::XRay, list));
            })
        };
        let text = |key: &str, text: &str| json!({ "key": key, "value": { "stringValue": text } });
        let system = text("db.system", "other_sql");
        assert_eq!(
            attributes("shop@db"),
            json!({ "attributes": [system, text("db.connection_string", "postgresql://db"), text("db.name", "shop")] })
        );
        assert_eq!(
            attributes("orders"),
            json!({ "attributes": [system, text("db.connection_string", "postgresql://db/shop")] })
        );
    }

    #[test]
    fn a_value_of_the_aws_block_keeps_its_type_if_otlp_has_it() {
        for (json, expected) in [
            (json!("a"), Value::from("a")),
            (json!(true), Value::from(true)),
            (json!(-3), Value::from(-3)),
            (json!(0.5), Value::from(0.5)),
            (json!(["a", "b"]), Value::Texts(vec!["a", "b"])),
            (json!(["a", 1]), Value::from(r#"["a",1]"#)),
            (json!({ "a": null }), Value::from(r#"{"a":null}"#)),
        ] {
            assert_eq!(value(&json), expected);
        }
    }
}
