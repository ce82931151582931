//! sqlx 0.9 with a real PostgreSQL, and with SQLite.

use sqlx::Row as _;
use sqlx::sqlite::SqlitePoolOptions;
use tracing::instrument::WithSubscriber as _;
use tracing_subscriber::prelude::*;
use xray::tracing::SubsegmentLayer;
use xray_tests_databases::documents::{below_span, segment_of, subscribe, subsegments};
use xray_tests_databases::postgres::Postgres;

#[tokio::test]
async fn queries_of_postgresql_are_subsegments_with_or_without_a_span() {
    let Some(server) = Postgres::start() else { return };
    let pool = server.pool().await;
    let layer = || SubsegmentLayer::new().with_database(server.url()).with_statements(true);
    let work = || async {
        let slept = "select pg_sleep(0.05), 'Ada' as name, $1::int4 as number";
        let row = sqlx::query(slept).bind(7).fetch_one(&pool).await.unwrap();
        sqlx::query("create temporary table if not exists t (id int)").execute(&pool).await.unwrap();
        let failed = sqlx::query("select nothing").fetch_one(&pool).await;
        assert!(failed.is_err());
        row.get::<i32, _>("number")
    };
    let subscriber = tracing_subscriber::registry().with(layer());
    let (without_span, segment) = segment_of(work()).with_subscriber(subscriber).await;
    let subscriber = tracing_subscriber::registry().with(layer());
    let (with_span, queries) = below_span(work()).with_subscriber(subscriber).await;
    assert_eq!((without_span, with_span), (7, 7));
    for queries in [subsegments(&segment), queries] {
        let recorded: Vec<_> = queries.iter().map(|query| query["sql"]["sanitized_query"].as_str().unwrap()).collect();
        let expected = [
            "select pg_sleep(?), ? as name, $1::int4 as number",
            "create temporary table if not exists t (id int)",
            "select nothing",
        ];
        assert_eq!(recorded, expected, "{queries:#?}");
        for query in &queries {
            assert_eq!((&query["name"], &query["namespace"]), (&"postgres@127.0.0.1".into(), &"remote".into()));
            let url = server.url().replace("app:secret@", "");
            assert_eq!((&query["sql"]["database_type"], &query["sql"]["url"]), (&"PostgreSQL".into(), &url.into()));
        }
        let seconds = queries[0]["end_time"].as_f64().unwrap() - queries[0]["start_time"].as_f64().unwrap();
        assert!(seconds >= 0.05, "{seconds}");
        assert_eq!(queries[0]["metadata"]["sql"]["rows_returned"], 1);
        let text = serde_json::to_string(&queries).unwrap();
        assert!(!text.contains("secret") && !text.contains("Ada"), "{text}");
    }
}

#[tokio::test]
async fn queries_of_sqlite_are_subsegments_of_the_span() {
    let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.unwrap();
    let work = async { sqlx::query("select 1 union select 2").fetch_all(&pool).await.unwrap().len() };
    subscribe();
    let (rows, queries) = below_span(work).await;
    assert_eq!((rows, queries.len()), (2, 1));
    assert_eq!((&queries[0]["name"], &queries[0]["metadata"]["sql"]["rows_returned"]), (&"SQLite".into(), &2.into()));
    assert_eq!(queries[0]["sql"]["sanitized_query"], "select ? union select ?");
}
