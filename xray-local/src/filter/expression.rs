//! The parsed form of a filter expression.

use serde_json::Value;

use super::Filter;

/// A condition on a trace, a segment, a call, or a step on the path of a root cause.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    /// All conditions are met. True if there are none.
    All(Vec<Condition>),
    /// At least one of the conditions is met.
    Any(Vec<Condition>),
    /// The condition is not met.
    Not(Box<Condition>),
    /// The key has a value. If the key is a flag, the value must be true.
    Set(Key),
    /// The key has a value for which the comparison is true.
    Compare(Key, Operator, Operand),
    /// A segment of a service meets the condition.
    Service(Selector, Box<Condition>),
    /// A call from one service to another meets the condition.
    Edge(Selector, Selector, Box<Condition>),
    /// For each of the texts, a segment or subsegment has a name or URL that contains the text, or its HTTP method is
    /// the text. The texts are in lower case.
    Mentions(Vec<String>),
    /// A step on the path of a root cause meets the condition.
    RootCause(RootCauseKind, PathItem, Box<Condition>),
    /// A root cause of any kind matches this JSON pattern, in the form of the API.
    RootCauseJson(Value),
    /// The trace belongs to the group with this filter.
    Group(Filter),
}

/// The kind of root cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RootCauseKind {
    Fault,
    Error,
    ResponseTime,
}

/// The kind of steps on the path of a root cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PathItem {
    Service,
    Entity,
    Exception,
}

/// The key of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    Ok,
    Error,
    Throttle,
    Fault,
    Partial,
    Inferred,
    First,
    Last,
    Remote,
    Root,
    ResponseTime,
    Duration,
    Status,
    Index,
    Coverage,
    Url,
    Method,
    UserAgent,
    ClientIp,
    User,
    Name,
    Type,
    Message,
    AvailabilityZone,
    InstanceId,
    ResourceArn,
    Annotation(String),
}

/// The type of a key's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyKind {
    Flag,
    Number,
    Text,
    /// A flag, a number or a text.
    Annotation,
}

/// The keywords in lower case. Expressions may use any case.
pub(super) const KEYWORDS: &[(&str, Key)] = &[
    ("ok", Key::Ok),
    ("error", Key::Error),
    ("throttle", Key::Throttle),
    ("fault", Key::Fault),
    ("partial", Key::Partial),
    ("inferred", Key::Inferred),
    ("first", Key::First),
    ("last", Key::Last),
    ("remote", Key::Remote),
    ("root", Key::Root),
    ("responsetime", Key::ResponseTime),
    ("duration", Key::Duration),
    ("http.status", Key::Status),
    ("index", Key::Index),
    ("coverage", Key::Coverage),
    ("http.url", Key::Url),
    ("http.method", Key::Method),
    ("http.useragent", Key::UserAgent),
    ("http.clientip", Key::ClientIp),
    ("user", Key::User),
    ("name", Key::Name),
    ("type", Key::Type),
    ("message", Key::Message),
    ("availabilityzone", Key::AvailabilityZone),
    ("instance.id", Key::InstanceId),
    ("resource.arn", Key::ResourceArn),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Contains,
    BeginsWith,
    EndsWith,
}

/// The value with which a key is compared.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    Flag(bool),
    Number(f64),
    Text(String),
}

/// The description of a service. A field that is `None` matches anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Selector {
    pub(super) name: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) account_id: Option<String>,
}

impl Condition {
    /// Returns the number of conditions in this one, with those of groups.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::All(conditions) | Self::Any(conditions) => conditions.iter().map(Self::size).sum(),
            Self::Not(inner) | Self::Service(_, inner) | Self::Edge(_, _, inner) | Self::RootCause(_, _, inner) => {
                1 + inner.size()
            }
            Self::Group(filter) => filter.size,
            Self::Set(_) | Self::Compare(..) | Self::Mentions(_) | Self::RootCauseJson(_) => 1,
        }
    }
}

impl Key {
    pub(super) fn kind(&self) -> KeyKind {
        match self {
            Self::Ok
            | Self::Error
            | Self::Throttle
            | Self::Fault
            | Self::Partial
            | Self::Inferred
            | Self::First
            | Self::Last
            | Self::Remote
            | Self::Root => KeyKind::Flag,
            Self::ResponseTime | Self::Duration | Self::Status | Self::Index | Self::Coverage => KeyKind::Number,
            Self::Annotation(_) => KeyKind::Annotation,
            _ => KeyKind::Text,
        }
    }
}

impl Operator {
    /// Returns whether the operator can compare with a value.
    pub(super) fn applies_to(self, operand: &Operand) -> bool {
        match self {
            Self::Equal | Self::NotEqual => true,
            Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual => {
                matches!(operand, Operand::Number(_))
            }
            Self::Contains | Self::BeginsWith | Self::EndsWith => matches!(operand, Operand::Text(_)),
        }
    }
}
