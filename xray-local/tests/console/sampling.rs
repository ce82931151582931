//! Which requests SDKs record: the note on the first page, and the switch.

use serde_json::{Value, json};
use xray_local::Server;

use crate::browser::in_browser;
use crate::support::{post, raw};

/// Returns the default rule that SDKs receive.
fn default_rule(server: &Server) -> Value {
    let rules = post(server, "/GetSamplingRules", &json!({})).ok();
    rules["SamplingRuleRecords"][0]["SamplingRule"].clone()
}

#[tokio::test]
async fn the_first_page_says_what_is_recorded_and_switches_it() {
    in_browser(async |page| {
        page.visit("/").await;
        assert!(page.text(".sampling").await.starts_with("Sampling: SDKs record every request."));
        assert_eq!(default_rule(&page.server)["FixedRate"], 1.0);

        page.click(".sampling button").await;
        page.until("return document.querySelector('.sampling').textContent.includes('5 % of the others, as in AWS');")
            .await;
        let rule = default_rule(&page.server);
        assert_eq!((&rule["FixedRate"], &rule["ReservoirSize"]), (&json!(0.05), &json!(1)));
        assert_eq!(page.location().await, "/");
        let note = page.text(".sampling").await;
        assert!(note.contains("fewer traces than requests"), "{note}");

        page.click(".sampling button").await;
        page.until("return document.querySelector('.sampling').textContent.includes('record every request.');").await;
        assert_eq!(default_rule(&page.server)["FixedRate"], 1.0);
    })
    .await;
}

#[tokio::test]
async fn a_default_rule_changed_through_the_api_is_described_too() {
    in_browser(async |page| {
        let update = json!({"SamplingRuleUpdate": {"RuleName": "Default", "FixedRate": 0.25, "ReservoirSize": 3}});
        post(&page.server, "/UpdateSamplingRule", &update).ok();
        let rule = json!({"RuleName": "carts", "ResourceARN": "*", "Priority": 10, "FixedRate": 0.5, "ReservoirSize": 4,
            "ServiceName": "*", "ServiceType": "*", "Host": "*", "HTTPMethod": "*", "URLPath": "*", "Version": 1});
        post(&page.server, "/CreateSamplingRule", &json!({"SamplingRule": rule})).ok();
        page.visit("/").await;
        let note = page.text(".sampling").await;
        assert!(note.contains("3 requests a second and 25 % of the others"), "{note}");
        assert!(note.contains("1 other rule applies first"), "{note}");
        assert_eq!(page.count(".sampling button").await, 2, "either setting can be chosen");
    })
    .await;
}

#[test]
fn a_foreign_page_cannot_switch_the_sampling() {
    let server = crate::server::start();
    let request = |headers: &str, body: &str| {
        raw(
            &server,
            format!(
                "POST /sampling HTTP/1.1\r\nhost: {}\r\n{headers}content-type: application/x-www-form-urlencoded\r\n\
                 content-length: {}\r\nconnection: close\r\n\r\n{body}",
                server.http_address(),
                body.len()
            )
            .as_bytes(),
        )
    };
    for headers in ["origin: http://evil.example\r\n", "origin: null\r\n", "sec-fetch-site: cross-site\r\n"] {
        assert!(request(headers, "sampling=aws").starts_with("HTTP/1.1 403 "), "{headers}");
    }
    assert_eq!(default_rule(&server)["FixedRate"], 1.0);
    assert!(request("", "sampling=nonsense").starts_with("HTTP/1.1 400 "));
    assert!(request("", "").starts_with("HTTP/1.1 400 "));
    let own = format!("origin: http://{}\r\nsec-fetch-site: same-origin\r\n", server.http_address());
    let answer = request(&own, "sampling=aws");
    assert!(answer.starts_with("HTTP/1.1 303 ") && answer.to_ascii_lowercase().contains("location: /\r\n"), "{answer}");
    assert_eq!(default_rule(&server)["FixedRate"], 0.05);
}

#[test]
fn with_a_rules_file_the_page_offers_no_switch() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rules.json");
    let server = Server::builder().address("127.0.0.1:0").rules_file(&path).start().unwrap();
    let page = ureq::get(format!("http://{}/", server.http_address())).call().unwrap().body_mut().read_to_string();
    assert!(!page.unwrap().contains("/sampling"));
    let address = server.http_address();
    let answer = raw(
        &server,
        format!(
            "POST /sampling HTTP/1.1\r\nhost: {address}\r\ncontent-length: 12\r\nconnection: close\r\n\r\nsampling=aws"
        )
        .as_bytes(),
    );
    assert!(answer.starts_with("HTTP/1.1 409 "), "{answer}");
    assert!(!path.exists());
}
