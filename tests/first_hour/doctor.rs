//! The start-up check.

use std::time::{Duration, Instant};

use support::child;
use support::child::run_with;
use xray::Recorder;
use xray::sampling::Never;

use super::{daemon_with_tcp, receive, unused};

#[test]
fn the_doctor_finds_a_daemon_and_sends_one_segment() {
    let name = "the_doctor_finds_a_daemon_and_sends_one_segment";
    if child::case().is_some() {
        return run_with(module_path!(), name, &[], || {
            let builder = Recorder::builder().service_name("todo-app").sampler(Never).ignore("*/health");
            let recorder = builder.install().unwrap();
            let report = xray::doctor();
            println!("{report}\ntrace={}\nhealthy={}", report.trace_id().unwrap(), report.is_healthy());
            drop(recorder);
        });
    }
    let (daemon, _listener, address) = daemon_with_tcp();
    let mut command = child::command(module_path!(), name, name);
    let output = command.env("AWS_XRAY_DAEMON_ADDRESS", &address).output().unwrap();
    child::assert_done(name, &output);
    let text = String::from_utf8(output.stdout).unwrap();
    let document = receive(&daemon);
    let trace = document["trace_id"].as_str().unwrap();
    for part in [
        &format!("trace={trace}"),
        "healthy=true",
        &format!("daemon_address = udp:{address} tcp:{address} (AWS_XRAY_DAEMON_ADDRESS)"),
        "service_name = todo-app (code)",
        "context_missing = LogError (default)",
        "sampler = Never (code)",
        "propagate = XRay (default)",
        "ignore = */health (code)",
        "clients = ",
        "reqwest-0-11",
        &format!("UDP {address}: ok"),
        &format!("TCP {address}: ok"),
        &format!("sent a segment of trace {trace}"),
        "segments of the program so far: 0 sampled, 0 not sampled",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(document["name"], "todo-app");
    daemon.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    assert!(daemon.recv(&mut [0; 16]).is_err(), "one segment");
}

#[test]
fn the_doctor_reports_a_daemon_that_is_missing_within_two_seconds() {
    let name = "the_doctor_reports_a_daemon_that_is_missing_within_two_seconds";
    run_with(module_path!(), name, &[("AWS_XRAY_DAEMON_ADDRESS", "")], || {
        for (address, udp) in [(unused(), "refused"), ("daemon.invalid:2000".to_owned(), "resolve")] {
            let recorder = Recorder::builder().daemon_address(&address).build();
            let start = Instant::now();
            let report = recorder.check();
            assert!(start.elapsed() < Duration::from_millis(2_500), "{:?}", start.elapsed());
            let text = report.to_string();
            assert!(!report.is_healthy() && text.contains(&format!("UDP {address}: ")) && text.contains(udp), "{text}");
            assert!(text.contains(&format!("TCP {address}: ")), "{text}");
        }
        // An address for documentation: packets to it get no answer, or the system has no route.
        let recorder = Recorder::builder().daemon_address("192.0.2.1:2000").build();
        let start = Instant::now();
        let report = recorder.check();
        assert!(start.elapsed() < Duration::from_millis(2_500) && !report.is_healthy(), "{report}");
        let disabled = Recorder::builder().enabled(false).build().check();
        assert!(disabled.trace_id().is_none() && disabled.to_string().contains("enabled = false (code)"), "{disabled}");
    });
}
