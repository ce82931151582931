//! The lines about documents that do not arrive, and that arrive again.

use std::io::ErrorKind;
use std::net::UdpSocket;
use std::thread::sleep;
use std::time::{Duration, Instant};

use log::Level;
use support::child::run_with;
use support::{Always, logs};
use xray::emitter::OtlpEmitter;
use xray::{Recorder, Segment, TraceHeader};

use super::{daemon, daemon_with_tcp, end_a_segment, receive, texts, unused, wait_for};

#[test]
fn a_refused_document_is_logged_once_until_documents_arrive_again() {
    run_with(module_path!(), "a_refused_document_is_logged_once_until_documents_arrive_again", &[], || {
        logs::keep();
        let address = unused();
        let recorder = Recorder::builder().sampler(Always).daemon_address(&address).build();
        for _ in 0..3 {
            end_a_segment(&recorder);
        }
        let warnings = texts("xray::emitter", Level::Warn);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        for part in [&address, "refuse", "AWS_XRAY_DAEMON_ADDRESS"] {
            assert!(warnings[0].contains(part), "{part}: {warnings:?}");
        }
        assert_eq!(recorder.stats().documents_dropped, 3);
        let daemon = UdpSocket::bind(&address).unwrap();
        end_a_segment(&recorder);
        let again = texts("xray::emitter", Level::Info);
        assert!(again.len() == 1 && again[0].contains(&address), "{again:?}");
        drop(daemon);
        end_a_segment(&recorder);
        assert_eq!(texts("xray::emitter", Level::Warn).len(), 2, "the next outage is another one");
    });
}

#[test]
fn a_daemon_whose_name_does_not_resolve_is_logged_once() {
    run_with(module_path!(), "a_daemon_whose_name_does_not_resolve_is_logged_once", &[], || {
        logs::keep();
        let recorder = Recorder::builder().sampler(Always).daemon_address("daemon.invalid:2000").build();
        for _ in 0..3 {
            end_a_segment(&recorder);
        }
        let warnings = texts("xray::emitter", Level::Warn);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        for part in ["daemon.invalid:2000", "does not resolve", "AWS_XRAY_DAEMON_ADDRESS"] {
            assert!(warnings[0].contains(part), "{part}: {warnings:?}");
        }
    });
}

#[test]
fn a_daemon_that_swallows_datagrams_is_found_by_its_tcp_side() {
    run_with(module_path!(), "a_daemon_that_swallows_datagrams_is_found_by_its_tcp_side", &[], || {
        logs::keep();
        let (daemon, address) = daemon();
        let recorder = Recorder::builder().sampler(Always).daemon_address(&address).build();
        end_a_segment(&recorder);
        assert_eq!(texts("xray::emitter", Level::Warn), [""; 0], "the datagram was not refused");
        let warnings = wait_for("xray::emitter", Level::Warn, 1);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        for part in [&format!("TCP {address}"), "refused", "AWS_XRAY_DAEMON_ADDRESS"] {
            assert!(warnings[0].contains(part), "{part}: {warnings:?}");
        }
        drop((daemon, recorder));
    });
}

#[test]
fn a_daemon_that_answers_is_not_logged_as_missing() {
    run_with(module_path!(), "a_daemon_that_answers_is_not_logged_as_missing", &[], || {
        logs::keep();
        let (daemon, listener, address) = daemon_with_tcp();
        let recorder = Recorder::builder().sampler(Always).daemon_address(&address).build();
        end_a_segment(&recorder);
        listener.set_nonblocking(true).unwrap();
        let start = Instant::now();
        while listener.accept().is_err() {
            assert!(start.elapsed() < Duration::from_secs(20), "the TCP side is checked");
            sleep(Duration::from_millis(20));
        }
        sleep(Duration::from_secs(1));
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "one connection");
        let lines = logs::lines();
        assert!(lines.iter().all(|line| line.target != "xray::emitter"), "{lines:?}");
        assert_eq!(logs::texts_at(Level::Warn), [""; 0]);
        drop((daemon, recorder));
    });
}

