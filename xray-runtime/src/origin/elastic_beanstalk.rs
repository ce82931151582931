//! Detects an environment of AWS Elastic Beanstalk.

use serde::Deserialize;
use serde_json::Value;

use super::Origin;
use super::problem::Problem;
use super::sources::{Sources, block, read_json};

/// The fields of the file that the agent of Elastic Beanstalk writes. (Developer guide, "AWS resource data".)
#[derive(Deserialize)]
struct Environment {
    #[serde(rename = "environment_name")]
    name: Option<String>,
    version_label: Option<String>,
    // No document says whether this is a number or a string, so both are read.
    deployment_id: Option<Value>,
}

/// Reads the agent's file; `None` if there is none.
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

/// Returns a deployment id as an integer.
// The receiver of the OpenTelemetry collector refuses the whole document for a `deployment_id` that is a string.
fn integer(id: &Value) -> Result<i64, Problem> {
    let id = id.as_i64().or_else(|| id.as_str()?.parse().ok());
    id.ok_or_else(|| Problem("the deployment_id in environment.conf is not an integer".to_owned()))
}
