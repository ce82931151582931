//! The API, tested with boto3 and the AWS command line. Both are generated from the public model and drop fields that
//! the model does not have. A response that passes through them unchanged therefore has the model's shapes.
//!
//! The clients are expected in the virtual environment `target/aws-clients`, and moto in `target/moto`. `.ci/run`
//! creates both. Without them the tests are skipped, or fail if `XRAY_REAL_PARTS` is set.

#[path = "aws_clients/moto.rs"]
mod moto;
mod support;

use std::collections::BTreeSet;
use std::env;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use support::{call_of_names, post, segment, send_good, start};
use xray_local::store::Source;
use xray_local::{Server, time};

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

/// The clients, and the URL of the server that they call.
struct Clients {
    programs: PathBuf,
    url: String,
}

impl Clients {
    fn of(server: &Server) -> Option<Self> {
        Self::at(format!("http://{}", server.http_address()))
    }

    fn at(url: String) -> Option<Self> {
        Some(Self { programs: clients()?, url })
    }

    fn boto3(&self, operation: &str, parameters: &Value) -> Value {
        self.ask(operation, parameters, &[])
    }

    fn boto3_pages(&self, operation: &str, parameters: &Value, result: &str) -> Vec<Value> {
        self.ask(operation, parameters, &["--pages", result])[result].as_array().unwrap().clone()
    }

    fn ask(&self, operation: &str, parameters: &Value, more: &[&str]) -> Value {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/aws_clients/ask.py");
        let parameters = parameters.to_string();
        self.run("python", &[&[script, &self.url, operation, &parameters], more].concat())
            .unwrap_or_else(|error| panic!("{operation}: {error}"))
    }

