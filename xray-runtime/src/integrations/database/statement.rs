//! The text of an SQL statement without the values in it.

use crate::document::Sql;

/// Replaces each text and number in a statement by `?`, and removes comments.
///
/// `quotes_texts` is `true` if `"text"` is a value too. Keeps placeholders. If the end of a value depends on the
/// engine's settings, the rest of the statement counts as part of the value.
// A parser would have to know the dialect of each engine, and would refuse unknown syntax. The first character of a
// A parser would have to know the dialect of each engine, and would refuse unknown syntax. The first character of a
// token is enough to tell whether the token is a value.
// Input:  SELECT "id" FROM t1 WHERE name = 'it''s' AND age > 42 AND id = $1 -- of user 7
// Output: SELECT "id" FROM t1 WHERE name = ? AND age > ? AND id = $1
pub(super) fn without_values(statement: &str, quotes_texts: bool) -> String {
    let mut kept = String::new();
    let mut rest = statement.trim();
    // The rest of a long statement would be cut off. A character has at most four bytes.
    while kept.len() <= 4 * Sql::MAX_QUERY_CHARS {
        let Some(token) = Token::first(rest, quotes_texts) else { break };
        let (text, after) = rest.split_at(token.length);
        match token.kind {
            Kind::Kept => kept.push_str(text),
            Kind::Value => kept.push('?'),
            Kind::Comment => kept.push(' '),
        }
        rest = after;
    }
    kept.truncate(kept.trim_end().len());
    kept
}

struct Token {
    kind: Kind,
    length: usize,
}

enum Kind {
    Kept,
    Value,
    Comment,
}

impl Token {
    /// Returns the first token of a text; `None` if the text is empty.
    fn first(text: &str, quotes_texts: bool) -> Option<Self> {
        let first = text.chars().next()?;
        let second = text[first.len_utf8()..].chars().next();
        let (kind, length) = match (first, second) {
            ('\'', _) => value(text, '\''),
            ('"', _) if quotes_texts => value(text, '"'),
            ('"' | '`', _) => name(text, first),
            ('-', Some('-')) => (Kind::Comment, text.find('\n').unwrap_or(text.len())),
            // A comment of MySQL. `#` is an operator in PostgreSQL, where the rest of the line is lost if the engine is
            // unknown.
            ('#', _) if quotes_texts => (Kind::Comment, text.find('\n').unwrap_or(text.len())),
            // Comments nest in PostgreSQL. The comment ends at the last `*/` of the statement, which is never too
            // early.
            ('/', Some('*')) => (Kind::Comment, text.rfind("*/").map_or(text.len(), |end| end + 2)),
            ('$', _) => dollar(text),
            ('0'..='9', _) | ('.', Some('0'..='9')) => (Kind::Value, run(text, |char| is_of_word(char) || char == '.')),
            // A placeholder with a number or a name, such as `?1`, `:name` and `@name`.
            ('?' | ':' | '@', _) => (Kind::Kept, 1 + run(&text[1..], is_of_word)),
            _ if is_of_word(first) => (Kind::Kept, run(text, is_of_word)),
            _ => (Kind::Kept, first.len_utf8()),
        };
        Some(Self { kind, length })
    }
}

/// Reads a text in quotation marks.
fn value(text: &str, mark: char) -> (Kind, usize) {
    // `\'` is a mark in the text for MySQL by default, and the end of the text for PostgreSQL.
    let is_unclear = |at: usize| text[..at].ends_with('\\');
    (Kind::Value, length_of_quoted(text, mark, is_unclear).unwrap_or(text.len()))
}

/// Reads a name in quotation marks, which may contain any character. A backslash has no meaning in a name.
fn name(text: &str, mark: char) -> (Kind, usize) {
    length_of_quoted(text, mark, |_| false).map_or((Kind::Value, text.len()), |length| (Kind::Kept, length))
}

