//! The part of a URL that may be recorded: never its credentials, query or fragment.
//!
//! Queries carry tokens and personal data, and everybody with access to the traces can read them. The other X-Ray SDKs
//! leave out the query too. A path may contain another URL (`/proxy/https://user:password@host/`): what looks like a
//! secret in it is removed by [`secrets`].

use std::borrow::Cow;
use std::fmt;

use super::MAX_STRING_CHARS;
use crate::support::secrets::{self, Decoded, characters, is_slash, is_special_scheme};
use crate::support::text::first_chars;

/// A URL without its credentials, query and fragment, split into its parts.
///
/// Created by `into()` from a `&str`, a `&String` or an [`http::Uri`]. The parts borrow from the original: nothing is
/// copied. Any text is accepted, and read as clients read it: `http:/host`, `http:\\host` and `http:host` are
/// `http://host`. Another text without `//` counts as a path.
///
/// ```
/// use xray::http::Url;
///
/// let url: Url<'_> = "https://user:password@example.com/pay?token=secret#top".into();
/// assert!(!format!("{url:?}").contains("password") && !format!("{url:?}").contains("secret"));
/// ```
// The `url` crate is not used: it allocates for each URL, normalises the text, and refuses what some clients send.
#[derive(Clone, Copy)]
pub struct Url<'a> {
    /// The scheme as in the original, with its colon if it was parsed from a text: `https:`.
    scheme: &'a str,
    /// The text between scheme and authority: `//`, `://`, or empty for a URL without an authority.
    slashes: &'static str,
    /// Host and port. An authority with escapes still has its credentials; see [`without_credentials`].
    authority: &'a str,
    path: &'a str,
    /// The host, if all of `scheme` and `authority` is recorded unchanged; see [`plain_host`].
    plain_host: Option<&'a str>,
}

impl<'a> Url<'a> {
    /// Returns scheme, host, port and path, cut at 250 characters. A path that contains a URL or a named secret loses
    /// it.
    pub(crate) fn recorded(&self) -> String {
        self.with_recorded(|parts| parts.concat())
    }

    /// Passes the recorded URL to a closure, in parts; see [`recorded`](Self::recorded). The parts are the scheme, the
    /// text before the authority, the authority, and the path. If the recorded URL differs from the original, all of it
    /// is the first part.
    #[inline]
    pub(crate) fn with_recorded<T>(&self, take: impl FnOnce([&str; 4]) -> T) -> T {
        let parts = [self.scheme, self.slashes, self.authority, self.path];
        let is_short = parts.iter().map(|part| part.len()).sum::<usize>() <= MAX_STRING_CHARS;
        // The text before `://` may contain another URL, whose own `://` is escaped.
        let is_plain = self.plain_host.is_some();
        let may_hold = !is_plain && (may_hold_secrets(self.scheme) || may_hold_secrets(self.authority))
            || may_hold_secrets(self.path);
        if is_short && !may_hold {
            return take(parts);
        }
        take([&self.cut_and_cleaned(), "", "", ""])
    }

    #[cold]
    fn cut_and_cleaned(&self) -> String {
        let [scheme, authority, path] = [self.scheme, self.authority, self.path].map(secrets::part_that_is_read);
        let text = [scheme, self.slashes, authority, path].concat();
        if [scheme, authority, path].into_iter().any(may_hold_secrets) {
            return secrets::recorded(&text, MAX_STRING_CHARS).into_owned();
        }
        first_chars(&text, MAX_STRING_CHARS).to_owned()
    }

