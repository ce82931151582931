//! An annotated function: the hosts that it skips, and the log lines about its calls that are not traced.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU8, Ordering};

use once_cell::sync::OnceCell;

use crate::document::url::Url;
use crate::live::context;
use crate::live::missing::{LoggedLines, SourcePlace};
use crate::live::trace::{SegmentObserver, Trace};
use crate::recorder::{Recorder, client_features_off, clients_built_in};
use crate::support::log_line::log_line;
use crate::support::wildcard;

/// The function has reached no call in a sampled segment.
const IDLE: u8 = 0;
/// The function has reached calls in a sampled segment, and none of them is traced. The end of the segment logs a
/// warning.
const ONLY_UNTRACED: u8 = 1;
/// The function has reached a call that is traced, or the warning is logged. Either way, no warning will follow.
const SETTLED: u8 = 2;

/// An annotated function. The macro's output has a static of this type for each.
///
/// If the function reaches calls in a sampled segment, and none of them is traced, the end of the segment logs a
/// warning, once per function. Most likely the feature of the client is off. Outside any segment, the first such call
/// is logged immediately.
// The warning waits for the end of the segment, because a call that is traced may follow one that is not.
#[derive(Debug)]
pub(super) struct Function {
    name: &'static str,
    file: &'static str,
    line: u32,
    state: AtomicU8,
    /// The first calls that were reached and not traced. Only the first call of an unknown type is kept.
    untraced: [OnceCell<UntracedCall>; MAX_LISTED],
    /// The lines of calls outside any segment that were logged.
    missing: LoggedLines,
    /// The patterns of the hosts whose calls are not traced: `skip_hosts(..)`.
    skip_hosts: &'static [&'static str],
}

/// The number of calls that a log line lists.
const MAX_LISTED: usize = 4;

/// A call that is not traced.
#[derive(Debug, Clone, Copy)]
struct UntracedCall {
    line: u32,
    reason: Reason,
    type_name: &'static str,
}

/// Why a call is not traced.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reason {
    /// The type of the call's receiver or argument is not traceable.
    UnknownType,
    /// It returns a future whose type may be named outside the function.
    NamedFuture,
    /// It returns neither a future nor a response.
    UnknownResult,
    /// The attribute leaves calls of this syntax alone.
    Syntax(&'static str),
}

/// A call that the attribute left as it is.
#[doc(hidden)]
#[derive(Debug)]
pub struct LeftAlone {
    pub line: u32,
    pub why: &'static str,
}

impl Function {
    /// Describes the function at this position in the source.
    #[must_use]
    pub(super) const fn new(name: &'static str, file: &'static str, line: u32) -> Self {
        let untraced = [const { OnceCell::new() }; MAX_LISTED];
        Self { name, file, line, state: AtomicU8::new(IDLE), untraced, missing: LoggedLines::new(), skip_hosts: &[] }
    }

