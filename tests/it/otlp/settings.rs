//! The choice of the emitter and its settings, by environment variables. Each case runs in a child process.

use std::time::Duration;

use log::Level;
use support::otlp::OtlpServer;
use support::{child, logs};
use xray::emitter::{MemoryEmitter, OtlpEmitter};
use xray::{Recorder, Segment};

use super::{LONG, record, recorder, settled, to};

/// Runs a case in a child process with these environment variables.
fn run(case: &str, variables: &[(&str, &str)]) {
    let mut command = child::command(module_path!(), "case_in_a_child_process", case);
    command.env("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:9").envs(variables.iter().copied());
    child::assert_done(case, &command.output().unwrap());
}

#[test]
fn case_in_a_child_process() {
    let Some(case) = child::case() else { return };
    logs::keep();
    match case.as_str() {
        "chosen" => {
            let memory = MemoryEmitter::new();
            let recorder = Recorder::builder().emitter(memory.clone()).install().unwrap();
            Segment::builder("shop").sampled(true).begin().end();
            assert_eq!(settled(&recorder).documents_sent, 1);
            assert!(memory.take().is_empty(), "the variable takes precedence");
            let announced = logs::texts_at(Level::Info).concat();
            assert!(announced.contains("the emitter `OtlpEmitter` (AWS_XRAY_EMITTER)"), "{announced}");
            let endpoint = std::env::var("OTEL_EXPORTER_OTLP_ENDPOINT").unwrap();
            assert!(announced.contains(&format!("which sends to {endpoint}/v1/traces")), "{announced}");
            let diagnosis = recorder.check();
            let line = format!("emitter = OtlpEmitter to {endpoint}/v1/traces (AWS_XRAY_EMITTER)");
            assert!(diagnosis.is_healthy() && diagnosis.to_string().contains(&line), "{diagnosis}");
        }
        "chosen twice" => {
            let recorder = recorder(OtlpEmitter::builder().header("x-code", "code"));
            record(&recorder, "shop");
            assert_eq!(settled(&recorder).documents_sent, 1);
        }
        "not chosen" => {
            let recorder = Recorder::builder().build();
            assert!(recorder.check().to_string().contains("emitter = UDP (default)"));
        }
        "over code" => {
            let recorder = recorder(to("http://127.0.0.1:9").header("x-key", "code").header("x-code", "code"));
            record(&recorder, "shop");
            assert_eq!(settled(&recorder).documents_sent, 1);
        }
        "wrong" => assert_rejected(&Recorder::builder().build()),
        "wrong in code" => {
            let emitter = OtlpEmitter::builder().build().unwrap();
            assert_rejected(&Recorder::builder().emitter(emitter).build());
        }
        "outage" => outage(),
        _ => panic!("{case}"),
    }
    child::done();
}

#[test]
fn one_variable_chooses_the_emitter() {
    let server = OtlpServer::start(|_| "{}");
    let chosen = [("AWS_XRAY_EMITTER", "otlp"), ("OTEL_EXPORTER_OTLP_ENDPOINT", &*server.url())];
    run("chosen", &chosen);
    assert_eq!(server.receive().spans()[0].span["name"], "shop");
    run("not chosen", &chosen[1..]);
}

#[test]
fn the_variable_keeps_the_settings_of_an_emitter_of_that_kind() {
    let server = OtlpServer::start(|_| "{}");
    run("chosen twice", &[("AWS_XRAY_EMITTER", "otlp"), ("OTEL_EXPORTER_OTLP_ENDPOINT", &*server.url())]);
    assert_eq!(server.receive().headers["x-code"], "code");
}

#[test]
fn a_variable_takes_precedence_over_code() {
    let server = OtlpServer::start(|_| "{}");
    run(
        "over code",
        &[
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &format!("{}/here?a=1", server.url())),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=a%20b,x-other=c"),
        ],
    );
    let export = server.receive();
    assert_eq!(export.uri, "/here?a=1");
    let headers = ["x-key", "x-other", "x-code"].map(|name| export.headers[name].to_str().unwrap());
    assert_eq!(headers, ["a b", "c", "code"]);
}

#[test]
fn a_wrong_variable_is_logged_and_counted() {
    let variables = [
        ("AWS_XRAY_EMITTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector:4318"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
    ];
    run("wrong", &variables);
    run("wrong in code", &variables[1..]);
}

fn assert_rejected(recorder: &Recorder) {
    assert_eq!(recorder.stats().settings_rejected, 2);
    let warnings = logs::texts_at(Level::Warn);
    let [https, compression] = &warnings[..] else { panic!("{warnings:#?}") };
    assert!(https.starts_with("OTEL_EXPORTER_OTLP_ENDPOINT is \"https://collector:4318\""), "{https}");
    assert!(https.contains("a collector beside the program"), "{https}");
    assert!(compression.starts_with("OTEL_EXPORTER_OTLP_COMPRESSION is \"gzip\""), "{compression}");
}

#[test]
fn a_wrong_setting_in_code_is_an_error() {
    for (builder, part) in [
        (OtlpEmitter::builder().endpoint("https://collector:4318"), "a collector beside the program"),
        (OtlpEmitter::builder().endpoint("collector:4318"), "http://host:port"),
        (OtlpEmitter::builder().endpoint("http://user:password@collector"), "`authorization`"),
        (OtlpEmitter::builder().header("a b", "c"), "header"),
        (OtlpEmitter::builder().header("a", "b\n"), "header"),
    ] {
        let error = builder.build().unwrap_err().to_string();
        assert!(error.contains(part) && !error.contains("password"), "{error}");
    }
}

#[test]
fn the_doctor_says_that_a_server_takes_nothing() {
    let server = OtlpServer::start(|_| axum::http::StatusCode::NOT_FOUND);
    let diagnosis = recorder(to(server.url())).check();
    assert!(!diagnosis.is_healthy(), "{diagnosis}");
    assert!(diagnosis.to_string().contains("emitter OtlpEmitter: FAILED, dropped a document"), "{diagnosis}");
}

#[test]
fn the_beginning_and_the_end_of_an_outage_are_logged_once() {
    run("outage", &[]);
}

fn outage() {
    let server = OtlpServer::start(|number| {
        let status = if number < 3 { axum::http::StatusCode::BAD_REQUEST } else { axum::http::StatusCode::OK };
        (status, r#"{"code":3,"message":"the server's own words"}"#)
    });
    let recorder = recorder(to(server.url()));
    for _ in 0..5 {
        record(&recorder, "shop");
        assert!(recorder.flush(LONG));
    }
    let stats = settled(&recorder);
    assert_eq!((stats.documents_sent, stats.documents_dropped), (2, 3));
    let of_emitter = logs::texts_of("xray::emitter");
    let [failed, again] = &of_emitter[..] else { panic!("{of_emitter:#?}") };
    assert!(failed.contains("the response has status 400: the server's own words"), "{failed}");
    assert!(again.contains("are sent to the OTLP endpoint") && again.ends_with("again"), "{again}");
    let fates = logs::texts_of("xray::segment");
    let count = |fate: &str| fates.iter().filter(|line| line.contains(fate)).count();
    assert_eq!((count("dropped because it does not reach http://"), count(": sent to http://")), (3, 2), "{fates:#?}");
    assert!(recorder.flush(Duration::ZERO), "nothing waits");
}
