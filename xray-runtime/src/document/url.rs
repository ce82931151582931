//! What of a URL may be recorded: never credentials, query or fragment.

use std::borrow::Cow;

use super::{MAX_STRING_CHARS, first_chars};

/// Scheme, host, port and path of a URL, at most 250 characters.
pub(crate) fn recorded_url(url: &str) -> String {
    let parts = Parts::of(url);
    let mut recorded = String::with_capacity(url.len());
    recorded.push_str(parts.scheme);
    recorded.push_str(parts.host_and_port);
    recorded.push_str(parts.path);
    recorded.truncate(first_chars(&recorded, MAX_STRING_CHARS).len());
    recorded
}

/// The host in lower case, without port and without the brackets of an IPv6 address.
pub(crate) fn host(url: &str) -> Option<Cow<'_, str>> {
    let host_and_port = Parts::of(url).host_and_port;
    let host = match host_and_port.strip_prefix('[') {
        Some(address) => address.split(']').next()?,
        None => host_and_port.split(':').next()?,
    };
    if host.is_empty() {
        None
    } else if host.chars().any(char::is_uppercase) {
        Some(Cow::Owned(host.to_lowercase()))
    } else {
        Some(Cow::Borrowed(host))
    }
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
        let parts = Parts::of(url);
        cleaned.extend([before, parts.scheme, parts.host_and_port, parts.path, after]);
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

/// A URL cut at its seams. What stands before the authority is the scheme, with `//`.
struct Parts<'a> {
    scheme: &'a str,
    host_and_port: &'a str,
    path: &'a str,
}

impl<'a> Parts<'a> {
    fn of(url: &'a str) -> Self {
        let url = &url[..url.find(['?', '#']).unwrap_or(url.len())];
        let authority = match url.find("//") {
            Some(slashes) if slashes == 0 || url[..slashes].ends_with(':') => slashes + 2,
            _ => return Self { scheme: "", host_and_port: "", path: url },
        };
        let (scheme, rest) = url.split_at(authority);
        let (authority, path) = rest.split_at(rest.find(['/', '\\']).unwrap_or(rest.len()));
        let host_and_port = authority.rfind('@').map_or(authority, |at| &authority[at + 1..]);
        Self { scheme, host_and_port, path }
    }
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
            assert_eq!(recorded_url(url), recorded, "{url}");
            assert_eq!(host(url).as_deref(), name, "{url}");
        }
        let long = format!("http://h/{}", "\u{e9}".repeat(300));
        assert_eq!(recorded_url(&long).chars().count(), 250);
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