    /// Sets the patterns of the hosts whose calls are not traced.
    pub(super) const fn skip_hosts(&mut self, patterns: &'static [&'static str]) {
        self.skip_hosts = patterns;
    }

    /// Returns whether the attribute has the option `skip_hosts(..)`.
    #[inline]
    pub(super) fn has_skip_hosts(&self) -> bool {
        !self.skip_hosts.is_empty()
    }

    /// Returns whether `skip_hosts(..)` excludes a call to this URL.
    #[inline]
    pub(super) fn skips(&self, url: &Url<'_>) -> bool {
        self.has_skip_hosts() && url.host().is_some_and(|host| self.skips_host(&host))
    }

    fn skips_host(&self, host: &str) -> bool {
        self.skip_hosts.iter().any(|pattern| wildcard::matches_host(pattern, host))
    }

    pub(super) fn file(&self) -> &'static str {
        self.file
    }

    /// Notes a call on this line that is not traced. `type_name` is the type of its receiver or argument.
    #[inline]
    pub(super) fn note_untraced(&'static self, line: u32, reason: Reason, type_name: &'static str) {
        if self.state.load(Ordering::Relaxed) != SETTLED {
            self.note_first_calls(UntracedCall { line, reason, type_name });
        }
    }

    /// Notes that the function runs, and that none of its calls can be traced.
    pub(super) fn note_left_alone(&'static self, calls: &'static [LeftAlone]) {
        for call in calls {
            self.note_untraced(call.line, Reason::Syntax(call.why), "");
        }
    }

    #[cold]
    fn note_first_calls(&'static self, call: UntracedCall) {
        let is_in_segment = context::with_current_entity(|entity| self.note_in_segment(entity.trace(), call));
        if is_in_segment.is_none() && self.change(IDLE, SETTLED) {
            self.log_outside(call);
        }
    }

    fn note_in_segment(&'static self, trace: &Trace, call: UntracedCall) {
        if !trace.is_sampled() {
            return;
        }
        self.list(call);
        // Several threads may get here. Only the one that changes the state registers the function with its trace,
        // because one warning is enough.
        if self.change(IDLE, ONLY_UNTRACED) && !trace.add_observer(self) {
            // The segment has ended. A call in another segment begins again.
            self.change(ONLY_UNTRACED, IDLE);
        }
    }

    /// Lists a call, unless it or another call of an unknown type is listed already.
    fn list(&self, call: UntracedCall) {
        for listed in &self.untraced {
            let listed = listed.get_or_init(|| call);
            let is_same = (listed.line, listed.reason) == (call.line, call.reason);
            if is_same || (listed.reason, call.reason) == (Reason::UnknownType, Reason::UnknownType) {
                break;
            }
        }
    }

    fn log_outside(&self, call: UntracedCall) {
        // If tracing is disabled, no call is recorded, so this one does not matter.
        if !Recorder::is_global_off() {
            let (Self { name, file, .. }, line) = (self, call.line);
            log_line!(
                Warn,
                "xray::http",
                "a call in `{name}` at {file}:{line} is not traced: {}. {} (logged once per function)",
                call.because("it"),
                advice([call]),
            );
        }
    }

    /// Returns whether [`note_missing`](Self::note_missing) has noted a call on this line.
    #[inline]
    pub(super) fn is_missing_noted(&self, line: u32) -> bool {
        self.missing.contains(self.offset(line))
    }

    /// Notes a call on this line while no segment is current. Returns the place for a log line, or `None` if a call on
    /// this line was noted before.
    pub(super) fn note_missing(&self, line: u32) -> Option<SourcePlace> {
        let place = SourcePlace { function: self.name, file: self.file, line };
        self.missing.insert(self.offset(line)).then_some(place)
    }

    #[inline]
    fn offset(&self, line: u32) -> u32 {
        line.wrapping_sub(self.line)
    }

    fn change(&self, from: u8, to: u8) -> bool {
        self.state.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Notes a call that is traced.
    #[inline]
    pub(super) fn note_traced(&self) {
        // Load before storing. After the first call, all threads only read, so the cache line stays shared between
        // them.
        if self.state.load(Ordering::Relaxed) != SETTLED {
            self.state.store(SETTLED, Ordering::Relaxed);
        }
    }
}

impl SegmentObserver for Function {
    #[cold]
    fn segment_ended(&self) {
        if self.change(ONLY_UNTRACED, SETTLED) {
            let Self { name, file, line, .. } = self;
            let calls = self.untraced.iter().filter_map(OnceCell::get).copied();
            let listed: Vec<_> =
                calls.clone().map(|call| call.because(&format!("the call in line {}", call.line))).collect();
            log_line!(
                Warn,
                "xray::http",
                "no HTTP call was traced in `{name}` at {file}:{line}: {}. {} (logged once per function)",
                listed.join("; "),
                advice(calls),
            );
        }
    }
}

