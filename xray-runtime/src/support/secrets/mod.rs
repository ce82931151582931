//! Removes secrets from texts before they are recorded or logged.
//!
//! A text comes from the program, from a client or from the network, and everybody with access to the traces can read
//! what is recorded of it. [`cleaned`] removes, wherever it is in the text:
//!
//! * the user name, password, query and fragment of a URL: [`urls`];
//! * the value of a name that suggests a secret, such as `password=..` or `"token": ".."`: [`values`].
//!
//! A secret without such a sign is not found: `the key 7f3a was refused`, or the path `/reset/7f3a`.
//
// No crate does this. `linkify` finds well-formed URLs only: neither `http:/u:p@h` nor `https%3A%2F%2Fu:p@h` nor
// `u:p@h:443`. `secrecy` and `veil` are for types, and a text has none.

mod edits;
mod names;
#[cfg(test)]
mod tests;
mod urls;
mod values;

use std::borrow::Cow;
use std::fmt;

#[cfg(any(feature = "tracing", test))]
pub(crate) use self::names::SECRET_NAMES;
#[cfg(feature = "tracing")]
pub(crate) use self::names::{snake_case, suggests_secret};
pub(crate) use self::urls::{Decoded, characters, is_slash, is_special_scheme};
use crate::support::text::{BoundedText, first_bytes, first_chars};

/// Limit on the bytes of a text that are read. No recorded text is longer, except in metadata and SQL queries, which
/// are recorded as the program gives them.
const MAX_BYTES: usize = 4 * 1024;

/// Returns a text without its secrets, at most `max_chars` characters. Reads the first 4 KiB.
pub(crate) fn recorded(text: &str, max_chars: usize) -> Cow<'_, str> {
    match cleaned(start_of(text)) {
        Cow::Borrowed(text) => Cow::Borrowed(first_chars(text, max_chars)),
        Cow::Owned(mut text) => {
            text.truncate(first_chars(&text, max_chars).len());
            // The capacity of a string that is cut remains.
            text.shrink_to_fit();
            Cow::Owned(text)
        }
    }
}

/// Like [`recorded`], for a value that is formatted. Formats the first 4 KiB. Returns `None` if `value` returns an
/// error.
pub(crate) fn recorded_display<T: fmt::Display + ?Sized>(value: &T, max_chars: usize) -> Option<String> {
    // As many bytes as `part_that_is_read` returns.
    let (text, _) = BoundedText::of(value, MAX_BYTES + 4)?;
    Some(recorded(&text, max_chars).into_owned())
}

/// Returns the part of a text that [`recorded`] reads, and a little more, so that `recorded` can see that the text is
/// longer.
pub(crate) fn part_that_is_read(text: &str) -> &str {
    // A cut between characters loses up to three bytes.
    first_bytes(text, MAX_BYTES + 4)
}

/// Removes the secrets of a text. Returns a text that has no secrets unchanged, without a copy.
fn cleaned(text: &str) -> Cow<'_, str> {
    // URLs first. A secret in a URL may look like a named value, but its end is the URL's: `http://u:token=x@host/`.
    match urls::cleaned(text) {
        Cow::Borrowed(text) => values::cleaned(text),
        Cow::Owned(text) => Cow::Owned(values::cleaned(&text).into_owned()),
    }
}

/// Returns the start of a text that is read.
///
/// A cut may be inside `user:password@host`, and without the `@` the password looks like a port. So the last word ends
/// before the first character that may be between the two.
fn start_of(text: &str) -> &str {
    if text.len() <= MAX_BYTES {
        return text;
    }
    let start = first_bytes(text, MAX_BYTES);
    let word = start.rfind(char::is_whitespace).unwrap_or(0);
    let end = start[word..].find([':', '/', '\\', '%']).map_or(start.len(), |mark| word + mark);
    &start[..end]
}
