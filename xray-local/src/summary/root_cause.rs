//! The root causes of a trace's faults and errors.

use std::collections::HashSet;

use serde::Serialize;

use crate::document::{Cause, Document, Namespace};
use crate::service::ServiceId;
use crate::trace::{Calls, Trace};

/// The path of a fault or error through the trace.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct RootCause {
    /// The services on the path, from the outermost caller to the service where the problem started.
    pub services: Vec<RootCauseService>,
    /// Whether the problem reached the trace's client: the root segment is on the path.
    pub client_impacting: bool,
}

/// A service on the path of a [`RootCause`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct RootCauseService {
    /// The service.
    #[serde(flatten)]
    pub service: ServiceId,
    /// The service's segment and subsegments on the path, parents first.
    pub entity_path: Vec<RootCauseEntity>,
    /// Whether the service's segment was inferred.
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
    /// Whether it is a call of another service.
    pub remote: bool,
}

/// An exception on the path of a [`RootCause`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct RootCauseException {
    /// The exception's type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The exception's message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
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
        Self {
            name: entity.name.clone(),
            exceptions: exceptions.collect(),
            remote: matches!(entity.namespace, Some(Namespace::Aws | Namespace::Remote)),
        }
    }
}
