//! Facades (`Segment::facade`) for handlers that do not run on `lambda_runtime`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use support::Always;
use xray::emitter::MemoryEmitter;
use xray::{Instrument as _, Propagation, Recorder, Segment, TraceHeader};

use super::service::{PARENT, ROOT, sampled};
use support::documents::capture;

/// Returns the headers of a request that is made below a facade.
fn carried(propagation: Propagation, header: &str) -> Vec<String> {
    let recorder = Recorder::builder().sampler(Always).propagate(propagation).emitter(MemoryEmitter::new()).build();
    let around = Segment::builder("around").recorder(&recorder).begin();
    let facade = around.in_scope(|| Segment::facade(header));
    let mut headers = Vec::<(String, String)>::new();
    drop(facade.in_scope(|| xray::http::call("GET", "http://127.0.0.1/").inject(&mut headers)));
    headers.into_iter().map(|(name, value)| format!("{name}: {value}")).collect()
}

#[tokio::test]
async fn a_facade_works_around_a_future() {
    let handler = async { "done" }.in_subsegment("inner").in_subsegment("outer");
    let invocation = async { handler.in_segment(Segment::facade(&sampled())).await };
    let (answer, documents) = capture(invocation).await;
    let [outer] = &documents[..] else { panic!("{documents:#?}") };
    assert_eq!((answer, outer.name.as_str(), outer.subsegments[0].name.as_str()), ("done", "outer", "inner"));
    assert_eq!([outer.trace_id.unwrap().to_string(), outer.parent_id.unwrap().to_string()], [ROOT, PARENT]);
}

#[test]
fn a_traceparent_is_sent_if_there_is_a_decision() {
    let w3c = |header: &str| carried(Propagation::W3c, header);
    let trace = ROOT.replace('-', "");
    let traceparent = w3c(&sampled());
    assert!(
        traceparent[0].starts_with(&format!("traceparent: 00-{}-", &trace[1..])) && traceparent[0].ends_with("-01")
    );
    let unsampled = w3c(&format!("Root={ROOT};Parent={PARENT};Sampled=0"));
    assert_eq!(unsampled, [format!("traceparent: 00-{}-{PARENT}-00", &trace[1..])]);
    let pass_through = format!("Root={ROOT};Lineage=25:abc:1");
    assert_eq!(w3c(&pass_through), [""; 0], "a traceparent cannot leave the decision open");
    assert_eq!(carried(Propagation::Both, &pass_through), [format!("x-amzn-trace-id: {pass_through}")]);
}

#[test]
fn any_text_is_accepted_as_a_header() {
    let long = format!("Root={ROOT};Lineage={}", "a".repeat(5_000_000));
    for header in ["", ";;;", "Root", "Parent=53995c3f42cd8ad8;Sampled=1", "Root=1-0-0;Parent=0;Sampled=1", "\u{e9}=\0"]
    {
        assert_eq!(carried(Propagation::XRay, header), [""; 0], "{header:?}");
    }
    for header in [&format!("Root={ROOT};\u{e9}=\n"), &long] {
        assert_eq!(carried(Propagation::XRay, header), [format!("x-amzn-trace-id: Root={ROOT}")], "{header:.100}");
    }
}

#[test]
fn a_panic_is_not_recorded_on_the_facade() {
    let recorder = Recorder::builder().sampler(Always).emitter(MemoryEmitter::new()).build();
    let around = Segment::builder("around").recorder(&recorder).begin();
    let facade = around.in_scope(|| Segment::facade(&sampled()));
    assert!(catch_unwind(AssertUnwindSafe(|| facade.in_scope(|| panic!("out of stock")))).is_err());
    assert_eq!(recorder.stats().values_rejected, 0);
    facade.set_fault();
    assert_eq!(recorder.stats().values_rejected, 1);
}

#[test]
fn a_message_is_recorded_if_its_header_says_so_and_the_invocation_does_not() {
    let emitter = MemoryEmitter::new();
    let recorder = Recorder::builder().sampler(Always).emitter(emitter.clone()).build();
    let around = Segment::builder("around").recorder(&recorder).begin();
    for (invocation, message, is_recorded) in [
        (format!("Root={ROOT}"), format!("Root={ROOT};Parent=1111111111111111;Sampled=1"), true),
        (format!("Root={ROOT};Parent={PARENT}"), format!("Root={ROOT};Parent=1111111111111111;Sampled=1"), true),
        (format!("Root={ROOT}"), format!("Root={ROOT};Parent=1111111111111111;Sampled=0"), false),
        (format!("Root={ROOT}"), format!("Root={ROOT}"), false),
        (format!("Root={ROOT}"), String::new(), false),
    ] {
        let facade = around.in_scope(|| Segment::facade(&invocation));
        facade.in_scope(|| {
            let header = TraceHeader::parse(&message);
            Segment::builder("queue").trace_header(&header).begin().in_scope(|| {
                xray::current().annotate("items", 3);
            });
        });
        let documents = emitter.take();
        assert_eq!(documents.len(), usize::from(is_recorded), "{invocation} {message}");
        for document in documents {
            assert_eq!((document.kind, document.parent_id.unwrap().to_string().as_str()), (None, "1111111111111111"));
            assert_eq!(document.trace_id.unwrap().to_string(), ROOT);
        }
    }
    let facade = around.in_scope(|| Segment::facade(&sampled()));
    let header = TraceHeader::parse(&format!("Root={ROOT};Parent=1111111111111111;Sampled=1"));
    facade.in_scope(|| Segment::builder("queue").trace_header(&header).begin().end());
    let [part] = &emitter.take()[..] else { panic!("one document") };
    assert_eq!(part.parent_id.unwrap().to_string(), PARENT, "a recorded invocation takes the message in");
}
