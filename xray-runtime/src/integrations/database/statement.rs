//! The text of an SQL statement without the values in it.

use super::dialect::Dialect;
use crate::document::Sql;

/// Replaces each text and number in a statement by `?`, and removes comments.
///
/// Keeps placeholders. If it is unclear where a value or a comment ends, the rest of the statement counts as one value:
/// a wrong end would turn the values behind it into code.
// A parser would have to know the whole dialect of each engine, and would refuse unknown syntax. The first characters
// of a token are enough to tell whether the token is a value. Input:  SELECT "id" FROM t1 WHERE name = 'it''s' AND age
// > 42 AND id = $1 -- of user 7 Output: SELECT "id" FROM t1 WHERE name = ? AND age > ? AND id = $1
pub(super) fn without_values(statement: &str, dialect: Dialect) -> String {
    let mut kept = String::new();
    let mut rest = statement.trim();
    // The rest of a long statement would be cut off. A character has at most four bytes.
    while kept.len() <= 4 * Sql::MAX_QUERY_CHARS {
        let Some(token) = Token::first(rest, dialect) else { break };
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
    fn first(text: &str, dialect: Dialect) -> Option<Self> {
        let first = text.chars().next()?;
        let mut others = text[first.len_utf8()..].chars();
        let (second, third) = (others.next(), others.next());
        let token = match (first, second) {
            ('\'', _) => Self::value(text, '\'', dialect),
            ('"', _) if dialect.quotes_texts() => Self::value(text, '"', dialect),
            ('"' | '`', _) => Self::name(text, first),
            ('[', _) => Self::bracket(text, dialect),
            ('-', Some('-')) => Self::line(text, dialect, dialect.begins_comment(third)),
            ('#', _) => Self::line(text, dialect, dialect.has_hash_comments()),
            ('/', Some('*')) => Self::comment(text, dialect),
            ('$', _) => Self::dollar(text, dialect),
            ('0'..='9', _) | ('.', Some('0'..='9')) => {
                Self::of(Kind::Value, run(text, |char| is_of_name(char) || char == '.'))
            }
            ('?' | ':' | '@', Some('0'..='9')) if !dialect.has_numbers_after_marks() => Self::of(Kind::Kept, 1),
            // A placeholder with a number or a name, such as `?1`, `:name` and `@name`.
            ('?' | ':' | '@', _) => Self::of(Kind::Kept, 1 + run(&text[1..], is_of_name)),
            _ if is_of_name(first) => Self::word(text, dialect),
            _ => Self::of(Kind::Kept, first.len_utf8()),
        };
        Some(token)
    }

    fn of(kind: Kind, length: usize) -> Self {
        Self { kind, length }
    }

    /// Returns a value that extends to the end of the statement.
    fn unclear(text: &str) -> Self {
        Self::of(Kind::Value, text.len())
    }

    /// Reads a text in quotation marks.
    fn value(text: &str, mark: char, dialect: Dialect) -> Self {
        if dialect.has_triple_quotes() && text.chars().take(3).filter(|char| *char == mark).count() == 3 {
            return Self::unclear(text);
        }
        // `\'` is a mark in the text for MySQL by default, and the end of the text for PostgreSQL.
        let is_unclear = |at: usize| text[..at].ends_with('\\');
        Self::of(Kind::Value, length_of_quoted(text, mark, is_unclear).unwrap_or(text.len()))
    }

    /// Reads a name in quotation marks, which may contain any character. A backslash has no meaning in a name.
    fn name(text: &str, mark: char) -> Self {
        length_of_quoted(text, mark, |_| false).map_or(Self::unclear(text), |length| Self::of(Kind::Kept, length))
    }

    /// Reads a name in brackets, or the bracket of a subscript or of a list.
    fn bracket(text: &str, dialect: Dialect) -> Self {
        let bracket = Self::of(Kind::Kept, 1);
        match (dialect.has_names_in_brackets(), text.find(']')) {
            (Some(false), _) => bracket,
            (Some(true), Some(end)) => Self::of(Kind::Kept, end + 1),
            (None, Some(end)) if is_plain_list(&text[1..end], &text[end + 1..]) => bracket,
            (Some(true) | None, _) => Self::unclear(text),
        }
    }

    /// Reads a line comment. If it is unclear whether the line is a comment, a quotation mark in the line makes the
    /// rest of the statement a value.
    fn line(text: &str, dialect: Dialect, is_comment: Option<bool>) -> Self {
        if is_comment == Some(false) {
            return Self::of(Kind::Kept, 1);
        }
        let line = &text[..text.find('\n').unwrap_or(text.len())];
        let to_cr = &line[..line.find('\r').unwrap_or(line.len())];
        let (comment, doubtful) = match (is_comment, dialect.ends_lines_with_cr()) {
            (None, _) => (line, line),
            (_, Some(true)) => (to_cr, ""),
            (_, Some(false)) => (line, ""),
            (_, None) => (line, &line[to_cr.len()..]),
        };
        if has_marks(doubtful) { Self::unclear(text) } else { Self::of(Kind::Comment, comment.len()) }
    }

    /// Reads `/* .. */`. A comment without an end takes the rest of the statement.
    fn comment(text: &str, dialect: Dialect) -> Self {
        if dialect.runs_comments() && ["/*!", "/*M!"].iter().any(|opening| text.starts_with(opening)) {
            return Self::unclear(text);
        }
        let mut depth = 0_usize;
        let mut at = 0;
        while let Some(mark) = text[at..].find(['/', '*']).map(|found| at + found) {
            let is_opening = text[mark..].starts_with("/*");
            if !is_opening && !text[mark..].starts_with("*/") {
                at = mark + 1;
                continue;
            }
            at = mark + 2;
            if is_opening {
                match dialect.nests_comments() {
                    None if depth > 0 => return Self::unclear(text),
                    // The `*` may begin the end of the comment: `/*/*/`.
                    Some(false) if depth > 0 => at = mark + 1,
                    _ => depth += 1,
                }
            } else {
                depth -= 1;
            }
            if depth == 0 {
                return Self::of(Kind::Comment, at);
            }
        }
        Self::of(Kind::Comment, text.len())
    }

    /// Reads `$1`, a placeholder, or `$tag$text$tag$`, a value of PostgreSQL.
    fn dollar(text: &str, dialect: Dialect) -> Self {
        let tag = 1 + run(&text[1..], is_of_name);
        let is_number = text[1..].starts_with(|char: char| char.is_ascii_digit());
        if is_number || !text[tag..].starts_with('$') {
            return Self::of(Kind::Kept, tag);
        }
        match dialect.quotes_with_dollars() {
            Some(true) => {
                let tag = &text[..=tag];
                let length = text[tag.len()..].find(tag).map_or(text.len(), |end| end + 2 * tag.len());
                Self::of(Kind::Value, length)
            }
            Some(false) => Self::of(Kind::Kept, tag),
            None => Self::unclear(text),
        }
    }

    /// Reads a word.
    fn word(text: &str, dialect: Dialect) -> Self {
        // A `$` in a word does not begin a value.
        let length = run(text, |char| is_of_name(char) || char == '$');
        let (word, after) = text.split_at(length);
        let is_quote = word.ends_with(['q', 'Q']) && after.starts_with('\'');
        if is_quote && dialect.has_custom_quotes() { Self::unclear(text) } else { Self::of(Kind::Kept, length) }
    }
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

/// Returns whether brackets surround a list, and cannot surround a name. `list` is the text inside the brackets.
fn is_plain_list(list: &str, after: &str) -> bool {
    // In a list, `#` and `--` may begin a comment. In a name, `]]` stands for one bracket.
    !has_marks(list) && !list.contains('#') && !list.contains("--") && !after.starts_with(']')
}

/// Returns whether a text contains a character that may begin or end a value, a name or a comment.
fn has_marks(text: &str) -> bool {
    text.contains(['\'', '"', '`', '$', '[', ']']) || text.contains("/*") || text.contains("*/")
}

// PostgreSQL, MySQL and SQLite allow any character outside ASCII in a name, also spaces and arrows.
fn is_of_name(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_' || !char.is_ascii()
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
            ("id = $1 and b = ? and c = :name and d = @d", "id = $1 and b = ? and c = :name and d = @d"),
            ("tags[1:4711], @42, x::int, j ? 'a'", "tags[?:?], @?, x::int, j ? ?"),
            ("$\u{2192}$it's$\u{2192}$ = 'secret'", "? = ?"),
            ("a\u{2192}$b$ = 'x$b$ secret'", "a\u{2192}$b$ = ?"),
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
            ("a /* x */, b /* y */ from t", "a  , b   from t"),
            ("/* route='/jobs' */ set cron = '*/5 * *', token = 'secret'", "  set cron = ?, token = ?"),
            ("a$b$c = 'x$b$ secret'", "a$b$c = ?"),
            ("data #>> '{a}' = 'line1\nsecret'", "data #>> ? = ?"),
            ("a -- secret\rb = 'c\nsecret'", "a  \rb = ?"),
            ("a = 'never ends", "a = ?"),
            ("a = $q$never ends", "a = ?"),
            ("a /* never ends", "a"),
            ("a = 'b\\' or c = 'secret'", "a = ?"),
            ("\u{e4}\u{f6} = '\u{fc}' and \u{20ac} = 1", "\u{e4}\u{f6} = ? and \u{20ac} = ?"),
            ("x::int = 5", "x::int = ?"),
            ("", ""),
        ] {
            assert_eq!(without_values(statement, Dialect::PostgreSql), expected, "{statement}");
        }
    }

    #[test]
    fn the_part_of_a_statement_that_is_cut_off_is_not_read() {
        let many = format!("insert into t values {}", "(1, 'a'), ".repeat(1_000_000));
        let kept = without_values(&many, Dialect::PostgreSql);
        assert!(kept.starts_with("insert into t values (?, ?), (?, ?)"));
        assert!((Sql::MAX_QUERY_CHARS..5 * Sql::MAX_QUERY_CHARS).contains(&kept.len()), "{}", kept.len());
        // The limit is one of characters.
        let many = format!("select {}", "\u{20ac}, ".repeat(Sql::MAX_QUERY_CHARS));
        let kept = without_values(&many, Dialect::PostgreSql);
        assert!(kept.chars().count() >= Sql::MAX_QUERY_CHARS, "{}", kept.chars().count());
    }

    #[test]
    fn each_dialect_has_its_own_quotes_and_comments() {
        use Dialect::{MySql, PostgreSql, Sqlite, Unknown};

        for (dialect, statement, expected) in [
            (PostgreSql, "\"a\" = 'b' # 1", "\"a\" = ? # ?"),
            (Sqlite, "\"a\" = 'b'", "\"a\" = ?"),
            (MySql, "\"a\" = \"it''s\" # secret\nand c = 1", "? = ?  \nand c = ?"),
            (Unknown, "\"a\" = 'b'", "? = ?"),
            // Comments.
            (MySql, "/* a */ b = '*/', c = 'secret'", "  b = ?, c = ?"),
            (MySql, "/* /* a */ b = 'secret'", "  b = ?"),
            (MySql, "/*/*/ a = 'x */ y', b = 'secret'", "  a = ?, b = ?"),
            (Sqlite, "/*/*/ a = 'x */ y', b = 'secret'", "  a = ?, b = ?"),
            (PostgreSql, "/*/*/ a */ b */ c = 'secret'", "  c = ?"),
            (MySql, "5--\u{a0}'a\nsecret'", "?--\u{a0}?"),
            (Unknown, "/* a */ b = '*/', c = 'secret'", "  b = ?, c = ?"),
            (Unknown, "a /* /* 'b */ = 'secret'", "a ?"),
            (MySql, "a /*!50000 'b */ secret' */", "a ?"),
            (MySql, "5--1, 'line1\nsecret'", "?--?, ?"),
            (MySql, "a -- it's secret\n= 'b'", "a  \n= ?"),
            (Unknown, "a -- it's secret\n= 'b'", "a  \n= ?"),
            (Unknown, "5--1, 'line1\nsecret'", "??"),
            (Unknown, "a --secret\n= 'b'", "a  \n= ?"),
            (Unknown, "a #>> 'line1\nsecret'", "a ?"),
            (Unknown, "a # secret\n= 'b'", "a  \n= ?"),
            (Unknown, "a -- b\r\n= 'c'", "a  \n= ?"),
            (Unknown, "a -- b\r= 'c\nsecret'", "a ?"),
            (Unknown, "a --b /*\n= 'c'", "a ?"),
            (Unknown, "a --b */\n= 'c'", "a ?"),
            (Sqlite, "a # 'line1\nsecret'", "a ?"),
            // Brackets.
            (Sqlite, "[a'b] = 'secret'", "[a'b] = ?"),
            (Unknown, "[a'b] = 'secret ok'", "?"),
            (Unknown, "[a -- b] = 'line1\nsecret'", "?"),
            (Unknown, "[a]]b'c] = 'x', d = 'secret'", "?"),
            (Unknown, "[a] = [1, 2] and b = 'secret'", "[a] = [?, ?] and b = ?"),
            (MySql, "a['b'] = 'secret'", "a[?] = ?"),
            (Sqlite, "[never ends, 'secret'", "?"),
            (Sqlite, "a = [] and b = 'c'", "a = [] and b = ?"),
            // Other quotes.
            (MySql, "a$b$c = 'x$b$ secret'", "a$b$c = ?"),
            (Sqlite, "a = $b and c = 'secret'", "a = $b and c = ?"),
            (Sqlite, "a = ?2 and b = :1", "a = ?2 and b = :1"),
            (Unknown, "a = $1 and b = $c$secret$c$", "a = $1 and b = ?"),
            (Unknown, "a = q'[it's secret]'", "a = ?"),
            (Unknown, "a = '''it's secret'''", "a = ?"),
            (Unknown, "a = '' and b = 'c'", "a = ? and b = ?"),
            (PostgreSql, "a = '''' and b = 'c'", "a = ? and b = ?"),
            (PostgreSql, "a = q'b' and c = 'd'", "a = q? and c = ?"),
            (PostgreSql, "a /*! b */ = 'c'", "a   = ?"),
            (MySql, "a = $$ and b = 'c'", "a = $$ and b = ?"),
            (Unknown, "a = $b$secret$b$secret", "a = ?"),
            (Unknown, "a = $b and c = 'd'", "a = $b and c = ?"),
            (Unknown, "a = N'b' and q = 'd'", "a = N? and q = ?"),
        ] {
            assert_eq!(without_values(statement, dialect), expected, "{dialect:?}: {statement}");
        }
    }
}
