//! Rules that boto3 creates in `xray-local`, and that a program then follows.

use std::env;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use xray_local::Server;

use support::sampling_daemon::{Service, eager, rule, until, with};

#[test]
fn a_rule_that_boto3_creates_changes_and_deletes_is_followed() {
    let Some(python) = python() else { return };
    let local = Server::builder().address("127.0.0.1:0").start().unwrap();
    let service = Service::with(local.http_address(), eager().fetch_rules_every(Duration::from_millis(20)).build());
    let everything = json!({ "RuleName": "Default", "FixedRate": 1.0 });
    ask(&python, local.http_address(), "update_sampling_rule", &json!({ "SamplingRuleUpdate": everything }));
    service.wait_for("/pay/7", "Default");

    let mut payments = rule("payments", 10, "/pay/*");
    payments.as_object_mut().unwrap().remove("RuleARN");
    ask(&python, local.http_address(), "create_sampling_rule", &json!({ "SamplingRule": payments }));
    service.wait_for("/pay/7", "payments");
    service.wait_for("/cart", "Default");

    let none = with(json!({ "RuleName": "payments" }), "FixedRate", 0.0);
    ask(&python, local.http_address(), "update_sampling_rule", &json!({ "SamplingRuleUpdate": none }));
    until("payments are not recorded", || service.rule("/pay/7").is_none());

    ask(&python, local.http_address(), "delete_sampling_rule", &json!({ "RuleName": "payments" }));
    service.wait_for("/pay/7", "Default");
}

/// Calls an operation of X-Ray's API through boto3.
fn ask(python: &Path, address: SocketAddr, operation: &str, parameters: &Value) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../xray-local/tests/aws_clients/ask.py");
    let output = Command::new(python)
        .args([script, &format!("http://{address}"), operation, &parameters.to_string()])
        .envs([("AWS_ACCESS_KEY_ID", "any"), ("AWS_SECRET_ACCESS_KEY", "any"), ("AWS_DEFAULT_REGION", "eu-west-1")])
        .output()
        .unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    assert!(output.status.success() && answer.get("Error").is_none(), "{operation}: {answer:#} {output:?}");
}

/// Returns the Python interpreter of the virtual environment with boto3.
fn python() -> Option<PathBuf> {
    let python = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../aws-clients/bin/python");
    if python.exists() {
        return Some(python);
    }
    assert!(env::var_os("XRAY_REAL_PARTS").is_none(), "there is no {}", python.display());
    println!("skipped: there is no {}, see .ci/run", python.display());
    None
}
