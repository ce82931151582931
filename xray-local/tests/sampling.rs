//! Sampling rules and targets through the API: operations, limits, and the rules file.

mod support;

use serde_json::{Value, json};
use support::{post, start};
use xray_local::{Server, StartError};

fn rule(name: &str) -> Value {
    json!({
        "RuleName": name, "ResourceARN": "*", "Priority": 10, "FixedRate": 0.5, "ReservoirSize": 4, "ServiceName": "shop*",
        "ServiceType": "*", "Host": "*", "HTTPMethod": "GET", "URLPath": "/carts/*", "Version": 1,
    })
}

fn with(mut rule: Value, name: &str, value: impl Into<Value>) -> Value {
    rule[name] = value.into();
    rule
}

fn create(server: &Server, rule: &Value) -> support::Answer {
    post(server, "/CreateSamplingRule", &json!({ "SamplingRule": rule }))
}

fn update(server: &Server, update: &Value) -> support::Answer {
    post(server, "/UpdateSamplingRule", &json!({ "SamplingRuleUpdate": update }))
}

fn names(server: &Server) -> Vec<String> {
    let rules = post(server, "/GetSamplingRules", &json!({ "NextToken": null })).ok();
    let records = rules["SamplingRuleRecords"].as_array().unwrap();
    records.iter().map(|record| record["SamplingRule"]["RuleName"].as_str().unwrap().to_owned()).collect()
}

fn statistics(name: &str, client: u32) -> Value {
    json!({ "RuleName": name, "ClientID": format!("{client:024x}"), "Timestamp": 1.5, "RequestCount": 9, "SampledCount": 2, "BorrowCount": 1 })
}

fn targets(server: &Server, documents: &[Value]) -> Value {
    post(server, "/SamplingTargets", &json!({ "SamplingStatisticsDocuments": documents })).ok()
}

#[test]
fn a_rule_is_created_read_updated_and_deleted() {
    let server = start();
    assert_eq!(names(&server), ["Default"]);
    let before = xray_local::time::now();
    let made = create(&server, &rule("carts")).ok();
    let record = &made["SamplingRuleRecord"];
    assert_eq!(record["SamplingRule"]["Attributes"], json!({}));
    let arn = record["SamplingRule"]["RuleARN"].as_str().unwrap();
    assert!(arn.starts_with("arn:aws:xray:") && arn.ends_with(":sampling-rule/carts"), "{arn}");
    assert!(record["CreatedAt"].as_f64().unwrap() >= before);
    create(&server, &with(rule("first"), "Priority", 1)).ok();
    assert_eq!(names(&server), ["first", "carts", "Default"], "ordered by priority");

    let changed = update(&server, &json!({ "RuleARN": arn, "FixedRate": 0.25 })).ok();
    let changed = &changed["SamplingRuleRecord"];
    assert_eq!((&changed["SamplingRule"]["FixedRate"], &changed["CreatedAt"]), (&json!(0.25), &record["CreatedAt"]));
    assert_eq!(changed["SamplingRule"]["URLPath"], "/carts/*", "other fields are unchanged");
    assert!(changed["ModifiedAt"].as_f64() >= record["ModifiedAt"].as_f64());

    let deleted = post(&server, "/DeleteSamplingRule", &json!({ "RuleName": "carts" })).ok();
    assert_eq!(&deleted["SamplingRuleRecord"], changed);
    assert_eq!(names(&server), ["first", "Default"]);
    let again = post(&server, "/DeleteSamplingRule", &json!({ "RuleName": "carts" })).invalid();
    assert!(again.contains("carts"), "{again}");
}

#[test]
fn a_rule_is_identified_by_its_name_or_its_own_arn() {
    let server = start();
    let made = create(&server, &rule("carts")).ok();
    let arn = &made["SamplingRuleRecord"]["SamplingRule"]["RuleARN"];
    for (identity, message) in [
        (json!({ "RuleName": "carts", "RuleARN": arn }), "both present"),
        (json!({ "RuleARN": "arn:aws:xray:eu-west-1:999999999999:sampling-rule/carts" }), "there is no sampling rule"),
        (json!({ "RuleName": "", "RuleARN": null }), "both missing"),
    ] {
        for answer in [update(&server, &identity), post(&server, "/DeleteSamplingRule", &identity)] {
            let refused = answer.invalid();
            assert!(refused.contains(message), "{refused}");
        }
    }
    assert_eq!(names(&server), ["carts", "Default"]);
    post(&server, "/DeleteSamplingRule", &json!({ "RuleARN": arn })).ok();
}

