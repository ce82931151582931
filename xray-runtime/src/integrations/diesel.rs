//! Records the queries of diesel as subsegments. (Feature `diesel`.)

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, Weak};

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use diesel::result::{Error as DatabaseError, QueryResult};

use super::database::Database;
use crate::document::Sql;
use crate::id::SegmentId;
use crate::live::context::{self, Context};
use crate::live::entity::Entity;
use crate::live::open_spans::OpenSpan;
use crate::live::segment::Subsegment;
use crate::record::Record;
use crate::support::guard::guard;
use crate::support::text::BoundedText;

/// Records every query of a connection as a subsegment of the current segment or subsegment.
///
/// One line at the start of a program covers all connections that are opened afterwards, including the connections of
/// pools:
///
/// ```
/// xray::diesel::QueryInstrumentation::new().install()?;
/// # Ok::<(), diesel::result::Error>(())
/// ```
///
/// A subsegment has the namespace `remote`, the name `database@host`, and an `sql` block with the engine and the URL of
/// the database without credentials. For SQLite, the name is the name of the file. The instrumentation reads the
/// database from the URL of the connection. The subsegment lasts from the start of the query until the database has
/// answered. An error of the database is the cause of the subsegment. A query outside any segment is not recorded.
///
/// diesel reports no end of a query if a value could not be converted, or if the future of the query was dropped. The
/// subsegment then ends with the segment or subsegment around it, or with the connection. It has `{"cancelled": true}`
/// in its metadata, in the namespace `xray`.
///
/// **Limits.** diesel reports neither the number of rows nor the time in which rows are read. `diesel-async` calls the
/// instrumentation too, on the thread that polls the query's future. If several queries run at once on one connection
/// (pipelining), the instrumentation may confuse them. A connection that was opened earlier, or that has its own
/// instrumentation, is not covered; set the instrumentation of such a connection by
/// [`Connection::set_instrumentation`](diesel::Connection::set_instrumentation).
#[derive(Default)]
pub struct QueryInstrumentation {
    database: Option<Database>,
    has_statements: bool,
    /// The queries that have begun, outermost first. A connection runs one query at a time, but diesel may look up a
    /// type by another query, before it sends the first one. `None` for a query that is not recorded.
    queries: Vec<Option<RunningQuery>>,
}

/// The settings for connections that are opened later. They are in a static, because diesel calls a function pointer,
/// which cannot capture them.
static DEFAULT: RwLock<Option<QueryInstrumentation>> = RwLock::new(None);

impl QueryInstrumentation {
    /// Returns an instrumentation that records no statements.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the URL of the database, for connections whose own URL does not name the database. Credentials are not
    /// recorded.
    ///
    /// ```
    /// let instrumentation = xray::diesel::QueryInstrumentation::new().with_database("postgres://db.example.com/shop");
    /// # drop(instrumentation);
    /// ```
    #[must_use]
    pub fn with_database(self, url: impl AsRef<str>) -> Self {
        Self { database: Some(Database::of_url(url.as_ref())), ..self }
    }

    /// Sets whether the text of statements is recorded; the default is `false`.
    ///
    /// diesel sends the values of a query separately from its statement. These values are never recorded. Texts and
    /// numbers in the statement itself, such as a statement of `diesel::sql_query`, are replaced by `?`, and comments
    /// are left out.
    ///
    /// ```
    /// let instrumentation = xray::diesel::QueryInstrumentation::new().with_statements(true);
    /// # drop(instrumentation);
    /// ```
    #[must_use]
    pub fn with_statements(self, has_statements: bool) -> Self {
        Self { has_statements, ..self }
    }

    /// Installs the instrumentation for all connections that are opened from now on.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`set_default_instrumentation`].
    pub fn install(self) -> QueryResult<()> {
        *DEFAULT.write().unwrap_or_else(PoisonError::into_inner) = Some(self);
        set_default_instrumentation(|| {
            let settings = DEFAULT.read().unwrap_or_else(PoisonError::into_inner);
            Some(Box::new(settings.as_ref()?.clone()))
        })
    }

    fn begin(&mut self, query: &dyn fmt::Display) {
        /// Limit on `queries`: a query that is not recorded may be left unfinished too.
        const MAX_NESTED: usize = 4;

        self.queries.retain(|query| query.as_ref().is_none_or(RunningQuery::is_open));
        if self.queries.len() == MAX_NESTED {
            self.queries.remove(0);
        }
        let parent = context::current();
        let unknown = Database::default();
        let database = self.database.as_ref().unwrap_or(&unknown);
        // Formatting a query runs code of the program, which may panic.
        let text = || self.has_statements.then(|| guard(|| statement(query))).flatten();
        let query = parent.is_sampled().then(|| RunningQuery::new(&parent, database.begin(&parent, text)));
        self.queries.push(query.flatten());
    }
}

/// The subsegment of a query that has begun.
struct RunningQuery {
    subsegment: Subsegment,
    entity: Arc<Entity>,
    parent: SegmentId,
    is_finished: bool,
}

