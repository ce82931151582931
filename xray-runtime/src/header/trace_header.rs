//! The content of the two headers that carry a trace: X-Ray's `X-Amzn-Trace-Id` and W3C's `traceparent`.
//!
//! Both come from outside the program, so reading never fails and never panics, and what is kept has a limit.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use crate::header::traceparent::{TRACEPARENT_LENGTH, traceparent};
use crate::header::tracestate::{RuleHash, TraceState};
use crate::id::{SegmentId, TraceId, parse_lower_hex};

/// The name of X-Ray's trace header, `x-amzn-trace-id`.
///
/// ```
/// use xray::{TRACE_HEADER_NAME, TraceHeader};
///
/// let mut headers = http::HeaderMap::new();
/// headers.insert(TRACE_HEADER_NAME, "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1".parse().unwrap());
/// let value = headers.get(TRACE_HEADER_NAME).and_then(|value| value.to_str().ok()).unwrap_or_default();
/// assert!(TraceHeader::parse(value).root.is_some());
/// ```
pub const TRACE_HEADER_NAME: http::HeaderName = http::HeaderName::from_static("x-amzn-trace-id");

/// The content of an `X-Amzn-Trace-Id` header: `Root=..;Parent=..;Sampled=..`, and data that is passed on.
///
/// Parsing never fails. Valid parts are kept and the rest is ignored:
///
/// * Keys match in upper and lower case. Spaces around a part and a trailing `;` are allowed.
/// * A malformed `Root` or `Parent` counts as absent. So does one of zeros: other SDKs send zeros for a trace that they
///   do not record.
/// * `Self`, which load balancers add, is dropped.
/// * Every other part is kept and written again, up to [`MAX_EXTRA_BYTES`](Self::MAX_EXTRA_BYTES).
/// * A proxy may join several headers by commas. Then the first one with a valid `Root` counts. (RFC 9110, section
///   5.3.)
///
/// `Display` writes the header. (Developer guide, "Tracing header".)
///
/// ```
/// use xray::{Sampled, TraceHeader};
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
    /// The id of the trace.
    pub root: Option<TraceId>,
    /// The id of the caller's segment or subsegment.
    pub parent: Option<SegmentId>,
    /// The caller's sampling decision; `None` if the header has none, as from a load balancer.
    pub sampled: Option<Sampled>,
    /// The other keys and values, in their order.
    extra: Vec<(String, String)>,
    /// The header `tracestate`, which accompanies a `traceparent`.
    state: TraceState,
}

/// The `Sampled` part of a trace header.
///
/// ```
/// use xray::{Sampled, TraceHeader};
///
/// assert_eq!(TraceHeader::parse("Sampled=1").sampled, Some(Sampled::Yes));
/// assert_eq!(TraceHeader::parse("Sampled=yes").sampled, None);
/// ```
// Exhaustive: the grammar has these three values, and a caller is to handle each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sampled {
    /// `Sampled=1`: the trace is recorded.
    Yes,
    /// `Sampled=0`: the trace is not recorded.
    No,
    /// `Sampled=?`: the caller asks this service to decide, and to send the decision in the header of the response.
    Requested,
}

impl TraceHeader {
    /// Limit on the bytes of all extra keys and values together. A pair that would exceed it is dropped.
    // The limit of the X-Ray SDK for Node.js. Extra data goes into every outgoing request, so a client must not be able
    // to make it long.
    pub const MAX_EXTRA_BYTES: usize = 256;
    /// Limit on the parts that are read. Known senders write fewer than ten; a hostile one may send a megabyte of `;`.
    const MAX_PARTS: usize = 64;
    /// Limit on the headers of one request that are read.
    const MAX_HEADERS: usize = 8;

    /// Reads the value of an `X-Amzn-Trace-Id` header; the type's documentation describes the rules.
    ///
    /// ```
    /// use xray::TraceHeader;
    ///
    /// assert_eq!(TraceHeader::parse("no header at all"), TraceHeader::default());
    /// ```
    #[must_use]
    pub fn parse(value: &str) -> Self {
        let mut rest = Some(value);
        let headers = std::iter::from_fn(|| {
            let (header, next) = split_joined(rest?);
            rest = next;
            Some(Self::parse_one(header))
        });
        Self::choose(headers)
    }

    /// Returns the first of a request's headers that has a `Root`. If none has a `Root`, returns the first header.
    pub(crate) fn choose(headers: impl Iterator<Item = Self>) -> Self {
        let mut headers = headers.take(Self::MAX_HEADERS);
        let first = headers.next().unwrap_or_default();
        if first.root.is_some() {
            return first;
        }
        headers.find(|header| header.root.is_some()).unwrap_or(first)
    }

