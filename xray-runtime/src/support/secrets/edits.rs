//! Changes to a text, made in one pass.

use std::borrow::Cow;
use std::ops::Range;

/// The parts of a text that are replaced, in their order.
pub(super) struct Edits<'a> {
    text: &'a str,
    /// The end of the part that is in `edited`.
    done: usize,
    edited: String,
}

impl<'a> Edits<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, done: 0, edited: String::new() }
    }

    /// Replaces a part of the text. The part must lie behind all parts that were replaced before.
    pub(super) fn replace(&mut self, part: Range<usize>, by: &str) {
        if part.start < self.done || self.text[part.clone()] == *by {
            return;
        }
        self.edited.push_str(&self.text[self.done..part.start]);
        self.edited.push_str(by);
        self.done = part.end;
    }

    /// Returns the changed text.
    pub(super) fn finish(mut self) -> Cow<'a, str> {
        if self.done == 0 {
            return Cow::Borrowed(self.text);
        }
        self.edited.push_str(&self.text[self.done..]);
        Cow::Owned(self.edited)
    }
}
