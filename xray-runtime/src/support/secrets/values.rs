//! Removes the values of names that suggest a secret.
//!
//! A value is found
//!
//! * behind `=`: `password=..` in a query, a connection string or a path;
//! * behind `:`: `"token": ".."` in JSON, `password: Some("..")` in the text of a `Debug`, `Authorization: Basic ..`;
//! * in brackets or tags: `Token("..")`, `<password>..</password>`.
//!
//! In the text of the `Debug` of a `url::Url`, the user name, the query and the fragment are removed too.
//!
//! Behind a `:` a sentence may go on: `invalid password: too short`. So a value without quotes is removed there only if
//! it looks like a secret or ends the clause.

use std::borrow::Cow;
use std::ops::Range;

use super::edits::Edits;
use super::names::{SECRET_NAMES, snake_case, suggests_secret};
use super::urls::decode;
use crate::support::text::first_bytes;

/// The text that replaces a removed value.
const REMOVED: &str = "[removed]";

/// Returns a text without the values of names that suggest a secret.
pub(super) fn cleaned(text: &str) -> Cow<'_, str> {
    let mut edits = Edits::new(text);
    let mut scan = Scan { text, is_in_url: false };
    let mut at = 0;
    while at < text.len() {
        let character = decode(&text.as_bytes()[at..]);
        let behind = at + character.length;
        let value = match character.byte {
            b'=' | b':' | b'(' | b'>' => scan.value(character.byte, at, behind, character.level > 0),
            b' ' => scan.credentials(at),
            _ => None,
        };
        at = match value.filter(|value| !value.is_empty()) {
            Some(value) => {
                let end = value.end;
                edits.replace(value, REMOVED);
                end
            }
            None => behind,
        };
    }
    edits.finish()
}

struct Scan<'a> {
    text: &'a str,
    /// `true` if the text is in the `Debug` output of a `url::Url`, before its query or fragment.
    is_in_url: bool,
}

