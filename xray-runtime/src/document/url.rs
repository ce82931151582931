//! The part of a URL that may be recorded: never its credentials, query or fragment.
//!
//! Queries carry tokens and personal data, and everybody with access to the traces can read them. The other X-Ray SDKs
//! leave out the query too.

use std::borrow::Cow;

use super::MAX_STRING_CHARS;
use crate::support::text::first_chars;

/// A URL without its credentials, query and fragment, split into its parts.
///
/// Created by `into()` from a `&str`, a `&String` or an [`http::Uri`]. The parts borrow from the original: nothing is
/// copied. Any text is accepted. A text without `//` counts as a path.
///
/// ```
/// use xray::http::Url;
///
/// let url: Url<'_> = "https://user:password@example.com/pay?token=secret#top".into();
/// assert!(!format!("{url:?}").contains("password") && !format!("{url:?}").contains("secret"));
/// ```
// The `url` crate is not used: it allocates for each URL, normalises the text, and refuses what some clients send.
#[derive(Debug, Clone, Copy)]
pub struct Url<'a> {
    /// The scheme as in the original, with its colon if it was parsed from a text: `https:`.
    scheme: &'a str,
    /// The text between scheme and authority: `//`, `://`, or empty for a URL without an authority.
    slashes: &'static str,
    host_and_port: &'a str,
    path: &'a str,
}

impl<'a> Url<'a> {
    /// Returns scheme, host, port and path, cut at 250 characters.
    pub(crate) fn recorded(&self) -> String {
        let parts = [self.scheme, self.slashes, self.host_and_port, self.path];
        let mut recorded = parts.concat();
        recorded.truncate(first_chars(&recorded, MAX_STRING_CHARS).len());
        recorded
    }

    /// Returns the path as it stands in the original, with its escapes.
    pub(crate) fn path(&self) -> &'a str {
        self.path
    }

    /// Returns the host in lower case, without the port and without the brackets of an IPv6 address.
    ///
    /// `None` if the host is empty.
    pub(crate) fn host(&self) -> Option<Cow<'a, str>> {
        // An IPv6 address contains colons, so its end is the bracket and not the colon of the port.
        let host = match self.host_and_port.strip_prefix('[') {
            Some(address) => before(b"]", address),
            None => before(b":", self.host_and_port),
        };
        // `fold` instead of `all`: a loop without an early exit is compiled to vector instructions. Almost every host
        // is lower case, so the early exit would save nothing.
        let is_lower =
            host.bytes().fold(true, |is_lower, byte| is_lower & byte.is_ascii() & !byte.is_ascii_uppercase());
        let host = if is_lower { Cow::Borrowed(host) } else { Cow::Owned(host.to_lowercase()) };
        (!host.is_empty()).then_some(host)
    }
}

impl<'a> From<&'a str> for Url<'a> {
    fn from(url: &'a str) -> Self {
        let url = before(b"?#", url);
        // `//` starts an authority only at the beginning (`//host/p`) or behind the colon of a scheme. In `/a//b` it is
        // a part of the path, and in `data:,a@b` there is none.
        let scheme_length = match url.as_bytes().windows(2).position(|pair| pair == b"//") {
            Some(slashes) if slashes == 0 || url[..slashes].ends_with(':') => slashes,
            _ => return Self { scheme: "", slashes: "", host_and_port: "", path: url },
        };
        let (scheme, rest) = (&url[..scheme_length], &url[scheme_length + 2..]);
        // Browsers and the `url` crate read a backslash as a slash. (WHATWG URL, "authority state".) For `http://a\@b/`
        // they connect to `a`, so `b` must not be recorded as the host.
        let (authority, path) = rest.split_at(before(b"/\\", rest).len());
        Self { scheme, slashes: "//", host_and_port: without_credentials(authority), path }
    }
}

impl<'a> From<&'a String> for Url<'a> {
    fn from(url: &'a String) -> Self {
        url.as_str().into()
    }
}

impl<'a> From<&'a http::Uri> for Url<'a> {
    fn from(uri: &'a http::Uri) -> Self {
        let scheme = uri.scheme_str().unwrap_or_default();
        let authority = uri.authority().map_or("", http::uri::Authority::as_str);
        Self {
            scheme,
            slashes: if scheme.is_empty() { "" } else { "://" },
            host_and_port: without_credentials(authority),
            path: uri.path(),
        }
    }
}

/// Returns the text before the first of these ASCII characters; the whole text if it contains none of them.
#[inline]
fn before<'a, const N: usize>(ends: &[u8; N], text: &'a str) -> &'a str {
    let end = text.bytes().position(|byte| ends.contains(&byte));
    &text[..end.unwrap_or(text.len())]
}

/// Removes `user:password@` from an authority.
fn without_credentials(authority: &str) -> &str {
    // The *last* `@`: a password may contain an unescaped one, and everything before the last `@` may be secret.
    authority.rfind('@').map_or(authority, |at| &authority[at + 1..])
}

