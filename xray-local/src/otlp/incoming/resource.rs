//! The resource of spans: the fields of their segments that describe the program and the machine.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::resource::v1::Resource as Message;
use serde_json::{Map, Value, json};

use super::attributes::{entry, json as json_of, text, texts};

/// The parts of segments that depend only on the resource.
#[derive(Default)]
pub(super) struct Resource {
    /// The name of the service.
    pub(super) service_name: Option<String>,
    /// The programming language, which determines the format of stack traces.
    pub(super) language: String,
    /// The field `origin`.
    pub(super) origin: Option<&'static str>,
    /// The field `service`.
    pub(super) service: Option<Value>,
    /// The field `aws`. `None` if the program runs in another cloud.
    pub(super) aws: Option<Map<String, Value>>,
    /// The AWS account.
    pub(super) account_id: Option<String>,
    /// All attributes, for the metadata.
    pub(super) metadata: Vec<(String, Value)>,
}

/// The attributes that the `aws` block is made of.
#[derive(Default)]
struct Known {
    cloud: Option<String>,
    platform: Option<String>,
    zone: Option<String>,
    host_id: Option<String>,
    host_type: Option<String>,
    image: Option<String>,
    container: Option<String>,
    container_id: Option<String>,
    container_arn: Option<String>,
    image_tag: Option<String>,
    cluster_arn: Option<String>,
    task_arn: Option<String>,
    task_family: Option<String>,
    launch_type: Option<String>,
    cluster: Option<String>,
    pod: Option<String>,
    namespace: Option<String>,
    instance_id: Option<String>,
    version: Option<String>,
    sdk: Option<String>,
    sdk_version: Option<String>,
    distribution_version: Option<String>,
    log_groups: Vec<String>,
    log_group_arns: Vec<String>,
}

impl Resource {
    pub(super) fn of(message: Message) -> Self {
        let mut resource = Self::default();
        let mut known = Known::default();
        for attribute in message.attributes {
            resource.read(attribute, &mut known);
        }
        resource.origin = known.origin();
        let version = known.version.clone().or_else(|| known.image_tag.clone());
        resource.service = version.map(|version| json!({ "version": version }));
        resource.aws = known.is_aws().then(|| known.aws(&resource));
        resource
    }

    fn read(&mut self, attribute: KeyValue, known: &mut Known) {
        let Some((key, value)) = entry(attribute) else { return };
        self.metadata.push((format!("otel.resource.{key}"), json_of(value.clone())));
        let field = match key.as_str() {
            "service.name" => &mut self.service_name,
            "cloud.account.id" => &mut self.account_id,
            "cloud.provider" => &mut known.cloud,
            "cloud.platform" => &mut known.platform,
            "cloud.availability_zone" => &mut known.zone,
            "host.id" => &mut known.host_id,
            "host.type" => &mut known.host_type,
            "host.image.id" => &mut known.image,
            "container.name" => &mut known.container,
            "container.id" => &mut known.container_id,
            "container.image.tag" => &mut known.image_tag,
            "aws.ecs.container.arn" => &mut known.container_arn,
            "aws.ecs.cluster.arn" => &mut known.cluster_arn,
            "aws.ecs.task.arn" => &mut known.task_arn,
            "aws.ecs.task.family" => &mut known.task_family,
            "aws.ecs.launchtype" => &mut known.launch_type,
            "k8s.cluster.name" => &mut known.cluster,
            "k8s.pod.name" => &mut known.pod,
            "service.namespace" => &mut known.namespace,
            "service.instance.id" => &mut known.instance_id,
            "service.version" => &mut known.version,
            "telemetry.sdk.name" => &mut known.sdk,
            "telemetry.sdk.version" => &mut known.sdk_version,
            "telemetry.auto.version" | "telemetry.distro.version" => &mut known.distribution_version,
            "telemetry.sdk.language" => return self.language = text(value).unwrap_or_default(),
            "aws.log.group.names" => return known.log_groups = log_groups(texts(value)),
            "aws.log.group.arns" => return known.log_group_arns = log_groups(texts(value)),
            _ => return,
        };
        *field = text(value);
    }
}

impl Known {
    fn is_aws(&self) -> bool {
        self.cloud.as_deref().is_none_or(|cloud| cloud == "aws")
    }