#[test]
fn a_value_beyond_a_limit_is_refused_with_the_name_of_its_field() {
    let server = start();
    let long = |length| "x".repeat(length);
    for (field, good, bad) in [
        ("RuleName", json!(long(32)), json!(long(33))),
        ("Priority", json!(9999), json!(10_000)),
        ("Priority", json!(1), json!(0)),
        ("FixedRate", json!(1), json!(1.01)),
        ("FixedRate", json!(0), json!(-0.01)),
        ("ReservoirSize", json!(0), json!(-1)),
        ("ServiceName", json!(long(64)), json!(long(65))),
        ("ServiceType", json!(long(64)), json!(long(65))),
        ("Host", json!("ß".repeat(64)), json!(long(65))),
        ("HTTPMethod", json!(long(10)), json!(long(11))),
        ("URLPath", json!(long(128)), json!(long(129))),
        ("ResourceARN", json!(long(500)), json!(long(501))),
        ("Version", json!(1), json!(2)),
        ("Attributes", json!({ long(32): long(32) }), json!({ "a": 1 })),
        ("Attributes", json!({ "a": "b" }), json!({ long(33): "b" })),
        ("Attributes", json!({}), json!({ "1": "" })),
        ("Attributes", json!({}), json!({ "1": "a", "2": "a", "3": "a", "4": "a", "5": "a", "6": "a" })),
        (
            "SamplingRateBoost",
            json!({ "MaxRate": 1, "CooldownWindowMinutes": 5 }),
            json!({ "MaxRate": 1.5, "CooldownWindowMinutes": 5 }),
        ),
    ] {
        let message = create(&server, &with(rule("limit"), field, bad)).invalid();
        assert!(message.contains(field), "{field}: {message}");
        let made = create(&server, &with(rule("limit"), field, good)).ok();
        let name = &made["SamplingRuleRecord"]["SamplingRule"]["RuleName"];
        post(&server, "/DeleteSamplingRule", &json!({ "RuleName": name })).ok();
    }
    assert_eq!(names(&server), ["Default"]);
    let mut nameless = rule("");
    assert!(create(&server, &nameless).invalid().contains("RuleName"));
    nameless["RuleARN"] = json!("arn:aws:xray:eu-west-1:1:group/x");
    assert!(create(&server, &nameless).invalid().contains("RuleARN"));
    nameless["RuleARN"] = json!("arn:aws:xray:eu-west-1:1:sampling-rule/by-arn");
    create(&server, &nameless).ok();
    assert!(create(&server, &with(nameless, "RuleName", "other")).invalid().contains("RuleARN"));
    assert!(update(&server, &json!({ "RuleName": "by-arn", "Priority": 0 })).invalid().contains("Priority"));
    assert!(update(&server, &json!({ "RuleName": "none", "Priority": 2 })).invalid().contains("none"));
    assert!(create(&server, &rule("by-arn")).invalid().contains("already"));
}

#[test]
fn at_most_25_rules_can_be_created() {
    let server = start();
    for number in 0..25 {
        create(&server, &rule(&format!("rule {number}"))).ok();
    }
    let answer = create(&server, &rule("one more"));
    assert_eq!((answer.status, &*answer.error), (400, "RuleLimitExceededException"));
    assert_eq!(names(&server).len(), 26);
}

#[test]
fn only_rate_and_reservoir_of_the_default_rule_can_be_updated() {
    let server = start();
    assert!(post(&server, "/DeleteSamplingRule", &json!({ "RuleName": "Default" })).invalid().contains("default"));
    assert!(update(&server, &json!({ "RuleName": "Default", "Host": "a" })).invalid().contains("default"));
    assert!(update(&server, &json!({ "RuleName": "Default", "Priority": 5 })).invalid().contains("Priority"));
    let changed = update(&server, &json!({ "RuleName": "Default", "FixedRate": 1, "ReservoirSize": 7 })).ok();
    assert_eq!(changed["SamplingRuleRecord"]["SamplingRule"]["ReservoirSize"], 7);
    assert!(create(&server, &with(rule("Default"), "Priority", 10_000)).invalid().contains("already"));
}

