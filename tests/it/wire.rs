//! The datagrams that arrive at the daemon's socket. Each holds one valid document.
//!
//! The X-Ray SDK for Python 2.15.0 fails in these cases. Each line names the case, and the test that shows what this
//! SDK does instead:
//!
//! * IPv6 does not work, and the host name is resolved for each datagram: `a_host_name_is_resolved_and_ipv6_works`.
//! * Embedded subsegments repeat the trace, the parent and the type: `every_kind_of_call_arrives_as_a_valid_document`.
//! * A segment waits for its last child, and can be lost: `a_child_that_outlives_its_segment_is_sent_by_itself`.
//! * A document that is too large for a datagram is lost: `a_document_too_large_for_a_datagram_is_split`.
//! * Lost documents are not counted: `without_a_daemon_documents_are_counted_as_dropped`.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use std::{env, thread};

use reqwest::Client;
use serde_json::Value;
use support::documents::{assert_valid, read_datagram};
use support::{Always, Server, child, refused_url};
use xray::emitter::MemoryEmitter;
use xray::{Instrument as _, Recorder, Segment};

/// A stand-in for the daemon. It reads datagrams as they arrive.
struct Daemon {
    address: SocketAddr,
    datagrams: Receiver<Vec<u8>>,
}

impl Daemon {
    fn start() -> Self {
        Self::on(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap())
    }

