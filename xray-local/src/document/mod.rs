//! One segment or subsegment, as X-Ray reads it.

mod cause;
mod http;
mod read;
mod trace_id;
mod value;

use std::sync::LazyLock;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

pub use cause::{Cause, Exception, StackFrame};
pub use http::Http;
pub use trace_id::TraceId;
pub(crate) use value::number;

/// A segment or subsegment, read leniently: what has an unexpected type is absent from the typed fields and stays in
/// [`raw`](Self::raw). Serialised, it is the document that `BatchGetTraces` gives, its children embedded.
///
/// Times are seconds since 1970. (X-Ray developer guide, "Segment documents".)
///
/// ```
/// use xray_local::document::{Document, Kind, State};
///
/// let document = Document::parse(
///     r#"{"id":"70de5b6f19ff9a0a","trace_id":"1-581cf771-a006649127e371903a2de979","name":"example.com",
///         "start_time":1478293361.271,"end_time":1478293361.449,"http":{"response":{"status":200}}}"#,
/// )
/// .unwrap();
/// assert_eq!(document.kind, Kind::Segment);
/// assert_eq!(document.state(), State::Ok);
/// assert_eq!(document.http.as_ref().and_then(|http| http.status), Some(200));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "they are the document's flags")]
#[non_exhaustive]
pub struct Document {
    /// 16 hexadecimal digits, unique in the trace.
    pub id: String,
    /// Of an embedded subsegment, that of the document it came in.
    pub trace_id: String,
    /// The caller's subsegment or segment; of an embedded subsegment, what it is embedded in.
    pub parent_id: Option<String>,
    /// The service, host, database or function.
    pub name: String,
    /// Segment, or subsegment (embedded or sent by itself).
    pub kind: Kind,
    /// When it began.
    pub start_time: f64,
    /// When it ended; absent while it is under way.
    pub end_time: Option<f64>,
    /// Whether it has not ended.
    pub in_progress: bool,
    /// What a subsegment calls.
    pub namespace: Option<Namespace>,
    /// The kind of AWS resource that ran a segment, such as `AWS::ECS::Container`.
    pub origin: Option<String>,
    /// The HTTP request that it serves or makes.
    pub http: Option<Http>,
    /// Who is served.
    pub user: Option<String>,
    /// The caller's mistake, as a status of 4xx says.
    pub error: bool,
    /// Too many requests, as status 429 says.
    pub throttle: bool,
    /// A failure, as a status of 5xx says.
    pub fault: bool,
    /// The exceptions behind the flags.
    pub cause: Option<Cause>,
    /// Whether it was made here for a callee that sends no segments; never so for what arrived.
    pub inferred: bool,
    /// Whether the callee is expected to send a segment of its own.
    pub traced: bool,
    /// Whether it names a parent that the trace does not have (yet).
    pub orphan: bool,
    /// Its children.
    pub subsegments: Vec<Document>,
    /// Every field as it arrived, but `subsegments`.
    pub raw: Map<String, Value>,
}

/// Whether a document stands for a service's work or for a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// One service's work on one request.
    Segment,
    /// A part of it: a call, a function.
    Subsegment,
}

/// What a subsegment calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Namespace {
    /// An AWS service.
    Aws,
    /// Any other service.
    Remote,
    /// Nothing; some SDKs say so of local work.
    Local,
}

/// How a request went. It counts once: as a fault before throttled, as throttled before an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// It ended well.
    Ok,
    /// The caller's mistake.
    Error,
    /// There were too many.
    Throttle,
    /// It failed.
    Fault,
    /// It has not ended.
    InProgress,
}

impl Document {
    /// Reads JSON text. `None` for what [`check`](crate::check::check) rejects for want of an id, a name, a trace id or a
    /// start time; ask that function for the reasons.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::from_value(serde_json::from_str(text).ok()?)
    }

    /// The same of JSON that is read already.
    #[must_use]
    pub fn from_value(value: Value) -> Option<Self> {
        read::document(value)
    }

    /// Seconds from start to end, never negative; `None` while it is under way.
    #[must_use]
    pub fn duration(&self) -> Option<f64> {
        self.end_time.map(|end| (end - self.start_time).max(0.0))
    }

    /// How it went, by its flags.
    #[must_use]
    pub fn state(&self) -> State {
        match self {
            Self { fault: true, .. } => State::Fault,
            Self { throttle: true, .. } => State::Throttle,
            Self { error: true, .. } => State::Error,
            Self { in_progress: true, .. } => State::InProgress,
            _ => State::Ok,
        }
    }

    /// The `annotations` block: indexed values by key.
    #[must_use]
    pub fn annotations(&self) -> &Map<String, Value> {
        self.block("annotations")
    }

    /// The `metadata` block: values by namespace.
    #[must_use]
    pub fn metadata(&self) -> &Map<String, Value> {
        self.block("metadata")
    }

    /// The `aws` block: what ran a segment, or what a subsegment called.
    #[must_use]
    pub fn aws(&self) -> &Map<String, Value> {
        self.block("aws")
    }

    /// The `sql` block: the query that a subsegment makes.
    #[must_use]
    pub fn sql(&self) -> &Map<String, Value> {
        self.block("sql")
    }

    /// The AWS resource that ran a segment.
    #[must_use]
    pub fn resource_arn(&self) -> Option<&str> {
        self.raw.get("resource_arn").and_then(Value::as_str)
    }

    /// The EC2 instance that ran a segment.
    #[must_use]
    pub fn instance_id(&self) -> Option<&str> {
        self.aws().get("ec2")?.get("instance_id")?.as_str()
    }

    /// Where the instance or container that ran a segment is.
    #[must_use]
    pub fn availability_zone(&self) -> Option<&str> {
        let mut machines = ["ec2", "ecs"].into_iter().filter_map(|kind| self.aws().get(kind));
        machines.find_map(|machine| machine.get("availability_zone")?.as_str())
    }

    /// It and all that is embedded in it, parents first.
    pub fn walk(&self) -> impl Iterator<Item = &Self> {
        let mut waiting = vec![self];
        std::iter::from_fn(move || {
            let next = waiting.pop()?;
            waiting.extend(next.subsegments.iter().rev());
            Some(next)
        })
    }

    /// A block of its fields; empty where there is none.
    fn block(&self, name: &str) -> &Map<String, Value> {
        static EMPTY: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
        self.raw.get(name).and_then(Value::as_object).unwrap_or(&EMPTY)
    }
}

/// What a reader looks for first, in the order of the developer guide's examples.
const LEADING_FIELDS: [&str; 8] =
    ["id", "name", "trace_id", "start_time", "end_time", "in_progress", "parent_id", "type"];

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for field in LEADING_FIELDS {
            if let Some(value) = self.raw.get(field) {
                map.serialize_entry(field, value)?;
            }
        }
        for (field, value) in &self.raw {
            if !LEADING_FIELDS.contains(&field.as_str()) {
                map.serialize_entry(field, value)?;
            }
        }
        if !self.subsegments.is_empty() {
            map.serialize_entry("subsegments", &self.subsegments)?;
        }
        map.end()
    }
}
