//! What of a URL may be recorded: never credentials, query or fragment.

use std::borrow::Cow;

use super::MAX_STRING_CHARS;
use crate::support::text::first_chars;

/// A URL cut at its seams, without credentials, query and fragment.
///
/// Made with `into()` from a text or from an [`http::Uri`], without a copy.
#[derive(Debug, Clone, Copy)]
pub struct Url<'a> {
    scheme: &'a str,
    /// What stands before the authority; empty where there is none.
    slashes: &'static str,
    host_and_port: &'a str,
    path: &'a str,
}

impl<'a> Url<'a> {
    /// Scheme, host, port and path, at most 250 characters.
    pub(crate) fn recorded(&self) -> String {
        let parts = [self.scheme, self.slashes, self.host_and_port, self.path];
        let mut recorded = parts.concat();
        recorded.truncate(first_chars(&recorded, MAX_STRING_CHARS).len());
        recorded
    }

    /// The path, as it stands.
    pub(crate) fn path(&self) -> &'a str {
        self.path
    }

    /// The host in lower case, without port and without the brackets of an IPv6 address.
    pub(crate) fn host(&self) -> Option<Cow<'a, str>> {
        let host = match self.host_and_port.strip_prefix('[') {
            Some(address) => until(b"]", address),
            None => until(b":", self.host_and_port),
        };
        // Without a way out of the loop, so that many bytes are looked at in one step.
        let is_lower =
            host.bytes().fold(true, |is_lower, byte| is_lower & byte.is_ascii() & !byte.is_ascii_uppercase());
        let host = if is_lower { Cow::Borrowed(host) } else { Cow::Owned(host.to_lowercase()) };
        (!host.is_empty()).then_some(host)
    }
}

impl<'a> From<&'a str> for Url<'a> {
    fn from(url: &'a str) -> Self {
        let url = until(b"?#", url);
        let scheme_length = match url.as_bytes().windows(2).position(|pair| pair == b"//") {
            Some(slashes) if slashes == 0 || url[..slashes].ends_with(':') => slashes,
            _ => return Self { scheme: "", slashes: "", host_and_port: "", path: url },
        };
        let (scheme, rest) = (&url[..scheme_length], &url[scheme_length + 2..]);
        let (authority, path) = rest.split_at(until(b"/\\", rest).len());
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

/// The text before the first of these ASCII characters, of which it may have none.
#[inline]
fn until<'a, const N: usize>(ends: &[u8; N], text: &'a str) -> &'a str {
    let end = text.bytes().position(|byte| ends.contains(&byte));
    &text[..end.unwrap_or(text.len())]
}

fn without_credentials(authority: &str) -> &str {
    authority.rfind('@').map_or(authority, |at| &authority[at + 1..])
}

/// A text in which every URL is without credentials, query and fragment.
///
/// Clients put the URL of a request into their error messages.
pub(crate) fn without_secrets(text: &str) -> Cow<'_, str> {
    if !text.contains("//") {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len());
    for word in text.split_inclusive(|character: char| character.is_whitespace() || "\"<>`".contains(character)) {
        let (before, url, after) = find_url(word);
        let url = Url::from(url);
        cleaned.extend([before, url.scheme, url.slashes, url.host_and_port, url.path, after]);
    }
    Cow::Owned(cleaned)
}

/// Splits a word around the URL in it, which may be empty: `(http://host/)` is `(`, `http://host/`, `)`.
fn find_url(word: &str) -> (&str, &str, &str) {
    let Some(slashes) = word.find("//") else { return (word, "", "") };
    let is_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.:".contains(byte);
    let scheme_length = word.as_bytes()[..slashes].iter().rev().take_while(|byte| is_scheme(byte)).count();
    let is_closing = |character: char| character.is_whitespace() || ")]}>,;:.'\"<`".contains(character);
    let end = word.trim_end_matches(is_closing).len();
    (&word[..slashes - scheme_length], &word[slashes - scheme_length..end], &word[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_and_host() {
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
    fn uris() {
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
    fn texts() {
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
