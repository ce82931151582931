//! Trace headers: reads those of incoming requests, and prepares those of outgoing requests.
//!
//! A trace prepares its headers once. An unsampled request then costs one insert of a shared value, and a sampled one a
//! copy into which the id of its subsegment is written.

use http::{HeaderName, HeaderValue};

use crate::header::request_headers::{RequestHeaders, X_RAY};
use crate::header::trace_header::{Sampled, TraceHeader};
use crate::header::traceparent::{TRACEPARENT_LENGTH, TRACEPARENT_PARENT, traceparent};
use crate::header::tracestate::{TRACESTATE, TraceState};
use crate::id::{SegmentId, TraceId};

const TRACEPARENT_NAME: HeaderName = HeaderName::from_static("traceparent");

// A static beside the constant, because `&W3C` must be `&'static`. The compiler promotes a reference to a constant to
// `&'static` only for types without a destructor, and `HeaderName` has one.
static W3C: HeaderName = TRACEPARENT_NAME;

/// The trace headers that outgoing requests carry; set by [`propagate`](crate::RecorderBuilder::propagate).
///
/// ```
/// use xray::{Propagation, Recorder};
///
/// let recorder = Recorder::builder().propagate(Propagation::Both).build();
/// # drop(recorder);
/// assert_eq!(Propagation::default(), Propagation::XRay);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Propagation {
    /// `X-Amzn-Trace-Id`, the header of X-Ray, its SDKs and the services of AWS. Extra data of the incoming header,
    /// such as `Lineage`, is passed on in it.
    #[default]
    XRay,
    /// `traceparent`, the header of W3C Trace Context and OpenTelemetry. The members of an incoming `tracestate` are
    /// passed on, up to 512 bytes. If [`Central`](crate::sampling::Central) decided about the trace, requests also
    /// carry its rule in `tracestate`, as `xrsr=<hash>`. A request that has a `tracestate` already keeps it.
    W3c,
    /// Both headers, with the same ids and the same decision.
    Both,
}

impl Propagation {
    fn has_x_ray(self) -> bool {
        self != Self::W3c
    }

    fn has_w3c(self) -> bool {
        self != Self::XRay
    }

    /// Reads the trace header of an incoming request: `X-Amzn-Trace-Id`, or `traceparent` if `traceparent` is
    /// propagated and `X-Amzn-Trace-Id` has neither a parent nor a decision. `values` returns the values of a header.
    #[cfg(any(feature = "tower", feature = "actix-web"))]
    pub(crate) fn read<'a, V: Iterator<Item = &'a [u8]>>(self, values: impl Fn(&'static str) -> V) -> TraceHeader {
        // X-Ray's header first: API Gateway and Lambda maintain only that one. Behind them a `traceparent` has an older
        // parent. But a load balancer gives a request without the header a new trace id and nothing else, although a
        // caller that uses OpenTelemetry has begun the trace of `traceparent`.
        //
        // A lossy conversion, because one invalid byte in an extra must not cost the trace id.
        let x_ray = values(X_RAY.as_str()).map(|value| TraceHeader::parse(&String::from_utf8_lossy(value)));
        let x_ray = TraceHeader::choose(x_ray);
        if !self.has_w3c() {
            return x_ray;
        }
        // Two values are not valid, as when they are joined in one header.
        let mut values_of_w3c = values(W3C.as_str());
        let w3c = values_of_w3c.next().filter(|_| values_of_w3c.next().is_none()).map(String::from_utf8_lossy);
        let Some(w3c) = w3c.and_then(|value| TraceHeader::from_traceparent(&value)) else { return x_ray };
        let is_x_ray = x_ray.root.is_some() && (x_ray.parent.is_some() || x_ray.sampled.is_some());
        if is_x_ray && x_ray.root != w3c.root {
            return x_ray;
        }
        let header = if is_x_ray { x_ray } else { w3c };
        header.with_state(TraceState::read(values(TRACESTATE.as_str())))
    }

    /// Returns whether the request carries a propagated trace header that satisfies `is_wanted`.
    #[inline]
    fn has_any(self, request: &impl RequestHeaders, is_wanted: impl Fn(TraceHeader) -> bool) -> bool {
        let x_ray = || request.get(&X_RAY).map(TraceHeader::parse);
        let w3c = || request.get(&W3C).and_then(TraceHeader::from_traceparent);
        self.has_x_ray() && x_ray().is_some_and(&is_wanted) || self.has_w3c() && w3c().is_some_and(&is_wanted)
    }
}

/// The trace headers for one request.
#[derive(Debug, Clone, Default)]
pub(crate) struct CallHeaders {
    x_ray: Option<HeaderValue>,
    w3c: Option<W3cHeaders>,
}

#[derive(Debug, Clone)]
struct W3cHeaders {
    parent: HeaderValue,
    state: Option<HeaderValue>,
}

impl W3cHeaders {
    /// Sets the headers. The program's own `tracestate` stays.
    #[inline(never)]
    fn insert_into(self, request: &mut impl RequestHeaders) {
        request.set(&W3C, self.parent);
        if let Some(value) = self.state.filter(|_| request.get(&TRACESTATE).is_none()) {
            request.set(&TRACESTATE, value);
        }
    }
}

impl CallHeaders {
    /// Sets the headers, in place of those that the request carries already.
    #[inline]
    fn insert_into(self, request: &mut impl RequestHeaders) {
        if let Some(value) = self.x_ray {
            request.set(&X_RAY, value);
        }
        if let Some(headers) = self.w3c {
            headers.insert_into(request);
        }
    }

