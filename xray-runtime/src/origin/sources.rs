//! The files and metadata services that the detectors read.

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
use crate::support::secrets;
use crate::support::text::first_chars;

/// Limit on the size of a response or file. The expected ones have a few kilobytes.
const MAX_BYTES: usize = 64 * 1024;
/// Time limit of a detector in seconds. Metadata services answer within milliseconds; 1 is the AWS SDKs' default too.
const DEFAULT_SECONDS: u64 = 1;
/// The longest time limit that the environment may set.
const MAX_SECONDS: u64 = 60;

/// The files and metadata services to read. Tests use others than those of the machine.
#[derive(Debug, Clone)]
pub(super) struct Sources {
    /// The time limit of a detector.
    pub(super) time: Duration,
    /// The root directory.
    pub(super) root: PathBuf,
    /// The URL of the EC2 instance metadata service; `None` if the environment switches it off.
    pub(super) ec2_metadata: Option<String>,
    /// The URL of the ECS task metadata endpoint; `None` outside ECS.
    pub(super) ecs_metadata: Option<String>,
}

impl Sources {
    /// Returns the sources of this machine.
    ///
    /// The variables for EC2 are those of the AWS SDKs (AWS SDKs and Tools reference guide, "IMDS credential
    /// provider"). The ECS agent sets the variable for ECS.
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

    /// Reads a file by its path below the root; `None` if it does not exist.
    pub(super) fn read(&self, path: &str) -> Result<Option<String>, Problem> {
        let name = self.root.join(path);
        let problem = |error: &dyn fmt::Display| Problem(format!("{}: {error}", name.display()));
        let read = || -> io::Result<String> {
            // Opening a named pipe waits until another process writes into it, and a blocking call cannot be cancelled
            // by the detector's time limit.
            if !fs::metadata(&name)?.is_file() {
                return Err(io::Error::other("not a regular file"));
            }
            let mut text = String::new();
            // One byte more than the limit, so that a longer file is recognised.
            File::open(&name)?.take(MAX_BYTES as u64 + 1).read_to_string(&mut text)?;
            Ok(text)
        };
        match read() {
            // `NotADirectory`: another program has a file where a directory on the path is expected.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(problem(&error)),
            Ok(text) if text.len() > MAX_BYTES => Err(problem(&format_args!("more than {MAX_BYTES} bytes"))),
            Ok(text) => Ok(Some(text)),
        }
    }

    /// Returns the host name; in a container, the name of the container or pod.
    pub(super) fn host_name(&self) -> Option<String> {
        // The file first: `HOSTNAME` is a variable of the shell, which a program started without one does not have.
        let of_kernel = self.read("proc/sys/kernel/hostname").ok().flatten();
        let name = of_kernel.or_else(|| env::var("HOSTNAME").ok())?;
        let name = first_chars(name.trim(), MAX_STRING_CHARS);
        (!name.is_empty()).then(|| name.to_owned())
    }

    /// Returns the id of the container, 64 hex digits, if the control group of the process names it.
    // With cgroups of version 2 and a private namespace, the usual case on new clusters, the file says `0::/` only.
    pub(super) fn container_id(&self) -> Option<String> {
        const LENGTH: usize = 64;
        let groups = self.read("proc/self/cgroup").ok().flatten()?;
        // The id is between different separators: `/docker/<id>`, `docker-<id>.scope`, `cri-containerd-<id>.scope`.
        let mut words = groups.split(|character: char| !character.is_ascii_alphanumeric());
        let id = words.find(|word| word.len() == LENGTH && word.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        Some(id.to_owned())
    }
}

/// The name of a header in lower case, as `HeaderName::from_static` requires, and its value.
type Header = (&'static str, HeaderValue);

/// A metadata service.
pub(super) struct Service {
    /// The address to connect to, as `host:port`.
    address: String,
    /// The value of the `Host` header: the authority as the URL has it.
    host: HeaderValue,
    /// The path of the URL without a slash at its end.
    path: String,
    limits: Limits,
}

impl Service {
    /// Creates a client for the metadata service at an `http` URL. `time` limits each request.
    pub(super) fn new(url: &str, time: Duration) -> Result<Self, Problem> {
        // Only `http`: metadata services have link-local addresses and no certificates, and this library links no TLS.
        let uri: Option<Uri> = url.parse().ok().filter(|uri: &Uri| uri.scheme_str() == Some("http"));
        let authority = uri.as_ref().and_then(Uri::authority);
        let (Some(uri), Some(authority)) = (&uri, authority) else {
            let url = secrets::recorded(url, MAX_STRING_CHARS);
            return Err(Problem(format!(
                "{url:?} is not the URL of a metadata service, such as http://169.254.169.254"
            )));
        };
        let address = format!("{}:{}", authority.host(), authority.port_u16().unwrap_or(80));
        let host = HeaderValue::from_str(authority.as_str()).map_err(|error| Problem(error.to_string()))?;
        let path = uri.path().trim_end_matches('/').to_owned();
        Ok(Self { address, host, path, limits: Limits { time, bytes: MAX_BYTES } })
    }

    /// Sends a request and returns the body of the response. `path` is appended to the path of the service.
    pub(super) async fn request(&self, method: Method, path: &str, header: Option<Header>) -> Result<Vec<u8>, Problem> {
        self.send(method, path, header).await.map_err(|failure| self.problem(path, failure))
    }

    /// Like [`request`](Self::request), but returns `None` if nothing listens at the address.
    pub(super) async fn request_if_listening(
        &self,
        method: Method,
        path: &str,
        header: Option<Header>,
    ) -> Result<Option<Vec<u8>>, Problem> {
        match self.send(method, path, header).await {
            Ok(body) => Ok(Some(body)),
            Err(Failure::Connect(_)) => Ok(None),
            Err(failure) => Err(self.problem(path, failure)),
        }
    }

    async fn send(&self, method: Method, path: &str, header: Option<Header>) -> Result<Vec<u8>, Failure> {
        let path = format!("{}{path}", self.path);
        let mut request = Request::new(String::new());
        *request.method_mut() = method;
        // The path of a parsed URL followed by a constant is always valid, so the default is never used.
        *request.uri_mut() = path.parse().unwrap_or_default();
        request.headers_mut().insert(HOST, self.host.clone());
        request.headers_mut().extend(header.map(|(name, value)| (HeaderName::from_static(name), value)));
        fetch(&self.address, request, self.limits).await
    }

    /// Describes a failure by its status alone: what a metadata service says may be long, and is not for the log.
    fn problem(&self, path: &str, failure: Failure) -> Problem {
        let failure = match failure {
            Failure::Status(status, _) => Failure::Status(status, String::new()),
            other => other,
        };
        Problem(format!("http://{}{}{path}: {failure}", self.address, self.path))
    }
}

/// Parses the JSON of a response or file. `name` names it in the error.
pub(super) fn read_json<T: DeserializeOwned>(json: &[u8], name: &str) -> Result<T, Problem> {
    serde_json::from_slice(json).map_err(|error| Problem(format!("{name} has an unexpected form: {error}")))
}

/// Returns an object with the texts that are known, each cut at 250 characters.
pub(super) fn block<const N: usize>(texts: [(&str, Option<String>); N]) -> serde_json::Map<String, serde_json::Value> {
    // An empty text is left out: an empty `availability_zone` would look like information.
    let known = texts.into_iter().filter_map(|(key, text)| Some((key, text.filter(|text| !text.is_empty())?)));
    known.map(|(key, text)| (key.to_owned(), first_chars(&text, MAX_STRING_CHARS).into())).collect()
}
