//! Documents: segments and subsegments, as X-Ray reads them.

mod cause;
mod cost;
mod http;
mod link;
mod read;
mod trace_id;
mod value;

use std::sync::LazyLock;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

pub use cause::{Cause, Exception, StackFrame};
pub(crate) use cost::cost;
pub use http::Http;
pub use link::Link;
pub use trace_id::TraceId;
pub(crate) use value::{number, time};

/// A segment or subsegment.
///
/// Reading is lenient: a value of an unexpected type is absent from the typed fields and stays in [`raw`](Self::raw).
/// Serializing writes the document that `BatchGetTraces` returns, with its subsegments embedded.
///
/// Times are seconds since 1970. The fields are described in the X-Ray developer guide, "Segment documents".
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
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the document format")]
#[non_exhaustive]
pub struct Document {
    /// The id: 16 hexadecimal digits, unique in the trace.
    pub id: String,
    /// The id of the trace. An embedded subsegment has the trace id of its document.
    pub trace_id: String,
    /// The id of the parent: for a segment the caller's subsegment or segment, for a subsegment the entity that
    /// contains it.
    pub parent_id: Option<String>,
    /// The name of the service, host, database or function.
    pub name: String,
    /// The kind of document: a segment or a subsegment.
    pub kind: Kind,
    /// The start.
    pub start_time: f64,
    /// The end; `None` while the work is in progress.
    pub end_time: Option<f64>,
    /// `true` if the work is in progress.
    pub in_progress: bool,
    /// The kind of service that a subsegment calls; `None` if the subsegment is not a call.
    pub namespace: Option<Namespace>,
    /// The type of AWS resource that a segment ran on, such as `AWS::ECS::Container`.
    pub origin: Option<String>,
    /// The HTTP request that a segment answers or a subsegment sends.
    pub http: Option<Http>,
    /// The user who sent the request.
    pub user: Option<String>,
    /// `true` if the caller made an error, as with a status of 4xx.
    pub error: bool,
    /// `true` if the request was throttled, as with status 429.
    pub throttle: bool,
    /// `true` if the service failed, as with a status of 5xx.
    pub fault: bool,
    /// The exceptions that explain the flags.
    pub cause: Option<Cause>,
    /// `true` if this segment was inferred for a service that sent none. A document that was received is never
    /// inferred.
    pub inferred: bool,
    /// Why this segment stands in for one that was not received; `None` for a document that was received. The console
    /// draws stand-ins.
    pub stand_in: Option<StandIn>,
    /// `true` if the called service is expected to send its own segment.
    pub traced: bool,
    /// `true` if the document names a parent that is missing from the trace so far.
    pub orphan: bool,
    /// The embedded subsegments.
    pub subsegments: Vec<Document>,
    /// Every field as it was received, except `subsegments`.
    pub raw: Map<String, Value>,
}

/// Why a segment was not received although subsegments name it as their parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StandIn {
    /// The subsegments come from a Lambda function, whose segment AWS sends.
    Lambda,
    /// The segment was received, and X-Ray would reject it.
    Rejected,
    /// The reason is unknown: the segment has not ended, was lost, or was sent with a different trace id.
    Unknown,
}

impl StandIn {
    /// Returns the reason as a sentence.
    ///
    /// ```
    /// use xray_local::document::StandIn;
    ///
    /// assert_eq!(StandIn::Rejected.explanation(), "A parent was received, but X-Ray would reject it.");
    /// ```
    #[must_use]
    pub fn explanation(self) -> &'static str {
        match self {
            Self::Lambda => "AWS sends the segment of a Lambda function itself, so it does not arrive here.",
            Self::Rejected => "A parent was received, but X-Ray would reject it.",
            Self::Unknown => "A parent is missing. It has not arrived, or it was sent with a different trace ID.",
        }
    }
}

/// The kind of a [`Document`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The work of one service on one request.
    Segment,
    /// A part of that work, such as a call or a function.
    Subsegment,
}

/// The kind of service that a subsegment calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Namespace {
    /// An AWS service.
    Aws,
    /// A service outside AWS.
    Remote,
    /// No service. Some SDKs send this for local work.
    Local,
}

/// The outcome of a segment or subsegment. A worse state is greater. If several flags are set, the worst state counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The work succeeded.
    Ok,
    /// The work is in progress.
    InProgress,
    /// The caller made an error.
    Error,
    /// The request was throttled.
    Throttle,
    /// The service failed.
    Fault,
}

impl State {
    /// Returns whether the work failed.
    #[must_use]
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Error | Self::Throttle | Self::Fault)
    }
}

