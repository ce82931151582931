//! Careless and hostile clients: bad input is counted and explained, and later good documents are still taken.

mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{HEADER, call_of_names, post, raw, segment, send, send_good, start, wait_for};
use xray_local::Server;
use xray_local::store::{Limits, Source};

#[test]
fn garbage_datagrams_are_counted_and_explained() {
    let server = start();
    let good = segment("shop");
    let deep = format!("{HEADER}{}", "[".repeat(60_000));
    let mut binary = HEADER.as_bytes().to_vec();
    binary.extend([0xff, 0xfe, 0x00]);
    let two = format!("{HEADER}{good}{good}");
    let version = format!("{{\"format\":\"json\",\"version\":2}}\n{good}");
    let datagrams: [&[u8]; 9] = [
        b"",
        b"\n",
        b"garbage",
        HEADER.as_bytes(),
        b"T1S 1\n{}",
        deep.as_bytes(),
        &binary,
        two.as_bytes(),
        version.as_bytes(),
    ];
    for datagram in datagrams {
        send(&server, datagram);
    }
    // The empty datagram is ignored.
    wait_for("8 rejected datagrams", || server.store().counters().rejected == 8);
    assert_eq!(server.store().counters().received, 8);
    assert!(
        server.store().reports().iter().all(|report| report.findings.iter().all(|finding| !finding.advice.is_empty()))
    );
    send_good(&server, &good);
}

/// 65,507 bytes is the largest payload of a UDP datagram over IPv4.
#[test]
fn the_largest_datagram_is_taken() {
    let server = start();
    let mut document = segment("shop");
    document["metadata"] = json!({ "default": { "text": "" } });
    let room = 65_507 - HEADER.len() - document.to_string().len();
    document["metadata"]["default"]["text"] = json!("x".repeat(room));
    let datagram = format!("{HEADER}{document}");
    assert_eq!(datagram.len(), 65_507);
    send_good(&server, &document);
    let answer = post(&server, "/Traces", &json!({ "TraceIds": [document["trace_id"]] })).ok();
    let text = answer["Traces"][0]["Segments"][0]["Document"].as_str().unwrap().to_owned();
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["metadata"]["default"]["text"].as_str().unwrap().len(), room);
}

#[test]
fn a_burst_of_datagrams_is_not_lost_while_http_is_busy() {
    let server = start();
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let document = format!("{HEADER}{}", segment("shop"));
    let is_over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                    post(&server, "/ServiceGraph", &json!({ "StartTime": 0, "EndTime": 9_999_999_999_u64 })).ok();
                }
            });
        }
        for _ in 0..100 {
            for _ in 0..100 {
                socket.send_to(document.as_bytes(), server.udp_address()).unwrap();
            }
            std::thread::sleep(Duration::from_millis(3));
        }
        wait_for("all documents", || server.store().counters().received == 10_000);
        is_over.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert_eq!(server.dropped_datagrams(), 0);
}

