//! The steps on the paths of root causes, for conditions on them.

use super::expression::{Key, PathItem, RootCauseKind};
use super::value::KeyValue;
use crate::summary::{RootCause, error_root_causes, fault_root_causes};
use crate::trace::Trace;

/// A service, a segment or subsegment, or an exception on the path of a root cause.
#[derive(Default)]
pub(super) struct PathStep<'a> {
    name: Option<&'a str>,
    kind: Option<&'a str>,
    message: Option<&'a str>,
    inferred: bool,
    remote: bool,
}

/// Returns the root causes of a trace's faults or errors.
pub(super) fn root_causes(trace: &Trace, kind: RootCauseKind) -> Vec<RootCause> {
    match kind {
        RootCauseKind::Fault => fault_root_causes(trace),
        RootCauseKind::Error => error_root_causes(trace),
    }
}

impl<'a> PathStep<'a> {
    /// Returns the steps on the path of a root cause, callers first.
    pub(super) fn all(cause: &'a RootCause, item: PathItem) -> Vec<Self> {
        let services = cause.services.iter();
        match item {
            PathItem::Service => services
                .map(|step| Self {
                    name: Some(&step.service.name),
                    kind: step.service.kind.as_deref(),
                    inferred: step.inferred,
                    ..Self::default()
                })
                .collect(),
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
            _ => None,
        }
    }
}
