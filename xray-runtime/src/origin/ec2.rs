//! Amazon EC2.

use http::{HeaderValue, Method};
use serde::Deserialize;

use super::Origin;
use super::problem::Problem;
use super::sources::{Service, Sources, block, read_json};

/// What is read of an instance. (EC2 user guide, "Instance identity documents".)
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    instance_id: String,
    instance_type: Option<String>,
    image_id: Option<String>,
    availability_zone: Option<String>,
    account_id: Option<String>,
}

pub(super) async fn detect(sources: &Sources) -> Result<Option<Origin>, Problem> {
    let Some(url) = &sources.ec2_metadata else { return Ok(None) };
    let service = Service::new(url, sources.time)?;
    let Some(token) = token(&service).await? else { return Ok(None) };
    let header = Some(("x-aws-ec2-metadata-token", token));
    let document = service.ask(Method::GET, "/latest/dynamic/instance-identity/document", header).await?;
    let identity: Identity = read_json(&document, "the instance identity document")?;
    let instance = block([
        ("instance_id", Some(identity.instance_id)),
        ("instance_size", identity.instance_type),
        ("ami_id", identity.image_id),
        ("availability_zone", identity.availability_zone),
    ]);
    let account = block([("account_id", identity.account_id)]);
    let origin = Origin::new("AWS::EC2::Instance").with_aws("ec2", instance);
    Ok(Some(account.into_iter().fold(origin, |origin, (key, value)| origin.with_aws(key, value))))
}

/// A session with the metadata service, of version 2. `None` where nobody listens: this is no instance.
async fn token(service: &Service) -> Result<Option<HeaderValue>, Problem> {
    let seconds = ("x-aws-ec2-metadata-token-ttl-seconds", HeaderValue::from_static("60"));
    let Some(token) = service.ask_if_there(Method::PUT, "/latest/api/token", Some(seconds)).await? else {
        return Ok(None);
    };
    let token = HeaderValue::from_bytes(&token).map_err(|_| Problem("the session token is no text".to_owned()))?;
    Ok(Some(token))
}
