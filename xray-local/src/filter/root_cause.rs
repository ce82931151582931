//! Conditions on the ways of faults and errors.

use super::expression::{Key, Ways, Within};
use super::value::Found;
use crate::summary::{RootCause, error_root_causes, fault_root_causes};
use crate::trace::Trace;

/// A service, an entity or an exception on a way.
#[derive(Default)]
pub(super) struct Listed<'a> {
    name: Option<&'a str>,
    kind: Option<&'a str>,
    message: Option<&'a str>,
    inferred: bool,
    remote: bool,
}

pub(super) fn ways(trace: &Trace, ways: Ways) -> Vec<RootCause> {
    match ways {
        Ways::Fault => fault_root_causes(trace),
        Ways::Error => error_root_causes(trace),
    }
}

impl<'a> Listed<'a> {
    /// What is on a way, callers first.
    pub(super) fn all(way: &'a RootCause, within: Within) -> Vec<Self> {
        let services = way.services.iter();
        match within {
            Within::Services => services
                .map(|on_way| Self {
                    name: Some(&on_way.service.name),
                    kind: on_way.service.kind.as_deref(),
                    inferred: on_way.inferred,
                    ..Self::default()
                })
                .collect(),
            Within::Entities => services
                .flat_map(|on_way| &on_way.entity_path)
                .map(|entity| Self { name: Some(&entity.name), remote: entity.remote, ..Self::default() })
                .collect(),
            Within::Exceptions => services
                .flat_map(|on_way| &on_way.entity_path)
                .flat_map(|entity| &entity.exceptions)
                .map(|exception| Self {
                    name: exception.name.as_deref(),
                    message: exception.message.as_deref(),
                    ..Self::default()
                })
                .collect(),
        }
    }

    /// Its value of a key, if it is a key that what is on a way has.
    pub(super) fn value(&self, key: &Key) -> Option<Found<'a>> {
        match key {
            Key::Name => self.name.map(Found::Text),
            Key::Type => self.kind.map(Found::Text),
            Key::Message => self.message.map(Found::Text),
            Key::Inferred => Some(Found::Flag(self.inferred)),
            Key::Remote => Some(Found::Flag(self.remote)),
            _ => None,
        }
    }
}
