//! The parent of a call, and the recorder's rules for the request.

use std::fmt;
use std::sync::Arc;

use super::call::{self, Call};
use super::function::Function;
use super::pending_call::PendingCall;
use super::rules::RuleEffects;
use super::site::{Annotations, CallSite, CallSites};
use crate::document::url::Url;
use crate::id::SegmentId;
use crate::live::context;
use crate::live::entity::Entity;
use crate::live::missing;

/// The open segment or subsegment that an HTTP call is about to begin in.
///
/// [`CallSite::parent`] returns one. There are examples at [`Traceable`](super::Traceable) and
/// [`Outgoing`](super::Outgoing).
pub struct CallParent(Parent);

// Two words, which are passed in registers.
enum Parent {
    Entity { entity: Arc<Entity>, within: &'static CallSites },
    Rare(Box<RareParent>),
}

/// The parent of a call with annotations, or of a call outside any segment.
struct RareParent {
    site: CallSite,
    /// `None` if no segment is current. The call will not be recorded, and [`CallParent::begin`] logs this.
    entity: Option<Arc<Entity>>,
}

impl CallSite {
    /// Returns the parent of a call that is made now: the current segment or subsegment.
    ///
    /// If no segment is current, the first call at a place in the source gets a parent whose
    /// [`begin`](CallParent::begin) records nothing and logs the place, the method and the host. Later calls at that
    /// place get `None`. A place is logged once more after the first segment of the process has begun. At most 50 lines
    /// are logged.
    #[must_use]
    #[inline]
    pub fn parent(&self) -> Option<CallParent> {
        // A few loads, inlined: a call outside any segment costs nothing else.
        if !context::is_set() && self.is_missing_noted() {
            return None;
        }
        self.parent_or_missing()
    }

    #[inline(never)]
    fn parent_or_missing(&self) -> Option<CallParent> {
        self.find_parent().or_else(|| (!self.is_missing_noted()).then(|| CallParent::rare(self.clone(), None)))
    }

    /// Like [`parent`](Self::parent), but logs nothing, because the call's future may be polled in a segment later.
    #[inline]
    pub(super) fn find_parent(&self) -> Option<CallParent> {
        // A call outside any segment costs only this read of a thread-local.
        if !context::is_set() {
            return None;
        }
        let entity = context::current_entity()?;
        if self.annotations().is_empty() {
            return Some(CallParent(Parent::Entity { entity, within: self.within() }));
        }
        Some(CallParent::rare(self.clone(), Some(entity)))
    }
}

impl CallParent {
    #[cold]
    fn rare(site: CallSite, entity: Option<Arc<Entity>>) -> Self {
        Self(Parent::Rare(Box::new(RareParent { site, entity })))
    }

    /// Begins the call, and gives its subsegment an id. The request's header will contain the id.
    ///
    /// The subsegment has the name of the host in the URL. The scheme, host, port and path of the URL are recorded, and
    /// nothing else of it. The method is a text or an [`http::Method`], and the URL is a text or an [`http::Uri`].
    ///
    /// The call is not recorded if its trace is not sampled, or if a rule such as
    /// [`ignore`](crate::RecorderBuilder::ignore) excludes the request.
    #[inline]
    pub fn begin<'a>(self, method: impl AsRef<str>, url: impl Into<Url<'a>>) -> PendingCall {
        self.begin_with_fallback_name(method, url, None)
    }

    /// Begins the call; see [`begin`](Self::begin). `name` is the name of the subsegment if the URL has no host.
    #[inline]
    pub(crate) fn begin_with_fallback_name<'a>(
        self,
        method: impl AsRef<str>,
        url: impl Into<Url<'a>>,
        name: Option<&str>,
    ) -> PendingCall {
        self.begin_unsampled().unwrap_or_else(|parent| parent.begin_by_rules(method.as_ref(), &url.into(), name))
    }

    /// Begins the call; see [`begin`](Self::begin). Calls `url` only if the URL is needed, for the record or for a
    /// rule.
    pub(crate) fn begin_with_url(self, method: impl AsRef<str>, url: impl FnOnce() -> String) -> PendingCall {
        self.begin_unsampled().unwrap_or_else(|parent| parent.begin_by_rules(method.as_ref(), &(&url()).into(), None))
    }

    /// Begins a call that is not recorded and that no rule may exclude, so that neither its method nor its URL need be
    /// read. Returns `self` for any other call.
    #[inline]
    fn begin_unsampled(self) -> Result<PendingCall, Self> {
        let Parent::Entity { entity, within } = self.0 else { return Err(self) };
        let function = within.function();
        if !entity.trace().ignores_urls() || function.has_skip_hosts() {
            return Err(Self(Parent::Entity { entity, within }));
        }
        function.note_traced();
        Ok(PendingCall::unsampled(entity))
    }

    #[inline(never)]
    fn begin_by_rules(self, method: &str, url: &Url<'_>, without_host: Option<&str>) -> PendingCall {
        self.function().note_traced();
        let (entity, within, annotations) = match self.0 {
            Parent::Entity { entity, within } => (entity, within, Annotations::NONE),
            Parent::Rare(parent) => {
                let RareParent { site, entity } = *parent;
                let Some(entity) = entity else {
                    site.log_missing(|place| missing::log_call(method, url, place));
                    return PendingCall::default();
                };
                (entity, site.within(), site.annotations().clone())
            }
        };
        if within.function().skips(url) {
            return PendingCall::default();
        }
        let trace = entity.trace();
        let effects = trace.recorder().http_rules().map(|rules| RuleEffects::of(rules, url)).unwrap_or_default();
        if effects.ignores || (effects.withholds_headers && !trace.is_sampled()) {
            return PendingCall::default();
        }
        if !trace.is_sampled() {
            return PendingCall::unsampled(entity);
        }
        let id = SegmentId::next();
        trace.call_begins(id);
        let mut record = call::record(id, within.name(), method, url, &effects, without_host);
        if !annotations.is_empty() {
            record.details_mut().annotations = annotations.pairs().collect();
        }
        PendingCall::recorded(Call::new(entity, record))
    }

    fn function(&self) -> &'static Function {
        match &self.0 {
            Parent::Entity { within, .. } => within.function(),
            Parent::Rare(parent) => parent.site.within().function(),
        }
    }
}

#[cfg(feature = "aws-sdk")]
impl CallParent {
    /// Returns the segment or subsegment, for an operation of the AWS SDK. Logs the place if no segment is current.
    pub(crate) fn of_aws_operation(self) -> Option<Arc<Entity>> {
        self.function().note_traced();
        match self.0 {
            Parent::Entity { entity, .. } => Some(entity),
            Parent::Rare(parent) => {
                if parent.entity.is_none() {
                    parent.site.log_missing(missing::log_aws_operation);
                }
                parent.entity
            }
        }
    }
}

impl fmt::Debug for CallParent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CallParent").field("file", &self.function().file()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parent_is_two_words() {
        assert_eq!(size_of::<CallParent>(), 2 * size_of::<usize>());
    }
}
