//! The connection strings of databases.

use std::borrow::Cow;

use super::Database;
use crate::document::Sql;
use crate::document::url::Url;

/// The names of the engines by the schemes of URLs.
const ENGINES: [(&str, &str); 4] =
    [("postgres", POSTGRESQL), ("postgresql", POSTGRESQL), ("mysql", "MySQL"), ("mariadb", "MariaDB")];

const POSTGRESQL: &str = "PostgreSQL";
const SQLITE: &str = "SQLite";

impl Database {
    /// Reads a connection string: a URL such as `postgres://user:password@host:5432/name`, keywords of libpq such as
    /// `host=db dbname=shop`, or the path of a file of SQLite.
    ///
    /// A text of another form gives the database no name, because any part of the text may be a password.
    pub(in super::super) fn of_url(text: &str) -> Self {
        let text = text.trim();
        let url = text.strip_prefix("jdbc:").unwrap_or(text);
        match split_scheme(url) {
            Some(("sqlite" | "file", path)) => Self::of_file(path).unwrap_or_else(|| Self::new(SQLITE, Some(SQLITE))),
            Some((scheme, rest)) if rest.starts_with("//") => Self::of_server(scheme, url),
            _ => Self::of_keywords(text).or_else(|| Self::of_file(text)).unwrap_or_default(),
        }
    }

    /// Reads a URL with a host. A scheme such as `mysql+pymysql` also names the driver.
    fn of_server(scheme: &str, url: &str) -> Self {
        let engine = scheme.split('+').next().unwrap_or_default();
        let known = ENGINES.iter().find(|(known, _)| engine.eq_ignore_ascii_case(known)).map(|(_, engine)| *engine);
        let parsed = Url::from(url);
        // The password has a slash: `mysql://app:1/2@db`.
        if parsed.path().contains('@') {
            return Self::new(known.unwrap_or(engine), None);
        }
        let host = parsed.host();
        let host = host.as_deref().and_then(plain_start);
        let database = plain_start(parsed.path().trim_start_matches('/'));
        let database = Self::new(known.unwrap_or(engine), host.map(|host| joined(database, host)).as_deref());
        Self { sql: database.sql.url(url), ..database }
    }

    /// Reads keywords of libpq. Returns `None` if the text names neither a host nor a database in this form.
    fn of_keywords(text: &str) -> Option<Self> {
        let pairs = keywords(text)?;
        let value = |wanted: &str| {
            pairs.iter().find(|(keyword, _)| *keyword == wanted).and_then(|(_, value)| plain_start(value))
        };
        let (host, database) = (value("host").or_else(|| value("hostaddr")), value("dbname"));
        let port = value("port").map(|port| format!(":{port}")).unwrap_or_default();
        let name = match host {
            Some(host) => joined(database, host),
            None => database?.to_owned(),
        };
        let url = format!("postgresql://{}{port}/{}", host.unwrap_or_default(), database.unwrap_or_default());
        let database = Self::new(POSTGRESQL, Some(&name));
        Some(Self { sql: database.sql.url(url.trim_end_matches('/')), ..database })
    }

    /// Reads the path of a file of SQLite. Returns `None` for a text that is not a path.
    fn of_file(path: &str) -> Option<Self> {
        let path = path.strip_prefix("//").unwrap_or(path);
        let path = path.strip_prefix("file:").unwrap_or(path);
        let path = path.split(['?', '#']).next().unwrap_or_default();
        if matches!(path, "" | ":memory:") {
            return Some(Self::new(SQLITE, Some(SQLITE)));
        }
        // Connection strings of other forms have these characters. A colon may follow the letter of a drive.
        if path.contains(['@', '=', ';']) || path.rfind(':').is_some_and(|colon| colon != 1) {
            return None;
        }
        let file = path.rsplit(['/', '\\']).next().filter(|file| !file.is_empty());
        Some(Self::new(SQLITE, Some(file.unwrap_or(SQLITE))))
    }

    fn new(engine: &str, name: Option<&str>) -> Self {
        Self { name: name.map(str::to_owned), sql: Sql::new(engine) }
    }
}

/// Returns the form of X-Ray, `database@host`.
fn joined(database: Option<&str>, host: &str) -> String {
    database.map_or_else(|| host.to_owned(), |database| format!("{database}@{host}"))
}

/// Splits a URL after its scheme. A single letter is not a scheme but a drive, as in `C:\data`.
fn split_scheme(url: &str) -> Option<(&str, &str)> {
    let is_of_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    url.split_once(':').filter(|(scheme, _)| scheme.len() > 1 && scheme.bytes().all(is_of_scheme))
}

/// Returns the start of the name of a host or a database, up to a character that is rare in such names. A parameter
/// with a password may follow, as in `db;password=..`. Returns `None` if nothing is left.
fn plain_start(name: &str) -> Option<&str> {
    let is_plain = |character: char| character.is_alphanumeric() || "._-:$".contains(character);
    let end = name.find(|character| !is_plain(character)).unwrap_or(name.len());
    (end > 0).then_some(&name[..end])
}

/// Splits a text into keywords and values, as libpq does. Returns `None` if the text has another form.
//
// Input:  host = db password='it\'s secret' dbname=shop
// Output: [("host", "db"), ("password", "it's secret"), ("dbname", "shop")]
fn keywords(text: &str) -> Option<Vec<(&str, Cow<'_, str>)>> {
    let mut pairs = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (keyword, after) = rest.split_once('=')?;
        let keyword = keyword.trim_end();
        if keyword.is_empty() || !keyword.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
            return None;
        }
        let (value, after) = keyword_value(after.trim_start())?;
        pairs.push((keyword, value));
        rest = after.trim_start();
    }
    Some(pairs)
}

