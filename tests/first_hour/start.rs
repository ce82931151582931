//! The line that the first recorder logs, and the debug mode.

use std::process::Stdio;

use log::Level;
use support::child::run_with;
use support::{Always, child, logs};
use xray::emitter::{LinesEmitter, MemoryEmitter};
use xray::{Recorder, Segment};

use super::texts;

#[test]
fn an_installed_recorder_logs_how_it_works() {
    run_with(
        module_path!(),
        "an_installed_recorder_logs_how_it_works",
        &[("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:9")],
        || {
            logs::keep();
            let builder = Recorder::builder().service_name("todo-app").sampler(Always);
            let recorder = builder.install().unwrap();
            let lines = texts("xray::recorder", Level::Info);
            assert_eq!(lines.len(), 1, "{lines:?}");
            for part in [
                env!("CARGO_PKG_VERSION"),
                "`todo-app`",
                "UDP 127.0.0.1:9 (AWS_XRAY_DAEMON_ADDRESS)",
                "sampler `Always`",
                "reqwest, reqwest-blocking",
                "enabled",
            ] {
                assert!(lines[0].contains(part), "{part}: {lines:?}");
            }
            Segment::builder("other").begin().end();
            Segment::builder("other").recorder(&Recorder::builder().build()).begin().end();
            assert_eq!(texts("xray::recorder", Level::Info), lines, "logged once");
            drop(recorder);
        },
    );
}

#[test]
fn a_misspelt_variable_is_in_the_log() {
    let misspelt = [("AWS_XRAY_DAEMON_ADRESS", "127.0.0.1:9")];
    run_with(module_path!(), "a_misspelt_variable_is_in_the_log", &misspelt, || {
        logs::keep();
        let recorder = Recorder::builder().sampler(Always).emitter(MemoryEmitter::new()).install().unwrap();
        let lines = texts("xray::recorder", Level::Info);
        assert!(lines.len() == 2 && lines[1].starts_with("not read: AWS_XRAY_DAEMON_ADRESS."), "{lines:?}");
        drop(recorder);
    });
}

#[test]
fn the_first_segment_logs_how_the_recorder_of_the_environment_works() {
    let name = "the_first_segment_logs_how_the_recorder_of_the_environment_works";
    run_with(module_path!(), name, &[("AWS_XRAY_SDK_ENABLED", "false")], || {
        logs::keep();
        xray::testing::capture_blocking(|| Segment::builder("captured").begin().end());
        assert_eq!(logs::lines().len(), 0, "a capture is no recorder that works");
        Segment::builder("todo-app").begin().end();
        let lines = texts("xray::recorder", Level::Info);
        assert!(lines.len() == 1 && lines[0].contains("disabled (AWS_XRAY_SDK_ENABLED)"), "{lines:?}");
    });
}

#[test]
fn the_first_segment_of_a_built_recorder_logs_how_the_recorder_works() {
    run_with(module_path!(), "the_first_segment_of_a_built_recorder_logs_how_the_recorder_works", &[], || {
        logs::keep();
        let recorder = Recorder::builder().emitter(LinesEmitter::new(std::io::sink())).build();
        assert_eq!(logs::lines().len(), 0);
        Segment::builder("a").recorder(&recorder).sampled(true).begin().end();
        Segment::builder("b").recorder(&recorder).sampled(true).begin().end();
        let lines = texts("xray::recorder", Level::Info);
        assert!(lines.len() == 1 && lines[0].contains("`LinesEmitter`"), "{lines:?}");
        assert!(lines[0].contains("sampler `Central`"), "{lines:?}");
    });
}

/// Without a logger the variable sends the lines to the standard error output; with one it changes nothing.
#[test]
fn the_debug_mode_writes_to_stderr_if_the_program_has_no_logger() {
    let name = "the_debug_mode_writes_to_stderr_if_the_program_has_no_logger";
    match child::case().as_deref() {
        Some("none") => drop(Recorder::builder().emitter(MemoryEmitter::new()).install().unwrap()),
        Some("logger") => {
            logs::keep();
            drop(Recorder::builder().emitter(MemoryEmitter::new()).install().unwrap());
        }
        Some(_) => {}
        None => {
            let stderr = |case: &str, value: &str| {
                let mut command = child::command(module_path!(), name, case);
                let output = command.env("AWS_XRAY_DEBUG_MODE", value).stderr(Stdio::piped()).output().unwrap();
                assert!(output.status.success());
                String::from_utf8(output.stderr).unwrap()
            };
            let written = stderr("none", "TRUE");
            assert!(written.starts_with("[INFO xray::recorder] xray "), "{written}");
            assert_eq!(written.lines().count(), 1, "{written}");
            assert_eq!(stderr("none", "false"), "");
            assert_eq!(stderr("none", ""), "");
            assert_eq!(stderr("logger", "TRUE"), "");
        }
    }
}
