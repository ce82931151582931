//! Queries of sqlx 0.8, and of other programs that send such events, as subsegments. The workspace `tests/databases`
//! tests sqlx 0.9 and sea-orm.

use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};
use support::documents::capture;
use support::subsegments::{below_blocking, mark, names, seconds};
use tracing::Instrument as _;
use tracing_subscriber::prelude::*;
use xray::tracing::SubsegmentLayer;
use xray::{Document, Instrument as _, Namespace};

use super::subscriber::{below, subscribe};

/// Opens a database in memory. The database is deleted when its only connection closes.
async fn pool() -> SqlitePool {
    let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.unwrap();
    sqlx::query("create table users (id integer primary key, name text)").execute(&pool).await.unwrap();
    pool
}

/// Runs work in a span, and returns the subsegments of the span.
///
/// The thread of SQLite leaves the span shortly after it has answered. It has left when it answers a query without a
/// span.
async fn below_span<T>(pool: &SqlitePool, work: impl Future<Output = T>) -> (T, Vec<Document>) {
    let work = async {
        let result = work.instrument(tracing::info_span!("order")).await;
        sqlx::query("select 1").execute(pool).await.unwrap();
        result
    };
    let (result, mut spans) = below(work).await;
    assert_eq!(names(&spans), ["order"]);
    (result, spans.remove(0).subsegments)
}

#[tokio::test]
async fn a_query_is_a_subsegment_with_its_time_and_its_rows() {
    let pool = pool().await;
    let work = async {
        mark("before");
        for name in ["Ada", "Grace"] {
            sqlx::query("insert into users (name) values (?)").bind(name).execute(&pool).await.unwrap();
        }
        mark("between");
        let rows = sqlx::query("select name from users where id > ?").bind(0).fetch_all(&pool).await.unwrap();
        mark("after");
        rows.len()
    };
    let (rows, parts) = below_span(&pool, work).await;
    assert_eq!(rows, 2);
    assert_eq!(names(&parts), ["before", "shop.db", "shop.db", "between", "shop.db", "after"]);
    for pair in parts.windows(2) {
        assert!(pair[0].end_time.unwrap() <= pair[1].start_time, "{parts:#?}");
    }
    let [insert, select] = [&parts[1], &parts[4]];
    for query in [insert, select] {
        assert_eq!(query.namespace, Some(Namespace::Remote));
        assert_eq!(query.sql.as_ref().unwrap().database_type.as_deref(), Some("SQLite"));
        assert!(query.end_time.unwrap() > query.start_time && query.annotations.is_empty());
    }
    let rows =
        |query: &Document| ["affected", "returned"].map(|rows| query.metadata["sql"][&format!("rows_{rows}")].clone());
    assert_eq!(rows(insert), [1, 0]);
    assert_eq!(rows(select)[1], 2);
}

#[tokio::test]
async fn a_statement_is_recorded_without_the_values_in_it() {
    let pool = pool().await;
    let statements = ["select 1", "select \"name\" from users where name = 'Ada' and id > 41 or id = ? -- for Ada"];
    let work = async {
        for statement in statements {
            sqlx::query(statement).bind(7).fetch_all(&pool).await.unwrap();
        }
    };
    let ((), queries) = below_span(&pool, work).await;
    let recorded: Vec<_> = queries.iter().map(|query| query.sql.as_ref().unwrap().sanitized_query.as_deref()).collect();
    assert_eq!(recorded, [Some("select ?"), Some("select \"name\" from users where name = ? and id > ? or id = ?")]);
    let text = serde_json::to_string(&queries).unwrap();
    assert!(!text.contains("Ada"), "{text}");
}

#[tokio::test]
async fn a_query_of_sqlite_without_a_span_an_unsampled_one_and_one_that_fails() {
    let pool = pool().await;
    let query = || async { sqlx::query("select name from users").fetch_all(&pool).await };
    let (_, parts) = below(query()).await;
    assert!(parts.is_empty(), "the thread of SQLite knows spans only");

    let unsampled = xray::TraceHeader::parse("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0");
    let segment = xray::Segment::builder("t").trace_header(&unsampled);
    let work = query().instrument(tracing::info_span!("order")).in_segment(segment);
    let (rows, documents) = capture(work).await;
    assert!(rows.is_ok() && documents.is_empty());

    let failing = async { sqlx::query("insert into users (id) values (?), (?)").bind(1).bind(1).execute(&pool).await };
    let (failed, parts) = below_span(&pool, failing).await;
    assert!(failed.is_err());
    assert_eq!(
        (names(&parts), parts[0].fault),
        (vec!["shop.db"], false),
        "the event does not say that the query failed"
    );
}

/// Runs a closure with a new layer. Returns the subsegments that the closure records.
fn below_layer(layer: SubsegmentLayer, work: impl FnOnce()) -> Vec<Document> {
    let registry = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(registry, || below_blocking(work).1)
}

#[test]
fn by_default_no_statement_is_recorded_and_the_database_is_unknown() {
    let send =
        || tracing::debug!(target: "sqlx::query", summary = "select 'Ada'", rows_returned = 3_u64, elapsed_secs = 0.5);
    let parts = below_layer(SubsegmentLayer::new(), send);
    let [query] = &parts[..] else { panic!("{parts:#?}") };
    assert_eq!((query.name.as_str(), query.sql.as_deref()), ("SQL", Some(&xray::Sql::default())));
    assert!((seconds(query) - 0.5).abs() < 0.001 && query.metadata["sql"]["rows_returned"] == 3, "{query:#?}");

    // In MySQL, a text may have double quotes.
    let statement = "select \"Ada\"";
    let send = || tracing::debug!(target: "sqlx::query", summary = "x", db.statement = statement, elapsed_secs = 0.5);
    for (layer, expected) in [
        (SubsegmentLayer::new(), "select ?"),
        (SubsegmentLayer::new().with_database("mysql://h/d"), "select ?"),
        (SubsegmentLayer::new().with_database("postgres://h/d"), statement),
    ] {
        let parts = below_layer(layer.with_statements(true), send);
        assert_eq!(parts[0].sql.as_ref().unwrap().sanitized_query.as_deref(), Some(expected));
    }
}

/// Other programs may send events with the target of sqlx.
#[test]
fn events_that_are_not_those_of_sqlx_harm_nobody() {
    subscribe();
    let parts = below_blocking(|| {
        tracing::debug!(target: "sqlx::query", "no fields");
        tracing::debug!(target: "sqlx::query", elapsed_secs = "a text");
        for elapsed_secs in [f64::NAN, f64::INFINITY, -1.0, 1e300] {
            tracing::debug!(target: "sqlx::query", elapsed_secs);
        }
        tracing::error!(target: "sqlx::query", elapsed_secs = 0.5, summary = 7, rows_returned = -1);
    });
    assert_eq!(names(&parts.1), ["shop.db"]);
    assert!(!parts.1[0].fault && parts.1[0].metadata.is_empty(), "{parts:#?}");
}
