//! Writes JSON objects and lists piece by piece.
//
// This code takes half the time of serde_json on structs. A span has about 25 keys, and serde_json would search each of
// them for characters to escape. The structs would need allocated lists of attributes.

use std::mem;

use serde::Serialize;

/// A JSON object that is being written. Its keys need no escape.
pub(crate) struct Object<'b> {
    buffer: &'b mut Vec<u8>,
    is_empty: bool,
}

impl<'b> Object<'b> {
    /// Begins an object.
    pub(crate) fn begin(buffer: &'b mut Vec<u8>) -> Self {
        buffer.push(b'{');
        Self { buffer, is_empty: true }
    }

    /// Ends the object.
    pub(crate) fn end(self) {
        self.buffer.push(b'}');
    }

    /// Writes a key, and returns the buffer for its value.
    // Inlined, because a copy of a text whose length is known takes two instructions instead of a function call.
    #[inline]
    pub(crate) fn key(&mut self, key: &'static str) -> &mut Vec<u8> {
        let begin: &[u8] = if mem::replace(&mut self.is_empty, false) { b"\"" } else { b",\"" };
        self.buffer.extend_from_slice(begin);
        self.buffer.extend_from_slice(key.as_bytes());
        self.buffer.extend_from_slice(b"\":");
        self.buffer
    }

    /// Writes a text.
    #[inline]
    pub(crate) fn text(&mut self, key: &'static str, text: &str) {
        write_text(self.key(key), text);
    }

    /// Writes a text that is given by its bytes in UTF-8.
    #[inline]
    pub(crate) fn utf8(&mut self, key: &'static str, text: &[u8]) {
        write_utf8(self.key(key), text);
    }

    /// Writes a text, if there is one.
    pub(crate) fn optional_text(&mut self, key: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(key, text);
        }
    }

    /// Writes a text that needs no escape, such as hex digits.
    #[inline]
    pub(crate) fn plain_text(&mut self, key: &'static str, text: &[u8]) {
        write_plain_text(self.key(key), text);
    }

    /// Writes a number.
    #[inline]
    pub(crate) fn number(&mut self, key: &'static str, number: impl itoa::Integer) {
        self.key(key).extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    }

    /// Writes any other value.
    pub(crate) fn value(&mut self, key: &'static str, value: &(impl Serialize + ?Sized)) {
        write_value(self.key(key), value);
    }

    /// Begins an object in this one.
    #[inline]
    pub(crate) fn object(&mut self, key: &'static str) -> Object<'_> {
        Object::begin(self.key(key))
    }

    /// Writes a list. An empty list is left out, with its key.
    pub(crate) fn list(&mut self, key: &'static str, write: impl FnOnce(&mut List<'_>)) {
        let (before, was_empty) = (self.buffer.len(), self.is_empty);
        self.key(key).push(b'[');
        let mut list = List { buffer: self.buffer, is_empty: true };
        write(&mut list);
        if list.is_empty {
            self.buffer.truncate(before);
            self.is_empty = was_empty;
        } else {
            self.buffer.push(b']');
        }
    }
}

/// A JSON list that is being written.
pub(crate) struct List<'b> {
    buffer: &'b mut Vec<u8>,
    is_empty: bool,
}

impl List<'_> {
    /// Begins the next item, and returns the buffer for it.
    pub(crate) fn item(&mut self) -> &mut Vec<u8> {
        if !mem::replace(&mut self.is_empty, false) {
            self.buffer.push(b',');
        }
        self.buffer
    }

    /// Begins the next object.
    pub(crate) fn object(&mut self) -> Object<'_> {
        Object::begin(self.item())
    }
}

/// Appends a text.
pub(crate) fn write_text(buffer: &mut Vec<u8>, text: &str) {
    write_utf8(buffer, text.as_bytes());
}

fn write_utf8(buffer: &mut Vec<u8>, text: &[u8]) {
    // Few texts have a character to escape. `serde_json` would look at one byte after the other.
    if needs_escape(text) {
        write_value(buffer, &String::from_utf8_lossy(text));
    } else {
        write_plain_text(buffer, text);
    }
}

/// Returns whether a text contains a character that JSON escapes: a control character, `"`, or a backslash.
///
/// Looks at eight bytes at a time, because most texts are shorter than the compiler's loops over vectors.
fn needs_escape(text: &[u8]) -> bool {
    const EACH: u64 = u64::from_ne_bytes([1; 8]);
    // The subtraction sets the highest bit of the first byte that is less than `limit`, if there is one. `!word`
    // excludes bytes that had it before. (Sean Anderson, "Bit Twiddling Hacks", `hasless`.)
    let has_less = |word: u64, limit: u8| word.wrapping_sub(EACH * u64::from(limit)) & !word & (EACH << 7);
    let has = |word: u64, byte: u8| has_less(word ^ (EACH * u64::from(byte)), 1);
    let found = |word: u64| has_less(word, b' ') | has(word, b'"') | has(word, b'\\');

    let words = text.chunks_exact(8);
    let mut rest = [b' '; 8];
    rest[..words.remainder().len()].copy_from_slice(words.remainder());
    let words = words.filter_map(|word| word.try_into().ok()).map(u64::from_ne_bytes);
    words.fold(found(u64::from_ne_bytes(rest)), |any, word| any | found(word)) != 0
}

#[inline]
fn write_plain_text(buffer: &mut Vec<u8>, text: &[u8]) {
    buffer.push(b'"');
    buffer.extend_from_slice(text);
    buffer.push(b'"');
}

/// Appends a value as JSON, or `null` if `serde_json` cannot write it. This crate passes no such value.
pub(crate) fn write_value(buffer: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    let start = buffer.len();
    if serde_json::to_writer(&mut *buffer, value).is_err() {
        buffer.truncate(start);
        buffer.extend_from_slice(b"null");
    }
}

/// Returns what a function writes into an object.
#[cfg(test)]
pub(crate) fn written(write: impl FnOnce(&mut Object<'_>)) -> serde_json::Value {
    let mut json = Vec::new();
    let mut object = Object::begin(&mut json);
    write(&mut object);
    object.end();
    serde_json::from_slice(&json).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&json)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_empty_list_is_left_out_wherever_it_stands() {
        assert_eq!(written(|object| object.list("a", |_| ())), json!({}));
        let both = written(|object| {
            object.list("a", |_| ());
            object.value("b", &1);
            object.list("c", |_| ());
            object.object("d").end();
        });
        assert_eq!(both, json!({ "b": 1, "d": {} }));
    }

    #[test]
    fn texts_are_escaped_where_they_need_it() {
        for text in ["", "plain", "a\"b", "\\", "\n\u{1}\u{1f}", "\u{7f}\u{e9}\u{1f980}"] {
            assert_eq!(written(|object| object.text("text", text)), json!({ "text": text }));
        }
    }

    #[test]
    fn a_byte_that_needs_an_escape_is_found_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            let is_special = byte < b' ' || byte == b'"' || byte == b'\\';
            for length in 1..20 {
                for position in 0..length {
                    for other in [b' ', b'!', b'a', 0x7f, 0x80, 0xff] {
                        let mut text = vec![other; length];
                        text[position] = byte;
                        assert_eq!(needs_escape(&text), is_special, "{text:?}");
                    }
                }
            }
        }
        assert!(!needs_escape(b""));
    }

    #[test]
    fn a_value_that_is_no_json_becomes_null() {
        let no_json = std::collections::BTreeMap::from([((1, 2), 3)]);
        assert_eq!(written(|object| object.value("value", &no_json)), json!({ "value": null }));
    }
}
