//! Removes the user name, the password, the query and the fragment of each URL in a text.
//!
//! A URL is found in every form in which a client or a message may show it: in a path, in a list, percent-encoded any
//! number of times, with the slashes that JSON escapes (`https:\/\/`), with slashes that are missing or turned round
//! (`http:/h`, `http:\\h`), and without a scheme (`user:password@host:443`, `GET /path?token=..`).
//!
//! Where a text can be read in two ways, more is removed rather than less.

use std::borrow::Cow;
use std::ops::Range;

use super::edits::Edits;

/// Returns whether clients read a backslash as a slash in URLs with this scheme, and take any number of slashes behind
/// it. (WHATWG URL, "special scheme".)
pub(crate) fn is_special_scheme(scheme: &str) -> bool {
    ["http", "https", "ws", "wss", "ftp"].iter().any(|special| scheme.eq_ignore_ascii_case(special))
}

/// Returns whether clients read a byte as a slash.
pub(crate) fn is_slash(byte: u8) -> bool {
    matches!(byte, b'/' | b'\\')
}

/// Returns a text without the user names, passwords, queries and fragments of its URLs.
pub(super) fn cleaned(text: &str) -> Cow<'_, str> {
    let mut edits = Edits::new(text);
    let mut end = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        let start = end;
        end += word.len();
        if has_marks(word.as_bytes()) {
            Word::new(start, word.trim_end()).clean(&mut edits);
        }
    }
    edits.finish()
}

/// Returns whether a word contains a character next to which a secret may be: `@`, `?`, `#`, or the `;` of JDBC.
fn has_marks(word: &[u8]) -> bool {
    characters(word).any(|character| matches!(character.byte, b'@' | b'?' | b'#' | b';'))
}

/// Limit on the backslashes before a slash or a quote that are read. Each level of JSON inside JSON doubles them.
const MAX_BACKSLASHES: usize = 15;

/// A character as the parser of a URL may read it.
pub(crate) struct Decoded {
    /// The character, or 0 if it is not ASCII.
    pub(crate) byte: u8,
    /// How many times it is percent-encoded.
    pub(crate) level: u8,
    /// The length in bytes in the text.
    pub(crate) length: usize,
}

/// Reads the first character: plain, percent-encoded any number of times (`%2F`, `%252F`), or a slash behind
/// backslashes (`\/`).
pub(super) fn decode(text: &[u8]) -> Decoded {
    let hex = |at: usize| text.get(at).and_then(|digit| char::from(*digit).to_digit(16));
    let plain = |byte: u8| Decoded { byte: if byte.is_ascii() { byte } else { 0 }, level: 0, length: 1 };
    match text {
        [b'%', ..] => {
            // `%25` is an encoded `%`. As long as two more digits follow, it begins another escape.
            let (mut at, mut level) = (1, 1);
            while text[at..].starts_with(b"25") && hex(at + 2).is_some() && hex(at + 3).is_some() {
                (at, level) = (at + 2, u8::saturating_add(level, 1));
            }
            match (hex(at), hex(at + 1)) {
                (Some(high), Some(low)) => {
                    let byte = u8::try_from(high * 16 + low).ok().filter(u8::is_ascii).unwrap_or(0);
                    Decoded { byte, level, length: at + 2 }
                }
                _ => plain(b'%'),
            }
        }
        [b'\\', ..] => {
            let backslashes = text.iter().take(MAX_BACKSLASHES).take_while(|byte| **byte == b'\\').count();
            match text.get(backslashes) {
                Some(b'/') => Decoded { byte: b'/', level: 0, length: backslashes + 1 },
                _ => plain(b'\\'),
            }
        }
        [byte, ..] => plain(*byte),
        [] => plain(0),
    }
}

/// Returns the characters of a text; see [`decode`]. Those outside ASCII are returned byte by byte.
pub(crate) fn characters(mut text: &[u8]) -> impl Iterator<Item = Decoded> {
    std::iter::from_fn(move || {
        let character = (!text.is_empty()).then(|| decode(text))?;
        text = &text[character.length..];
        Some(character)
    })
}

