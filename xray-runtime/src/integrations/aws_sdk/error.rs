//! Reads why an operation failed.

use aws_smithy_runtime_api::client::interceptors::context::Error;
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use serde_json::{Map, Value};

use crate::document::{Cause, Exception, Exceptions};
use crate::record::Record;
use crate::recorder::Recorder;

/// Error codes that mean "too many requests". Most of them come with the status 400.
// The list of the SDK's own retries. (`aws_runtime::retries::classifiers::THROTTLING_ERRORS`.)
const THROTTLING: &[&str] = &[
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
];

/// Why an operation failed.
pub(super) struct Failure {
    exceptions: Vec<Exception>,
    is_throttle: bool,
    is_service_error: bool,
}

/// Reads why an operation failed. Runs the `Display` of errors, so the caller must hold no lock.
pub(super) fn read(error: &OrchestratorError<Error>, response: Option<&HttpResponse>, recorder: &Recorder) -> Failure {
    let Some(service_error) = error.as_operation_error() else {
        let exceptions = recorder.read_error(error, true);
        return Failure { exceptions, is_throttle: false, is_service_error: false };
    };
    let ServiceError { code, message } = response.map(ServiceError::read).unwrap_or_default();
    let is_throttle = code.as_ref().is_some_and(|code| THROTTLING.contains(&code.as_str()));
    let mut exceptions = match (&code, &message) {
        // The response to a HEAD request has no body. The SDK's error has a name then.
        (None, None) => recorder.read_error(service_error, true),
        (code, message) => {
            let code = code.as_deref().unwrap_or("service error");
            vec![Exception::text(message.as_deref().unwrap_or_default(), code)]
        }
    };
    for exception in &mut exceptions {
        exception.remote = Some(true);
    }
    Failure { exceptions, is_throttle, is_service_error: true }
}

impl Failure {
    /// Records the failure. The status of the response is recorded already.
    pub(super) fn record(self, record: &mut Record) {
        if !self.is_service_error {
            record.record_error(self.exceptions);
            return;
        }
        // This includes a status of 5xx, as of `SlowDown`. The X-Ray SDK for Java records throttling in this way.
        if self.is_throttle {
            (record.error, record.throttle, record.fault) = (true, true, false);
        }
        // S3 reports some errors with the status 200.
        record.fault |= !record.error;
        if record.cause().is_none() {
            let exceptions = Exceptions { exceptions: self.exceptions, ..Exceptions::default() };
            record.set_cause(Cause::Exceptions(Box::new(exceptions)));
        }
    }
}

/// The code and the message of a service's error.
#[derive(Debug, Default, PartialEq)]
struct ServiceError {
    code: Option<String>,
    message: Option<String>,
}

impl ServiceError {
    fn read(response: &HttpResponse) -> Self {
        /// Limit on the body. Errors are short, and a proxy between may answer with a page.
        const MAX_BODY_BYTES: usize = 64 * 1024;

        let body = response.body().bytes().filter(|body| body.len() <= MAX_BODY_BYTES).unwrap_or_default();
        let body = std::str::from_utf8(body).unwrap_or_default();
        let mut read = Self::of_body(body);
        if let Some(header) = response.headers().get("x-amzn-errortype") {
            read.code = Some(short_code(header));
        }
        read
    }

    fn of_body(body: &str) -> Self {
        if body.trim_start().starts_with('<') {
            return Self { code: element(body, "Code"), message: element(body, "Message") };
        }
        // Protocols and services use different names, and SQS sends the message under two names.
        let error: Map<String, Value> = serde_json::from_str(body).unwrap_or_default();
        let text = |names: &[&str]| names.iter().find_map(|name| error.get(*name)?.as_str());
        let code = text(&["__type", "code", "Code"]).map(short_code);
        Self { code, message: text(&["message", "Message", "errorMessage"]).map(ToOwned::to_owned) }
    }
}

/// Returns the name of an error without its namespace and URL: `com.amazonaws.sqs#QueueDoesNotExist`,
/// `FooException:http://..`. (Smithy, "AWS JSON 1.0 protocol", "Operation error serialization".)
fn short_code(code: &str) -> String {
    let code = code.split(':').next().unwrap_or_default();
    code.rsplit('#').next().unwrap_or_default().to_owned()
}

/// Returns the text of the first element with this name in an XML document.
//
// No XML parser: two texts of an error are read, and an element that is not found costs only the text.
fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    if let Some(text) = text.trim().strip_prefix("<![CDATA[").and_then(|text| text.strip_suffix("]]>")) {
        return Some(text.to_owned());
    }
    let escapes = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&amp;", "&")];
    Some(escapes.iter().fold(text.to_owned(), |text, (escape, character)| text.replace(escape, character)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SegmentId;
    use crate::record::{Label, Time};

    /// A table throttles with the status 400, and a bucket with 503. An upload in parts may fail with the status 200.
    #[test]
    fn a_request_that_is_throttled_is_an_error_and_no_fault() {
        for (status, is_throttle, flags) in [
            (400, true, (true, true, false)),
            (503, true, (true, true, false)),
            (503, false, (false, false, true)),
            (404, false, (true, false, false)),
            (200, false, (false, false, true)),
        ] {
            let mut record = Record::new(SegmentId::random(), Label::named("S3"), Time::from_micros(1));
            record.record_response(status, None);
            let exceptions = vec![Exception::text("Please reduce your request rate.", "SlowDown")];
            Failure { exceptions, is_throttle, is_service_error: true }.record(&mut record);
            assert_eq!((record.error, record.throttle, record.fault), flags, "{status}");
        }
    }

    #[test]
    fn code_and_message_are_read_in_every_protocol() {
        let expected =
            |code: &str, message: &str| ServiceError { code: Some(code.into()), message: Some(message.into()) };
        for body in [
            r#"{"__type":"com.amazonaws.dynamodb.v20120810#NoTable","message":"a & b"}"#,
            r#"{"__type": "com.amazonaws.sqs#NoTable", "message": "a & b", "Message": "a & b"}"#,
            r#"{"code":"NoTable:http://internal.amazon.com/","Message":"a & b","Type":"User"}"#,
            "<?xml version=\"1.0\"?>\n<Error><Code>NoTable</Code><Message>a &amp; b</Message></Error>",
            "<Error><Code>NoTable</Code><Message><![CDATA[a & b]]></Message></Error>",
            "<ErrorResponse><Error><Type>Sender</Type><Code>NoTable</Code><Message>a &amp; b</Message></Error></ErrorResponse>",
        ] {
            assert_eq!(ServiceError::of_body(body), expected("NoTable", "a & b"), "{body}");
        }
    }

    #[test]
    fn a_body_that_is_no_error_has_neither_code_nor_message() {
        for body in ["", "{", "[]", "{\"message\":7}", "<html>", "<Code>", "null"] {
            assert_eq!(ServiceError::of_body(body), ServiceError::default(), "{body}");
        }
    }
}
