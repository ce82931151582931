//! Names: any text in, a name that X-Ray takes out.

use crate::support::text::first_chars;
use unicode_general_category::{GeneralCategory, get_general_category};

/// The text without the characters that X-Ray refuses, at most 200 of the others; `None` where nothing is left.
///
/// Allowed are letters, numbers and separators of any script and `_ . : / % & # = + - @`. The guide's prose
/// lists a backslash too, which the published schema refuses. (Schema v1.0.0, `name`.)
pub(crate) fn legal_name(text: &str) -> Option<String> {
    const MAX_CHARS: usize = 200;
    // Without a way out of the loop, so that many bytes are looked at in one step.
    let is_plain = text.bytes().fold(true, |is_plain, byte| is_plain & is_allowed_ascii(byte));
    let name = if is_plain || text.chars().all(is_allowed) {
        first_chars(text, MAX_CHARS).to_owned()
    } else {
        text.chars().filter(|character| is_allowed(*character)).take(MAX_CHARS).collect()
    };
    name.contains(|character: char| !character.is_whitespace()).then_some(name)
}

fn is_allowed_ascii(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b' ' | b'_' | b'.' | b':' | b'/' | b'%' | b'&' | b'#' | b'=' | b'+' | b'-' | b'@')
}

fn is_allowed(character: char) -> bool {
    use GeneralCategory as Category;

    if let Some(ascii) = u8::try_from(character).ok().filter(u8::is_ascii) {
        return is_allowed_ascii(ascii);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legal_names() {
        for (text, name) in [
            ("api.example.com", "api.example.com"),
            ("Scorekeep \u{e9}/\u{fc}", "Scorekeep \u{e9}/\u{fc}"),
            ("Vec<T>", "VecT"),
            ("my_mod::{{closure}}", "my_mod::closure"),
            ("name?;*()!$~^<>", "name"),
            ("a\\b\tc\nd\"e|f,g", "abcdefg"),
            // A vowel sign is a mark, not a letter, though Rust counts it as alphanumeric.
            ("\u{915}\u{93f}", "\u{915}"),
        ] {
            assert_eq!(legal_name(text).as_deref(), Some(name), "{text}");
        }
        assert_eq!(legal_name("???"), None);
        assert_eq!(legal_name(" "), None);
        assert_eq!(legal_name(""), None);
        assert_eq!(legal_name(&"\u{e9}".repeat(201)), Some("\u{e9}".repeat(200)));
        assert_eq!(legal_name(&"\u{e9}?".repeat(201)), Some("\u{e9}".repeat(200)));
    }
}
