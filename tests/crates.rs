//! Crates outside the workspace, with other features or another name for the dependency.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};

/// Runs cargo on a crate in `tests/crates`, offline and with the versions in the workspace's `Cargo.lock`.
///
/// The crates share a target directory, so that their dependencies are built once. Cargo lets one process at a time in.
fn cargo(command: &str, name: &str) -> Output {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = tests.join("crates").join(name);
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    fs::copy(tests.join("../Cargo.lock"), directory.join("Cargo.lock")).unwrap();
    Command::new(env!("CARGO"))
        .args([command, "--offline", "--color=never", "--manifest-path"])
        .arg(directory.join("Cargo.toml"))
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("crates"))
        // The outer cargo sets these for this test, not for the crate.
        .env_remove("CARGO_MANIFEST_DIR")
        .env_remove("RUSTFLAGS")
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    let [errors, lines] = [&output.stderr, &output.stdout].map(|bytes| String::from_utf8_lossy(bytes));
    format!("{errors}{lines}")
}

fn succeeds(command: &str, name: &str) {
    let output = cargo(command, name);
    assert!(output.status.success(), "cargo {command} of {name}:\n{}", text(&output));
}

/// Checks that a crate does not compile, and that its only error names the missing feature.
fn names_the_feature(name: &str, feature: &str) {
    let output = cargo("check", name);
    let text = text(&output);
    assert!(!output.status.success(), "{name} compiles:\n{text}");
    assert_eq!(text.matches("error[E").count(), 1, "errors of {name}:\n{text}");
    for part in ["this version of reqwest is not traced", feature, "src/main.rs:4:"] {
        assert!(text.contains(part), "{part:?} is not in the error of {name}:\n{text}");
    }
}

#[test]
fn reqwest_0_12_without_its_feature_is_an_error() {
    names_the_feature("reqwest-0-12-off", "0.12 the feature `reqwest-0-12`");
}

#[test]
fn reqwest_0_13_without_its_feature_is_an_error() {
    names_the_feature("reqwest-0-13-off", "reqwest 0.13 needs the feature `reqwest` of xray-sdk");
}

#[test]
fn a_client_without_its_feature_is_an_error() {
    let output = cargo("check", "clients-off");
    let text = text(&output);
    let errors: Vec<_> = text.lines().filter(|line| line.starts_with("error[E0277]")).collect();
    let expected = [
        "calls to ureq need the feature `ureq` (3) or `ureq-2` of xray-sdk",
        "calls to ureq need the feature `ureq` (3) or `ureq-2` of xray-sdk",
        "blocking calls to reqwest need the feature `reqwest-blocking` (0.13) or `reqwest-0-12-blocking` of xray-sdk",
        "calls to reqwest need the feature `reqwest` (0.13), `reqwest-0-12` or `reqwest-0-11` of xray-sdk",
    ];
    assert_eq!(errors, expected.map(|message| format!("error[E0277]: {message}")), "{text}");
    // The lines on which the functions name their clients.
    for place in ["main.rs:5:5", "main.rs:9:20", "main.rs:15:8", "main.rs:20:8"] {
        assert!(text.contains(place), "{place} is not in:\n{text}");
    }
    assert!(text.contains("#[xray::traced_http(local(..))]"), "{text}");
}

#[test]
fn a_module_that_is_named_reqwest_is_left_alone() {
    succeeds("run", "local-reqwest");
}

#[test]
fn a_span_that_a_pooled_connection_holds_ends_with_its_own_work() {
    succeeds("run", "pooled-connection");
}

#[test]
fn the_crate_may_have_another_name() {
    succeeds("run", "renamed");
}
