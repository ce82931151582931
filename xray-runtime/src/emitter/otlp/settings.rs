//! The settings of an [`OtlpEmitter`](super::OtlpEmitter), and OpenTelemetry's environment variables for them.

use std::ffi::OsString;
use std::fmt;
use std::str::FromStr as _;
use std::time::Duration;

use http::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue, USER_AGENT};

use super::endpoint::Endpoint;
use super::names::SpanNames;
use crate::support::percent;
use crate::support::variables::{RejectedSetting, setting};

/// The settings of an emitter.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(super) endpoint: Endpoint,
    pub(super) headers: HeaderMap,
    pub(super) timeout: Duration,
    pub(super) attempts: u32,
    pub(super) batch: BatchLimits,
    pub(super) span_names: SpanNames,
}

/// The longest time of any setting. The limit keeps `Instant` from overflowing.
pub(super) const MAX_TIME: Duration = Duration::from_secs(24 * 60 * 60);

/// Limits of one request. A batch that reaches one of them is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BatchLimits {
    pub(super) spans: usize,
    pub(super) bytes: usize,
    /// The time since the first document was added to the batch.
    pub(super) delay: Duration,
}

impl BatchLimits {
    /// The largest limits that AWS's endpoint accepts. (CloudWatch user guide, "OTLP endpoints", limits of traces.)
    pub(super) const MAX_SPANS: usize = 10_000;
    pub(super) const MAX_BYTES: usize = 5_000_000;
    /// The smallest value of the limit on bytes.
    pub(super) const MIN_BYTES: usize = 64 * 1024;
}

impl Default for Settings {
    fn default() -> Self {
        let static_headers = [
            (ACCEPT, "application/json"),
            (USER_AGENT, concat!("xray-sdk/", env!("CARGO_PKG_VERSION"), " (OTLP/HTTP JSON)")),
        ];
        Self {
            endpoint: Endpoint::default(),
            headers: static_headers.map(|(name, value)| (name, HeaderValue::from_static(value))).into_iter().collect(),
            timeout: Duration::from_secs(10),
            attempts: 5,
            // Less than 1 MiB, which a proxy such as nginx accepts by default.
            batch: BatchLimits { spans: 5_000, bytes: 1_000_000, delay: Duration::from_secs(1) },
            span_names: SpanNames::default(),
        }
    }
}

// Omits the values of headers, because they may be secret keys.
impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers.keys().collect();
        formatter
            .debug_struct("Settings")
            .field("endpoint", &self.endpoint.to_string())
            .field("headers", &headers)
            .field("timeout", &self.timeout)
            .field("attempts", &self.attempts)
            .field("batch", &self.batch)
            .field("span_names", &self.span_names)
            .finish()
    }
}

impl Settings {
    /// Replaces each setting for which `get` returns an environment variable. Adds invalid variables to `rejected`.
    ///
    /// A variable for traces takes precedence over the variable for all signals. (OTLP exporter specification,
    /// "Configuration Options".)
    pub(crate) fn read(&mut self, get: &impl Fn(&str) -> Option<OsString>, rejected: &mut Vec<RejectedSetting>) {
        if let Some(base) =
            setting(get, rejected, "OTEL_EXPORTER_OTLP_ENDPOINT", Endpoint::EXPECTED, |base| Endpoint::below(base).ok())
        {
            self.endpoint = base;
        }
        if let Some(url) =
            setting(get, rejected, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", Endpoint::EXPECTED, |url| url.parse().ok())
        {
            self.endpoint = url;
        }
        for name in ["OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"] {
            let before = rejected.len();
            if let Some(headers) = setting(get, rejected, name, "key=value,key=value", parse_headers) {
                self.headers.extend(headers);
            }
            // The value of a header is often a secret key.
            for rejected in &mut rejected[before..] {
                "[not shown]".clone_into(&mut rejected.value);
            }
        }
        for name in ["OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT"] {
            let expected = "a number of milliseconds above 0";
            if let Some(timeout) = setting(get, rejected, name, expected, parse_milliseconds) {
                self.timeout = timeout;
            }
        }
        for name in ["OTEL_EXPORTER_OTLP_COMPRESSION", "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION"] {
            // Compression would add a crate to the program.
            let expected = "none, because requests are not compressed";
            setting(get, rejected, name, expected, |value| (value.trim() == "none").then_some(()));
        }
        for name in ["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] {
            // Every receiver of protobuf over HTTP takes JSON too. (OTLP specification, "OTLP/HTTP".)
            let expected = "http/json, or http/protobuf for a receiver that takes both";
            setting(get, rejected, name, expected, |value| {
                matches!(value.trim(), "http/json" | "http/protobuf").then_some(())
            });
        }
    }
}

/// Reads `key=value,key=value`. Values are percent-encoded. (W3C Baggage, without properties.)
fn parse_headers(text: &str) -> Option<HeaderMap> {
    let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=')?;
            Some((
                HeaderName::from_str(name.trim()).ok()?,
                header_value(&percent::decoded_bytes(value.trim().as_bytes())?)?,
            ))
        })
        .collect()
}

