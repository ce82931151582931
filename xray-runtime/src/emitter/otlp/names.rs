//! The names of spans.

use std::borrow::Cow;

use crate::document::url::Url;
use crate::document::{Document, Namespace, Sql};

/// A convention for the names of spans.
///
/// ```
/// use xray::emitter::{OtlpEmitter, SpanNames};
///
/// // For Jaeger or Tempo: the span of a request is called `GET`, not `example.com`.
/// let emitter = OtlpEmitter::builder().span_names(SpanNames::OpenTelemetry).build()?;
/// # drop(emitter);
/// # Ok::<(), xray::emitter::OtlpError>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpanNames {
    /// The names of X-Ray: the span of a segment is named after the service, and the span of an HTTP call after the
    /// host.
    #[default]
    XRay,
    /// The names of OpenTelemetry's semantic conventions: `GET` for a request, `DynamoDB.GetItem` for an AWS operation,
    /// `SELECT shop` for a query. Other spans keep the names of X-Ray.
    ///
    /// The X-Ray exporter of a collector still finds the names of X-Ray, in `service.name` and `peer.service`.
    OpenTelemetry,
}

/// Returns the name of a span.
pub(super) fn name(document: &Document, is_segment: bool, names: SpanNames) -> Cow<'_, str> {
    let of_convention = match names {
        SpanNames::XRay => None,
        SpanNames::OpenTelemetry => of_convention(document, is_segment),
    };
    of_convention.unwrap_or(Cow::Borrowed(&document.name))
}

/// Returns the name of a request, an AWS operation or a query in OpenTelemetry's semantic conventions. Returns `None`
/// for any other span.
fn of_convention(document: &Document, is_segment: bool) -> Option<Cow<'_, str>> {
    let request = document.http.as_ref().and_then(|http| http.request.as_ref());
    let method = request.and_then(|request| request.method.as_deref()).map(Cow::Borrowed);
    match document.namespace {
        // "HTTP spans": the method and the route, or the method alone. A segment does not know its route.
        _ if is_segment => method,
        // "AWS SDK client spans": `DynamoDB.GetItem`.
        Some(Namespace::Aws) => {
            let operation = document.aws.as_ref()?.other.get("operation")?.as_str()?;
            Some(format!("{}.{operation}", document.name).into())
        }
        _ => method.or_else(|| of_query(document.sql.as_deref()?)),
    }
}

/// Returns the name of a query: the operation and the database, or the one that is known. ("Database client spans".)
fn of_query(sql: &Sql) -> Option<Cow<'_, str>> {
    let query = sql.sanitized_query.as_deref().unwrap_or_default();
    let operation = query.split_ascii_whitespace().next().unwrap_or_default();
    let is_word = !operation.is_empty() && operation.bytes().all(|byte| byte.is_ascii_alphabetic());
    let operation = if is_word { operation } else { "" };
    let path = sql.url.as_deref().map_or("", |url| Url::from(url).path());
    let database = path.rsplit_once('/').map_or("", |(_, database)| database);
    match (operation, database) {
        ("", "") => sql.database_type.as_deref().map(Cow::Borrowed),
        ("", database) => Some(database.into()),
        (operation, "") => Some(operation.into()),
        (operation, database) => Some(format!("{operation} {database}").into()),
    }
}

/// Returns the name that the collector's X-Ray exporter gives a query: `shop@db.example.com` for the server
/// `postgresql://db.example.com:5432` and the database `shop`.
pub(super) fn sql_name(server: &str, database: &str) -> Option<String> {
    let host = Url::from(server).host()?;
    (!database.is_empty()).then(|| format!("{database}@{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SegmentId;

    #[test]
    fn a_query_is_named_after_its_operation_and_its_database() {
        for (url, query, name) in [
            ("postgresql://db.example.com:5432/shop", "SELECT * FROM t", Some("SELECT shop")),
            ("postgresql://db.example.com:5432", "SELECT * FROM t", Some("SELECT")),
            ("sqlite:///var/data/app.db", "", Some("app.db")),
            ("http://db.example.com/", "(SELECT 1)", Some("PostgreSQL")),
        ] {
            let sql = Sql::new("PostgreSQL").url(url).sanitized_query(query);
            assert_eq!(of_query(&sql).as_deref(), name, "{url}");
        }
    }

    #[test]
    fn a_segment_with_a_query_keeps_its_name() {
        let document = Document::new(SegmentId::random(), "job".to_owned(), 1.0);
        let document = Document { sql: Some(Box::new(Sql::new("PostgreSQL"))), ..document };
        let name = |is_segment| name(&document, is_segment, SpanNames::OpenTelemetry);
        assert_eq!([name(true), name(false)], ["job", "PostgreSQL"]);
    }
}
