//! Characters that a terminal or a reader must not get from a document.

use unicode_general_category::{GeneralCategory, get_general_category};

/// Returns `false` for a character that controls a terminal, that cannot be seen, or that changes the direction of the
/// text around it. Such characters let a text look like another one.
#[must_use]
pub fn is_printable(character: char) -> bool {
    !matches!(
        get_general_category(character),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
    )
}
