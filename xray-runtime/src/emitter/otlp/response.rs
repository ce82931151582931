//! Reads the server's response to a request with spans.

use std::time::Duration;

use http::StatusCode;
use http::header::{LOCATION, RETRY_AFTER};
use serde::Deserialize;
use serde_json::Value;

use crate::support::fetch::{Failure, HttpResponse, message};
use crate::support::text::first_chars;

/// The outcome of one attempt to send a request.
#[derive(Debug, PartialEq)]
pub(super) enum Outcome {
    /// The server accepted the request.
    Accepted {
        /// The number of rejected spans, as the server reports it. May be larger than the number of sent spans.
        rejected: u64,
        /// The server's reason, or a warning if it rejected nothing. May be empty.
        message: String,
    },
    /// No server answered. Another attempt may succeed.
    Unreachable { reason: String },
    /// The server is busy. Another attempt may succeed.
    Later {
        reason: String,
        /// The pause that the server requests.
        after: Option<Duration>,
    },
    /// No attempt will succeed.
    Refused { reason: String, remedy: &'static str },
}

/// Limit on the characters of a response that a log line repeats.
const MAX_CHARS: usize = 250;

impl Outcome {
    // (OTLP specification, "OTLP/HTTP Response": which statuses are retried, `Retry-After`, `partial_success`.)
    pub(super) fn of(response: Result<HttpResponse, Failure>) -> Self {
        let response = match response {
            Ok(response) => response,
            Err(failure) => return Self::Unreachable { reason: failure.to_string() },
        };
        let status = response.status;
        if status.is_success() {
            return partial_success(&response.body);
        }
        if matches!(status.as_u16(), 429 | 502 | 503 | 504) {
            return Self::Later { reason: reason(&response), after: retry_after(&response) };
        }
        Self::Refused { reason: reason(&response), remedy: remedy(status) }
    }
}

/// Reads the body of a successful response. Receivers write different bodies, so any body other than an OTLP response
/// counts as empty.
fn partial_success(body: &[u8]) -> Outcome {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct PartialSuccess {
        // In OTLP's JSON a 64-bit number is a string, but some receivers write a number.
        rejected_spans: Value,
        error_message: Value,
    }

    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Response {
        partial_success: Option<PartialSuccess>,
    }

    let response: Response = serde_json::from_slice(body).unwrap_or_default();
    let PartialSuccess { rejected_spans, error_message } = response.partial_success.unwrap_or_default();
    let rejected = match &rejected_spans {
        Value::String(digits) => digits.parse().unwrap_or(0),
        number => number.as_u64().unwrap_or(0),
    };
    let message = error_message.as_str().map_or_else(String::new, |text| first_chars(text, MAX_CHARS).to_owned());
    Outcome::Accepted { rejected, message }
}

/// Returns the pause that the server requests in seconds. Returns `None` if `Retry-After` is a date.
fn retry_after(response: &HttpResponse) -> Option<Duration> {
    let seconds = response.headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// Describes a failure by its status and the server's message.
fn reason(response: &HttpResponse) -> String {
    let text = match response.headers.get(LOCATION).and_then(|location| location.to_str().ok()) {
        Some(location) if response.status.is_redirection() => format!("Location: {location}"),
        _ => message(&response.body),
    };
    let text = first_chars(&text, MAX_CHARS);
    let colon = if text.is_empty() { "" } else { ": " };
    format!("the response has status {}{colon}{text}", response.status.as_u16())
}

fn remedy(status: StatusCode) -> &'static str {
    match status.as_u16() {
        300..=399 => "Redirects are not followed: set the endpoint to the URL where the server takes traces",
        401 | 403 => "Check the headers of the emitter or OTEL_EXPORTER_OTLP_HEADERS",
        404 | 405 => {
            "Check the URL: OTEL_EXPORTER_OTLP_ENDPOINT gets `/v1/traces` appended, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT does not"
        }
        413 => "Lower the limit `max_bytes` of the emitter, or raise that of the server",
        415 => "The server does not take OTLP in JSON: send to a collector instead",
        _ => "The log of the server may say more",
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    fn outcome(status: u16, headers: &[(http::HeaderName, &str)], body: &str) -> Outcome {
        let headers: HeaderMap = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        let status = StatusCode::from_u16(status).unwrap();
        Outcome::of(Ok(HttpResponse { status, headers, body: body.as_bytes().to_vec() }))
    }

    #[test]
    fn a_partial_success_of_any_form_is_read() {
        for (body, rejected, message) in [
            ("", 0, ""),
            ("{}", 0, ""),
            ("<html>", 0, ""),
            ("[1]", 0, ""),
            (r#"{"partialSuccess":null}"#, 0, ""),
            (r#"{"partialSuccess":{}}"#, 0, ""),
            (r#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"bad"}}"#, 3, "bad"),
            (r#"{"partialSuccess":{"rejectedSpans":3}}"#, 3, ""),
            (r#"{"partialSuccess":{"rejectedSpans":-3}}"#, 0, ""),
            (r#"{"partialSuccess":{"rejectedSpans":"-9223372036854775808"}}"#, 0, ""),
            (r#"{"partialSuccess":{"rejectedSpans":"9223372036854775807"}}"#, i64::MAX as u64, ""),
            (r#"{"partialSuccess":{"rejectedSpans":1.5,"errorMessage":7}}"#, 0, ""),
            (r#"{"partialSuccess":{"rejectedSpans":0,"errorMessage":"soon"}}"#, 0, "soon"),
        ] {
            assert_eq!(outcome(200, &[], body), Outcome::Accepted { rejected, message: message.to_owned() }, "{body}");
        }
    }

    #[test]
    fn each_refusal_names_its_remedy() {
        for (status, remedy) in [
            (302, "Redirects are not followed"),
            (401, "headers"),
            (403, "headers"),
            (404, "Check the URL"),
            (405, "Check the URL"),
            (413, "max_bytes"),
            (415, "in JSON"),
            (500, "log of the server"),
        ] {
            let outcome = outcome(status, &[], "");
            assert!(format!("{outcome:?}").contains(remedy), "{status}: {outcome:?}");
        }
        let at = [(LOCATION, "/v1/traces")];
        for (status, is_named) in [(302, true), (404, false)] {
            let outcome = outcome(status, &at, "");
            assert_eq!(format!("{outcome:?}").contains("Location: /v1/traces"), is_named, "{status}");
        }
    }

    #[test]
    fn only_four_statuses_and_a_failed_exchange_are_tried_again() {
        for status in 200..600 {
            let is_later = matches!(outcome(status, &[], ""), Outcome::Later { .. });
            assert_eq!(is_later, [429, 502, 503, 504].contains(&status), "{status}");
        }
        assert!(matches!(Outcome::of(Err(Failure::Timeout(Duration::ZERO))), Outcome::Unreachable { .. }));
    }

    #[test]
    fn the_pause_that_a_server_asks_for_is_read_in_seconds() {
        for (value, seconds) in [("7", Some(7)), ("0", Some(0)), ("-1", None), ("Sun, 29 Nov 2026 09:00:00 GMT", None)]
        {
            let expected = Outcome::Later {
                reason: "the response has status 503: no room".to_owned(),
                after: seconds.map(Duration::from_secs),
            };
            assert_eq!(outcome(503, &[(RETRY_AFTER, value)], "no room"), expected);
        }
    }

    #[test]
    fn what_the_server_says_about_a_failure_is_repeated_up_to_a_limit() {
        let reason = |outcome| match outcome {
            Outcome::Refused { reason, .. } => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            reason(outcome(400, &[], r#"{"code":3,"message":"no such field"}"#)),
            "the response has status 400: no such field"
        );
        assert_eq!(
            reason(outcome(308, &[(LOCATION, "https://elsewhere/")], "")),
            "the response has status 308: Location: https://elsewhere/"
        );
        assert!(reason(outcome(400, &[], &"x".repeat(100_000))).len() < 300);
    }
}