/// Returns the rate and the reservoir of the default rule.
fn default_rule(server: &Server) -> (f64, u64) {
    let rules = post(server, "/GetSamplingRules", &json!({})).ok();
    let mut records = rules["SamplingRuleRecords"].as_array().unwrap().iter();
    let rule = &records.find(|record| record["SamplingRule"]["RuleName"] == "Default").unwrap()["SamplingRule"];
    (rule["FixedRate"].as_f64().unwrap(), rule["ReservoirSize"].as_u64().unwrap())
}

#[test]
fn without_a_rules_file_the_only_rule_records_every_request() {
    let server = start();
    assert_eq!(names(&server), ["Default"]);
    assert_eq!(default_rule(&server), (1.0, 1));
}

#[test]
fn with_a_rules_file_the_default_rule_is_that_of_aws() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rules.json");
    let server = Server::builder().address("127.0.0.1:0").rules_file(path).start().unwrap();
    assert_eq!(default_rule(&server), (0.05, 1));
}

#[test]
fn rules_in_a_file_survive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rules.json");
    let start = || Server::builder().address("127.0.0.1:0").rules_file(&path).start();
    let server = start().unwrap();
    assert!(!path.exists(), "there is no rule to write");
    create(&server, &rule("carts")).ok();
    create(&server, &rule("other")).ok();
    update(&server, &json!({ "RuleName": "Default", "FixedRate": 0.75 })).ok();
    post(&server, "/DeleteSamplingRule", &json!({ "RuleName": "other" })).ok();
    let rules = post(&server, "/GetSamplingRules", &json!({})).ok();
    server.shutdown();

    let server = start().unwrap();
    assert_eq!(post(&server, "/GetSamplingRules", &json!({})).ok(), rules);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "no temporary file is left");
    server.shutdown();

    std::fs::write(&path, rules.to_string()).unwrap();
    assert_eq!(names(&start().unwrap()), ["carts", "Default"], "a response of the API is a valid rules file");
    for (bad, part) in [("{", "EOF"), (&rules.to_string().replace("0.75", "75"), "FixedRate")] {
        std::fs::write(&path, bad).unwrap();
        let error = start().unwrap_err();
        assert!(matches!(error, StartError::Rules { .. }), "{error}");
        assert!(error.to_string().contains("rules.json"), "{error}");
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains(part), "{source}");
        assert!(!error.to_string().contains(&source), "the message repeats its source: {error}");
    }
}

#[test]
fn a_file_has_at_most_the_rules_that_x_ray_allows() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rules.json");
    let start = || Server::builder().address("127.0.0.1:0").rules_file(&path).start();
    let server = start().unwrap();
    (0..25).for_each(|number| _ = create(&server, &rule(&format!("rule {number}"))).ok());
    let mut rules = post(&server, "/GetSamplingRules", &json!({})).ok();
    server.shutdown();

    start().unwrap();
    let records = rules["SamplingRuleRecords"].as_array_mut().unwrap();
    let mut another = records[0].clone();
    another["SamplingRule"]["RuleName"] = "another".into();
    another["SamplingRule"].as_object_mut().unwrap().remove("RuleARN");
    records.push(another);
    std::fs::write(&path, rules.to_string()).unwrap();
    let error = start().unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(source, "the file has 26 rules besides the default rule, and X-Ray allows at most 25");
}

#[test]
fn a_rule_that_cannot_be_written_to_the_file_is_not_created() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("folder");
    let server = Server::builder().address("127.0.0.1:0").rules_file(folder.join("rules.json")).start().unwrap();
    let answer = create(&server, &rule("carts"));
    assert_eq!((answer.status, &*answer.error), (500, "InternalFailureException"), "{answer:?}");
    assert_eq!(names(&server), ["Default"]);
    std::fs::create_dir(folder).unwrap();
    create(&server, &rule("carts")).ok();
}

