//! Detects a container of Amazon EKS.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::Origin;
use super::problem::Problem;
use super::sources::{Sources, block, read_json};

/// The fields that are read from the claims of a token.
#[derive(Deserialize)]
struct Claims {
    iss: String,
}

/// Reads the token of the pod's service account; `None` if there is none, or EKS did not issue it.
pub(super) fn detect(sources: &Sources) -> Result<Option<Origin>, Problem> {
    const TOKEN: &str = "var/run/secrets/kubernetes.io/serviceaccount/token";
    let Some(token) = sources.read(TOKEN)? else { return Ok(None) };
    if !is_of_eks(&issuer(&token)?) {
        return Ok(None);
    }
    let block = block([("pod", sources.host_name()), ("container_id", sources.container_id())]);
    Ok(Some(Origin::new("AWS::EKS::Container").with_aws("eks", block)))
}

/// Returns the issuer of a JSON Web Token. (RFC 7519.)
// The signature is not checked. To check it needs the cluster's keys, over TLS; and whoever can write the token's file
// can change the program's environment too. The claim only labels traces.
fn issuer(token: &str) -> Result<String, Problem> {
    let problem = || Problem("the token of the service account is not a JSON Web Token".to_owned());
    // `<header>.<claims>.<signature>`, each in base64 for URLs without padding.
    let claims = token.trim().split('.').nth(1).ok_or_else(problem)?;
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).map_err(|_| problem())?;
    Ok(read_json::<Claims>(&claims, "the token of the service account")?.iss)
}

/// Returns whether the issuer is the OIDC provider of an EKS cluster. (EKS user guide, "IAM roles for service
/// accounts".)
fn is_of_eks(issuer: &str) -> bool {
    // Commercial regions, such as `oidc.eks.eu-west-1.amazonaws.com`; China; dual-stack endpoints.
    const ENDS: [(&str, &str); 3] =
        [("oidc.eks.", ".amazonaws.com"), ("oidc.eks.", ".amazonaws.com.cn"), ("oidc-eks.", ".api.aws")];
    let host = issuer.strip_prefix("https://").and_then(|rest| rest.split('/').next());
    host.is_some_and(|host| ENDS.iter().any(|(start, end)| host.starts_with(start) && host.ends_with(end)))
}
