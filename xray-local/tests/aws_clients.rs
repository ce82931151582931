//! The API, tested with boto3 and the AWS command line. Both are generated from the public model and drop fields that
//! the model does not have. A response that passes through them unchanged therefore has the model's shapes.
//!
//! The clients are expected in the virtual environment `target/aws-clients`, which `.ci/run` creates. Without them the
//! tests are skipped, or fail if `XRAY_REAL_PARTS` is set.

mod support;

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use support::{call_of_names, post, segment, send_good, start};
use xray_local::Server;
use xray_local::store::Source;

/// Returns the `bin` folder of the virtual environment, or `None` if it does not exist.
fn clients() -> Option<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let programs = workspace.join("target/aws-clients/bin");
    if programs.join("aws").exists() {
        return Some(programs);
    }
    let hint = "python3 -m venv target/aws-clients && target/aws-clients/bin/pip install -r .ci/aws-clients.txt";
    assert!(
        env::var_os("XRAY_REAL_PARTS").is_none(),
        "XRAY_REAL_PARTS is set, but there is no boto3 and no AWS command line: {hint}"
    );
    println!("skipped: there is no boto3 and no AWS command line ({hint})");
    None
}

/// The clients, and the server that they call.
struct Clients<'a> {
    programs: PathBuf,
    server: &'a Server,
}

impl<'a> Clients<'a> {
    fn of(server: &'a Server) -> Option<Self> {
        Some(Self { programs: clients()?, server })
    }

    fn boto3(&self, operation: &str, parameters: &Value) -> Value {
        self.ask(operation, parameters, &[])
    }

    fn boto3_pages(&self, operation: &str, parameters: &Value, result: &str) -> Vec<Value> {
        self.ask(operation, parameters, &["--pages", result])[result].as_array().unwrap().clone()
    }

    fn ask(&self, operation: &str, parameters: &Value, more: &[&str]) -> Value {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/aws_clients/ask.py");
        let (url, parameters) = (self.url(), parameters.to_string());
        self.run("python", &[&[script, &url, operation, &parameters], more].concat())
            .unwrap_or_else(|error| panic!("{operation}: {error}"))
    }

