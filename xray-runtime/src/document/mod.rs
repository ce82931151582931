//! Segment documents: the JSON that X-Ray receives.
//!
//! A [`Document`] is one segment or subsegment. Programs meet it in tests, where
//! [`testing::capture`](crate::testing::capture) returns the documents of a future, and in an
//! [`Emitter`](crate::emitter::Emitter) of their own. The fields are those of the format; all types are
//! `#[non_exhaustive]`, because X-Ray adds to it. (Developer guide, "X-Ray segment documents".)

pub(crate) mod annotation;
pub(crate) mod aws;
pub(crate) mod cause;
pub(crate) mod http;
mod link;
pub(crate) mod metadata;
pub(crate) mod name;
pub(crate) mod response_head;
mod sql;
#[cfg(feature = "backtrace")]
mod stack;
mod stack_frame;
pub(crate) mod trim;
pub(crate) mod url;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::annotation::AnnotationValue;
pub use self::aws::{Aws, Sdk};
pub use self::cause::{Cause, Exception, Exceptions};
pub use self::http::{Http, HttpRequest, HttpResponse};
pub use self::link::Link;
pub use self::sql::{Preparation, Sql};
pub use self::stack_frame::StackFrame;
use crate::id::{SegmentId, TraceId};
use crate::support::text::first_chars;

/// Limit of X-Ray on the characters of a string that has no limit of its own. (Developer guide, "X-Ray segment
/// documents".)
pub(crate) const MAX_STRING_CHARS: usize = 250;

/// A segment or subsegment with everything inside it, in the format of X-Ray.
///
/// Serialises to the JSON of a segment document. (Developer guide, "X-Ray segment documents".) This library records
/// texts within X-Ray's limits; the fields are public, and nothing checks what a program writes into them. Documents of
/// other SDKs can be deserialised too.
///
/// ```
/// use xray::{Instrument as _, testing};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// let ((), documents) = testing::capture(async {}.in_segment("todo-app")).await;
/// assert_eq!(documents[0].name, "todo-app");
/// assert!(serde_json::to_string(&documents[0]).unwrap().starts_with(r#"{"id":""#));
/// # });
/// ```
// The order of the first two fields matters. For its log of refused documents the daemon searches the JSON for
// `"id":"(.*?)"` and `"trace_id":"(.*?)"`, and the first match wins: exceptions and subsegments have ids too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "the fields are those of the format")]
pub struct Document {
    /// The id of the segment or subsegment, unique in the trace.
    pub id: SegmentId,
    /// The id of the trace; absent on a subsegment inside another document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<TraceId>,
    /// The id of the parent. For a segment, that is the caller's subsegment. For an independent subsegment, it is the
    /// segment or subsegment that contains it. Absent on a subsegment inside another document, and on the first segment
    /// of a trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<SegmentId>,
    /// The kind of an independent document; absent on a segment, and on a subsegment inside another document.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// The logical name of the service for a segment; the name of the called host or the traced function for a
    /// subsegment. 1 to 200 characters.
    pub name: String,
    /// The kind of service that a subsegment calls; absent on segments and for local work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Namespace>,
    /// The start in seconds since the Unix epoch, exact to a microsecond.
    pub start_time: f64,
    /// The end in seconds since the Unix epoch, exact to a microsecond; absent while in progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_time: Option<f64>,
    /// `true` if the document was sent before its segment ended. The complete document, with the same id, replaces it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub in_progress: bool,
    /// `true` if the caller made an error: the response has a status from 400 to 499.
    #[serde(default, skip_serializing_if = "is_false")]
    pub error: bool,
    /// `true` if the call was refused because there were too many: the response has the status 429.
    #[serde(default, skip_serializing_if = "is_false")]
    pub throttle: bool,
    /// `true` if the callee failed: the response has a status from 500 on, no response arrived, or an error was
    /// recorded.
    #[serde(default, skip_serializing_if = "is_false")]
    pub fault: bool,
    /// The errors behind the flag `fault`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// The HTTP request that a segment serves or a subsegment makes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<Http>,
    /// The AWS resource on which a segment ran or that a subsegment called.
    // `aws` and `sql` are boxed because most documents have neither.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<Box<Aws>>,
    /// The SQL query that a subsegment makes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql: Option<Box<Sql>>,
    /// The id of the user whom a segment serves; at most 250 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The type of the AWS resource on which a segment ran, such as `AWS::ECS::Container`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Cow<'static, str>>,
    /// The indexed values, by which traces can be searched. X-Ray indexes 50 in each trace.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, AnnotationValue>,
    /// The values that are stored but not indexed, by namespace and key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, serde_json::Map<String, serde_json::Value>>,
    /// The links to segments of other traces, at most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// The ended subsegments in the order of their ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subsegments: Vec<Document>,
}

/// The `type` of an independent document.
///
/// ```
/// use xray::document::Kind;
///
/// assert_eq!(serde_json::to_value(Kind::Subsegment).unwrap(), "subsegment");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Kind {
    /// A subsegment that is sent by itself, not inside the document of its segment.
    Subsegment,
}

/// The kind of service that a subsegment calls.
///
/// X-Ray draws a node on the service map for each called service. (Developer guide, "X-Ray segment documents",
/// `namespace`.)
///
/// ```
/// let ((), documents) = xray::testing::capture_blocking(|| {
///     let segment = xray::Segment::builder("shop").begin();
///     segment.subsegment("payments.example.com").set_namespace(xray::Namespace::Remote);
/// });
/// assert_eq!(documents[0].subsegments[0].namespace, Some(xray::Namespace::Remote));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Namespace {
    /// An AWS service.
    Aws,
    /// Any other service.
    Remote,
}

#[cfg(test)]
impl Document {
    /// Creates a document without an end.
    pub(crate) fn new(id: SegmentId, name: String, start_time: f64) -> Self {
        Self {
            id,
            trace_id: None,
            parent_id: None,
            kind: None,
            name,
            namespace: None,
            start_time,
            end_time: None,
            in_progress: false,
            error: false,
            throttle: false,
            fault: false,
            cause: None,
            http: None,
            aws: None,
            sql: None,
            user: None,
            origin: None,
            annotations: BTreeMap::new(),
            metadata: BTreeMap::new(),
            links: Vec::new(),
            subsegments: Vec::new(),
        }
    }
}

/// Returns whether a text has at most 250 characters, X-Ray's limit on strings without a limit of their own.
pub(crate) fn is_short(text: &str) -> bool {
    first_chars(text, MAX_STRING_CHARS).len() == text.len()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(value: &bool) -> bool {
    !value
}