    /// Like [`insert_into`](Self::insert_into), but clones: every request of an unsampled trace carries these same
    /// values.
    // Cloning a `HeaderValue` only increments a reference count, see `share`; no byte is copied.
    #[inline]
    pub(crate) fn copy_into(&self, request: &mut impl RequestHeaders) {
        if let Some(value) = &self.x_ray {
            request.set(&X_RAY, value.clone());
        }
        if let Some(headers) = &self.w3c {
            headers.clone().insert_into(request);
        }
    }

    /// Sets the headers unless the request already carries one for which `keeps` returns true; then nothing changes.
    ///
    /// Returns whether the headers were set.
    #[inline]
    pub(crate) fn insert_unless(
        self,
        request: &mut impl RequestHeaders,
        propagation: Propagation,
        keeps: impl Fn(TraceHeader) -> bool,
    ) -> bool {
        // A request may be traced by two mechanisms, and code between them may have removed one of the headers. So
        // either header counts.
        if propagation.has_any(request, keeps) {
            return false;
        }
        self.insert_into(request);
        true
    }
}

/// The prepared headers of all outgoing requests of one trace.
pub(crate) enum OutgoingHeaders {
    /// The finished headers. Nothing is recorded, so they contain no id of a call, and all requests share them.
    Unsampled(CallHeaders),
    /// Templates, into which [`of_call`](OutgoingHeaders::of_call) writes the id of the request's subsegment.
    Sampled { x_ray: Option<Vec<u8>>, w3c: Option<[u8; TRACEPARENT_LENGTH]>, state: Option<HeaderValue> },
}

impl OutgoingHeaders {
    /// Prepares the headers of the trace `id`. `extra` is the extra data to pass on, as `;key=value` for each pair.
    ///
    /// ```text
    /// sampled:   Root=<id>;Parent=<segment>;Sampled=1<extra>   (`segment` stands in the place of the subsegment)
    /// unsampled: Root=<id>;Sampled=0<extra>
    /// ```
    pub(crate) fn new(propagation: Propagation, id: TraceId, segment: SegmentId, sampled: bool, extra: &str) -> Self {
        // An unsampled X-Ray header names no parent: no such segment will ever be recorded. A `traceparent` is invalid
        // without one, so it names the segment.
        let w3c = propagation.has_w3c().then(|| traceparent(id, segment, sampled)).flatten();
        let x_ray = propagation.has_x_ray().then(|| x_ray_header(id, sampled.then_some(segment), extra));
        if sampled {
            Self::Sampled { x_ray, w3c, state: None }
        } else {
            Self::Unsampled(CallHeaders {
                x_ray: x_ray.and_then(share),
                w3c: w3c.and_then(|value| Some(W3cHeaders { parent: share(value.into())?, state: None })),
            })
        }
    }

    /// Adds the header `tracestate`. Does nothing without a `traceparent`, which `tracestate` accompanies.
    pub(crate) fn with_state(self, state: &TraceState) -> Self {
        let has_w3c = match &self {
            Self::Unsampled(headers) => headers.w3c.is_some(),
            Self::Sampled { w3c, .. } => w3c.is_some(),
        };
        match state.value().filter(|_| has_w3c) {
            Some(value) => self.with_state_value(share(value.into_bytes())),
            None => self,
        }
    }