    /// Returns the path as it is in the original, with its escapes.
    pub(crate) fn path(&self) -> &'a str {
        self.path
    }

    /// Returns the host if it is already a [legal name](super::name::legal_name) in lower case and not an IPv6 address.
    /// This is the fast path for most hosts.
    #[inline]
    pub(crate) fn plain_host(&self) -> Option<&'a str> {
        /// Less than the limit on the name of a subsegment.
        const MAX_BYTES: usize = 150;
        self.plain_host.filter(|host| !host.is_empty() && host.len() <= MAX_BYTES)
    }

    /// Returns the host in lower case, without the port, the dot at its end, and the brackets of an IPv6 address.
    ///
    /// `None` if the host is empty.
    pub(crate) fn host(&self) -> Option<Cow<'a, str>> {
        if let Some(host) = self.plain_host() {
            return Some(Cow::Borrowed(host));
        }
        if self.authority.contains('%') {
            return encoded_host(&self.recorded()).map(|host| Cow::Owned(host.to_lowercase()));
        }
        let host = host_of(self.authority);
        // `fold` instead of `all`: a loop without an early exit is compiled to vector instructions. Almost every host
        // is lower case, so the early exit would save nothing.
        let is_lower =
            host.bytes().fold(true, |is_lower, byte| is_lower & byte.is_ascii() & !byte.is_ascii_uppercase());
        let host = if is_lower { Cow::Borrowed(host) } else { Cow::Owned(host.to_lowercase()) };
        (!host.is_empty()).then_some(host)
    }
}

/// Writes the recorded form of the URL.
impl fmt::Debug for Url<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Url").field(&self.recorded()).finish()
    }
}

impl<'a> From<&'a str> for Url<'a> {
    fn from(text: &'a str) -> Self {
        Self::plain(text).unwrap_or_else(|| Self::of_any_text(text))
    }
}

impl<'a> Url<'a> {
    /// Reads a URL in the form of almost all requests: `https://`, a plain host, perhaps a port, and a path. Returns
    /// `None` for another text. [`of_any_text`](Self::of_any_text) reads these URLs too, in several times as many
    /// instructions.
    fn plain(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
        let scheme = &text[..text.len() - rest.len() - "//".len()];
        let host = &rest[..length_of_host(rest)];
        let port = rest[host.len()..].bytes().enumerate();
        let port = port.take_while(|(index, byte)| if *index == 0 { *byte == b':' } else { byte.is_ascii_digit() });
        let (authority, behind) = rest.split_at(host.len() + port.count());
        let path = before(b"?#", behind);
        let is_path = path.is_empty() || path.starts_with('/') && !path.ends_with(is_trimmed);
        (!host.is_empty() && is_path).then(|| Self {
            scheme,
            slashes: "//",
            authority,
            path,
            plain_host: Some(without_dot(host)),
        })
    }

    fn of_any_text(text: &'a str) -> Self {
        let text = text.trim_matches(is_trimmed);
        let url = before(b"?#", text);
        let Some((scheme, start)) = scheme(url) else {
            return Self { scheme: "", slashes: "", authority: "", path: url, plain_host: None };
        };
        let (authority, path) = split_authority(&url[start..]);
        let plain_host = plain_host(authority).filter(|_| !has_invalid_port(authority) && !may_hold_secrets(scheme));
        if plain_host.is_some() {
            return Self { scheme, slashes: "//", authority, path, plain_host };
        }
        let (authority, path) = if authority.contains('@') || !has_invalid_port(authority) {
            (authority, path)
        } else {
            split_authority(without_misplaced_password(&url[start..], &text[start..]))
        };
        let (authority, path) = if is_readable(authority) { (authority, path) } else { ("", "") };
        Self { scheme, slashes: "//", authority: without_credentials(authority), path, plain_host: None }
    }
}

/// Returns whether clients leave out this character at both ends of a URL: a white space or a control character.
/// (WHATWG URL, "basic URL parser".)
fn is_trimmed(character: char) -> bool {
    character <= ' '
}

/// Returns the host of an authority that contains no credentials, escapes, capital letters or IPv6 address.
fn plain_host(authority: &str) -> Option<&str> {
    let (host, port) = authority.split_at(length_of_host(authority));
    let is_port = |byte: u8| byte == b':' || IN_HOST[usize::from(byte)];
    let is_plain = port.is_empty() || port.starts_with(':') && port.bytes().all(is_port);
    is_plain.then(|| without_dot(host))
}

/// The bytes of plain hosts.
const IN_HOST: [bool; 256] = table(b"abcdefghijklmnopqrstuvwxyz0123456789.-_");

/// Returns the length of the plain host at the start of a text. The host ends at the first byte that no plain host
/// contains.
fn length_of_host(text: &str) -> usize {
    text.bytes().position(|byte| !IN_HOST[usize::from(byte)]).unwrap_or(text.len())
}

