//! The root causes of a trace's faults, errors and response time.

use std::collections::{HashMap, HashSet};

use serde::{Serialize, Serializer};

use crate::document::{Cause, Document, Kind, Namespace};
use crate::service::ServiceId;
use crate::trace::{Calls, Trace};

/// The path of a fault or error through the trace.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct RootCause {
    /// The services on the path, from the outermost caller to the service where the problem started.
    pub services: Vec<RootCauseService>,
    /// `true` if the problem reached the trace's client: the root segment is on the path.
    pub client_impacting: bool,
}

/// A service on the path of a [`RootCause`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct RootCauseService {
    /// The service.
    #[serde(flatten, serialize_with = "with_type")]
    pub service: ServiceId,
    /// The service's segment and subsegments on the path, parents first.
    pub entity_path: Vec<RootCauseEntity>,
    /// `true` if the service's segment was inferred.
    pub inferred: bool,
}

/// A segment or subsegment on the path of a [`RootCause`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct RootCauseEntity {
    /// The name of the segment or subsegment.
    pub name: String,
    /// The exceptions it recorded.
    pub exceptions: Vec<RootCauseException>,
    /// `true` if the segment or subsegment is a call to another service.
    pub remote: bool,
}

/// An exception on the path of a [`RootCause`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct RootCauseException {
    /// The exception's type.
    #[serde(serialize_with = "as_text")]
    pub name: Option<String>,
    /// The exception's message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// The path to the work that takes most of a trace's response time.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ResponseTimeRootCause {
    /// The services on the path, from the outermost caller to the service that takes most of the time.
    pub services: Vec<ResponseTimeRootCauseService>,
    /// `true` if the work delays the trace's client: the root segment is on the path.
    pub client_impacting: bool,
}

/// A service on the path of a [`ResponseTimeRootCause`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ResponseTimeRootCauseService {
    /// The service.
    #[serde(flatten, serialize_with = "with_type")]
    pub service: ServiceId,
    /// The service's segment and subsegments on the path, parents first.
    pub entity_path: Vec<ResponseTimeRootCauseEntity>,
    /// `true` if the service's segment was inferred.
    pub inferred: bool,
}

/// A segment or subsegment on the path of a [`ResponseTimeRootCause`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ResponseTimeRootCauseEntity {
    /// The name of the segment or subsegment.
    pub name: String,
    /// The share of the root segment's response time that the segment or subsegment takes: 0 to 1.
    pub coverage: f64,
    /// `true` if the segment or subsegment is a call to another service.
    pub remote: bool,
}

/// Serializes a service with its type. An unknown type becomes an empty text, because Grafana's data source fails
/// without the field.
fn with_type<S: Serializer>(service: &ServiceId, serializer: S) -> Result<S::Ok, S::Error> {
    let kind = Some(service.kind.clone().unwrap_or_default());
    ServiceId { kind, ..service.clone() }.serialize(serializer)
}

/// Serializes a text. An unknown text becomes an empty text, because Grafana's data source fails without the name of an
/// exception.
#[expect(clippy::ref_option, reason = "serde passes the field like this")]
fn as_text<S: Serializer>(text: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    text.as_deref().unwrap_or_default().serialize(serializer)
}

/// The most root causes of a trace.
const MAX_ROOT_CAUSES: usize = 5;

/// The most segments and subsegments on a path.
const MAX_ENTITIES: usize = 100;

/// Returns the root causes of the trace's faults.
pub(crate) fn fault_root_causes(trace: &Trace) -> Vec<RootCause> {
    root_causes(trace, |entity| entity.fault)
}

/// Returns the root causes of the trace's errors.
pub(crate) fn error_root_causes(trace: &Trace) -> Vec<RootCause> {
    root_causes(trace, |entity| entity.error)
}