    fn origin(&self) -> Option<&'static str> {
        let platform = self.platform.as_deref().filter(|_| self.is_aws())?;
        Some(match (platform, self.launch_type.as_deref()) {
            ("aws_app_runner", _) => "AWS::AppRunner::Service",
            ("aws_eks", _) => "AWS::EKS::Container",
            ("aws_elastic_beanstalk", _) => "AWS::ElasticBeanstalk::Environment",
            ("aws_ecs", Some("ec2")) => "AWS::ECS::EC2",
            ("aws_ecs", Some("fargate")) => "AWS::ECS::Fargate",
            ("aws_ecs", _) => "AWS::ECS::Container",
            ("aws_ec2", _) => "AWS::EC2::Instance",
            _ => return None,
        })
    }

    fn aws(self, resource: &Resource) -> Map<String, Value> {
        let is_on = |platform: &str| self.platform.as_deref() == Some(platform);
        let (on_machine, in_container) = (is_on("aws_ec2") || self.host_id.is_some(), is_on("aws_ecs"));
        let (in_pod, on_beanstalk) = (is_on("aws_eks") || self.cluster.is_some(), is_on("aws_elastic_beanstalk"));
        let mut aws = Map::new();
        if let Some(account) = &resource.account_id {
            aws.insert("account_id".to_owned(), account.as_str().into());
        }
        if on_machine {
            let ec2 = [
                ("instance_id", self.host_id),
                ("availability_zone", self.zone.clone()),
                ("instance_size", self.host_type),
                ("ami_id", self.image),
            ];
            aws.insert("ec2".to_owned(), block(ec2));
        }
        if in_container {
            let ecs = [
                ("container", self.container),
                ("container_id", self.container_id.clone()),
                ("availability_zone", self.zone),
                ("container_arn", self.container_arn),
                ("cluster_arn", self.cluster_arn),
                ("task_arn", self.task_arn),
                ("task_family", self.task_family),
                ("launch_type", self.launch_type),
            ];
            aws.insert("ecs".to_owned(), block(ecs));
        }
        if let (true, Some(id)) = (on_beanstalk, self.instance_id) {
            let id: i64 = id.parse().unwrap_or_default();
            let mut beanstalk = block([("environment_name", self.namespace), ("version_label", self.version)]);
            beanstalk["deployment_id"] = id.into();
            aws.insert("elastic_beanstalk".to_owned(), beanstalk);
        }
        if in_pod {
            let eks = [("cluster_name", self.cluster), ("pod", self.pod), ("container_id", self.container_id)];
            aws.insert("eks".to_owned(), block(eks));
        }
        // An ARN contains the name of its log group, so separate names are needed only without ARNs.
        let logs: Vec<Value> = if self.log_group_arns.is_empty() {
            self.log_groups.into_iter().map(|name| json!({ "log_group": name })).collect()
        } else {
            self.log_group_arns.iter().map(|arn| json!({ "log_group": log_group(arn), "arn": arn })).collect()
        };
        if !logs.is_empty() {
            aws.insert("cloudwatch_logs".to_owned(), logs.into());
        }
        let mut xray =
            block([("sdk", self.sdk.map(|name| sdk(name, &resource.language))), ("sdk_version", self.sdk_version)]);
        xray["auto_instrumentation"] = self.distribution_version.is_some().into();
        aws.insert("xray".to_owned(), xray);
        aws
    }
}

/// Returns an object of the fields that have a value.
fn block<const N: usize>(fields: [(&str, Option<String>); N]) -> Value {
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?)))).collect()
}

/// Returns the name of the SDK with its language, in the form of X-Ray's own SDKs: `X-Ray for Go`.
fn sdk(name: String, language: &str) -> String {
    let suffix = format!(" for {language}");
    let has_suffix = name.to_lowercase().ends_with(&suffix.to_lowercase());
    if language.is_empty() || has_suffix { name } else { name + &suffix }
}

/// Splits texts that name several log groups. The variable `OTEL_RESOURCE_ATTRIBUTES` separates log groups by `&`:
/// `one&other`.
fn log_groups(groups: Vec<String>) -> Vec<String> {
    let split = |group: String| group.split('&').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    groups.into_iter().flat_map(split).collect()
}

/// Returns the name of a log group from its ARN: `arn:aws:logs:REGION:ACCOUNT:log-group:NAME:*`.
fn log_group(arn: &str) -> &str {
    arn.split(':').nth(6).unwrap_or(arn)
}
