//! Values that X-Ray does not accept as given: they are shortened or left out, and counted. The first of each kind is
//! logged.

use std::any;
use std::error::Error;
use std::fmt;

use super::Recorder;
use crate::document::annotation::is_accepted_key;
use crate::document::cause::chain;
use crate::document::{AnnotationValue, Exception, MAX_STRING_CHARS};
use crate::support::lock::lock;
use crate::support::log_line::log_line;
use crate::support::text::first_chars;

impl Recorder {
    /// Returns an annotation's value in a form that X-Ray accepts, or `None` if it accepts neither the key nor any form
    /// of the value. Counts a value that is changed or left out.
    pub(crate) fn accept_annotation(&self, key: &str, value: AnnotationValue) -> Option<AnnotationValue> {
        if !is_accepted_key(key) {
            self.report_value(
                "annotation",
                &key,
                "left out, because a key must have 1 to 500 ASCII letters, digits and underscores",
            );
            return None;
        }
        let Some((value, is_cut)) = value.accepted() else {
            self.report_value("annotation", &key, "left out, because the number is not finite");
            return None;
        };
        if is_cut {
            self.report_value("annotation", &key, "cut");
        }
        Some(value)
    }

    /// Counts a name that is not recorded as given. An empty name is not counted: it stands for the name of the
    /// service.
    pub(crate) fn report_name(&self, given: &str, legal: &str) {
        if given != legal && !given.is_empty() {
            self.report_value("name", &given, "recorded in part");
        }
    }

    /// Counts a value that is not recorded exactly as given. Logs the first for each `what` and `outcome`:
    /// `annotation "tier" was left out ..`.
    //
    // Only the first is logged: a value that is wrong is usually wrong in every request, and the log must not grow with
    // the traffic. The key is cut, because keys come from the program and may be of any length.
    pub(crate) fn report_value(&self, what: &'static str, key: &dyn fmt::Display, outcome: &'static str) {
        self.shared.counters.values_rejected.increment();
        if lock(self.shared.logged_values.get()).insert((what, outcome)) {
            let key = key.to_string();
            let key = first_chars(&key, MAX_STRING_CHARS);
            log_line!(
                Warn,
                "xray::context",
                "{what} {key:?} was {outcome}; `Stats::values_rejected` lists the possible reasons, and counts further \
                 such values, which are not logged",
            );
        }
    }

    /// Returns an error and its chain of sources as exceptions.
    ///
    /// This runs the error's own `Display` and `source`, so the caller must hold no lock.
    pub(crate) fn read_error<E: Error + ?Sized>(&self, error: &E, remote: bool) -> Vec<Exception> {
        let (exceptions, has_failed) = chain(error, remote);
        if has_failed {
            self.report_value("error", &any::type_name::<E>(), "recorded in part");
        }
        exceptions
    }
}