    fn parse_one(value: &str) -> Self {
        let mut header = Self::default();
        for part in value.split(';').take(Self::MAX_PARTS) {
            let Some((key, value)) = part.split_once('=') else { continue };
            header.read_part(key.trim(), value.trim());
        }
        header
    }

    /// Reads the header of a message from its attributes: the value of `AWSTraceHeader`, under which SQS passes on the
    /// sender's header. Without it the header is empty.
    ///
    /// Pass the attributes of `SqsMessage` in the crate `aws_lambda_events`, or the system attributes of a message in
    /// `aws_sdk_sqs`: `of_message(message.attributes().into_iter().flatten())`. SQS returns the attribute to a
    /// `ReceiveMessage` that asks for the system attribute `AWSTraceHeader`. (Developer guide, "Amazon SQS and AWS
    /// X-Ray".)
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use xray::{Segment, TraceHeader};
    ///
    /// let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    /// let attributes = HashMap::from([("SenderId", "AIDA"), ("AWSTraceHeader", header)]);
    /// let header = TraceHeader::of_message(&attributes);
    /// let ((), documents) = xray::testing::capture_blocking(|| {
    ///     Segment::builder("worker").trace_header(&header).begin().end(); // continues the sender's trace
    /// });
    /// assert_eq!(documents[0].trace_id, header.root);
    /// ```
    #[must_use]
    pub fn of_message<K: AsRef<str>, V: AsRef<str>>(attributes: impl IntoIterator<Item = (K, V)>) -> Self {
        let mut attributes = attributes.into_iter();
        let header = attributes.find(|(name, _)| name.as_ref() == "AWSTraceHeader");
        header.map(|(_, value)| Self::parse(value.as_ref())).unwrap_or_default()
    }

    fn read_part(&mut self, key: &str, value: &str) {
        // The last valid part of a key wins, and an invalid one does not erase a valid one: hence `.or(self.root)`.
        if key.eq_ignore_ascii_case("root") {
            self.root = value.parse().ok().filter(|id: &TraceId| !id.is_zero()).or(self.root);
        } else if key.eq_ignore_ascii_case("parent") {
            self.parent = value.parse().ok().filter(|id: &SegmentId| !id.is_zero()).or(self.parent);
        } else if key.eq_ignore_ascii_case("sampled") {
            self.sampled = Sampled::parse(value).or(self.sampled);
        } else if !key.eq_ignore_ascii_case("self") {
            self.keep_extra(key, value);
        }
    }

    fn keep_extra(&mut self, key: &str, value: &str) {
        // A comma at the edge of the header that is written would be read as one between two headers.
        let (key, value) = (key.trim_start_matches(EDGE), value.trim_end_matches(EDGE));
        let bytes: usize = self.extra.iter().map(|(key, value)| key.len() + value.len()).sum();
        // Visible ASCII and spaces only: a control character or a byte beyond ASCII in one extra would make the whole
        // outgoing header invalid.
        let is_sendable = |text: &str| text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        let fits = bytes + key.len() + value.len() <= Self::MAX_EXTRA_BYTES;
        if fits && !key.is_empty() && is_sendable(key) && is_sendable(value) {
            self.extra.push((key.to_owned(), value.to_owned()));
        }
    }

    /// Removes the caller's decision and its `tracestate`, which may contain decisions of other systems. `Sampled=?`
    /// stays: it asks for the decision of this service.
    pub(super) fn without_decision(self) -> Self {
        let sampled = self.sampled.filter(|sampled| *sampled == Sampled::Requested);
        Self { sampled, state: TraceState::default(), ..self }
    }

    /// Returns the sampling rule by which the first service of the trace decided.
    pub(crate) fn rule(&self) -> Option<RuleHash> {
        self.state.rule
    }

    /// Sets the sampling rule by which the first service of the trace decided.
    pub(crate) fn with_rule(self, rule: Option<RuleHash>) -> Self {
        Self { state: self.state.with_rule(rule), ..self }
    }

    pub(crate) fn state(&self) -> &TraceState {
        &self.state
    }

    pub(super) fn with_state(self, state: TraceState) -> Self {
        Self { state, ..self }
    }

