//! Messages between services: links to the traces of their senders, and messages that are sent without sampling.

use std::collections::HashMap;

use support::documents::{capture, capture_blocking, checked};
use xray::emitter::MemoryEmitter;
use xray::sampling::Always;
use xray::{Instrument as _, Propagation, Recorder, Sampled, Segment, SegmentId, TraceHeader};

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
    assert_eq!(links, [20, 20, 20, 20, 20, 0]);
    assert_eq!(recorder.stats().values_rejected, 6 * 21 - 100);
}

#[test]
fn a_link_that_is_left_out_or_repeated_takes_no_place_of_another() {
    let emitter = MemoryEmitter::new();
    let recorder = Recorder::builder().sampler(Always).emitter(emitter.clone()).build();
    let segment = Segment::builder("worker").recorder(&recorder).begin();
    let (first, second) = (segment.subsegment("first"), segment.subsegment("second"));
    for number in 1..=200 {
        first.link(&TraceHeader::of_message(&message(number)));
        first.link(&TraceHeader::of_message(&message(1)));
    }
    second.link(&TraceHeader::of_message(&message(201)));
    drop((first, second, segment));
    let documents = checked(emitter.take());
    let mut links: Vec<_> = documents[0].subsegments.iter().map(|batch| batch.links.len()).collect();
    links.sort_unstable();
    assert_eq!((links, recorder.stats().values_rejected), (vec![1, 20], 180));
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

/// Returns the header of a message that the subsegment of a segment with `header` sends, and the id of the subsegment.
fn sent_header(recorder: &Recorder, header: &str) -> (Option<TraceHeader>, Option<SegmentId>) {
    let segment = Segment::builder("shop").recorder(recorder).trace_header(&TraceHeader::parse(header)).begin();
    segment.in_scope(|| {
        let sending = xray::current().subsegment("send");
        (sending.in_scope(|| xray::current().trace_header()), sending.id())
    })
}

#[test]
fn a_message_of_the_program_carries_the_header_of_its_sender() {
    const SENT: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8";
    assert_eq!(xray::current().trace_header(), None, "no segment is current");
    for propagation in [Propagation::XRay, Propagation::Both] {
        let recorder = Recorder::builder().sampler(Always).emitter(MemoryEmitter::new()).propagate(propagation).build();
        let (header, sender) = sent_header(&recorder, &format!("{SENT};Sampled=1;Lineage=a:1"));
        let text = format!("Root=1-5759e988-bd862e3fe1be46a994272793;Parent={};Sampled=1;Lineage=a:1", sender.unwrap());
        assert_eq!(header.map(|header| header.to_string()), Some(text));
        let (header, sender) = sent_header(&recorder, &format!("{SENT};Sampled=0;Lineage=a:1"));
        let header = header.unwrap();
        assert_eq!((header.sampled, header.parent), (Some(Sampled::No), sender));
        assert_eq!(header.extra().collect::<Vec<_>>(), [("Lineage", "a:1")]);
    }
}

#[test]
fn a_message_passes_on_the_members_of_tracestate() {
    let recorder =
        Recorder::builder().sampler(Always).emitter(MemoryEmitter::new()).propagate(Propagation::W3c).build();
    for (flags, sampled) in [("00", Sampled::No), ("01", Sampled::Yes)] {
        let traceparent = format!("00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-{flags}");
        let received = TraceHeader::from_traceparent(&traceparent).unwrap().with_tracestate("vendor=1");
        let segment = Segment::builder("shop").recorder(&recorder).trace_header(&received).begin();
        let sent = segment.trace_header().unwrap();
        assert_eq!((sent.root, sent.parent, sent.sampled), (received.root, segment.id(), Some(sampled)));
        assert_eq!(sent, sent_like(&received, segment.id()));
    }
}

/// Returns `header` with another sender.
fn sent_like(header: &TraceHeader, sender: Option<SegmentId>) -> TraceHeader {
    let mut header = header.clone();
    header.parent = sender;
    header
}

#[test]
fn a_message_in_an_undecided_invocation_passes_on_its_header() {
    for header in
        ["Root=1-5759e988-bd862e3fe1be46a994272793;Lineage=a:1", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"]
    {
        let (sent, documents) = capture_blocking(|| Segment::facade(header).trace_header());
        assert_eq!((sent.map(|sent| sent.to_string()).as_deref(), documents.len()), (Some(header), 0));
    }
}
