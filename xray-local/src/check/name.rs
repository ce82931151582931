//! The rule for names of segments and subsegments.

use unicode_general_category::{GeneralCategory, get_general_category};

/// The most characters that a name may have.
pub(super) const MAX_CHARS: usize = 200;

/// Returns whether X-Ray accepts a character in a name: letters, numbers and spaces of any script, and
/// `_ . : / % & # = + - @`.
///
/// The rule is the pattern of `name` in the published schema, v1.0.0. The developer guide also lists a backslash, which
/// the schema rejects.
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

/// Returns a name without the characters that X-Ray does not accept, cut to [`MAX_CHARS`].
pub(crate) fn allowed_part(name: &str) -> String {
    name.chars().filter(|character| is_allowed(*character)).take(MAX_CHARS).collect()
}
