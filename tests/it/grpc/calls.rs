//! The documents of the client and of the server for a call.

use http::Uri;
use support::documents::capture;
use support::subsegments::{below, exceptions, is_cancelled, only_call, status, url};
use tonic::transport::Endpoint;
use tonic::{Code, Status};
use xray::tower::SubsegmentLayer;
use xray::{Document, Instrument as _, Namespace};

use super::greeter::greeter_client::GreeterClient;
use super::service::{MESSAGE, RECORDED, Served, request};
use support::refused_url;

/// Calls a method of the service. A method that fails before its first message sends the status in the head, and a
/// method that fails later sends it in the trailers.
async fn call(client: &mut super::service::Client, method: &str, code: i32) -> Result<(), Status> {
    match method {
        "Greet" => client.greet(request(code, 0)).await.map(drop),
        "GreetAll" => client.greet_all(futures::stream::iter([request(0, 0), request(code, 0)])).await.map(drop),
        _ => {
            let requests = futures::stream::iter([request(0, 0), request(code, 0)]);
            let replies = match method {
                "GreetMany" => client.greet_many(request(code, 2)).await,
                _ => client.chat(requests).await,
            };
            let mut replies = replies?.into_inner();
            while replies.message().await?.is_some() {}
            Ok(())
        }
    }
}

/// Checks the outcome in the document of one side.
#[track_caller]
fn check(document: &Document, code: i32) {
    let flags = (document.error, document.throttle, document.fault);
    let expected = match code {
        0 => (false, false, false),
        8 => (true, true, false),
        12 | 13 | 15 => (false, false, true),
        _ => (true, false, false),
    };
    assert_eq!(flags, expected, "{code}: {document:#?}");
    assert_eq!((status(document), is_cancelled(document)), (Some(200), false), "{document:#?}");
    let grpc = document.metadata.get("grpc");
    assert_eq!(grpc.is_some(), code != 0);
    let Some(grpc) = grpc else {
        assert!(document.cause.is_none() && document.metadata.is_empty(), "{document:#?}");
        return;
    };
    // The document has the protocol's name of the code, such as `NOT_FOUND`. tonic's name is `NotFound`.
    let name = grpc["status"].as_str().unwrap();
    let in_tonic = format!("{:?}", Code::from(code)).to_lowercase();
    assert_eq!(name.replace('_', "").to_lowercase(), in_tonic, "{document:#?}");
    assert_eq!((&grpc["code"], &grpc["message"]), (&code.into(), &RECORDED.into()));
    let [exception] = exceptions(document) else { panic!("one exception: {document:#?}") };
    assert_eq!((exception.kind.as_deref(), exception.message.as_deref()), (Some(name), Some(RECORDED)));
    assert_eq!(exception.remote, Some(document.namespace == Some(Namespace::Remote)));
}

#[tokio::test]
async fn the_status_is_the_outcome_of_a_call_on_both_sides() {
    let served = Served::start();
    let mut client = served.client().await;
    for code in 0..=16 {
        for method in ["Greet", "GreetMany", "GreetAll", "Chat"] {
            let (outcome, documents) = capture(call(&mut client, method, code).in_segment("t")).await;
            let outcome = outcome
                .map_or_else(|status| (status.code(), status.message().to_owned()), |()| (Code::Ok, String::new()));
            let message = if code == 0 { "" } else { MESSAGE };
            assert_eq!(outcome, (Code::from(code), message.to_owned()), "the caller gets what the service returned");
            let ours = only_call(&documents);
            assert_eq!((ours.name.as_str(), ours.namespace), ("127.0.0.1", Some(Namespace::Remote)));
            assert_eq!(url(ours), format!("http://{}/greeter.v1.Greeter/{method}", served.address));
            check(ours, code);
            assert!(!documents[0].error && !documents[0].fault, "the caller has handled the error");

            let theirs = served.document().await;
            assert_eq!((theirs.trace_id, theirs.parent_id), (documents[0].trace_id, Some(ours.id)));
            assert_eq!(url(&theirs), url(ours));
            check(&theirs, code);
        }
    }
}

#[tokio::test]
async fn a_call_is_named_after_the_origin_of_its_client_or_after_its_service() {
    let served = Served::start();
    let channel = Endpoint::from(served.uri()).connect().await.unwrap();
    let layered = tower::ServiceBuilder::new().layer(SubsegmentLayer::new()).service(channel);
    for (mut client, name, base) in [
        (GreeterClient::new(layered.clone()), "greeter.v1.Greeter", ""),
        (
            GreeterClient::with_origin(layered, Uri::from_static("https://a.example.com:1")),
            "a.example.com",
            "https://a.example.com:1",
        ),
    ] {
        let (reply, calls) = below(client.greet(request(0, 0))).await;
        assert_eq!(reply.unwrap().into_inner().text, "hello Ada");
        let expected = format!("{base}/greeter.v1.Greeter/Greet");
        assert_eq!((calls[0].name.as_str(), url(&calls[0])), (name, expected.as_str()));
        assert_eq!(url(&served.document().await), format!("http://{}/greeter.v1.Greeter/Greet", served.address));
    }
}

#[tokio::test]
async fn outside_any_segment_and_unsampled_the_answers_are_the_same() {
    let served = Served::start();
    let mut client = served.client().await;
    let unsampled = xray::TraceHeader::parse("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0");
    for code in [0, 5, 13] {
        for method in ["Greet", "GreetMany"] {
            let (outcome, documents) = capture(call(&mut client, method, code)).await;
            assert_eq!(outcome.map_or_else(|status| status.code(), |()| Code::Ok), Code::from(code));
            assert!(documents.is_empty());
            check(&served.document().await, code);

            let segment = xray::Segment::builder("t").trace_header(&unsampled);
            let (outcome, documents) = capture(call(&mut client, method, code).in_segment(segment)).await;
            assert_eq!(outcome.map_or_else(|status| status.code(), |()| Code::Ok), Code::from(code));
            assert!(documents.is_empty() && served.is_open());
        }
    }
}

#[tokio::test]
async fn a_channel_that_cannot_connect_is_a_fault_with_its_sources() {
    let uri: Uri = refused_url().parse().unwrap();
    let channel = Endpoint::from(uri.clone()).connect_lazy();
    let layered = tower::ServiceBuilder::new().layer(SubsegmentLayer::new()).service(channel);
    let mut client = GreeterClient::with_origin(layered, uri);
    let (outcome, calls) = below(client.greet(request(0, 0))).await;
    assert_eq!(outcome.unwrap_err().code(), Code::Unavailable);
    let [call] = &calls[..] else { panic!("{calls:#?}") };
    assert!(call.fault && call.http.as_ref().unwrap().response.is_none(), "{call:#?}");
    assert!(exceptions(call).iter().any(|cause| cause.message.as_ref().unwrap().contains("refused")), "{call:#?}");
}
