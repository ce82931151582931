//! The two calls to the daemon, which passes them on to X-Ray. (Its TCP port is a proxy that signs what it is sent.)

use std::fmt;
use std::mem::discriminant;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Uri};

use super::messages::{Definition, RulesPage, Statistics, Targets, rules_request, targets_request};
use crate::support::fetch::{self, Limits, fetch};

/// Where the daemon answers: `host:port`.
pub(super) struct Daemon(pub(super) String);

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failure {
    Fetch(fetch::Failure),
    NotJson(serde_json::Error),
    TooManyRules,
}

/// Rules, and how many could not be read.
pub(super) struct Fetched {
    pub(super) definitions: Vec<Definition>,
    pub(super) rejected: usize,
}

impl Daemon {
    /// A rule has less than a kilobyte.
    const LIMITS: Limits = Limits { time: Duration::from_secs(5), bytes: 1024 * 1024 };
    /// An account has 25 rules unless it asks for more. A decision looks at one after the other.
    const MAX_PAGES: usize = 20;
    const MAX_RULES: usize = 1000;

    /// All rules, of all pages.
    pub(super) async fn rules(&self) -> Result<Fetched, Failure> {
        let mut fetched = Fetched { definitions: Vec::new(), rejected: 0 };
        let mut next_token = None;
        for _ in 0..Self::MAX_PAGES {
            let answer = self.post("/GetSamplingRules", rules_request(next_token.as_deref())).await?;
            let page = RulesPage::read(&answer)?;
            fetched.definitions.extend(page.definitions);
            fetched.rejected += page.rejected;
            next_token = page.next_token;
            if fetched.definitions.len() > Self::MAX_RULES {
                return Err(Failure::TooManyRules);
            }
            if next_token.is_none() {
                return Ok(fetched);
            }
        }
        Err(Failure::TooManyRules)
    }

    /// Reports what was sampled; the answer says what may be.
    pub(super) async fn targets(&self, statistics: &[Statistics]) -> Result<Targets, Failure> {
        let answer = self.post("/SamplingTargets", targets_request(statistics)?).await?;
        Ok(Targets::read(&answer)?)
    }

    async fn post(&self, path: &'static str, body: String) -> Result<Vec<u8>, Failure> {
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = Uri::from_static(path);
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        fetch(&self.0, request, Self::LIMITS).await.map_err(Failure::Fetch)
    }
}

impl Failure {
    pub(super) fn is_of_the_kind_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Fetch(one), Self::Fetch(other)) => discriminant(one) == discriminant(other),
            _ => discriminant(self) == discriminant(other),
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::NotJson(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetch(failure) => failure.fmt(formatter),
            Self::NotJson(error) => write!(formatter, "an answer of another form: {error}"),
            Self::TooManyRules => {
                write!(formatter, "more than {} rules, or {} pages of them", Daemon::MAX_RULES, Daemon::MAX_PAGES)
            }
        }
    }
}
