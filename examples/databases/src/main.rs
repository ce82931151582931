//! Records queries of sqlx and diesel as subsegments. Each library needs one line at the start of the program, and no
//! pool or connection is wrapped.
//!
//! ```text
//! cargo run --manifest-path examples/databases/Cargo.toml
//! ```
//!
//! The program needs no network and no daemon: its database is SQLite in memory, and a `MemoryEmitter` keeps the
//! documents.

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use sqlx::sqlite::SqlitePoolOptions;
use tracing::instrument;
use tracing_subscriber::prelude::*;
use xray::emitter::MemoryEmitter;
use xray::tracing::SubsegmentLayer;
use xray::{Document, Instrument as _, Recorder};

diesel::table! {
    orders {
        id -> Integer,
        product -> Text,
    }
}

/// Runs queries with sqlx. Connections of SQLite run on their own threads, which know the caller's span but not its
/// segment. So the function needs a span.
#[instrument(skip_all)]
async fn by_sqlx(pool: &sqlx::SqlitePool) -> sqlx::Result<usize> {
    sqlx::query("create table orders (id integer primary key, product text)").execute(pool).await?;
    sqlx::query("insert into orders (product) values (?), ('a cup')").bind("a teapot").execute(pool).await?;
    Ok(sqlx::query("select product from orders where id < 9").fetch_all(pool).await?.len())
}

#[xray::traced]
fn by_diesel() -> Result<usize, Box<dyn std::error::Error>> {
    let mut connection = SqliteConnection::establish(":memory:")?;
    connection.batch_execute("create table orders (id integer primary key, product text not null)")?;
    let insert = |connection: &mut SqliteConnection| {
        diesel::insert_into(orders::table)
            .values((orders::id.eq(1), orders::product.eq("a teapot")))
            .execute(connection)
    };
    insert(&mut connection)?;
    if let Err(error) = insert(&mut connection) {
        println!("the second insert fails: {error}");
    }
    Ok(orders::table.select(orders::product).load::<String>(&mut connection)?.len())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The line for sqlx. Statements are recorded only after `with_statements(true)`, and without the values in them.
    let layer = SubsegmentLayer::new().with_database("sqlite::memory:").with_statements(true);
    tracing_subscriber::registry().with(layer).init();
    // The line for diesel.
    xray::diesel::QueryInstrumentation::new().with_statements(true).install()?;

    let emitter = MemoryEmitter::new();
    let recorder = Recorder::builder().sampler(xray::sampling::Always).emitter(emitter.clone()).build();
    let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
    let segment = xray::Segment::builder("shop").recorder(&recorder);
    let work = async {
        println!("sqlx found {:?} orders", by_sqlx(&pool).await);
        println!("diesel found {:?} orders", by_diesel());
    };
    work.in_segment(segment).await;

    println!("\n=== What X-Ray receives");
    emitter.take().iter().for_each(|segment| show(segment, ""));
    Ok(())
}

/// Prints a line for each segment and subsegment, with the name, the statement and the numbers of rows.
fn show(document: &Document, indent: &str) {
    let statement = document.sql.as_ref().and_then(|sql| sql.sanitized_query.as_deref()).unwrap_or_default();
    let rows = document
        .metadata
        .get("sql")
        .map(|sql| format!(" ({} affected, {} returned)", sql["rows_affected"], sql["rows_returned"]));
    let fault = if document.fault { " (fault)" } else { "" };
    println!("{indent}{} {statement}{}{fault}", document.name, rows.unwrap_or_default());
    document.subsegments.iter().for_each(|subsegment| show(subsegment, &format!("{indent}    ")));
}
