//! The two calls to the daemon, which passes them on to X-Ray. (Its TCP port is a proxy that signs what it is sent.)

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;
use std::{fmt, io};

use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::messages::{Definition, RulesPage, Statistics, Targets, rules_request, targets_request};

/// Where the daemon answers: `host:port`.
pub(super) struct Daemon(pub(super) String);

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failure {
    Connect(io::Error),
    Timeout,
    Http(hyper::Error),
    Status(StatusCode),
    TooLong,
    NotJson(serde_json::Error),
    TooManyPages,
}

/// Rules, and how many could not be read.
pub(super) struct Fetched {
    pub(super) definitions: Vec<Definition>,
    pub(super) rejected: usize,
}

impl Daemon {
    /// How long one call may take, with all that belongs to it.
    const LIMIT: Duration = Duration::from_secs(5);
    /// What an answer may measure; one rule has less than a kilobyte.
    const MAX_ANSWER_BYTES: usize = 1024 * 1024;
    /// An account has 25 rules unless it asks for more.
    const MAX_PAGES: usize = 20;

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
            if next_token.is_none() {
                return Ok(fetched);
            }
        }
        Err(Failure::TooManyPages)
    }

    /// Reports what was sampled; the answer says what may be.
    pub(super) async fn targets(&self, statistics: &[Statistics]) -> Result<Targets, Failure> {
        let answer = self.post("/SamplingTargets", targets_request(statistics)?).await?;
        Ok(Targets::read(&answer)?)
    }

    async fn post(&self, path: &'static str, body: String) -> Result<Vec<u8>, Failure> {
        timeout(Self::LIMIT, self.exchange(path, body)).await.unwrap_or(Err(Failure::Timeout))
    }

    /// One request on a connection of its own: the next one is seconds away.
    async fn exchange(&self, path: &'static str, body: String) -> Result<Vec<u8>, Failure> {
        let stream = TcpStream::connect(&self.0).await.map_err(Failure::Connect)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // Dropped at the end, whatever the end is, and the connection with it.
        let mut connections = JoinSet::new();
        connections.spawn(connection);
        let response = sender.send_request(self.request(path, body)).await?;
        if response.status() != StatusCode::OK {
            return Err(Failure::Status(response.status()));
        }
        Self::read(response.into_body()).await
    }

    fn request(&self, path: &'static str, body: String) -> Request<String> {
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = Uri::from_static(path);
        if let Ok(host) = HeaderValue::try_from(&self.0) {
            request.headers_mut().insert(HOST, host);
        }
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request
    }

    async fn read(mut body: Incoming) -> Result<Vec<u8>, Failure> {
        let mut answer = Vec::new();
        while let Some(frame) = poll_fn(|task| Pin::new(&mut body).poll_frame(task)).await {
            let data = frame?.into_data().unwrap_or_default();
            if answer.len() + data.len() > Self::MAX_ANSWER_BYTES {
                return Err(Failure::TooLong);
            }
            answer.extend_from_slice(&data);
        }
        Ok(answer)
    }
}

impl From<hyper::Error> for Failure {
    fn from(error: hyper::Error) -> Self {
        Self::Http(error)
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
            Self::Connect(error) => write!(formatter, "no connection: {error}"),
            Self::Timeout => write!(formatter, "no answer within {} seconds", Daemon::LIMIT.as_secs()),
            Self::Http(error) => write!(formatter, "no HTTP: {error}"),
            Self::Status(status) => write!(formatter, "status {}", status.as_u16()),
            Self::TooLong => write!(formatter, "an answer of more than {} bytes", Daemon::MAX_ANSWER_BYTES),
            Self::NotJson(error) => write!(formatter, "an answer of another form: {error}"),
            Self::TooManyPages => write!(formatter, "more than {} pages of rules", Daemon::MAX_PAGES),
        }
    }
}