/// Removes the credentials, the query and the fragment of every URL in a text.
///
/// Clients put the URL of the request into their error messages: `error sending request for url (http://..?token=..)`.
pub(crate) fn without_secrets(text: &str) -> Cow<'_, str> {
    if !text.contains("//") {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len());
    // A URL ends at white space, and at the characters that no URL contains and that surround one in a message.
    // (RFC 3986, appendix C, "Delimiting a URI in Context".) `split_inclusive` keeps them, so nothing else changes.
    for word in text.split_inclusive(|character: char| character.is_whitespace() || "\"<>`".contains(character)) {
        let (before, url, after) = find_url(word);
        let url = Url::from(url);
        cleaned.extend([before, url.scheme, url.slashes, url.host_and_port, url.path, after]);
    }
    Cow::Owned(cleaned)
}

/// Splits a word into the text before a URL, the URL and the text after it.
///
/// ```text
/// Input:  (http://host/)
/// Output: "(", "http://host/", ")"
/// ```
fn find_url(word: &str) -> (&str, &str, &str) {
    let Some(slashes) = word.find("//") else { return (word, "", "") };
    // A scheme has only these characters (RFC 3986, section 3.1), so `(http:` is split behind the parenthesis.
    let is_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.:".contains(byte);
    let scheme_length = word.as_bytes()[..slashes].iter().rev().take_while(|byte| is_scheme(byte)).count();
    // Punctuation at the end of a word belongs to the sentence: "(http://host/)." ends with `/`.
    let is_closing = |character: char| character.is_whitespace() || ")]}>,;:.'\"<`".contains(character);
    let end = word.trim_end_matches(is_closing).len();
    (&word[..slashes - scheme_length], &word[slashes - scheme_length..end], &word[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_split_into_a_recorded_url_and_a_host() {
        for (url, recorded, name) in [
            ("https://names.example.com/", "https://names.example.com/", Some("names.example.com")),
            ("HTTP://EXAMPLE.com:8080/p", "HTTP://EXAMPLE.com:8080/p", Some("example.com")),
            ("http://user:p%40ss@h:1/a?token=x#f", "http://h:1/a", Some("h")),
            ("http://user:p@ss@h/", "http://h/", Some("h")),
            ("http://[::1]:80/", "http://[::1]:80/", Some("::1")),
            ("//host/p", "//host/p", Some("host")),
            ("http://host?x=1", "http://host", Some("host")),
            ("http://host#f?x", "http://host", Some("host")),
            ("http://h.\u{e9}x/p", "http://h.\u{e9}x/p", Some("h.\u{e9}x")),
            ("http:///p", "http:///p", None),
            ("http://[::1/", "http://[::1/", Some("::1")),
            ("/p?x=1", "/p", None),
            ("data:,a@b", "data:,a@b", None),
            ("", "", None),
        ] {
            let parts = Url::from(url);
            assert_eq!(parts.recorded(), recorded, "{url}");
            assert_eq!(parts.host().as_deref(), name, "{url}");
        }
        let long = format!("http://h/{}", "\u{e9}".repeat(300));
        assert_eq!(Url::from(&long).recorded().chars().count(), 250);
    }

    #[test]
    fn uris_are_split_into_a_recorded_url_and_a_host() {
        for (uri, recorded, name) in [
            ("https://names.example.com/", "https://names.example.com/", Some("names.example.com")),
            ("http://EXAMPLE.com:8080", "http://EXAMPLE.com:8080/", Some("example.com")),
            ("http://user:p%40ss@h:1/a?token=x", "http://h:1/a", Some("h")),
            ("http://[::1]:80/", "http://[::1]:80/", Some("::1")),
            ("/p?x=1", "/p", None),
            ("host:443", "host:443", Some("host")),
        ] {
            let uri: http::Uri = uri.parse().unwrap();
            let url = Url::from(&uri);
            assert_eq!(url.recorded(), recorded, "{uri}");
            assert_eq!(url.host().as_deref(), name, "{uri}");
        }
    }

    #[test]
    fn urls_in_a_message_lose_their_secrets_and_nothing_else_changes() {
        for (text, cleaned) in [
            (
                "error sending request for url (http://u:p@h:1/a?token=x)",
                "error sending request for url (http://h:1/a)",
            ),
            ("at https://h/?a=1#f, then \"http://[::1]?b\".", "at https://h/, then \"http://[::1]\"."),
            ("no URL: a/b?c", "no URL: a/b?c"),
            ("// a comment?", "// a comment?"),
            ("//", "//"),
            ("\u{e9}://\u{e9}@h/\u{e9}?\u{e9}", "\u{e9}://h/\u{e9}"),
        ] {
            assert_eq!(without_secrets(text), cleaned, "{text}");
        }
    }
}