    fn on(socket: UdpSocket) -> Self {
        let address = socket.local_addr().unwrap();
        let (sender, datagrams) = channel();
        thread::spawn(move || {
            let mut datagram = vec![0; 65_536];
            while let Ok(length) = socket.recv(&mut datagram) {
                if sender.send(datagram[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { address, datagrams }
    }

    fn recorder(&self) -> Recorder {
        Recorder::builder().sampler(Always).daemon_address(self.address.to_string()).build()
    }

    fn receive_datagram(&self) -> Vec<u8> {
        self.datagrams.recv_timeout(Duration::from_secs(60)).unwrap()
    }

    /// Waits for the next datagram, and returns its document, which is valid.
    fn receive(&self) -> Value {
        read_datagram(&self.receive_datagram())
    }
}

#[test]
#[should_panic(expected = "in {")]
fn the_schema_refuses_what_is_wrong() {
    assert_valid(&serde_json::json!({ "name": "a", "id": "70de5b6f19ff9a0a", "start_time": 1 }));
}

#[xray::traced_http]
async fn calls(client: &Client, server: &Server) {
    for path in ["/bytes/3", "/status/404", "/status/429", "/status/503", "/chunked"] {
        let _ = client.get(server.url(path)).send().await;
    }
    let _ = client.delete(refused_url()).send().await;
    let _ = tokio::time::timeout(Duration::from_millis(20), client.get(server.url("/slow/9999")).send()).await;
}

#[tokio::test]
async fn every_kind_of_call_arrives_as_a_valid_document() {
    let (daemon, server) = (Daemon::start(), Server::start().await);
    let segment = Segment::builder("todo-app").recorder(&daemon.recorder()).begin();
    segment.annotate("tier", "gold");
    segment.add_metadata("cart", [1, 2]);
    segment.set_user("me");
    calls(&Client::new(), &server).in_segment(segment).await;
    let document = daemon.receive();
    let calls = document["subsegments"].as_array().unwrap();
    assert_eq!(calls.len(), 7);
    let statuses: Vec<_> = calls.iter().map(|call| call["http"]["response"]["status"].as_u64()).collect();
    assert_eq!(statuses, [Some(200), Some(404), Some(429), Some(503), Some(200), None, None]);
    assert_eq!(document["aws"]["xray"]["sdk"], "X-Ray for Rust");
    let said = |key: &str| calls.iter().filter(|call| !call[key].is_null()).count();
    assert_eq!(["trace_id", "parent_id", "type", "namespace"].map(said), [0, 0, 0, 7]);
}

#[test]
fn a_long_segment_sends_its_children_before() {
    let daemon = Daemon::start();
    let recorder = daemon.recorder();
    let segment = Segment::builder("job").recorder(&recorder).begin();
    let id = segment.id().unwrap().to_string();
    for _ in 0..2 {
        for _ in 0..101 {
            segment.subsegment("step").end();
        }
        // Reads before more is sent, because a socket's buffer holds only a few hundred datagrams.
        let steps = [(); 101].map(|()| daemon.receive());
        assert!(steps.iter().all(|step| step["type"] == "subsegment" && step["parent_id"] == id.as_str()));
    }
    for _ in 0..48 {
        segment.subsegment("step").end();
    }
    segment.end();
    assert_eq!(daemon.receive()["subsegments"].as_array().unwrap().len(), 48);
    assert!(recorder.flush(Duration::from_secs(5)));
    assert_eq!(recorder.stats().documents_sent, 203);
}

#[test]
fn a_child_that_outlives_its_segment_is_sent_by_itself() {
    let daemon = Daemon::start();
    let segment = Segment::builder("s").recorder(&daemon.recorder()).begin();
    let child = segment.subsegment("late");
    let grandchild = child.subsegment("inner");
    segment.end();
    let segment = daemon.receive();
    grandchild.end();
    child.end();
    let child = daemon.receive();
    assert_eq!(child["type"], "subsegment");
    assert_eq!((&child["parent_id"], &child["trace_id"]), (&segment["id"], &segment["trace_id"]));
    assert_eq!(child["subsegments"][0]["name"], "inner");
}

#[test]
fn an_aws_block_too_large_for_a_datagram_is_trimmed() {
    let daemon = Daemon::start();
    let recorder = daemon.recorder();
    let segment = Segment::builder("s").recorder(&recorder).begin();
    segment.add_aws("operation", "BatchWriteItem");
    segment.add_aws("first", "x".repeat(40_000));
    segment.add_aws("second", "x".repeat(41_000));
    segment.annotate("tier", "gold");
    segment.end();
    let document = daemon.receive();
    let aws = document["aws"].as_object().unwrap();
    assert_eq!(aws.keys().collect::<Vec<_>>(), ["first", "operation", "xray"]);
    assert_eq!(
        (&document["annotations"]["tier"], &document["metadata"]["xray"]["left_out"]),
        (&"gold".into(), &1.into())
    );
    assert!(recorder.flush(Duration::from_secs(5)));
    assert_eq!((recorder.stats().documents_sent, recorder.stats().documents_dropped), (1, 0));
}

/// Parsers of JSON have limits; `serde_json`, and with it `xray-local`, refuses 128 levels.
#[test]
fn the_deepest_metadata_in_the_deepest_subsegment_can_be_read() {
    let daemon = Daemon::start();
    let recorder = daemon.recorder();
    let segment = Segment::builder("s").recorder(&recorder).begin();
    let mut parts = vec![segment.subsegment("part")];
    for _ in 1..70 {
        let next = parts.last().unwrap().subsegment("part");
        parts.push(next);
    }
    let deep = (1..64).fold(Value::from(1), |value, _| vec![value].into());
    for part in &parts {
        part.add_metadata("deep", &deep);
        part.add_aws("deep", &deep);
    }
    while let Some(part) = parts.pop() {
        part.end();
    }
    segment.end();
    let mut received = 0;
    while received < 71 {
        // Fails if the document is too deep.
        let document = daemon.receive();
        let mut next = Some(&document);
        while let Some(part) = next {
            received += 1;
            assert_eq!(part["metadata"]["default"]["deep"].is_array(), part["name"] == "part");
            next = part["subsegments"].get(0);
        }
    }
    assert_eq!((received, recorder.stats().values_rejected), (71, 0));
}

#[test]
fn a_document_too_large_for_a_datagram_is_split() {
    let daemon = Daemon::start();
    let held = Recorder::builder()
        .sampler(Always)
        .daemon_address(daemon.address.to_string())
        .streaming_threshold_bytes(usize::MAX);
    let segment = Segment::builder("s").recorder(&held.build()).begin();
    for _ in 0..3 {
        segment.subsegment("large").add_metadata("text", "x".repeat(40_000));
    }
    let (id, trace_id) = (segment.id().unwrap().to_string(), segment.trace_id().unwrap().to_string());
    segment.end();
    let datagrams = [(); 4].map(|()| daemon.receive_datagram());
    assert!(datagrams.iter().all(|datagram| datagram.len() <= 63 * 1024));
    let documents = datagrams.map(|datagram| read_datagram(&datagram));
    let (pieces, segments): (Vec<_>, Vec<_>) = documents.iter().partition(|document| document["name"] == "large");
    let ([segment], 3) = (&segments[..], pieces.len()) else { panic!("{documents:#?}") };
    assert_eq!((&segment["id"], &segment["subsegments"]), (&id.as_str().into(), &Value::Null));
    for piece in pieces {
        assert_eq!((&piece["type"], &piece["parent_id"]), (&"subsegment".into(), &id.as_str().into()));
        assert_eq!(piece["trace_id"], trace_id.as_str());
        assert_eq!(piece["metadata"]["default"]["text"].as_str().unwrap().len(), 40_000, "nothing is cut");
    }
}

#[test]
fn a_nest_of_any_depth_arrives() {
    let daemon = Daemon::start();
    let recorder = daemon.recorder();
    let mut open = Vec::new();
    let segment = Segment::builder("s").recorder(&recorder).begin();
    open.push(segment.subsegment("0"));
    for depth in 1..1000 {
        let next = open[depth - 1].subsegment(depth.to_string());
        open.push(next);
    }
    while let Some(innermost) = open.pop() {
        innermost.end();
    }
    segment.end();
    assert!(recorder.flush(Duration::from_secs(5)));
    let sent = recorder.stats().documents_sent;
    let count = (0..sent).map(|_| count(&daemon.receive())).sum::<usize>();
    assert_eq!(count, 1001);
}

fn count(document: &Value) -> usize {
    1 + document["subsegments"].as_array().into_iter().flatten().map(count).sum::<usize>()
}

#[test]
fn without_a_daemon_documents_are_counted_as_dropped() {
    let nobody = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let recorder = Recorder::builder().sampler(Always).daemon_address(nobody.to_string()).build();
    for _ in 0..10 {
        Segment::builder("s").recorder(&recorder).begin().end();
    }
    assert!(recorder.flush(Duration::from_secs(5)));
    let stats = recorder.stats();
    assert_eq!(stats.documents_emitted, 10);
    assert!(stats.documents_dropped > 0, "{stats:?}");
    assert_eq!(stats.documents_sent + stats.documents_dropped, 10, "{stats:?}");
}

#[test]
fn a_daemon_that_comes_later_gets_what_is_sent_then() {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = socket.local_addr().unwrap();
    drop(socket);
    let recorder = Recorder::builder().sampler(Always).daemon_address(address.to_string()).build();
    Segment::builder("lost").recorder(&recorder).begin().end();
    assert!(recorder.flush(Duration::from_secs(5)));
    let daemon = Daemon::on(UdpSocket::bind(address).unwrap());
    Segment::builder("kept").recorder(&recorder).begin().end();
    assert_eq!(daemon.receive()["name"], "kept");
}

#[test]
fn a_host_name_is_resolved_and_ipv6_works() {
    let daemon = Daemon::start();
    let port = daemon.address.port();
    let recorder =
        Recorder::builder().sampler(Always).daemon_address(format!("tcp:127.0.0.1:9 udp:127.0.0.1:{port}")).build();
    Segment::builder("a").recorder(&recorder).begin().end();
    assert_eq!(daemon.receive()["name"], "a");

    let daemon = Daemon::on(UdpSocket::bind("localhost:0").unwrap());
    let port = daemon.address.port();
    let recorder = Recorder::builder().sampler(Always).daemon_address(format!("localhost:{port}")).build();
    Segment::builder("b").recorder(&recorder).begin().end();
    assert_eq!(daemon.receive()["name"], "b");

    match UdpSocket::bind("[::1]:0") {
        Ok(socket) => {
            let daemon = Daemon::on(socket);
            Segment::builder("c").recorder(&daemon.recorder()).begin().end();
            assert_eq!(daemon.receive()["name"], "c");
        }
        Err(error) => {
            // Linux lists its IPv6 addresses in this file. Without IPv6 in the kernel the file does not exist.
            let has_ipv6 = Path::new("/proc/net/if_inet6").exists();
            let is_required = env::var_os("XRAY_REAL_PARTS").is_some();
            assert!(!has_ipv6 || !is_required, "there is no IPv6 loopback address: {error}");
            println!("skipped: there is no IPv6 loopback address: {error}");
        }
    }
}

#[test]
fn a_wrong_address_is_counted_and_the_default_stands() {
    let recorder = Recorder::builder().daemon_address("nowhere").build();
    assert_eq!(recorder.stats().settings_rejected, 1);
}

/// The interface is named, so the address is one that the system can resolve. No datagram reaches it.
#[cfg(target_os = "linux")]
#[test]
fn an_address_with_a_zone_is_resolved() {
    let recorder = Recorder::builder().sampler(Always).daemon_address("[fe80::1%lo]:2000").build();
    assert_eq!(recorder.stats().settings_rejected, 0);
    Segment::builder("s").recorder(&recorder).begin().end();
    assert!(recorder.flush(Duration::from_secs(5)));
    let diagnosis = recorder.check().to_string();
    assert!(!diagnosis.contains("does not resolve"), "{diagnosis}");
    for wrong in ["[fe80::1%]:2000", "[::1%lo]:2000"] {
        assert_eq!(Recorder::builder().daemon_address(wrong).build().stats().settings_rejected, 1, "{wrong}");
    }
}

/// A misspelt variable has no effect.
#[test]
fn the_doctor_lists_variables_that_are_not_read() {
    let name = "the_doctor_lists_variables_that_are_not_read";
    let variables = [("AWS_XRAY_DAEMON_ADRESS", "127.0.0.1:9"), ("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:9")];
    child::run_with(module_path!(), name, &variables, || {
        let diagnosis = Recorder::builder().emitter(MemoryEmitter::new()).build().check();
        let lines: Vec<_> =
            diagnosis.to_string().lines().filter(|line| line.contains("not read")).map(str::to_owned).collect();
        assert_eq!(lines, ["  not read: AWS_XRAY_DAEMON_ADRESS"]);
    });
}

/// A setting that is ignored is a mistake of the program, although documents may arrive without it.
#[test]
fn the_doctor_reports_a_setting_that_is_ignored() {
    let recorder = Recorder::builder().daemon_address("10.0.0.5").emitter(MemoryEmitter::new()).build();
    let diagnosis = recorder.check();
    let line = "\n  REJECTED: daemon_address is \"10.0.0.5\", expected host:port";
    assert!(!diagnosis.is_healthy() && diagnosis.to_string().contains(line), "{diagnosis}");
}
