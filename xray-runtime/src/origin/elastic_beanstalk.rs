//! AWS Elastic Beanstalk.

use serde::Deserialize;
use serde_json::Value;

use super::Origin;
use super::problem::Problem;
use super::sources::{Sources, block, read_json};

/// What the agent writes.
#[derive(Deserialize)]
struct Environment {
    #[serde(rename = "environment_name")]
    name: Option<String>,
    version_label: Option<String>,
    deployment_id: Option<Value>,
}

pub(super) fn detect(sources: &Sources) -> Result<Option<Origin>, Problem> {
    const FILE: &str = "var/elasticbeanstalk/xray/environment.conf";
    let Some(json) = sources.read(FILE)? else { return Ok(None) };
    let environment: Environment = read_json(json.as_bytes(), "environment.conf")?;
    let mut block = block([("version_label", environment.version_label), ("environment_name", environment.name)]);
    if let Some(id) = environment.deployment_id {
        block.insert("deployment_id".to_owned(), integer(&id)?.into());
    }
    Ok(Some(Origin::new("AWS::ElasticBeanstalk::Environment").with_aws("elastic_beanstalk", block)))
}

/// Readers refuse a document in which it is none.
fn integer(id: &Value) -> Result<i64, Problem> {
    let id = id.as_i64().or_else(|| id.as_str()?.parse().ok());
    id.ok_or_else(|| Problem("the deployment_id in environment.conf is no integer".to_owned()))
}
