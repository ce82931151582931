//! Methods of [`Context`] that record blocks and flags by hand: SQL queries, AWS calls, HTTP requests and responses.

use serde::Serialize;

use crate::document::http::recorded_method;
use crate::document::metadata::metadata;
use crate::document::url::Url;
use crate::document::{Namespace, Sql, is_short};
use crate::header::trace_header::{Sampled, TraceHeader};
use crate::live::context::Context;
use crate::live::segment::Subsegment;
use crate::record::Record;

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
        self.update_subsegment("the `sql` block of segment", |record| {
            record.details_mut().sql = Some(Box::new(sql));
            record.namespace = Some(Namespace::Remote);
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
        self.update_subsegment("the `namespace` block of segment", |record| record.namespace = Some(namespace));
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
        entity.add_aws(key, metadata.value);
    }

    /// Links this segment or subsegment to the segment or subsegment of another trace that `header` names, such as the
    /// sender of a message.
    ///
    /// A worker that takes several messages at once, each of another trace, links them all; see
    /// [`TraceHeader::of_message`]. X-Ray accepts 20 links of a segment and 100 of a trace. Further ones are left out
    /// and counted in [`Stats::values_rejected`](crate::Stats::values_rejected). A header without a `Root` or `Parent`,
    /// or with `Sampled=0`, names nothing that is recorded, and adds no link. In Lambda link a subsegment: the segment
    /// is Lambda's own. (Developer guide, "Tracing event-driven applications".)
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use xray::TraceHeader;
    ///
    /// let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1".to_owned();
    /// let messages = [HashMap::from([("AWSTraceHeader".to_owned(), header)])];
    ///
    /// let ((), documents) = xray::testing::capture_blocking(|| {
    ///     let segment = xray::Segment::builder("worker").begin();
    ///     for attributes in &messages {
    ///         segment.link(&TraceHeader::of_message(attributes));
    ///     }
    /// });
    /// assert_eq!(documents[0].links.len(), 1);
    /// ```
    pub fn link(&self, header: &TraceHeader) {
        let Some(entity) = self.sampled_entity() else { return };
        let (Some(trace_id), Some(id)) = (header.root, header.parent) else { return };
        if header.sampled == Some(Sampled::No) {
            return;
        }
        let (trace, mut is_full) = (entity.trace(), false);
        entity.update(|record| is_full = !record.details_mut().add_link(trace_id, id, || trace.count_link()));
        if is_full {
            trace.recorder().report_value(
                "a link to trace",
                &trace_id,
                "left out (X-Ray accepts 20 links of a segment and 100 of a trace)",
            );
        }
    }

    /// Begins a subsegment that is not recorded, even in a recorded segment. Requests in the subsegment carry
    /// `Sampled=0`.
    ///
    /// Work that one sampled request causes a thousand times, such as a message for each line of a file, would
    /// otherwise be recorded a thousand times by the receivers of the messages. (Developer guide, "Oversampling".)
    ///
    /// ```
    /// use xray::Instrument as _;
    ///
    /// # async fn send(_: u32) -> bool { xray::current().is_sampled() }
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// # runtime.block_on(async {
    /// let work = async {
    ///     assert!(send(1).await);
    ///     for line in 2..1000 {
    ///         let unsampled = xray::current().without_sampling();
    ///         assert!(!send(line).in_subsegment(unsampled).await);
    ///     }
    /// };
    /// let ((), documents) = xray::testing::capture(work.in_segment("import")).await;
    /// assert!(documents[0].subsegments.is_empty());
    /// # });
    /// ```
    #[must_use = "a subsegment ends when it is dropped"]
    pub fn without_sampling(&self) -> Subsegment {
        Subsegment::without_sampling(self)
    }

    /// Records the request that is served or made: its method, and the scheme, host, port and path of its URL.
    ///
    /// For an outgoing request use [`http::call`](crate::http::call), which also records the response and adds the
    /// header.
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
        let (method, url) = (recorded_method(method), url.into().recorded());
        entity.update(|record| {
            record.method = Some(method);
            record.label = record.label.and_url(&url);
        });
    }

    /// Records the status of the response and its meaning: 4xx sets `error`, 429 also `throttle`, 5xx `fault`.
    /// `content_length` is the length of the body in bytes, if known.
    pub fn set_http_response(&self, status: u16, content_length: Option<u64>) {
        if status >= 500 {
            self.note_failure();
        }
        if let Some(entity) = self.sampled_entity() {
            entity.update(|record| record.record_response(status, content_length));
        }
    }

    /// Marks the segment or subsegment as failed by a mistake of the caller (`error`).
    pub fn set_error(&self) {
        self.flag(|record| record.error = true);
    }

    /// Marks the segment or subsegment as throttled (`throttle` and `error`).
    pub fn set_throttle(&self) {
        self.flag(|record| (record.error, record.throttle) = (true, true));
    }

    /// Marks the segment or subsegment as failed by a mistake of its own (`fault`).
    pub fn set_fault(&self) {
        self.note_failure();
        self.flag(|record| record.fault = true);
    }

    fn flag(&self, set: impl FnOnce(&mut Record)) {
        if let Some(entity) = self.sampled_entity() {
            entity.update(set);
        }
    }

    /// Writes a block that only subsegments have.
    fn update_subsegment(&self, block: &'static str, write: impl FnOnce(&mut Record)) {
        let Some(entity) = self.sampled_entity() else { return };
        if entity.is_segment() {
            entity.trace().recorder().report_value(block, &entity.id(), "left out, because only subsegments have it");
        } else {
            entity.update(write);
        }
    }
}
