//! The fields of spans and events, as annotations and exceptions.

use std::error::Error;
use std::fmt::Debug;

use tracing_core::field::{Field, Visit};

use super::names::FieldNames;
use crate::document::annotation::of_widened_f32;
use crate::document::cause::chain;
use crate::document::{AnnotationValue, Exception};
use crate::support::guard::guard;
use crate::support::secrets;

/// Limit on the characters that are kept of a text: one more than an annotation or an exception may have, so that it is
/// seen that the text was longer.
const MAX_CHARS: usize = AnnotationValue::MAX_CHARS + 1;

/// Limit on the errors of one span, because the size of a document is limited.
pub(super) const MAX_ERRORS: usize = 16;

/// The fields of a span.
#[derive(Default)]
pub(super) struct Fields {
    pub(super) annotations: Vec<(&'static str, AnnotationValue)>,
    /// Errors, each with its sources.
    pub(super) errors: Vec<Vec<Exception>>,
    /// A field whose formatting failed or panicked.
    pub(super) failed: Option<&'static str>,
}

impl Fields {
    /// Returns the fields that `record` visits. Formatting them runs the user's code, so no lock may be held.
    pub(super) fn read(names: &FieldNames, record: impl FnOnce(&mut dyn Visit)) -> Self {
        let mut reader = FieldReader { fields: Self::default(), names };
        record(&mut reader);
        reader.fields
    }

    pub(super) fn extend(&mut self, later: Self) {
        // A field may be recorded repeatedly, and only the last value counts.
        self.annotations.retain(|(name, _)| later.annotations.iter().all(|(new, _)| name != new));
        self.annotations.extend(later.annotations);
        self.errors.extend(later.errors.into_iter().take(MAX_ERRORS.saturating_sub(self.errors.len())));
        self.failed = self.failed.or(later.failed);
    }
}

/// Reads the fields of a span whose names may be recorded.
struct FieldReader<'a> {
    fields: Fields,
    names: &'a FieldNames,
}

impl FieldReader<'_> {
    fn annotate(&mut self, field: &Field, value: impl Into<AnnotationValue>) {
        if self.names.allow_number(field.name()) {
            self.fields.annotations.push((field.name(), value.into()));
        }
    }

    /// Returns whether the field is recorded as an error because of its name.
    fn is_error(&self, field: &Field) -> bool {
        has_error_name(field) && !self.names.is_secret(field.name())
    }
}

impl Visit for FieldReader<'_> {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.annotate(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.annotate(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.annotate(field, value);
    }

    // `tracing` passes an `f32` as an `f64`.
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.annotate(field, of_widened_f32(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if self.is_error(field) {
            if !is_absent(value) {
                self.fields.errors.push(vec![exception(value)]);
            }
        } else if self.names.allow_text(field.name()) {
            let text = secrets::recorded(value, MAX_CHARS).into_owned();
            self.fields.annotations.push((field.name(), text.into()));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let is_error = self.is_error(field);
        if !is_error && !self.names.allow_text(field.name()) {
            return;
        }
        match text(value) {
            Some(text) if is_error && is_absent(&text) => {}
            Some(text) if is_error => self.fields.errors.push(vec![exception(&text)]),
            Some(text) => self.fields.annotations.push((field.name(), text.into())),
            None => self.fields.failed = Some(field.name()),
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        if self.names.is_secret(field.name()) {
            return;
        }
        let (exceptions, has_failed) = chain(value, false);
        self.fields.errors.push(exceptions);
        if has_failed {
            self.fields.failed = Some(field.name());
        }
    }
}

/// Returns whether the text of an error field means that no error occurred. `#[instrument]` records an argument
/// `error: Option<_>` that is `None` as the text `None`.
fn is_absent(text: &str) -> bool {
    matches!(text, "" | "None" | "()" | "false" | "null") || text.starts_with("Ok(")
}

/// The error of an event: a field that is an error, else a field named `error` or `err`, else the message. A field
/// whose name suggests a secret does not count.
pub(super) struct ErrorOfEvent<'a> {
    names: &'a FieldNames,
    error: Option<Vec<Exception>>,
    text: Option<String>,
    message: Option<String>,
}

impl<'a> ErrorOfEvent<'a> {
    /// Returns the error of the event that `record` visits. Formatting runs the user's code, so no lock may be held.
    pub(super) fn read(names: &'a FieldNames, record: impl FnOnce(&mut dyn Visit)) -> Vec<Exception> {
        let mut event = Self { names, error: None, text: None, message: None };
        record(&mut event);
        event.error.unwrap_or_else(|| vec![exception(&event.text.or(event.message).unwrap_or_default())])
    }

    fn slot(&mut self, field: &Field) -> Option<&mut Option<String>> {
        match field.name() {
            name if self.names.is_secret(name) => None,
            "message" => Some(&mut self.message),
            _ if has_error_name(field) => Some(&mut self.text),
            _ => None,
        }
    }
}

impl Visit for ErrorOfEvent<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if let Some(slot) = self.slot(field) {
            *slot = Some(secrets::recorded(value, MAX_CHARS).into_owned());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if let Some(slot) = self.slot(field) {
            *slot = text(value);
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        if !self.names.is_secret(field.name()) {
            self.error.get_or_insert_with(|| chain(value, false).0);
        }
    }
}

/// Returns whether the field has a name under which `#[instrument(err)]` and `error!(?err)` record errors.
fn has_error_name(field: &Field) -> bool {
    matches!(field.name(), "error" | "err")
}

/// Returns the annotation key for a field: characters that X-Ray refuses become `_`. (Developer guide, "Annotations".)
pub(super) fn annotation_key(name: &str) -> String {
    name.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '_' }).collect()
}

/// Returns an exception with a message and without a type.
fn exception(text: &str) -> Exception {
    Exception { kind: None, ..Exception::text(text, "") }
}

/// Returns the recorded form of a value's `Debug` text, or `None` if formatting fails or panics.
fn text(value: &dyn Debug) -> Option<String> {
    guard(|| secrets::recorded_display(&format_args!("{value:?}"), MAX_CHARS)).flatten()
}
