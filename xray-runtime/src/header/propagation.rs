//! The headers by which a trace travels on.

#[cfg(feature = "tower")]
use http::HeaderMap;
use http::{HeaderName, HeaderValue};

use crate::header::request_headers::{RequestHeaders, X_RAY};
use crate::header::trace_header::{TRACEPARENT_LENGTH, TRACEPARENT_PARENT, TraceHeader, traceparent};
use crate::id::{SegmentId, TraceId};

const TRACEPARENT_NAME: HeaderName = HeaderName::from_static("traceparent");

static W3C: HeaderName = TRACEPARENT_NAME;

/// Which headers outgoing requests carry; see [`propagate`](crate::RecorderBuilder::propagate).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Propagation {
    /// `X-Amzn-Trace-Id`: that of X-Ray, of its SDKs and of the services of AWS. It takes along what the incoming one
    /// had besides the trace, such as `Lineage`.
    #[default]
    XRay,
    /// `traceparent`: that of W3C Trace Context, of OpenTelemetry and others. `tracestate` is left as it is.
    W3c,
    /// Both, with the same ids and the same decision.
    Both,
}

impl Propagation {
    fn has_x_ray(self) -> bool {
        self != Self::W3c
    }

    fn has_w3c(self) -> bool {
        self != Self::XRay
    }

    /// What an incoming request says: `X-Amzn-Trace-Id`, which load balancers and gateways write, or where that names no
    /// trace a `traceparent`, if it is one of those that are propagated.
    #[cfg(feature = "tower")]
    pub(crate) fn read(self, headers: &HeaderMap) -> TraceHeader {
        let text = |name: &HeaderName| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
        let x_ray = text(&X_RAY).map(|value| TraceHeader::parse(&value)).unwrap_or_default();
        if x_ray.root.is_some() || !self.has_w3c() {
            return x_ray;
        }
        text(&W3C).and_then(|value| TraceHeader::from_traceparent(&value)).unwrap_or(x_ray)
    }

    /// Returns whether the request carries a trace header, of those that are propagated, for which `is_wanted` returns
    /// `true`.
    #[inline]
    fn has_any(self, request: &impl RequestHeaders, is_wanted: impl Fn(TraceHeader) -> bool) -> bool {
        let x_ray = || request.get(&X_RAY).map(TraceHeader::parse);
        let w3c = || request.get(&W3C).and_then(TraceHeader::from_traceparent);
        self.has_x_ray() && x_ray().is_some_and(&is_wanted) || self.has_w3c() && w3c().is_some_and(&is_wanted)
    }
}

/// The headers that one request is to carry.
#[derive(Debug, Clone, Default)]
pub(crate) struct TraceHeaders {
    x_ray: Option<HeaderValue>,
    w3c: Option<HeaderValue>,
}

impl TraceHeaders {
    /// Sets the headers in a request, in place of any values that it has for them.
    #[inline]
    fn insert_into(self, request: &mut impl RequestHeaders) {
        if let Some(value) = self.x_ray {
            request.set(&X_RAY, value);
        }
        if let Some(value) = self.w3c {
            request.set(&W3C, value);
        }
    }

    /// Like `insert_into`, but clones: every request of an unsampled trace carries these same values.
    #[inline]
    pub(crate) fn copy_into(&self, request: &mut impl RequestHeaders) {
        if let Some(value) = &self.x_ray {
            request.set(&X_RAY, value.clone());
        }
        if let Some(value) = &self.w3c {
            request.set(&W3C, value.clone());
        }
    }

    /// Sets the headers in a request, unless it carries a trace header for which `keeps` returns `true`: then nothing
    /// changes. Returns whether the headers were set.
    #[inline]
    pub(crate) fn insert_unless(
        self,
        request: &mut impl RequestHeaders,
        propagation: Propagation,
        keeps: impl Fn(TraceHeader) -> bool,
    ) -> bool {
        match self {
            // The default propagation. One header needs one look-up.
            Self { x_ray: Some(value), w3c: None } => {
                request.set_unless(&X_RAY, value, |value| keeps(TraceHeader::parse(value)))
            }
            // A proxy between two mechanisms may have left only one of two headers, so each of them counts.
            _ if propagation.has_any(request, keeps) => false,
            ours => {
                ours.insert_into(request);
                true
            }
        }
    }
}

/// The headers of all requests of one trace, as far as they can be made before there is a request.
pub(crate) enum Outbound {
    /// Nothing is recorded: all requests carry the same.
    Unsampled(TraceHeaders),
    /// Each carries the id of its call, for which there is room.
    Sampled { x_ray: Option<Vec<u8>>, w3c: Option<[u8; TRACEPARENT_LENGTH]> },
}

impl Outbound {
    /// For the trace `id`; `extra` is what it only passes on. A `traceparent` has to name somebody even where nothing
    /// is recorded: `segment`.
    pub(crate) fn new(propagation: Propagation, id: TraceId, segment: SegmentId, sampled: bool, extra: &str) -> Self {
        let w3c = propagation.has_w3c().then(|| traceparent(id, segment, sampled)).flatten();
        let x_ray = propagation.has_x_ray().then(|| {
            let value = if sampled {
                format!("Root={id};Parent={segment};Sampled=1{extra}")
            } else {
                format!("Root={id};Sampled=0{extra}")
            };
            value.into_bytes()
        });
        if sampled {
            Self::Sampled { x_ray, w3c }
        } else {
            Self::Unsampled(TraceHeaders {
                x_ray: x_ray.and_then(ready),
                w3c: w3c.and_then(|value| ready(value.into())),
            })
        }
    }

    /// For a trace on which nothing is decided: `value` as it came. Of one that no service sends, because it is long or
    /// no text, what `header` has of it.
    pub(crate) fn untouched(propagation: Propagation, value: &str, header: &TraceHeader) -> Self {
        const MAX_BYTES: usize = 1024;
        let is_fit = value.len() <= MAX_BYTES && HeaderValue::from_str(value).is_ok();
        let value = || if is_fit { value.to_owned() } else { header.to_string() };
        let x_ray = propagation.has_x_ray().then(|| ready(value().into_bytes())).flatten();
        Self::Unsampled(TraceHeaders { x_ray, w3c: None })
    }

    /// For all requests of a trace that is not sampled.
    pub(crate) fn unrecorded(&self) -> Option<&TraceHeaders> {
        match self {
            Self::Unsampled(headers) => Some(headers),
            Self::Sampled { .. } => None,
        }
    }

    /// For a request that is recorded as `call`.
    pub(crate) fn recorded(&self, call: SegmentId) -> TraceHeaders {
        const PARENT: usize = "Root=".len() + TraceId::TEXT_LENGTH + ";Parent=".len();
        let Self::Sampled { x_ray, w3c } = self else { return TraceHeaders::default() };
        let call = call.to_ascii();
        let x_ray = x_ray.as_ref().and_then(|value| {
            let mut value = value.clone();
            value.get_mut(PARENT..PARENT + SegmentId::TEXT_LENGTH)?.copy_from_slice(&call);
            value.try_into().ok()
        });
        let w3c = w3c.and_then(|mut value| {
            value[TRACEPARENT_PARENT].copy_from_slice(&call);
            HeaderValue::from_bytes(&value).ok()
        });
        TraceHeaders { x_ray, w3c }
    }
}

fn ready(value: Vec<u8>) -> Option<HeaderValue> {
    let value = HeaderValue::try_from(value).ok()?;
    // The first clone turns the bytes into shared ones, which allocates; no call is to pay for it.
    drop(value.clone());
    Some(value)
}