/// Returns the length of a part in quotation marks. Two marks in a row stand for one mark in the part. Returns `None`
/// if the part does not end, or if it is unclear whether one of the marks ends it.
fn length_of_quoted(text: &str, mark: char, is_unclear: impl Fn(usize) -> bool) -> Option<usize> {
    let mut marks = text.match_indices(mark).map(|(at, _)| at).skip(1);
    while let Some(at) = marks.next() {
        if is_unclear(at) {
            return None;
        }
        if !text[at + 1..].starts_with(mark) {
            return Some(at + 1);
        }
        marks.next();
    }
    None
}

/// Reads `$1`, a placeholder, or `$tag$text$tag$`, a value of PostgreSQL.
fn dollar(text: &str) -> (Kind, usize) {
    let tag = 1 + run(&text[1..], is_of_word);
    if !text[tag..].starts_with('$') {
        return (Kind::Kept, tag);
    }
    let tag = &text[..=tag];
    (Kind::Value, text[tag.len()..].find(tag).map_or(text.len(), |end| end + 2 * tag.len()))
}

fn is_of_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// Returns the length of the longest start of a text in which every character `belongs`.
fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|char| !belongs(char)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_replaced_and_names_and_placeholders_stay() {
        for (statement, expected) in [
            ("SELECT 1", "SELECT ?"),
            ("\n  select a1, t2.b from t2 where c=-1.5e10\n", "select a1, t2.b from t2 where c=-?"),
            ("a = 'it''s' or b = '' or c = 'x'", "a = ? or b = ? or c = ?"),
            ("id = $1 and b = ?2 and c = :name and d = @d", "id = $1 and b = ?2 and c = :name and d = @d"),
            ("a = 0xFF, b = .5, c = 1_000, d1 = 7", "a = ?, b = ?, c = ?, d1 = ?"),
            ("a = $$it's$$ or b = $q$ $$ $q$ or c = $1", "a = ? or b = ? or c = $1"),
            ("a = E'x' and b = X'00' and n = N'x'", "a = E? and b = X? and n = N?"),
            ("select `a'b`, [c d] from t where e = [3, 'f']", "select `a'b`, [c d] from t where e = [?, ?]"),
            ("tags @> ARRAY['a','b'] AND n = ANY(ARRAY[12,34])", "tags @> ARRAY[?,?] AND n = ANY(ARRAY[?,?])"),
            ("SELECT \"path\\\" FROM t WHERE name = 'secret'", "SELECT \"path\\\" FROM t WHERE name = ?"),
            ("SELECT `path\\` FROM t WHERE name = 'secret'", "SELECT `path\\` FROM t WHERE name = ?"),
            ("a = 'b\\'' or c = 'secret'", "a = ?"),
            ("select \"never ends, 'secret'", "select ?"),
            ("a -- 'secret'\n= 1", "a  \n= ?"),
            ("a /* secret /* nested */ 'secret' */ = 1", "a   = ?"),
            ("a = 'never ends", "a = ?"),
            ("a = $q$never ends", "a = ?"),
            ("a /* never ends", "a"),
            ("a = 'b\\' or c = 'secret'", "a = ?"),
            ("\u{e4}\u{f6} = '\u{fc}' and \u{20ac} = 1", "\u{e4}\u{f6} = ? and \u{20ac} = ?"),
            ("x::int = 5", "x::int = ?"),
            ("", ""),
        ] {
            assert_eq!(without_values(statement, false), expected, "{statement}");
        }
    }

    #[test]
    fn the_part_of_a_statement_that_is_cut_off_is_not_read() {
        let many = format!("insert into t values {}", "(1, 'a'), ".repeat(1_000_000));
        let kept = without_values(&many, false);
        assert!(kept.starts_with("insert into t values (?, ?), (?, ?)"));
        assert!((Sql::MAX_QUERY_CHARS..5 * Sql::MAX_QUERY_CHARS).contains(&kept.len()), "{}", kept.len());
    }

    #[test]
    fn double_quotes_are_names_or_values() {
        let statement = "select \"a\" from t where b = \"it''s\" # secret\nand c = 1";
        assert_eq!(without_values(statement, false), "select \"a\" from t where b = \"it''s\" # secret\nand c = ?");
        assert_eq!(without_values(statement, true), "select ? from t where b = ?  \nand c = ?");
    }
}
