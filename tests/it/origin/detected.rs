//! Detected origins.

use std::fs;
use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};

use super::program::{run, run_for};
use super::service::{Answers, Service, no_http};
use support::refused_url;

/// Long enough for a program to ask a metadata service.
const A_WHILE: Duration = Duration::from_secs(2);

/// Returns the environment variables that make this the service of both EC2 and ECS.
fn both(service: &Service) -> Vec<(&'static str, String)> {
    let mut variables = service.variables().to_vec();
    variables.push(("AWS_EC2_METADATA_DISABLED", "false".to_owned()));
    variables
}

#[tokio::test]
async fn ec2() {
    for answers in [Answers::WithAllThereIs, Answers::AfterTheFirstSegment] {
        let service = Service::start(answers).await;
        let found = run("Ec2", &both(&service)).await;
        assert_eq!((&found.segments[1]["origin"], found.failures), (&json!("AWS::EC2::Instance"), 0), "{found:?}");
        assert_eq!(found.service_types[1], "AWS::EC2::Instance");
        let mut aws = found.segments[1]["aws"].clone();
        aws.as_object_mut().unwrap().remove("xray");
        let instance = json!({
            "instance_id": "i-1234567890abcdef0",
            "instance_size": "t2.micro",
            "ami_id": "ami-5fb8c835",
            "availability_zone": "us-west-2b",
        });
        assert_eq!(aws, json!({ "ec2": instance, "account_id": "123456789012" }));
        let asked = ["PUT /latest/api/token", "GET /latest/dynamic/instance-identity/document"];
        assert_eq!(service.take_asked(), asked, "the service is asked once, with a session token");
    }
}

#[tokio::test]
async fn ecs_goes_before_ec2() {
    let service = Service::start(Answers::WithAllThereIs).await;
    let found = run("Ec2 Ecs", &both(&service)).await;
    assert_eq!((&found.segments[1]["origin"], found.failures), (&json!("AWS::ECS::Container"), 0), "{found:?}");
    assert_eq!(found.service_types[1], "AWS::ECS::Container");
    let aws = &found.segments[1]["aws"];
    assert_eq!(aws["ec2"]["instance_id"], "i-1234567890abcdef0");
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let container = json!({
        "container": host.trim(),
        "container_id": "ea32192c8553fbff06c9340478a2ff089b2bb5646fb718b4ee206641c9086d66",
        "container_arn": "arn:aws:ecs:us-west-2:111122223333:container/0206b271-b33f-47ab-86c6-a0ba208a70a9",
        "task_arn": "arn:aws:ecs:us-west-2:111122223333:task/default/158d1c8083dd49d6b527399fd6414f5c",
        "task_family": "curltest",
        "cluster_arn": "arn:aws:ecs:us-west-2:111122223333:cluster/default",
        "availability_zone": "us-west-2d",
        "launch_type": "EC2",
    });
    assert_eq!(aws["ecs"], container);
    let arn = "arn:aws:logs:us-west-2:111122223333:log-group:/ecs/metadata";
    assert_eq!(aws["cloudwatch_logs"], json!([{ "log_group": "/ecs/metadata", "arn": arn }]));
}

