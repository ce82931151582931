//! Detects a container of Amazon ECS, on EC2 or Fargate.

use http::Method;
use serde::Deserialize;
use serde_json::Value;

use super::Origin;
use super::log_group::{CLOUDWATCH_LOGS, LogGroup};
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
    /// The settings of the container's log driver. The agent writes them for every driver, so their form is open.
    #[serde(rename = "LogOptions", default)]
    log_options: Value,
}

impl Container {
    /// Returns the log group to which the driver `awslogs` writes; `None` with another driver.
    fn log_group(&self) -> Option<LogGroup> {
        let option = |name: &str| self.log_options.get(name)?.as_str().filter(|text| !text.is_empty());
        let group = LogGroup::new(option("awslogs-group")?);
        // Input:  region `eu-west-1`, container `arn:aws:ecs:eu-west-1:123456789012:container/c/t/0206b271`
        // Output: `arn:aws:logs:eu-west-1:123456789012:log-group:/ecs/shop`
        let parts: Vec<_> = self.arn.iter().flat_map(|arn| arn.splitn(6, ':')).collect();
        let ["arn", partition, _, region, account, _] = parts[..] else { return Some(group) };
        Some(group.in_account(partition, option("awslogs-region").unwrap_or(region), account))
    }
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
    let log_group = container.log_group();
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
    let origin = Origin::new("AWS::ECS::Container").with_aws("ecs", block);
    Ok(Some(match log_group {
        Some(group) => origin.with_aws(CLOUDWATCH_LOGS, vec![Value::from(group)]),
        None => origin,
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn log_group(container: Value) -> Option<Value> {
        serde_json::from_value::<Container>(container).unwrap().log_group().map(Value::from)
    }

    #[test]
    fn the_log_group_is_that_of_the_driver_awslogs() {
        let arn = "arn:aws-cn:ecs:cn-north-1:123456789012:container/c/t/0206b271";
        let group = "arn:aws-cn:logs:cn-north-1:123456789012:log-group:/ecs/shop";
        let elsewhere = "arn:aws-cn:logs:cn-northwest-1:123456789012:log-group:/ecs/shop";
        for (options, arn, expected) in [
            (json!({"awslogs-group": "/ecs/shop"}), json!(arn), json!({"log_group": "/ecs/shop", "arn": group})),
            (
                json!({"awslogs-group": "/ecs/shop", "awslogs-region": "cn-northwest-1"}),
                json!(arn),
                json!({"log_group": "/ecs/shop", "arn": elsewhere}),
            ),
            (json!({"awslogs-group": "/ecs/shop"}), json!("no arn"), json!({"log_group": "/ecs/shop"})),
            (json!({"awslogs-group": "/ecs/shop"}), json!(null), json!({"log_group": "/ecs/shop"})),
            (json!({"awslogs-group": ""}), json!(arn), json!(null)),
            (json!({"awslogs-group": 7}), json!(arn), json!(null)),
            (json!({"splunk-url": "https://splunk"}), json!(arn), json!(null)),
            (json!(null), json!(arn), json!(null)),
            (json!([1]), json!(arn), json!(null)),
        ] {
            let container = json!({"DockerId": "c", "ContainerARN": arn, "LogOptions": options});
            assert_eq!(log_group(container).unwrap_or_default(), expected, "{options}");
        }
        assert_eq!(log_group(json!({"DockerId": "c"})), None);
    }
}
