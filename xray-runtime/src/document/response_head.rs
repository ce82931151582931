//! The head of a response, whatever the client.

use std::fmt;

use http::HeaderMap;
use http::header::CONTENT_LENGTH;

use super::url::Url;

/// The head of a response: its status and, as far as the client reveals them, headers, length and URL.
///
/// A client's adapter passes one to [`Call::response_head`](crate::http::Call::response_head);
/// [`RecorderBuilder::on_response`](crate::RecorderBuilder::on_response) hands it to the program.
///
/// ```
/// use xray::http::ResponseHead;
///
/// let mut headers = http::HeaderMap::new();
/// headers.insert("content-length", "12".parse().unwrap());
/// let head = ResponseHead::new(200, None).with_headers(&headers).with_url("https://example.com/todos?token=secret");
/// assert_eq!((head.status(), head.content_length()), (200, Some(12)));
/// assert_eq!(head.header("Content-Length"), Some("12"));
/// assert_eq!(head.url().as_deref(), Some("https://example.com/todos"));
/// ```
#[derive(Clone, Copy)]
pub struct ResponseHead<'a> {
    status: u16,
    content_length: Option<u64>,
    headers: Option<&'a dyn ResponseHeaders>,
    url: Option<&'a str>,
}

/// The headers of a response, whatever their type. Implemented for [`http::HeaderMap`] and the clients' own types.
///
/// ```
/// use xray::http::{ResponseHead, ResponseHeaders};
///
/// /// The headers of some client, with names in lower case.
/// struct Pairs(Vec<(String, String)>);
///
/// impl ResponseHeaders for Pairs {
///     fn get(&self, name: &str) -> Option<&str> {
///         self.0.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
///     }
/// }
///
/// let headers = Pairs(vec![("content-length".to_owned(), "12".to_owned())]);
/// assert_eq!(ResponseHead::new(200, None).with_headers(&headers).content_length(), Some(12));
/// ```
pub trait ResponseHeaders {
    /// Returns the first value of the header `name`, if the response has one and it is text.
    ///
    /// The name is given in lower case.
    fn get(&self, name: &str) -> Option<&str>;

    /// Returns the value of the header `Content-Length`, if it is a number.
    ///
    /// Reads the header with [`get`](Self::get). Implement this method too if the type finds a header by a constant
    /// name faster than by a text.
    fn content_length(&self) -> Option<u64> {
        self.get("content-length")?.parse().ok()
    }
}

impl ResponseHeaders for HeaderMap {
    fn get(&self, name: &str) -> Option<&str> {
        self.get(name)?.to_str().ok()
    }

    fn content_length(&self) -> Option<u64> {
        // The constant is a name that is parsed already.
        self.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
    }
}

impl<'a> ResponseHead<'a> {
    /// Creates a head without headers. `content_length` is the length of the body in bytes, if the client knows it.
    #[must_use]
    pub fn new(status: u16, content_length: Option<u64>) -> Self {
        Self { status, content_length, headers: None, url: None }
    }

    /// Adds the headers. A `Content-Length` among them replaces the length given to [`new`](Self::new).
    #[must_use]
    pub fn with_headers(self, headers: &'a dyn ResponseHeaders) -> Self {
        // The header is what the server sent. A client may report the length after decompression instead.
        Self { content_length: headers.content_length().or(self.content_length), headers: Some(headers), ..self }
    }

    /// Adds the URL of the response. After a redirect it differs from the URL of the request.
    #[must_use]
    pub fn with_url(self, url: &'a str) -> Self {
        Self { url: Some(url), ..self }
    }

    /// Returns the URL of the response: scheme, host, port and path. reqwest, ureq 2 and attohttpc reveal it.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        self.url.map(|url| Url::from(url).recorded())
    }

    /// Returns the status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Returns the length of the body in bytes, if it is known.
    #[must_use]
    pub fn content_length(&self) -> Option<u64> {
        self.content_length
    }

    /// Returns the first value of a header, if the response has one and it is text. The case of `name` does not matter.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers?.get(&name.to_ascii_lowercase())
    }
}

impl fmt::Debug for ResponseHead<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, content_length, .. } = self;
        let mut head = formatter.debug_struct("ResponseHead");
        head.field("status", status).field("content_length", content_length).finish_non_exhaustive()
    }
}
