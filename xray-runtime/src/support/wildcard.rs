//! Patterns with `*` and `?`, for sampling rules and lists of hosts.

use super::text::first_chars;

/// Limit on the characters that are searched for the text between two `*`.
///
/// Patterns come from the X-Ray console and texts from requests: a path may have 60,000 characters, and there may be
/// hundreds of rules. X-Ray's own limit on a pattern is 128 characters.
const MAX_SEARCHED_CHARS: usize = 1024;

/// Returns whether the whole text matches the pattern. `*` stands for any number of characters, `?` for exactly one.
/// The case of letters does not matter.
///
/// The parts of the pattern before the first `*` and after the last `*` are compared with the start and the end of a
/// text of any length. A part between two `*` is searched for in the first 1,024 characters after the start. Allocates
/// nothing.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return behind(text, pattern).is_some_and(str::is_empty) };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    let between = behind(text, start).and_then(|text| before(text, end));
    // Match each part at its first occurrence, because a later occurrence would leave less text for the remaining
    // parts. So no position is tried twice.
    let mut between = between.map(|text| first_chars(text, MAX_SEARCHED_CHARS));
    for part in middle.split('*') {
        between = between.and_then(|text| behind_first(text, part));
    }
    between.is_some()
}

/// Returns whether a host matches a pattern for hosts; see [`matches`]. Both may have a port and a dot at their end,
/// which do not matter, and an IPv6 address may be in brackets.
///
/// A pattern such as `*:8080` matches no host: it would otherwise be `*`, which its author did not mean.
pub(crate) fn matches_host(pattern: &str, host: &str) -> bool {
    matches(without_port(pattern), without_port(host))
}

/// Returns whether a pattern matches any host; see [`matches_host`].
pub(crate) fn can_match_host(pattern: &str) -> bool {
    let pattern = without_port(pattern);
    !pattern.is_empty() && !pattern.starts_with("*:")
}

/// Returns a host without its port, its brackets, and the dot at its end: `localhost` for `localhost:8080`.
fn without_port(host: &str) -> &str {
    if let Some((address, _)) = host.strip_prefix('[').and_then(|address| address.split_once(']')) {
        return address;
    }
    // An IPv6 address has several colons.
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let has_port = |(host, port): &(&str, &str)| is_port(port) && !host.contains(':') && *host != "*";
    let host = host.rsplit_once(':').filter(has_port).map_or(host, |(host, _)| host);
    host.strip_suffix('.').unwrap_or(host)
}

/// Returns the text behind a part that it begins with.
fn behind<'a>(text: &'a str, part: &str) -> Option<&'a str> {
    let mut characters = text.chars();
    part.chars()
        .all(|expected| characters.next().is_some_and(|found| is_match(expected, found)))
        .then_some(characters.as_str())
}

/// Returns the text before a part that it ends with.
fn before<'a>(text: &'a str, part: &str) -> Option<&'a str> {
    let mut characters = text.chars();
    let is_end =
        part.chars().rev().all(|expected| characters.next_back().is_some_and(|found| is_match(expected, found)));
    is_end.then_some(characters.as_str())
}

/// Returns the text behind the first place at which it contains a part.
fn behind_first<'a>(text: &'a str, part: &str) -> Option<&'a str> {
    let mut characters = text.chars();
    loop {
        if let Some(rest) = behind(characters.as_str(), part) {
            return Some(rest);
        }
        characters.next()?;
    }
}

/// Returns whether a character of a pattern, which is not `*`, matches a character of a text.
fn is_match(expected: char, found: char) -> bool {
    if expected.is_ascii() && found.is_ascii() {
        return expected == '?' || expected.eq_ignore_ascii_case(&found);
    }
    expected == '?' || expected.to_lowercase().eq(found.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Vector {
        pattern: String,
        text: String,
        r#match: bool,
    }

    #[test]
    fn patterns_match_as_the_shared_test_vectors_say() {
        let vectors: Vec<Vector> =
            serde_json::from_str(include_str!("../../tests/data/wildcard-vectors.json")).unwrap();
        assert!(vectors.len() > 10);
        for Vector { pattern, text, r#match } in vectors {
            assert_eq!(matches(&pattern, &text), r#match, "{pattern:?} on {text:?}");
        }
    }

    #[test]
    fn letters_outside_ascii_match_in_either_case() {
        for (pattern, text, expected) in [
            ("/\u{e9}t\u{e9}/*", "/\u{c9}T\u{c9}/1", true),
            ("/\u{e9}", "/\u{e8}", false),
            ("/?t?", "/\u{e9}t\u{e9}", true),
            ("/e", "/\u{e9}", false),
            // The sign of the unit Kelvin is a capital K to Unicode.
            ("/k", "/\u{212a}", true),
            ("/\u{212a}", "/k", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn a_long_text_is_compared_at_its_ends_and_searched_up_to_a_limit() {
        let path = format!("/api/{}b{}.png", "a".repeat(1000), "a".repeat(59_000));
        for (pattern, expected) in [
            ("/api/*", true),
            ("*.PNG", true),
            ("/api/*.png", true),
            ("/api/*b*.png", true),
            ("/api/*b*b*", false),
            ("/app/*", false),
            ("*.jpg", false),
            ("/api/?*?.png", true),
        ] {
            assert_eq!(matches(pattern, &path), expected, "{pattern}");
        }
        let late = format!("/{}b/", "a".repeat(MAX_SEARCHED_CHARS));
        assert!(matches("/*b/", &late) && !matches("/*b*", &late), "the end is compared, the middle is searched");
        assert!(!matches("ab*bc", "abc") && matches("ab*bc", "abbc"), "start and end do not overlap");
    }

    /// Without a limit this test takes a minute: each step is one of 10^9.
    #[test]
    fn a_long_path_against_many_rules_is_little_work() {
        let path = "a".repeat(60_000);
        assert!((0..900).all(|rule| !matches(&format!("/{rule}*"), &path)));
        assert!((0..900).all(|rule| !matches(&format!("*aaaaaaaaaaaaaaab{rule}*c*"), &path)));
    }

    #[test]
    fn a_pattern_of_many_stars_takes_no_exponential_time() {
        assert!(!matches(&"*a".repeat(200), &"a".repeat(199)));
        assert!(!matches(&("*a".repeat(50) + "b"), &"a".repeat(2000)));
    }
}
