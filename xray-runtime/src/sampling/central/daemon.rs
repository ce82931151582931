//! The two requests to the daemon.
//!
//! The daemon's TCP port is a proxy: it signs a request with its own credentials and passes it on to X-Ray. So the
//! requests are unsigned, over plain HTTP. (X-Ray daemon, `pkg/proxy`.)

use std::fmt;
use std::mem::discriminant;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, StatusCode, Uri};

use super::messages::{BoostStatistics, Definition, RulesPage, Statistics, Targets, rules_request, targets_request};
use crate::support::fetch::{self, Limits, fetch};

/// The daemon, by its TCP address `host:port`.
pub(super) struct Daemon(pub(super) String);

/// The error of a request to the daemon.
#[derive(Debug)]
pub(super) enum Failure {
    Fetch(fetch::Failure),
    NotJson(serde_json::Error),
    TooManyRules,
}

/// The rules of all pages.
pub(super) struct FetchedRules {
    pub(super) definitions: Vec<Definition>,
    /// The names of the rules that are not for SDKs.
    pub(super) ignored: Vec<String>,
    /// The number of rules that could not be read.
    pub(super) rejected: usize,
}

impl Daemon {
    /// Limits on one request. A rule has less than a kilobyte, so a page of a thousand rules fits.
    const LIMITS: Limits = Limits { time: Duration::from_secs(5), bytes: 1024 * 1024 };
    /// Limits on the rules. An account has 25 rules unless it asks AWS for more, and a decision tries one rule after
    /// the other. The server may return a `NextToken` endlessly.
    const MAX_PAGES: usize = 20;
    const MAX_RULES: usize = 1000;

    /// Fetches all pages of the rules.
    pub(super) async fn rules(&self) -> Result<FetchedRules, Failure> {
        let mut fetched = FetchedRules { definitions: Vec::new(), ignored: Vec::new(), rejected: 0 };
        let mut next_token = None;
        for _ in 0..Self::MAX_PAGES {
            let response = self.post("/GetSamplingRules", rules_request(next_token.as_deref())).await?;
            let page = RulesPage::read(&response)?;
            fetched.definitions.extend(page.definitions);
            fetched.ignored.extend(page.ignored);
            fetched.rejected += page.rejected;
            next_token = page.next_token;
            // All or nothing: without the rules of the last page, requests would be decided by rules of a lower
            // priority.
            if fetched.definitions.len() + fetched.ignored.len() > Self::MAX_RULES {
                return Err(Failure::TooManyRules);
            }
            if next_token.is_none() {
                return Ok(fetched);
            }
        }
        Err(Failure::TooManyRules)
    }

    /// Reports the numbers of sampled requests, and the failed traces of rules with a boost. Returns the quotas.
    pub(super) async fn targets(
        &self,
        statistics: &[Statistics],
        boosts: &[BoostStatistics],
    ) -> Result<Targets, Failure> {
        let response = self.post("/SamplingTargets", targets_request(statistics, boosts)?).await?;
        Ok(Targets::read(&response)?)
    }

    /// Sends a request and returns the body of the response.
    async fn post(&self, path: &'static str, body: String) -> Result<Vec<u8>, Failure> {
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = Uri::from_static(path);
        // The daemon passes headers on. moto's X-Ray rejects a body without this header.
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        fetch(&self.0, request, Self::LIMITS).await.map_err(Failure::Fetch)
    }
}

/// Fetches the rules from the daemon at a TCP address. Returns an error if they do not arrive within `limit`. Blocks.
pub(crate) fn check_rules(address: &str, limit: Duration) -> Result<(), String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    let rules = async { tokio::time::timeout(limit, Daemon(address.to_owned()).rules()).await };
    match runtime.block_on(rules) {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(failure)) => Err(format!("{failure}. {}", failure.remedy())),
        Err(_) => Err(format!("no answer within {limit:?}")),
    }
}

impl Failure {
    /// Returns whether both errors are of one kind. The log has one line for each kind.
    pub(super) fn is_same_kind(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Fetch(one), Self::Fetch(other)) => discriminant(one) == discriminant(other),
            _ => discriminant(self) == discriminant(other),
        }
    }

    /// Returns what to do about the failure.
    pub(super) fn remedy(&self) -> &'static str {
        match self {
            Self::Fetch(fetch::Failure::Status(StatusCode::FORBIDDEN, _)) => {
                "Give the daemon's role the permissions `xray:GetSamplingRules` and `xray:GetSamplingTargets`"
            }
            Self::Fetch(fetch::Failure::Connect(_) | fetch::Failure::Timeout(_)) => {
                "Sampling rules are fetched over TCP: check the address in AWS_XRAY_DAEMON_ADDRESS, and whether its \
                 TCP port is reachable"
            }
            _ => "The log of the daemon may say more",
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
            Self::NotJson(error) => write!(formatter, "unexpected response: {error}"),
            Self::TooManyRules => {
                write!(formatter, "more than {} rules or {} pages of rules", Daemon::MAX_RULES, Daemon::MAX_PAGES)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_of_the_kind_of_its_cause_and_names_its_remedy() {
        let status = |status: StatusCode| Failure::Fetch(fetch::Failure::Status(status, String::new()));
        let timeout = || Failure::Fetch(fetch::Failure::Timeout(Duration::ZERO));
        let not_json = || Failure::from(serde_json::from_str::<u8>("").unwrap_err());
        let failures = [(status(StatusCode::FORBIDDEN), "permissions"), (timeout(), "over TCP"), (not_json(), "log")];
        for (at, (failure, remedy)) in failures.iter().enumerate() {
            assert!(failure.remedy().contains(remedy), "{failure}");
            for (other_at, (other, _)) in failures.iter().enumerate() {
                assert_eq!(failure.is_same_kind(other), at == other_at, "{failure} and {other}");
            }
        }
        assert!(status(StatusCode::BAD_GATEWAY).remedy().contains("log"));
    }
}
