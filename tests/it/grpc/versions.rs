//! Other versions of tonic, and responses that no tonic server sends.

use std::convert::Infallible;
use std::io;

use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Body as _, Bytes, Frame};
use support::documents::capture;
use support::subsegments::{below, exceptions, is_cancelled, only_call, status};
use tonic_0_13 as tonic;
use tower::{Layer as _, ServiceExt as _, service_fn};
use xray::tower::{SegmentLayer, SubsegmentLayer};
use xray::{Document, Instrument as _};

use super::service::Served;

/// A codec for messages that the test has encoded.
#[derive(Default)]
struct Raw;

impl tonic::codec::Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl tonic::codec::Encoder for Raw {
    type Item = Vec<u8>;
    type Error = tonic::Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut tonic::codec::EncodeBuf<'_>) -> Result<(), tonic::Status> {
        prost::bytes::BufMut::put_slice(buffer, &item);
        Ok(())
    }
}

impl tonic::codec::Decoder for Raw {
    type Item = Vec<u8>;
    type Error = tonic::Status;

    fn decode(&mut self, buffer: &mut tonic::codec::DecodeBuf<'_>) -> Result<Option<Vec<u8>>, tonic::Status> {
        let mut message = vec![0; prost::bytes::Buf::remaining(buffer)];
        prost::bytes::Buf::copy_to_slice(buffer, &mut message);
        Ok(Some(message))
    }
}

#[tokio::test]
async fn the_version_of_tonic_before() {
    let served = Served::start();
    let channel = tonic::transport::Endpoint::from(served.uri()).connect().await.unwrap();
    let mut client = tonic::client::Grpc::with_origin(SubsegmentLayer::new().layer(channel), served.uri());
    for (message, code) in [(vec![], tonic::Code::Ok), (vec![0x10, 13], tonic::Code::Internal)] {
        let work = async {
            client.ready().await.unwrap();
            let path = http::uri::PathAndQuery::from_static("/greeter.v1.Greeter/Greet");
            client.unary(tonic::Request::new(message), path, Raw).await.map(drop)
        };
        let (outcome, calls) = below(work).await;
        assert_eq!(outcome.map_or_else(|status| status.code(), |()| tonic::Code::Ok), code);
        assert_eq!((calls.len(), calls[0].name.as_str()), (1, "127.0.0.1"));
        assert_eq!(calls[0].fault, code == tonic::Code::Internal, "{calls:#?}");
        assert_eq!(served.document().await.fault, calls[0].fault);
    }
}

/// A frame or an error of a body.
type Part = Result<Frame<Bytes>, io::Error>;

fn trailers(values: &[(&'static str, &str)]) -> Frame<Bytes> {
    let values = values.iter().map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()));
    Frame::trailers(values.collect::<HeaderMap>())
}

/// Sends a call through both layers to a service that answers with this body. Returns the documents of the client and
/// of the server.
async fn answered(status: StatusCode, parts: Vec<fn() -> Part>) -> [Document; 2] {
    let service = service_fn(move |_: Request<()>| {
        let parts: Vec<_> = parts.iter().map(|part| part()).collect();
        let response = Response::builder().status(status).header("content-type", "application/grpc");
        let response = response.body(StreamBody::new(futures::stream::iter(parts))).unwrap();
        std::future::ready(Ok::<_, Infallible>(response))
    });
    let service = SubsegmentLayer::new().layer(SegmentLayer::new("greeter").layer(service));
    let work = async {
        let request = Request::post("http://h/a.B/C").header("content-type", "application/grpc").body(()).unwrap();
        let mut body = service.oneshot(request).await.unwrap().into_body();
        while let Some(Ok(_)) = body.frame().await {}
    };
    let ((), documents) = capture(work.in_segment("t")).await;
    let [theirs, ours] = documents.try_into().unwrap();
    [only_call(&[ours]).clone(), theirs]
}

