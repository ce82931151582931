//! Where the detectors look.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::PathBuf;
use std::time::Duration;
use std::{env, fmt};

use http::header::HOST;
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use serde::de::DeserializeOwned;

use super::problem::Problem;
use crate::document::MAX_STRING_CHARS;
use crate::support::fetch::{Failure, Limits, fetch};
use crate::support::text::first_chars;

/// What an answer or a file may measure; the right ones have a few kilobytes.
const MAX_BYTES: usize = 64 * 1024;
/// How long a detector may take, in seconds. Metadata services answer within milliseconds.
const DEFAULT_SECONDS: u64 = 1;
const MAX_SECONDS: u64 = 60;

/// Files and metadata services; in tests others than those of the machine.
#[derive(Debug, Clone)]
pub(super) struct Sources {
    /// How long a detector may take.
    pub(super) time: Duration,
    /// Where the file system begins.
    pub(super) root: PathBuf,
    /// `None` where it is switched off.
    pub(super) ec2_metadata: Option<String>,
    /// `None` outside ECS.
    pub(super) ecs_metadata: Option<String>,
}

impl Sources {
    /// Those of the machine. The variables are those of the AWS SDKs and of the ECS agent.
    pub(super) fn of_environment() -> Self {
        let is_disabled = env::var("AWS_EC2_METADATA_DISABLED").is_ok_and(|value| value.eq_ignore_ascii_case("true"));
        let ec2_metadata = || {
            let endpoint = env::var("AWS_EC2_METADATA_SERVICE_ENDPOINT").ok();
            endpoint.unwrap_or_else(|| "http://169.254.169.254".to_owned())
        };
        let seconds = env::var("AWS_METADATA_SERVICE_TIMEOUT").ok().and_then(|seconds| seconds.parse().ok());
        let seconds = seconds.filter(|seconds| (1..=MAX_SECONDS).contains(seconds)).unwrap_or(DEFAULT_SECONDS);
        Self {
            time: Duration::from_secs(seconds),
            root: PathBuf::from("/"),
            ec2_metadata: (!is_disabled).then(ec2_metadata),
            ecs_metadata: env::var("ECS_CONTAINER_METADATA_URI_V4").ok(),
        }
    }

    /// A file, by its path below the root; `None` if there is none.
    pub(super) fn read(&self, path: &str) -> Result<Option<String>, Problem> {
        let name = self.root.join(path);
        let problem = |error: &dyn fmt::Display| Problem(format!("{}: {error}", name.display()));
        let read = || -> io::Result<String> {
            // To open anything else may take for ever.
            if !fs::metadata(&name)?.is_file() {
                return Err(io::Error::other("not a regular file"));
            }
            let mut text = String::new();
            File::open(&name)?.take(MAX_BYTES as u64 + 1).read_to_string(&mut text)?;
            Ok(text)
        };
        match read() {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(problem(&error)),
            Ok(text) if text.len() > MAX_BYTES => Err(problem(&format_args!("more than {MAX_BYTES} bytes"))),
            Ok(text) => Ok(Some(text)),
        }
    }

    /// The name of the host, in a container that of the container or pod.
    pub(super) fn host_name(&self) -> Option<String> {
        let of_kernel = self.read("proc/sys/kernel/hostname").ok().flatten();
        let name = of_kernel.or_else(|| env::var("HOSTNAME").ok())?;
        let name = first_chars(name.trim(), MAX_STRING_CHARS);
        (!name.is_empty()).then(|| name.to_owned())
    }

    /// The id of the container, as far as its control group names it: 64 hex digits.
    pub(super) fn container_id(&self) -> Option<String> {
        const LENGTH: usize = 64;
        let groups = self.read("proc/self/cgroup").ok().flatten()?;
        let mut words = groups.split(|character: char| !character.is_ascii_alphanumeric());
        let id = words.find(|word| word.len() == LENGTH && word.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        Some(id.to_owned())
    }
}

/// Its name, in small letters, and its value.
type Header = (&'static str, HeaderValue);

/// A metadata service, by its URL.
pub(super) struct Service {
    /// `host:port`.
    address: String,
    /// As it stands in the URL.
    host: HeaderValue,
    path: String,
    limits: Limits,
}

impl Service {
    pub(super) fn new(url: &str, time: Duration) -> Result<Self, Problem> {
        let uri: Option<Uri> = url.parse().ok().filter(|uri: &Uri| uri.scheme_str() == Some("http"));
        let authority = uri.as_ref().and_then(Uri::authority);
        let (Some(uri), Some(authority)) = (&uri, authority) else {
            let url = first_chars(url, MAX_STRING_CHARS);
            return Err(Problem(format!("{url:?} is no URL of a metadata service, such as http://169.254.169.254")));
        };
        let address = format!("{}:{}", authority.host(), authority.port_u16().unwrap_or(80));
        let host = HeaderValue::from_str(authority.as_str()).map_err(|error| Problem(error.to_string()))?;
        let path = uri.path().trim_end_matches('/').to_owned();
        Ok(Self { address, host, path, limits: Limits { time, bytes: MAX_BYTES } })
    }

    /// The answer to a request; the path goes behind that of the service.
    pub(super) async fn ask(&self, method: Method, path: &str, header: Option<Header>) -> Result<Vec<u8>, Problem> {
        self.send(method, path, header).await.map_err(|failure| self.problem(path, &failure))
    }

    /// The same; `None` where nobody listens.
    pub(super) async fn ask_if_there(
        &self,
        method: Method,
        path: &str,
        header: Option<Header>,
    ) -> Result<Option<Vec<u8>>, Problem> {
        match self.send(method, path, header).await {
            Ok(answer) => Ok(Some(answer)),
            Err(Failure::Connect(_)) => Ok(None),
            Err(failure) => Err(self.problem(path, &failure)),
        }
    }

    async fn send(&self, method: Method, path: &str, header: Option<Header>) -> Result<Vec<u8>, Failure> {
        let path = format!("{}{path}", self.path);
        let mut request = Request::new(String::new());
        *request.method_mut() = method;
        // Of a URL and of our own, so it is one.
        *request.uri_mut() = path.parse().unwrap_or_default();
        request.headers_mut().insert(HOST, self.host.clone());
        request.headers_mut().extend(header.map(|(name, value)| (HeaderName::from_static(name), value)));
        fetch(&self.address, request, self.limits).await
    }

    fn problem(&self, path: &str, failure: &Failure) -> Problem {
        Problem(format!("http://{}{}{path}: {failure}", self.address, self.path))
    }
}

/// What an answer or a file says in JSON; `of` names it.
pub(super) fn read_json<T: DeserializeOwned>(json: &[u8], of: &str) -> Result<T, Problem> {
    serde_json::from_slice(json).map_err(|error| Problem(format!("{of} is of another form: {error}")))
}

/// A block of what is known, each text cut to what X-Ray takes.
pub(super) fn block<const N: usize>(texts: [(&str, Option<String>); N]) -> serde_json::Map<String, serde_json::Value> {
    let known = texts.into_iter().filter_map(|(key, text)| Some((key, text.filter(|text| !text.is_empty())?)));
    known.map(|(key, text)| (key.to_owned(), first_chars(&text, MAX_STRING_CHARS).into())).collect()
}
