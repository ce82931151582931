//! sqlx on SQLite: `execute` on the connection and `execute` on the query. Neither is traced.

use reqwest::Client;
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqliteQueryResult};
use sqlx::{Acquire, Connection, Executor, Row, Sqlite, Transaction};

use super::traced_http;
use crate::shapes::run::{Run, recorded};

#[traced_http]
async fn queries(pool: &SqlitePool, names: &[&str]) -> sqlx::Result<u64> {
    sqlx::query("create table users (id integer primary key, name text)").execute(pool).await?;
    let mut rows = 0;
    for name in names {
        let result: SqliteQueryResult =
            sqlx::query("insert into users (name) values (?)").bind(name).execute(pool).await?;
        rows += result.rows_affected();
    }
    let insert = sqlx::query("insert into users (name) values (?)").bind(String::from("last"));
    let done = insert.execute(pool);
    Ok(rows + done.await?.rows_affected())
}

#[traced_http]
async fn transactions(pool: &SqlitePool) -> sqlx::Result<i64> {
    let mut transaction: Transaction<'_, Sqlite> = pool.begin().await?;
    sqlx::query("insert into users (name) values (?)").bind("a").execute(&mut *transaction).await?;
    let mut nested = transaction.begin().await?;
    let query = sqlx::query("insert into users (name) values (?)").bind("b");
    query.execute(&mut *nested).await?;
    nested.rollback().await?;
    let executor = &mut *transaction;
    sqlx::query("insert into users (name) values ('c')").execute(executor).await?;
    transaction.execute("insert into users (name) values ('d')").await?;
    let text = String::from("insert into users (name) values ('e')");
    transaction.execute(text.as_str()).await?;
    let statement = sqlx::query("insert into users (name) values (?)").bind(7);
    (&mut *transaction).execute(statement).await?;
    transaction.commit().await?;
    sqlx::query("select count(*) from users").fetch_one(pool).await.map(|row| row.get(0))
}

/// A function that is generic over the executor, and a connection that is used again.
#[traced_http]
async fn generic<'c, E>(first: E, second: &mut SqliteConnection, sql: &'static str) -> sqlx::Result<u64>
where
    E: Executor<'c, Database = Sqlite>,
{
    let mut rows = sqlx::query(sql).execute(first).await?.rows_affected();
    rows += sqlx::query(sql).execute(&mut *second).await?.rows_affected();
    rows += second.execute(sql).await?.rows_affected();
    let batch = [sql, sql];
    for sql in batch {
        rows += second.execute(sql).await?.rows_affected();
    }
    second.ping().await?;
    Ok(rows)
}

#[traced_http]
async fn with_a_call(pool: &SqlitePool, client: &Client, url: &str) -> Result<u16, Box<dyn std::error::Error>> {
    let mut transaction = pool.begin().await?;
    let request = client.get(url).build()?;
    let status = client.execute(request).await?.status().as_u16();
    let insert = sqlx::query("insert into users (name) values (?)").bind(client.get(url).send().await?.text().await?);
    insert.execute(&mut *transaction).await?;
    let (rows, answer) =
        tokio::join!(sqlx::query("delete from users").execute(&mut *transaction), client.put(url).send(),);
    let _ = (rows?.rows_affected(), answer?);
    transaction.commit().await?;
    Ok(status)
}

#[tokio::test]
async fn databases() {
    let run = Run::start(super::IS_TRACED).await;
    let options = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1);
    let pool = options.connect("sqlite::memory:").await.unwrap();
    run.check("queries", async { queries(&pool, &["x", "y"]).await.unwrap() }, 3).await;
    run.check("transactions", async { transactions(&pool).await.unwrap() }, 3 + 5).await;
    let mut other = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    other.execute("create table users (id integer primary key, name text)").await.unwrap();
    let work = async { generic(&pool, &mut other, "insert into users (name) values ('f')").await.unwrap() };
    run.check("generic", work, 1 + 4).await;
    let url = run.url("/bytes/1");
    let calls = ["GET /bytes/1", "GET /bytes/1", "PUT /bytes/1"].map(recorded);
    let work = async { with_a_call(&pool, &run.client, &url).await.unwrap() };
    run.check_calls("with_a_call", work, 200, &calls).await;
}
