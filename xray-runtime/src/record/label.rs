//! The name of a record, and the URL of its HTTP request.

use std::fmt;
use std::ops::Range;

use super::text::Text;

/// The name of a record, and the URL of its request if it has one.
///
/// The name of most HTTP calls is the host of the URL. Such a name is stored as a range of the URL's text.
// One text holds both, so that short ones need no allocation. Positions have 32 bits, because a program may convert its
// own document into a record, and its texts have any length.
#[derive(Clone)]
pub(crate) struct Label {
    text: Text,
    name: (u32, u32),
    /// The length of the URL at the start of the text. `None` without a URL.
    url: Option<u32>,
}

impl Label {
    /// The label without a name.
    pub(super) const EMPTY: Self = Self { text: Text::EMPTY, name: (0, 0), url: None };

    /// Creates the label of a record without a URL.
    pub(crate) fn named(name: &str) -> Self {
        Self { text: Text::join([name]), name: (0, position(name.len())), url: None }
    }

    /// Sets the URL and the name. `url` is given in parts, and the third part begins with the host: `https`, `://`,
    /// `example.com:80`, `/todos`.
    #[inline]
    pub(crate) fn set_url(&mut self, url: [&str; 4], name: &str) {
        let [scheme, slashes, host, path] = url;
        let length = url.iter().map(|part| part.len()).sum::<usize>();
        // In a URL, an IPv6 host is in brackets.
        let bracket = usize::from(host.starts_with('['));
        let is_host = host.as_bytes()[bracket..].starts_with(name.as_bytes());
        let start = if is_host { scheme.len() + slashes.len() + bracket } else { length };
        self.text.set([scheme, slashes, host, path, if is_host { "" } else { name }]);
        self.name = (position(start), position(start + name.len()));
        self.url = Some(position(length));
    }

    /// Returns this label with another URL.
    pub(crate) fn and_url(&self, url: &str) -> Self {
        let mut label = Self::EMPTY;
        label.set_url([url, "", "", ""], self.name());
        label
    }

    pub(crate) fn name(&self) -> &str {
        as_str(self.name_bytes())
    }

    pub(crate) fn url(&self) -> Option<&str> {
        self.url_bytes().map(as_str)
    }

    /// Returns the name as bytes, for a writer: the conversion into a `str` would check that they are UTF-8.
    pub(super) fn name_bytes(&self) -> &[u8] {
        self.part(self.name.0..self.name.1)
    }

    /// Returns the bytes of the URL; see [`name_bytes`](Self::name_bytes).
    pub(super) fn url_bytes(&self) -> Option<&[u8]> {
        self.url.map(|length| self.part(0..length))
    }

    /// Returns the bytes of the name and the URL.
    pub(super) fn len(&self) -> usize {
        let (start, end) = self.name;
        (end - start + self.url.unwrap_or(0)) as usize
    }

    /// Returns the bytes that the label holds on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        self.text.heap_bytes()
    }

    fn part(&self, Range { start, end }: Range<u32>) -> &[u8] {
        self.text.as_bytes().get(start as usize..end as usize).unwrap_or_default()
    }
}

/// Returns a part of a label as text. The parts are texts that were joined, so they are valid UTF-8.
fn as_str(part: &[u8]) -> &str {
    std::str::from_utf8(part).unwrap_or_default()
}

/// Returns a position in a text. A text of more than four gigabytes is cut.
fn position(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

impl fmt::Debug for Label {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Label").field("name", &self.name()).field("url", &self.url()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_the_host_is_a_part_of_the_url() {
        let long = format!("/{}", "p".repeat(300));
        for (url, name, length) in [
            (["https", "://", "example.com", "/todos/1"], "example.com", 27),
            (["https", "://", "example.com:8080", "/"], "example.com", 25),
            (["http:", "//", "[::1]:80", "/"], "::1", 16),
            (["https", "://", "EXAMPLE.com", "/"], "example.com", 20 + 11),
            (["https", "://", "example.com", "/"], "shop", 20 + 4),
            (["", "", "", "/todos"], "UNKNOWN HOST", 6 + 12),
            (["https", "://", "example.com", &long], "example.com", 320),
            (["", "", "", ""], "name", 4),
        ] {
            let mut label = Label::EMPTY;
            label.set_url(url, name);
            assert_eq!((label.name(), label.url()), (name, Some(url.concat().as_str())));
            assert_eq!(label.text.as_bytes().len(), length, "{label:?}");
            assert_eq!(label.len(), name.len() + url.concat().len());
            let other = label.and_url("/other");
            assert_eq!((other.name(), other.url()), (name, Some("/other")));
        }
        let label = Label::named("render");
        assert_eq!((label.name(), label.url(), label.len()), ("render", None, 6));
    }
}
