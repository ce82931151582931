//! Shared code of the integrations for SQL: the database of a query, and the text of a statement without its values.

mod connection;
mod statement;

use crate::document::Sql;
use crate::live::context::Context;
use crate::live::segment::Subsegment;

/// A database as its connection string describes it.
#[derive(Debug, Clone, Default)]
pub(super) struct Database {
    /// `database@host`, the form of X-Ray. For SQLite, the name of the file.
    name: Option<String>,
    sql: Sql,
}

/// The name of the subsegment of a query whose database is unknown.
const UNKNOWN: &str = "SQL";

impl Database {
    /// Begins the subsegment of a query. `statement` returns the text of the statement, or `None` if the text is not
    /// recorded.
    pub(super) fn begin(&self, parent: &Context, statement: impl FnOnce() -> Option<String>) -> Subsegment {
        let query = parent.begin_subsegment(self.name.as_deref().unwrap_or(UNKNOWN));
        if query.is_sampled() {
            let sql = self.sql.clone();
            let text = statement().map(|text| statement::without_values(&text, self.has_texts_in_double_quotes()));
            query.set_sql(text.into_iter().fold(sql, Sql::sanitized_query));
        }
        query
    }

    /// Returns whether `"text"` may be a value: it is a name in standard SQL and a value in MySQL.
    fn has_texts_in_double_quotes(&self) -> bool {
        !matches!(self.sql.database_type.as_deref(), Some("PostgreSQL" | "SQLite"))
    }
}
