//! Tells a text to search for from a filter expression.

use super::expression::{Condition, KEYWORDS};
use super::nearest::nearest_keyword;
use super::parser::parse_with_texts;
use super::{Filter, FilterError, NamedFilter};

/// The meaning of a text in the search box.
#[derive(Debug, Clone, PartialEq)]
pub enum Search {
    /// The traces that match a filter expression. In a search box, a text in quotation marks is a condition, too: a
    /// name or URL contains it.
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
    /// for text in ["", "ok", "duration > 3", "name", "service(\"checkout\")", "\"checkout\" AND fault"] {
    ///     assert!(matches!(Search::parse(text), Ok(Search::Expression(_))), "{text}");
    /// }
    /// assert!(Search::parse("durtion > 3").is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// If the text is an invalid filter expression.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        Self::parse_with(text, &[])
    }

    /// Like [`parse`](Self::parse), but the expression may name groups.
    ///
    /// # Errors
    ///
    /// If the text is an invalid filter expression.
    pub fn parse_with(text: &str, groups: &[NamedFilter]) -> Result<Self, FilterError> {
        let error = match Filter::parse_with(text, groups) {
            Ok(filter) => return Ok(Self::Expression(filter)),
            Err(error) => error,
        };
        if let Ok(condition) = parse_with_texts(text, groups) {
            return Ok(Self::Expression(Filter::of(condition)));
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        if text.chars().count() > MAX_CHARS || !words.iter().all(|word| is_plain(word)) {
            return Err(error);
        }
        let suggestion = match words[..] {
            [word] => suggestion(word),
            _ => None,
        };
        let condition = Condition::Mentions(words.into_iter().map(str::to_lowercase).collect());
        Ok(Self::Text { filter: Filter::of(condition), suggestion })
    }

    /// Returns the text of a search for those traces of this one that meet another condition. `text` is the text that
    /// this search was parsed from.
    ///
    /// ```
    /// use xray_local::filter::Search;
    ///
    /// for (text, narrowed) in [
    ///     ("", "responsetime > 1"),
    ///     ("ok", "ok AND responsetime > 1"),
    ///     ("error OR fault", "(error OR fault) AND responsetime > 1"),
    ///     ("GET /items", "\"GET\" AND \"/items\" AND responsetime > 1"),
    /// ] {
    ///     let search = Search::parse(text).unwrap();
    ///     assert_eq!(search.narrowed(text, "responsetime > 1"), narrowed);
    ///     assert!(Search::parse(narrowed).is_ok());
    /// }
    /// ```
    #[must_use]
    pub fn narrowed(&self, text: &str, condition: &str) -> String {
        let text = text.trim();
        match self {
            _ if text.is_empty() => condition.to_owned(),
            Self::Text { .. } => {
                let quoted = |word: &str| format!("\"{}\" AND ", word.replace('\\', "\\\\"));
                text.split_whitespace().map(quoted).chain([condition.to_owned()]).collect()
            }
            Self::Expression(filter) if matches!(*filter.condition, Condition::Any(_)) => {
                format!("({text}) AND {condition}")
            }
            Self::Expression(_) => format!("{text} AND {condition}"),
        }
    }

    /// Returns the condition on a trace.
    #[must_use]
    pub fn filter(&self) -> &Filter {
        match self {
            Self::Expression(filter) | Self::Text { filter, .. } => filter,
        }
    }
}

/// The longest text to search for, in characters. X-Ray keeps no longer name or URL.
const MAX_CHARS: usize = 1000;

/// Words of the grammar that are not keys.
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
