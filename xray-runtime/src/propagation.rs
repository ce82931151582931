//! The headers by which a trace travels on.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::id::{SegmentId, TraceId};
use crate::trace_header::{TRACE_HEADER_NAME, TraceHeader};

static X_RAY: HeaderName = TRACE_HEADER_NAME;

/// What the headers of a request say of the trace that it belongs to; `existing` gives the value of each that is there.
pub(crate) fn read<'a>(existing: impl Fn(&'static HeaderName) -> Option<&'a str>) -> impl Iterator<Item = TraceHeader> {
    existing(&X_RAY).map(TraceHeader::parse).into_iter()
}

/// The headers that one request is to carry.
#[derive(Debug, Clone, Default)]
pub(crate) struct TraceHeaders {
    x_ray: Option<HeaderValue>,
}

impl TraceHeaders {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static HeaderName, &HeaderValue)> {
        self.x_ray.iter().map(|value| (&X_RAY, value))
    }

    /// The value of `X-Amzn-Trace-Id`.
    pub(crate) fn x_ray(&self) -> Option<&HeaderValue> {
        self.x_ray.as_ref()
    }

    /// Each in place of any that is there.
    #[inline]
    pub(crate) fn insert_into(self, headers: &mut HeaderMap) {
        self.x_ray.map(|value| headers.insert(TRACE_HEADER_NAME, value));
    }
}

/// The headers of all requests of one trace, as far as they can be made before there is a request.
pub(crate) enum Outbound {
    /// Nothing is recorded: all requests carry the same.
    Unsampled(TraceHeaders),
    /// Each carries the id of its call, for which there is room.
    Sampled { x_ray: Vec<u8> },
}

impl Outbound {
    /// For a trace of this id; `extra` is what it only passes on.
    pub(crate) fn new(id: TraceId, sampled: bool, extra: &str) -> Self {
        if sampled {
            let width = SegmentId::TEXT_LENGTH;
            Self::Sampled { x_ray: format!("Root={id};Parent={:.<width$};Sampled=1{extra}", "").into_bytes() }
        } else {
            Self::Unsampled(TraceHeaders { x_ray: ready(format!("Root={id};Sampled=0{extra}").into_bytes()) })
        }
    }

    /// For a request that is not recorded.
    #[inline]
    pub(crate) fn unrecorded(&self) -> TraceHeaders {
        match self {
            Self::Unsampled(headers) => headers.clone(),
            Self::Sampled { .. } => TraceHeaders::default(),
        }
    }

    /// For a request that is recorded as `call`.
    pub(crate) fn recorded(&self, call: SegmentId) -> TraceHeaders {
        const PARENT: usize = "Root=".len() + TraceId::TEXT_LENGTH + ";Parent=".len();
        let Self::Sampled { x_ray } = self else { return TraceHeaders::default() };
        let mut x_ray = x_ray.clone();
        if let Some(parent) = x_ray.get_mut(PARENT..PARENT + SegmentId::TEXT_LENGTH) {
            parent.copy_from_slice(&call.to_ascii());
        }
        TraceHeaders { x_ray: x_ray.try_into().ok() }
    }
}

fn ready(value: Vec<u8>) -> Option<HeaderValue> {
    let value = HeaderValue::try_from(value).ok()?;
    // The first clone turns the bytes into shared ones, which allocates; no call is to pay for it.
    drop(value.clone());
    Some(value)
}