    /// Returns the keys and values of the other parts in their order, such as `Lineage` and `CalledFrom`.
    ///
    /// ```
    /// use xray::TraceHeader;
    ///
    /// let header = TraceHeader::parse("Sampled=1;Lineage=a87bd80c:1|68fd508a:5;Self=1-67891234-12456789abcdef01");
    /// assert_eq!(header.extra().collect::<Vec<_>>(), [("Lineage", "a87bd80c:1|68fd508a:5")]);
    /// ```
    pub fn extra(&self) -> impl Iterator<Item = (&str, &str)> {
        self.extra.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Reads the value of a `traceparent` header; `None` if it is malformed.
    ///
    /// The form is `00-<trace id>-<parent id>-<flags>`: 2, 32, 16 and 2 hex digits in lower case. Ids of zeros and the
    /// version `ff` are invalid. A later version is read too: it has the same four fields, and may have more behind a
    /// further `-`. Spaces around the value are allowed. (W3C Trace Context, section 3.2, "Traceparent Header".)
    ///
    /// The trace id becomes a `Root` whose first 8 digits may not be a time; X-Ray accepts that. The lowest flag
    /// becomes `Sampled`, which is therefore always `Yes` or `No`. [`with_tracestate`](Self::with_tracestate) adds
    /// the header `tracestate`.
    ///
    /// ```
    /// use xray::{Sampled, Segment, TraceHeader};
    ///
    /// let header = TraceHeader::from_traceparent("00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01").unwrap();
    /// assert_eq!(header.to_string(), "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1");
    /// # xray::Recorder::builder().sampler(xray::sampling::Always).emitter(xray::emitter::MemoryEmitter::new()).install().unwrap();
    /// let segment = Segment::builder("todo-app").trace_header(&header).begin();
    /// assert_eq!(segment.trace_id(), header.root);
    ///
    /// assert_eq!(TraceHeader::from_traceparent("00-5759E988BD862E3FE1BE46A994272793-53995C3F42CD8AD8-01"), None);
    /// ```
    #[must_use]
    pub fn from_traceparent(value: &str) -> Option<Self> {
        const INVALID_VERSION: u128 = 0xff;
        const SAMPLED: u128 = 1;
        let (fields, rest) = value.trim_matches([' ', '\t']).split_at_checked(TRACEPARENT_LENGTH)?;
        let mut fields = fields.split('-');
        let version = parse_lower_hex::<2>(fields.next()?)?;
        // Version 00 ends here. A later version may go on, but only with a new field. (W3C Trace Context, section 4,
        // "Versioning of traceparent".)
        let is_complete = rest.is_empty() || version > 0 && rest.starts_with('-');
        if version == INVALID_VERSION || !is_complete {
            return None;
        }
        let (root, parent) = (TraceId::from_w3c(fields.next()?)?, SegmentId::from_w3c(fields.next()?)?);
        let flags = parse_lower_hex::<2>(fields.next()?)?;
        let sampled = if flags & SAMPLED == 0 { Sampled::No } else { Sampled::Yes };
        Some(Self { root: Some(root), parent: Some(parent), sampled: Some(sampled), ..Self::default() })
    }

    /// Adds the value of a header `tracestate`, whose members are passed on with `traceparent`, up to 512 bytes.
    ///
    /// The first service of a trace names its rule as `xrsr=<hash>`, as the AWS Distro for OpenTelemetry does. The
    /// sampler [`Central`](crate::sampling::Central) then reports failures in this service for that rule. A
    /// `xray::tower::SegmentLayer` of a recorder that [propagates](crate::Propagation) `traceparent` reads the header
    /// itself.
    ///
    /// ```
    /// use xray::TraceHeader;
    ///
    /// let header = TraceHeader::from_traceparent("00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-00").unwrap();
    /// let with_rule = header.clone().with_tracestate("xrsr=21b111cbfe6e8fca,vendor=1");
    /// assert_ne!(with_rule, header);
    /// ```
    #[must_use]
    pub fn with_tracestate(self, value: &str) -> Self {
        self.with_state(TraceState::read([value.as_bytes()].into_iter()))
    }

    /// Returns the value of a `traceparent` header for the same trace, parent and decision.
    ///
    /// `None` if `Root` or `Parent` is absent or all zeros. `traceparent` cannot leave the decision open: without
    /// `Sampled`, and for `Sampled=?`, it says "not sampled", the default of W3C. (W3C Trace Context, "Sampled flag".)
    /// The extra parts are left out.
    ///
    /// ```
    /// use xray::TraceHeader;
    ///
    /// let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:1";
    /// let traceparent = TraceHeader::parse(header).to_traceparent();
    /// assert_eq!(traceparent.unwrap(), "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01");
    /// assert_eq!(TraceHeader::parse("Root=1-5759e988-bd862e3fe1be46a994272793").to_traceparent(), None);
    /// ```
    #[must_use]
    pub fn to_traceparent(&self) -> Option<String> {
        let value = traceparent(self.root?, self.parent?, self.sampled == Some(Sampled::Yes))?;
        String::from_utf8(value.to_vec()).ok()
    }
}

/// The text between two headers that are joined, and around an empty one.
const EDGE: [char; 3] = [',', ' ', '\t'];

/// Splits off the first of several headers that are joined by commas. The second value is the next header and all
/// behind it. Empty headers between them are left out.
// A value of an extra part may contain a comma too, so a comma separates headers only if nothing or a known key follows
// it.
fn split_joined(value: &str) -> (&str, Option<&str>) {
    let is_key = |text: &str, key: &str| {
        let (start, rest) = text.split_at_checked(key.len()).unwrap_or_default();
        start.eq_ignore_ascii_case(key) && rest.trim_start().starts_with('=')
    };
    let begins_header =
        |text: &str| text.is_empty() || ["root", "self", "parent", "sampled"].iter().any(|key| is_key(text, key));
    // Each run of commas is judged once, because a hostile client may send thousands.
    let mut judged = 0;
    for (comma, _) in value.match_indices(',') {
        if comma < judged {
            continue;
        }
        let rest = value[comma..].trim_start_matches(EDGE);
        if begins_header(rest) {
            return (&value[..comma], Some(rest));
        }
        judged = value.len() - rest.len();
    }
    (value, None)
}

impl FromStr for TraceHeader {
    type Err = Infallible;

