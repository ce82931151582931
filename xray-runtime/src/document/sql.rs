//! The `sql` block of a subsegment.

use serde::{Deserialize, Serialize};

use super::MAX_STRING_CHARS;
use super::url::Url;
use crate::support::text::first_chars;

/// A query to an SQL database: the `sql` block of a subsegment.
///
/// [`Context::set_sql`](crate::Context::set_sql) records it. The setters cut each text: the query at 8,192 characters,
/// every other text at 250. (Developer guide, "X-Ray segment documents", "SQL queries".)
///
/// ```
/// use xray::Sql;
///
/// let sql = Sql::new("PostgreSQL")
///     .url("postgresql://app:secret@db.example.com:5432/shop")
///     .user("app")
///     .sanitized_query("SELECT * FROM orders WHERE customer = ?");
/// assert_eq!(sql.url.as_deref(), Some("postgresql://db.example.com:5432/shop"));
///
/// let ((), documents) = xray::testing::capture_blocking(|| {
///     let segment = xray::Segment::builder("shop").begin();
///     segment.subsegment("shop@db.example.com").set_sql(sql);
/// });
/// let recorded = documents[0].subsegments[0].sql.as_deref().unwrap();
/// assert_eq!(recorded.database_type.as_deref(), Some("PostgreSQL"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Sql {
    /// The URL of the database, without credentials, query and fragment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The query, with a placeholder such as `?` in place of each value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sanitized_query: Option<String>,
    /// The name of the database engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database_type: Option<String>,
    /// The version of the database engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database_version: Option<String>,
    /// The name and version of the driver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver_version: Option<String>,
    /// The user name of the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// How the query was prepared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preparation: Option<Preparation>,
}

/// How a query was prepared.
///
/// ```
/// use xray::Sql;
/// use xray::document::Preparation;
///
/// let sql = Sql::new("PostgreSQL").preparation(Preparation::Statement);
/// assert_eq!(serde_json::to_value(&sql).unwrap()["preparation"], "statement");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Preparation {
    /// A prepared statement.
    Statement,
    /// A call to a stored procedure.
    Call,
}

impl Sql {
    /// Limit on the characters of a query. X-Ray has no limit for it but that of the document, which is 64 kB.
    pub(crate) const MAX_QUERY_CHARS: usize = 8 * 1024;

    /// Creates a block for a query to this kind of database, such as `PostgreSQL`.
    #[must_use]
    pub fn new(database_type: impl AsRef<str>) -> Self {
        Self { database_type: Some(short(database_type.as_ref())), ..Self::default() }
    }

    /// Sets the URL of the database, or another text that names it, such as `host=db password=..`. User names and
    /// passwords, the query, the fragment and the parameters of JDBC are left out; a password under its name becomes
    /// `[removed]`.
    #[must_use]
    pub fn url(mut self, url: impl AsRef<str>) -> Self {
        self.url = Some(Url::from(url.as_ref()).recorded());
        self
    }

    /// Sets the query.
    ///
    /// The text is recorded as it is, cut at 8,192 characters: the caller replaces the values in it by placeholders.
    #[must_use]
    pub fn sanitized_query(mut self, query: impl AsRef<str>) -> Self {
        self.sanitized_query = Some(first_chars(query.as_ref(), Self::MAX_QUERY_CHARS).to_owned());
        self
    }

    /// Sets the version of the database engine.
    #[must_use]
    pub fn database_version(mut self, version: impl AsRef<str>) -> Self {
        self.database_version = Some(short(version.as_ref()));
        self
    }

    /// Sets the name and version of the driver.
    #[must_use]
    pub fn driver_version(mut self, version: impl AsRef<str>) -> Self {
        self.driver_version = Some(short(version.as_ref()));
        self
    }

    /// Sets the user name of the connection.
    #[must_use]
    pub fn user(mut self, user: impl AsRef<str>) -> Self {
        self.user = Some(short(user.as_ref()));
        self
    }

    /// Sets how the query was prepared.
    #[must_use]
    pub fn preparation(mut self, preparation: Preparation) -> Self {
        self.preparation = Some(preparation);
        self
    }
}

// The schema limits only `user`, but names 250 characters as the limit of all strings without their own.
fn short(text: &str) -> String {
    first_chars(text, MAX_STRING_CHARS).to_owned()
}
