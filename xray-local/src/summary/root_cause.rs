//! Where the faults and errors of a trace began.

use std::collections::HashSet;

use serde::Serialize;

use crate::document::{Cause, Document, Namespace};
use crate::service::ServiceId;
use crate::trace::{Calls, Trace};

/// The way from a service to the place where its fault or error began.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct RootCause {
    /// The services on the way, callers first.
    pub services: Vec<RootCauseService>,
    /// Whether it reached whoever called the first service.
    pub client_impacting: bool,
}

/// A service on the way.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct RootCauseService {
    /// Which.
    #[serde(flatten)]
    pub service: ServiceId,
    /// Its segment and subsegments on the way, parents first.
    pub entity_path: Vec<RootCauseEntity>,
    /// Whether it sent no segment.
    pub inferred: bool,
}

/// A segment or subsegment on the way.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct RootCauseEntity {
    /// Its name.
    pub name: String,
    /// What it recorded.
    pub exceptions: Vec<RootCauseException>,
    /// Whether it calls another service.
    pub remote: bool,
}

/// An exception on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct RootCauseException {
    /// Its type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// How many are given of a trace, and of how many entities.
const MOST: usize = 5;
const MOST_ENTITIES: usize = 100;

pub(crate) fn fault_root_causes(trace: &Trace) -> Vec<RootCause> {
    root_causes(trace, |entity| entity.fault)
}

pub(crate) fn error_root_causes(trace: &Trace) -> Vec<RootCause> {
    root_causes(trace, |entity| entity.error)
}

/// The ways to the entities that have a flag which none of their children has.
fn root_causes(trace: &Trace, is_flagged: fn(&Document) -> bool) -> Vec<RootCause> {
    let flagged = || trace.entities().filter(|entity| is_flagged(entity));
    let passed_on: HashSet<&str> = flagged().filter_map(|entity| entity.parent_id.as_deref()).collect();
    let origins = flagged().filter(|entity| !passed_on.contains(entity.id.as_str()));
    let origins: Vec<_> = origins.take(MOST).collect();
    if origins.is_empty() {
        return Vec::new();
    }
    let calls = trace.calls();
    origins.into_iter().map(|origin| root_cause(trace, origin, &calls, is_flagged)).collect()
}

fn root_cause<'a>(
    trace: &'a Trace,
    origin: &'a Document,
    calls: &Calls<'a>,
    is_flagged: fn(&Document) -> bool,
) -> RootCause {
    let mut way = vec![(origin, calls.owner(origin))];
    while let Some((parent, owner)) = way.last().and_then(|(entity, _)| calls.parent(entity)) {
        if !is_flagged(parent) || way.len() == MOST_ENTITIES {
            break;
        }
        way.push((parent, owner));
    }
    let client_impacting = trace.root().is_some_and(|root| way.iter().any(|(entity, _)| entity.id == root.id));
    let mut services = Vec::<RootCauseService>::new();
    let mut last_owner = None;
    for (entity, owner) in way.into_iter().rev() {
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
