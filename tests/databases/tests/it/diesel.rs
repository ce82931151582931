//! diesel 2.3 on SQLite.

use std::process::Command;
use std::thread;
use std::time::Duration;

use diesel::connection::{Instrumentation as _, InstrumentationEvent, SimpleConnection as _};
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;
use xray::diesel::QueryInstrumentation;
use xray_tests_databases::documents::{below_blocking, subsegments};

diesel::table! {
    users {
        id -> Integer,
        name -> Text,
    }
}

fn connection(instrumentation: QueryInstrumentation) -> SqliteConnection {
    let mut connection = SqliteConnection::establish(":memory:").unwrap();
    connection.batch_execute("create table users (id integer primary key, name text not null)").unwrap();
    connection.set_instrumentation(instrumentation);
    connection
}

fn statements(queries: &[serde_json::Value]) -> Vec<Option<&str>> {
    queries.iter().map(|query| query["sql"]["sanitized_query"].as_str()).collect()
}

#[test]
fn a_query_is_a_subsegment_and_its_values_are_not_recorded() {
    let mut connection =
        connection(QueryInstrumentation::new().with_statements(true).with_database("data/shop.db?a=b"));
    let work = || {
        diesel::insert_into(users::table).values(users::name.eq("Ada")).execute(&mut connection)?;
        let names = users::table.filter(users::name.eq("Ada")).select(users::name).load::<String>(&mut connection)?;
        diesel::sql_query("select id, name from users where name = 'Ada' and id < 9 and name = ? -- for Ada")
            .bind::<Text, _>("Ada")
            .execute(&mut connection)?;
        QueryResult::Ok(names)
    };
    let (names, queries) = below_blocking(work);
    assert_eq!(names.unwrap(), ["Ada"]);
    let expected = [
        "INSERT INTO `users` (`name`) VALUES (?)",
        "SELECT `users`.`name` FROM `users` WHERE (`users`.`name` = ?)",
        "select id, name from users where name = ? and id < ? and name = ?",
    ];
    assert_eq!(statements(&queries), expected.map(Some), "{queries:#?}");
    for query in &queries {
        assert_eq!((&query["name"], &query["namespace"]), (&"shop.db".into(), &"remote".into()));
        assert_eq!(query["sql"]["database_type"], "SQLite");
        assert!(query["end_time"].as_f64() >= query["start_time"].as_f64() && query.get("fault").is_none());
    }
    assert!(!serde_json::to_string(&queries).unwrap().contains("Ada"));
}

#[test]
fn an_error_of_the_database_is_the_cause() {
    let mut connection = connection(QueryInstrumentation::new());
    let work = || {
        let insert = |connection: &mut SqliteConnection| {
            diesel::insert_into(users::table).values((users::id.eq(1), users::name.eq("Ada"))).execute(connection)
        };
        insert(&mut connection).unwrap();
        insert(&mut connection).is_err()
    };
    let (is_refused, queries) = below_blocking(work);
    assert!(is_refused);
    assert_eq!(statements(&queries), [None, None]);
    assert!(queries[0].get("fault").is_none() && queries[1]["fault"] == true, "{queries:#?}");
    let message = queries[1]["cause"]["exceptions"][0]["message"].as_str().unwrap();
    assert!(message.contains("UNIQUE constraint failed"), "{message}");
}

/// A value that cannot be converted.
#[derive(Debug, AsExpression)]
#[diesel(sql_type = Text)]
struct Unconvertible;

impl ToSql<Text, Sqlite> for Unconvertible {
    fn to_sql<'b>(&'b self, _: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        Err("no text".into())
    }
}

/// diesel reports the start of such a query, and not its end.
#[test]
fn a_query_that_does_not_finish_ends_with_its_segment() {
    let mut connection = connection(QueryInstrumentation::new());
    let mut insert =
        || diesel::insert_into(users::table).values(users::name.eq(Unconvertible)).execute(&mut connection);
    let (result, queries) = below_blocking(&mut insert);
    assert!(result.is_err());
    let [unfinished] = &queries[..] else { panic!("{queries:#?}") };
    assert_eq!(unfinished["metadata"]["xray"]["cancelled"], true);

    let (rows, queries) = below_blocking(|| users::table.count().get_result::<i64>(&mut connection));
    let [count] = &queries[..] else { panic!("{queries:#?}") };
    assert_eq!((rows, count.get("metadata")), (Ok(0), None));
}

/// PostgreSQL looks up a custom type when its first value is converted.
#[test]
fn a_query_within_a_query_leaves_the_outer_one_open() {
    let mut instrumentation = QueryInstrumentation::new();
    let query = diesel::debug_query::<Sqlite, _>(&users::table);
    let ((), queries) = below_blocking(|| {
        instrumentation.on_connection_event(InstrumentationEvent::start_query(&query));
        instrumentation.on_connection_event(InstrumentationEvent::start_query(&query));
        instrumentation.on_connection_event(InstrumentationEvent::finish_query(&query, None));
        thread::sleep(Duration::from_millis(20));
        let error = diesel::result::Error::NotFound;
        instrumentation.on_connection_event(InstrumentationEvent::finish_query(&query, Some(&error)));
    });
    let [inner, outer] = &queries[..] else { panic!("{queries:#?}") };
    let seconds =
        |query: &serde_json::Value| query["end_time"].as_f64().unwrap() - query["start_time"].as_f64().unwrap();
    assert!(seconds(outer) >= 0.02 && outer["fault"] == true, "{queries:#?}");
    assert!(seconds(inner) < seconds(outer) && inner.get("fault").is_none(), "{queries:#?}");
}

#[test]
fn subsegments_nest_below_what_is_current_and_nothing_happens_outside() {
    let mut connection = connection(QueryInstrumentation::new());
    let mut count = || users::table.count().get_result::<i64>(&mut connection).unwrap();
    let (rows, documents) = xray::testing::capture_blocking(&mut count);
    assert!(rows == 0 && documents.is_empty());
    let (_, parts) = below_blocking(|| xray::current().subsegment("part").in_scope(count));
    assert_eq!((parts.len(), &parts[0]["name"]), (1, &"part".into()));
    assert_eq!(subsegments(&parts[0]).len(), 1);
}

/// The default instrumentation applies to the whole process, so the test runs in a child process.
#[test]
fn one_line_covers_all_connections_that_are_opened_later() {
    const CHILD: &str = "XRAY_TEST_INSTALLED";

    if std::env::var_os(CHILD).is_none() {
        let name = "diesel::one_line_covers_all_connections_that_are_opened_later";
        let program = std::env::current_exe().unwrap();
        let output = Command::new(program).args([name, "--exact"]).env(CHILD, "1").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        return;
    }
    QueryInstrumentation::new().install().unwrap();
    let file = std::env::temp_dir().join(format!("xray-diesel-{}.db", std::process::id()));
    let url = file.to_str().unwrap().to_owned();
    for _ in 0..2 {
        let (rows, queries) = below_blocking(|| {
            let mut connection = SqliteConnection::establish(&url).unwrap();
            diesel::sql_query("select 1").execute(&mut connection).unwrap()
        });
        assert_eq!(rows, 0);
        assert_eq!(queries.last().unwrap()["name"], file.file_name().unwrap().to_str().unwrap());
    }
    std::fs::remove_file(file).unwrap();
}
