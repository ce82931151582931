//! The `sql` block.

use serde::{Deserialize, Serialize};

use super::MAX_STRING_CHARS;
use super::url::Url;
use crate::support::text::first_chars;

/// A query to an SQL database, on a subsegment; recorded by [`Context::set_sql`](crate::Context::set_sql).
/// (Developer guide, "SQL queries".)
///
/// ```
/// use xray::Sql;
///
/// let sql = Sql::new("PostgreSQL").url("postgresql://app:secret@db.example.com:5432/shop").user("app");
/// assert_eq!(sql.url.as_deref(), Some("postgresql://db.example.com:5432/shop"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Sql {
    /// The URL of the database; never with credentials, query or fragment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The query, with a placeholder in place of each value of a user's.
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
    /// The database's user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Whether the query is prepared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preparation: Option<Preparation>,
}

/// How a query is prepared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Preparation {
    /// A prepared statement.
    Statement,
    /// A call of a stored procedure.
    Call,
}

impl Sql {
    /// What of a query is recorded, in characters. X-Ray names no limit but that of the document.
    const MAX_QUERY_CHARS: usize = 8 * 1024;

    /// A query to a database of this kind, such as `PostgreSQL`.
    #[must_use]
    pub fn new(database_type: impl AsRef<str>) -> Self {
        Self { database_type: Some(short(database_type.as_ref())), ..Self::default() }
    }

    /// The URL of the database. Credentials, query and fragment are left out.
    #[must_use]
    pub fn url(mut self, url: impl AsRef<str>) -> Self {
        self.url = Some(Url::from(url.as_ref()).recorded());
        self
    }

    /// The query, without values of users: the caller sees to that. At most 8,192 characters are recorded.
    #[must_use]
    pub fn sanitized_query(mut self, query: impl AsRef<str>) -> Self {
        self.sanitized_query = Some(first_chars(query.as_ref(), Self::MAX_QUERY_CHARS).to_owned());
        self
    }

    /// The version of the database engine.
    #[must_use]
    pub fn database_version(mut self, version: impl AsRef<str>) -> Self {
        self.database_version = Some(short(version.as_ref()));
        self
    }

    /// The name and version of the driver.
    #[must_use]
    pub fn driver_version(mut self, version: impl AsRef<str>) -> Self {
        self.driver_version = Some(short(version.as_ref()));
        self
    }

    /// The database's user.
    #[must_use]
    pub fn user(mut self, user: impl AsRef<str>) -> Self {
        self.user = Some(short(user.as_ref()));
        self
    }

    /// How the query is prepared.
    #[must_use]
    pub fn preparation(mut self, preparation: Preparation) -> Self {
        self.preparation = Some(preparation);
        self
    }
}

fn short(text: &str) -> String {
    first_chars(text, MAX_STRING_CHARS).to_owned()
}
