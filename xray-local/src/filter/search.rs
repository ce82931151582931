//! Tells a text to search for from a filter expression.

use super::expression::{Condition, KEYWORDS};
use super::nearest::nearest_keyword;
use super::{Filter, FilterError};

/// The meaning of a text in the search box.
#[derive(Debug, Clone, PartialEq)]
pub enum Search {
    /// The traces that match a filter expression.
    Expression(Filter),
    /// The traces in which each word of the text is part of a name or URL, or is an HTTP method.
    Text {
        /// The condition on a trace.
        filter: Filter,
        /// A filter expression that the reader may have meant.
        suggestion: Option<String>,
    },
}

impl Search {
    /// Reads the text of a search box. A text is a filter expression if it contains an operator or a keyword.
    ///
    /// ```
    /// use xray_local::filter::Search;
    ///
    /// for text in ["checkout", "/items/2", "https://shop.example.com/search?q=1", "GET /items"] {
    ///     assert!(matches!(Search::parse(text), Ok(Search::Text { .. })), "{text}");
    /// }
    /// for text in ["", "ok", "duration > 3", "name", "service(\"checkout\")"] {
    ///     assert!(matches!(Search::parse(text), Ok(Search::Expression(_))), "{text}");
    /// }
    /// assert!(Search::parse("durtion > 3").is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// If the text is an invalid filter expression.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let error = match Filter::parse(text) {
            Ok(filter) => return Ok(Self::Expression(filter)),
            Err(error) => error,
        };
        let words: Vec<&str> = text.split_whitespace().collect();
        if text.chars().count() > MAX_CHARS || !words.iter().all(|word| is_plain(word)) {
            return Err(error);
        }
        let suggestion = match words[..] {
            [word] => suggestion(word),
            _ => None,
        };
        let conditions = words.into_iter().map(|word| Condition::Mentions(word.to_lowercase())).collect();
        Ok(Self::Text { filter: Filter { condition: Condition::All(conditions) }, suggestion })
    }

    /// Returns the condition on a trace.
    #[must_use]
    pub fn filter(&self) -> &Filter {
        match self {
            Self::Expression(filter) | Self::Text { filter, .. } => filter,
        }
    }
}

/// The longest text to search for, in characters. Longer texts are no name or URL that X-Ray keeps.
const MAX_CHARS: usize = 1000;

/// Words of the grammar that are no keys.
const RESERVED: [&str; 8] = ["service", "edge", "and", "or", "not", "contains", "beginswith", "endswith"];

/// Returns whether a word is a part of a name or URL rather than of a filter expression.
fn is_plain(word: &str) -> bool {
    // A URL may contain `=` and brackets in its query.
    let operators: &[char] =
        if word.contains('/') { &['"', '\''] } else { &['"', '\'', '=', '<', '>', '!', '(', ')', '{', '}', '[', ']'] };
    let lower = word.to_ascii_lowercase();
    let is_key = KEYWORDS.iter().any(|(keyword, _)| *keyword == lower)
        || RESERVED.contains(&&*lower)
        || ["annotation.", "rootcause.", "group."].iter().any(|start| lower.starts_with(start));
    !word.contains(operators) && !is_key
}

/// Returns the filter expression that a single word may stand for: a status code, or a misspelt flag.
fn suggestion(word: &str) -> Option<String> {
    if word.len() == 3
        && word.starts_with(|digit| ('1'..='5').contains(&digit))
        && word.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Some(format!("http.status = {word}"));
    }
    let keyword = nearest_keyword(&word.to_ascii_lowercase())?;
    // Only keywords that are an expression by themselves.
    Filter::parse(keyword).is_ok().then(|| keyword.to_owned())
}