    fn with_state_value(self, state: Option<HeaderValue>) -> Self {
        match self {
            Self::Unsampled(CallHeaders { x_ray, w3c }) => {
                let w3c = w3c.map(|headers| W3cHeaders { state, ..headers });
                Self::Unsampled(CallHeaders { x_ray, w3c })
            }
            Self::Sampled { x_ray, w3c, .. } => Self::Sampled { x_ray, w3c, state },
        }
    }

    /// Prepares the headers of unsampled requests in the sampled trace `id`.
    pub(crate) fn unsampled(&self, propagation: Propagation, id: TraceId, segment: SegmentId) -> Self {
        const SAMPLED: &str = ";Sampled=1";
        let (x_ray, state) = match self {
            Self::Sampled { x_ray, state, .. } => (x_ray.as_deref(), state.clone()),
            Self::Unsampled(_) => (None, None),
        };
        let x_ray = x_ray.and_then(|value| std::str::from_utf8(value).ok());
        let extra = x_ray.and_then(|value| value.split_once(SAMPLED)).map_or("", |(_, extra)| extra);
        Self::new(propagation, id, segment, false, extra).with_state_value(state)
    }

    /// Prepares a header that passes on the incoming one unchanged, for a trace without a sampling decision.
    ///
    /// Lambda hands such a header to a function without active tracing. `value` is its text and `header` the parsed
    /// form, which replaces a text that is longer than 1,024 bytes or not valid in a header.
    pub(crate) fn untouched(propagation: Propagation, value: &str, header: &TraceHeader) -> Self {
        // Known services write less than 300 bytes. The parsed form is bounded, see `TraceHeader::MAX_EXTRA_BYTES`.
        const MAX_BYTES: usize = 1024;
        let is_valid = value.len() <= MAX_BYTES && HeaderValue::from_str(value).is_ok();
        let value = || if is_valid { value.to_owned() } else { header.to_string() };
        let x_ray = propagation.has_x_ray().then(|| share(value().into_bytes())).flatten();
        // No `traceparent`: it cannot leave the decision open.
        Self::Unsampled(CallHeaders { x_ray, w3c: None })
    }

    /// Returns the headers of every request of an unsampled trace; `None` if the trace is sampled.
    #[inline]
    pub(crate) fn of_unsampled(&self) -> Option<&CallHeaders> {
        match self {
            Self::Unsampled(headers) => Some(headers),
            Self::Sampled { .. } => None,
        }
    }

    /// Returns the header of a message that `sender`, a segment or subsegment of the trace `id`, sends.
    pub(crate) fn header(&self, id: TraceId, sender: SegmentId) -> Option<TraceHeader> {
        let (x_ray, state, sampled) = match self {
            Self::Sampled { x_ray, state, .. } => (x_ray.as_deref(), state.as_ref(), Sampled::Yes),
            Self::Unsampled(CallHeaders { x_ray: None, w3c: None }) => return None,
            Self::Unsampled(CallHeaders { x_ray, w3c }) => {
                let state = w3c.as_ref().and_then(|w3c| w3c.state.as_ref());
                (x_ray.as_ref().map(HeaderValue::as_bytes), state, Sampled::No)
            }
        };
        let mut header = x_ray.and_then(|value| std::str::from_utf8(value).ok()).map(TraceHeader::parse);
        // A header without a decision is passed on as it is; see `untouched`.
        if header.as_ref().is_some_and(|header| header.sampled != Some(sampled)) {
            return header;
        }
        let header = header.get_or_insert_default();
        (header.root, header.parent, header.sampled) = (Some(id), Some(sender), Some(sampled));
        let state = state.and_then(|state| state.to_str().ok()).unwrap_or_default();
        Some(header.clone().with_tracestate(state))
    }

