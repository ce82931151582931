//! Patterns with `*` and `?`, for sampling rules and lists of hosts.

/// Returns whether the whole text matches the pattern. `*` stands for any number of characters, `?` for exactly one. The
/// case of letters does not matter.
///
/// Allocates nothing. At worst the time grows with the product of both lengths.
//
// Patterns come from the X-Ray console and texts from requests, so neither may cost exponential time. Backtracking to
// the last `*` alone is enough: if an earlier `*` took more, the later `*` could take that instead.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    // The pattern after the last `*`, and the text from which it was tried: on a mismatch `*` takes one character more.
    let mut retry = None;
    loop {
        match (pattern.next(), text.clone().next()) {
            (Some('*'), _) => retry = Some((pattern.clone(), text.clone())),
            (Some(expected), Some(found)) if expected == '?' || is_same_letter(expected, found) => {
                text.next();
            }
            (None, None) => return true,
            _ => {
                let Some((after_star, taken)) = &mut retry else { return false };
                if taken.next().is_none() {
                    return false;
                }
                (pattern, text) = (after_star.clone(), taken.clone());
            }
        }
    }
}

/// Returns whether two characters are equal, letters in either case.
fn is_same_letter(one: char, other: char) -> bool {
    one == other || one.to_lowercase().eq(other.to_lowercase())
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
    fn a_pattern_of_many_stars_takes_no_exponential_time() {
        assert!(!matches(&"*a".repeat(200), &"a".repeat(199)));
        assert!(!matches(&("*a".repeat(50) + "b"), &"a".repeat(2000)));
    }
}
