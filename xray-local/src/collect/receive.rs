//! Receives requests with spans, and answers each in the encoding of the request.

use std::io::Read as _;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::routing::post;
use flate2::read::MultiGzDecoder;
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
use prost::Message;
use serde_json::json;

use super::TRACES;
use crate::api::Refusal;
use crate::forward::ForwardedSpans;
use crate::intake::{Intake, RejectedSpans};
use crate::jobs::Jobs;
use crate::otlp::Encoding;
use crate::store::Source;

/// The largest body after decompression, in bytes. A gzip body of 8 MiB could become 8 GiB.
const MAX_DECOMPRESSED: u64 = 16 * 1024 * 1024;

#[derive(Debug, Clone)]
struct Receiver {
    intake: Intake,
    /// Separate from the jobs of queries, so that spans do not wait behind queries.
    jobs: Jobs,
    forwarded: Option<ForwardedSpans>,
}

/// An error response: a status, and a message for the sender's log.
#[derive(Debug)]
struct Refused {
    status: StatusCode,
    message: String,
}

/// The body of an error response in protobuf.
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

/// gRPC's code `INVALID_ARGUMENT`.
const INVALID_ARGUMENT: i32 = 3;

/// Returns the route for spans. Each request that is not refused is also sent to `forwarded`.
pub(crate) fn routes(intake: &Intake, forwarded: Option<ForwardedSpans>) -> Router {
    let receiver = Receiver { intake: intake.clone(), jobs: Jobs::new(), forwarded };
    // The server limits the bodies.
    Router::new().route(TRACES, post(receive)).with_state(receiver).layer(DefaultBodyLimit::disable())
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let Receiver { intake, jobs, forwarded } = receiver;
    let encoding = match encoding(&headers) {
        Ok(encoding) => encoding,
        Err(refused) => return refused.response(Encoding::Json).map(Body::from),
    };
    let job = jobs.run(move || {
        let taken = decompressed(&headers, &body).and_then(|decompressed| {
            let request = decompressed.as_deref().unwrap_or(&body);
            let spans = intake.take_spans(request, encoding, Source::Otlp);
            spans.map(|spans| spans.rejected).map_err(|error| Refused::invalid(error.to_string()))
        });
        intake.flush();
        match taken {
            Ok(rejected) => {
                if let Some(forwarded) = forwarded {
                    forwarded.send(&headers, &body);
                }
                accepted(rejected, encoding)
            }
            Err(refused) => refused.response(encoding),
        }
    });
    job.await.unwrap_or_else(|busy| {
        // OpenTelemetry senders retry after this status.
        let status = StatusCode::TOO_MANY_REQUESTS;
        Refused { status, message: busy.message().to_owned() }.response(encoding).map(Body::from)
    })
}

/// Returns the encoding that the header `Content-Type` names.
fn encoding(headers: &HeaderMap) -> Result<Encoding, Refused> {
    let content_type = headers.get(CONTENT_TYPE).map_or("", |value| value.to_str().unwrap_or("?"));
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/x-protobuf") {
        Ok(Encoding::Protobuf)
    } else if media_type.eq_ignore_ascii_case("application/json") {
        Ok(Encoding::Json)
    } else {
        let message =
            format!("the Content-Type is {content_type:?}, and must be application/x-protobuf or application/json");
        Err(Refused { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, message })
    }
}

/// Returns the decompressed body, or `None` if the body is not compressed.
fn decompressed(headers: &HeaderMap, body: &[u8]) -> Result<Option<Vec<u8>>, Refused> {
    let content_encoding = headers.get(CONTENT_ENCODING).map_or("", |value| value.to_str().unwrap_or("?"));
    match content_encoding.trim().to_ascii_lowercase().as_str() {
        "" | "identity" => return Ok(None),
        "gzip" => {}
        _ => {
            let message = format!("the Content-Encoding is {content_encoding:?}, and must be gzip or absent");
            return Err(Refused { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, message });
        }
    }
    let mut decompressed = Vec::new();
    let read = MultiGzDecoder::new(body).take(MAX_DECOMPRESSED + 1).read_to_end(&mut decompressed);
    read.map_err(|error| Refused::invalid(format!("the body is not gzip: {error}")))?;
    if decompressed.len() as u64 > MAX_DECOMPRESSED {
        let message = format!("the body has more than {MAX_DECOMPRESSED} bytes after decompression");
        return Err(Refused { status: StatusCode::PAYLOAD_TOO_LARGE, message });
    }
    Ok(Some(decompressed))
}

/// Returns the response to a request whose spans were read. The status is 200 even if spans were rejected: after an
/// error, a sender would send the accepted spans again.
fn accepted(rejected: RejectedSpans, encoding: Encoding) -> Response<Vec<u8>> {
    let partial_success = (rejected.count > 0).then(|| ExportTracePartialSuccess {
        rejected_spans: i64::try_from(rejected.count).unwrap_or(i64::MAX),
        error_message: rejected.reason.unwrap_or_default(),
    });
    let body = match (encoding, partial_success) {
        (Encoding::Protobuf, partial_success) => ExportTraceServiceResponse { partial_success }.encode_to_vec(),
        (Encoding::Json, None) => b"{}".to_vec(),
        (Encoding::Json, Some(ExportTracePartialSuccess { rejected_spans, error_message })) => {
            let partial_success = json!({ "rejectedSpans": rejected_spans.to_string(), "errorMessage": error_message });
            json!({ "partialSuccess": partial_success }).to_string().into_bytes()
        }
    };
    response(StatusCode::OK, encoding, body)
}

impl Refused {
    fn invalid(message: String) -> Self {
        Self { status: StatusCode::BAD_REQUEST, message }
    }

    fn response(self, encoding: Encoding) -> Response<Vec<u8>> {
        let Self { status, message } = self;
        let body = match encoding {
            Encoding::Protobuf => Status { code: INVALID_ARGUMENT, message: message.clone() }.encode_to_vec(),
            Encoding::Json => json!({ "code": INVALID_ARGUMENT, "message": message }).to_string().into_bytes(),
        };
        let mut response = response(status, encoding, body);
        response.extensions_mut().insert(Refusal(message));
        response
    }
}

fn response(status: StatusCode, encoding: Encoding, body: Vec<u8>) -> Response<Vec<u8>> {
    let content_type = match encoding {
        Encoding::Protobuf => "application/x-protobuf",
        Encoding::Json => "application/json",
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