#[tokio::test]
async fn a_wrong_answer_is_logged_once() {
    let bad = [
        (Answers::With(b""), "has an unexpected form"),
        (Answers::With(b"\xff\x00\xfe"), "has an unexpected form"),
        (Answers::With(b"<html>404</html>"), "has an unexpected form"),
        (Answers::With(b"[1, 2]"), "has an unexpected form"),
        (Answers::With(br#"{"instanceId": 7, "Cluster": 7}"#), "expected a string"),
        (Answers::With(br#"{"instanceId": {"a": 1}, "Cluster": ["a"]}"#), "expected a string"),
        (Answers::WithStatus(404), "the response has status 404"),
        (Answers::WithStatus(302), "the response has status 302"),
        (Answers::Hugely, "the response is larger than 65536 bytes"),
    ];
    for (answers, says) in bad {
        warns(answers, says, &[]).await;
    }
}

#[tokio::test]
async fn a_service_has_a_second() {
    for (answers, seconds, says) in [
        (Answers::Never, "", "no answer within 1s"),
        (Answers::Endlessly, "0", "no answer within 1s"),
        (Answers::Never, "61", "no answer within 1s"),
        (Answers::Never, "2", "no answer within 2s"),
    ] {
        warns(answers, says, &[("AWS_METADATA_SERVICE_TIMEOUT", seconds.to_owned())]).await;
    }
}

/// Checks that neither detector accepts these answers, and that each logs one warning with the reason.
async fn warns(answers: Answers, says: &str, variables: &[(&str, String)]) {
    join_all(["Ec2", "Ecs"].map(async |detector| {
        let service = Service::start(answers).await;
        let found = run(detector, &[&both(&service)[..], variables].concat()).await;
        assert_eq!((&found.segments[1].get("origin"), found.failures), (&None, 1), "{says}: {found:?}");
        let [warning] = &found.warnings[..] else { panic!("{found:?}") };
        assert!(warning.contains(says) && warning.contains(detector) && warning.len() < 300, "{says}: {warning}");
    }))
    .await;
}

#[tokio::test]
async fn an_address_without_a_service_is_logged_once() {
    for (endpoint, says) in [
        (format!("http://{}", no_http()), "the HTTP exchange failed"),
        ("https://169.254.169.254".to_owned(), "is not the URL of a metadata service"),
        ("x".repeat(100_000), "is not the URL of a metadata service"),
        (String::new(), "is not the URL of a metadata service"),
    ] {
        for (detector, variable) in
            [("Ec2", "AWS_EC2_METADATA_SERVICE_ENDPOINT"), ("Ecs", "ECS_CONTAINER_METADATA_URI_V4")]
        {
            let variables = [(variable, endpoint.clone()), ("AWS_EC2_METADATA_DISABLED", "false".to_owned())];
            let found = run(detector, &variables).await;
            assert_eq!((&found.segments[1].get("origin"), found.failures), (&None, 1), "{found:?}");
            assert!(found.warnings[0].contains(says) && found.warnings[0].len() < 400, "{:?}", found.warnings);
        }
    }
}

#[tokio::test]
async fn segments_do_not_wait_for_detection() {
    let service = Service::start(Answers::AfterTheFirstSegment).await;
    let found = run("Ec2", &both(&service)).await;
    assert_eq!(
        [&found.segments[0]["origin"], &found.service_types[0]],
        [&Value::Null; 2],
        "the first segment ends before detection"
    );
    assert_eq!([&found.segments[1]["origin"], &found.service_types[1]], ["AWS::EC2::Instance"; 2]);
}

#[tokio::test]
async fn without_a_metadata_service_nothing_is_detected() {
    let nobody = ("AWS_EC2_METADATA_SERVICE_ENDPOINT", refused_url());
    let found =
        run_for(A_WHILE, "ElasticBeanstalk Eks Ecs Ec2", &[nobody, ("AWS_EC2_METADATA_DISABLED", "false".to_owned())])
            .await;
    assert_eq!((&found.segments[1].get("origin"), found.failures, found.warnings.len()), (&None, 0, 0), "{found:?}");
    assert_eq!(found.segments[1]["aws"].as_object().unwrap().len(), 1, "the block holds the SDK alone");
}

#[tokio::test]
async fn no_service_is_asked_if_detection_is_disabled() {
    let service = Service::start(Answers::WithAllThereIs).await;
    let variables = |name, value: &str| [both(&service), vec![(name, value.to_owned())]].concat();
    for variables in [
        variables("AWS_EC2_METADATA_DISABLED", "true"),
        variables("AWS_LAMBDA_FUNCTION_NAME", "todo"),
        variables("AWS_XRAY_SDK_ENABLED", "false"),
    ] {
        let found = run_for(A_WHILE, "Ec2", &variables).await;
        assert_eq!((found.failures, service.take_asked()), (0, vec![]));
    }
}
