//! The resource of a document's spans: the service, the SDK, and the AWS resource on which the program runs.

use serde_json::Value as Json;

use super::names::SpanNames;
use super::wire::{Value, WriteAttribute as _};
use crate::document::{Document, Sdk};
use crate::support::json::Object;

/// Keys of blocks in `aws`, and the OpenTelemetry attributes with the same meaning. (Resource semantic conventions,
/// "AWS", "Cloud", "Container" and "Host"; the collector's X-Ray exporter, `internal/translator/aws.go`.)
const KEYS: [(&str, &str, &str); 18] = [
    ("ec2", "instance_id", "host.id"),
    ("ec2", "instance_size", "host.type"),
    ("ec2", "ami_id", "host.image.id"),
    ("ec2", "availability_zone", ZONE),
    ("ecs", "container", "container.name"),
    ("ecs", "container_id", CONTAINER_ID),
    ("ecs", "container_arn", "aws.ecs.container.arn"),
    ("ecs", "cluster_arn", "aws.ecs.cluster.arn"),
    ("ecs", "task_arn", "aws.ecs.task.arn"),
    ("ecs", "task_family", "aws.ecs.task.family"),
    ("ecs", "availability_zone", ZONE),
    // ECS writes the launch type in capitals. For `ec2` and `fargate` in lower case, the exporter would change the
    // origin.
    ("ecs", "launch_type", LAUNCH_TYPE),
    ("eks", "cluster_name", "k8s.cluster.name"),
    ("eks", "pod", "k8s.pod.name"),
    ("eks", "container_id", CONTAINER_ID),
    ("elastic_beanstalk", "environment_name", "service.namespace"),
    ("elastic_beanstalk", "deployment_id", "service.instance.id"),
    ("elastic_beanstalk", "version_label", "service.version"),
];

const ZONE: &str = "cloud.availability_zone";
const CONTAINER_ID: &str = "container.id";
const LAUNCH_TYPE: &str = "aws.ecs.launchtype";

/// Writes the resource of a segment or of an independent subsegment. An independent subsegment does not know the name
/// of its segment, so its resource has `service_name`.
pub(super) fn write_resource(document: &Document, service_name: &str, names: SpanNames, json: &mut Vec<u8>) {
    let mut object = Object::begin(json);
    object.list("attributes", |list| {
        for (key, value) in resource(document, service_name, names).0 {
            list.attribute(key, value);
        }
    });
    object.end();
}

/// The attributes of a resource, each key once.
struct Resource<'a>(Vec<(&'static str, Value<'a>)>);

fn resource<'a>(document: &'a Document, service_name: &'a str, names: SpanNames) -> Resource<'a> {
    let name = if document.kind.is_none() { &document.name } else { service_name };
    let mut resource = Resource(Vec::with_capacity(16));
    resource.set("service.name", name);
    let this = Sdk::this(None);
    let sdk = document.aws.as_ref().and_then(|aws| aws.xray.as_ref());
    let version = sdk.map_or(this.sdk_version, |sdk| sdk.sdk_version.clone());
    let sdk = sdk.map_or(this.sdk, |sdk| sdk.sdk.clone());
    resource.set("telemetry.sdk.name", Value::Text(sdk));
    resource.set("telemetry.sdk.version", Value::Text(version));
    // The collector's exporter joins the name and the language to `X-Ray for Rust for rust`.
    if names == SpanNames::OpenTelemetry {
        resource.set("telemetry.sdk.language", "rust");
    }
    if document.kind.is_none() {
        resource.add_origin(document);
    }
    resource
}

impl<'a> Resource<'a> {
    /// Sets an attribute, unless it is set already.
    fn set(&mut self, key: &'static str, value: impl Into<Value<'a>>) {
        if self.0.iter().all(|(set, _)| *set != key) {
            self.0.push((key, value.into()));
        }
    }