impl RunningQuery {
    fn new(parent: &Context, subsegment: Subsegment) -> Option<Self> {
        let (entity, parent) = (Arc::clone(subsegment.entity()?), parent.entity()?.id());
        // A query that does not finish ends with its parent. diesel does not report the end of a query whose values it
        // cannot convert, and `diesel-async` that of a query whose future is dropped.
        let unfinished = Arc::new(UnfinishedQuery(Arc::downgrade(&entity)));
        entity.trace().open_spans().add(parent, entity.id(), unfinished);
        Some(Self { subsegment, entity, parent, is_finished: false })
    }

    fn is_open(&self) -> bool {
        self.entity.is_open()
    }

    fn finish(mut self, error: Option<&DatabaseError>) {
        self.is_finished = true;
        if let Some(error) = error {
            self.subsegment.record_error(error);
        }
    }
}

/// Marks a query that has not finished as cancelled. The subsegment ends after this, when the field `subsegment` is
/// dropped.
impl Drop for RunningQuery {
    fn drop(&mut self) {
        self.entity.trace().open_spans().remove(self.parent, self.entity.id());
        if !self.is_finished {
            self.entity.update(Record::mark_cancelled);
        }
    }
}

/// A query that ends with its parent, unless it has finished before.
struct UnfinishedQuery(Weak<Entity>);

impl OpenSpan for UnfinishedQuery {
    fn is_left(&self) -> bool {
        true
    }

    fn end(&self) {
        if let Some(query) = self.0.upgrade() {
            query.update(Record::mark_cancelled);
            query.end();
        }
    }
}

/// Returns the text of a query without the values that diesel adds to it.
// Output of diesel: SELECT * FROM users WHERE id = $1 -- binds: [7]
//
// Bounded, because the values may be megabytes, and diesel writes each byte of a blob as a number.
fn statement(query: &dyn fmt::Display) -> String {
    let (mut text, _) = BoundedText::of(query, 4 * Sql::MAX_QUERY_CHARS).unwrap_or_default();
    text.truncate(text.find(" -- binds: ").unwrap_or(text.len()));
    text
}

/// A clone has the same settings and no running query.
impl Clone for QueryInstrumentation {
    fn clone(&self) -> Self {
        Self { database: self.database.clone(), has_statements: self.has_statements, queries: Vec::new() }
    }
}

impl Instrumentation for QueryInstrumentation {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartEstablishConnection { url, .. } => {
                self.database.get_or_insert_with(|| Database::of_url(url));
            }
            InstrumentationEvent::StartQuery { query, .. } => self.begin(&query),
            InstrumentationEvent::FinishQuery { error, .. } => {
                if let Some(query) = self.queries.pop().flatten() {
                    query.finish(error);
                }
            }
            _ => {}
        }
    }
}

impl fmt::Debug for QueryInstrumentation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { database, has_statements, .. } = self;
        let mut debug = formatter.debug_struct("QueryInstrumentation");
        debug.field("database", database).field("has_statements", has_statements).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::segment::Segment;
    use crate::testing::capture_blocking;

    #[test]
    fn a_statement_has_no_values_and_endless_values_are_not_written() {
        struct Query;

        impl fmt::Display for Query {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("INSERT INTO t VALUES ($1) -- binds: [")?;
                loop {
                    formatter.write_str("255, ")?;
                }
            }
        }

        assert_eq!(statement(&Query), "INSERT INTO t VALUES ($1)");
        assert_eq!(statement(&"SELECT 1"), "SELECT 1");
        let longest = "\u{1f980}".repeat(Sql::MAX_QUERY_CHARS);
        assert_eq!(statement(&longest), longest);
    }

    #[test]
    fn a_clone_has_the_settings_and_no_query() {
        let mut instrumentation = QueryInstrumentation::new().with_database("postgres://db/shop").with_statements(true);
        instrumentation.begin(&"SELECT 1");
        let clone = instrumentation.clone();
        assert!(clone.has_statements && clone.database.is_some() && clone.queries.is_empty());
    }

    #[test]
    fn a_query_that_does_not_finish_is_cancelled_and_forgotten_at_the_end_of_its_parent() {
        let mut instrumentation = QueryInstrumentation::new();
        let ((), documents) = capture_blocking(|| {
            Segment::builder("first").begin().in_scope(|| instrumentation.begin(&"SELECT 1"));
            Segment::builder("second").begin().in_scope(|| instrumentation.begin(&"SELECT 2"));
            assert_eq!(instrumentation.queries.len(), 1, "the first query has ended with its parent");
            Segment::builder("third").begin().in_scope(|| {
                instrumentation.begin(&"SELECT 3");
                drop(instrumentation);
            });
        });
        for document in &documents {
            let [query] = &document.subsegments[..] else { panic!("{document:#?}") };
            assert_eq!(query.metadata["xray"]["cancelled"], true, "{}", document.name);
        }
        assert_eq!(documents.len(), 3);
    }
}
