//! The parent of a call, and what the program's rules say about the request.

use std::fmt;
use std::sync::Arc;

use super::call::{Call, Draft};
use super::pending_call::PendingCall;
use super::site::CallSite;
use crate::document::url::Url;
use crate::header::propagation::TraceHeaders;
use crate::id::SegmentId;
use crate::live::context;
use crate::live::entity::Entity;
use crate::live::missing::MissingContext;
use crate::recorder::HttpRules;

/// The open segment or subsegment that an HTTP call is about to begin in.
///
/// [`CallSite::parent`] returns one. There are examples at [`Traceable`](super::Traceable) and
/// [`Outgoing`](super::Outgoing).
pub struct CallParent {
    parent: Parent,
    site: CallSite,
}

enum Parent {
    Entity(Arc<Entity>),
    /// No segment is current. The call is not recorded; that is logged as soon as its method and host are known.
    Missing(MissingContext),
}

impl CallSite {
    /// Returns the parent of a call that is made here and now: the current segment or subsegment.
    ///
    /// Returns `None` if no segment is open here. The first time at each place in the source, it returns a parent all the
    /// same, whose call is not recorded: [`begin`](CallParent::begin) then logs the place, the method and the host, for up
    /// to 50 places per process.
    #[must_use]
    #[inline]
    pub fn parent(&self) -> Option<CallParent> {
        if context::is_set() {
            if let parent @ Some(_) = self.clone().current_parent() {
                return parent;
            }
        }
        self.note_missing().map(|missing| CallParent { parent: Parent::Missing(missing), site: self.clone() })
    }

    /// Like [`parent`](Self::parent), but logs nothing: the call's future may yet be polled in a segment.
    #[inline]
    pub(super) fn find_parent(&self) -> Option<CallParent> {
        // One read of a thread-local is all that a call outside any segment pays.
        if context::is_set() { self.clone().current_parent() } else { None }
    }

    // Out of line, so that a call outside any segment has little code to step over. By value, so that only the clone is in
    // memory: with `&self` the caller's site would have to be there too, and reading back what was just written in pieces of
    // another width makes a call outside any segment take twice as long.
    #[inline(never)]
    fn current_parent(self) -> Option<CallParent> {
        context::with_current_entity(|entity| CallParent { parent: Parent::Entity(Arc::clone(entity)), site: self })
    }
}

impl CallParent {
    /// Begins the call: gives its subsegment an id, which goes into the request's header.
    ///
    /// The subsegment is named after the host in the URL. Of the URL only scheme, host, port and path are recorded. The
    /// URL is a text or an [`http::Uri`].
    ///
    /// The call is not recorded if its trace is not sampled, or if a rule such as
    /// [`ignore`](crate::RecorderBuilder::ignore) leaves it out.
    pub fn begin<'a>(self, method: &str, url: impl Into<Url<'a>>) -> PendingCall {
        let Self { parent, site } = self;
        site.note_traced();
        let entity = match parent {
            Parent::Entity(entity) => entity,
            Parent::Missing(missing) => {
                missing.log_call(method, &url.into());
                return PendingCall::default();
            }
        };
        let trace = entity.trace();
        // Unsampled and without rules for hosts every request gets the same headers: the URL need not be parsed.
        let is_same_for_all_urls = !trace.is_sampled() && trace.recorder().http_rules().is_none();
        if is_same_for_all_urls && !site.has_skip_hosts() {
            return PendingCall::unsampled(entity);
        }
        begin_by_rules(entity, site, method, url.into())
    }
}

fn begin_by_rules(entity: Arc<Entity>, site: CallSite, method: &str, url: Url<'_>) -> PendingCall {
    if site.skips(&url) {
        return PendingCall::default();
    }
    let trace = entity.trace();
    let rules = trace.recorder().http_rules().map(|rules| Rules::of(rules, &url)).unwrap_or_default();
    if rules.ignores || (rules.withholds_headers && !trace.is_sampled()) {
        return PendingCall::default();
    }
    if !trace.is_sampled() {
        return PendingCall::unsampled(entity);
    }
    let id = SegmentId::random();
    let headers = if rules.withholds_headers { TraceHeaders::default() } else { trace.outbound().recorded(id) };
    trace.call_begins(id);
    let draft = Draft::new(id, site, method, url, rules.name);
    PendingCall::recorded(Call::new(entity, draft, headers))
}

/// The result of the recorder's rules for one request.
#[derive(Default)]
struct Rules<'a> {
    /// The request gets neither subsegment nor header.
    ignores: bool,
    /// The headers are not meant for this host.
    withholds_headers: bool,
    name: Option<&'a str>,
}

impl<'a> Rules<'a> {
    fn of(rules: &'a HttpRules, url: &Url<'_>) -> Self {
        let (host, path) = (url.host().unwrap_or_default(), url.path());
        Self {
            ignores: rules.ignores(&host, path),
            withholds_headers: !rules.injects(&host, path),
            name: rules.name(&host, path),
        }
    }
}

impl fmt::Debug for CallParent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CallParent").field("site", &self.site).finish_non_exhaustive()
    }
}