    /// Returns the headers of a request that is recorded as the subsegment `call`.
    pub(crate) fn of_call(&self, call: SegmentId) -> CallHeaders {
        // All ids have a fixed length, so the parent has a fixed position and the template is only copied.
        const PARENT: usize = "Root=".len() + TraceId::TEXT_LENGTH + ";Parent=".len();
        let Self::Sampled { x_ray, w3c, state } = self else { return CallHeaders::default() };
        let call = call.to_ascii();
        let x_ray = x_ray.as_ref().and_then(|value| {
            let mut value = value.clone();
            value.get_mut(PARENT..PARENT + SegmentId::TEXT_LENGTH)?.copy_from_slice(&call);
            value.try_into().ok()
        });
        let w3c = w3c.and_then(|mut value| {
            value[TRACEPARENT_PARENT].copy_from_slice(&call);
            Some(W3cHeaders { parent: HeaderValue::from_bytes(&value).ok()?, state: state.clone() })
        });
        CallHeaders { x_ray, w3c }
    }
}

/// Returns the value of `X-Amzn-Trace-Id`. `parent` is `None` in an unsampled trace.
fn x_ray_header(root: TraceId, parent: Option<SegmentId>, extra: &str) -> Vec<u8> {
    let root = root.to_ascii();
    match parent.map(SegmentId::to_ascii) {
        Some(parent) => [b"Root=", &root[..], b";Parent=", &parent, b";Sampled=1", extra.as_bytes()].concat(),
        None => [b"Root=", &root[..], b";Sampled=0", extra.as_bytes()].concat(),
    }
}

/// Creates a header value whose clones share its bytes; `None` if the bytes are not valid in a header.
fn share(value: Vec<u8>) -> Option<HeaderValue> {
    let value = HeaderValue::try_from(value).ok()?;
    // `Bytes` from a `Vec` gets its reference count at the first clone, which allocates. Cloning here moves that cost
    // from the first call to the start of the trace.
    drop(value.clone());
    Some(value)
}

#[cfg(all(test, feature = "tower"))]
mod tests {
    use super::*;
    use crate::header::tracestate::RuleHash;

    #[test]
    fn two_values_of_traceparent_are_not_valid() {
        let values = [
            "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01",
            "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-00",
        ];
        for count in 0..=2 {
            let read =
                |name| values[..count].iter().filter(move |_| name == "traceparent").map(|value| value.as_bytes());
            assert_eq!(Propagation::W3c.read(read).root.is_some(), count == 1, "{count} values");
        }
    }

    #[test]
    fn the_trace_id_of_a_load_balancer_does_not_replace_the_trace_of_the_caller() {
        const W3C: (&str, &str) = ("traceparent", "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01");
        const LOAD_BALANCER: (&str, &str) = ("x-amzn-trace-id", "Root=1-62e56f5b-210512345678901234567890");
        const CALLER: (&str, &str) =
            ("x-amzn-trace-id", "Root=1-62e56f5b-210512345678901234567890;Parent=53995c3f42cd8ad9;Sampled=0");
        const IN_W3C: &str = "1-5759e988-bd862e3fe1be46a994272793";
        const IN_X_RAY: &str = "1-62e56f5b-210512345678901234567890";
        for (propagation, headers, root, has_parent) in [
            (Propagation::Both, &[W3C, LOAD_BALANCER][..], IN_W3C, true),
            (Propagation::W3c, &[W3C, LOAD_BALANCER], IN_W3C, true),
            (Propagation::XRay, &[W3C, LOAD_BALANCER], IN_X_RAY, false),
            (Propagation::Both, &[W3C, CALLER], IN_X_RAY, true),
            (Propagation::W3c, &[W3C, CALLER], IN_X_RAY, true),
            (Propagation::Both, &[LOAD_BALANCER], IN_X_RAY, false),
        ] {
            let header = propagation.read(|name| {
                headers.iter().filter(move |(header, _)| *header == name).map(|(_, value)| value.as_bytes())
            });
            let read = (header.root.unwrap().to_string(), header.parent.is_some());
            assert_eq!(read, (root.to_owned(), has_parent), "{propagation:?} {headers:?}");
        }
    }

    #[test]
    fn a_rule_in_tracestate_belongs_to_the_trace_of_traceparent() {
        const W3C: (&str, &str) = ("traceparent", "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01");
        const RULE: (&str, &str) = ("tracestate", "vendor=1,xrsr=9350872d712a127c");
        const SAME: (&str, &str) = ("x-amzn-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1");
        const OTHER: (&str, &str) = ("x-amzn-trace-id", "Root=1-5759e988-000000000000000000000001;Sampled=1");
        for (propagation, headers, is_named) in [
            (Propagation::W3c, &[W3C, RULE][..], true),
            (Propagation::Both, &[W3C, RULE], true),
            (Propagation::Both, &[W3C, RULE, SAME], true),
            (Propagation::Both, &[W3C, RULE, OTHER], false),
            (Propagation::Both, &[RULE, SAME], false),
            (Propagation::W3c, &[W3C], false),
            (Propagation::XRay, &[W3C, RULE, SAME], false),
        ] {
            let header = propagation.read(|name| {
                headers.iter().filter(move |(header, _)| *header == name).map(|(_, value)| value.as_bytes())
            });
            assert_eq!(header.rule(), is_named.then(|| RuleHash::of("pay")), "{propagation:?} {headers:?}");
        }
    }
}
