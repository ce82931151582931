//! Detects a container of Amazon ECS, on EC2 or Fargate.

use http::Method;
use serde::Deserialize;

use super::Origin;
use super::problem::Problem;
use super::sources::{Service, Sources, block, read_json};

/// The fields that are read from the metadata of a container. (ECS developer guide, "Task metadata endpoint version
/// 4".)
#[derive(Deserialize)]
struct Container {
    #[serde(rename = "DockerId")]
    id: String,
    #[serde(rename = "ContainerARN")]
    arn: Option<String>,
}

/// The fields that are read from the metadata of the container's task.
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
    /// Returns the ARN of the cluster.
    // On Fargate the endpoint names the cluster by its ARN, on EC2 by its short name. The rest of the ARN is then taken
    // from the task's:
    //
    // Input:  cluster `shop`, task `arn:aws:ecs:eu-west-1:123456789012:task/shop/0f1e..`
    // Output: `arn:aws:ecs:eu-west-1:123456789012:cluster/shop`
    fn cluster_arn(&self) -> Option<String> {
        let cluster = self.cluster.as_ref()?;
        if cluster.starts_with("arn:") {
            return Some(cluster.clone());
        }
        let (account, _) = self.arn.as_ref()?.split_once(":task/")?;
        Some(format!("{account}:cluster/{cluster}"))
    }
}

/// Asks the task metadata endpoint; `None` if the environment names none.
pub(super) async fn detect(sources: &Sources) -> Result<Option<Origin>, Problem> {
    let Some(url) = &sources.ecs_metadata else { return Ok(None) };
    let service = Service::new(url, sources.time)?;
    // The agent sets the variable, so here something does listen: a refused connection is a problem, not an absence.
    let container: Container = read_json(&service.request(Method::GET, "", None).await?, "the container's metadata")?;
    let task: Task = read_json(&service.request(Method::GET, "/task", None).await?, "the task's metadata")?;
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
    // One type for EC2 and Fargate, as the developer guide has it; `launch_type` tells them apart.
    Ok(Some(Origin::new("AWS::ECS::Container").with_aws("ecs", block)))
}
