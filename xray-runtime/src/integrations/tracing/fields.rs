//! The fields of spans and events, as annotations and exceptions.

use std::error::Error;
use std::fmt::Debug;

use tracing_core::field::{Field, Visit};

use crate::document::cause::chain;
use crate::document::{AnnotationValue, Exception};
use crate::support::guard::guard;
use crate::support::text::BoundedText;

/// The fields of a span.
#[derive(Default)]
pub(super) struct Fields {
    pub(super) annotations: Vec<(&'static str, AnnotationValue)>,
    /// Errors, each with its sources.
    pub(super) errors: Vec<Vec<Exception>>,
    /// A field whose formatting failed or panicked.
    pub(super) failed: Option<&'static str>,
    without_annotations: bool,
}

impl Fields {
    /// Returns the fields that `record` visits. Formatting them runs the user's code, so no lock may be held.
    pub(super) fn read(with_annotations: bool, record: impl FnOnce(&mut dyn Visit)) -> Self {
        let mut fields = Self { without_annotations: !with_annotations, ..Self::default() };
        record(&mut fields);
        fields
    }

    pub(super) fn extend(&mut self, later: Self) {
        self.annotations.extend(later.annotations);
        self.errors.extend(later.errors);
        self.failed = self.failed.or(later.failed);
    }

    fn annotate(&mut self, field: &Field, value: impl Into<AnnotationValue>) {
        if !self.without_annotations {
            self.annotations.push((field.name(), value.into()));
        }
    }
}

impl Visit for Fields {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.annotate(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.annotate(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.annotate(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.annotate(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if is_error(field) {
            self.errors.push(vec![exception(value)]);
        } else {
            self.annotate(field, value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if self.without_annotations && !is_error(field) {
            return;
        }
        match text(value) {
            Some(text) => self.record_str(field, &text),
            None => self.failed = Some(field.name()),
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let (exceptions, has_failed) = chain(value, false);
        self.errors.push(exceptions);
        if has_failed {
            self.failed = Some(field.name());
        }
    }
}

/// The error of an event: a field that is an error, else a field named `error` or `err`, else the message.
#[derive(Default)]
pub(super) struct ErrorOfEvent {
    error: Option<Vec<Exception>>,
    text: Option<String>,
    message: Option<String>,
}

impl ErrorOfEvent {
    /// Returns the error of the event that `record` visits. Formatting runs the user's code, so no lock may be held.
    pub(super) fn read(record: impl FnOnce(&mut dyn Visit)) -> Vec<Exception> {
        let mut event = Self::default();
        record(&mut event);
        event.error.unwrap_or_else(|| vec![exception(&event.text.or(event.message).unwrap_or_default())])
    }

    fn slot(&mut self, field: &Field) -> Option<&mut Option<String>> {
        match field.name() {
            "message" => Some(&mut self.message),
            _ if is_error(field) => Some(&mut self.text),
            _ => None,
        }
    }
}

impl Visit for ErrorOfEvent {
    fn record_str(&mut self, field: &Field, value: &str) {
        if let Some(slot) = self.slot(field) {
            *slot = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if let Some(slot) = self.slot(field) {
            *slot = text(value);
        }
    }

    fn record_error(&mut self, _: &Field, value: &(dyn Error + 'static)) {
        self.error.get_or_insert_with(|| chain(value, false).0);
    }
}

/// Returns whether the field has a name under which `#[instrument(err)]` and `error!(?err)` record errors.
fn is_error(field: &Field) -> bool {
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

/// Returns the `Debug` text of a value, cut at a limit above that of a document. Returns `None` if formatting fails or
/// panics.
fn text(value: &dyn Debug) -> Option<String> {
    const MAX_BYTES: usize = 1 << 14;

    Some(guard(|| BoundedText::of(&format_args!("{value:?}"), MAX_BYTES)).flatten()?.0)
}
