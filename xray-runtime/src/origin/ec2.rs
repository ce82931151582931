//! Detects an instance of Amazon EC2.

use http::{HeaderValue, Method};
use serde::Deserialize;

use super::Origin;
use super::problem::Problem;
use super::sources::{Service, Sources, block, read_json};

/// The fields that are read from the identity document of an instance. (EC2 user guide, "Instance identity documents".)
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    instance_id: String,
    instance_type: Option<String>,
    image_id: Option<String>,
    availability_zone: Option<String>,
    account_id: Option<String>,
}

/// Asks the instance metadata service; `None` if it is switched off or nothing listens at its address.
pub(super) async fn detect(sources: &Sources) -> Result<Option<Origin>, Problem> {
    let Some(url) = &sources.ec2_metadata else { return Ok(None) };
    let service = Service::new(url, sources.time)?;
    let Some(token) = token(&service).await? else { return Ok(None) };
    let header = Some(("x-aws-ec2-metadata-token", token));
    let document = service.request(Method::GET, "/latest/dynamic/instance-identity/document", header).await?;
    let identity: Identity = read_json(&document, "the instance identity document")?;
    // X-Ray calls the type of an instance its size. (Developer guide, "AWS resource data".)
    let instance = block([
        ("instance_id", Some(identity.instance_id)),
        ("instance_size", identity.instance_type),
        ("ami_id", identity.image_id),
        ("availability_zone", identity.availability_zone),
    ]);
    // `account_id` is a member of the `aws` block itself, not of its object `ec2`. `block` leaves out an empty id.
    let account = block([("account_id", identity.account_id)]);
    let origin = Origin::new("AWS::EC2::Instance").with_aws("ec2", instance);
    Ok(Some(account.into_iter().fold(origin, |origin, (key, value)| origin.with_aws(key, value))))
}

/// Begins a session with the metadata service and returns its token; `None` if nothing listens, so this is not an
/// instance.
// Version 2 of the service needs the token. Version 1 works without one, but many accounts switch it off. (EC2 user
// guide, "Use the Instance Metadata Service to access instance metadata".)
async fn token(service: &Service) -> Result<Option<HeaderValue>, Problem> {
    // The token is used for one request at once, so a minute is plenty.
    let seconds = ("x-aws-ec2-metadata-token-ttl-seconds", HeaderValue::from_static("60"));
    let Some(token) = service.request_if_listening(Method::PUT, "/latest/api/token", Some(seconds)).await? else {
        return Ok(None);
    };
    let token = HeaderValue::from_bytes(&token)
        .map_err(|_| Problem("the session token of the metadata service is not valid in a header".to_owned()))?;
    Ok(Some(token))
}