#[test]
fn requests_from_foreign_pages_and_hosts_are_refused() {
    let server = start();
    let port = server.http_address().port();
    let status = |head: &str| {
        let response =
            raw(&server, format!("POST /GetSamplingRules HTTP/1.1\r\nConnection: close\r\n{head}\r\n").as_bytes());
        response.split(' ').nth(1).unwrap_or_default().parse::<u16>().unwrap()
    };
    assert_eq!(status(&format!("Host: 127.0.0.1:{port}\r\n")), 200);
    assert_eq!(status(&format!("Host: localhost:{port}\r\nOrigin: http://localhost:{port}\r\n")), 200);
    assert_eq!(status(&format!("Host: evil.example:{port}\r\n")), 403);
    assert_eq!(status(&format!("Host: localhost:{port}\r\nOrigin: http://evil.example\r\n")), 403);
    assert_eq!(status(&format!("Host: localhost:{port}\r\nSec-Fetch-Site: cross-site\r\n")), 403);
    assert_eq!(status(""), 403);

    let refused = raw(&server, b"POST /Traces HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
    assert!(refused.contains("AccessDeniedException") && refused.contains("evil.example"), "{refused}");
    assert!(!refused.contains("access-control-allow"), "{refused}");

    let server = Server::builder().address("127.0.0.1:0").allow_host("tracer").start().unwrap();
    assert!(
        raw(&server, b"POST /GetSamplingRules HTTP/1.1\r\nHost: tracer:2000\r\nConnection: close\r\n\r\n")
            .contains(" 200 ")
    );
}

#[test]
fn a_body_over_the_limit_gets_an_error_response() {
    let server = start();
    let body = "x".repeat(9 << 20);
    let answer = post(&server, "/TraceSegments", &json!({ "TraceSegmentDocuments": [body] }));
    assert_eq!((answer.status, &*answer.error), (413, "RequestEntityTooLargeException"));
    let mut chunked =
        b"POST /TraceSegments HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
            .to_vec();
    for _ in 0..9 {
        chunked.extend(format!("{:x}\r\n", 1 << 20).as_bytes());
        chunked.extend("x".repeat(1 << 20).as_bytes());
        chunked.extend(b"\r\n");
    }
    chunked.extend(b"0\r\n\r\n");
    assert!(raw(&server, &chunked).starts_with("HTTP/1.1 413 "));
    let claim = "POST /Traces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999\r\n\r\n{";
    let mut stream = TcpStream::connect(server.http_address()).unwrap();
    stream.write_all(claim.as_bytes()).unwrap();
    drop(stream);
    send_good(&server, &segment("shop"));
}

/// Four kinds of clients that keep their connections, more of each than the server has connections. Requests that are
/// refused are one of them. Other clients do not wait until these time out, and neither does UDP.
#[test]
fn clients_that_keep_their_connections_do_not_lock_out_others() {
    let large = json!({ "TraceSegmentDocuments": vec!["x".repeat(60_000); 40] }).to_string();
    let refused = "POST /TraceSegments HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 8000000\r\n\r\n{".to_owned();
    let slow = "POST /TraceSegments HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8000000\r\n\r\n{".to_owned();
    let answered =
        format!("POST /TraceSegments HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{large}", large.len());
    for (kind, request) in [
        ("send nothing", String::new()),
        ("send half a head", "POST /TraceSegments HTT".to_owned()),
        ("send half a body", slow),
        ("are refused, and go on sending", refused),
        ("do not read their response", answered),
    ] {
        let server = start();
        let number = if request.len() > 1_000 { 20 } else { 300 };
        let streams: Vec<_> = (0..300)
            .map(|index| {
                let mut stream = TcpStream::connect(server.http_address()).unwrap();
                let request = if index < number { request.as_bytes() } else { b"" };
                stream.write_all(request).unwrap();
                stream
            })
            .collect();
        let begun = Instant::now();
        send_good(&server, &call_of_names());
        assert_eq!(post(&server, "/Traces", &json!({ "TraceIds": [call_of_names()["trace_id"]] })).status, 200);
        let waited = begun.elapsed();
        println!("beside 300 clients that {kind}, a request takes {} ms", waited.as_millis());
        assert!(waited < Duration::from_secs(5), "{kind}: {waited:?}");
        drop(streams);
    }
}

/// A client that sends the head of a request, and its body not at all, gets a response before its connection ends.
#[test]
fn a_client_that_sends_no_body_times_out() {
    let head = "POST /TraceSegments HTTP/1.1\r\nHost: a.localhost\r\nContent-Length: 8000000\r\n\r\n{";
    let answer = raw(&start(), head.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

/// X-Ray SDKs ask for sampling targets every 10 seconds.
#[test]
fn a_connection_may_be_idle_for_longer_than_the_interval_of_sdks() {
    let server = start();
    let mut stream = TcpStream::connect(server.http_address()).unwrap();
    for pause in [11, 0] {
        stream.write_all(b"GET /changes HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut answer = [0; 4_096];
        let read = stream.read(&mut answer).unwrap();
        assert!(answer[..read].starts_with(b"HTTP/1.1 200 "), "{:?}", String::from_utf8_lossy(&answer[..read]));
        std::thread::sleep(Duration::from_secs(pause));
    }
}

#[test]
fn a_request_with_documents_may_have_8_mib_and_is_counted_if_it_is_refused() {
    let server = start();
    // 49 documents of 64 kB whose quotation marks are escaped in the string, and a good one.
    let filler = json!({ "metadata": { "a": vec!["\"\"\"\"\"\"\"\""; 3_200] } });
    let mut documents: Vec<_> = (0..49)
        .map(|number| {
            let mut document = segment("shop");
            document["id"] = format!("{number:016x}").into();
            document["metadata"] = filler["metadata"].clone();
            document.to_string()
        })
        .collect();
    let good = segment("shop");
    documents.push(good.to_string());
    let body = json!({ "TraceSegmentDocuments": documents });
    let length = body.to_string().len();
    assert!(length > 5 << 20 && length < 8 << 20, "{length}");
    assert_eq!(post(&server, "/TraceSegments", &body).ok(), json!({ "UnprocessedTraceSegments": [] }));
    assert_eq!(server.store().counters().taken, 50);

    let too_many = json!({ "TraceSegmentDocuments": vec![good.to_string(); 51] });
    let message = post(&server, "/TraceSegments", &too_many).invalid();
    assert!(message.contains("at most 50 elements, and has 51"), "{message}");
    post(&server, "/TraceSegments", &json!({ "TraceSegmentDocuments": ["x".repeat(9 << 20)] }));
    post(&server, "/TraceSegments", &json!({ "TraceSegmentDocuments": [7] })).invalid();
    let counters = server.store().counters();
    assert_eq!((counters.taken, counters.rejected, counters.received), (50, 3, 53));
    let reasons: Vec<_> =
        server.store().reports().into_iter().map(|report| report.findings[0].reason.clone()).collect();
    for part in ["has 51", "larger than 8388608 bytes", "TraceSegmentDocuments[0]: invalid type"] {
        assert!(reasons.iter().any(|reason| reason.contains(part)), "{part} in {reasons:?}");
    }
    // Another operation, a foreign page, and a request with another method send no documents.
    for request in ["GET /TraceSegments", "HEAD /TraceSegments", "GET /v1/traces"] {
        raw(&server, format!("{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes());
    }
    post(&server, "/Traces", &json!({ "TraceIds": [7] })).invalid();
    raw(&server, b"POST /TraceSegments HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
    assert_eq!(server.store().counters().rejected, 3);
}

#[test]
fn the_store_never_exceeds_its_limits() {
    let limits = Limits { traces: 1_000, bytes: 300_000, ..Limits::default() };
    let server = Server::builder().address("127.0.0.1:0").limits(limits).start().unwrap();
    let mut last = Value::Null;
    for _ in 0..10_000 {
        last = segment("shop");
        assert!(server.store().put(&last.to_string(), Source::Http).is_taken());
        let counters = server.store().counters();
        assert!(counters.traces <= 1_000 && counters.bytes <= 300_000, "{counters:?}");
    }
    let counters = server.store().counters();
    assert_eq!(counters.evicted_traces + u64::try_from(counters.traces).unwrap(), 10_000);
    assert_eq!(
        post(&server, "/Traces", &json!({ "TraceIds": [last["trace_id"]] })).ok()["UnprocessedTraceIds"],
        json!([])
    );
}