#[test]
fn a_daemon_that_refuses_datagrams_is_logged_once_although_its_tcp_side_refuses_too() {
    let name = "a_daemon_that_refuses_datagrams_is_logged_once_although_its_tcp_side_refuses_too";
    run_with(module_path!(), name, &[], || {
        logs::keep();
        let ((daemon, swallowing), refusing) = (daemon(), unused());
        // The recorder whose datagrams are refused checks the TCP side of its daemon first.
        let recorders = [&refusing, &swallowing].map(|address| {
            let recorder = Recorder::builder().sampler(Always).daemon_address(address).build();
            end_a_segment(&recorder);
            recorder
        });
        let warnings = wait_for("xray::emitter", Level::Warn, 2);
        assert!(warnings.len() == 2 && warnings[0].contains(&format!("UDP {refusing}")), "{warnings:?}");
        assert!(warnings[1].contains(&format!("TCP {swallowing}")), "{warnings:?}");
        drop((daemon, recorders));
    });
}

#[test]
fn a_document_that_is_shortened_is_logged_once_and_each_value_is_counted() {
    let name = "a_document_that_is_shortened_is_logged_once_and_each_value_is_counted";
    run_with(module_path!(), name, &[], || {
        logs::keep();
        let (daemon, address) = daemon();
        let recorder = Recorder::builder().sampler(Always).daemon_address(&address).build();
        end_a_segment(&recorder);
        assert_eq!(texts("xray::emitter", Level::Warn), [""; 0]);
        for _ in 0..2 {
            let segment = Segment::builder("todo-app").recorder(&recorder).begin();
            for key in ["first", "second"] {
                segment.add_metadata(key, "x".repeat(40_000));
            }
            segment.end();
            assert!(recorder.flush(Duration::from_secs(20)));
        }
        let warnings = texts("xray::emitter", Level::Warn);
        assert!(warnings.len() == 1 && warnings[0].contains("shortened"), "{warnings:?}");
        let stats = recorder.stats();
        assert_eq!((stats.documents_sent, stats.values_rejected), (3, 2), "{stats:?}");
        drop(daemon);
    });
}

#[test]
fn in_lambda_the_tcp_side_of_the_daemon_is_left_alone() {
    run_with(
        module_path!(),
        "in_lambda_the_tcp_side_of_the_daemon_is_left_alone",
        &[("AWS_LAMBDA_FUNCTION_NAME", "f")],
        || {
            logs::keep();
            let (daemon, listener, address) = daemon_with_tcp();
            let recorder = Recorder::builder().daemon_address(&address).build();
            let header =
                TraceHeader::parse("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1");
            Segment::builder("todo-app").recorder(&recorder).trace_header(&header).begin().end();
            receive(&daemon);
            listener.set_nonblocking(true).unwrap();
            sleep(Duration::from_secs(5));
            assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
            assert_eq!(logs::texts_at(Level::Warn), [""; 0]);
        },
    );
}

#[test]
fn the_otlp_emitter_logs_once_that_it_drops_what_is_still_open() {
    let name = "the_otlp_emitter_logs_once_that_it_drops_what_is_still_open";
    run_with(module_path!(), name, &[], || {
        logs::keep();
        let emitter = OtlpEmitter::builder().endpoint(format!("http://{}", unused())).build().unwrap();
        let builder = Recorder::builder().sampler(Always).emitter(emitter);
        let recorder = builder.in_progress_after(Duration::from_millis(10)).build();
        let open = [(); 2].map(|()| Segment::builder("todo-app").recorder(&recorder).begin());
        let start = Instant::now();
        while recorder.stats().documents_dropped < 2 {
            assert!(start.elapsed() < Duration::from_secs(20), "{:?}", recorder.stats());
            sleep(Duration::from_millis(10));
        }
        let warnings = texts("xray::emitter", Level::Warn);
        assert!(warnings.len() == 1 && warnings[0].contains("still open"), "{warnings:?}");
        drop(open);
    });
}
