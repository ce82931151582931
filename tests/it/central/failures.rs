//! Daemons that misbehave. Decisions go on by the fallback, and failures are counted.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use support::logs;
use xray::emitter::MemoryEmitter;
use xray::sampling::{Central, Decision, Sampler, SamplingRequest};
use xray::{Recorder, Segment};

use support::sampling_daemon::{
    Daemon, FALLBACK, Service, bare_daemon, eager, rule, rules_answer, targets_answer, until, with, write,
};

/// Checks that the fallback decides, that failures are counted, and that the log has one line for this kind of failure.
fn assert_fails(daemon: SocketAddr, message: &str) {
    logs::keep();
    // The system may give a daemon the port of an earlier one, which has its own lines.
    let earlier = logs::texts_of("xray::sampling").len();
    let service = Service::with(daemon, eager().fetch_rules_every(Duration::from_millis(30)).build());
    until("failures are counted", || {
        assert_eq!(service.rule("/").as_deref(), Some(FALLBACK), "{message}");
        service.recorder.stats().sampling_failures >= 3
    });
    // Other tests of this process log too, about daemons at other addresses.
    let mut logged = logs::texts_of("xray::sampling").split_off(earlier);
    logged.retain(|text| text.contains(&daemon.to_string()));
    assert_eq!(logged.len(), 1, "{logged:#?}");
    assert!(logged[0].contains(message), "{message}: {logged:#?}");
    assert_eq!(service.recorder.stats().sampling_rejected, 0);
}

