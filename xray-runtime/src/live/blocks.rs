//! What a segment or subsegment serves or calls, for what no adapter records: its blocks and flags.

use serde::Serialize;

use crate::document::http::recorded_method;
use crate::document::metadata::metadata;
use crate::document::url::Url;
use crate::document::{Document, HttpRequest, Namespace, Sql, is_short};
use crate::live::context::Context;

/// Blocks and flags. As everywhere, what X-Ray does not take is left out and counted.
impl Context {
    /// Records an SQL query on a subsegment, which it makes one of a `remote` call. On a segment it is left out.
    ///
    /// X-Ray's own names for such subsegments are `database@host`. (Developer guide, "SQL queries".)
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
        self.update_subsegment("sql", |record| {
            record.sql = Some(Box::new(sql));
            record.namespace = Some(Namespace::Remote);
        });
    }

    /// Says what a subsegment calls: an AWS service, or any other. On a segment it is left out.
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
        self.update_subsegment("namespace", |record| record.namespace = Some(namespace));
    }

    /// Adds a key to the `aws` block: `operation`, `region`, `request_id`, `table_name`, `queue_url` of a call, for
    /// instance. (Developer guide, "AWS resource data".)
    ///
    /// The value is anything that serialises, within the limits of [`add_metadata`](Self::add_metadata); the key has at
    /// most 250 characters and is not `xray`, which is the SDK's.
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
        entity.update(|record| {
            record.aws.get_or_insert_default().other.insert(key, metadata.value);
        });
    }

    /// Records the request that is served or made: method, and of the URL scheme, host, port and path.
    ///
    /// For an outgoing request [`http::call`](crate::http::call) does this and the rest.
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
        entity.update(|record| record.http.get_or_insert_default().request = Some(request));
    }

    /// Records the status of the response, and what it says: 4xx is `error`, 429 `throttle` too, 5xx `fault`. The
    /// length is that of the body in bytes, where it is known.
    pub fn set_http_response(&self, status: u16, content_length: Option<u64>) {
        if let Some(entity) = self.sampled_entity() {
            entity.update(|record| record.record_response(status, content_length));
        }
    }

    /// Marks it as failed by the caller's mistake.
    pub fn set_error(&self) {
        self.flag(|record| record.error = true);
    }

    /// Marks it as called too often, which is an error too.
    pub fn set_throttle(&self) {
        self.flag(|record| (record.error, record.throttle) = (true, true));
    }

    /// Marks it as failed by a mistake of its own.
    pub fn set_fault(&self) {
        self.flag(|record| record.fault = true);
    }

    fn flag(&self, set: impl FnOnce(&mut Document)) {
        if let Some(entity) = self.sampled_entity() {
            entity.update(set);
        }
    }

    /// Writes what only a subsegment has.
    fn update_subsegment(&self, what: &str, write: impl FnOnce(&mut Document)) {
        let Some(entity) = self.sampled_entity() else { return };
        if entity.is_segment() {
            entity.trace().recorder().report_value(what, "of a segment", "left out");
        } else {
            entity.update(write);
        }
    }
}