/// A word of a text: a part without white space.
struct Word {
    characters: Vec<Character>,
    /// The end of the word in the text.
    end: usize,
    /// `true` if the word is a JDBC URL, whose parameters follow a `;`.
    is_jdbc: bool,
}

#[derive(Clone, Copy)]
struct Character {
    byte: u8,
    level: u8,
    /// The position in the text.
    start: usize,
}

/// A URL in a word.
struct FoundUrl {
    scheme: usize,
    authority: usize,
    level: u8,
}

impl Word {
    fn new(offset: usize, text: &str) -> Self {
        let mut characters = Vec::with_capacity(text.len());
        let mut at = 0;
        while at < text.len() {
            let Decoded { byte, level, length } = decode(&text.as_bytes()[at..]);
            characters.push(Character { byte, level, start: offset + at });
            at += length;
        }
        let begin = text.trim_start_matches(|character: char| !character.is_alphanumeric());
        let is_jdbc = begin.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("jdbc:"));
        Self { characters, end: offset + text.len(), is_jdbc }
    }

    fn len(&self) -> usize {
        self.characters.len()
    }

    /// Returns the character at an index; 0 beyond the end.
    fn byte(&self, index: usize) -> u8 {
        self.characters.get(index).map_or(0, |character| character.byte)
    }

    /// Returns the position in the text.
    fn position(&self, index: usize) -> usize {
        self.characters.get(index).map_or(self.end, |character| character.start)
    }

    fn remove(&self, part: Range<usize>, edits: &mut Edits<'_>) {
        edits.replace(self.position(part.start)..self.position(part.end), "");
    }

    /// Cleans the word: the text before a URL, then the URL, and so on.
    fn clean(&self, edits: &mut Edits<'_>) {
        let (mut at, mut is_in_path) = (0, false);
        while at < self.len() {
            let url = self.next_url(at..self.len(), 0);
            let plain = at..url.as_ref().map_or(self.len(), |url| url.scheme);
            is_in_path |= plain.clone().any(|index| is_slash(self.byte(index)));
            let start = at;
            (at, is_in_path) = match (self.clean_plain(plain, edits), url) {
                (Some(next), _) => (next, false),
                (None, Some(url)) => self.clean_url(&url, is_in_path, edits),
                (None, None) => return,
            };
            debug_assert!(at > start, "each step goes forward, so the loop ends");
        }
    }

    /// Returns the first URL in a part of the word that has at least `least_slashes` slashes behind its scheme.
    fn next_url(&self, part: Range<usize>, least_slashes: usize) -> Option<FoundUrl> {
        part.clone().find_map(|index| self.url_at(index, part.start, least_slashes))
    }

    /// Returns the URL whose scheme ends at this `:`, or that begins with these two slashes.
    fn url_at(&self, index: usize, from: usize, least_slashes: usize) -> Option<FoundUrl> {
        let slashes = |index: usize| (index..self.len()).take_while(|index| is_slash(self.byte(*index))).count();
        let level =
            |range: Range<usize>| self.characters[range].iter().map(|character| character.level).max().unwrap_or(0);
        if self.byte(index) == b':' {
            let scheme = self.scheme_before(index, from);
            let name: String = (scheme..index).map(|index| char::from(self.byte(index))).collect();
            let (count, is_special) = (slashes(index + 1), is_special_scheme(&name));
            let begins_host = self.byte(index + 1).is_ascii_alphanumeric() || self.byte(index + 1) == b'[';
            let is_url = match count {
                count if count < least_slashes => false,
                // `http:user:password@host`
                0 => is_special && begins_host && self.is_opening(scheme, b"/"),
                1 => is_special,
                _ => true,
            };
            // The authority of a `file:///path` is empty. In other URLs clients skip further slashes.
            let count = if name.eq_ignore_ascii_case("file") { count.min(2) } else { count };
            return is_url.then(|| FoundUrl {
                scheme,
                authority: index + 1 + count,
                level: level(index..index + 1 + count),
            });
        }
        // `//host/path`. In `/a//b` it is a part of the path.
        let is_start = is_slash(self.byte(index)) && self.is_opening(index, b"") && slashes(index) >= 2;
        is_start.then(|| FoundUrl { scheme: index, authority: index + slashes(index), level: level(index..index + 2) })
    }

    /// Returns the index at which a scheme before this `:` begins. (RFC 3986, section 3.1.)
    fn scheme_before(&self, colon: usize, from: usize) -> usize {
        let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        (from..colon).rev().take_while(|index| is_scheme(self.byte(*index))).last().unwrap_or(colon)
    }

    /// Returns whether a part of its own begins here: at the start of the word, or behind a character that opens one.
    fn is_opening(&self, index: usize, others: &[u8]) -> bool {
        let before = index.checked_sub(1).map(|before| self.byte(before));
        before.is_none_or(|before| b"\"'`<>([{=,;|&".contains(&before) || others.contains(&before))
    }

    /// Returns the index at which a part that begins here ends: at the closing quote if an opening quote precedes it.
    fn end_of_part(&self, start: usize) -> usize {
        let Some(opening) = start.checked_sub(1) else { return self.len() };
        let backslashes = |quote: usize| {
            (0..quote).rev().take(MAX_BACKSLASHES).take_while(|index| self.byte(*index) == b'\\').count()
        };
        let found = match self.byte(opening) {
            // A query may contain a quote too. The closing one is not followed by a letter or by another quote, and has
            // no more backslashes before it than the opening one.
            b'"' => {
                let depth = backslashes(opening);
                let ends = |quote: usize| quote + 1 == self.len() || b",:;)]}>.\\".contains(&self.byte(quote + 1));
                let is_closing = |quote: usize| self.byte(quote) == b'"' && backslashes(quote) <= depth && ends(quote);
                (start..self.len()).find(|quote| is_closing(*quote)).map(|quote| quote - backslashes(quote).min(depth))
            }
            b'<' => (start..self.len()).rfind(|index| self.byte(*index) == b'>'),
            b'>' => (start..self.len()).find(|index| self.byte(*index) == b'<' && self.byte(index + 1) == b'/'),
            // `'` and a backtick are legal in a query, so they do not end it.
            _ => None,
        };
        found.unwrap_or(self.len())
    }

    /// Removes a part that begins with `?` or `#`, up to `end`. Punctuation at its end belongs to the sentence.
    ///
    /// ```text
    /// Input:  (http://host/?a=1).
    /// Output: (http://host/).
    /// ```
    fn remove_query(&self, start: usize, end: usize, edits: &mut Edits<'_>) {
        let query = start + 1..self.without_punctuation(start + 1..end);
        if !query.is_empty() {
            self.remove(start..query.end, edits);
        }
    }

    /// Returns the end of a part without the punctuation at its end.
    fn without_punctuation(&self, part: Range<usize>) -> usize {
        part.start + part.clone().rev().skip_while(|index| self.is_closer(*index)).count()
    }

    fn is_closer(&self, index: usize) -> bool {
        b")]}>,;:.'\"`!?<\\".contains(&self.byte(index)) && self.characters[index].level == 0
    }

    /// Removes the secrets of a URL. Returns the index at which the text goes on, and whether that is in the URL's
    /// path.
    fn clean_url(&self, url: &FoundUrl, is_in_path: bool, edits: &mut Edits<'_>) -> (usize, bool) {
        // The slashes of a URL may be the backslashes before its closing quote. Then the quote does not end it: without
        // a step forward, the caller would find this URL repeatedly.
        let limit = Some(self.end_of_part(url.scheme)).filter(|limit| *limit >= url.authority).unwrap_or(self.len());
        let is_at = |index: &usize| self.byte(*index) == b'@';
        // In a plain URL `%3F` is a part of the path. In a URL that is encoded or is in the path of another, it may
        // begin the query.
        let mut reads_encoded = is_in_path || url.level > 0;
        let mut path = self.end_of_authority(url.authority..limit, reads_encoded);
        // A list: `http://a,http://b`. The scheme of the second URL is not a part of the first authority. A user may be
        // called `http`, so a scheme without slashes does not count here.
        let next = self.next_url(url.authority..path, 2);
        path = next.as_ref().map_or(path, |next| next.scheme);
        if let Some(at) = (url.authority..path).rev().find(is_at) {
            reads_encoded |= self.characters[at].level > 0;
            self.remove(url.authority..at + 1, edits);
        } else if next.is_none() && self.has_invalid_port(url.authority..path) {
            // `http://user:pass/word@host`: no client takes it, and its error may show it.
            if let Some(at) = (path..limit).rev().find(|index| is_at(index) && self.begins_host(index + 1)) {
                // Another URL may precede the `@`, with encoded slashes and an encoded query.
                reads_encoded |= (path..=at).any(|index| self.characters[index].level > 0);
                if (path..at).any(|index| self.ends_path(index, reads_encoded)) {
                    self.remove(url.authority..self.without_punctuation(url.authority..limit), edits);
                    return (limit, false);
                }
                self.remove(url.authority..at + 1, edits);
                path = self.end_of_authority(at + 1..limit, reads_encoded);
            }
        }
        let next = self.next_url(path..limit, 0).map_or(limit, |next| next.scheme);
        if let Some(query) = (path..next).find(|index| self.ends_path(*index, reads_encoded)) {
            self.clean_credentials(path..query, edits);
            self.remove_query(query, limit, edits);
            return (limit, false);
        }
        self.clean_credentials(path..next, edits);
        (next, next < limit)
    }

    /// Returns the end of the authority that begins a part.
    fn end_of_authority(&self, part: Range<usize>, reads_encoded: bool) -> usize {
        let begins_path = |index: usize| {
            let Character { byte, level, .. } = self.characters[index];
            (reads_encoded || level == 0) && (is_slash(byte) || b"?#".contains(&byte) || self.is_jdbc && byte == b';')
        };
        part.clone().find(|index| begins_path(*index)).unwrap_or(part.end)
    }

    /// Returns whether the path of a URL ends here.
    fn ends_path(&self, index: usize, reads_encoded: bool) -> bool {
        let Character { byte, level, .. } = self.characters[index];
        (reads_encoded || level == 0) && (b"?#".contains(&byte) || self.is_jdbc && b";:".contains(&byte))
    }

    /// Returns whether an authority has a port that is not a number.
    fn has_invalid_port(&self, authority: Range<usize>) -> bool {
        let host = match self.byte(authority.start) {
            b'[' => authority.clone().find(|index| self.byte(*index) == b']').unwrap_or(authority.start),
            _ => authority.start,
        };
        let port = (host..authority.end).find(|index| self.byte(*index) == b':');
        port.is_some_and(|colon| (colon + 1..authority.end).any(|index| !self.byte(index).is_ascii_digit()))
    }

    /// Removes the secrets of a part that is no URL: a query behind a path, and `user:password@`. Returns the index
    /// behind a query.
    fn clean_plain(&self, part: Range<usize>, edits: &mut Edits<'_>) -> Option<usize> {
        if self.is_jdbc && part.start == 0 {
            return self.clean_jdbc(part, edits);
        }
        let Some(query) = self.relative_query(part.clone()) else {
            self.clean_credentials(part, edits);
            return None;
        };
        let start = (part.start..=query).rev().find(|index| self.is_opening(*index, b"")).unwrap_or(part.start);
        let end = self.end_of_part(start);
        self.clean_credentials(part.start..query, edits);
        self.remove_query(query, end, edits);
        Some(end)
    }

    /// Returns the index of the first query of a part that is no URL: `/path?..`, `path?name=..` or `/path#name=..`.
    fn relative_query(&self, part: Range<usize>) -> Option<usize> {
        let mut is_in_path = false;
        part.clone().find(|index| {
            if self.is_opening(*index, b"") || *index == part.start {
                is_in_path = self.byte(*index) == b'/';
            }
            match self.byte(*index) {
                _ if self.characters[*index].level > 0 => false,
                // The first `?` of a path. A pattern such as `/colou?r/` is not a path.
                b'?' if is_in_path => {
                    is_in_path = false;
                    let length = self.name_length(index + 1);
                    let is_end = index + 1 == self.len() || length == 0 && self.is_closer(index + 1);
                    !is_end && !is_slash(self.byte(index + 1 + length))
                }
                b'?' => self.begins_parameter(index + 1),
                b'#' => is_in_path && self.begins_parameter(index + 1),
                _ => false,
            }
        })
    }

    /// Returns whether `name=` begins here.
    fn begins_parameter(&self, index: usize) -> bool {
        let length = self.name_length(index);
        length > 0 && self.byte(index + length) == b'='
    }

    /// Returns the length of the name of a parameter.
    fn name_length(&self, start: usize) -> usize {
        let is_name =
            |index: &usize| self.byte(*index).is_ascii_alphanumeric() || b"_-.~+*[]".contains(&self.byte(*index));
        (start..self.len()).take_while(is_name).count()
    }

    /// Cleans a JDBC URL without `//`, or the text before the `//`: `jdbc:oracle:thin:user/password@host:1521:name`.
    fn clean_jdbc(&self, part: Range<usize>, edits: &mut Edits<'_>) -> Option<usize> {
        let colon = |index: &usize| self.byte(*index) == b':';
        let is_kind = |index: &usize| self.byte(*index).is_ascii_alphanumeric() || colon(index);
        let start = part.clone().find(|index| self.byte(*index).is_ascii_alphanumeric()).unwrap_or(part.start);
        let kind = (start..part.end).take_while(is_kind).filter(colon).last().map_or(part.start, |colon| colon + 1);
        if let Some(at) = part.clone().rev().find(|index| self.byte(*index) == b'@').filter(|at| *at > kind) {
            self.remove(kind..at, edits);
            return Some(at + 1).filter(|next| *next < part.end);
        }
        let parameters = part.clone().find(|index| b"?#;".contains(&self.byte(*index)))?;
        self.remove_query(parameters, self.len(), edits);
        Some(self.len())
    }

    /// Removes each `user:password@` in a part of the word.
    fn clean_credentials(&self, part: Range<usize>, edits: &mut Edits<'_>) {
        let is_boundary = |index: &usize| is_slash(self.byte(*index)) || b"\"<>".contains(&self.byte(*index));
        let mut start = part.start;
        while start < part.end {
            let end = (start..part.end).find(is_boundary).unwrap_or(part.end);
            // The last `@`: a password may contain one.
            let at = (start..end).rev().find(|index| self.byte(*index) == b'@' && self.begins_host(index + 1));
            if let Some((user, at)) = at.and_then(|at| Some((self.user(start..at)?, at))) {
                self.remove(user..at + 1, edits);
            }
            start = end + 1;
        }
    }

    /// Returns the index at which `user:password` begins.
    fn user(&self, part: Range<usize>) -> Option<usize> {
        let is_user = |index: &usize| {
            let byte = self.byte(*index);
            byte.is_ascii_alphanumeric() || byte == 0 || b"._~%+*-".contains(&byte)
        };
        part.clone().find_map(|colon| {
            let is_path = self.byte(colon + 1) == b':' || colon > part.start && self.byte(colon - 1) == b':';
            if self.byte(colon) != b':' || is_path {
                return None;
            }
            let start = (part.start..colon).rev().take_while(is_user).last()?;
            let name: String = (start..colon).map(|index| char::from(self.byte(index))).collect();
            // `10:30@home` is a time, `mailto:me@host` an address.
            let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
            let is_scheme =
                ["data", "mailto", "sip", "sips", "acct", "xmpp", "npm", "pkg"].contains(&&*name.to_ascii_lowercase());
            (!is_number && !is_scheme && colon + 1 < part.end).then_some(start)
        })
    }

    /// Returns whether a host may begin here, and not a version (`name@1.2.3`) or a digest (`image:tag@sha256:..`).
    fn begins_host(&self, index: usize) -> bool {
        let Some(first) = self.characters.get(index) else { return false };
        let text: Vec<u8> = (index..self.len()).take(16).map(|index| self.byte(index)).collect();
        let is_digest = [&b"sha256:"[..], b"sha512:"].iter().any(|digest| text.starts_with(digest));
        let number = text.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
        let parts = text[..number].split(|byte| *byte == b'.').count();
        let is_version = number > 0 && parts < 4 && !text.get(number).is_some_and(u8::is_ascii_alphabetic);
        let is_first = first.byte.is_ascii_alphanumeric() || first.byte == 0 || first.byte == b'[';
        is_first && !is_digest && !is_version
    }
}
