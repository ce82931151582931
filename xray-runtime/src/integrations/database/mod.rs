//! Shared code of the integrations for SQL: the database of a query, and the text of a statement without its values.

mod connection;
mod dialect;
mod statement;

use self::dialect::Dialect;
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
            let dialect = Dialect::of(sql.database_type.as_deref());
            let text = statement().map(|text| statement::without_values(&text, dialect));
            query.set_sql(text.into_iter().fold(sql, Sql::sanitized_query));
        }
        query
    }
}
