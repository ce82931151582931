//! Texts cut at a limit.

use std::fmt;

/// Returns at most the first `limit` characters.
pub(crate) fn first_chars(text: &str, limit: usize) -> &str {
    // No text has more characters than bytes: most texts need no count.
    if text.len() <= limit {
        return text;
    }
    match text.char_indices().nth(limit) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

/// A buffer for text. It keeps the first bytes that are written to it, up to a limit.
//
// Past the limit `write_str` returns an error. That is the one way to stop a `Display` implementation, which may write
// without an end: cutting the text afterwards would need all of it in memory.
pub(crate) struct BoundedText {
    text: String,
    room: usize,
    is_cut: bool,
}

impl BoundedText {
    /// Formats `value` and returns the text and whether it was cut. Returns `None` if `value` itself returned an error.
    pub(crate) fn of<T: fmt::Display + ?Sized>(value: &T, limit: usize) -> Option<(String, bool)> {
        let mut bounded = Self { text: String::new(), room: limit, is_cut: false };
        let written = fmt::write(&mut bounded, format_args!("{value}"));
        // An error after the cut is our own from `write_str`; an error without a cut is the value's.
        (written.is_ok() || bounded.is_cut).then_some((bounded.text, bounded.is_cut))
    }
}

impl fmt::Write for BoundedText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let taken = first_bytes(text, self.room);
        self.text.push_str(taken);
        self.room -= taken.len();
        if taken.len() == text.len() {
            return Ok(());
        }
        // An implementation may ignore the error and write on. A later, shorter piece must not be appended after the
        // gap.
        self.room = 0;
        self.is_cut = true;
        Err(fmt::Error)
    }
}

/// Returns at most the first `limit` bytes, without cutting a character in two.
pub(crate) fn first_bytes(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_characters() {
        for (limit, cut) in [(0, ""), (1, "a"), (2, "a"), (3, "a\u{e9}"), (4, "a\u{e9}"), (9, "a\u{e9}\u{1f980}b")] {
            assert_eq!(first_bytes("a\u{e9}\u{1f980}b", limit), cut, "{limit}");
        }
        assert_eq!(BoundedText::of("a\u{e9}", 3), Some(("a\u{e9}".to_owned(), false)));
        assert_eq!(BoundedText::of("a\u{e9}", 2), Some(("a".to_owned(), true)));
    }

    #[test]
    fn an_endless_text_is_stopped_and_a_failing_text_gives_none() {
        struct Endless;

        impl fmt::Display for Endless {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                loop {
                    formatter.write_str("\u{e9}\u{e9}")?;
                }
            }
        }

        struct Failing;

        impl fmt::Display for Failing {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                Err(fmt::Error)
            }
        }

        assert_eq!(BoundedText::of(&Endless, 5), Some(("\u{e9}\u{e9}".to_owned(), true)));
        assert_eq!(BoundedText::of(&Failing, 5), None);
    }
}
