//! Texts that are cut at a limit.

use std::fmt;

/// At most `limit` characters from the start.
pub(crate) fn first_chars(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    match text.char_indices().nth(limit) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

/// A text that is written up to a limit in bytes; what does not fit is refused, so that the writer stops.
pub(crate) struct BoundedText {
    text: String,
    room: usize,
    is_cut: bool,
}

impl BoundedText {
    /// What `value` says, and whether it says more than that; `None` where it fails by itself.
    pub(crate) fn of<T: fmt::Display + ?Sized>(value: &T, limit: usize) -> Option<(String, bool)> {
        let mut bounded = Self { text: String::new(), room: limit, is_cut: false };
        let written = fmt::write(&mut bounded, format_args!("{value}"));
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
        // Nothing follows a gap.
        self.room = 0;
        self.is_cut = true;
        Err(fmt::Error)
    }
}

/// At most `limit` bytes from the start, which end between two characters.
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
    fn an_endless_text_is_stopped_and_one_that_fails_is_none() {
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