/// Returns the path to the work that takes most of the trace's response time, if the root segment has ended.
///
/// AWS does not document how X-Ray finds this path. Here the path begins at the root segment. Each step leads to the
/// longest part of the previous segment or subsegment, if that part takes at least half of the previous step's time.
pub(crate) fn response_time_root_causes(trace: &Trace) -> Vec<ResponseTimeRootCause> {
    let Some((root, whole)) = trace.root().and_then(|root| Some((root, root.duration()?))) else { return Vec::new() };
    if whole <= 0.0 {
        return Vec::new();
    }
    let mut callees = HashMap::<&str, Vec<&Document>>::new();
    for segment in trace.segments.iter().filter(|segment| segment.kind == Kind::Segment) {
        if let Some(caller) = segment.parent_id.as_deref() {
            callees.entry(caller).or_default().push(segment);
        }
    }
    let mut services = Vec::<ResponseTimeRootCauseService>::new();
    let (mut entity, mut seconds) = (root, whole);
    for _ in 0..MAX_ENTITIES {
        if entity.kind == Kind::Segment {
            let service = ServiceId::of(entity);
            services.push(ResponseTimeRootCauseService { service, entity_path: Vec::new(), inferred: entity.inferred });
        }
        if let Some(service) = services.last_mut() {
            let (name, remote) = (entity.name.clone(), is_remote(entity));
            service.entity_path.push(ResponseTimeRootCauseEntity { name, coverage: seconds / whole, remote });
        }
        let parts = entity.subsegments.iter().chain(callees.get(entity.id.as_str()).into_iter().flatten().copied());
        let longest = parts.map(|part| (part, shared_time(entity, part))).max_by(|(_, a), (_, b)| a.total_cmp(b));
        match longest {
            Some((part, time)) if time >= seconds / 2.0 => (entity, seconds) = (part, time),
            _ => break,
        }
    }
    vec![ResponseTimeRootCause { services, client_impacting: true }]
}

/// Returns the number of seconds by which two entities overlap. Returns 0 if one of the entities has not ended, or if
/// the part begins after the end of the whole.
fn shared_time(whole: &Document, part: &Document) -> f64 {
    let (Some(whole_end), Some(part_end)) = (whole.end_time, part.end_time) else { return 0.0 };
    (whole_end.min(part_end) - whole.start_time.max(part.start_time)).max(0.0)
}

/// Returns the paths to the entities that have a flag which none of their children has: the problem started there.
fn root_causes(trace: &Trace, is_flagged: fn(&Document) -> bool) -> Vec<RootCause> {
    let flagged = || trace.entities().filter(|entity| is_flagged(entity));
    let passed_on: HashSet<&str> = flagged().filter_map(|entity| entity.parent_id.as_deref()).collect();
    let origins = flagged().filter(|entity| !passed_on.contains(entity.id.as_str()));
    let origins: Vec<_> = origins.take(MAX_ROOT_CAUSES).collect();
    if origins.is_empty() {
        return Vec::new();
    }
    let calls = trace.calls();
    origins.into_iter().map(|origin| root_cause(trace, origin, &calls, is_flagged)).collect()
}

/// Follows the flagged parents and callers of `origin`, and returns the path.
fn root_cause<'a>(
    trace: &'a Trace,
    origin: &'a Document,
    calls: &Calls<'a>,
    is_flagged: fn(&Document) -> bool,
) -> RootCause {
    let mut path = vec![(origin, calls.owner(origin))];
    while let Some((parent, owner)) = path.last().and_then(|(entity, _)| calls.parent(entity)) {
        if !is_flagged(parent) || path.len() == MAX_ENTITIES {
            break;
        }
        path.push((parent, owner));
    }
    let client_impacting = trace.root().is_some_and(|root| path.iter().any(|(entity, _)| entity.id == root.id));
    let mut services = Vec::<RootCauseService>::new();
    let mut last_owner = None;
    for (entity, owner) in path.into_iter().rev() {
        if last_owner != Some(owner.id.as_str()) {
            services.push(RootCauseService {
                service: ServiceId::of(owner),
                entity_path: Vec::new(),
                inferred: owner.inferred,
            });
            last_owner = Some(&owner.id);
        }
        if let Some(service) = services.last_mut() {
            service.entity_path.push(RootCauseEntity::of(entity));
        }
    }
    RootCause { services, client_impacting }
}

impl RootCauseEntity {
    fn of(entity: &Document) -> Self {
        let exceptions = entity.cause.iter().flat_map(Cause::exceptions);
        let exceptions = exceptions
            .map(|exception| RootCauseException { name: exception.kind.clone(), message: exception.message.clone() });
        Self { name: entity.name.clone(), exceptions: exceptions.collect(), remote: is_remote(entity) }
    }
}

fn is_remote(entity: &Document) -> bool {
    matches!(entity.namespace, Some(Namespace::Aws | Namespace::Remote))
}
