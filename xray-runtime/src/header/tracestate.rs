//! The header `tracestate` of W3C Trace Context: the sampling rule of a trace, and what other systems pass on in it.

use http::HeaderName;

use crate::id::parse_lower_hex;
use crate::support::sha256::sha256;

/// The name of the header.
pub(crate) static TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// The key under which the AWS Distro for OpenTelemetry names the rule that decided about a trace.
const KEY: &str = "xrsr";

/// Limit on the members that are read. (W3C Trace Context, section 3.3.1, "list": at most 32 members.)
const MAX_MEMBERS: usize = 32;

/// Limit on the bytes of the members of other systems. With the member of this SDK and its comma, the header has 512
/// bytes, which every system passes on. (W3C Trace Context, section 3.3.1.5, "tracestate Limits".)
const MAX_OTHER_BYTES: usize = 512 - (KEY.len() + 1 + 16 + 1);

/// The content of the header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TraceState {
    /// The sampling rule by which the first service of the trace decided.
    pub(crate) rule: Option<RuleHash>,
    /// The members of other systems, joined by commas.
    others: String,
}

impl TraceState {
    /// Reads the values of the header. Leaves out malformed members, and members that would exceed the limit.
    pub(crate) fn read<'a>(values: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut state = Self::default();
        let members = values.flat_map(|value| value.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
        for member in members.filter(|member| !member.is_empty()).take(MAX_MEMBERS) {
            let Ok(member) = std::str::from_utf8(member) else { continue };
            let Some((key, value)) = member.split_once('=') else { continue };
            if key == KEY {
                state.rule = state.rule.or_else(|| RuleHash::parse(value));
            } else {
                state.keep(key, value);
            }
        }
        state
    }

    fn keep(&mut self, key: &str, value: &str) {
        let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
        let is_value = !value.is_empty() && value.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'=');
        let comma = if self.others.is_empty() { "" } else { "," };
        let fits = self.others.len() + comma.len() + key.len() + 1 + value.len() <= MAX_OTHER_BYTES;
        // One place is left for the member of this SDK.
        let has_room = self.others.matches(',').count() + 2 < MAX_MEMBERS;
        if is_key && is_value && fits && has_room {
            self.others.extend([comma, key, "=", value]);
        }
    }

    pub(crate) fn with_rule(self, rule: Option<RuleHash>) -> Self {
        Self { rule, ..self }
    }

    /// Returns the value of the header, which begins with the member of this SDK; `None` if there is nothing to pass
    /// on.
    pub(crate) fn value(&self) -> Option<String> {
        match (self.rule.map(RuleHash::member), self.others.as_str()) {
            (Some(rule), "") => Some(rule),
            (Some(rule), others) => Some(format!("{rule},{others}")),
            (None, "") => None,
            (None, others) => Some(others.to_owned()),
        }
    }
}

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

    fn parse(digits: &str) -> Option<Self> {
        parse_lower_hex::<16>(digits).and_then(|hash| u64::try_from(hash).ok()).map(Self)
    }

    /// Returns the member of the header that names the rule.
    fn member(self) -> String {
        format!("{KEY}={:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Option<RuleHash> {
        TraceState::read(values.iter().map(|value| value.as_bytes())).rule
    }

    #[test]
    fn the_members_of_other_systems_follow_the_member_of_this_sdk() {
        let long = format!("long={}", "x".repeat(MAX_OTHER_BYTES));
        for (values, value) in [
            (&["vendor=1,ot=th:c"][..], Some("vendor=1,ot=th:c")),
            (&["a@b=1 2", " ,c=3,"], Some("a@b=1 2,c=3")),
            (&["vendor=1,xrsr=9350872d712a127c"], Some("xrsr=9350872d712a127c,vendor=1")),
            (&["=1,a=,b=c=d,\u{e9}=1,k=\u{7f}"], None),
            (&[&long, "a=1"], Some("a=1")),
            (&[&",".repeat(100), "a=1"], Some("a=1")),
            (&[], None),
        ] {
            let state = TraceState::read(values.iter().map(|value| value.as_bytes()));
            assert_eq!(state.value().as_deref(), value, "{values:?}");
        }
        // With the first member, its comma and the second key, the limit is reached exactly.
        for (length, is_kept) in [(MAX_OTHER_BYTES - 6, true), (MAX_OTHER_BYTES - 5, false)] {
            let second = format!("b={}", "x".repeat(length));
            let value = TraceState::read([&b"a=1"[..], second.as_bytes()].into_iter()).value().unwrap();
            assert_eq!(value, if is_kept { format!("a=1,{second}") } else { "a=1".to_owned() });
        }
        let rule = RuleHash::of("pay");
        let state = TraceState::read([&b"a=1"[..]].into_iter()).with_rule(Some(rule));
        assert_eq!(state.value(), Some(format!("{},a=1", rule.member())));
        let many = "a=1,".repeat(40);
        assert_eq!(
            TraceState::read([many.as_bytes()].into_iter()).value().unwrap().matches("a=1").count(),
            MAX_MEMBERS - 1
        );
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
        assert_eq!(TraceState::read([&b"\xff,xrsr=9350872d712a127c"[..]].into_iter()).rule, Some(RuleHash::of("pay")));
    }
}