impl UntracedCall {
    /// Returns why the call, which the sentence names `subject`, is not traced.
    fn because(&self, subject: &str) -> String {
        let Self { reason, type_name, .. } = self;
        match reason {
            Reason::UnknownType => format!("{subject} is made on a `{type_name}`"),
            Reason::NamedFuture => {
                format!("{subject} returns a future whose type may be named outside the function")
            }
            Reason::UnknownResult => format!("{subject} returns neither a future nor a response"),
            Reason::Syntax(why) => format!("{subject} was left alone, because {why}"),
        }
    }
}

/// Returns the advice for calls that are not traced.
fn advice(calls: impl IntoIterator<Item = UntracedCall>) -> String {
    let calls: Vec<_> = calls.into_iter().collect();
    let reasons: Vec<_> = calls.iter().map(|call| call.reason).collect();
    let mut advice = Vec::new();
    let is_of_aws_sdk = |call: &UntracedCall| call.type_name.trim_start_matches('&').starts_with("aws_sdk_");
    if calls.iter().any(is_of_aws_sdk) {
        advice.push(
            "Requests of the AWS SDK are traced with the feature `aws-sdk`; its paginators, waiters and customised \
             operations only by `xray::aws_sdk::SubsegmentInterceptor`, which works without the attribute."
                .to_owned(),
        );
    } else if reasons.contains(&Reason::UnknownType) {
        let off: BTreeSet<_> = calls.iter().flat_map(|call| client_features_off(call.type_name)).collect();
        let off: Vec<_> = off.into_iter().map(|feature| format!("`{feature}`")).collect();
        let built_in = clients_built_in();
        let likely = if off.is_empty() {
            format!(
                "Likely reasons: the client is behind a wrapper of another type, its feature of xray-sdk is off (built in: \
                 {built_in}), or it has another major version."
            )
        } else {
            format!(
                "Most likely the client's feature of xray-sdk is off. Enable the one for the client's version: {} (built in: \
                 {built_in}).",
                off.join(", ")
            )
        };
        advice.push(format!("This build of xray does not know that type. {likely}"));
    }
    if reasons.contains(&Reason::NamedFuture) {
        advice.push(
            "A traced future has its own type. `.await` the future in the function, or mark the call with `#[xray(trace)]` if \
             nothing names the type of the future. If the function returns the type, trace the call of the function instead, \
             or use a layer."
                .to_owned(),
        );
    }
    advice.push(
        "`#[xray::traced_http(strict)]` makes most such calls a compile error, and `#[xray(skip)]` marks a call that is not \
         an HTTP call"
            .to_owned(),
    );
    advice.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paginator_of_the_aws_sdk_is_no_wrapper_of_a_client() {
        let advice_for = |type_name| advice([UntracedCall { line: 1, reason: Reason::UnknownType, type_name }]);
        let paginator = "aws_sdk_dynamodb::operation::scan::paginator::ScanPaginator";
        assert!(advice_for(paginator).starts_with("Requests of the AWS SDK"), "{}", advice_for(paginator));
        assert!(!advice_for(paginator).contains("wrapper"));
        assert!(advice_for("shop::Client").contains("the client is behind a wrapper"));
    }

    #[test]
    fn each_line_with_a_call_outside_any_segment_is_named_once() {
        // Lines are named again after the first segment of the process, which another test may begin.
        crate::testing::begin_the_first_segment();
        let function = Function::new("get", "src/main.rs", 10);
        for line in [10, 12, 13] {
            assert!(!function.is_missing_noted(line), "{line}");
            let place = function.note_missing(line).unwrap().to_string();
            assert_eq!(place, format!(" in `get` at src/main.rs:{line}"));
            assert!(function.is_missing_noted(line) && function.note_missing(line).is_none(), "{line}");
        }
    }

    #[test]
    fn after_a_call_that_is_traced_no_warning_follows() {
        for state in [IDLE, ONLY_UNTRACED, SETTLED] {
            let function = Function::new("get", "src/main.rs", 10);
            function.state.store(state, Ordering::Relaxed);
            function.note_traced();
            assert_eq!(function.state.load(Ordering::Relaxed), SETTLED);
        }
    }
}