/// Returns the value of a header, marked as sensitive so that it is hidden when the headers are printed.
pub(super) fn header_value(value: &[u8]) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_bytes(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn parse_milliseconds(text: &str) -> Option<Duration> {
    text.trim()
        .parse()
        .ok()
        .filter(|milliseconds| *milliseconds > 0)
        .map(|milliseconds| Duration::from_millis(milliseconds).min(MAX_TIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> (Settings, Vec<RejectedSetting>) {
        let (mut settings, mut rejected) = (Settings::default(), Vec::new());
        let get = |name: &str| variables.iter().find(|(set, _)| *set == name).map(|(_, value)| OsString::from(value));
        settings.read(&get, &mut rejected);
        (settings, rejected)
    }

    #[test]
    fn a_variable_for_traces_takes_precedence_over_the_one_for_all_signals() {
        let all = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://all:4318"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=all,x-other=1%202"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "500"),
        ];
        let (settings, rejected) = read(&all);
        assert_eq!((settings.endpoint.to_string().as_str(), rejected.len()), ("http://all:4318/v1/traces", 0));
        assert_eq!(
            (&settings.headers["x-key"], &settings.headers["x-other"]),
            (&"all".parse().unwrap(), &"1 2".parse().unwrap())
        );
        assert_eq!(settings.timeout, Duration::from_millis(500));

        let traces = [
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://traces:80/here"),
            ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "X-Key=traces"),
            ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "7"),
        ];
        let (settings, rejected) = read(&[&all[..], &traces].concat());
        assert_eq!((settings.endpoint.to_string().as_str(), rejected.len()), ("http://traces:80/here", 0));
        assert_eq!(settings.headers.get_all("x-key").iter().collect::<Vec<_>>(), ["traces"]);
        assert_eq!((settings.headers["x-other"].as_bytes(), settings.timeout), (&b"1 2"[..], Duration::from_millis(7)));
        let (settings, _) = read(&[("OTEL_EXPORTER_OTLP_TIMEOUT", &u64::MAX.to_string())]);
        assert_eq!(settings.timeout, MAX_TIME);
    }

    #[test]
    fn what_is_not_supported_or_not_valid_is_said_and_the_default_is_used() {
        for (name, value) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector:4318"),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "collector:4317"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "secret"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "a=secret%2"),
            ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a b=secret"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "a=secret%0a"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
            ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "10s"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc"),
        ] {
            let (settings, rejected) = read(&[(name, value)]);
            assert_eq!((settings, rejected.len()), (Settings::default(), 1), "{name}={value}");
            let message = rejected[0].to_string();
            assert!(message.starts_with(name) && !message.contains("secret"), "{message}");
        }
        let (_, rejected) = read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector:4318")]);
        assert!(rejected[0].to_string().contains("a collector beside the program"));
        for (name, value) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
            ("OTEL_EXPORTER_OTLP_HEADERS", " , "),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "none"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ] {
            assert_eq!(read(&[(name, value)]), (Settings::default(), vec![]), "{name}={value}");
        }
    }

    #[test]
    fn the_value_of_a_header_is_not_printed() {
        let (settings, _) = read(&[("OTEL_EXPORTER_OTLP_HEADERS", "x-key=secret")]);
        let printed = format!("{settings:?} {:?}", settings.headers);
        assert!(printed.contains("x-key") && !printed.contains("secret"), "{printed}");
    }
}
