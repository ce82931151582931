//! The fields of spans and events, as X-Ray takes them.

use std::error::Error;
use std::fmt::Debug;

use tracing_core::field::{Field, Visit};

use super::part::Part;
use crate::document::cause::chain;
use crate::document::{AnnotationValue, Exception};
use crate::support::guard::guard;
use crate::support::text::BoundedText;

/// The fields of a span.
#[derive(Default)]
pub(super) struct Fields {
    annotations: Vec<(&'static str, AnnotationValue)>,
    /// Errors, each with what is behind it.
    errors: Vec<Vec<Exception>>,
    /// A field that failed or panicked as it was asked what it says.
    failed: Option<&'static str>,
    without_annotations: bool,
}

impl Fields {
    /// What `record` shows. This runs the program's own code, so nothing may be locked.
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

    pub(super) fn write(self, part: &Part) {
        let context = part.context();
        for (name, value) in self.annotations {
            context.annotate(key(name), value);
        }
        for exceptions in self.errors {
            part.record_error(|| exceptions);
        }
        if let Some(key) = self.failed {
            context.recorder().report_value("field", key, "not recorded, or in part");
        }
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

/// What an event tells of an error, the best of it: an error itself, then a field that is named so, then its message.
#[derive(Default)]
pub(super) struct ErrorOfEvent {
    error: Option<Vec<Exception>>,
    text: Option<String>,
    message: Option<String>,
}

impl ErrorOfEvent {
    /// This runs the program's own code, so nothing may be locked.
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

/// Whether the field is named as those that hold an error: by `#[instrument(err)]`, and by `error!(?err)`.
fn is_error(field: &Field) -> bool {
    matches!(field.name(), "error" | "err")
}

/// A key that X-Ray takes. (Developer guide, "Annotations".)
fn key(name: &str) -> String {
    name.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '_' }).collect()
}

/// An error of which only the text is known.
fn exception(text: &str) -> Exception {
    Exception { kind: None, ..Exception::text(text, "") }
}

/// What a value says, or more of it than is recorded; `None` where it fails or panics.
fn text(value: &dyn Debug) -> Option<String> {
    const MAX_BYTES: usize = 1 << 14;

    Some(guard(|| BoundedText::of(&format_args!("{value:?}"), MAX_BYTES)).flatten()?.0)
}