/// Removes the dot at the end of a fully qualified name, such as `db.svc.cluster.local.` in Kubernetes: both forms name
/// one host.
fn without_dot(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

/// Returns a table that is `true` for each of these bytes. A look-up takes a third of the instructions of the
/// comparisons.
const fn table(bytes: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut position = 0;
    while position < bytes.len() {
        table[bytes[position] as usize] = true;
        position += 1;
    }
    table
}

/// Returns the scheme of a URL with its colon, and the position of the authority; `None` for a path.
fn scheme(url: &str) -> Option<(&str, usize)> {
    let colon = url.bytes().position(|byte| byte == b':');
    if let Some(colon) = colon.filter(|colon| is_special_scheme(&url[..*colon])) {
        let slashes = url[colon + 1..].bytes().take_while(|byte| is_slash(*byte)).count();
        return Some((&url[..=colon], colon + 1 + slashes));
    }
    // `//` starts an authority only at the beginning (`//host/p`) or behind the colon of a scheme. In `/a//b`, `//` is
    // a part of the path. `data:,a@b` has no authority, so `a` is not a user name.
    let slashes = url.as_bytes().windows(2).position(|pair| pair == b"//")?;
    (slashes == 0 || url[..slashes].ends_with(':')).then(|| (&url[..slashes], slashes + 2))
}

/// Splits a URL without its scheme into authority and path.
fn split_authority(rest: &str) -> (&str, &str) {
    // Browsers and the `url` crate read a backslash as a slash. (WHATWG URL, "authority state".) For `http://a\@b/`
    // they connect to `a`, so `b` must not be recorded as the host.
    rest.split_at(before(b"/\\", rest).len())
}

/// Returns whether an authority has a port that is not a number.
fn has_invalid_port(authority: &str) -> bool {
    // An IPv6 address ends with a bracket: `[::1]`.
    let port = authority.rsplit_once(':').map_or("", |(_, port)| port);
    !port.ends_with(']') && port.bytes().any(|byte| !byte.is_ascii_digit())
}

/// Returns authority and path without the start of a password that contains a `/`, `?` or `#`.
///
/// No client takes such a URL, but a program may pass it on. `uncut` is the text with its query and fragment.
///
/// ```text
/// Input:  user:pass/word@host/path
/// Output: host/path
/// ```
fn without_misplaced_password<'a>(url: &'a str, uncut: &str) -> &'a str {
    match (url.rfind('@'), uncut.contains('@')) {
        // Another URL, which is encoded, may precede the `@`.
        (Some(at), _) if url[..at].contains('%') => url,
        (Some(at), _) => &url[at + 1..],
        // The `@` follows the `?`, so the host cannot be determined.
        (None, true) => "",
        (None, false) => url,
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
        // A scheme in a `Uri` consists of letters, digits, `+`, `-` and `.`, so it is always recorded unchanged.
        let plain_host = plain_host(authority);
        Self {
            scheme,
            slashes: if scheme.is_empty() { "" } else { "://" },
            // A `Uri` has escapes only before the `@`.
            authority: if plain_host.is_some() { authority } else { behind_last_at(authority) },
            path: uri.path(),
            plain_host,
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
///
/// An authority with escapes is returned as it is: it may be a whole URL that is percent-encoded. [`secrets`] removes
/// what is secret in it when the URL is recorded.
fn without_credentials(authority: &str) -> &str {
    if authority.contains('%') { authority } else { behind_last_at(authority) }
}

/// Returns the text behind the *last* `@`: a password may contain an unescaped one, and everything before the last `@`
/// may be secret.
fn behind_last_at(authority: &str) -> &str {
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

/// Returns `false` for an authority with escapes whose credentials consist of several words. [`secrets`] reads word by
/// word and would not find them.
fn is_readable(authority: &str) -> bool {
    let separates_words = |character: char| character.is_whitespace() || "\"'`<>".contains(character);
    let has_credentials = || characters(authority.as_bytes()).any(|character| character.byte == b'@');
    !authority.contains('%') || !authority.contains(separates_words) || !has_credentials()
}

/// Returns the host of a recorded URL whose delimiters may be percent-encoded: `http:%2F%2Fhost%2Fpath`.
fn encoded_host(recorded: &str) -> Option<&str> {
    let (_, authority) = scheme(recorded)?;
    let is_delimiter = |character: &Decoded| b"/\\?#@".contains(&character.byte);
    let start = authority + length_while(&recorded[authority..], is_delimiter);
    let length = length_while(&recorded[start..], |character| !is_delimiter(character));
    Some(host_of(&recorded[start..start + length])).filter(|host| !host.is_empty())
}

/// Returns the length in bytes of the characters at the start of a text for which `is_wanted` returns `true`.
fn length_while(text: &str, is_wanted: impl Fn(&Decoded) -> bool) -> usize {
    characters(text.as_bytes()).take_while(is_wanted).map(|character| character.length).sum()
}

/// Returns the host of an authority without credentials.
fn host_of(authority: &str) -> &str {
    // An IPv6 address contains colons, so its end is the bracket and not the colon of the port.
    match authority.strip_prefix('[') {
        Some(address) => before(b"]", address),
        None => without_dot(before(b":", authority)),
    }
}

/// Returns whether a part of a URL contains a character without which there is no secret: the end of a user name and
/// password, an escape, or a separator of a name and its value. A plain URL contains none of these characters.
fn may_hold_secrets(part: &str) -> bool {
    const IS_MARK: [bool; 256] = table(b"@%=\"<");
    part.bytes().any(|byte| byte <= b' ' || IS_MARK[usize::from(byte)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_url_is_read_as_any_text_is() {
        const SCHEMES: &str = "http:// https:// HTTP:// ws:// http: // http:/// ~http:// ";
        const HOSTS: &str = "host example.com 10.0.0.1 db.local. . Host u:p@host u@host [::1] a%40b ";
        const PORTS: &str = ": :80 :80:90 :p :8p :8@h ";
        const PATHS: &str = "/ /a/b /a:1 /a@b/ /a~b /a~ \\a /\u{e9} ~ \u{e9} ";
        const ENDS: &str = "? ?a=1 #a ?a#b@c ?~ #\u{e9} ";

        let parts = |url: Url<'_>| {
            let host = url.host().map(Cow::into_owned);
            (url.recorded(), host, url.path().to_owned(), url.plain_host().is_some())
        };
        // Combines each scheme with each host, port, path and end. The last entry of each list is empty. `~` stands for
        // a space.
        let lists = [SCHEMES, HOSTS, PORTS, PATHS, ENDS];
        let texts = lists.iter().fold(vec![String::new()], |texts, list| {
            texts.iter().flat_map(|text| list.split(' ').map(move |part| text.clone() + part)).collect()
        });
        let mut plain = 0;
        for text in texts.iter().map(|text| text.replace('~', " ")) {
            if let Some(url) = Url::plain(&text) {
                plain += 1;
                assert_eq!(parts(url), parts(Url::of_any_text(&text)), "{text:?}");
            }
        }
        assert!(plain > 1000, "{plain} of {}", texts.len());
    }

    #[test]
    fn texts_are_split_into_a_recorded_url_and_a_host() {
        for (url, recorded, name) in [
            ("https://names.example.com/", "https://names.example.com/", Some("names.example.com")),
            ("HTTP://EXAMPLE.com:8080/p", "HTTP://EXAMPLE.com:8080/p", Some("example.com")),
            ("http://user:p%40ss@h:1/a?token=x#f", "http://h:1/a", Some("h")),
            ("http://user:p@ss@h/", "http://h/", Some("h")),
            ("http://[::1]:80/", "http://[::1]:80/", Some("::1")),
            ("http://db.local.:80/", "http://db.local.:80/", Some("db.local")),
            ("http://DB.local./", "http://DB.local./", Some("db.local")),
            ("http://./", "http://./", None),
            ("//host/p", "//host/p", Some("host")),
            ("//E/p", "//E/p", Some("e")),
            ("//Br/p", "//Br/p", Some("br")),
            ("//h/a@b", "//h/a@b", Some("h")),
            ("//100%/p", "//100%/p", Some("100%")),
            ("http://h/a@b", "http://h/a@b", Some("h")),
            ("http://100%/p", "http://100%/p", Some("100%")),
            ("http://host?x=1", "http://host", Some("host")),
            ("http://host#f?x", "http://host", Some("host")),
            ("http://h.\u{e9}x/p", "http://h.\u{e9}x/p", Some("h.\u{e9}x")),
            ("http:///h/p", "http://h/p", Some("h")),
            ("http:/u:p@h/p", "http://h/p", Some("h")),
            (r"http:\\u:p@h\p", r"http://h\p", Some("h")),
            ("https:u:p@h/p", "https://h/p", Some("h")),
            (" http://u:p@h/p ", "http://h/p", Some("h")),
            ("http://u:p/p@h/p", "http://h/p", Some("h")),
            ("http://u:p/@h/p", "http://h/p", Some("h")),
            ("http://u:p/\u{e9}@h/p", "http://h/p", Some("h")),
            ("http://u:p/p@a b%20c/p", "http://a b%20c/p", Some("a b%20c")),
            ("http://u%3Ap%40h/p", "http://h/p", Some("h")),
            ("http://u:p%40p@h:1/p?q", "http://h:1/p", Some("h")),
            ("http://u:p%2Fp@h/p%3Fp", "http://h/p%3Fp", Some("h")),
            ("http:%2F%2Fu:p@h%2Fp%3Fk=q@r", "http://%2F%2Fh%2Fp", Some("h")),
            ("//http%253A%252F%252Fu%253Ap%2540h%252Fp%253Fq", "//http%253A%252F%252Fh%252Fp", Some("http%253a")),
            ("http://http%3A%2F%2Fu:p@h%2Fp%3Fq", "http://http%3A%2F%2Fh%2Fp", Some("http%3a")),
            ("//:x/http:%2F%2Fu:p@h%2Fp%3Fk=q#f", "//h%2Fp", None),
            ("http://a b%40:p@h/p", "http://", None),
            ("http://a b%20c/p", "http://a b%20c/p", Some("a b%20c")),
            ("http://[fe80::1%25e]:80/p", "http://[fe80::1%25e]:80/p", Some("fe80::1%25e")),
            ("http://u:p?p@h/p", "http://", None),
            ("http://u:p#p@h/p", "http://", None),
            ("http://h:1/p?m=a@b", "http://h:1/p", Some("h")),
            ("http://h/proxy/http://u:p@i/p", "http://h/proxy/http://i/p", Some("h")),
            ("file:///p", "file:///p", None),
            ("http://[::1/", "http://[::1/", Some("::1")),
            ("/p?x=1", "/p", None),
            ("data:,a@b", "data:,a@b", None),
            ("http%253A%252F%252Fu%253Ap%2540h%252F://i/", "http%253A%252F%252Fh%252F://i/", Some("i")),
            ("", "", None),
        ] {
            let parts = Url::from(url);
            assert_eq!(parts.recorded(), recorded, "{url}");
            assert_eq!(parts.host().as_deref(), name, "{url}");
            assert_eq!(format!("{parts:?}"), format!("Url({recorded:?})"));
        }
        let long = format!("http://h/{}", "\u{e9}".repeat(300));
        assert_eq!(Url::from(&long).recorded().chars().count(), 250);
    }

    #[test]
    fn uris_are_split_into_a_recorded_url_and_a_host() {
        for (uri, recorded, name) in [
            ("https://names.example.com/", "https://names.example.com/", Some("names.example.com")),
            ("http://EXAMPLE.com:8080", "http://EXAMPLE.com:8080/", Some("example.com")),
            ("http://db.local.:80/", "http://db.local.:80/", Some("db.local")),
            ("http://user:p%40ss@h:1/a?token=x", "http://h:1/a", Some("h")),
            ("http://[::1]:80/", "http://[::1]:80/", Some("::1")),
            ("/p?x=1", "/p", None),
            ("host:443", "host:443", Some("host")),
            ("u%40:p@host:443", "host:443", Some("host")),
        ] {
            let uri: http::Uri = uri.parse().unwrap();
            let url = Url::from(&uri);
            assert_eq!(url.recorded(), recorded, "{uri}");
            assert_eq!(url.host().as_deref(), name, "{uri}");
        }
    }
}
