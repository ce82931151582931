//! Names that X-Ray takes.

use unicode_general_category::{GeneralCategory, get_general_category};

/// How many characters a name may have.
pub(super) const MAX_CHARS: usize = 200;

/// Whether X-Ray takes a character in a name: letters, numbers and separators of any script and `_ . : / % & # = + - @`.
///
/// The guide's prose lists a backslash too, which the published schema refuses. (Schema v1.0.0, `name`.)
pub(super) fn is_allowed(character: char) -> bool {
    use GeneralCategory as Category;

    if character.is_ascii() {
        return character.is_ascii_alphanumeric() || " _.:/%&#=+-@".contains(character);
    }
    matches!(
        get_general_category(character),
        Category::UppercaseLetter
            | Category::LowercaseLetter
            | Category::TitlecaseLetter
            | Category::ModifierLetter
            | Category::OtherLetter
            | Category::DecimalNumber
            | Category::LetterNumber
            | Category::OtherNumber
            | Category::SpaceSeparator
            | Category::LineSeparator
            | Category::ParagraphSeparator
    )
}

/// What X-Ray would take of a name.
pub(super) fn allowed_part(name: &str) -> String {
    name.chars().filter(|character| is_allowed(*character)).take(MAX_CHARS).collect()
}
