//! Patterns with `*` and `?`, as sampling rules and host lists have them.

/// Whether a text matches a pattern, in any case of letters: `*` stands for any number of characters, `?` for one.
///
/// Takes time in proportion to the product of both lengths at worst, and no memory.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    // Where to go on when the last `*` has to take one character more.
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
    fn vectors() {
        let vectors: Vec<Vector> =
            serde_json::from_str(include_str!("../../tests/data/wildcard-vectors.json")).unwrap();
        assert!(vectors.len() > 10);
        for Vector { pattern, text, r#match } in vectors {
            assert_eq!(matches(&pattern, &text), r#match, "{pattern:?} on {text:?}");
        }
    }

    #[test]
    fn a_hostile_pattern_takes_no_exponential_time() {
        assert!(!matches(&"*a".repeat(200), &"a".repeat(199)));
        assert!(!matches(&("*a".repeat(50) + "b"), &"a".repeat(2000)));
    }
}
