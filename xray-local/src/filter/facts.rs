//! Facts about a trace that several conditions use, computed once for each trace.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::ptr;

use serde_json::Value;

use crate::document::{Document, Kind, State};
use crate::service::ServiceId;
use crate::summary::{
    ResponseTimeRootCause, RootCause, error_root_causes, fault_root_causes, response_time_root_causes,
};
use crate::trace::{Caller, Trace};

/// A trace, and answers about it. An expression may have hundreds of conditions, and a trace a hundred thousand
/// segments, so each answer is kept.
pub(super) struct Facts<'a> {
    pub(super) trace: &'a Trace,
    root: OnceCell<Option<&'a Document>>,
    heads: OnceCell<Vec<&'a Document>>,
    state: OnceCell<State>,
    services: OnceCell<Vec<ServiceId>>,
    calls: OnceCell<Vec<Call<'a>>>,
    duration: OnceCell<Option<f64>>,
    is_partial: OnceCell<bool>,
    faults: OnceCell<Vec<RootCause>>,
    errors: OnceCell<Vec<RootCause>>,
    response_times: OnceCell<Vec<ResponseTimeRootCause>>,
    root_causes: OnceCell<Vec<Value>>,
}

/// A call from one segment to another. The numbers are indices of the trace's segments.
pub(super) struct Call<'a> {
    pub(super) caller: usize,
    pub(super) callee: usize,
    /// The subsegment of the call. If the callee names a segment as its parent, this is the callee itself.
    pub(super) subsegment: &'a Document,
}

impl<'a> Facts<'a> {
    pub(super) fn new(trace: &'a Trace) -> Self {
        Self {
            trace,
            root: OnceCell::new(),
            heads: OnceCell::new(),
            state: OnceCell::new(),
            services: OnceCell::new(),
            calls: OnceCell::new(),
            duration: OnceCell::new(),
            is_partial: OnceCell::new(),
            faults: OnceCell::new(),
            errors: OnceCell::new(),
            response_times: OnceCell::new(),
            root_causes: OnceCell::new(),
        }
    }

    /// Returns the root segment.
    pub(super) fn root(&self) -> Option<&'a Document> {
        *self.root.get_or_init(|| self.trace.root())
    }

    /// Returns the segments and subsegments whose flags are those of the trace.
    pub(super) fn heads(&self) -> &[&'a Document] {
        self.heads.get_or_init(|| self.trace.heads())
    }

    /// Returns the state of the trace.
    pub(super) fn state(&self) -> State {
        *self.state.get_or_init(|| self.trace.state())
    }

    /// Returns the segments with their services, orphans left out.
    pub(super) fn segments(&self) -> impl Iterator<Item = (&'a Document, &ServiceId)> {
        let all = self.trace.segments.iter().zip(self.services());
        all.filter(|(segment, _)| segment.kind == Kind::Segment)
    }

    /// Returns the service of each segment and orphan.
    pub(super) fn services(&self) -> &[ServiceId] {
        self.services.get_or_init(|| self.trace.segments.iter().map(ServiceId::of).collect())
    }

    /// Returns the calls between segments.
    pub(super) fn calls(&self) -> &[Call<'a>] {
        self.calls.get_or_init(|| {
            let calls = self.trace.calls();
            let all = || self.trace.segments.iter().enumerate();
            let numbers: HashMap<_, _> = all().map(|(number, segment)| (ptr::from_ref(segment), number)).collect();
            let number = |segment| numbers.get(&ptr::from_ref(segment)).copied();
            all()
                .filter_map(|(callee, segment)| match calls.caller(segment) {
                    Caller::Segment { segment: caller, call } => {
                        Some(Call { caller: number(caller)?, callee, subsegment: call })
                    }
                    Caller::Outside | Caller::Unknown => None,
                })
                .collect()
        })
    }

    /// Returns the seconds from the earliest start to the latest end.
    pub(super) fn duration(&self) -> Option<f64> {
        *self.duration.get_or_init(|| self.trace.duration())
    }

    /// Returns whether any segment or subsegment is in progress.
    pub(super) fn is_partial(&self) -> bool {
        *self.is_partial.get_or_init(|| self.trace.is_partial())
    }

    /// Returns the root causes of the faults.
    pub(super) fn faults(&self) -> &[RootCause] {
        self.faults.get_or_init(|| fault_root_causes(self.trace))
    }

    /// Returns the root causes of the errors.
    pub(super) fn errors(&self) -> &[RootCause] {
        self.errors.get_or_init(|| error_root_causes(self.trace))
    }

    /// Returns the root causes of the response time.
    pub(super) fn response_times(&self) -> &[ResponseTimeRootCause] {
        self.response_times.get_or_init(|| response_time_root_causes(self.trace))
    }

    /// Returns the root causes of all kinds, in the form of the API.
    pub(super) fn root_causes(&self) -> &[Value] {
        self.root_causes.get_or_init(|| {
            let causes = self.faults().iter().chain(self.errors()).map(serde_json::to_value);
            // Nothing can fail: the keys of these values are texts.
            causes.chain(self.response_times().iter().map(serde_json::to_value)).filter_map(Result::ok).collect()
        })
    }
}