/// Splits a text after the value of a keyword. A value in quotation marks may contain spaces, and a backslash may
/// precede any character. Returns `None` if the closing quotation mark is missing.
fn keyword_value(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let (is_quoted, text) = text.strip_prefix('\'').map_or((false, text), |text| (true, text));
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            '\'' if is_quoted => return Some((value.into(), &text[at + 1..])),
            _ if !is_quoted && character.is_whitespace() => return Some((value.into(), &text[at..])),
            _ => value.push(character),
        }
    }
    (!is_quoted).then(|| (value.into(), ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_string_names_the_database_and_its_engine() {
        for (text, name, engine, url) in [
            (
                "postgres://app:secret@db.example.com:5432/shop?sslmode=require",
                Some("shop@db.example.com"),
                "PostgreSQL",
                Some("postgres://db.example.com:5432/shop"),
            ),
            ("PostgreSQL://db.example.com", Some("db.example.com"), "PostgreSQL", Some("PostgreSQL://db.example.com")),
            ("mysql://app:secret@db/shop", Some("shop@db"), "MySQL", Some("mysql://db/shop")),
            ("mysql+pymysql://app:secret@db/shop", Some("shop@db"), "MySQL", Some("mysql+pymysql://db/shop")),
            ("jdbc:mysql://db/shop", Some("shop@db"), "MySQL", Some("mysql://db/shop")),
            ("mariadb://db/shop", Some("shop@db"), "MariaDB", Some("mariadb://db/shop")),
            ("cockroachdb://app:secret@db/shop", Some("shop@db"), "cockroachdb", Some("cockroachdb://db/shop")),
            ("redis://:secret@db:6379", Some("db"), "redis", Some("redis://db:6379")),
            ("postgres:///shop", None, "PostgreSQL", Some("postgres:///shop")),
            ("host=db password=secret dbname=shop", Some("shop@db"), "PostgreSQL", Some("postgresql://db/shop")),
            (
                " host = db port = 5433 password = 'it\\'s secret' dbname = shop",
                Some("shop@db"),
                "PostgreSQL",
                Some("postgresql://db:5433/shop"),
            ),
            ("dbname=shop", Some("shop"), "PostgreSQL", Some("postgresql:///shop")),
            ("host=db;password=secret", Some("db"), "PostgreSQL", Some("postgresql://db")),
            ("sqlite::memory:", Some("SQLite"), "SQLite", None),
            ("sqlite://data/shop.db?mode=rwc", Some("shop.db"), "SQLite", None),
            ("sqlite:file:shop.db?key=secret", Some("shop.db"), "SQLite", None),
            ("file:shop.db?cache=shared", Some("shop.db"), "SQLite", None),
            (":memory:", Some("SQLite"), "SQLite", None),
            ("", Some("SQLite"), "SQLite", None),
            ("/var/lib/shop.db", Some("shop.db"), "SQLite", None),
            ("C:\\data\\shop.db", Some("shop.db"), "SQLite", None),
            ("data/shop.db?mode=ro", Some("shop.db"), "SQLite", None),
            ("C://data/shop.db", Some("shop.db"), "SQLite", None),
        ] {
            let database = Database::of_url(text);
            assert_eq!((database.name.as_deref(), database.sql.url.as_deref()), (name, url), "{text}");
            assert_eq!(database.sql.database_type.as_deref(), Some(engine), "{text}");
        }
    }

    #[test]
    fn no_form_of_a_connection_string_gives_its_password_away() {
        for (text, name) in [
            ("host=db.example.com dbname=shop user=app password='hunter 2'", Some("shop@db.example.com")),
            ("host = db password = hunter2 dbname = shop", Some("shop@db")),
            ("host=db password='hunter2", None),
            ("host=db application_name=app password=hunter's dbname=shop", Some("shop@db")),
            ("password=hunter2://x host=db", Some("db")),
            ("Password=hunter2 dbname=shop", None),
            ("password=hunter2", None),
            ("Host=db;Password=hunter2", None),
            ("cockroachdb://app:hunter2@db", Some("db")),
            ("mssql://sa:hunter2@db", Some("db")),
            ("redis://:hunter2@db:6379", Some("db")),
            ("user:hunter2@db:3306", None),
            ("user:hunter2", None),
            ("user/hunter2@db", None),
            ("jdbc:mysql://db;user=a;password=hunter2", Some("db")),
            ("jdbc:sqlserver://db:1433;databaseName=shop;password=hunter2", Some("db")),
            ("jdbc:oracle:thin:app/hunter2@db:1521/shop", None),
            ("server=tcp:db,1433;user id=sa;password=hunter2", None),
            ("mysql://db/shop;password=hunter2", Some("shop@db")),
            ("mysql://app:1/hunter2@db/shop", None),
            ("mysql://app:hunt/hunter2@db/shop", Some("shop@db")),
            ("mysql://db/shop%3Fpassword=hunter2", Some("shop@db")),
            ("sqlite://user:hunter2@db", Some("SQLite")),
            ("sqlite:shop.db?key=hunter2", Some("shop.db")),
        ] {
            let database = Database::of_url(text);
            assert_eq!(database.name.as_deref(), name, "{text}");
            assert!(!format!("{database:?}").contains("hunter"), "{database:?}");
        }
    }
}