impl Scan<'_> {
    /// Returns the value behind a separator at `at`, if the name before the separator suggests a secret.
    fn value(&mut self, separator: u8, at: usize, behind: usize, is_encoded: bool) -> Option<Range<usize>> {
        let name = self.name_before(at)?;
        // `http://token:8080/` is a host.
        let is_host = separator == b':' && self.byte(name.start.wrapping_sub(1)) == b'/';
        let name = self.text.get(name).filter(|_| !is_host)?;
        let snake = snake_case(name);
        // url::Url { scheme: "http", cannot_be_a_base: false, username: "u", password: Some("p"), .., query: Some("q"),
        // .. }
        let is_of_url = self.is_in_url && separator == b':' && matches!(name, "username" | "query" | "fragment");
        self.is_in_url |= name == "cannot_be_a_base";
        self.is_in_url &= name != "fragment";
        if is_of_url {
            return self.quoted(self.without_wrappers(behind));
        }
        if !suggests_secret(name, SECRET_NAMES, true) {
            return None;
        }
        match separator {
            b'(' => self.quoted(self.without_wrappers(behind)),
            b'>' => self.element(name, behind),
            b'=' => self.assigned(at, behind, is_encoded),
            _ => self.labelled(name, &snake, behind),
        }
    }

    /// Returns the name that ends before a separator: `name=`, `name =`, `"name":` or `\"name\":`.
    fn name_before(&self, separator: usize) -> Option<Range<usize>> {
        const MAX_BYTES: usize = 64;
        let before = self.text[..separator].trim_end_matches(' ').trim_end_matches(['"', '\'']).trim_end_matches('\\');
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-".contains(byte);
        let start = before.len() - before.bytes().rev().take(MAX_BYTES).take_while(is_name).count();
        // The name in `%26token%3D` is `token`, although `26` could be a part of it.
        let escape = start.checked_sub(1).filter(|escape| self.byte(*escape) == b'%');
        let start = escape.map_or(start, |escape| escape + decode(&before.as_bytes()[escape..]).length);
        Some(start..before.len()).filter(|name| !name.is_empty())
    }

    /// Returns the text of an XML element, behind the `>` of its first tag.
    fn element(&self, name: &str, behind: usize) -> Option<Range<usize>> {
        let length = self.text[behind..].find('<')?;
        let end = self.text[behind + length..].strip_prefix("</")?.split('>').next()?;
        end.ends_with(name).then_some(behind..behind + length)
    }

    /// Returns the value behind a `=`.
    fn assigned(&self, separator: usize, behind: usize, is_encoded: bool) -> Option<Range<usize>> {
        let before = self.byte(separator.wrapping_sub(1));
        // A comparison, not an assignment.
        if b"=!<>".contains(&before) || b"=~".contains(&self.byte(behind)) {
            return None;
        }
        // `"name" => "value"`
        let behind = if self.byte(behind) == b'>' { behind + 1 } else { behind };
        // `name = value` and `name= value`.
        let value = if before == b' ' || self.byte(behind) == b' ' { self.without_spaces(behind) } else { behind };
        if let Some(quoted) = self.quoted(self.without_wrappers(value)).or_else(|| self.list(value)) {
            return Some(quoted);
        }
        let mut end = value;
        while end < self.text.len() {
            let character = decode(&self.text.as_bytes()[end..]);
            let is_separator =
                matches!(character.byte, b'&' | b';' | b'"' | b'#') && (is_encoded || character.level == 0);
            if is_separator || character.byte.is_ascii_whitespace() && character.level == 0 {
                break;
            }
            end += character.length;
        }
        Some(value..self.without_punctuation(value..end))
    }

    /// Returns the value behind a `:`.
    fn labelled(&self, name: &str, snake: &str, behind: usize) -> Option<Range<usize>> {
        if self.byte(behind) == b':' {
            return None;
        }
        let value = self.without_wrappers(behind);
        if let Some(quoted) = self.quoted(value).or_else(|| self.list(value)) {
            return Some(quoted);
        }
        let value = self.without_spaces(behind);
        let word = self.start_of_word(value);
        if snake.ends_with("authorization") {
            let is_scheme = |scheme: &&str| self.text[word.clone()].eq_ignore_ascii_case(scheme);
            if ["basic", "bearer", "token", "negotiate", "ntlm"].iter().any(&is_scheme) {
                let next = self.word(self.without_spaces(word.end));
                return Some(value..self.without_punctuation(next).max(word.end));
            }
            if ["digest", "aws4-hmac-sha256", "hawk", "oauth"].iter().any(&is_scheme) {
                return Some(value..self.end_of_line(value));
            }
        }
        if snake.ends_with("cookie") && self.text[word.clone()].contains('=') {
            return Some(value..self.end_of_line(value));
        }
        let text = &self.text[value..self.without_punctuation(word.clone())];
        let is_last = !self.text[word.end..].starts_with(' ');
        let is_password =
            ["password", "passwd", "passphrase", "passcode", "pwd"].iter().any(|name| snake.ends_with(name));
        let is_nothing = ["None", "null", "nil", "undefined", "true", "false", "Some"].contains(&text);
        let is_secret = is_opaque(text) || name.contains('-') || is_password && is_last;
        (is_secret && !is_nothing).then(|| value..self.without_punctuation(self.word(value)))
    }

    /// Returns the credentials behind the name of a scheme and a space: `Basic dTpw`, `Bearer eyJhbGciOi`.
    fn credentials(&self, space: usize) -> Option<Range<usize>> {
        let before = &self.text.as_bytes()[..space];
        let is_scheme = |scheme: &&str| {
            let start = before.len().checked_sub(scheme.len());
            start.is_some_and(|start| {
                let is_word = start == 0 || !before[start - 1].is_ascii_alphanumeric();
                is_word && before[start..].eq_ignore_ascii_case(scheme.as_bytes())
            })
        };
        if !["basic", "bearer"].iter().any(&is_scheme) {
            return None;
        }
        let word = self.start_of_word(space + 1);
        let is_secret = is_opaque(&self.text[word.start..self.without_punctuation(word.clone())]);
        is_secret.then(|| word.start..self.without_punctuation(self.word(word.start)))
    }

    /// Returns the byte at a position; 0 beyond the end.
    fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or(0)
    }

    fn without_spaces(&self, from: usize) -> usize {
        self.text.len() - self.text[from..].trim_start().len()
    }

    /// Returns the position behind `Some(`, `Secret(`, `b` and white space.
    fn without_wrappers(&self, from: usize) -> usize {
        const MAX_WRAPPERS: usize = 4;
        let mut at = self.without_spaces(from);
        for _ in 0..MAX_WRAPPERS {
            let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_:".contains(byte);
            let name = self.text.as_bytes()[at..].iter().take(64).take_while(|byte| is_name(byte)).count();
            if name == 0 || self.byte(at + name) != b'(' {
                break;
            }
            at = self.without_spaces(at + name + 1);
        }
        at
    }

    /// Returns the range of the text in the quotes that open at a position: `".."`, `'..'`, `\"..\"` or `b".."`.
    fn quoted(&self, at: usize) -> Option<Range<usize>> {
        let at = if self.byte(at) == b'b' { at + 1 } else { at };
        let backslashes = self.text.as_bytes().get(at..)?.iter().take_while(|byte| **byte == b'\\').count();
        let quote = self.byte(at + backslashes);
        if quote != b'"' && quote != b'\'' {
            return None;
        }
        let start = at + backslashes + 1;
        let mut escapes = 0;
        for (offset, byte) in self.text.as_bytes()[start..].iter().enumerate() {
            // A quote inside has more backslashes before it than the opening one, or an odd number.
            let is_end = *byte == quote && if backslashes == 0 { escapes % 2 == 0 } else { escapes <= backslashes };
            if is_end {
                return Some(start..start + offset - if backslashes == 0 { 0 } else { escapes });
            }
            escapes = if *byte == b'\\' { escapes + 1 } else { 0 };
        }
        Some(start..self.text.len())
    }

    /// Returns the range of the text in the square brackets that open at a position.
    fn list(&self, at: usize) -> Option<Range<usize>> {
        if self.byte(at) != b'[' || self.text[at..].starts_with(REMOVED) {
            return None;
        }
        if self.text[at + 1..].starts_with(REMOVED) {
            return Some(at + 1..at + 1 + REMOVED.len());
        }
        let end = self.text[at..].find(']').map_or(self.text.len(), |end| at + end);
        Some(at + 1..end)
    }

    /// Returns the word that begins at a position.
    fn word(&self, start: usize) -> Range<usize> {
        let length = self.text[start..].find(|character: char| character.is_whitespace() || character == '"');
        start..length.map_or(self.text.len(), |length| start + length)
    }

    /// Returns the first bytes of the word that begins at a position. They are few, so that a text with many names does
    /// not take quadratic time.
    fn start_of_word(&self, start: usize) -> Range<usize> {
        const MAX_BYTES: usize = 128;
        let text = first_bytes(&self.text[start..], MAX_BYTES);
        let length = text.find(|character: char| character.is_whitespace() || character == '"');
        start..start + length.unwrap_or(text.len())
    }

    /// Returns the end of a part without the punctuation at its end.
    fn without_punctuation(&self, part: Range<usize>) -> usize {
        let text = &self.text[part.clone()];
        if text.starts_with(REMOVED) && text[REMOVED.len()..].bytes().all(|byte| b")]}>,.'`!?\\".contains(&byte)) {
            return part.start + REMOVED.len();
        }
        part.start + text.trim_end_matches([')', ']', '}', '>', ',', ';', '.', '\'', '`', '!', '?', '\\']).len()
    }

    /// Returns the end of the line that a position is in. In the text of a `Debug` a line ends with `\n`.
    fn end_of_line(&self, from: usize) -> usize {
        let rest = &self.text[from..];
        let end = ["\n", "\r", "\\n", "\\r"].iter().filter_map(|end| rest.find(end)).min();
        end.map_or(self.text.len(), |end| from + end)
    }
}

/// Returns whether a word looks like a secret: at least six characters, letters and digits mixed or letters in both
/// cases.
fn is_opaque(word: &str) -> bool {
    let has = |is: fn(&u8) -> bool| word.bytes().any(|byte| is(&byte));
    let has_upper_inside = word.bytes().skip(1).any(|byte| byte.is_ascii_uppercase());
    let is_mixed =
        has(u8::is_ascii_alphabetic) && has(u8::is_ascii_digit) || has(u8::is_ascii_lowercase) && has_upper_inside;
    word.len() >= 6 && is_mixed && word.is_ascii()
}
