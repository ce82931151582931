//! Links to the log groups that a segment names.
//!
//! `aws.cloudwatch_logs` is a list of objects with the fields `log_group` and `arn`. (X-Ray developer guide, "Segment
//! documents".) The address of a log group in the console of CloudWatch holds the name of the group, encoded twice,
//! with `$` instead of `%`: `/aws/lambda/shop` becomes `$252Faws$252Flambda$252Fshop`.

use std::fmt::Write as _;

use maud::{Markup, html};
use serde_json::Value;

use crate::document::Document;

/// The field of the `aws` block.
pub(super) const FIELD: &str = "cloudwatch_logs";

/// The most log groups that are listed.
const MAX_GROUPS: usize = 50;

/// A log group, and where it is.
#[derive(Debug, PartialEq, Eq)]
struct Group<'a> {
    name: &'a str,
    arn: Option<&'a str>,
    region: Option<&'a str>,
    /// The host of AWS's console, without the region.
    console: &'static str,
}

/// Renders the log groups of a segment or subsegment.
pub(super) fn logs(document: &Document) -> Markup {
    let region = document.aws().get("region").and_then(Value::as_str);
    let own_region = region.or_else(|| document.availability_zone().map(region_of));
    let listed = document.aws().get(FIELD).and_then(Value::as_array);
    let groups = listed.into_iter().flatten().filter_map(|group| Group::of(group, own_region));
    let groups: Vec<_> = groups.take(MAX_GROUPS).collect();
    html! {
        @if !groups.is_empty() {
            section.block {
                h2 { "Logs" }
                ul.logs {
                    @for group in &groups {
                        li {
                            // The link leads out of the console. It is only followed when the reader asks for it.
                            @match group.address() {
                                Some(address) => a href=(address) rel="noreferrer" { (group.name) },
                                None => (group.name),
                            }
                            @if let Some(arn) = group.arn { br; small.mono { (arn) } }
                        }
                    }
                }
            }
        }
    }
}

impl<'a> Group<'a> {
    fn of(group: &'a Value, own_region: Option<&'a str>) -> Option<Self> {
        let text = |field: &str| group.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
        let arn = text("arn");
        // arn:PARTITION:logs:REGION:ACCOUNT:log-group:NAME, with `:*` at the end in some APIs.
        let parts: Vec<&str> = arn.map(|arn| arn.splitn(7, ':').collect()).unwrap_or_default();
        let (partition, region, name) = match parts[..] {
            ["arn", partition, "logs", region, _, "log-group", name] => {
                (partition, Some(region), Some(name.strip_suffix(":*").unwrap_or(name)))
            }
            _ => ("aws", None, None),
        };
        let console = match partition {
            "aws-cn" => "console.amazonaws.cn",
            "aws-us-gov" => "console.amazonaws-us-gov.com",
            _ => "console.aws.amazon.com",
        };
        // The region becomes part of a host name, so it must not hold a character that ends one.
        let is_region = |region: &&str| {
            let is_part = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
            !region.is_empty() && region.len() <= 32 && region.chars().all(is_part)
        };
        let region = region.filter(is_region).or(own_region.filter(is_region));
        Some(Self { name: text("log_group").or(name)?, arn, region, console })
    }

    fn address(&self) -> Option<String> {
        let (Self { name, console, .. }, region) = (self, self.region?);
        let group = encoded(&encoded(name)).replace('%', "$");
        Some(format!("https://{region}.{console}/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{group}"))
    }
}

/// Returns the region of a zone, which ends with the first number: `us-west-2` for the availability zone `us-west-2a`
/// and for the Local Zone `us-west-2-lax-1a`.
fn region_of(zone: &str) -> &str {
    let number = zone.find(|letter: char| letter.is_ascii_digit()).unwrap_or(zone.len());
    let end = zone[number..].find(|letter: char| !letter.is_ascii_digit()).map_or(zone.len(), |length| number + length);
    &zone[..end]
}

/// Encodes each byte that is not a letter, a digit, `-`, `.`, `_` or `~`.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_in_a_region() {
        for (zone, region) in [
            ("eu-central-1b", "eu-central-1"),
            ("us-gov-west-1a", "us-gov-west-1"),
            ("us-west-2-lax-1a", "us-west-2"),
            ("us-east-1-wl1-bos-wlz-1", "us-east-1"),
            ("", ""),
        ] {
            assert_eq!(region_of(zone), region);
        }
    }
}
