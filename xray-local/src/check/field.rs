//! The path of a field in a document.

use std::fmt;

/// The path of a field in a document, displayed as `subsegments[0].http.response.status`.
///
/// A path borrows its parent instead of copying it: a path is made for every field, but displayed only for findings.
#[derive(Clone, Copy)]
pub(super) struct FieldPath<'a> {
    within: Option<&'a FieldPath<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Document,
    Field(&'a str),
    Element(usize),
}

impl<'a> FieldPath<'a> {
    /// The path of the document itself; displayed as an empty string.
    pub(super) const DOCUMENT: Self = Self { within: None, step: Step::Document };

    pub(super) fn field(&'a self, name: &'a str) -> Self {
        Self { within: Some(self), step: Step::Field(name) }
    }

    pub(super) fn element(&'a self, index: usize) -> Self {
        Self { within: Some(self), step: Step::Element(index) }
    }
}

impl fmt::Display for FieldPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(within) = self.within else { return Ok(()) };
        within.fmt(f)?;
        match self.step {
            Step::Field(name) if !is_plain(name) => write!(f, "[{:?}]", excerpt(name)),
            Step::Field(name) if matches!(within.step, Step::Document) => f.write_str(name),
            Step::Field(name) => write!(f, ".{name}"),
            Step::Element(index) => write!(f, "[{index}]"),
            Step::Document => Ok(()),
        }
    }
}

/// Returns whether a name can be displayed without quotation marks.
fn is_plain(name: &str) -> bool {
    const MAX_BYTES: usize = 60;
    (1..=MAX_BYTES).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Returns the first 60 characters of a document's text, to be quoted in a finding.
pub(super) fn excerpt(text: &str) -> String {
    const MAX_CHARS: usize = 60;
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}..", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_displayed_with_dots_and_brackets() {
        let (subsegments, annotations) =
            (FieldPath::DOCUMENT.field("subsegments"), FieldPath::DOCUMENT.field("annotations"));
        let (first, long) = (subsegments.element(0), "k".repeat(500));
        assert_eq!(FieldPath::DOCUMENT.to_string(), "");
        assert_eq!(first.field("name").to_string(), "subsegments[0].name");
        assert_eq!(annotations.field("a-\"b").to_string(), r#"annotations["a-\"b"]"#);
        assert_eq!(annotations.field(&long).to_string().len(), "annotations[\"..\"]".len() + 60);
    }
}
