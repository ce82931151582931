//! Sends spans, and reads the responses.

use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;
use serde_json::Value;
use xray_local::{Server, time};

pub(crate) const PROTOBUF: &str = "application/x-protobuf";
pub(crate) const JSON: &str = "application/json";

/// The response to a request with spans.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Returns the number of rejected spans, and the reason for the first rejection.
    pub(crate) fn rejected(&self) -> (i64, String) {
        assert_eq!((self.status, &*self.content_type), (200, PROTOBUF), "{}", self.text());
        let response = ExportTraceServiceResponse::decode(&*self.body).unwrap();
        response.partial_success.map_or((0, String::new()), |part| (part.rejected_spans, part.error_message))
    }

    /// Returns the body as text. A protobuf message contains its texts unchanged.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Posts a body with headers to an address.
pub(crate) fn post_to(address: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut request = agent.post(format!("http://{address}/v1/traces"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut response = request.send(body).unwrap();
    let content_type = response.headers().get("content-type").map_or("", |value| value.to_str().unwrap()).to_owned();
    let body = response.body_mut().read_to_vec().unwrap();
    Answer { status: response.status().as_u16(), content_type, body }
}

pub(crate) fn post(server: &Server, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    post_to(&server.http_address().to_string(), headers, body)
}

/// Posts a request in protobuf.
pub(crate) fn post_spans(server: &Server, request: &ExportTraceServiceRequest) -> Answer {
    post(server, &[("content-type", PROTOBUF)], &request.encode_to_vec())
}

/// Posts a request in JSON.
pub(crate) fn post_json(server: &Server, request: &Value) -> Answer {
    post(server, &[("content-type", JSON)], request.to_string().as_bytes())
}

/// Returns a request with one resource, whose service has the name `service`.
pub(crate) fn request(service: &str, spans: Vec<Span>) -> ExportTraceServiceRequest {
    let resource = Resource {
        attributes: vec![attribute("service.name", Any::StringValue(service.to_owned()))],
        ..Resource::default()
    };
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans { resource: Some(resource), scope_spans, ..ResourceSpans::default() }],
    }
}

/// Returns a server's span that starts at the current time and takes half a second.
pub(crate) fn span(trace: u128, id: u64) -> Span {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time after 1970")]
    let start = (time::now() * 1e9) as u64;
    Span {
        trace_id: trace.to_be_bytes().to_vec(),
        span_id: id.to_be_bytes().to_vec(),
        name: "GET /".to_owned(),
        kind: 2,
        start_time_unix_nano: start,
        end_time_unix_nano: start + 500_000_000,
        ..Span::default()
    }
}

pub(crate) fn attribute(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}
