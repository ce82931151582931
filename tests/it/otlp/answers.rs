//! The responses of an OTLP server, and their effect on the documents of a request.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use axum::http::header::{LOCATION, RETRY_AFTER};
use axum::response::IntoResponse as _;
use support::otlp::{OtlpServer, RawServer};
use support::{child, logs};

use super::{record, recorder, settled, to};

#[test]
fn a_request_is_tried_again_when_the_server_is_busy() {
    let busy = [429, 502, 503, 504];
    let server = OtlpServer::start(move |number| match busy.get(number) {
        Some(status) => (StatusCode::from_u16(*status).unwrap(), [(RETRY_AFTER, "0")]).into_response(),
        None => "{}".into_response(),
    });
    let recorder = recorder(to(server.url()));
    record(&recorder, "shop");
    assert_eq!(settled(&recorder).documents_sent, 1);
    let exports = server.received();
    assert_eq!(exports.len(), 5);
    assert!(exports.iter().all(|export| export.body == exports[0].body));
}

#[test]
fn after_the_last_attempt_the_documents_are_dropped() {
    let server = OtlpServer::start(|_| (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "0")]));
    let recorder = recorder(to(server.url()).attempts(3));
    let started = Instant::now();
    record(&recorder, "shop");
    record(&recorder, "shop");
    assert_eq!(settled(&recorder).documents_dropped, 2);
    assert_eq!(server.received().len(), 3);
    assert!(started.elapsed() >= Duration::from_secs(1), "a busy server is not asked at once again");
}

#[test]
fn the_server_says_when_it_is_tried_again() {
    let server = OtlpServer::start(|number| {
        let status = if number == 0 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
        (status, [(RETRY_AFTER, "2")])
    });
    let recorder = recorder(to(server.url()));
    let started = Instant::now();
    record(&recorder, "shop");
    assert_eq!(settled(&recorder).documents_sent, 1);
    assert!(started.elapsed() >= Duration::from_secs(2), "{:?}", started.elapsed());
}

/// A short program ends before the last attempt.
#[test]
fn the_first_attempt_that_reaches_nobody_is_logged() {
    let name = "the_first_attempt_that_reaches_nobody_is_logged";
    child::run(module_path!(), name, || {
        logs::keep();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let recorder = recorder(to(format!("http://{address}")).attempts(20));
        record(&recorder, "shop");
        assert!(!recorder.flush(Duration::from_secs(1)), "it is tried again");
        let logged = logs::texts_of("xray::emitter");
        let start = format!("documents do not reach the OTLP endpoint http://{address}/v1/traces: ");
        assert!(logged.len() == 1 && logged[0].starts_with(&start), "{logged:?}");
    });
}

#[test]
fn a_server_that_is_not_there_is_tried_again() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let recorder = recorder(to(format!("http://{address}")).attempts(2));
    record(&recorder, "shop");
    assert_eq!(settled(&recorder).documents_dropped, 1);
}

#[test]
fn a_request_that_is_refused_is_not_tried_again() {
    for status in [301, 307, 308, 400, 401, 404, 413, 415, 500, 501] {
        let server = OtlpServer::start(move |_| {
            (StatusCode::from_u16(status).unwrap(), [(LOCATION, "/elsewhere")], r#"{"message":"no"}"#)
        });
        let recorder = recorder(to(server.url()));
        record(&recorder, "shop");
        assert_eq!(settled(&recorder).documents_dropped, 1, "{status}");
        assert_eq!(server.received().len(), 1, "{status}");
    }
}

/// The server reports only the number of rejected spans, so an equal number of documents counts as dropped.
#[test]
fn rejected_spans_count_as_dropped_documents() {
    for (rejected, dropped) in [
        (r#""2""#, 2),
        ("2", 2),
        ("0", 0),
        ("null", 0),
        ("-1", 0),
        (r#""-9223372036854775808""#, 0),
        (r#""9223372036854775807""#, 5),
        ("18446744073709551616", 0),
        (r#""many""#, 0),
        ("[3]", 0),
    ] {
        let body = format!(r#"{{"partialSuccess":{{"rejectedSpans":{rejected},"errorMessage":"no"}}}}"#);
        let server = OtlpServer::start(move |_| body.clone());
        let recorder = recorder(to(server.url()));
        (0..5).for_each(|_| record(&recorder, "shop"));
        assert_eq!(settled(&recorder).documents_dropped, dropped, "{rejected}");
        assert_eq!(server.received().len(), 1, "a request is not sent again if the server accepted a part of it");
    }
}

/// Records a segment for a raw server. Returns the number of sent documents and the number of requests.
fn outcome(answer: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> (u64, usize) {
    let server = RawServer::start(answer);
    let recorder = recorder(to(server.url()).timeout(Duration::from_millis(300)).attempts(2));
    record(&recorder, "shop");
    (settled(&recorder).documents_sent, server.requests())
}

fn write(stream: &mut TcpStream, text: &str) {
    // The client may have closed the connection.
    let _ = stream.write_all(text.as_bytes());
}

/// Waits until the client closes the connection.
fn wait_for_the_end(stream: &mut TcpStream) {
    while stream.read(&mut [0; 100]).is_ok_and(|length| length > 0) {}
}

#[test]
fn a_server_that_does_not_answer_in_time_is_tried_again() {
    assert_eq!(outcome(wait_for_the_end), (0, 2));
    let slow = |stream: &mut TcpStream| {
        write(stream, "HTTP/1.1 200 OK\r\nx-slow: ");
        while stream.write_all(b"x").is_ok() {
            thread::sleep(Duration::from_millis(1));
        }
    };
    assert_eq!(outcome(slow), (0, 2), "a head that does not end");
}

#[test]
fn a_connection_that_closes_before_the_answer_is_tried_again() {
    assert_eq!(outcome(|_| ()), (0, 2));
    assert_eq!(outcome(|stream| write(stream, "HTTP/1.1 20")), (0, 2));
    assert_eq!(outcome(|stream| write(stream, "SSH-2.0-OpenSSH_9.2\r\n")), (0, 2), "another protocol");
}

/// A status of success means that the server accepted the spans, even if the body is incomplete.
#[test]
fn the_head_of_an_answer_is_enough() {
    assert_eq!(outcome(|stream| write(stream, "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")), (1, 1));
    let endless = |stream: &mut TcpStream| {
        write(stream, "HTTP/1.1 200 OK\r\n\r\n{\"partialSuccess\":\"");
        while stream.write_all(&[b'x'; 10_000]).is_ok() {}
    };
    assert_eq!(outcome(endless), (1, 1));
    let stuck = |stream: &mut TcpStream| {
        write(stream, "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{");
        wait_for_the_end(stream);
    };
    assert_eq!(outcome(stuck), (1, 1));
}
