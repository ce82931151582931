//! The steps on the paths of root causes, for conditions on them.

use serde_json::Value;

use super::expression::{Key, PathItem, RootCauseKind};
use super::facts::Facts;
use super::value::KeyValue;
use crate::service::ServiceId;
use crate::summary::{ResponseTimeRootCause, RootCause};

/// A service, a segment or subsegment, or an exception on the path of a root cause.
#[derive(Default)]
pub(super) struct PathStep<'a> {
    name: Option<&'a str>,
    kind: Option<&'a str>,
    message: Option<&'a str>,
    inferred: bool,
    remote: bool,
    /// The share of the root segment's response time that this step takes.
    coverage: Option<f64>,
}

impl<'a> PathStep<'a> {
    /// Returns the steps on the path of each root cause, callers first.
    pub(super) fn paths(facts: &'a Facts<'_>, kind: RootCauseKind, item: PathItem) -> Vec<Vec<Self>> {
        match kind {
            RootCauseKind::Fault => facts.faults().iter().map(|cause| Self::of(cause, item)).collect(),
            RootCauseKind::Error => facts.errors().iter().map(|cause| Self::of(cause, item)).collect(),
            RootCauseKind::ResponseTime => {
                facts.response_times().iter().map(|cause| Self::of_response_time(cause, item)).collect()
            }
        }
    }

    fn of_response_time(cause: &'a ResponseTimeRootCause, item: PathItem) -> Vec<Self> {
        let services = cause.services.iter();
        match item {
            PathItem::Service => services.map(|step| Self::of_service(&step.service, step.inferred)).collect(),
            PathItem::Entity => services
                .flat_map(|step| &step.entity_path)
                .map(|entity| Self {
                    name: Some(&entity.name),
                    remote: entity.remote,
                    coverage: Some(entity.coverage),
                    ..Self::default()
                })
                .collect(),
            PathItem::Exception => Vec::new(),
        }
    }

    fn of_service(service: &'a ServiceId, inferred: bool) -> Self {
        Self { name: Some(&service.name), kind: service.kind.as_deref(), inferred, ..Self::default() }
    }

    fn of(cause: &'a RootCause, item: PathItem) -> Vec<Self> {
        let services = cause.services.iter();
        match item {
            PathItem::Service => services.map(|step| Self::of_service(&step.service, step.inferred)).collect(),
            PathItem::Entity => services
                .flat_map(|step| &step.entity_path)
                .map(|entity| Self { name: Some(&entity.name), remote: entity.remote, ..Self::default() })
                .collect(),
            PathItem::Exception => services
                .flat_map(|step| &step.entity_path)
                .flat_map(|entity| &entity.exceptions)
                .map(|exception| Self {
                    name: exception.name.as_deref(),
                    message: exception.message.as_deref(),
                    ..Self::default()
                })
                .collect(),
        }
    }

    /// Returns the value of a key, or `None` if steps have no such key.
    pub(super) fn value(&self, key: &Key) -> Option<KeyValue<'a>> {
        match key {
            Key::Name => self.name.map(KeyValue::Text),
            Key::Type => self.kind.map(KeyValue::Text),
            Key::Message => self.message.map(KeyValue::Text),
            Key::Inferred => Some(KeyValue::Flag(self.inferred)),
            Key::Remote => Some(KeyValue::Flag(self.remote)),
            Key::Coverage => self.coverage.map(KeyValue::Number),
            _ => None,
        }
    }
}

/// Returns whether a root cause of any kind matches a pattern, in the form of the API.
pub(super) fn has_root_cause(facts: &Facts<'_>, pattern: &Value) -> bool {
    facts.root_causes().iter().any(|cause| has(cause, pattern))
}

/// Returns whether a value matches a pattern. An object must have the pattern's fields, and may have others. A list
/// must have as many elements as the pattern's list, and each element must match its counterpart.
fn has(value: &Value, pattern: &Value) -> bool {
    match (value, pattern) {
        (Value::Object(fields), Value::Object(wanted)) => {
            wanted.iter().all(|(name, wanted)| fields.get(name).is_some_and(|value| has(value, wanted)))
        }
        (Value::Array(values), Value::Array(wanted)) => {
            values.len() == wanted.len() && values.iter().zip(wanted).all(|(value, wanted)| has(value, wanted))
        }
        (Value::Number(value), Value::Number(wanted)) => value.as_f64() == wanted.as_f64(),
        (value, wanted) => value == wanted,
    }
}
