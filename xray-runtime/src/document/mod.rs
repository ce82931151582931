//! Segment documents: what goes on the wire, and what may not.

pub(crate) mod annotation;
pub(crate) mod aws;
pub(crate) mod cause;
mod extent;
pub(crate) mod http;
pub(crate) mod metadata;
pub(crate) mod name;
pub(crate) mod response_head;
pub(crate) mod split;
mod sql;
#[cfg(feature = "backtrace")]
mod stack;
mod trim;
pub(crate) mod url;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::annotation::AnnotationValue;
pub use self::aws::{Aws, Sdk};
pub use self::cause::{Cause, Exception, Exceptions, StackFrame};
pub(crate) use self::extent::Extent;
pub use self::http::{Http, HttpRequest, HttpResponse};
pub use self::sql::{Preparation, Sql};
use crate::id::{SegmentId, TraceId};
use crate::support::text::first_chars;

/// Limit of X-Ray on strings that have none of their own, in characters. (Developer guide, "Segment documents".)
pub(crate) const MAX_STRING_CHARS: usize = 250;

/// One segment or subsegment with what is inside it, in the form in which X-Ray takes it.
///
/// Serialises to the JSON of a segment document with its own `id` and `trace_id` first, because the daemon
/// looks for them with "first match wins". (Developer guide, "X-Ray segment documents"; the daemon's sources.)
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "the fields are those of the format")]
pub struct Document {
    /// Its id, unique in the trace.
    pub id: SegmentId,
    /// The trace; absent on a subsegment inside another document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<TraceId>,
    /// On a segment the caller's subsegment, on an independent subsegment the entity it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<SegmentId>,
    /// `subsegment` on a subsegment that is sent by itself.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// The logical name of the service, or of what was called or done; 1 to 200 characters.
    pub name: String,
    /// What a subsegment calls; absent for local work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Namespace>,
    /// Seconds since the Unix epoch, with microseconds.
    pub start_time: f64,
    /// Seconds since the Unix epoch, with microseconds; absent while in progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_time: Option<f64>,
    /// True on a document that is sent before its end.
    #[serde(default, skip_serializing_if = "is_false")]
    pub in_progress: bool,
    /// The caller's mistake: a status of 400 to 499.
    #[serde(default, skip_serializing_if = "is_false")]
    pub error: bool,
    /// Called too often: a status of 429.
    #[serde(default, skip_serializing_if = "is_false")]
    pub throttle: bool,
    /// The callee's failure: a status of 500 and more, or no answer.
    #[serde(default, skip_serializing_if = "is_false")]
    pub fault: bool,
    /// The errors behind the flags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// The HTTP request that it serves or makes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<Http>,
    /// The AWS resource it runs on or calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<Box<Aws>>,
    /// The SQL query that it makes; on subsegments only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql: Option<Box<Sql>>,
    /// Who is served; on segments only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The type of the AWS resource that it runs on; on segments only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Cow<'static, str>>,
    /// Indexed values, to search traces by.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, AnnotationValue>,
    /// Values that are only kept: by namespace, then by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, serde_json::Map<String, serde_json::Value>>,
    /// Ended subsegments, in the order of their ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subsegments: Vec<Document>,
}

/// The `type` of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Kind {
    /// A subsegment sent by itself.
    Subsegment,
}

/// What a subsegment calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Namespace {
    /// An AWS service.
    Aws,
    /// Any other service.
    Remote,
}

impl Document {
    /// An entity that is under way. `name` is taken as it is.
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
            subsegments: Vec::new(),
        }
    }

    /// Turns an embedded subsegment into a document of its own.
    pub(crate) fn make_independent(&mut self, trace_id: TraceId, parent_id: SegmentId) {
        self.trace_id = Some(trace_id);
        self.parent_id = Some(parent_id);
        self.kind = Some(Kind::Subsegment);
    }
}

/// Whether it is within the limit of strings that have none of their own.
pub(crate) fn is_short(text: &str) -> bool {
    first_chars(text, MAX_STRING_CHARS).len() == text.len()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(value: &bool) -> bool {
    !value
}
