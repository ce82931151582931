//! Requests, the segments around them, and what is asked of the documents.

use http::Request;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use xray::document::{Cause, Exception};
use xray::{Document, Segment, SegmentBuilder, TraceHeader};

pub(super) type Body = Full<Bytes>;
pub(super) type Client = legacy::Client<HttpConnector, Body>;

pub(super) const INCOMING: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";

pub(super) fn client() -> Client {
    legacy::Client::builder(TokioExecutor::new()).build_http()
}

pub(super) fn request(url: &str) -> Request<Body> {
    Request::builder().uri(url).body(Body::default()).unwrap()
}

pub(super) fn sampled() -> SegmentBuilder {
    Segment::builder("t").trace_header(&TraceHeader::parse(INCOMING))
}

pub(super) fn unsampled() -> SegmentBuilder {
    Segment::builder("t").trace_header(&TraceHeader::parse(&INCOMING.replace("Sampled=1", "Sampled=0")))
}

/// The only subsegment of the only document.
pub(super) fn only_call(documents: &[Document]) -> &Document {
    assert_eq!(documents.len(), 1, "{documents:#?}");
    assert_eq!(documents[0].subsegments.len(), 1, "{documents:#?}");
    &documents[0].subsegments[0]
}

pub(super) fn url(call: &Document) -> &str {
    call.http.as_ref().unwrap().request.as_ref().unwrap().url.as_deref().unwrap()
}

pub(super) fn status(call: &Document) -> Option<u16> {
    call.http.as_ref().unwrap().response.and_then(|response| response.status)
}

pub(super) fn exceptions(call: &Document) -> &[Exception] {
    match &call.cause {
        Some(Cause::Exceptions(cause)) if call.fault => &cause.exceptions,
        _ => panic!("{call:#?}"),
    }
}