    /// Adds the AWS resource on which a segment ran.
    fn add_origin(&mut self, segment: &'a Document) {
        if let Some((platform, launch_type)) = segment.origin.as_deref().and_then(platform) {
            self.set("cloud.provider", "aws");
            self.set("cloud.platform", platform);
            if let Some(launch_type) = launch_type {
                self.set(LAUNCH_TYPE, launch_type);
            }
        }
        let Some(aws) = &segment.aws else { return };
        for (block, key, attribute) in KEYS {
            match aws.other.get(block).and_then(|block| block.get(key)) {
                Some(Json::String(text)) => self.set(attribute, text.as_str()),
                Some(Json::Number(number)) => self.set(attribute, number.to_string()),
                _ => {}
            }
        }
        if let Some(account) = aws.other.get("account_id").and_then(Json::as_str) {
            self.set("cloud.account.id", account);
        }
        self.add_log_groups(aws.other.get("cloudwatch_logs"));
    }

    /// Adds the log groups by their ARNs, or by their names if one of them has no ARN.
    fn add_log_groups(&mut self, groups: Option<&'a Json>) {
        let Some(groups) = groups.and_then(Json::as_array).filter(|groups| !groups.is_empty()) else { return };
        let texts =
            |key| groups.iter().map(move |group| group.get(key).and_then(Json::as_str)).collect::<Option<Vec<_>>>();
        if let Some(arns) = texts("arn") {
            self.set("aws.log.group.arns", Value::Texts(arns));
        } else if let Some(names) = texts("log_group") {
            self.set("aws.log.group.names", Value::Texts(names));
        }
    }
}

/// Returns the `cloud.platform` and the ECS launch type of an origin.
fn platform(origin: &str) -> Option<(&'static str, Option<&'static str>)> {
    Some(match origin {
        "AWS::EC2::Instance" => ("aws_ec2", None),
        "AWS::ECS::Container" => ("aws_ecs", None),
        "AWS::ECS::EC2" => ("aws_ecs", Some("ec2")),
        "AWS::ECS::Fargate" => ("aws_ecs", Some("fargate")),
        "AWS::EKS::Container" => ("aws_eks", None),
        "AWS::ElasticBeanstalk::Environment" => ("aws_elastic_beanstalk", None),
        "AWS::AppRunner::Service" => ("aws_app_runner", None),
        _ => return None,
    })
}

/// Returns whether a key of a segment's `aws` block is part of its resource.
pub(super) fn is_of_resource(key: &str) -> bool {
    matches!(key, "account_id" | "cloudwatch_logs") || KEYS.iter().any(|(block, ..)| *block == key)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::id::SegmentId;

    #[test]
    fn the_resource_names_the_platform_and_its_keys() {
        for (origin, platform, launch_type) in [
            ("AWS::EC2::Instance", Some("aws_ec2"), None),
            ("AWS::ECS::Container", Some("aws_ecs"), None),
            ("AWS::ECS::EC2", Some("aws_ecs"), Some("ec2")),
            ("AWS::ECS::Fargate", Some("aws_ecs"), Some("fargate")),
            ("AWS::EKS::Container", Some("aws_eks"), None),
            ("AWS::ElasticBeanstalk::Environment", Some("aws_elastic_beanstalk"), None),
            ("AWS::AppRunner::Service", Some("aws_app_runner"), None),
            ("AWS::Own::Thing", None, None),
        ] {
            let mut document = Document::new(SegmentId::random(), "shop".to_owned(), 1.0);
            document.origin = Some(origin.into());
            let block = json!({ "deployment_id": 32, "version_label": "v1", "environment_name": null });
            document.aws.get_or_insert_default().other.insert("elastic_beanstalk".to_owned(), block);
            let resource = resource(&document, "service", SpanNames::XRay).0;
            let value = |key: &str| resource.iter().find(|(set, _)| *set == key).map(|(_, value)| value);
            for (key, expected) in [
                ("service.name", Some("shop")),
                ("cloud.provider", platform.map(|_| "aws")),
                ("cloud.platform", platform),
                (LAUNCH_TYPE, launch_type),
                ("service.instance.id", Some("32")),
                ("service.version", Some("v1")),
                ("service.namespace", None),
            ] {
                assert_eq!(value(key), expected.map(Value::from).as_ref(), "{origin}: {key}");
            }
        }
    }
}
