//! Texts that need no allocation if they are short.

use std::fmt;

/// A text. One of up to 102 bytes is stored inline.
// The URL and the name of most HTTP calls fit into 102 bytes. With the length and the discriminant, the value has 104
// bytes.
#[derive(Clone)]
pub(super) enum Text {
    Inline { length: u8, bytes: [u8; Text::INLINE] },
    Boxed(Box<str>),
}

impl Text {
    const INLINE: usize = 102;

    /// The empty text.
    pub(super) const EMPTY: Self = Self::Inline { length: 0, bytes: [0; Self::INLINE] };

    /// Joins texts.
    pub(super) fn join<const N: usize>(parts: [&str; N]) -> Self {
        let mut text = Self::EMPTY;
        text.set(parts);
        text
    }

    /// Replaces the text by several texts that are joined.
    // In place: a copy would read the bytes in other widths than they were written in, and the processor would have to
    // wait.
    #[inline]
    pub(super) fn set<const N: usize>(&mut self, parts: [&str; N]) {
        let whole = parts.iter().map(|part| part.len()).sum::<usize>();
        if whole > Self::INLINE {
            *self = Self::boxed(&parts);
            return;
        }
        if let Self::Boxed(_) = self {
            *self = Self::EMPTY;
        }
        let Self::Inline { length, bytes } = self else { return };
        let mut rest = bytes.as_mut_slice();
        for part in parts {
            let (start, end) = rest.split_at_mut(part.len());
            start.copy_from_slice(part.as_bytes());
            rest = end;
        }
        // `whole` is at most 102.
        *length = u8::try_from(whole).unwrap_or_default();
    }

    #[cold]
    fn boxed(parts: &[&str]) -> Self {
        Self::Boxed(parts.concat().into())
    }

    /// Returns the text as bytes. They are valid UTF-8, because whole texts were joined.
    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Inline { length, bytes } => &bytes[..usize::from(*length)],
            Self::Boxed(text) => text.as_bytes(),
        }
    }

    /// Returns the bytes that the text holds on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Self::Inline { .. } => 0,
            Self::Boxed(text) => text.len(),
        }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        String::from_utf8_lossy(self.as_bytes()).fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_texts_are_kept_whole() {
        for length in [0, 1, Text::INLINE - 2, Text::INLINE - 1, Text::INLINE, 255, 256, 5000] {
            let long = "x".repeat(length);
            let text = Text::join(["\u{e9}", &long, ""]);
            assert_eq!(text.as_bytes(), format!("\u{e9}{long}").as_bytes());
            assert_eq!(text.heap_bytes() > 0, length + 2 > Text::INLINE, "{length}");
        }
    }
}