#[tokio::test]
async fn answers_that_break_the_protocol_have_an_outcome_too() {
    let data: fn() -> Part = || Ok(Frame::data(Bytes::from_static(b"\0\0\0\0\0")));
    for (parts, expected, message) in [
        (vec![data], "UNKNOWN", "the response ended without a `grpc-status`"),
        (vec![], "UNKNOWN", "the response ended without a `grpc-status`"),
        (vec![data, || Ok(trailers(&[("other", "1")]))], "UNKNOWN", "the response ended without a `grpc-status`"),
        (vec![data, || Ok(trailers(&[("grpc-status", "abc"), ("grpc-message", "m")]))], "UNKNOWN", "m"),
        (vec![data, || Ok(trailers(&[("grpc-status", "-1")]))], "UNKNOWN", ""),
        (vec![data, || Ok(trailers(&[("grpc-status", "99"), ("grpc-message", "%")]))], "UNKNOWN", "%"),
        (vec![data, || Ok(trailers(&[("grpc-status", "5"), ("grpc-message", "%41")]))], "NOT_FOUND", "A"),
    ] {
        for document in answered(StatusCode::OK, parts.clone()).await {
            assert_eq!(document.metadata["grpc"]["status"], expected, "{document:#?}");
            assert_eq!(exceptions(&document)[0].message.as_deref().unwrap_or_default(), message);
            assert!(document.error && !document.fault && !is_cancelled(&document), "{document:#?}");
        }
    }
}

/// A reader may ask whether the body has ended, as hyper does, and then never polls for the end.
#[tokio::test]
async fn a_body_that_says_that_it_has_ended_has_no_status() {
    let service = service_fn(|_: Request<()>| {
        let body = http_body_util::Full::new(Bytes::from_static(b"\0\0\0\0\0"));
        let response = Response::builder().header("content-type", "application/grpc").body(body);
        std::future::ready(Ok::<_, Infallible>(response.unwrap()))
    });
    let service = SubsegmentLayer::new().layer(SegmentLayer::new("greeter").layer(service));
    let work = async {
        let request = Request::post("http://h/a.B/C").header("content-type", "application/grpc").body(()).unwrap();
        let mut body = service.oneshot(request).await.unwrap().into_body();
        while !body.is_end_stream() {
            body.frame().await.unwrap().unwrap();
        }
    };
    let ((), documents) = capture(work.in_segment("t")).await;
    let [theirs, ours] = &documents[..] else { panic!("{documents:#?}") };
    for document in [theirs, &ours.subsegments[0]] {
        assert_eq!(document.metadata["grpc"]["status"], "UNKNOWN", "{document:#?}");
        assert!(!is_cancelled(document), "{document:#?}");
    }
}

#[tokio::test]
async fn the_answer_of_a_proxy_counts_by_its_http_status() {
    for document in answered(StatusCode::SERVICE_UNAVAILABLE, vec![]).await {
        assert!(document.fault && !document.error && !is_cancelled(&document), "{document:#?}");
        assert_eq!((status(&document), document.metadata.contains_key("grpc")), (Some(503), false));
    }
}

#[tokio::test]
async fn a_body_that_fails_is_a_fault() {
    let broken: fn() -> Part = || Err(io::Error::other("the connection is gone"));
    let [ours, theirs] = answered(StatusCode::OK, vec![broken]).await;
    assert_eq!(exceptions(&ours)[0].kind.as_deref(), Some("std::io::error::Error"));
    assert_eq!(exceptions(&theirs)[0].message.as_deref(), Some("the connection is gone"));
    assert!(ours.fault && theirs.fault && !is_cancelled(&ours) && !is_cancelled(&theirs));
}

/// The attribute reads only the head of a response, which has the status of a call without messages.
#[tokio::test]
async fn an_annotated_function_reads_the_status_in_the_head() {
    #[xray::traced_http]
    async fn annotated(client: impl tower::Service<Request<()>, Response = Response<()>, Error = Infallible>) {
        let request = Request::post("http://h/a.B/C").header("content-type", "application/grpc").body(()).unwrap();
        client.oneshot(request).await.unwrap();
    }

    let service = service_fn(async |_: Request<()>| {
        let response = Response::builder().version(http::Version::HTTP_2).header("content-type", "application/grpc");
        Ok::<_, Infallible>(response.header("grpc-status", "8").header("grpc-message", "slower").body(()).unwrap())
    });
    let ((), calls) = below(annotated(service)).await;
    assert!(calls[0].error && calls[0].throttle && !calls[0].fault, "{calls:#?}");
    assert_eq!(calls[0].metadata["grpc"]["message"], "slower");
}