    fn from_str(value: &str) -> Result<Self, Infallible> {
        Ok(Self::parse(value))
    }
}

impl fmt::Display for TraceHeader {
    /// Writes `Root`, `Parent`, `Sampled` and the extra parts in this order, without the absent ones.
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
    //! Defects of the X-Ray SDK for Python 2.15.0, and the test that shows that this library does not have them:
    //!
    //! * 1.2 header, a space after the semicolon loses the parent and the decision: `vectors`
    //! * 1.2 header, a semicolon at the end loses everything: `vectors`
    //! * 1.2 header, one part without a value loses everything: `vectors`
    //! * 1.2 header, keys in lower case are not recognised: `vectors`
    //! * 1.2 header, an invalid root is accepted and sent on: `vectors`
    //! * 1.2 header, a value ends at its second `=`: `vectors`
    //! * 6.8, refuses what is harmless, and accepts what is invalid: `vectors`
    //!
    //! The numbers are sections of the study that measured them.

    use super::*;

    /// Enough parts to show a limit. Miri is a thousand times slower.
    const MANY: usize = if cfg!(miri) { 10_000 } else { 1_000_000 };

    #[test]
    fn a_request_for_a_decision_is_no_decision() {
        for (decision, sampled) in [("1", None), ("0", None), ("?", Some(Sampled::Requested))] {
            let header = format!("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled={decision}");
            let header = header.parse::<TraceHeader>().unwrap();
            assert!(header.sampled.is_some() && header.root.is_some());
            // `tracestate` may contain the decisions of other systems.
            let with_state = header.clone().with_tracestate("vendor=1");
            assert_eq!(with_state.without_decision(), TraceHeader { sampled, ..header });
        }
    }