    /// Calls operations one after the other. See `many.py`.
    fn many(&self, calls: &[(&str, Value)]) -> Vec<Value> {
        let mut command = self.command("python");
        command.args([concat!(env!("CARGO_MANIFEST_DIR"), "/tests/aws_clients/many.py"), &self.url]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(json!(calls).to_string().as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Runs `aws xray` and returns its output, or its error output if it fails.
    fn aws(&self, arguments: &[&str]) -> Result<Value, String> {
        self.run("aws", &[&["xray", "--output", "json", "--endpoint-url", &self.url], arguments].concat())
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<Value, String> {
        let output = self.command(program).args(arguments).output().unwrap();
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        Ok(serde_json::from_slice(&output.stdout).unwrap())
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command
            .env_clear()
            .envs([("AWS_ACCESS_KEY_ID", "any"), ("AWS_SECRET_ACCESS_KEY", "any"), ("AWS_DEFAULT_REGION", "eu-west-1")])
            .envs([("AWS_CONFIG_FILE", "/dev/null"), ("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_PAGER", "")])
            .env("PATH", env::var_os("PATH").unwrap_or_default());
        command
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

#[test]
fn boto3_calls_every_operation_and_reads_every_field() {
    let server = start();
    let Some(clients) = Clients::of(&server) else { return };
    let [first, second] = &send_traces(&server);
    let times = json!({ "StartTime": 0, "EndTime": 9_999_999_999_u64 });
    let with = |mut value: Value, more: Value| {
        value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        value
    };
    let rule = json!({
        "RuleName": "carts", "ResourceARN": "*", "Priority": 10, "FixedRate": 0.5, "ReservoirSize": 4, "ServiceName": "shop",
        "ServiceType": "*", "Host": "*", "HTTPMethod": "GET", "URLPath": "/carts/*", "Version": 1,
        "SamplingRateBoost": { "MaxRate": 0.9, "CooldownWindowMinutes": 5 },
    });
    let statistics = json!({ "RuleName": "carts", "ClientID": "0123456789abcdef01234567", "Timestamp": 1, "RequestCount": 9, "SampledCount": 3, "BorrowCount": 1 });
    let boost = json!({ "RuleName": "carts", "ServiceName": "shop", "Timestamp": 1, "AnomalyCount": 2, "TotalCount": 9, "SampledAnomalyCount": 1 });
    let other_boost = with(boost.clone(), json!({ "RuleName": "gone" }));
    let targets = json!({ "SamplingStatisticsDocuments": [statistics], "SamplingBoostStatisticsDocuments": [boost, other_boost] });
    let insight = json!({ "InsightId": "12345678-1234-1234-8234-123456789012" });
    let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
    let calls = [
        (
            "create_group",
            json!({ "GroupName": "faults", "FilterExpression": "fault", "InsightsConfiguration": { "InsightsEnabled": true, "NotificationsEnabled": false }, "Tags": [{ "Key": "team", "Value": "a" }] }),
        ),
        ("create_sampling_rule", json!({ "SamplingRule": rule, "Tags": [{ "Key": "team", "Value": "b" }] })),
        ("start_trace_retrieval", json!({ "TraceIds": [first, second], "StartTime": 0, "EndTime": 9_999_999_999_u64 })),
        ("get_group", json!({ "GroupName": "faults" })),
        ("get_groups", json!({})),
        ("update_group", json!({ "GroupARN": "$0.Group.GroupARN", "FilterExpression": "fault OR error" })),
        ("get_service_graph", with(times.clone(), json!({ "GroupName": "faults" }))),
        ("get_time_series_service_statistics", with(times.clone(), json!({ "GroupName": "Default" }))),
        (
            "get_time_series_service_statistics",
            with(times.clone(), json!({ "EntitySelectorExpression": "service(\"shop\")", "ForecastStatistics": true })),
        ),
        ("get_trace_summaries", with(times.clone(), json!({ "FilterExpression": "group.name = \"faults\"" }))),
        ("batch_get_traces", json!({ "TraceIds": [first] })),
        ("get_trace_graph", json!({ "TraceIds": [first] })),
        ("get_insight_summaries", with(times.clone(), json!({ "GroupName": "Default" }))),
        ("get_insight", insight.clone()),
        ("get_insight_events", insight.clone()),
        ("get_insight_impact_graph", with(insight, times.clone())),
        ("get_sampling_targets", targets),
        ("get_sampling_rules", json!({})),
        ("get_sampling_statistic_summaries", json!({})),
        ("update_sampling_rule", json!({ "SamplingRuleUpdate": { "RuleName": "carts", "FixedRate": 0.25 } })),
        ("get_trace_segment_destination", json!({})),
        ("update_trace_segment_destination", json!({ "Destination": "CloudWatchLogs" })),
        ("get_indexing_rules", json!({})),
        (
            "update_indexing_rule",
            json!({ "Name": "Default", "Rule": { "Probabilistic": { "DesiredSamplingPercentage": 5 } } }),
        ),
        ("list_retrieved_traces", json!({ "RetrievalToken": "$2.RetrievalToken" })),
        ("list_retrieved_traces", json!({ "RetrievalToken": "$2.RetrievalToken", "TraceFormat": "OTEL" })),
        ("get_retrieved_traces_graph", json!({ "RetrievalToken": "$2.RetrievalToken" })),
        ("cancel_trace_retrieval", json!({ "RetrievalToken": "$2.RetrievalToken" })),
        ("get_encryption_config", json!({})),
        ("put_encryption_config", json!({ "Type": "KMS", "KeyId": "alias/key" })),
        ("put_resource_policy", json!({ "PolicyName": "logs", "PolicyDocument": policy })),
        ("list_resource_policies", json!({})),
        (
            "delete_resource_policy",
            json!({ "PolicyName": "logs", "PolicyRevisionId": "$30.ResourcePolicy.PolicyRevisionId" }),
        ),
        ("tag_resource", json!({ "ResourceARN": "$0.Group.GroupARN", "Tags": [{ "Key": "stage", "Value": "test" }] })),
        ("list_tags_for_resource", json!({ "ResourceARN": "$0.Group.GroupARN" })),
        ("untag_resource", json!({ "ResourceARN": "$0.Group.GroupARN", "TagKeys": ["team"] })),
        ("list_tags_for_resource", json!({ "ResourceARN": "$1.SamplingRuleRecord.SamplingRule.RuleARN" })),
        ("put_trace_segments", json!({ "TraceSegmentDocuments": ["{"] })),
        ("put_telemetry_records", json!({ "TelemetryRecords": [{ "Timestamp": 1, "SegmentsReceivedCount": 1 }] })),
        ("delete_group", json!({ "GroupName": "faults" })),
        ("delete_sampling_rule", json!({ "RuleName": "carts" })),
    ];
    let operations: BTreeSet<&str> = calls.iter().map(|(operation, _)| *operation).collect();
    assert_eq!(operations.len(), 38);
    let answers = clients.many(&calls);
    let answer = |operation: &str| &answers[calls.iter().position(|(known, _)| *known == operation).unwrap()];
    let failed: Vec<_> = calls.iter().zip(&answers).filter(|(_, answer)| answer.get("Error").is_some()).collect();
    let failed: Vec<_> = failed.into_iter().map(|((operation, _), answer)| (*operation, answer)).collect();
    let of_insights = ["get_insight", "get_insight_events", "get_insight_impact_graph"];
    assert_eq!(failed.iter().map(|(operation, _)| *operation).collect::<Vec<_>>(), of_insights, "{failed:#?}");
    assert!(failed.iter().all(|(_, answer)| answer["Error"]["Code"] == "InvalidRequestException"), "{failed:#?}");

    let group = &answer("create_group")["Group"];
    assert_eq!(
        (&group["FilterExpression"], &group["InsightsConfiguration"]["InsightsEnabled"]),
        (&json!("fault"), &json!(true))
    );
    assert_eq!(answer("get_group")["Group"], *group);
    assert_eq!(answer("get_groups")["Groups"][1], *group);
    assert_eq!(answer("update_group")["Group"]["FilterExpression"], "fault OR error");
    let services = answer("get_service_graph")["Services"].as_array().unwrap();
    assert!(
        services.iter().all(|service| service["Name"] != "Scorekeep"),
        "the trace without a fault is not in the group"
    );
    assert_eq!(answer("get_trace_summaries")["TraceSummaries"].as_array().unwrap().len(), 1);
    let cause = &answer("get_trace_summaries")["TraceSummaries"][0]["ResponseTimeRootCauses"][0]["Services"];
    assert_eq!((&cause[0]["Name"], &cause[0]["EntityPath"][0]["Coverage"]), (&json!("shop"), &json!(1.0)));
    let series = answer("get_time_series_service_statistics")["TimeSeriesServiceStatistics"].as_array().unwrap();
    let total: i64 = series.iter().map(|entry| entry["EdgeSummaryStatistics"]["TotalCount"].as_i64().unwrap()).sum();
    assert_eq!((series.len(), total), (2, 2));
    let of_service = &answers[8]["TimeSeriesServiceStatistics"][0];
    assert_eq!(of_service["ServiceSummaryStatistics"]["FaultStatistics"]["TotalCount"], 1);
    assert_eq!(of_service["ServiceForecastStatistics"]["FaultCountHigh"], 1);
    assert_eq!(of_service["ResponseTimeHistogram"][0]["Value"], 0.5);

    let target = &answer("get_sampling_targets")["SamplingTargetDocuments"][0];
    assert_eq!(target["SamplingBoost"]["BoostRate"], 0.9);
    let lasts = target["SamplingBoost"]["BoostRateTTL"].as_f64().unwrap() - time::now();
    assert!((50.0..=60.0).contains(&lasts), "{lasts}");
    let unprocessed = &answer("get_sampling_targets")["UnprocessedBoostStatistics"];
    assert_eq!((unprocessed.as_array().unwrap().len(), &unprocessed[0]["RuleName"]), (1, &json!("gone")));
    let summary = &answer("get_sampling_statistic_summaries")["SamplingStatisticSummaries"][0];
    assert_eq!((&summary["RuleName"], &summary["RequestCount"]), (&json!("carts"), &json!(9)));
    assert_eq!((&summary["BorrowCount"], &summary["SampledCount"]), (&json!(1), &json!(3)));

    let retrieved = answer("list_retrieved_traces");
    assert_eq!((&retrieved["RetrievalStatus"], &retrieved["TraceFormat"]), (&json!("COMPLETE"), &json!("XRAY")));
    let ids: Vec<_> = retrieved["Traces"].as_array().unwrap().iter().map(|trace| &trace["Id"]).collect();
    assert_eq!(ids, [first, second]);
    let span: Value = serde_json::from_str(answers[25]["Traces"][1]["Spans"][0]["Document"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&span["name"], &span["kind"], &span["status"]["code"]),
        (&json!("shop"), &json!("SERVER"), &json!("ERROR"))
    );
    assert_eq!(span["traceId"], second["1-".len()..].replace('-', ""));
    let services = answer("get_retrieved_traces_graph")["Services"].as_array().unwrap();
    assert!(services.iter().any(|service| service["Service"]["Name"] == "Scorekeep"), "{services:#?}");

    assert_eq!(answer("get_trace_segment_destination"), &json!({ "Destination": "XRay", "Status": "ACTIVE" }));
    assert_eq!(
        answer("update_trace_segment_destination"),
        &json!({ "Destination": "CloudWatchLogs", "Status": "PENDING" })
    );
    assert_eq!(
        answer("get_indexing_rules")["IndexingRules"][0]["Rule"]["Probabilistic"]["DesiredSamplingPercentage"],
        1.0
    );
    assert_eq!(
        answer("update_indexing_rule")["IndexingRule"]["Rule"]["Probabilistic"]["ActualSamplingPercentage"],
        5.0
    );
    assert_eq!(answer("get_encryption_config"), &json!({ "EncryptionConfig": { "Status": "ACTIVE", "Type": "NONE" } }));
    assert_eq!(answer("put_encryption_config")["EncryptionConfig"]["KeyId"], "alias/key");
    let listed = &answer("list_resource_policies")["ResourcePolicies"];
    assert_eq!((&listed[0]["PolicyDocument"], &listed[0]["PolicyRevisionId"]), (&json!(policy), &json!("1")));
    let tags = json!([{ "Key": "stage", "Value": "test" }, { "Key": "team", "Value": "a" }]);
    assert_eq!(answer("list_tags_for_resource")["Tags"], tags);
    assert_eq!(answers[36]["Tags"], json!([{ "Key": "team", "Value": "b" }]));
}

#[test]
fn boto3_drops_no_field_of_a_response() {
    let server = start();
    let Some(clients) = Clients::of(&server) else { return };
    let [first, second] = &send_traces(&server);
    let mut linked = segment("linked");
    linked["links"] = json!([{ "trace_id": first, "id": "194fcc8747581230" }]);
    send_good(&server, &linked);
    let times = json!({ "StartTime": 0, "EndTime": 9_999_999_999_u64 });
    let made = post(
        &server,
        "/CreateGroup",
        &json!({ "GroupName": "faults", "FilterExpression": "fault", "Tags": [{ "Key": "team", "Value": "a" }] }),
    )
    .ok();
    let arn = &made["Group"]["GroupARN"];
    post(&server, "/PutResourcePolicy", &json!({ "PolicyName": "logs", "PolicyDocument": "{\"Statement\":[]}" })).ok();
    post(&server, "/PutEncryptionConfig", &json!({ "Type": "KMS", "KeyId": "alias/key" })).ok();
    let statistics = json!({ "RuleName": "Default", "ClientID": "0123456789abcdef01234567", "Timestamp": 1, "RequestCount": 9, "SampledCount": 3 });
    post(&server, "/SamplingTargets", &json!({ "SamplingStatisticsDocuments": [statistics] })).ok();
    let ids = json!([first, second, linked["trace_id"]]);
    let retrieval = json!({ "TraceIds": ids, "StartTime": 0, "EndTime": 9_999_999_999_u64 });
    let token = json!({ "RetrievalToken": post(&server, "/StartTraceRetrieval", &retrieval).ok()["RetrievalToken"] });
    let mut of_service = times.clone();
    of_service["EntitySelectorExpression"] = json!("service(\"shop\")");
    of_service["ForecastStatistics"] = json!(true);
    let calls = [
        ("get_groups", "/Groups", json!({})),
        ("get_group", "/GetGroup", json!({ "GroupName": "faults" })),
        ("list_tags_for_resource", "/ListTagsForResource", json!({ "ResourceARN": arn })),
        ("list_resource_policies", "/ListResourcePolicies", json!({})),
        ("get_encryption_config", "/EncryptionConfig", json!({})),
        ("get_indexing_rules", "/GetIndexingRules", json!({})),
        ("get_trace_segment_destination", "/GetTraceSegmentDestination", json!({})),
        ("get_sampling_statistic_summaries", "/SamplingStatisticSummaries", json!({})),
        ("get_insight_summaries", "/InsightSummaries", times.clone()),
        ("get_time_series_service_statistics", "/TimeSeriesServiceStatistics", times),
        ("get_time_series_service_statistics", "/TimeSeriesServiceStatistics", of_service),
        ("list_retrieved_traces", "/ListRetrievedTraces", token.clone()),
        ("get_retrieved_traces_graph", "/GetRetrievedTracesGraph", token),
    ];
    let answers = clients.many(&calls.each_ref().map(|(operation, _, query)| (*operation, query.clone())));
    for ((_, path, query), answer) in calls.iter().zip(&answers) {
        assert_same(answer, &post(&server, path, query).ok());
    }
}

/// Makes the calls of Grafana's data source for X-Ray, taken from its source code (`grafana/x-ray-datasource`, folder
/// `pkg/datasource`, 2026). Checks the fields that the data source reads without testing whether they exist.
#[test]
fn grafanas_data_source_gets_what_it_reads() {
    let server = start();
    let Some(clients) = Clients::of(&server) else { return };
    let [first, second] = &send_traces(&server);
    let to = time::now() + 60.0;
    let range = |from: f64, to: f64| json!({ "StartTime": from, "EndTime": to });
    let with = |mut value: Value, more: Value| {
        value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        value
    };
    let all = range(1_000_000_000.0, to);
    let quarter = |number: f64| {
        let length = (to - 1_000_000_000.0) / 4.0;
        let start = 1_000_000_000.0 + length * number;
        let strategy = json!({ "Sampling": true, "SamplingStrategy": { "Name": "FixedRate", "Value": 1.0 }, "TimeRangeType": "Event" });
        ("get_trace_summaries", with(range(start, start + length), strategy))
    };
    let answers = clients.many(&[
        // CheckHealth.go and getGroups.go
        ("get_groups", json!({})),
        // getTraceSummaries.go
        ("get_trace_summaries", all.clone()),
        ("get_trace_summaries", with(all.clone(), json!({ "FilterExpression": "fault" }))),
        // getTrace.go
        ("batch_get_traces", json!({ "TraceIds": [first] })),
        ("get_trace_graph", json!({ "TraceIds": [first] })),
        // getServiceMap.go
        ("get_service_graph", with(all.clone(), json!({ "GroupName": "$0.Groups.0.GroupName" }))),
        // getTimeSeriesServiceStatistics.go
        ("get_time_series_service_statistics", with(all.clone(), json!({ "Period": 60 }))),
        (
            "get_time_series_service_statistics",
            with(all.clone(), json!({ "Period": 300, "EntitySelectorExpression": "edge(\"shop\", \"stock\")" })),
        ),
        // getAnalytics.go
        ("get_time_series_service_statistics", with(all.clone(), json!({ "Period": 60, "GroupName": "Default" }))),
        quarter(0.0),
        quarter(1.0),
        quarter(2.0),
        quarter(3.0),
        // getInsights.go
        ("get_insight_summaries", with(all.clone(), json!({ "GroupName": "Default" }))),
        ("get_insight_summaries", with(all, json!({ "GroupName": "Default", "States": ["ACTIVE"] }))),
    ]);
    assert!(answers.iter().all(|answer| answer.get("Error").is_none()), "{answers:#?}");
    assert_eq!(answers[0]["Groups"][0]["GroupName"], "Default");
    assert_eq!(answers[1]["TraceSummaries"].as_array().unwrap().len(), 2);
    assert_eq!(answers[2]["TraceSummaries"][0]["Id"], *second);
    assert_eq!(answers[3]["Traces"][0]["Id"], *first);
    assert!(answers[4]["Services"].is_array() && answers[5]["Services"].is_array());
    let count = |answer: &Value| -> i64 {
        let entries = answer["TimeSeriesServiceStatistics"].as_array().unwrap().iter();
        entries.map(|entry| entry["EdgeSummaryStatistics"]["TotalCount"].as_i64().unwrap()).sum()
    };
    assert_eq!([count(&answers[6]), count(&answers[7]), count(&answers[8])], [2, 1, 2]);
    for field in ["ThrottleCount", "OtherCount", "TotalCount"] {
        let statistics = &answers[6]["TimeSeriesServiceStatistics"][0]["EdgeSummaryStatistics"];
        assert!(statistics["ErrorStatistics"][field].is_number(), "{field}");
    }
    let summaries: Vec<&Value> =
        answers[9..=12].iter().flat_map(|answer| answer["TraceSummaries"].as_array().unwrap()).collect();
    assert_eq!(summaries.len(), 2, "both arrived in the last quarter");
    for summary in summaries {
        assert!(summary["Http"].is_object());
        for causes in ["ResponseTimeRootCauses", "FaultRootCauses", "ErrorRootCauses"] {
            for service in
                summary[causes].as_array().unwrap().iter().flat_map(|cause| cause["Services"].as_array().unwrap())
            {
                assert!(service["Name"].is_string() && service["Type"].is_string(), "{causes}: {service:#}");
                let path = service["EntityPath"].as_array().unwrap();
                assert!(
                    path.iter().all(|entity| entity["Name"].is_string()) && !path.is_empty(),
                    "{causes}: {service:#}"
                );
                let exceptions = path.iter().filter_map(|entity| entity["Exceptions"].as_array()).flatten();
                exceptions.for_each(|exception| assert!(exception["Name"].is_string(), "{causes}: {exception:#}"));
            }
        }
    }
    assert_eq!(answers[13], json!({ "InsightSummaries": [] }));
}