impl Document {
    /// Reads a document from JSON text.
    ///
    /// Returns `None` if the text is not JSON, or the id, name, trace id or start time is missing.
    /// [`check`](crate::check::check) returns the reasons.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::from_value(serde_json::from_str(text).ok()?)
    }

    /// Reads a document from a JSON value. Returns `None` like [`parse`](Self::parse).
    #[must_use]
    pub fn from_value(value: Value) -> Option<Self> {
        read::document(value)
    }

    /// Returns the seconds from start to end, or `None` while the work is in progress. Never negative.
    #[must_use]
    pub fn duration(&self) -> Option<f64> {
        self.end_time.map(|end| (end - self.start_time).max(0.0))
    }

    /// Returns the outcome, according to the flags.
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

    /// Returns the `annotations` block: indexed values by key.
    #[must_use]
    pub fn annotations(&self) -> &Map<String, Value> {
        self.block("annotations")
    }

    /// Returns the `metadata` block: values by namespace.
    #[must_use]
    pub fn metadata(&self) -> &Map<String, Value> {
        self.block("metadata")
    }

    /// Returns whether the SDK for Rust marked the segment or subsegment as cancelled: its future was dropped before it
    /// was ready, as by a timeout around it.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.metadata().get("xray").is_some_and(|own| own["cancelled"] == true)
    }

    /// Returns the `aws` block: the resource that a segment ran on, or the AWS call of a subsegment.
    #[must_use]
    pub fn aws(&self) -> &Map<String, Value> {
        self.block("aws")
    }

    /// Returns the operation of a call to AWS with the table, bucket, queue, topic or function that it names. Returns
    /// `None` if the `aws` block has no operation.
    ///
    /// ```
    /// let call = xray_local::Document::parse(
    ///     r#"{"id":"70de5b6f19ff9a0b","trace_id":"1-581cf771-a006649127e371903a2de979","name":"DynamoDB","start_time":1,
    ///         "aws":{"operation":"GetItem","table_name":"orders"}}"#,
    /// )
    /// .unwrap();
    /// assert_eq!(call.operation().as_deref(), Some("GetItem orders"));
    /// ```
    #[must_use]
    pub fn operation(&self) -> Option<String> {
        let text = |field: &str| self.aws().get(field).and_then(Value::as_str);
        let operation = text("operation")?;
        let resources = ["table_name", "bucket_name", "queue_url", "topic_arn", "function_name"];
        let resource = resources.into_iter().find_map(text);
        Some(resource.map_or_else(|| operation.to_owned(), |resource| format!("{operation} {resource}")))
    }

    /// Returns the `sql` block: the query of a subsegment.
    #[must_use]
    pub fn sql(&self) -> &Map<String, Value> {
        self.block("sql")
    }

    /// Returns the links to segments and subsegments of other traces, such as those of the senders of messages. A link
    /// without a trace id is left out.
    ///
    /// ```
    /// let document = xray_local::Document::parse(
    ///     r#"{"id":"70de5b6f19ff9a0a","trace_id":"1-581cf771-a006649127e371903a2de979","name":"worker","start_time":1,
    ///         "links":[{"trace_id":"1-5880168b-fd5153bb58284b67678aa78c","id":"53995c3f42cd8ad8"}]}"#,
    /// )
    /// .unwrap();
    /// let ids: Vec<_> = document.links().map(|link| link.trace_id).collect();
    /// assert_eq!(ids, ["1-5880168b-fd5153bb58284b67678aa78c"]);
    /// ```
    pub fn links(&self) -> impl Iterator<Item = Link<'_>> {
        self.raw.get("links").and_then(Value::as_array).into_iter().flatten().filter_map(Link::of)
    }

    /// Returns the ARN of the AWS resource that a segment ran on.
    #[must_use]
    pub fn resource_arn(&self) -> Option<&str> {
        self.raw.get("resource_arn").and_then(Value::as_str)
    }

    /// Returns the id of the EC2 instance that a segment ran on.
    #[must_use]
    pub fn instance_id(&self) -> Option<&str> {
        self.aws().get("ec2")?.get("instance_id")?.as_str()
    }

    /// Returns the availability zone of the EC2 instance or ECS container that a segment ran on.
    #[must_use]
    pub fn availability_zone(&self) -> Option<&str> {
        let mut machines = ["ec2", "ecs"].into_iter().filter_map(|kind| self.aws().get(kind));
        machines.find_map(|machine| machine.get("availability_zone")?.as_str())
    }

    /// Returns this document and all subsegments in it, parents before their children.
    pub fn walk(&self) -> impl Iterator<Item = &Self> {
        let mut waiting = vec![self];
        std::iter::from_fn(move || {
            let next = waiting.pop()?;
            waiting.extend(next.subsegments.iter().rev());
            Some(next)
        })
    }

    /// Returns a field that is an object, or an empty object.
    fn block(&self, name: &str) -> &Map<String, Value> {
        static EMPTY: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
        self.raw.get(name).and_then(Value::as_object).unwrap_or(&EMPTY)
    }
}

/// The fields that are written first, in the order of the developer guide's examples.
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
