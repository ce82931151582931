//! Names of segments and subsegments: turns any text into a name that X-Ray accepts.

use std::borrow::Cow;

use unicode_general_category::{GeneralCategory, get_general_category};

use crate::support::text::first_chars;

/// Returns a text without the characters that X-Ray refuses, cut at 200 characters; `None` if nothing visible is left.
///
/// X-Ray accepts letters, numbers and separators of any script and `_ . : / % & # = + - @`. (Schema v1.0.0, `name`:
/// `[\p{L}\p{Z}\p{N}_.:/%&#=+\-@]`.)
pub(crate) fn legal_name(text: &str) -> Option<Cow<'_, str>> {
    // The service refuses a whole document for one wrong character in a name ("ErrorCode: InvalidName"), so the other
    // characters are kept and the wrong one is removed.
    const MAX_CHARS: usize = 200;
    // Almost every name is ASCII and legal. `fold` instead of `all`: a loop without an early exit is compiled to vector
    // instructions.
    let is_plain = text.bytes().fold(true, |is_plain, byte| is_plain & is_allowed_ascii(byte));
    let name = if is_plain || text.chars().all(is_allowed) {
        Cow::Borrowed(first_chars(text, MAX_CHARS))
    } else {
        text.chars().filter(|character| is_allowed(*character)).take(MAX_CHARS).collect::<String>().into()
    };
    name.contains(|character: char| !character.is_whitespace()).then_some(name)
}

// The developer guide's text lists a backslash too. In the schema it only escapes the `-`: the schema refuses `a\b`.
fn is_allowed_ascii(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b' ' | b'_' | b'.' | b':' | b'/' | b'%' | b'&' | b'#' | b'=' | b'+' | b'-' | b'@')
}

fn is_allowed(character: char) -> bool {
    use GeneralCategory as Category;

    if let Some(ascii) = u8::try_from(character).ok().filter(u8::is_ascii) {
        return is_allowed_ascii(ascii);
    }
    // `\p{L}`, `\p{N}` and `\p{Z}` of the schema. `char::is_alphanumeric` is another set: it includes the vowel signs
    // of Devanagari, which are marks (`\p{M}`) and refused.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_characters_are_removed_and_the_rest_is_cut_at_200() {
        for (text, name) in [
            ("api.example.com", "api.example.com"),
            ("Scorekeep \u{e9}/\u{fc}", "Scorekeep \u{e9}/\u{fc}"),
            ("Vec<T>", "VecT"),
            ("my_mod::{{closure}}", "my_mod::closure"),
            ("name?;*()!$~^<>", "name"),
            ("a\\b\tc\nd\"e|f,g", "abcdefg"),
            // A vowel sign is a mark, not a letter, although Rust counts it as alphanumeric.
            ("\u{915}\u{93f}", "\u{915}"),
        ] {
            assert_eq!(legal_name(text).as_deref(), Some(name), "{text}");
        }
        assert_eq!(legal_name("???"), None);
        assert_eq!(legal_name(" "), None);
        assert_eq!(legal_name(""), None);
        assert_eq!(legal_name(&"\u{e9}".repeat(201)), Some("\u{e9}".repeat(200).into()));
        assert_eq!(legal_name(&"\u{e9}?".repeat(201)), Some("\u{e9}".repeat(200).into()));
    }
}
