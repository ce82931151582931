//! Records the queries of sqlx from the events that sqlx sends at their end.

use std::fmt::Debug;

use tracing_core::field::{Field, Visit};
use tracing_core::{Event, Metadata};

use crate::integrations::database::Database;
use crate::live::context::Context;
use crate::record::Time;

/// The settings for queries.
#[derive(Debug, Clone)]
pub(super) struct Queries {
    pub(super) database: Option<Box<Database>>,
    pub(super) has_statements: bool,
}

/// Returns whether an event reports a query. (sqlx-core 0.8 and 0.9, `logger.rs`.)
pub(super) fn is_query(metadata: &Metadata<'_>) -> bool {
    metadata.target() == "sqlx::query"
}

impl Queries {
    pub(super) const fn new() -> Self {
        Self { database: None, has_statements: false }
    }

    /// Records a query that has ended now, below `parent`.
    pub(super) fn record(&self, event: &Event<'_>, parent: &Context) {
        if !parent.is_sampled() {
            return;
        }
        let mut query = Query { has_texts: self.has_statements, ..Query::default() };
        event.record(&mut query);
        let Some(elapsed) = query.elapsed_secs else { return };
        let unknown = Database::default();
        let database = self.database.as_deref().unwrap_or(&unknown);
        let subsegment = database.begin(parent, || query.statement());
        if let Some(entity) = subsegment.entity() {
            entity.update(|record| record.start = Time::from_seconds(record.start.seconds() - elapsed));
        }
        for (key, rows) in [("rows_returned", query.rows_returned), ("rows_affected", query.rows_affected)] {
            if let Some(rows) = rows {
                subsegment.add_metadata_in("sql", key, rows);
            }
        }
    }
}

/// The fields of an event.
#[derive(Default)]
struct Query {
    /// `true` if statements are recorded. Otherwise their texts are not copied.
    has_texts: bool,
    /// The first words of the statement, or all of it.
    summary: Option<String>,
    /// Empty if `summary` contains the whole statement.
    statement: Option<String>,
    rows_affected: Option<u64>,
    rows_returned: Option<u64>,
    elapsed_secs: Option<f64>,
}

impl Query {
    fn statement(&self) -> Option<String> {
        let statement = self.statement.as_ref().filter(|statement| !statement.trim().is_empty());
        statement.or(self.summary.as_ref()).cloned()
    }
}

impl Visit for Query {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "rows_affected" => self.rows_affected = Some(value),
            "rows_returned" => self.rows_returned = Some(value),
            _ => {}
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // Other code may send events with this target, so a negative or absurdly long time is ignored.
        if field.name() == "elapsed_secs" && (0.0..1e9).contains(&value) {
            self.elapsed_secs = Some(value);
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            _ if !self.has_texts => {}
            "summary" => self.summary = Some(value.to_owned()),
            "db.statement" => self.statement = Some(value.to_owned()),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}
