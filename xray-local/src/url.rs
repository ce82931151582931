//! The parts of a URL.
//!
//! A URL parser would change or refuse what a document holds, and a developer wants to see the recorded text.

/// Splits a URL into its authority, `user@host:port`, and the rest from the path or query on. A text without a scheme
/// is returned as the rest.
pub(crate) fn split(url: &str) -> (&str, &str) {
    // `://` may also be in the query of a text that begins with the path.
    let is_scheme = |scheme: &str| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    match url.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len())),
        _ => ("", url),
    }
}

/// Returns the host of an authority. An IPv6 address has brackets.
pub(crate) fn host(authority: &str) -> &str {
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    // An IPv6 address has colons of its own.
    let end = if host.starts_with('[') { host.find(']').map(|bracket| bracket + 1) } else { host.find(':') };
    &host[..end.unwrap_or(host.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_split_before_its_path_or_query() {
        for (url, parts) in [
            ("https://shop.example.com/cart?x=1", ("shop.example.com", "/cart?x=1")),
            ("https://shop.example.com?to=http://a/b", ("shop.example.com", "?to=http://a/b")),
            ("http://shop#a/b", ("shop", "#a/b")),
            ("http://shop", ("shop", "")),
            ("/cart?from=http://shop/", ("", "/cart?from=http://shop/")),
            ("javascript:alert(1)", ("", "javascript:alert(1)")),
        ] {
            assert_eq!(split(url), parts);
        }
    }

    #[test]
    fn a_host_has_no_user_and_no_port() {
        for (authority, expected) in [
            ("shop.example.com", "shop.example.com"),
            ("shop.example.com:8080", "shop.example.com"),
            ("user:secret@shop.example.com:8080", "shop.example.com"),
            ("[::1]:8080", "[::1]"),
            ("[::1]", "[::1]"),
            ("[::1", "[::1"),
            ("", ""),
        ] {
            assert_eq!(host(authority), expected);
        }
    }
}