#[test]
fn targets_divide_the_reservoir_and_unknown_rules_are_listed() {
    let server = start();
    create(&server, &rule("carts")).ok();
    let now = xray_local::time::now();
    let answer = targets(&server, &[statistics("carts", 1), statistics("Default", 1), statistics("gone", 1)]);
    let [carts, default] = &answer["SamplingTargetDocuments"].as_array().unwrap()[..] else { panic!("{answer}") };
    assert_eq!(
        (&carts["FixedRate"], &carts["ReservoirQuota"], &carts["Interval"]),
        (&json!(0.5), &json!(4), &json!(10))
    );
    assert!(carts["ReservoirQuotaTTL"].as_f64().unwrap() > now + 10.0, "longer than the interval");
    assert_eq!((&default["FixedRate"], &default["ReservoirQuota"]), (&json!(1.0), &json!(1)));
    let [unknown] = &answer["UnprocessedStatistics"].as_array().unwrap()[..] else { panic!("{answer}") };
    assert_eq!((&unknown["RuleName"], &unknown["ErrorCode"]), (&json!("gone"), &json!("400")));

    let second = targets(&server, &[statistics("carts", 2)]);
    assert_eq!(second["SamplingTargetDocuments"][0]["ReservoirQuota"], 0, "the first client holds the whole reservoir");
    assert_eq!(targets(&server, &[statistics("carts", 1)])["SamplingTargetDocuments"][0]["ReservoirQuota"], 2);
    assert_eq!(targets(&server, &[statistics("carts", 2)])["SamplingTargetDocuments"][0]["ReservoirQuota"], 2);

    let modified = answer["LastRuleModification"].as_f64().unwrap();
    update(&server, &json!({ "RuleName": "carts", "ReservoirSize": 2 })).ok();
    let answer = targets(&server, &[statistics("carts", 1)]);
    assert!(answer["LastRuleModification"].as_f64().unwrap() > modified);
    assert_eq!(answer["SamplingTargetDocuments"][0]["ReservoirQuota"], 0, "the second client holds both");
}

/// A called service reports for the rule that decided in the service where the trace began.
#[test]
fn the_report_of_any_service_boosts_a_rule_for_all_its_clients() {
    let server = start();
    let boost = json!({ "MaxRate": 0.9, "CooldownWindowMinutes": 5 });
    create(&server, &with(with(rule("carts"), "ServiceName", "shop"), "SamplingRateBoost", boost)).ok();
    let report = |unsampled: u32| json!({ "RuleName": "carts", "ServiceName": "stock", "Timestamp": 1, "AnomalyCount": 2, "TotalCount": 9, "SampledAnomalyCount": 2 - unsampled });
    let of_called = |unsampled| {
        let query =
            json!({ "SamplingStatisticsDocuments": [], "SamplingBoostStatisticsDocuments": [report(unsampled)] });
        assert_eq!(post(&server, "/SamplingTargets", &query).ok().get("UnprocessedBoostStatistics"), None);
    };
    let rate = || targets(&server, &[statistics("carts", 1)])["SamplingTargetDocuments"][0]["SamplingBoost"].take();
    of_called(0);
    assert_eq!(rate(), Value::Null, "all failures were sampled");
    of_called(1);
    assert_eq!(rate()["BoostRate"], 0.9);
}

#[test]
fn invalid_statistics_are_refused() {
    let server = start();
    let bad = with(statistics("Default", 1), "ClientID", "short");
    let answer = targets(&server, &[bad]);
    assert!(answer["UnprocessedStatistics"][0]["Message"].as_str().unwrap().contains("ClientID"), "{answer}");
    let many = vec![statistics("Default", 1); 26];
    let answer = post(&server, "/SamplingTargets", &json!({ "SamplingStatisticsDocuments": many }));
    assert!(answer.invalid().contains("25"));
    let negative = with(statistics("Default", 1), "RequestCount", -1);
    let answer = post(&server, "/SamplingTargets", &json!({ "SamplingStatisticsDocuments": [negative] }));
    assert!(answer.invalid().contains("RequestCount"));
}