#[test]
fn wrong_answers_are_counted_and_logged_once() {
    let html = "<!DOCTYPE html><html><body><h1>404 Not Found</h1></body></html>";
    for (status, body, message) in [
        (StatusCode::NOT_FOUND, html.to_owned(), "the response has status 404"),
        (StatusCode::INTERNAL_SERVER_ERROR, String::new(), "the response has status 500"),
        (StatusCode::NO_CONTENT, String::new(), "the response has status 204"),
        (StatusCode::FOUND, String::new(), "the response has status 302"),
        (StatusCode::OK, html.to_owned(), "unexpected response"),
        (StatusCode::OK, String::new(), "unexpected response"),
        (StatusCode::OK, r#"{"message":"Forbidden"}"#.to_owned(), "unexpected response"),
        (StatusCode::OK, "[".repeat(500_000), "unexpected response"),
        (StatusCode::OK, "\0\u{1}\u{1f4a9}".repeat(1000), "unexpected response"),
        (StatusCode::OK, "x".repeat(20_000_000), "the response is larger than 1048576 bytes"),
    ] {
        let daemon = Daemon::start(move |_| (status, body.clone()).into_response());
        assert_fails(daemon.address, message);
    }
}

#[test]
fn the_doctor_reports_a_daemon_that_may_not_fetch_the_rules() {
    let refused = r#"{"__type":"AccessDeniedException","message":"not authorized to perform: xray:GetSamplingRules"}"#;
    let daemon = Daemon::start(move |_| (StatusCode::FORBIDDEN, refused).into_response());
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = format!("tcp:{} udp:{}", daemon.address, udp.local_addr().unwrap());
    let recorder = Recorder::builder().daemon_address(address).build();
    let diagnosis = recorder.check();
    let expected = "FAILED, no sampling rules: the response has status 403: not authorized to perform: \
                    xray:GetSamplingRules. Give the daemon's role the permissions";
    assert!(!diagnosis.is_healthy() && diagnosis.to_string().contains(expected), "{diagnosis}");
    let stats = recorder.stats();
    assert_eq!((stats.documents_emitted, stats.documents_sent), (1, 1), "the doctor's own segment");
}

#[test]
fn too_many_rules_are_a_failure() {
    let many: Vec<_> = (0..1001).map(|number| rule(&number.to_string(), 1, "*")).collect();
    let daemon = Daemon::start(move |_| rules_answer(&many, None));
    assert_fails(daemon.address, "more than 1000 rules or 20 pages");
    let daemon = Daemon::start(|_| rules_answer(&[rule("Default", 10_000, "*")], Some("the same page")));
    assert_fails(daemon.address, "more than 1000 rules or 20 pages");
}

#[test]
fn an_answer_that_is_not_http_is_a_failure() {
    let garbage: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    for bytes in
        [&b""[..], b"\xff\xfe\0", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", b"HTTP/1.1 999", &garbage]
    {
        let bytes = bytes.to_vec();
        assert_fails(bare_daemon(move |connection| write(connection, &bytes)), "the HTTP exchange failed");
    }
    let headers = "x-header: value\r\n".repeat(200_000);
    let endless = format!("HTTP/1.1 200 OK\r\n{headers}");
    assert_fails(bare_daemon(move |connection| write(connection, endless.as_bytes())), "the HTTP exchange failed");
}

#[test]
fn an_endless_body_is_cut_off() {
    let flood = |mut connection: TcpStream| {
        let _ = connection.read(&mut [0; 4096]);
        let _ = connection.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while connection.write_all(&[b' '; 4096]).is_ok() {}
    };
    assert_fails(bare_daemon(flood), "the response is larger than 1048576 bytes");
}

/// Starts a daemon that accepts connections and never answers. Returns its address and the accepted connections.
fn silent_daemon() -> (SocketAddr, Receiver<TcpStream>) {
    let (sender, taken) = channel();
    (bare_daemon(move |connection| drop(sender.send(connection))), taken)
}

#[test]
fn a_daemon_that_hangs_delays_no_decision() {
    let (daemon, taken) = silent_daemon();
    let service = Service::new(daemon);
    assert_eq!(service.rule("/").as_deref(), Some(FALLBACK));
    let mut connection = taken.recv_timeout(Duration::from_secs(20)).unwrap();
    // The sampler waits for an answer on this connection for as long as it stays open.
    for _ in 0..10_000 {
        assert!(Segment::builder("shop").recorder(&service.recorder).begin().is_sampled());
    }
    // The daemon is not asked again, unless the first request has been given up, as it may be on a slow machine.
    let is_asked_again = taken.try_recv().is_ok();
    assert!(!is_asked_again || service.recorder.stats().sampling_failures > 0, "two requests at the same time");
    // A body that arrives byte by byte does not extend the limit.
    connection.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").unwrap();
    until("the request is given up", || {
        let _ = connection.write_all(b"1\r\n \r\n");
        service.recorder.stats().sampling_failures >= 1
    });
    assert!(is_asked_again || taken.recv_timeout(Duration::from_secs(20)).is_ok(), "the daemon is not asked again");
}

#[test]
fn polling_ends_with_its_recorder() {
    let (daemon, taken) = silent_daemon();
    let service = Service::new(daemon);
    service.rule("/");
    let mut connection = taken.recv_timeout(Duration::from_secs(20)).unwrap();
    // Reads first, because a recorder that is dropped earlier closes the connection before it has written.
    let mut request_line = *b"POST /GetSamplingRules HTTP/1.1\r\n";
    let expected = request_line;
    connection.read_exact(&mut request_line).unwrap();
    assert_eq!(request_line, expected);
    drop(service);
    connection.read_to_end(&mut Vec::new()).unwrap();
    // Another service, begun later, asks its own daemon again and again. The first would have asked again before.
    let (other_daemon, other_taken) = silent_daemon();
    let other = Service::new(other_daemon);
    other.rule("/");
    for _ in 0..3 {
        drop(other_taken.recv_timeout(Duration::from_secs(20)).unwrap());
    }
    assert!(taken.try_recv().is_err(), "the dropped service asks again");
}

#[test]
fn a_daemon_that_comes_later_or_again_is_found() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let service = Service::with(address, eager().fetch_rules_every(Duration::from_millis(50)).build());
    until("the missing daemon is counted as a failure", || {
        assert_eq!(service.rule("/").as_deref(), Some(FALLBACK));
        service.recorder.stats().sampling_failures > 1
    });
    for name in ["first", "second"] {
        let daemon = Daemon::on(address, move |call| match &*call.path {
            "/GetSamplingRules" => rules_answer(&[rule(name, 1, "*")], None),
            _ => targets_answer(&[]),
        });
        service.wait_for("/", name);
        let before = service.recorder.stats().sampling_failures;
        drop(daemon);
        until("the stopped daemon is counted as a failure", || service.recorder.stats().sampling_failures > before);
        assert_eq!(service.rule("/").as_deref(), Some(name), "the rules of the daemon stay in force");
    }
}

/// A sampler that contains a `Central` and does not forward `attach` to it.
struct Unattached(Central);

impl Sampler for Unattached {
    fn sample(&self, request: &SamplingRequest<'_>) -> Decision {
        self.0.sample(request)
    }
}

#[test]
fn a_central_sampler_that_is_not_attached_leaves_decisions_to_its_fallback_and_says_so_once() {
    logs::keep();
    let daemon = Daemon::with_rules(&[rule("Default", 10_000, "*")]);
    let service = Service::with(daemon.address, Unattached(eager().build()));
    for _ in 0..100 {
        assert_eq!(service.rule("/").as_deref(), Some(FALLBACK));
    }
    assert!(daemon.calls().is_empty());
    let warnings: Vec<_> =
        logs::texts_of("xray::sampling").into_iter().filter(|line| line.contains("attach")).collect();
    assert_eq!(
        warnings,
        ["`Central` is not attached to a recorder, so its fallback decides and no rules are fetched from the X-Ray \
          daemon. A sampler that contains a `Central` must implement `Sampler::attach` and call `Central::attach` in it \
          (logged once)"],
    );
}

/// Without any setting and without a daemon, the sampler decides by the default of all X-Ray SDKs.
#[test]
fn the_default_sampler_is_central_with_one_a_second_and_five_percent() {
    for recorder in [Recorder::builder(), Recorder::builder().sampler(Central::default())] {
        let emitter = MemoryEmitter::new();
        let recorder = recorder.daemon_address("127.0.0.1:9").emitter(emitter.clone()).build();
        let begun = std::time::Instant::now();
        for _ in 0..20_000 {
            Segment::builder("s").recorder(&recorder).begin().end();
        }
        let seconds = begun.elapsed().as_secs() + 1;
        // A standard deviation is 30.8. Chance exceeds six of them once in 5 * 10^8 runs.
        let sampled = emitter.take().len() as u64;
        assert!((1000 - 185..=1000 + 185 + seconds).contains(&sampled), "{sampled} in {seconds} seconds");
        until("the missing daemon is counted as a failure", || recorder.stats().sampling_failures > 0);
    }
}

#[test]
fn each_rule_that_is_not_for_sdks_is_logged_once() {
    logs::keep();
    let gold = with(rule("gold rule of a test", 1, "*"), "Attributes", serde_json::json!({"tier": "gold"}));
    let future = with(rule("future rule of a test", 2, "*"), "Version", 2);
    let daemon = Daemon::with_rules(&[gold, future, rule("Default", 10_000, "*")]);
    let service = Service::with(daemon.address, eager().fetch_rules_every(Duration::from_millis(10)).build());
    service.wait_for("/", "Default");
    until("the rules are fetched again", || daemon.count("/GetSamplingRules") >= 5);
    for name in ["gold rule of a test", "future rule of a test"] {
        let logged = logs::texts_of("xray::sampling");
        let logged: Vec<_> = logged.iter().filter(|text| text.contains(name)).collect();
        assert_eq!(logged.len(), 1, "{logged:#?}");
    }
    assert_eq!(service.recorder.stats().sampling_rejected, 0);
}

/// Two of three reports fail: the daemon answers with an error, or X-Ray could not process the report.
#[test]
fn the_counts_of_a_report_that_failed_are_in_the_next() {
    let mut reports = 0;
    let daemon = Daemon::start(move |call| {
        if call.path == "/GetSamplingRules" {
            return rules_answer(&[rule("Default", 10_000, "*")], None);
        }
        reports += 1;
        match reports % 3 {
            1 => StatusCode::BAD_GATEWAY.into_response(),
            2 => r#"{"UnprocessedStatistics":[{"RuleName":"Default","ErrorCode":"500"}]}"#.into_response(),
            _ => targets_answer(&[]),
        }
    });
    let service = Service::new(daemon.address);
    service.wait_for("/", "Default");
    // Counts before the rules arrived are the fallback's. From here on the rule decides.
    let by_rule =
        std::iter::repeat_with(|| service.rule("/")).take(1_000).filter(|by| by.as_deref() == Some("Default"));
    let count = 1 + by_rule.count() as u64;
    let received = || {
        let reports = daemon.reported();
        let received = reports.iter().enumerate().filter(|(number, _)| number % 3 == 2);
        received.map(|(_, report)| report["RequestCount"].as_u64().unwrap()).sum::<u64>()
    };
    until("X-Ray learns of every request", || received() == count);
    assert_eq!((count, service.recorder.stats().sampling_rejected), (1_001, 0));
}
