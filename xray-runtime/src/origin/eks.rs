//! Amazon EKS.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::Origin;
use super::problem::Problem;
use super::sources::{Sources, block, read_json};

/// What is read of a token.
#[derive(Deserialize)]
struct Claims {
    iss: String,
}

pub(super) fn detect(sources: &Sources) -> Result<Option<Origin>, Problem> {
    const TOKEN: &str = "var/run/secrets/kubernetes.io/serviceaccount/token";
    let Some(token) = sources.read(TOKEN)? else { return Ok(None) };
    if !is_of_eks(&issuer(&token)?) {
        return Ok(None);
    }
    let block = block([("pod", sources.host_name()), ("container_id", sources.container_id())]);
    Ok(Some(Origin::new("AWS::EKS::Container").with_aws("eks", block)))
}

/// Who issued a token. (RFC 7519.)
fn issuer(token: &str) -> Result<String, Problem> {
    let problem = || Problem("the token of the service account is no JSON Web Token".to_owned());
    let claims = token.trim().split('.').nth(1).ok_or_else(problem)?;
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).map_err(|_| problem())?;
    Ok(read_json::<Claims>(&claims, "the token of the service account")?.iss)
}

/// Each cluster of EKS has an issuer of its own. (EKS user guide, "IAM roles for service accounts".)
fn is_of_eks(issuer: &str) -> bool {
    const ENDS: [(&str, &str); 3] =
        [("oidc.eks.", ".amazonaws.com"), ("oidc.eks.", ".amazonaws.com.cn"), ("oidc-eks.", ".api.aws")];
    let host = issuer.strip_prefix("https://").and_then(|rest| rest.split('/').next());
    host.is_some_and(|host| ENDS.iter().any(|(start, end)| host.starts_with(start) && host.ends_with(end)))
}
