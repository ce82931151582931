//! The rules of each SQL dialect for values, names and comments.

/// A dialect of SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    PostgreSql,
    /// MySQL and MariaDB.
    MySql,
    Sqlite,
    /// Any other database. If two databases read a text differently, its meaning is unclear.
    Unknown,
}

impl Dialect {
    /// Returns the dialect of a database by the name of its type.
    pub(super) fn of(database_type: Option<&str>) -> Self {
        match database_type {
            Some("PostgreSQL") => Self::PostgreSql,
            Some("MySQL" | "MariaDB") => Self::MySql,
            Some("SQLite") => Self::Sqlite,
            _ => Self::Unknown,
        }
    }

    /// Returns whether `"text"` may be a value: it is a name in standard SQL and a value in MySQL.
    pub(super) fn quotes_texts(self) -> bool {
        matches!(self, Self::MySql | Self::Unknown)
    }

    /// Returns whether comments nest. `None` if that is unknown.
    pub(super) fn nests_comments(self) -> Option<bool> {
        match self {
            Self::PostgreSql => Some(true),
            Self::MySql | Self::Sqlite => Some(false),
            Self::Unknown => None,
        }
    }

    /// Returns whether `--`, followed by the character `after`, begins a comment. `None` if that is unknown.
    //
    // In MySQL, `5--1` is a subtraction.
    pub(super) fn begins_comment(self, after: Option<char>) -> Option<bool> {
        let is_apart = after.is_none_or(|char| char.is_ascii_whitespace() || char.is_ascii_control());
        match self {
            Self::PostgreSql | Self::Sqlite => Some(true),
            Self::MySql => Some(is_apart),
            Self::Unknown => is_apart.then_some(true),
        }
    }

    /// Returns whether `#` begins a comment. `None` if that is unknown. It is an operator in PostgreSQL.
    pub(super) fn has_hash_comments(self) -> Option<bool> {
        match self {
            Self::PostgreSql => Some(false),
            Self::MySql => Some(true),
            Self::Sqlite | Self::Unknown => None,
        }
    }

    /// Returns whether a `\r` without `\n` ends a line comment. `None` if that is unknown.
    pub(super) fn ends_lines_with_cr(self) -> Option<bool> {
        match self {
            Self::PostgreSql => Some(true),
            Self::MySql | Self::Sqlite => Some(false),
            Self::Unknown => None,
        }
    }

    /// Returns whether `[text]` is a name. `None` if that is unknown. It is a subscript or a list in PostgreSQL.
    pub(super) fn has_names_in_brackets(self) -> Option<bool> {
        match self {
            Self::PostgreSql | Self::MySql => Some(false),
            Self::Sqlite => Some(true),
            Self::Unknown => None,
        }
    }

    /// Returns whether `?1`, `:1` and `@1` are placeholders. In PostgreSQL, `:` and `@` are parts of expressions with
    /// values: `tags[1:4711]` and `@ -5`.
    pub(super) fn has_numbers_after_marks(self) -> bool {
        self != Self::PostgreSql
    }

    /// Returns whether `$tag$text$tag$` is a value. `None` if that is unknown.
    pub(super) fn quotes_with_dollars(self) -> Option<bool> {
        match self {
            Self::PostgreSql => Some(true),
            Self::MySql | Self::Sqlite => Some(false),
            Self::Unknown => None,
        }
    }

    /// Returns whether a comment `/*! .. */` may contain code that the database runs.
    pub(super) fn runs_comments(self) -> bool {
        matches!(self, Self::MySql | Self::Unknown)
    }

    /// Returns whether `'''text'''` may be a value, as in `BigQuery`.
    pub(super) fn has_triple_quotes(self) -> bool {
        self == Self::Unknown
    }

    /// Returns whether `q'[text]'` may be a value, as in Oracle. A quotation mark inside the brackets does not end it.
    pub(super) fn has_custom_quotes(self) -> bool {
        self == Self::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialect_is_that_of_the_type_of_the_database() {
        for (database_type, dialect) in [
            (Some("PostgreSQL"), Dialect::PostgreSql),
            (Some("MySQL"), Dialect::MySql),
            (Some("MariaDB"), Dialect::MySql),
            (Some("SQLite"), Dialect::Sqlite),
            (Some("Oracle"), Dialect::Unknown),
            (None, Dialect::Unknown),
        ] {
            assert_eq!(Dialect::of(database_type), dialect, "{database_type:?}");
        }
    }
}
