//! sea-orm, whose queries sqlx sends.

use sea_orm::{ConnectionTrait as _, Database, Statement};
use xray_tests_databases::documents::{below_span, subscribe};

#[tokio::test]
async fn queries_of_sea_orm_are_subsegments() {
    let database = Database::connect("sqlite::memory:").await.unwrap();
    let statement = |sql: &str, values: Vec<sea_orm::Value>| {
        Statement::from_sql_and_values(sea_orm::DatabaseBackend::Sqlite, sql, values)
    };
    let work = async {
        database.execute_unprepared("create table users (id integer primary key, name text)").await.unwrap();
        let insert = statement("insert into \"users\" (\"name\") values (?)", vec!["Ada".into()]);
        database.execute_raw(insert).await.unwrap();
        let select = statement("select \"name\" from \"users\" where \"id\" < 9 and \"name\" = ?", vec!["Ada".into()]);
        database.query_all_raw(select).await.unwrap().len()
    };
    subscribe();
    let (rows, queries) = below_span(work).await;
    assert_eq!(rows, 1);
    let recorded: Vec<_> = queries.iter().map(|query| query["sql"]["sanitized_query"].as_str().unwrap()).collect();
    let expected = [
        "create table users (id integer primary key, name text)",
        "insert into \"users\" (\"name\") values (?)",
        "select \"name\" from \"users\" where \"id\" < ? and \"name\" = ?",
    ];
    assert_eq!(recorded, expected, "{queries:#?}");
    assert!(!serde_json::to_string(&queries).unwrap().contains("Ada"));
}