    /// Runs `aws xray` and returns its output, or its error output if it fails.
    fn aws(&self, arguments: &[&str]) -> Result<Value, String> {
        self.run("aws", &[&["xray", "--output", "json", "--endpoint-url", &self.url()], arguments].concat())
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<Value, String> {
        let output = Command::new(self.programs.join(program))
            .args(arguments)
            .env_clear()
            .envs([("AWS_ACCESS_KEY_ID", "any"), ("AWS_SECRET_ACCESS_KEY", "any"), ("AWS_DEFAULT_REGION", "eu-west-1")])
            .envs([("AWS_CONFIG_FILE", "/dev/null"), ("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_PAGER", "")])
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .output()
            .unwrap();
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        Ok(serde_json::from_slice(&output.stdout).unwrap())
    }

    fn url(&self) -> String {
        format!("http://{}", self.server.http_address())
    }
}

/// Asserts that two values are equal. Numbers may differ by 0.0001: boto3 converts times to dates and rounds them.
#[track_caller]
fn assert_same(answer: &Value, expected: &Value) {
    fn is_same(one: &Value, other: &Value) -> bool {
        match (one, other) {
            (Value::Number(one), Value::Number(other)) => {
                (one.as_f64().unwrap() - other.as_f64().unwrap()).abs() < 1e-4
            }
            (Value::Array(one), Value::Array(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
            }
            (Value::Object(one), Value::Object(other)) => {
                one.len() == other.len()
                    && one.iter().all(|(key, one)| other.get(key).is_some_and(|other| is_same(one, other)))
            }
            _ => one == other,
        }
    }
    assert!(is_same(answer, expected), "{answer:#}\nis not\n{expected:#}");
}

/// Sends two traces that together use all shapes of a response, and returns their ids.
fn send_traces(server: &Server) -> [String; 2] {
    let names = call_of_names();
    let mut shop = segment("shop");
    let (start, end) = (shop["start_time"].clone(), shop["end_time"].clone());
    shop["fault"] = json!(true);
    shop["origin"] = json!("AWS::ECS::Container");
    shop["aws"] =
        json!({ "account_id": "123456789012", "ec2": { "instance_id": "i-1", "availability_zone": "eu-west-1a" } });
    let exception = json!({ "id": "0123456789abcdef", "type": "Refused", "message": "no" });
    shop["subsegments"] = json!([
        {
            "id": "53995c3f42cd8ad8", "name": "stock", "namespace": "remote", "start_time": start, "end_time": end,
            "fault": true, "cause": { "working_directory": "/", "paths": [], "exceptions": [exception] },
            "http": { "request": { "method": "GET", "url": "http://stock/items" } },
        },
        {
            "id": "1111111111111111", "name": "DynamoDB", "namespace": "aws", "start_time": start, "end_time": end,
            "aws": { "operation": "GetItem", "table_name": "carts" },
        },
    ]);
    for document in [&names, &shop] {
        send_good(server, document);
    }
    [names, shop].map(|document| document["trace_id"].as_str().unwrap().to_owned())
}

#[test]
fn boto3_and_the_command_line_return_every_field_of_the_api() {
    let server = start();
    let Some(clients) = Clients::of(&server) else { return };
    let [first, second] = &send_traces(&server);
    let times = json!({ "StartTime": 0, "EndTime": 9_999_999_999_u64 });
    let times_of_aws = ["--start-time", "0", "--end-time", "9999999999"];

    let summaries = post(&server, "/TraceSummaries", &times).ok();
    assert_eq!(summaries["TraceSummaries"].as_array().unwrap().len(), 2);
    assert_same(&clients.boto3("get_trace_summaries", &times), &summaries);
    let printed = clients.aws(&[&["get-trace-summaries"], &times_of_aws[..]].concat()).unwrap();
    assert_same(&printed["TraceSummaries"], &summaries["TraceSummaries"]);

    let ids = json!({ "TraceIds": [first, second] });
    let traces = post(&server, "/Traces", &ids).ok();
    assert_eq!(traces["Traces"][0]["Segments"].as_array().unwrap().len(), 2, "one is inferred");
    assert_same(&clients.boto3("batch_get_traces", &ids), &traces);
    assert_same(&clients.aws(&["batch-get-traces", "--trace-ids", first, second]).unwrap(), &traces);

    let graph = post(&server, "/ServiceGraph", &times).ok();
    let services = graph["Services"].as_array().unwrap();
    for name in ["Scorekeep", "names.example.com", "shop", "stock", "carts"] {
        assert!(services.iter().any(|service| service["Name"] == name), "{name}");
    }
    assert_same(&clients.boto3("get_service_graph", &times), &graph);
    let printed = clients.aws(&[&["get-service-graph"], &times_of_aws[..]].concat()).unwrap();
    assert_same(&printed["Services"], &graph["Services"]);

    let of_one = json!({ "TraceIds": [second] });
    assert_same(&clients.boto3("get_trace_graph", &of_one), &post(&server, "/TraceGraph", &of_one).ok());
}

#[test]
fn boto3_sends_documents_and_gets_the_rejected_ones() {
    let server = start();
    let Some(clients) = Clients::of(&server) else { return };
    let (good, mut bad) = (segment("shop"), segment("shop"));
    bad["name"] = json!("a<b>");
    let documents = json!({ "TraceSegmentDocuments": [good.to_string(), bad.to_string(), "T1S"] });
    let answer = clients.boto3("put_trace_segments", &documents);
    let [named, nameless] = &answer["UnprocessedTraceSegments"].as_array().unwrap()[..] else { panic!("{answer:#}") };
    assert_eq!((&named["Id"], &named["ErrorCode"]), (&bad["id"], &json!("InvalidName")));
    assert!(nameless.get("Id").is_none() && !nameless["Message"].as_str().unwrap().is_empty(), "{answer:#}");
    assert!(server.store().trace(good["trace_id"].as_str().unwrap()).is_some());
    let telemetry = json!({ "TelemetryRecords": [{ "Timestamp": 1, "SegmentsReceivedCount": 1 }] });
    assert_eq!(clients.boto3("put_telemetry_records", &telemetry), json!({}));
}

#[test]
fn boto3_reads_all_pages_and_recognizes_errors() {
    let server = start();
    let Some(clients) = Clients::of(&server) else { return };
    for _ in 0..1_100 {
        assert!(server.store().put(&segment("shop").to_string(), Source::Http).is_taken());
    }
    let mut query = json!({ "StartTime": 0, "EndTime": 9_999_999_999_u64, "TimeRangeType": "Event" });
    assert_eq!(clients.boto3_pages("get_trace_summaries", &query, "TraceSummaries").len(), 1_100);

    query["FilterExpression"] = json!("service(\"shop\") AND responsetime > x");
    let error = &clients.boto3("get_trace_summaries", &query)["Error"];
    assert_eq!(error["Code"], "InvalidRequestException");
    assert!(error["Message"].as_str().unwrap().contains("column 36"), "{error}");
    let arguments = ["get-trace-summaries", "--start-time", "0", "--end-time", "9", "--filter-expression", "nonsense"];
    let error = clients.aws(&arguments).unwrap_err();
    assert!(error.contains("InvalidRequestException") && error.contains("column 1"), "{error}");
}

#[test]
fn boto3_creates_rules_and_gets_targets() {
    let server = start();
    let Some(clients) = Clients::of(&server) else { return };
    let rule = json!({
        "RuleName": "carts", "ResourceARN": "*", "Priority": 10, "FixedRate": 0.5, "ReservoirSize": 4, "ServiceName": "shop",
        "ServiceType": "*", "Host": "*", "HTTPMethod": "GET", "URLPath": "/carts/*", "Version": 1,
        "Attributes": { "tier": "gold" }, "SamplingRateBoost": { "MaxRate": 0.9, "CooldownWindowMinutes": 5 },
    });
    let made = clients.boto3("create_sampling_rule", &json!({ "SamplingRule": rule }));
    let rules = post(&server, "/GetSamplingRules", &json!({})).ok();
    assert_same(&made["SamplingRuleRecord"], &rules["SamplingRuleRecords"][0]);
    assert_same(&clients.boto3("get_sampling_rules", &json!({})), &rules);
    assert_same(&clients.aws(&["get-sampling-rules"]).unwrap()["SamplingRuleRecords"], &rules["SamplingRuleRecords"]);

    let update = json!({ "SamplingRuleUpdate": { "RuleName": "carts", "FixedRate": 0.25 } });
    assert_eq!(clients.boto3("update_sampling_rule", &update)["SamplingRuleRecord"]["SamplingRule"]["FixedRate"], 0.25);
    let statistics = |name: &str| json!({ "RuleName": name, "ClientID": "0123456789abcdef01234567", "Timestamp": 1, "RequestCount": 1, "SampledCount": 1 });
    let documents = json!({ "SamplingStatisticsDocuments": [statistics("carts"), statistics("gone")] });
    let targets = clients.boto3("get_sampling_targets", &documents);
    let expected = post(&server, "/SamplingTargets", &documents).ok();
    assert_eq!(targets["SamplingTargetDocuments"][0]["ReservoirQuota"], 4);
    assert_same(&targets["UnprocessedStatistics"], &expected["UnprocessedStatistics"]);
    assert_same(&targets["LastRuleModification"], &expected["LastRuleModification"]);

    let again = clients.boto3("create_sampling_rule", &json!({ "SamplingRule": rule }));
    assert_eq!(again["Error"]["Code"], "InvalidRequestException");
    let deleted = clients.boto3("delete_sampling_rule", &json!({ "RuleName": "carts" }));
    assert_eq!(deleted["SamplingRuleRecord"]["SamplingRule"]["RuleName"], "carts");
}
