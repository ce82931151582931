//! The features for HTTP clients, for the log and the doctor.

/// A feature for an HTTP client, the crate of the client, and whether the feature is on.
type ClientFeature = (&'static str, &'static str, bool);

const CLIENT_FEATURES: [ClientFeature; 13] = [
    ("attohttpc", "attohttpc", cfg!(feature = "attohttpc")),
    ("awc", "awc", cfg!(feature = "awc")),
    ("hyper", "hyper_util", cfg!(feature = "hyper")),
    ("hyper-0-14", "hyper", cfg!(feature = "hyper-0-14")),
    ("isahc", "isahc", cfg!(feature = "isahc")),
    ("reqwest", "reqwest", cfg!(feature = "reqwest")),
    ("reqwest-blocking", "reqwest", cfg!(feature = "reqwest-blocking")),
    ("reqwest-0-12", "reqwest", cfg!(feature = "reqwest-0-12")),
    ("reqwest-0-12-blocking", "reqwest", cfg!(feature = "reqwest-0-12-blocking")),
    ("reqwest-0-11", "reqwest", cfg!(feature = "reqwest-0-11")),
    ("reqwest-middleware", "reqwest_middleware", cfg!(feature = "reqwest-middleware")),
    ("ureq", "ureq", cfg!(feature = "ureq")),
    ("ureq-2", "ureq", cfg!(feature = "ureq-2")),
];

/// Returns the features of the HTTP clients in this build, as in `reqwest, ureq`.
//
// hyper's senders and `http::Request` need no feature and are in every build.
pub(crate) fn clients_built_in() -> String {
    let of_aws_sdk = ("aws-sdk", "", cfg!(feature = "aws-sdk"));
    let features = CLIENT_FEATURES.iter().chain([&of_aws_sdk]);
    let names: Vec<_> = features.filter(|(_, _, is_on)| *is_on).map(|(name, _, _)| *name).collect();
    if names.is_empty() { "only hyper 1".to_owned() } else { names.join(", ") }
}

/// Returns the features that are off and are for the client crate in which a type is defined.
pub(crate) fn client_features_off(type_name: &str) -> impl Iterator<Item = &'static str> {
    features_off(&CLIENT_FEATURES, type_name)
}

fn features_off<'a>(features: &'a [ClientFeature], type_name: &str) -> impl Iterator<Item = &'static str> + use<'a> {
    let name = type_name.trim_start_matches(['&', ' ']).trim_start_matches("mut ");
    let crate_name = name.split_once("::").map_or("", |(crate_name, _)| crate_name).to_owned();
    let is_off = move |(_, of, is_on): &&ClientFeature| !is_on && *of == crate_name;
    features.iter().filter(is_off).map(|(name, _, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_of_a_client_names_the_features_that_are_off() {
        let features = [("reqwest", "reqwest", true), ("reqwest-0-12", "reqwest", false), ("ureq", "ureq", false)];
        let off = |type_name| features_off(&features, type_name).collect::<Vec<_>>();
        assert_eq!(off("reqwest::async_impl::request::RequestBuilder"), ["reqwest-0-12"]);
        assert_eq!(off("&mut ureq::request::Request"), ["ureq"]);
        assert!(off("shop::Reqwest").is_empty() && off("u32").is_empty());
    }
}
