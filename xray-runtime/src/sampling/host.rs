//! The part of a recorder that it lends to its sampler.

use std::fmt;
use std::sync::{Arc, Weak};

use once_cell::sync::OnceCell;

use super::boost::Watch;
use crate::header::tracestate::RuleHash;
use crate::id::TraceId;
use crate::support::background::Background;
use crate::support::stats::Counters;

/// The recorder's side of a sampler: its background thread, the daemon's address and its counters.
///
/// A recorder passes it to [`Sampler::attach`](super::Sampler::attach) once, when the recorder is built. Only recorders
/// make one. A sampler that contains another sampler passes the host on to that sampler: [`Central`](super::Central)
/// needs it to fetch rules from the daemon. Clones belong to the same recorder.
///
/// ```
/// use std::sync::OnceLock;
/// use xray::sampling::{Decision, Sampler, SamplerHost, SamplingRequest};
///
/// /// Samples only where a daemon on this machine receives the segments.
/// #[derive(Default)]
/// struct LocalDaemonOnly(OnceLock<bool>);
///
/// impl Sampler for LocalDaemonOnly {
///     fn attach(&self, host: &SamplerHost) {
///         self.0.get_or_init(|| host.daemon_address().starts_with("127.0.0.1:"));
///     }
///
///     fn sample(&self, _: &SamplingRequest<'_>) -> Decision {
///         if self.0.get() == Some(&true) { Decision::sampled() } else { Decision::not_sampled() }
///     }
/// }
///
/// let recorder = xray::Recorder::builder().sampler(LocalDaemonOnly::default());
/// # let recorder = recorder.emitter(xray::emitter::MemoryEmitter::new());
/// let recorder = recorder.build();
/// assert!(xray::Segment::builder("todo-app").recorder(&recorder).begin().is_sampled());
/// ```
#[derive(Clone)]
pub struct SamplerHost {
    pub(crate) background: Arc<Background>,
    pub(crate) daemon_address: String,
    pub(crate) counters: Arc<Counters>,
    pub(crate) caller_rules: CallerRules,
}

/// The rules by which callers decide. The sampler of a recorder sets them. Clones share the rules.
#[derive(Clone, Default)]
pub(crate) struct CallerRules(Arc<OnceCell<Weak<dyn Watching>>>);

/// A sampler that counts failures for the rules of callers.
pub(crate) trait Watching: Send + Sync {
    /// Returns the watch for a trace that the rule `rule` of a caller decided about. Returns `None` if the rule is not
    /// known or has no boost.
    fn watch(&self, rule: RuleHash, trace: TraceId, service_name: &str) -> Option<Arc<Watch>>;
}

impl CallerRules {
    /// Sets the rules. Only the first call counts.
    //
    // A weak reference, because the rules hold the host of their sampler, and the host holds this.
    pub(crate) fn set(&self, rules: &Arc<impl Watching + 'static>) {
        let rules: Arc<dyn Watching> = Arc::clone(rules) as _;
        let _ = self.0.set(Arc::downgrade(&rules));
    }

    /// Returns the watch for a trace that the rule of a caller decided about.
    pub(crate) fn watch(&self, rule: RuleHash, trace: TraceId, service_name: &str) -> Option<Arc<Watch>> {
        self.0.get()?.upgrade()?.watch(rule, trace, service_name)
    }
}

impl SamplerHost {
    /// Returns the TCP address at which the X-Ray daemon answers requests for sampling rules, as `host:port`.
    #[must_use]
    pub fn daemon_address(&self) -> &str {
        &self.daemon_address
    }
}

impl fmt::Debug for SamplerHost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SamplerHost").field("daemon_address", &self.daemon_address).finish_non_exhaustive()
    }
}
