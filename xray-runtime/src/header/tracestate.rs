//! The sampling rule of a trace in the header `tracestate` of W3C Trace Context.

use http::HeaderName;

use crate::id::parse_lower_hex;
use crate::support::sha256::sha256;

/// The name of the header.
pub(crate) static TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// The key under which the AWS Distro for OpenTelemetry names the rule that decided about a trace.
const KEY: &str = "xrsr";

/// Limit on the members that are read. (W3C Trace Context, section 3.3.1, "list": at most 32 members.)
const MAX_MEMBERS: usize = 32;

/// A sampling rule by the hash of its name: the first eight bytes of the SHA-256 digest. (AWS Distro for OpenTelemetry
/// for Python 0.21, `sampler/_rule_cache.py`.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RuleHash(u64);

impl RuleHash {
    /// Returns the hash of a rule's name.
    pub(crate) fn of(rule_name: &str) -> Self {
        let [high, low, ..] = sha256(rule_name.as_bytes());
        Self(u64::from(high) << 32 | u64::from(low))
    }

    /// Reads the rule from the values of the header.
    pub(crate) fn read<'a>(values: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        let members = values.flat_map(|value| value.split(|byte| *byte == b',')).take(MAX_MEMBERS);
        members
            .filter_map(|member| std::str::from_utf8(member).ok()?.trim_matches([' ', '\t']).split_once('='))
            .find_map(|(key, value)| {
                let hash = (key == KEY).then(|| parse_lower_hex::<16>(value)).flatten()?;
                u64::try_from(hash).ok().map(Self)
            })
    }

    /// Returns the member of the header that names the rule.
    pub(crate) fn member(self) -> String {
        format!("{KEY}={:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Option<RuleHash> {
        RuleHash::read(values.iter().map(|value| value.as_bytes()))
    }

    #[test]
    fn a_rule_is_named_as_the_distro_for_opentelemetry_names_it() {
        // The digits come from `_hash_rule_name` in Python.
        for (name, digits) in [("Default", "21b111cbfe6e8fca"), ("pay", "9350872d712a127c")] {
            let rule = RuleHash::of(name);
            assert_eq!(rule.member(), format!("xrsr={digits}"));
            assert_eq!(read(&[&format!("vendor=1 ,\txrsr={digits}, other=2")]), Some(rule));
            assert_eq!(read(&["vendor=1", &format!("xrsr={digits}")]), Some(rule));
        }
    }

    #[test]
    fn a_member_that_names_no_rule_is_passed_over() {
        let rule = "xrsr=9350872d712a127c";
        for value in ["", "xrsr", "xrsr=", "xrsr=9350872d712a127", "xrsr=9350872D712A127C", "xxrsr=9350872d712a127c"] {
            assert_eq!(read(&[value]), None, "{value}");
            assert_eq!(read(&[value, rule]), Some(RuleHash::of("pay")), "{value}");
        }
        assert_eq!(read(&[&"a=1,".repeat(32), rule]), None, "the list is too long");
        assert_eq!(RuleHash::read([&b"\xff,xrsr=9350872d712a127c"[..]].into_iter()), Some(RuleHash::of("pay")));
    }
}
