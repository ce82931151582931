//! The builder of an [`OtlpEmitter`].

use std::env;
use std::fmt;
use std::time::Duration;

use http::header::HeaderName;

use super::OtlpEmitter;
use super::endpoint::{Endpoint, Refused};
use super::names::SpanNames;
use super::settings::{BatchLimits, MAX_TIME, Settings, header_value};
use crate::support::log_line::log_line;

/// Settings of an [`OtlpEmitter`]. An environment variable takes precedence over the setting in code.
///
/// | variable | setting | default |
/// |---|---|---|
/// | `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` | [`endpoint`](Self::endpoint), as the whole URL | |
/// | `OTEL_EXPORTER_OTLP_ENDPOINT` | [`endpoint`](Self::endpoint), to which `/v1/traces` is appended | `http://localhost:4318` |
/// | `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_EXPORTER_OTLP_TRACES_HEADERS` | [`header`](Self::header), as `key=value,key=value` | none |
/// | `OTEL_EXPORTER_OTLP_TIMEOUT`, `OTEL_EXPORTER_OTLP_TRACES_TIMEOUT` | [`timeout`](Self::timeout), in milliseconds | 10,000 |
///
/// The only valid value of `OTEL_EXPORTER_OTLP_COMPRESSION` is `none`. The valid values of
/// `OTEL_EXPORTER_OTLP_PROTOCOL` are `http/json` and `http/protobuf`. An invalid variable is logged and counted in
/// [`Stats::settings_rejected`](crate::Stats::settings_rejected).
///
/// ```
/// use std::time::Duration;
/// use xray::emitter::OtlpEmitter;
///
/// let emitter = OtlpEmitter::builder()
///     .endpoint("http://collector:4318")
///     .header("x-api-key", "secret")
///     .timeout(Duration::from_secs(3))
///     .build()?;
/// # drop(emitter);
/// # Ok::<(), xray::emitter::OtlpError>(())
/// ```
#[must_use = "a builder does nothing until `build`"]
#[derive(Debug, Default)]
pub struct OtlpEmitterBuilder {
    settings: Settings,
    /// The first invalid setting.
    error: Option<OtlpError>,
}

impl OtlpEmitterBuilder {
    /// Sets the base URL of the server, to which `/v1/traces` is appended. The default is `http://localhost:4318`.
    ///
    /// An `https` URL is an error, because this library has no TLS. Send to a collector on the same host: the collector
    /// forwards the spans over TLS and signs requests to AWS.
    pub fn endpoint(mut self, base: impl AsRef<str>) -> Self {
        match Endpoint::below(base.as_ref()) {
            Ok(endpoint) => self.settings.endpoint = endpoint,
            Err(refused) => self.refuse(Problem::Endpoint(refused)),
        }
        self
    }

    /// Adds a header to each request, and replaces an earlier header of that name.
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<[u8]>) -> Self {
        match (HeaderName::from_bytes(name.as_ref().as_bytes()), header_value(value.as_ref())) {
            (Ok(name), Some(value)) => {
                self.settings.headers.insert(name, value);
            }
            _ => self.refuse(Problem::Header),
        }
        self
    }

    /// Sets the time limit of one attempt, from the connection to the end of the response. The default is 10 seconds,
    /// and the maximum is one day.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout.min(MAX_TIME);
        self
    }

    /// Sets the number of attempts for a request, at least 1. The default is 5.
    ///
    /// A request is sent again if the connection fails, if no response arrives, or if the response has the status 429,
    /// 502, 503 or 504. The emitter pauses between attempts: for the time in the response's `Retry-After`, up to 30
    /// seconds, else for half a second at first and twice as long each further time. Meanwhile, new documents wait in
    /// the queue. After the last attempt, the documents of the request are dropped and counted.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.settings.attempts = attempts;
        self
    }

    /// Sets the longest time for which a document waits for others that are sent in the same request. The default is
    /// one second, and the maximum is one day.
    ///
    /// [`Recorder::flush`](crate::Recorder::flush) sends the waiting documents immediately.
    pub fn max_delay(mut self, delay: Duration) -> Self {
        self.settings.batch.delay = delay.min(MAX_TIME);
        self
    }

    /// Sets the maximum number of spans in a request, from 1 to 10,000. The default is 5,000. AWS's endpoint accepts
    /// 10,000.
    pub fn max_spans(mut self, spans: usize) -> Self {
        self.settings.batch.spans = spans.clamp(1, BatchLimits::MAX_SPANS);
        self
    }

    /// Sets the maximum number of bytes in a request, from 64 KiB to 5,000,000. The default is 1,000,000, which proxies
    /// accept by default. AWS's endpoint accepts 5,000,000.
    ///
    /// A request with a single span may exceed this limit: a span has up to 190,000 bytes.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.settings.batch.bytes = bytes.clamp(BatchLimits::MIN_BYTES, BatchLimits::MAX_BYTES);
        self
    }

    /// Sets how spans are named. The default is [`SpanNames::XRay`].
    pub fn span_names(mut self, names: SpanNames) -> Self {
        self.settings.span_names = names;
        self
    }

    /// Builds the emitter. Starts no thread and opens no connection.
    ///
    /// # Errors
    ///
    /// Returns an error if the URL is not of the form `http://host:port/path`, or if a header is not valid.
    pub fn build(mut self) -> Result<OtlpEmitter, OtlpError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let mut rejected = Vec::new();
        self.settings.read(&|name| env::var_os(name), &mut rejected);
        for setting in &rejected {
            log_line!(Warn, "xray::emitter", "{setting}");
        }
        Ok(OtlpEmitter::with_settings(self.settings, rejected.len() as u64))
    }

    fn refuse(&mut self, problem: Problem) {
        self.error.get_or_insert(OtlpError(problem));
    }
}

/// The error of [`OtlpEmitterBuilder::build`]: an invalid setting.
///
/// ```
/// use xray::emitter::OtlpEmitter;
///
/// let error = OtlpEmitter::builder().endpoint("https://collector:4318").build().unwrap_err();
/// assert!(error.to_string().contains("collector beside the program"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtlpError(Problem);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Problem {
    Endpoint(Refused),
    Header,
}

impl fmt::Display for OtlpError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.0 {
            Problem::Endpoint(Refused::Https) => {
                "xray cannot send spans over https: it has no TLS. Send to a collector beside the program over http, which \
                 sends on over https"
            }
            Problem::Endpoint(Refused::Credentials) => {
                "the URL of the OTLP endpoint has a user name: set the header `authorization` instead"
            }
            Problem::Endpoint(Refused::Form) => {
                "the OTLP endpoint is not a URL of the form http://host:port, such as http://localhost:4318"
            }
            Problem::Header => "the name or the value of a header is not valid in HTTP",
        })
    }
}

impl std::error::Error for OtlpError {}
