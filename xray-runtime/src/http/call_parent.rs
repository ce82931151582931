//! The parent of a call, and the recorder's rules for the request.

use std::fmt;
use std::sync::Arc;

use super::call::{self, Call};
use super::pending_call::PendingCall;
use super::rules::Rules;
use super::site::CallSite;
use crate::document::url::Url;
use crate::id::SegmentId;
use crate::live::context;
use crate::live::entity::Entity;
use crate::live::missing::MissingContext;

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
    /// No segment is current, so the call will not be recorded. The runtime logs this when the method and the host are
    /// known.
    // Boxed, because every call has room for this variant and almost no call uses it.
    Missing(Box<MissingContext>),
}

impl CallSite {
    /// Returns the parent of a call that is made now: the current segment or subsegment.
    ///
    /// If no segment is current, the first call at a place in the source still gets a parent. Its
    /// [`begin`](CallParent::begin) records nothing, and logs the place, the method and the host. A process logs up to
    /// 50 places. Every other call outside any segment gets `None`.
    #[must_use]
    #[inline]
    pub fn parent(&self) -> Option<CallParent> {
        // Two loads, inlined: a call outside any segment costs nothing else.
        if !context::is_set() && self.is_missing_noted() {
            return None;
        }
        self.parent_or_missing()
    }

    #[inline(never)]
    fn parent_or_missing(&self) -> Option<CallParent> {
        self.find_parent().or_else(|| {
            let missing = Parent::Missing(Box::new(self.note_missing()?));
            Some(CallParent { parent: missing, site: self.clone() })
        })
    }

    /// Like [`parent`](Self::parent), but logs nothing, because the call's future may be polled in a segment later.
    #[inline]
    pub(super) fn find_parent(&self) -> Option<CallParent> {
        // A call outside any segment costs only this read of a thread-local.
        if !context::is_set() {
            return None;
        }
        // Clone the site here instead of passing it to a function. An argument would be written to memory in small
        // pieces and read back in larger pieces, and the processor would have to wait for the writes.
        Some(CallParent { parent: Parent::Entity(context::current_entity()?), site: self.clone() })
    }
}

impl CallParent {
    /// Begins the call, and gives its subsegment an id. The request's header will contain the id.
    ///
    /// The subsegment has the name of the host in the URL. The scheme, host, port and path of the URL are recorded, and
    /// nothing else of it. The URL is a text or an [`http::Uri`].
    ///
    /// The call is not recorded if its trace is not sampled, or if a rule such as
    /// [`ignore`](crate::RecorderBuilder::ignore) excludes the request.
    #[inline]
    pub fn begin<'a>(self, method: &str, url: impl Into<Url<'a>>) -> PendingCall {
        self.begin_or_named(method, url, None)
    }

    /// Begins the call; see [`begin`](Self::begin). `name` is the name of the subsegment if the URL has no host.
    #[inline]
    pub(crate) fn begin_or_named<'a>(self, method: &str, url: impl Into<Url<'a>>, name: Option<&str>) -> PendingCall {
        let Self { parent, site } = self;
        site.note_traced();
        match parent {
            Parent::Entity(entity) if entity.trace().ignores_urls() && !site.has_skip_hosts() => {
                PendingCall::unsampled(entity)
            }
            Parent::Entity(entity) => begin_by_rules(entity, &site, method, &url.into(), name),
            Parent::Missing(missing) => {
                missing.log_call(method, &url.into());
                PendingCall::default()
            }
        }
    }
}

#[cfg(feature = "aws-sdk")]
impl CallParent {
    /// Returns the segment or subsegment, for an operation of the AWS SDK. Logs the place if no segment is current.
    pub(crate) fn of_aws_operation(self) -> Option<Arc<Entity>> {
        let Self { parent, site } = self;
        site.note_traced();
        match parent {
            Parent::Entity(entity) => Some(entity),
            Parent::Missing(missing) => {
                missing.log_aws_operation();
                None
            }
        }
    }
}

fn begin_by_rules(
    entity: Arc<Entity>,
    site: &CallSite,
    method: &str,
    url: &Url<'_>,
    without_host: Option<&str>,
) -> PendingCall {
    if site.has_skip_hosts() && site.skips(url) {
        return PendingCall::default();
    }
    let trace = entity.trace();
    let rules = trace.recorder().http_rules().map(|rules| Rules::of(rules, url)).unwrap_or_default();
    if rules.ignores || (rules.withholds_headers && !trace.is_sampled()) {
        return PendingCall::default();
    }
    if !trace.is_sampled() {
        return PendingCall::unsampled(entity);
    }
    let id = SegmentId::next();
    trace.call_begins(id);
    let record = call::record(id, site, method, url, &rules, without_host);
    PendingCall::recorded(Call::new(entity, record))
}

impl fmt::Debug for CallParent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CallParent").field("site", &self.site).finish_non_exhaustive()
    }
}