    /// In the vectors an absent part is `null`, and an absent decision is "none". A root of "?" may be read in any way.
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
            assert_eq!(TraceHeader::parse(&header.to_string()), header, "the written header reads as the same header");
        }
    }

    const TRACE: &str = "5759e988bd862e3fe1be46a994272793";
    const PARENT: &str = "53995c3f42cd8ad8";

    #[test]
    fn valid_traceparents_are_read_and_written_again() {
        for (value, sampled) in [
            (format!("00-{TRACE}-{PARENT}-01"), Sampled::Yes),
            (format!("00-{TRACE}-{PARENT}-00"), Sampled::No),
            (format!("00-{TRACE}-{PARENT}-02"), Sampled::No),
            (format!("00-{TRACE}-{PARENT}-fd"), Sampled::Yes),
            (format!(" \t00-{TRACE}-{PARENT}-01\t "), Sampled::Yes),
            (format!("01-{TRACE}-{PARENT}-01"), Sampled::Yes),
            (format!("cc-{TRACE}-{PARENT}-01-what-the-future-will-be-like"), Sampled::Yes),
            (format!("fe-{TRACE}-{PARENT}-00-"), Sampled::No),
        ] {
            let header = TraceHeader::from_traceparent(&value).unwrap_or_else(|| panic!("{value}"));
            assert_eq!(header.root.unwrap().to_string(), "1-5759e988-bd862e3fe1be46a994272793", "{value}");
            assert_eq!(header.parent.unwrap().to_string(), PARENT, "{value}");
            assert_eq!((header.sampled, header.extra().count()), (Some(sampled), 0), "{value}");
            let written = header.to_traceparent().unwrap();
            assert_eq!(TraceHeader::from_traceparent(&written), Some(header), "{written}");
        }
    }

    /// Some are from W3C's own test suite. (w3c/trace-context, `test/test.py`.)
    #[test]
    fn malformed_traceparents_are_ignored() {
        let zeros = "0".repeat(32);
        for value in [
            String::new(),
            "00".to_owned(),
            "-".repeat(55),
            "x".repeat(5_000_000),
            format!("{TRACE}-{PARENT}-01"),
            format!("00-{TRACE}-{PARENT}"),
            format!("00-{TRACE}-{PARENT}-"),
            format!("00-{TRACE}-{PARENT}-01."),
            format!("00-{TRACE}-{PARENT}-01-"),
            format!("00-{TRACE}-{PARENT}-01-what-the-future-will-be-like"),
            format!("cc-{TRACE}-{PARENT}-01.what-the-future-will-be-like"),
            format!("cc-{TRACE}-{PARENT}-010"),
            format!("ff-{TRACE}-{PARENT}-01"),
            format!("FE-{TRACE}-{PARENT}-01"),
            format!(".0-{TRACE}-{PARENT}-01"),
            format!("+0-{TRACE}-{PARENT}-01"),
            format!("0-{TRACE}-{PARENT}-01"),
            format!("000-{TRACE}-{PARENT}-01"),
            format!("00-{TRACE}-{PARENT}-1"),
            format!("00-{TRACE}-{PARENT}-001"),
            format!("00-{TRACE}-{PARENT}-.1"),
            format!("00-{TRACE}-{PARENT}-0."),
            format!("00-{TRACE}-{PARENT}-0A"),
            format!("00-{}-{PARENT}-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-{}-01", PARENT.to_uppercase()),
            format!("00-{zeros}-{PARENT}-01"),
            format!("00-{TRACE}-{}-01", &zeros[..16]),
            format!("00-{TRACE}0-{PARENT}-01"),
            format!("00-{}-{PARENT}0-01", &TRACE[1..]),
            format!("00-{}-{PARENT}-01", &TRACE[1..]),
            format!("00-{TRACE}-{}-01", &PARENT[1..]),
            format!("00-.{}-{PARENT}-01", &TRACE[1..]),
            format!("00-{TRACE}-{}.-01", &PARENT[1..]),
            format!("00_{TRACE}_{PARENT}_01"),
            format!("00 {TRACE} {PARENT} 01"),
            format!("00-{TRACE}-{PARENT}-01,00-{TRACE}-{PARENT}-01"),
            format!("00-{TRACE}-{PARENT}-0\u{e9}"),
            format!("00-{}\u{e9}-{PARENT}-01", &TRACE[2..]),
            format!("\u{a0}00-{TRACE}-{PARENT}-01"),
        ] {
            assert_eq!(TraceHeader::from_traceparent(&value), None, "{value:.100}");
        }
    }

    #[test]
    fn a_traceparent_is_written_only_with_a_valid_trace_and_parent() {
        let (root, zeros) = ("1-5759e988-bd862e3fe1be46a994272793", "0000000000000000");
        let written = |header: &str| TraceHeader::parse(header).to_traceparent();
        assert_eq!(written(&format!("Root={root};Sampled=1")), None);
        assert_eq!(written(&format!("Parent={PARENT};Sampled=1")), None);
        for undecided in ["", ";Sampled=?", ";Sampled=0"] {
            let expected = format!("00-{TRACE}-{PARENT}-00");
            assert_eq!(written(&format!("Root={root};Parent={PARENT}{undecided}")), Some(expected));
        }
        let mut header = TraceHeader::parse(&format!("Root={root};Parent={PARENT};Sampled=1"));
        let parsed = TraceHeader::parse(&format!("Parent={zeros};Root=1-00000000-{zeros}00000000"));
        assert_eq!(parsed, TraceHeader::default());
        header.parent = zeros.parse().ok();
        assert_eq!(header.to_traceparent(), None);
        header.parent = PARENT.parse().ok();
        header.root = format!("1-00000000-{zeros}00000000").parse().ok();
        assert!(header.root.is_some() && header.to_traceparent().is_none());
    }

    /// Each service writes the header that it has read. None of them may change a part that another service added.
    #[test]
    fn what_is_read_is_written_so_that_it_is_read_alike() {
        for value in [
            "a=b,",
            "a=b,,,, ;Root=1-5759e988-bd862e3fe1be46a994272793",
            "a=1,,2,",
            "a=b,c=d, ,e",
            ",,a=b",
            "Self=1;,a=b",
        ] {
            let header = TraceHeader::parse(value);
            assert_eq!(TraceHeader::parse(&header.to_string()), header, "{value}");
        }
        assert_eq!(TraceHeader::parse("a=1,,2,").to_string(), "a=1,,2");
        assert_eq!(TraceHeader::parse("a=b,rooted;c=d,self=e;f=g").to_string(), "a=b,rooted;c=d");
        assert_eq!(TraceHeader::parse(" , a=b,abcd=e").to_string(), "a=b,abcd=e");
    }

    #[test]
    fn of_several_headers_the_first_with_a_root_counts() {
        let good = format!("Root=1-5759e988-bd862e3fe1be46a994272793;Parent={PARENT};Sampled=1;Lineage=a:1,b:2");
        let other = "Root=1-00000001-bd862e3fe1be46a994272793;Parent=0000000000000001;Sampled=0";
        let expected = TraceHeader::parse_one(&good);
        assert_eq!(
            expected.extra().collect::<Vec<_>>(),
            [("Lineage", "a:1,b:2")],
            "a comma in a value separates nothing"
        );
        for value in [
            format!("{good}, {other}"),
            format!("{good},{other}"),
            format!(", {good}"),
            format!(",,{good}"),
            format!("{}{good}", " ,".repeat(100)),
            format!("Sampled=0,, ,{good}"),
            format!("{good},, ,"),
            format!("Root=1-x;Sampled=0,{good}"),
            format!("Self=1-67891234-12456789abcdef012345678, {good}"),
            format!("Sampled=0 ,\tSELF = 1;{good}"),
            format!("{good},"),
            format!("{good}, "),
        ] {
            assert_eq!(TraceHeader::parse(&value), expected, "{value}");
        }
        let without_root = TraceHeader::parse("Sampled=1,Sampled=0");
        assert_eq!((without_root.sampled, without_root.root), (Some(Sampled::Yes), None));
        assert_eq!(TraceHeader::parse(&format!("{}{good}", ",".repeat(MANY))), expected);
        // In quadratic time, this would take hours.
        let spaces = "\u{a0}".repeat(MANY);
        assert_eq!(TraceHeader::parse(&format!("{spaces}{}{good}", "a,".repeat(MANY))).root, expected.root);
        let commas = TraceHeader::parse(&format!("a=1{}{}", ",".repeat(MANY), "b".repeat(MANY)));
        assert_eq!(commas, TraceHeader::default(), "one value, which is too long");
        let many = format!("{}{good}", "Sampled=0,".repeat(MANY));
        let first = TraceHeader::parse_one("Sampled=0");
        assert_eq!(TraceHeader::parse(&many), first, "the number of headers that are read is limited");
    }

    #[test]
    fn a_root_in_upper_case_is_written_in_lower_case() {
        let header = TraceHeader::parse("Root=1-5759E988-BD862E3FE1BE46A994272793;Sampled=1");
        assert_eq!(header.to_string(), "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1");
    }

    #[test]
    fn extra_data_is_bounded_and_valid_in_a_header() {
        let long = format!("a={};b=1;c=\u{1};\u{e9}=1;=x", "v".repeat(TraceHeader::MAX_EXTRA_BYTES));
        assert_eq!(TraceHeader::parse(&long).extra().collect::<Vec<_>>(), [("b", "1")]);
        let kept = |length| TraceHeader::parse(&format!("first=v;second={}", "v".repeat(length))).extra().count();
        let room = TraceHeader::MAX_EXTRA_BYTES - "firstvsecond".len();
        assert_eq!((kept(room), kept(room + 1)), (2, 1), "keys and values count");
        let huge = "k=v;".repeat(MANY);
        assert_eq!(TraceHeader::parse(&huge).extra().count(), TraceHeader::MAX_PARTS);
    }
}
