//! Where in a document something is.

use std::fmt;

/// A place in a document; shown as `subsegments[0].http.response.status`.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    within: Option<&'a Place<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Document,
    Field(&'a str),
    Element(usize),
}

impl<'a> Place<'a> {
    /// The document itself.
    pub(super) const DOCUMENT: Self = Self { within: None, step: Step::Document };

    pub(super) fn field(&'a self, name: &'a str) -> Self {
        Self { within: Some(self), step: Step::Field(name) }
    }

    pub(super) fn element(&'a self, index: usize) -> Self {
        Self { within: Some(self), step: Step::Element(index) }
    }
}

impl fmt::Display for Place<'_> {
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

fn is_plain(name: &str) -> bool {
    const MAX_BYTES: usize = 60;
    (1..=MAX_BYTES).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The beginning of a sender's text, where it is quoted.
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
    fn places() {
        let (subsegments, annotations) = (Place::DOCUMENT.field("subsegments"), Place::DOCUMENT.field("annotations"));
        let (first, long) = (subsegments.element(0), "k".repeat(500));
        assert_eq!(Place::DOCUMENT.to_string(), "");
        assert_eq!(first.field("name").to_string(), "subsegments[0].name");
        assert_eq!(annotations.field("a-\"b").to_string(), r#"annotations["a-\"b"]"#);
        assert_eq!(annotations.field(&long).to_string().len(), "annotations[\"..\"]".len() + 60);
    }
}
