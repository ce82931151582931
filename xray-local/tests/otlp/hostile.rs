//! Sends requests that are invalid, too large or malicious. The server refuses each request, or a part of it, with a
//! reason, and takes the next valid request.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::json;
use xray_local::Server;

use crate::program::Program;
use crate::sender::{Answer, JSON, PROTOBUF, attribute, post, post_json, post_spans, post_to, request, span};
use crate::support::start;

/// Checks that a request was refused as a whole with a reason, that the page of problems shows the refusal, and that
/// the next valid request is taken.
fn assert_refused(server: &Server, answer: &Answer, status: u16, reason: &str) {
    let text = answer.text();
    assert_eq!(answer.status, status, "{text}");
    assert!(text.contains(reason), "{reason}: {text}");
    let problems =
        crate::support::raw(server, b"GET /problems HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    assert!(server.store().reports()[0].findings[0].reason.contains(reason), "{:?}", server.store().reports()[0]);
    assert!(problems.contains("as a span"), "{problems}");
    assert_good_is_taken(server);
}

fn assert_good_is_taken(server: &Server) {
    let before = server.store().counters().taken;
    assert_eq!(post_spans(server, &request("good", vec![span(7 << 96 | 1, 1)])).rejected().0, 0);
    assert_eq!(server.store().counters().taken, before + 1);
}

#[test]
fn a_truncated_request_is_refused_and_nothing_of_it_is_taken() {
    let server = start();
    let whole = request("shop", vec![span(1, 1), span(1, 2)]).encode_to_vec();
    for length in 1..whole.len() {
        let answer = post(&server, &[("content-type", PROTOBUF)], &whole[..length]);
        assert_eq!(answer.status, 400, "{length} of {} bytes: {}", whole.len(), answer.text());
    }
    assert_eq!(server.store().counters().taken, 0);
    let answer = post(&server, &[("content-type", PROTOBUF)], &whole[..whole.len() - 1]);
    assert_refused(&server, &answer, 400, "the body is truncated");

    let whole = serde_json::to_string(&request("shop", vec![span(1, 1)])).unwrap();
    for length in (1..whole.len()).step_by(7) {
        let answer = post(&server, &[("content-type", JSON)], &whole.as_bytes()[..length]);
        assert_eq!(answer.status, 400, "{length} of {} bytes: {}", whole.len(), answer.text());
    }
    let answer = post(&server, &[("content-type", JSON)], &whole.as_bytes()[..whole.len() - 1]);
    assert_refused(&server, &answer, 400, "not OTLP in JSON");
}

#[test]
fn other_bodies_are_refused_with_the_reason() {
    let server = start();
    for (headers, body, status, reason) in [
        (&[("content-type", PROTOBUF)][..], &b"hello"[..], 400, "not protobuf"),
        (&[("content-type", PROTOBUF)], &[0xff; 20], 400, "more than 64 bits"),
        (&[("content-type", JSON)], b"[]", 400, "not OTLP in JSON"),
        (&[("content-type", JSON)], b"\xff", 400, "not OTLP in JSON"),
        (&[("content-type", JSON)], br#"{"resourceSpans":[7]}"#, 400, "an element of `resourceSpans`"),
        (&[("content-type", JSON)], br#"{"resourceSpans":[{"scopeSpans":[{"spans":{}}]}]}"#, 400, "`scopeSpans`"),
        (&[("content-type", "text/plain")], b"", 415, "the Content-Type is \\\"text/plain\\\""),
        (&[], b"", 415, "the Content-Type is"),
        (&[("content-type", PROTOBUF), ("content-encoding", "zstd")], b"", 415, "the Content-Encoding is \"zstd\""),
        (&[("content-type", PROTOBUF), ("content-encoding", "gzip")], b"hello", 400, "the body is not gzip"),
    ] {
        let answer = post(&server, headers, body);
        assert_eq!(answer.status, status, "{headers:?} {}", answer.text());
        assert!(answer.text().contains(reason), "{reason}: {}", answer.text());
    }
    assert_eq!(server.store().counters().rejected, 10);
    assert_good_is_taken(&server);
}

#[test]
fn a_span_without_ids_is_rejected_and_its_neighbours_are_taken() {
    let server = start();
    let zeros = Span { trace_id: vec![0; 16], ..span(1, 1) };
    let no_id = Span { span_id: Vec::new(), ..span(1, 1) };
    let short = Span { parent_span_id: vec![1; 7], ..span(1, 1) };
    let answer = post_spans(&server, &request("shop", vec![span(1, 2), zeros, no_id, short, span(1, 3)]));
    assert_eq!(answer.rejected(), (3, "traceId: has only zeros, so it is not an id".to_owned()));
    let reasons: Vec<_> = server.store().reports().iter().map(|report| report.findings[0].reason.clone()).collect();
    let expected = ["parentSpanId: must have 8 bytes, and has 7", "spanId: must have 8 bytes, and has 0"];
    assert_eq!(reasons[..2], expected);
    assert_eq!(server.store().counters().taken, 2);

    let wrong = json!({ "traceId": "xyz", "spanId": "0000000000000001", "name": "n" });
    let odd = json!({ "traceId": "00000000000000000000000000000001", "spanId": "0000000000000001", "attributes": 7 });
    let answer = post_json(&server, &json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": [wrong, odd] }] }] }));
    let text = answer.text();
    assert!(text.contains(r#""rejectedSpans":"2""#) && text.contains("the span cannot be read"), "{text}");
    assert_good_is_taken(&server);
}

#[test]
fn attributes_of_every_type_and_depth_are_kept_or_refused() {
    fn nested(depth: usize) -> Any {
        (0..depth).fold(Any::BoolValue(true), |inner, level| {
            let inner = AnyValue { value: Some(inner) };
            if level % 2 == 0 {
                Any::ArrayValue(ArrayValue { values: vec![inner] })
            } else {
                let entry = KeyValue { key: "k".to_owned(), value: Some(inner), ..KeyValue::default() };
                Any::KvlistValue(KeyValueList { values: vec![entry] })
            }
        })
    }

    let server = start();
    let mut kinds = span(1, 1);
    kinds.attributes = vec![
        attribute("text", Any::StringValue("é".to_owned())),
        attribute("flag", Any::BoolValue(false)),
        attribute("integer", Any::IntValue(i64::MIN)),
        attribute("number", Any::DoubleValue(0.5)),
        attribute("no number", Any::DoubleValue(f64::NAN)),
        attribute("bytes", Any::BytesValue(vec![1, 2])),
        attribute("deep", nested(20)),
        KeyValue { key: "nothing".to_owned(), ..KeyValue::default() },
        // Attributes with a known meaning, but with values of the wrong type or form.
        attribute("http.response.status_code", Any::StringValue("200".to_owned())),
        attribute("http.request.method", Any::IntValue(7)),
        attribute("enduser.id", nested(3)),
        attribute("aws.xray.annotations", Any::BoolValue(true)),
        attribute("aws.xray.metadata.deep", Any::StringValue("[".repeat(100) + &"]".repeat(100))),
        attribute(
            "aws.xray.metadata.deeper",
            Any::StringValue(format!("{{\"a\":{}{}}}", "[".repeat(120), "]".repeat(120))),
        ),
    ];
    let mut deep = span(1, 2);
    deep.attributes = vec![attribute("deep", nested(200))];
    let answer = post_spans(&server, &request("shop", vec![kinds, deep]));
    assert_eq!(answer.rejected().0, 1, "{answer:?}");
    let trace = server.store().trace("00000000000000000000000000000001").unwrap();
    let values = &trace.segments[0].metadata()["default"];
    assert_eq!((&values["text"], &values["flag"], &values["integer"]), (&json!("é"), &json!(false), &json!(i64::MIN)));
    assert_eq!(
        (&values["number"], &values["no number"], &values["bytes"]),
        (&json!(0.5), &json!("NaN"), &json!("AQI="))
    );
    assert!(values["deep"].is_object() && values.get("nothing").is_none());
    assert!(values["aws.xray.metadata.deep"].is_string() && values["aws.xray.metadata.deeper"].is_string());
    assert_good_is_taken(&server);
}

#[test]
fn strange_spans_are_shown() {
    let server = start();
    let spans = vec![
        Span { kind: 77, ..span(1, 1) },
        Span { parent_span_id: 99_u64.to_be_bytes().to_vec(), kind: 1, ..span(1, 2) },
        Span { end_time_unix_nano: 0, ..span(1, 3) },
        Span { start_time_unix_nano: u64::MAX, end_time_unix_nano: 1, ..span(1, 4) },
        Span { start_time_unix_nano: span(1, 5).start_time_unix_nano - 7_200_000_000_000, ..span(1, 5) },
        span(1, 6),
        span(1, 6),
        Span { name: "<>".to_owned(), kind: 1, ..span(1, 7) },
    ];
    assert_eq!(post_spans(&server, &request("shop", spans)).rejected().0, 0);
    let trace = server.store().trace("00000000000000000000000000000001").unwrap();
    assert_eq!(trace.segments.len(), 7, "the span that came twice is there once");
    let find = |id: u64| trace.find(&format!("{id:016x}")).unwrap();
    assert!(find(2).orphan);
    assert!(find(3).in_progress);
    assert_eq!(find(7).name, "span");
    assert_good_is_taken(&server);
}

#[test]
fn spans_beyond_ten_thousand_are_rejected() {
    let server = start();
    let spans: Vec<_> =
        (1..=10_003).map(|number| Span { name: String::new(), ..span(1 << 64 | u128::from(number), number) }).collect();
    let json = serde_json::to_string(&request("shop", spans.clone())).unwrap();
    let answer = post_spans(&server, &request("shop", spans));
    assert_eq!(answer.rejected(), (3, "a request has 3 spans more than the 10000 that AWS accepts".to_owned()));
    let answer = post(&server, &[("content-type", JSON)], json.as_bytes());
    assert!(answer.text().contains(r#""rejectedSpans":"3""#), "{}", answer.text());
    assert_eq!(server.store().counters().taken, 20_000);
}

/// Each of these bodies would take hundreds of megabytes if it were read at once.
#[test]
fn large_requests_take_little_memory() {
    /// The program takes about 15 MiB without requests.
    const LIMIT: u64 = 128 << 20;

    let program = Program::start(&[]);
    let field = |tag: u8, content: &[u8]| {
        let mut message = vec![tag];
        let mut length = content.len();
        while length >= 0x80 {
            message.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
            length >>= 7;
        }
        message.push(u8::try_from(length).unwrap());
        [&message, content].concat()
    };
    let empty = [0x12, 0].repeat(1_000_000);
    let millions_of_spans = field(0x0a, &field(0x12, &empty));
    let millions_of_resources = [0x0a, 0].repeat(1_000_000);
    let millions_of_attributes =
        field(0x0a, &[field(0x0a, &[0x0a, 0].repeat(1_000_000)), field(0x12, &field(0x12, b""))].concat());
    let large_span = field(0x0a, &field(0x12, &field(0x12, &[0x4a, 0].repeat(1_000_000))));
    let gzip = |members: usize| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&vec![0; 8 << 20]).unwrap();
        // A gzip file may consist of many members.
        encoder.finish().unwrap().repeat(members)
    };
    let protobuf = [("content-type", PROTOBUF)];
    let compressed = [("content-type", PROTOBUF), ("content-encoding", "gzip")];
    let json_of = |element: &str, around: [&str; 2]| {
        let list = format!("{element},").repeat(1_000_000);
        format!("{}{}{}", around[0], list.trim_end_matches(','), around[1])
    };
    for (name, headers, body, status) in [
        ("a million spans", &protobuf[..], millions_of_spans, 200),
        ("a million resources", &protobuf, millions_of_resources, 200),
        ("a million attributes", &protobuf, millions_of_attributes, 200),
        ("a large span", &protobuf, large_span, 200),
        ("a gzip bomb", &compressed, gzip(32), 413),
        ("a body over the limit", &protobuf, vec![0; 9 << 20], 413),
        (
            "a million spans in JSON",
            &[("content-type", JSON)],
            json_of("{}", ["{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[", "]}]}]}"]).into(),
            200,
        ),
        (
            "a million resources in JSON",
            &[("content-type", JSON)],
            json_of("{}", ["{\"resourceSpans\":[", "]}"]).into(),
            400,
        ),
    ] {
        let answer = post_to(&program.address, headers, &body);
        assert_eq!(answer.status, status, "{name}: {}", answer.text());
        println!("{name}: {} bytes, peak {} MiB", body.len(), program.peak_memory() >> 20);
        assert!(program.peak_memory() < LIMIT, "{name}: {} MiB", program.peak_memory() >> 20);
    }
    let good = request("good", vec![span(1, 1)]).encode_to_vec();
    assert_eq!(post_to(&program.address, &protobuf, &good).rejected().0, 0);
    let (_, output) = program.stop("-INT");
    assert!(output.ends_with("20008 documents received, 20007 rejected\n"), "{output}");
}
