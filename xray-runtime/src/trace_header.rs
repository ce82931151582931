//! The `X-Amzn-Trace-Id` header.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use crate::id::{SegmentId, TraceId};

/// The name of the header.
pub const TRACE_HEADER_NAME: http::HeaderName = http::HeaderName::from_static("x-amzn-trace-id");

/// What an `X-Amzn-Trace-Id` header says: `Root=..;Parent=..;Sampled=..`, and data that is only passed on.
///
/// Parsing never fails: what can be read is kept, the rest is ignored. Keys are matched in any case, spaces
/// around parts and a trailing `;` are allowed, a malformed `Root` or `Parent` counts as absent. `Self`, which
/// load balancers add, is dropped; every other part is kept and written again, at most
/// [`MAX_EXTRA_BYTES`](Self::MAX_EXTRA_BYTES) of them. (Developer guide, "Tracing header"; the limit is the one
/// of the X-Ray SDK for Node.js.)
///
/// ```
/// use xray_runtime::{Sampled, TraceHeader};
///
/// let header = TraceHeader::parse("Self=1-6..;Root=1-5759e988-bd862e3fe1be46a994272793; Sampled=?;Lineage=a:1");
/// assert_eq!(header.root, "1-5759e988-bd862e3fe1be46a994272793".parse().ok());
/// assert_eq!(header.parent, None);
/// assert_eq!(header.sampled, Some(Sampled::Requested));
/// assert_eq!(header.to_string(), "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=?;Lineage=a:1");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TraceHeader {
    /// The trace.
    pub root: Option<TraceId>,
    /// The caller's segment or subsegment.
    pub parent: Option<SegmentId>,
    /// The caller's sampling decision.
    pub sampled: Option<Sampled>,
    extra: Vec<(String, String)>,
}

/// The `Sampled` part of a trace header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sampled {
    /// `Sampled=1`: the trace is recorded.
    Yes,
    /// `Sampled=0`: the trace is not recorded.
    No,
    /// `Sampled=?`: the caller asks for a decision, to be sent back in the response's header.
    Requested,
}

impl TraceHeader {
    /// Limit on the bytes of all extra keys and values together; a pair that would exceed it is dropped.
    pub const MAX_EXTRA_BYTES: usize = 256;
    /// Parts that are looked at; no sender writes near as many, and the value comes from outside.
    const MAX_PARTS: usize = 64;

    /// Reads a header's value; see the type's documentation.
    #[must_use]
    pub fn parse(value: &str) -> Self {
        let mut header = Self::default();
        for part in value.split(';').take(Self::MAX_PARTS) {
            let Some((key, value)) = part.split_once('=') else { continue };
            header.read_part(key.trim(), value.trim());
        }
        header
    }

    fn read_part(&mut self, key: &str, value: &str) {
        if key.eq_ignore_ascii_case("root") {
            self.root = value.parse().ok().or(self.root);
        } else if key.eq_ignore_ascii_case("parent") {
            self.parent = value.parse().ok().or(self.parent);
        } else if key.eq_ignore_ascii_case("sampled") {
            self.sampled = Sampled::parse(value).or(self.sampled);
        } else if !key.eq_ignore_ascii_case("self") {
            self.keep_extra(key, value);
        }
    }

    fn keep_extra(&mut self, key: &str, value: &str) {
        let bytes: usize = self.extra.iter().map(|(key, value)| key.len() + value.len()).sum();
        let sendable = |text: &str| text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        let fits = bytes + key.len() + value.len() <= Self::MAX_EXTRA_BYTES;
        if fits && !key.is_empty() && sendable(key) && sendable(value) {
            self.extra.push((key.to_owned(), value.to_owned()));
        }
    }

    /// The parts with other keys, in their order: `Lineage`, `CalledFrom` and the like.
    pub fn extra(&self) -> impl Iterator<Item = (&str, &str)> {
        self.extra.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

impl FromStr for TraceHeader {
    type Err = Infallible;

    fn from_str(value: &str) -> Result<Self, Infallible> {
        Ok(Self::parse(value))
    }
}

impl fmt::Display for TraceHeader {
    /// `Root`, `Parent`, `Sampled`, then the extra parts; what is absent is left out.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        let mut write = |key: &str, value: &dyn fmt::Display| {
            write!(formatter, "{separator}{key}={value}")?;
            separator = ";";
            Ok(())
        };
        if let Some(root) = &self.root {
            write("Root", root)?;
        }
        if let Some(parent) = &self.parent {
            write("Parent", parent)?;
        }
        if let Some(sampled) = &self.sampled {
            write("Sampled", &sampled.as_str())?;
        }
        self.extra.iter().try_for_each(|(key, value)| write(key, value))
    }
}

impl Sampled {
    fn parse(value: &str) -> Option<Self> {
        match value {
            "1" => Some(Self::Yes),
            "0" => Some(Self::No),
            "?" => Some(Self::Requested),
            _ => None,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "1",
            Self::No => "0",
            Self::Requested => "?",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors' form: absent is null, an absent decision "none"; a root of "?" leaves it open.
    #[test]
    fn vectors() {
        let vectors = include_str!("../../tests/data/trace-header-vectors.json");
        let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
        let vectors = vectors["vectors"].as_array().unwrap();
        assert!(vectors.len() >= 14);
        for vector in vectors {
            let header = TraceHeader::parse(vector["header"].as_str().unwrap());
            let root = header.root.map(|root| root.to_string());
            if vector["root"] != "?" {
                assert_eq!(root.as_deref(), vector["root"].as_str(), "{vector}");
            }
            let parent = header.parent.map(|parent| parent.to_string());
            assert_eq!(parent.as_deref(), vector["parent"].as_str(), "{vector}");
            assert_eq!(header.sampled.map_or("none", Sampled::as_str), vector["sampled"], "{vector}");
            let extra: serde_json::Map<_, _> =
                header.extra().map(|(key, value)| (key.to_owned(), value.into())).collect();
            assert_eq!(serde_json::Value::Object(extra), vector["extra"], "{vector}");
            assert_eq!(TraceHeader::parse(&header.to_string()), header, "what is written reads the same");
        }
    }

    #[test]
    fn upper_case_root_is_lowered() {
        let header = TraceHeader::parse("Root=1-5759E988-BD862E3FE1BE46A994272793;Sampled=1");
        assert_eq!(header.to_string(), "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1");
    }

    #[test]
    fn extra_data_is_bounded_and_fit_for_a_header() {
        let long = format!("a={};b=1;c=\u{1};\u{e9}=1;=x", "v".repeat(TraceHeader::MAX_EXTRA_BYTES));
        assert_eq!(TraceHeader::parse(&long).extra().collect::<Vec<_>>(), [("b", "1")]);
        let huge = "k=v;".repeat(1_000_000);
        assert_eq!(TraceHeader::parse(&huge).extra().count(), TraceHeader::MAX_PARTS);
    }
}
