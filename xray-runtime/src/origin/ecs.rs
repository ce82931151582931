//! Amazon ECS, on EC2 or Fargate.

use http::Method;
use serde::Deserialize;

use super::Origin;
use super::problem::Problem;
use super::sources::{Service, Sources, block, read_json};

/// What is read of a container. (ECS developer guide, "Task metadata endpoint version 4".)
#[derive(Deserialize)]
struct Container {
    #[serde(rename = "DockerId")]
    id: String,
    #[serde(rename = "ContainerARN")]
    arn: Option<String>,
}

/// What is read of the task that it belongs to.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Task {
    #[serde(rename = "TaskARN")]
    arn: Option<String>,
    cluster: Option<String>,
    family: Option<String>,
    availability_zone: Option<String>,
    launch_type: Option<String>,
}

impl Task {
    /// The cluster is named by its ARN, or by its name alone.
    fn cluster_arn(&self) -> Option<String> {
        let cluster = self.cluster.as_ref()?;
        if cluster.starts_with("arn:") {
            return Some(cluster.clone());
        }
        let (account, _) = self.arn.as_ref()?.split_once(":task/")?;
        Some(format!("{account}:cluster/{cluster}"))
    }
}

pub(super) async fn detect(sources: &Sources) -> Result<Option<Origin>, Problem> {
    let Some(url) = &sources.ecs_metadata else { return Ok(None) };
    let service = Service::new(url, sources.time)?;
    let container: Container = read_json(&service.ask(Method::GET, "", None).await?, "the container's metadata")?;
    let task: Task = read_json(&service.ask(Method::GET, "/task", None).await?, "the task's metadata")?;
    let block = block([
        ("container", sources.host_name()),
        ("container_id", Some(container.id)),
        ("container_arn", container.arn),
        ("cluster_arn", task.cluster_arn()),
        ("task_arn", task.arn),
        ("task_family", task.family),
        ("availability_zone", task.availability_zone),
        ("launch_type", task.launch_type),
    ]);
    Ok(Some(Origin::new("AWS::ECS::Container").with_aws("ecs", block)))
}
