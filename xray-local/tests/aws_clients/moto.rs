//! The operations of X-Ray that moto has, each called with boto3 at moto and at `xray-local`.

use std::collections::BTreeMap;
use std::env;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::Clients;
use crate::support::{segment, start};

/// A server of moto, which ends when it is dropped.
struct Moto {
    process: Child,
    url: String,
}

impl Moto {
    /// Starts a server. Returns `None` if moto is not installed.
    fn start() -> Option<Self> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let program = workspace.join("target/moto/bin/moto_server");
        if !program.exists() {
            let hint = "python3 -m venv target/moto && target/moto/bin/pip install -r tests/aws-sdk/requirements.txt";
            assert!(env::var_os("XRAY_REAL_PARTS").is_none(), "XRAY_REAL_PARTS is set, but there is no moto: {hint}");
            println!("skipped: there is no moto ({hint})");
            return None;
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut process = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(process.try_wait().unwrap().is_none(), "moto has ended");
            thread::sleep(Duration::from_millis(20));
        }
        Some(Self { process, url: format!("http://127.0.0.1:{port}") })
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An operation, its parameters, and the fields that a response of moto lacks, each with the reason why a response of
/// `xray-local` has it.
type Call = (&'static str, Value, &'static [(&'static str, &'static str)]);

/// The types of the values in a response, by path. The elements of a list share a path.
type Shape = BTreeMap<String, &'static str>;

fn shape(answer: &Value) -> Shape {
    fn add(path: &str, value: &Value, shape: &mut Shape) {
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "flag",
            Value::Number(_) => "number",
            Value::String(_) => "text",
            Value::Array(elements) => {
                for element in elements {
                    add(&format!("{path}[]"), element, shape);
                }
                "list"
            }
            Value::Object(fields) => {
                for (name, value) in fields {
                    add(&format!("{path}.{name}"), value, shape);
                }
                "object"
            }
        };
        shape.insert(path.to_owned(), kind);
    }
    let mut shape = Shape::new();
    add("", answer, &mut shape);
    shape
}

/// Returns the paths that only the first shape has. What is below such a path is left out.
///
/// # Panics
///
/// If a path is missing from the first shape, or has another type there.
fn added(local: &Shape, moto: &Shape) -> Vec<String> {
    for (path, kind) in moto {
        assert_eq!(local.get(path), Some(kind), "{path}");
    }
    let mut added = Vec::<String>::new();
    for path in local.keys().filter(|path| !moto.contains_key(*path)) {
        let is_below = |above: &String| path.strip_prefix(above).is_some_and(|rest| rest.starts_with(['.', '[']));
        if !added.iter().any(is_below) {
            added.push(path.clone());
        }
    }
    added
}

#[test]
fn responses_have_the_shape_of_those_of_moto_and_more_fields() {
    let (server, Some(moto)) = (start(), Moto::start()) else { return };
    let (Some(local), Some(moto)) = (Clients::of(&server), Clients::at(moto.url.clone())) else { return };
    let mut shop = segment("shop");
    shop["user"] = json!("alice");
    shop["annotations"] = json!({ "tier": "gold" });
    shop["http"] = json!({
        "request": { "method": "GET", "url": "http://shop.example.com/" }, "response": { "status": 200 },
    });
    let mut without_id = segment("shop");
    without_id.as_object_mut().unwrap().remove("id");
    let documents = [shop.to_string(), without_id.to_string(), "no JSON".to_owned()];
    let times = json!({ "StartTime": 0, "EndTime": 9_999_999_999_u64 });
    let ids = json!({ "TraceIds": [shop["trace_id"], "1-581cf771-000000000000000000000000"] });

    let calls: [Call; 6] = [
        ("put_trace_segments", json!({ "TraceSegmentDocuments": documents }), &[]),
        ("put_telemetry_records", json!({ "TelemetryRecords": [{ "Timestamp": 1, "SegmentsReceivedCount": 1 }] }), &[]),
        (
            "batch_get_traces",
            ids.clone(),
            &[(".Traces[].LimitExceeded", "the model has the field, and moto has no limit for a trace")],
        ),
        (
            "get_trace_summaries",
            times.clone(),
            &[
                (".TraceSummaries[].Annotations.tier", "moto leaves annotations empty"),
                (".TraceSummaries[].AvailabilityZones", "moto has no resources"),
                (".TraceSummaries[].EntryPoint", "moto has no services"),
                (".TraceSummaries[].ErrorRootCauses", "moto has no root causes"),
                (".TraceSummaries[].FaultRootCauses", "moto has no root causes"),
                (".TraceSummaries[].Http.HttpMethod", "moto leaves requests empty"),
                (".TraceSummaries[].Http.HttpStatus", "moto leaves requests empty"),
                (".TraceSummaries[].Http.HttpURL", "moto leaves requests empty"),
                (".TraceSummaries[].InstanceIds", "moto has no resources"),
                (".TraceSummaries[].IsPartial", "moto misspells the name, so clients do not read it"),
                (".TraceSummaries[].ResourceARNs", "moto has no resources"),
                (".TraceSummaries[].ResponseTimeRootCauses", "moto has no root causes"),
                (".TraceSummaries[].Revision", "moto does not count the documents of a trace"),
                (".TraceSummaries[].ServiceIds[]", "moto has no services"),
                (".TraceSummaries[].StartTime", "the field is newer than moto's operation"),
                (".TraceSummaries[].Users[]", "moto leaves users empty"),
            ],
        ),
        (
            "get_service_graph",
            times,
            &[
                (".ContainsOldGroupVersions", "moto has no groups"),
                (".Services[]", "moto builds no graph, so its list is empty"),
            ],
        ),
        ("get_trace_graph", ids, &[(".Services[]", "moto builds no graph, so its list is empty")]),
    ];
    let queries = calls.each_ref().map(|(operation, query, _)| (*operation, query.clone()));
    let answers = local.many(&queries).into_iter().zip(moto.many(&queries));
    for ((operation, _, expected), (local, moto)) in calls.iter().zip(answers) {
        assert!(local.get("Error").or(moto.get("Error")).is_none(), "{operation}: {local:#}\n{moto:#}");
        let expected: Vec<_> = expected.iter().map(|(path, _)| *path).collect();
        assert_eq!(added(&shape(&local), &shape(&moto)), expected, "{operation}");
    }
}
