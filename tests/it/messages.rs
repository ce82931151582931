//! Messages between services: links to the traces of their senders, and messages that are sent without sampling.

use std::collections::HashMap;

use support::documents::{capture, capture_blocking, checked};
use xray::emitter::MemoryEmitter;
use xray::sampling::Always;
use xray::{Instrument as _, Recorder, Sampled, Segment, TraceHeader};

/// Returns the attributes of an SQS message whose sender is in the trace of this number.
fn message(number: u32) -> HashMap<String, String> {
    let header = format!("Root=1-5759e988-{number:024x};Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:1");
    HashMap::from([("SenderId".to_owned(), "AIDA".to_owned()), ("AWSTraceHeader".to_owned(), header)])
}

#[test]
fn a_batch_of_ten_messages_links_ten_traces() {
    let ((), documents) = capture_blocking(|| {
        let segment = Segment::builder("worker").begin();
        for number in 1..=10 {
            segment.link(&TraceHeader::of_message(&message(number)));
        }
        segment.link(&TraceHeader::of_message(&message(1)));
    });
    let links: Vec<_> = documents[0].links.iter().map(|link| link.trace_id.to_string()).collect();
    let expected: Vec<_> = (1..=10).map(|number| format!("1-5759e988-{number:024x}")).collect();
    assert_eq!(links, expected);
    let json = serde_json::to_value(&documents[0]).unwrap();
    assert_eq!(json["links"][0]["id"], "53995c3f42cd8ad8");
    assert_ne!(documents[0].trace_id, Some(documents[0].links[0].trace_id), "the batch has a trace of its own");
}

#[tokio::test]
async fn in_lambda_a_subsegment_links_the_batch() {
    let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    let work = async {
        for number in 1..=10 {
            xray::current().link(&TraceHeader::of_message(&message(number)));
        }
    };
    let ((), documents) = capture(async {
        work.in_subsegment("batch").in_segment(Segment::facade(header)).await;
    })
    .await;
    assert_eq!((documents[0].name.as_str(), documents[0].links.len()), ("batch", 10));
}

#[test]
fn links_beyond_the_limits_of_x_ray_are_left_out_and_counted() {
    let emitter = MemoryEmitter::new();
    let recorder = Recorder::builder().sampler(Always).emitter(emitter.clone()).build();
    let segment = Segment::builder("worker").recorder(&recorder).begin();
    for part in 0..6 {
        let batch = segment.subsegment("batch");
        for number in 1..=21 {
            batch.link(&TraceHeader::of_message(&message(100 * part + number)));
        }
    }
    segment.end();
    let documents = checked(emitter.take());
    let links: Vec<_> = documents[0].subsegments.iter().map(|batch| batch.links.len()).collect();
    assert_eq!(links, [20, 20, 20, 20, 16, 0]);
    assert_eq!(recorder.stats().values_rejected, 6 * 21 - 96);
}

#[test]
fn a_header_that_names_nothing_recorded_adds_no_link() {
    let ((), documents) = capture_blocking(|| {
        let segment = Segment::builder("worker").begin();
        for header in [
            "",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
            "Parent=53995c3f42cd8ad8;Sampled=1",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0",
        ] {
            segment.link(&TraceHeader::parse(header));
        }
        segment.link(&TraceHeader::of_message(&HashMap::<String, String>::new()));
    });
    assert!(documents[0].links.is_empty());
}

#[tokio::test]
async fn work_without_sampling_keeps_the_trace_and_records_nothing() {
    let header = TraceHeader::parse("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1;Lineage=a:1");
    let (sent, documents) = capture(async {
        async {
            let unsampled = xray::current().without_sampling();
            assert_eq!(unsampled.trace_id(), header.root);
            let mut headers = http::HeaderMap::new();
            async {
                let call = xray::http::call("POST", "https://sqs.example.com/").inject(&mut headers);
                assert!(!call.is_recorded() && !xray::current().is_sampled());
                xray::current().annotate("key", 1);
                async {}.in_subsegment("inner").await;
            }
            .in_subsegment(unsampled)
            .await;
            assert!(xray::current().is_sampled());
            headers["x-amzn-trace-id"].to_str().unwrap().to_owned()
        }
        .in_segment(Segment::builder("import").trace_header(&header))
        .await
    })
    .await;
    assert_eq!(sent, "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0;Lineage=a:1");
    assert!(documents[0].subsegments.is_empty() && documents[0].annotations.is_empty());
}

#[test]
fn an_unsampled_or_missing_parent_has_an_unsampled_child() {
    assert_eq!(xray::current().without_sampling().trace_id(), None);
    let header = TraceHeader::parse("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0");
    let segment = Segment::builder("import").trace_header(&header).begin();
    assert_eq!((segment.without_sampling().trace_id(), header.sampled), (header.root, Some(Sampled::No)));
}
