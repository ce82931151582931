//! Numbers that are equal for segments and subsegments that do the same.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Map, Value};

use crate::document::Document;
use crate::url;

/// Returns a number that is equal for segments or subsegments that do the same: for those with equal names, kinds, and
/// requests or AWS operations. The query of a URL is left out.
pub(crate) fn signature(document: &Document) -> u64 {
    let http = document.http.as_ref();
    let path = http.and_then(|http| http.url.as_deref()).map(|url| url::split(url).1).unwrap_or_default();
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let text = |block: &Map<String, Value>, field: &str| block.get(field).and_then(Value::as_str).map(str::to_owned);
    let (aws, sql) = (document.aws(), document.sql());
    let operation = [text(aws, "operation"), text(aws, "table_name"), text(sql, "sanitized_query")];
    hash_of(&(rough_signature(document), path, operation))
}

/// Like [`signature`], but without the path, the operation and the query.
pub(crate) fn rough_signature(document: &Document) -> u64 {
    let method = document.http.as_ref().and_then(|http| http.method.as_deref());
    hash_of(&(&document.name, document.kind, document.namespace, method))
}

fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
