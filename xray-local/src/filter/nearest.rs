//! Finds the keyword that a misspelt word stands for.

use super::expression::KEYWORDS;

/// The words of the grammar that are not in [`KEYWORDS`].
const OTHERS: [&str; 9] = ["service", "edge", "annotation.", "AND", "OR", "NOT", "CONTAINS", "BEGINSWITH", "ENDSWITH"];

/// Words shorter than this are not compared letter by letter: every two-letter word is one letter away from `ok`.
const MIN_CHARS: usize = 3;

/// Returns the keyword that is most similar to a word in lower case.
///
/// A keyword is similar if it begins or ends with the word (`faul`, `status`), or if the word begins with the keyword
/// (`responsetimes`). Otherwise it may differ by one mistake for every three letters: a letter that is wrong, missing
/// or added, or two letters in the wrong order.
pub(super) fn nearest_keyword(word: &str) -> Option<&'static str> {
    let keywords = || KEYWORDS.iter().map(|(keyword, _)| *keyword).chain(OTHERS);
    // A keyword in the wrong place is not misspelt.
    if keywords().any(|keyword| keyword.eq_ignore_ascii_case(word)) {
        return None;
    }
    let shares_an_end = |keyword: &&str| {
        let keyword = keyword.to_ascii_lowercase();
        keyword.starts_with(word) || word.starts_with(&keyword) || keyword.ends_with(&format!(".{word}"))
    };
    let by_ends = keywords().filter(shares_an_end).min_by_key(|keyword| keyword.len().abs_diff(word.len()));
    by_ends.or_else(|| by_mistakes(word, keywords()))
}

fn by_mistakes(word: &str, keywords: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let length = word.chars().count();
    // No keyword is longer than 32 characters, and the comparison takes the product of both lengths.
    if !(MIN_CHARS..=32).contains(&length) {
        return None;
    }
    let measured = keywords.map(|keyword| (mistakes(word, &keyword.to_ascii_lowercase()), keyword));
    let (mistakes, keyword) = measured.min_by_key(|(mistakes, _)| *mistakes)?;
    (mistakes <= length / 3).then_some(keyword)
}

/// Returns the number of mistakes that lead from one word to another: the distance of Damerau and Levenshtein, in which
/// no letter takes part in two mistakes.
fn mistakes(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    rows[0] = (0..=b.len()).collect();
    for (i, &letter) in a.iter().enumerate() {
        rows[i + 1][0] = i + 1;
        for (j, &other) in b.iter().enumerate() {
            let replaced = rows[i][j] + usize::from(letter != other);
            let mut fewest = replaced.min(rows[i][j + 1] + 1).min(rows[i + 1][j] + 1);
            if i > 0 && j > 0 && letter == b[j - 1] && a[i - 1] == other {
                fewest = fewest.min(rows[i - 1][j - 1] + 1);
            }
            rows[i + 1][j + 1] = fewest;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_counted() {
        for (a, b, number) in [("", "", 0), ("ab", "", 2), ("fault", "fualt", 1), ("error", "eror", 1), ("ok", "no", 2)]
        {
            assert_eq!((mistakes(a, b), mistakes(b, a)), (number, number), "{a} {b}");
        }
    }

    #[test]
    fn unlike_words_have_no_nearest_keyword() {
        for word in ["gold", "or", "and", "é", "shop", "checkout", "&", &"x".repeat(5000)] {
            assert_eq!(nearest_keyword(word), None, "{word}");
        }
    }
}
