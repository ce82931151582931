//! What an expression says, read.

/// A condition on a trace, on a segment of it or on a call between two.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    /// All of them; of none, always.
    All(Vec<Condition>),
    /// Any of them.
    Any(Vec<Condition>),
    /// Not this one.
    Not(Box<Condition>),
    /// The keyword is true, if it is a flag; else it has a value.
    Set(Key),
    /// The keyword has a value of which this is so.
    Compare(Key, Operator, Operand),
    /// There is a service, and a segment of it that meets the condition.
    Service(Selector, Box<Condition>),
    /// A service calls another, by a call that meets the condition.
    Edge(Selector, Selector, Box<Condition>),
    /// On the way of a fault or error is something that meets the condition.
    RootCause(Ways, Within, Box<Condition>),
}

/// Of what the way is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ways {
    Fault,
    Error,
}

/// What is meant of a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    Services,
    Entities,
    Exceptions,
}

/// What is compared.
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

/// What kind of values a key has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyKind {
    Flag,
    Number,
    Text,
    /// Any of these.
    Annotation,
}

/// The keywords, in lower case; any case is taken.
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

/// What a key is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    Flag(bool),
    Number(f64),
    Text(String),
}

/// Which services are meant; all that is absent may be anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Selector {
    pub(super) name: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) account_id: Option<String>,
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
    /// Whether it says something about such a value.
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
