//! Shared code of the integrations for SQL: the database of a query, and the text of a statement without its values.

mod statement;

use crate::document::Sql;
use crate::document::url::Url;
use crate::live::context::Context;
use crate::live::segment::Subsegment;

/// A database as its URL describes it.
#[derive(Debug, Clone, Default)]
pub(super) struct Database {
    /// `database@host`, the form of X-Ray. For SQLite, the name of the file.
    name: Option<String>,
    sql: Sql,
}

/// The name of the subsegment of a query whose database is unknown.
const UNKNOWN: &str = "SQL";

/// The names of the engines by the schemes of URLs.
const ENGINES: [(&str, &str); 5] = [
    ("postgres", "PostgreSQL"),
    ("postgresql", "PostgreSQL"),
    ("mysql", "MySQL"),
    ("mariadb", "MariaDB"),
    ("sqlite", "SQLite"),
];

impl Database {
    /// Reads a URL such as `postgres://user:password@host:5432/name`, or the path of a file of SQLite.
    pub(super) fn of_url(url: &str) -> Self {
        let Some((scheme, rest)) = url.split_once(':').filter(|(scheme, _)| !scheme.is_empty()) else {
            return Self::of_words(url).unwrap_or_else(|| Self::of_file(url));
        };
        let engine = ENGINES.iter().find(|(known, _)| scheme.eq_ignore_ascii_case(known)).map(|(_, engine)| *engine);
        match engine {
            Some("SQLite") => Self::of_file(rest.trim_start_matches("//")),
            Some(engine) => {
                let parsed = Url::from(url);
                let database = parsed.path().trim_start_matches('/');
                let name = parsed.host().map(|host| match database {
                    "" => host.into_owned(),
                    database => format!("{database}@{host}"),
                });
                Self::of(engine, name, url)
            }
            None => Self::of_file(url),
        }
    }

    /// Reads libpq's other form, such as `host=db.example.com dbname=shop`. Returns `None` if the text has neither
    /// form.
    fn of_words(text: &str) -> Option<Self> {
        let words = text.split_whitespace().map(|word| word.split_once('='));
        let words: Vec<_> = words.collect::<Option<_>>().filter(|words: &Vec<_>| !words.is_empty())?;
        let is_keyword = |key: &str| key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        if !words.iter().all(|(key, _)| is_keyword(key)) {
            return None;
        }
        let value = |wanted: &str| words.iter().find(|(key, _)| *key == wanted).map(|(_, value)| *value);
        let name = match (value("dbname"), value("host")) {
            (Some(database), Some(host)) => Some(format!("{database}@{host}")),
            (database, host) => database.or(host).map(str::to_owned),
        };
        Some(Self::of("PostgreSQL", name, text))
    }

    fn of(engine: &str, name: Option<String>, url: &str) -> Self {
        Self { name, sql: Sql::new(engine).url(url) }
    }

    fn of_file(path: &str) -> Self {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let file = path.rsplit(['/', '\\']).next().filter(|file| !file.is_empty() && *file != ":memory:");
        Self { name: Some(file.unwrap_or("SQLite").to_owned()), sql: Sql::new("SQLite") }
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_the_database_and_its_engine() {
        for (url, name, engine, recorded) in [
            (
                "postgres://app:secret@db.example.com:5432/shop?sslmode=require",
                Some("shop@db.example.com"),
                "PostgreSQL",
                Some("postgres://db.example.com:5432/shop"),
            ),
            ("PostgreSQL://db.example.com", Some("db.example.com"), "PostgreSQL", Some("PostgreSQL://db.example.com")),
            ("mysql://app:secret@db/shop", Some("shop@db"), "MySQL", Some("mysql://db/shop")),
            ("mariadb://db/shop", Some("shop@db"), "MariaDB", Some("mariadb://db/shop")),
            ("postgres:///shop", None, "PostgreSQL", Some("postgres:///shop")),
            ("sqlite::memory:", Some("SQLite"), "SQLite", None),
            ("sqlite://data/shop.db?mode=rwc", Some("shop.db"), "SQLite", None),
            (":memory:", Some("SQLite"), "SQLite", None),
            ("", Some("SQLite"), "SQLite", None),
            ("/var/lib/shop.db", Some("shop.db"), "SQLite", None),
            ("C:\\data\\shop.db", Some("shop.db"), "SQLite", None),
            ("data/shop.db?mode=ro", Some("shop.db"), "SQLite", None),
            ("file:shop.db?cache=shared", Some("file:shop.db"), "SQLite", None),
        ] {
            let database = Database::of_url(url);
            assert_eq!((database.name.as_deref(), database.sql.url.as_deref()), (name, recorded), "{url}");
            assert_eq!(database.sql.database_type.as_deref(), Some(engine), "{url}");
        }
        let database = Database::of_url("host=db password=secret dbname=shop");
        assert_eq!(database.name.as_deref(), Some("shop@db"));
        assert!(!database.sql.url.unwrap().contains("secret"));
    }
}
