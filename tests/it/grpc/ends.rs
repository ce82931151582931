//! The end of a call: with its stream, at its deadline, or when one side drops the call.

use std::time::Duration;

use support::documents::capture;
use support::subsegments::{below, exceptions, is_cancelled, mark, messages, only_call};
use tonic::Code;
use tonic::transport::Endpoint;
use xray::tower::SubsegmentLayer;
use xray::{Document, Instrument as _};

use super::greeter::greeter_client::GreeterClient;
use super::service::{NEVER, Served, request};

#[tokio::test]
async fn a_call_lasts_until_its_stream_ends() {
    let served = Served::start();
    let mut client = served.client().await;
    let work = async {
        let mut replies = client.greet_many(request(0, 3)).await.unwrap().into_inner();
        mark("head");
        while replies.message().await.unwrap().is_some() {
            mark("reply");
        }
        mark("end");
    };
    let ((), parts) = below(work).await;
    let part = |name: &str| parts.iter().rfind(|part| part.name == name).unwrap();
    let call = part("127.0.0.1");
    assert!(call.start_time < part("head").start_time);
    assert!(part("reply").end_time < call.end_time && call.end_time.unwrap() < part("end").start_time, "{parts:#?}");
    assert!(!is_cancelled(call));
    assert!(!is_cancelled(&served.document().await));
}

#[tokio::test]
async fn a_conversation_is_open_on_both_sides_until_it_ends() {
    let served = Served::start();
    let mut client = served.client().await;
    let work = async {
        let (sender, requests) = futures::channel::mpsc::unbounded();
        let replies = client.chat(requests);
        sender.unbounded_send(request(0, 0)).unwrap();
        let mut replies = replies.await.unwrap().into_inner();
        for _ in 0..3 {
            assert_eq!(replies.message().await.unwrap().unwrap().text, "hello Ada");
            assert!(served.is_open());
            sender.unbounded_send(request(0, 0)).unwrap();
        }
        mark("last");
        sender.unbounded_send(request(10, 0)).unwrap();
        assert!(replies.message().await.unwrap().is_some());
        replies.message().await.unwrap_err().code()
    };
    let (code, parts) = below(work).await;
    assert_eq!(code, Code::Aborted);
    let call = parts.iter().find(|part| part.name == "127.0.0.1").unwrap();
    assert!(call.error && call.end_time > parts.iter().find(|part| part.name == "last").unwrap().end_time);
    let theirs = served.document().await;
    assert!(theirs.error && !theirs.fault && !is_cancelled(&theirs), "{theirs:#?}");
}

#[tokio::test]
async fn a_call_that_is_given_up_is_cancelled_on_both_sides() {
    let served = Served::start();
    let mut client = served.client().await;
    let before_the_head = async {
        tokio::select! {
            _ = client.greet(request(NEVER, 0)) => unreachable!("the service does not answer"),
            () = served.held.notified() => {}
        }
    };
    let ((), documents) = capture(before_the_head.in_segment("t")).await;
    check_cancelled(only_call(&documents));
    check_cancelled(&served.document().await);

    let in_the_stream = async {
        let mut replies = client.greet_many(request(NEVER, 1)).await.unwrap().into_inner();
        assert!(replies.message().await.unwrap().is_some());
    };
    let ((), documents) = capture(in_the_stream.in_segment("t")).await;
    check_cancelled(only_call(&documents));
    check_cancelled(&served.document().await);
}

#[track_caller]
fn check_cancelled(document: &Document) {
    assert!(is_cancelled(document) && !document.error && !document.fault, "{document:#?}");
    assert!(!document.metadata.contains_key("grpc"), "{document:#?}");
}

#[tokio::test]
async fn a_deadline_is_told_from_a_cancellation_on_both_sides() {
    let served = Served::start();
    let mut client = served.client().await;
    for count in [0, 1] {
        let work = async {
            let mut request = tonic::Request::new(request(NEVER, count));
            request.set_timeout(Duration::from_secs(1));
            if count == 0 {
                client.greet(request).await.map(drop)
            } else {
                // tonic's client applies the deadline only to the head, so this program uses a timer for messages.
                let mut replies = client.greet_many(request).await?.into_inner();
                assert!(replies.message().await?.is_some());
                let _ = tokio::time::timeout(Duration::from_millis(1200), replies.message()).await;
                Ok(())
            }
        };
        let (_, documents) = capture(work.in_segment("t")).await;
        check_deadline(only_call(&documents));
        check_deadline(&served.document().await);
    }
}

#[track_caller]
fn check_deadline(document: &Document) {
    assert_eq!(document.metadata["grpc"]["status"], "DEADLINE_EXCEEDED", "{document:#?}");
    assert_eq!(exceptions(document)[0].kind.as_deref(), Some("DEADLINE_EXCEEDED"));
    assert!(document.error && !document.fault && !is_cancelled(document), "{document:#?}");
}

/// The channel applies its own deadline without writing it into the request.
#[tokio::test]
async fn a_deadline_of_the_channel_is_an_error_of_the_channel() {
    let served = Served::start();
    let channel = Endpoint::from(served.uri()).timeout(Duration::from_millis(100)).connect().await.unwrap();
    let layered = tower::ServiceBuilder::new().layer(SubsegmentLayer::new()).service(channel);
    let mut client = GreeterClient::with_origin(layered, served.uri());
    let (outcome, documents) = capture(client.greet(request(NEVER, 0)).in_segment("t")).await;
    assert!(outcome.is_err());
    let call = only_call(&documents);
    assert!(call.fault && messages(call).contains(&"Timeout expired"), "{call:#?}");
    check_cancelled(&served.document().await);
}
