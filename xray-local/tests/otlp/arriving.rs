//! Sends spans in each encoding, to each address, and in datagrams.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use prost::Message as _;
use serde_json::json;
use xray_local::Server;

use crate::sender::{JSON, PROTOBUF, post, post_json, post_spans, post_to, request, span};
use crate::support::{HEADER, raw, send, start, wait_for};

const TRACE: u128 = 0x6b07_6a21_a006_6491_27e3_7190_3a2d_e979;
const W3C: &str = "6b076a21a006649127e371903a2de979";

#[test]
fn spans_arrive_in_protobuf_and_json_plain_and_compressed() {
    let server = start();
    let protobuf = request("shop", vec![span(TRACE, 1)]).encode_to_vec();
    let answer = post(&server, &[("content-type", PROTOBUF)], &protobuf);
    assert_eq!((answer.rejected(), answer.body.len()), ((0, String::new()), 0));

    let json = serde_json::to_string(&request("shop", vec![span(TRACE, 2)])).unwrap();
    let answer = post(&server, &[("content-type", "application/json; charset=utf-8")], json.as_bytes());
    assert_eq!((answer.status, &*answer.content_type, &*answer.text()), (200, JSON, "{}"));

    let gzip = |body: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    };
    let compressed = gzip(&request("shop", vec![span(TRACE, 3)]).encode_to_vec());
    let answer = post(&server, &[("content-type", PROTOBUF), ("content-encoding", "gzip")], &compressed);
    assert_eq!(answer.rejected().0, 0);
    let json = serde_json::to_string(&request("shop", vec![span(TRACE, 4)])).unwrap();
    let answer = post(&server, &[("content-type", JSON), ("content-encoding", "GZIP")], &gzip(json.as_bytes()));
    assert_eq!(answer.status, 200, "{}", answer.text());

    let trace = server.store().trace(W3C).unwrap();
    let found: Vec<_> = trace.segments.iter().map(|segment| (segment.id.as_str(), segment.name.as_str())).collect();
    let ids = ["0000000000000001", "0000000000000002", "0000000000000003", "0000000000000004"];
    assert_eq!(found.len(), 4);
    assert!(ids.iter().all(|id| found.contains(&(*id, "shop"))), "{found:?}");
    let counters = server.store().counters();
    assert_eq!((counters.taken, counters.suspicious, counters.rejected), (4, 0, 0), "{:#?}", server.store().reports());
}

#[test]
fn a_server_does_not_forward_to_itself() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for own in ["127.0.0.1", "0.0.0.0"] {
        let builder = Server::builder().address("127.0.0.1:0").otlp_address(format!("{own}:{}", free.port()));
        let error = builder.otlp_forward(format!("http://{free}")).start().unwrap_err();
        assert!(error.to_string().ends_with("this server would receive its own requests again"), "{error}");
    }
}

#[test]
fn an_empty_request_is_accepted() {
    let server = start();
    assert_eq!(post(&server, &[("content-type", PROTOBUF)], b"").rejected().0, 0);
    for body in [
        "{}",
        r#"{"resourceSpans":[]}"#,
        r#"{"resourceSpans":null}"#,
        r#"{"resourceSpans":[{"scopeSpans":null}]}"#,
        r#"{"resourceSpans":[{"resource":null,"scopeSpans":[{},{"spans":null}]}]}"#,
    ] {
        let answer = post(&server, &[("content-type", JSON)], body.as_bytes());
        assert_eq!((answer.status, &*answer.text()), (200, "{}"), "{body}");
    }
    assert_eq!(server.store().counters().received, 0);
}

#[test]
fn spans_also_arrive_at_the_port_of_otlp() {
    let server = Server::builder().address("127.0.0.1:0").otlp_address("127.0.0.1:0").start().unwrap();
    let address = server.otlp_address().unwrap();
    assert_ne!(address, server.http_address());
    let body = request("shop", vec![span(TRACE, 1)]).encode_to_vec();
    assert_eq!(post_to(&address.to_string(), &[("content-type", PROTOBUF)], &body).rejected().0, 0);
    assert!(server.store().trace(W3C).is_some());
    server.shutdown();
    assert!(std::net::TcpStream::connect(address).is_err(), "the socket is closed");

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let error = Server::builder().address("127.0.0.1:0").otlp_address(&address).start().unwrap_err().to_string();
    assert!(error.contains(&address), "{error}");
}

#[test]
fn datagrams_of_adot_hold_spans() {
    let server = start();
    for (number, prefix) in (1..).zip(["T1S", "T1U"]) {
        let body = STANDARD.encode(request("function", vec![span(TRACE, number)]).encode_to_vec());
        send(&server, format!("{HEADER}{prefix}{body}").as_bytes());
        let ids = || server.store().trace(W3C).map_or(0, |trace| trace.segments.len() as u64);
        wait_for(prefix, || ids() == number);
    }
    for (body, reason) in [
        ("T1S####", "the spans are not Base64"),
        ("T1SBw==", "a field of an unknown wire type"),
        ("T1SCg==", "the body is truncated"),
        ("M1AAAA", "the datagram holds metrics of OpenTelemetry"),
        ("T9", "the document is not valid JSON"),
    ] {
        let before = server.store().counters().rejected;
        send(&server, format!("{HEADER}{body}").as_bytes());
        wait_for(body, || server.store().counters().rejected == before + 1);
        let finding = server.store().reports()[0].findings[0].to_string();
        assert!(finding.contains(reason), "{body}: {finding}");
    }
    assert_eq!(server.store().counters().taken, 2);
}

#[test]
fn spans_are_recorded_as_documents_and_replayed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("documents.jsonl");
    let server = Server::builder().address("127.0.0.1:0").record(&path).start().unwrap();
    post_spans(&server, &request("shop", vec![span(TRACE, 1)]));
    let recorded = server.store().trace(W3C).unwrap();
    server.shutdown();
    let server = start();
    assert_eq!(server.replay(&path).unwrap().taken, 1);
    assert_eq!(server.store().trace(W3C).unwrap().segments, recorded.segments);
}

#[test]
fn the_first_digits_of_the_trace_id_of_a_span_are_random() {
    let server = start();
    let in_2016 = 0x5759_e988_bd86_2e3f_e1be_46a9_9427_2793;
    post_spans(&server, &request("shop", vec![span(in_2016, 1)]));
    assert!(server.store().trace(&format!("{in_2016:032x}")).is_some());
    assert_eq!(server.store().reports(), []);
}

#[test]
fn the_api_and_the_pages_take_w3c_trace_ids() {
    let server = start();
    post_spans(&server, &request("shop", vec![span(TRACE, 1)]));
    let id = "1-6b076a21-a006649127e371903a2de979";
    let answer = crate::support::post(&server, "/Traces", &json!({ "TraceIds": [W3C, id, W3C.to_uppercase()] })).ok();
    assert_eq!(answer["Traces"].as_array().unwrap().len(), 1, "{answer:#}");
    assert_eq!(answer["Traces"][0]["Id"], id);
    let graph = crate::support::post(&server, "/TraceGraph", &json!({ "TraceIds": [W3C] })).ok();
    assert_eq!(graph["Services"].as_array().unwrap().len(), 2, "{graph:#}");
    for path in [format!("/traces/{W3C}"), format!("/traces/{id}")] {
        let page =
            raw(&server, format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").as_bytes());
        assert!(page.starts_with("HTTP/1.1 200"), "{path}: {page}");
        assert!(page.contains("shop"), "{path}");
    }
    assert_eq!(post_json(&server, &json!({})).status, 200);
}
