//! The distribution of documents over requests.

use std::time::Duration;

use support::otlp::{Export, OtlpServer};
use xray::Segment;

use super::{record, recorder, settled, to};

#[test]
fn documents_share_a_request_until_a_flush() {
    let server = OtlpServer::start(|_| "{}");
    let recorder = recorder(to(server.url()));
    for number in 0..100 {
        record(&recorder, &format!("shop {}", number % 2));
    }
    assert_eq!(settled(&recorder).documents_sent, 100);
    let [export] = &server.received()[..] else { panic!("more than one request") };
    assert_eq!(
        (export.uri.path(), &export.headers["content-type"]),
        ("/v1/traces", &"application/json".parse().unwrap())
    );
    let spans = export.spans();
    assert_eq!(spans.len(), 100);
    for span in &spans {
        assert_eq!(span.resource["service.name"]["stringValue"], span.span["name"]);
    }
    let body: serde_json::Value = serde_json::from_slice(&export.body).unwrap();
    assert_eq!(body["resourceSpans"].as_array().unwrap().len(), 2, "one resource for each name");
}

#[test]
fn a_document_waits_for_others_for_a_limited_time() {
    let server = OtlpServer::start(|_| "{}");
    let recorder = recorder(to(server.url()).max_delay(Duration::from_millis(1)));
    for name in ["first", "second"] {
        record(&recorder, name);
        assert_eq!(server.receive().spans()[0].span["name"], name);
    }
}

#[test]
fn a_request_has_no_more_spans_and_bytes_than_set() {
    let server = OtlpServer::start(|_| "{}");
    for (builder, spans, bytes) in
        [(to(server.url()).max_spans(7), 7, usize::MAX), (to(server.url()).max_bytes(0), usize::MAX, 64 * 1024)]
    {
        let recorder = recorder(builder);
        for _ in 0..50 {
            let segment = Segment::builder("shop").recorder(&recorder).begin();
            segment.subsegment("part").add_metadata("text", "x".repeat(5_000));
        }
        assert_eq!(settled(&recorder).documents_sent, 50);
        let exports = server.received();
        assert!(exports.len() > 4 && exports.len() < 25, "{} requests", exports.len());
        assert!(exports.iter().all(|export| export.spans().len() <= spans && export.body.len() <= bytes));
        assert_eq!(exports.iter().map(|export| export.spans().len()).sum::<usize>(), 100);
    }
}

#[test]
fn a_document_that_is_larger_than_a_request_is_sent_in_several_and_counts_as_its_parts() {
    let server = OtlpServer::start(|_| "{}");
    let emitter = to(server.url()).max_bytes(0).build().unwrap();
    let builder = xray::Recorder::builder().sampler(support::Always).emitter(emitter);
    let recorder = builder.streaming_threshold_bytes(usize::MAX).build();
    let segment = Segment::builder("shop").recorder(&recorder).begin();
    for _ in 0..3 {
        segment.subsegment("large").add_metadata("text", "x".repeat(40_000));
    }
    segment.end();
    let stats = settled(&recorder);
    assert_eq!((stats.documents_emitted, stats.documents_sent), (3, 3), "{stats:?}");
    let exports = server.received();
    assert_eq!(exports.len(), 3);
    assert!(exports.iter().all(|export| export.body.len() <= 64 * 1024));
    assert_eq!(exports.iter().flat_map(Export::spans).count(), 4);
}

/// X-Ray accepts documents of up to 64 kB, and a collector converts each span to a document.
#[test]
fn a_span_that_is_too_large_for_x_ray_loses_its_largest_values() {
    let server = OtlpServer::start(|_| "{}");
    let recorder = recorder(to(server.url()));
    let segment = Segment::builder("shop").recorder(&recorder).begin();
    for (key, bytes) in [("a", 30_000), ("b", 40_000)] {
        segment.add_metadata(key, "x".repeat(bytes));
    }
    segment.end();
    let stats = settled(&recorder);
    assert_eq!((stats.documents_sent, stats.values_rejected), (1, 1), "{stats:?}");
    let span = server.receive().spans().remove(0).span;
    let attributes = support::otlp::attributes(&span);
    let metadata = attributes["aws.xray.metadata.default"]["stringValue"].as_str().unwrap();
    assert!(metadata.starts_with(r#"{"a":"xxx"#) && metadata.len() < 31_000);
}

/// OTLP has no form for an open span, so only the complete segment is sent.
#[test]
fn a_segment_that_is_still_open_is_not_sent() {
    let server = OtlpServer::start(|_| "{}");
    let emitter = to(server.url()).build().unwrap();
    let builder = xray::Recorder::builder().sampler(support::Always).emitter(emitter);
    let recorder = builder.in_progress_after(Duration::from_millis(10)).build();
    let segment = Segment::builder("job").recorder(&recorder).begin();
    while recorder.stats().documents_emitted == 0 {
        std::thread::yield_now();
    }
    segment.end();
    let stats = settled(&recorder);
    assert_eq!((stats.documents_sent, stats.documents_dropped), (1, 1), "{stats:?}");
    assert_eq!(server.received().iter().map(|export| export.spans().len()).sum::<usize>(), 1);
}
