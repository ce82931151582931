//! Methods of [`Context`] that record blocks and flags by hand: SQL queries, AWS calls, HTTP requests and responses.

use serde::Serialize;

use crate::document::http::recorded_method;
use crate::document::metadata::metadata;
use crate::document::url::Url;
use crate::document::{Document, HttpRequest, Namespace, Sql, is_short};
use crate::live::context::Context;

/// Blocks and flags. Values that X-Ray would refuse are left out and counted.
impl Context {
    /// Records an SQL query on a subsegment and sets its namespace to `remote`. On a segment the query is left out.
    ///
    /// X-Ray names such subsegments `database@host`. (Developer guide, "SQL queries".)
    ///
    /// ```
    /// use xray::{Segment, Sql};
    ///
    /// let ((), documents) = xray::testing::capture_blocking(|| {
    ///     let segment = Segment::builder("shop").begin();
    ///     let query = segment.subsegment("orders@db.example.com");
    ///     query.set_sql(Sql::new("PostgreSQL").sanitized_query("SELECT * FROM orders WHERE id = ?"));
    /// });
    /// let sql = documents[0].subsegments[0].sql.as_ref().unwrap();
    /// assert_eq!(sql.database_type.as_deref(), Some("PostgreSQL"));
    /// ```
    pub fn set_sql(&self, sql: Sql) {
        self.update_subsegment("sql", |document| {
            document.sql = Some(Box::new(sql));
            document.namespace = Some(Namespace::Remote);
        });
    }

    /// Sets whether a subsegment calls an AWS service or any other service. On a segment the namespace is left out.
    ///
    /// ```
    /// use xray::{Namespace, Segment};
    ///
    /// let ((), documents) = xray::testing::capture_blocking(|| {
    ///     let segment = Segment::builder("shop").begin();
    ///     let put = segment.subsegment("DynamoDB");
    ///     put.set_namespace(Namespace::Aws);
    ///     put.add_aws("operation", "PutItem");
    ///     put.add_aws("table_name", "orders");
    /// });
    /// let aws = documents[0].subsegments[0].aws.as_ref().unwrap();
    /// assert_eq!(aws.other["table_name"], "orders");
    /// ```
    pub fn set_namespace(&self, namespace: Namespace) {
        self.update_subsegment("namespace", |document| document.namespace = Some(namespace));
    }

    /// Adds a key to the `aws` block, for instance `operation`, `region`, `request_id`, `table_name` or `queue_url`.
    /// (Developer guide, "AWS resource data".)
    ///
    /// The value may be of any type that serialises, within the limits of [`add_metadata`](Self::add_metadata). The key
    /// has at most 250 characters. The key `xray` is reserved for the SDK.
    pub fn add_aws(&self, key: impl Into<String>, value: impl Serialize) {
        let Some(entity) = self.sampled_entity() else { return };
        let (key, recorder) = (key.into(), entity.trace().recorder());
        let is_accepted = is_short(&key) && key != "xray";
        let Some(metadata) = is_accepted.then(|| metadata(&value)).flatten() else {
            return recorder.report_value("aws", &key, "left out");
        };
        if metadata.is_altered {
            recorder.report_value("aws", &key, "recorded in part");
        }
        entity.update(|document| {
            document.aws.get_or_insert_default().other.insert(key, metadata.value);
        });
    }

    /// Records the request that is served or made: its method, and the scheme, host, port and path of its URL.
    ///
    /// For an outgoing request use [`http::call`](crate::http::call), which also records the response and adds the header.
    ///
    /// ```
    /// let ((), documents) = xray::testing::capture_blocking(|| {
    ///     let segment = xray::Segment::builder("shop").begin();
    ///     segment.set_http_request("GET", "https://shop.example.com/cart?token=secret");
    ///     segment.set_http_response(404, Some(12));
    /// });
    /// let request = documents[0].http.as_ref().and_then(|http| http.request.as_ref()).unwrap();
    /// assert_eq!(request.url.as_deref(), Some("https://shop.example.com/cart"));
    /// assert!(documents[0].error);
    /// ```
    pub fn set_http_request<'a>(&self, method: &str, url: impl Into<Url<'a>>) {
        let Some(entity) = self.sampled_entity() else { return };
        let (method, url) = (Some(recorded_method(method)), Some(url.into().recorded()));
        let request = HttpRequest { method, url, ..HttpRequest::default() };
        entity.update(|document| document.http.get_or_insert_default().request = Some(request));
    }

    /// Records the status of the response and its meaning: 4xx sets `error`, 429 also `throttle`, 5xx `fault`.
    /// `content_length` is the length of the body in bytes, if known.
    pub fn set_http_response(&self, status: u16, content_length: Option<u64>) {
        if let Some(entity) = self.sampled_entity() {
            entity.update(|document| document.record_response(status, content_length));
        }
    }

    /// Marks the segment or subsegment as failed by a mistake of the caller (`error`).
    pub fn set_error(&self) {
        self.flag(|document| document.error = true);
    }

    /// Marks the segment or subsegment as throttled (`throttle` and `error`).
    pub fn set_throttle(&self) {
        self.flag(|document| (document.error, document.throttle) = (true, true));
    }

    /// Marks the segment or subsegment as failed by a mistake of its own (`fault`).
    pub fn set_fault(&self) {
        self.flag(|document| document.fault = true);
    }

    fn flag(&self, set: impl FnOnce(&mut Document)) {
        if let Some(entity) = self.sampled_entity() {
            entity.update(set);
        }
    }

    /// Writes a block that only subsegments have.
    fn update_subsegment(&self, what: &str, write: impl FnOnce(&mut Document)) {
        let Some(entity) = self.sampled_entity() else { return };
        if entity.is_segment() {
            entity.trace().recorder().report_value(what, "of a segment", "left out");
        } else {
            entity.update(write);
        }
    }
}
