//! The recorder: its settings, which segments it records, and where their documents go.
//!
//! * `builder`: [`RecorderBuilder`] and how a recorder is built. Its methods for outgoing requests (`ignore`,
//!   `propagate`, `inject_only`, `name_hosts`) are in `outgoing`, and `install` is in `global`.
//! * `environment`: the settings from environment variables.
//! * `global`: the recorder of the process. `process_end`: its flush when the process ends.
//! * `new_segments`: names new segments, and decides which are recorded. `emission`: passes finished segments to the
//!   emitter.
//! * `progress`: reports of segments that stay open for long.
//! * `rejected`: values that X-Ray does not accept as given.
//! * `rules`: rules for outgoing requests by host and path.
//! * `client_features`: the features for HTTP clients.
//! * `settings`: the settings as the log and the doctor show them. `doctor`: the check of the way to the daemon.

mod builder;
mod client_features;
mod doctor;
mod emission;
mod environment;
mod global;
mod new_segments;
mod outgoing;
mod process_end;
mod progress;
mod rejected;
mod rules;
mod settings;

use std::collections::BTreeSet;
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub use self::builder::RecorderBuilder;
pub(crate) use self::client_features::{client_features_off, clients_built_in};
pub use self::doctor::{Diagnosis, doctor};
use self::emission::Emission;
pub use self::environment::ContextMissing;
use self::environment::DaemonAddress;
pub use self::global::{InstallError, stats};
use self::new_segments::NewSegments;
pub(crate) use self::progress::InProgress;
pub(crate) use self::rules::HttpRules;
use self::settings::Settings;
use crate::document::response_head::ResponseHead;
use crate::id::Process;
use crate::origin::KnownOrigin;
use crate::support::guard::guard;
use crate::support::process::PerProcess;
use crate::support::stats::{Counters, Stats};

/// Decides which segments are recorded and sends them to the X-Ray daemon.
///
/// A program needs no recorder of its own: the first segment builds one with the settings of the environment. Clones
/// are handles to one recorder.
///
/// | variable | meaning | default |
/// |---|---|---|
/// | `AWS_XRAY_DAEMON_ADDRESS` | `host:port`, `[ipv6]:port`, or `tcp:host:port udp:host:port` | `127.0.0.1:2000` |
/// | `AWS_XRAY_TRACING_NAME` | the service's name, for segments without a name and for layers | the program's name |
/// | `AWS_XRAY_EMITTER` | `udp`, or `otlp` for [spans of OpenTelemetry](crate::emitter::OtlpEmitter) | `udp` |
/// | `AWS_XRAY_PROPAGATION` | `xray`, `w3c` or `both`: the [headers](crate::Propagation) of requests | `xray` |
/// | `AWS_XRAY_SDK_ENABLED` | `false` records nothing and adds no header | `true` |
/// | `AWS_XRAY_CONTEXT_MISSING` | `LOG_ERROR`, `IGNORE_ERROR`, `RUNTIME_ERROR` (behaves as `LOG_ERROR`) | `LOG_ERROR` |
/// | `RUST_BACKTRACE` | anything but `0`: errors have [stack frames](crate::document::StackFrame) (feature `backtrace`) | `0` |
/// | `AWS_XRAY_DEBUG_MODE` | `TRUE`: the log lines go to stderr if the program has no logger | `FALSE` |
///
/// A variable takes precedence over the same setting in code, as in every X-Ray SDK. A variable with a value that is
/// not valid is logged and counted in [`Stats::settings_rejected`], and the setting in code or the default is used. A
/// name with characters that X-Ray does not accept is used without them.
///
/// ```
/// use std::time::Duration;
///
/// let recorder = xray::Recorder::builder().service_name("todo-app").daemon_address("127.0.0.1:2000").install()?;
/// // .. the program ..
/// recorder.flush(Duration::from_secs(2));
/// # Ok::<(), xray::InstallError>(())
/// ```
#[derive(Clone)]
pub struct Recorder {
    shared: Arc<Shared>,
}

// The program's code runs while no lock of the recorder is held, so its panic cannot leave half-written data. Without
// these implementations, a future that holds a call could not be passed to `catch_unwind`, because `dyn Emitter` is not
// unwind safe.
impl UnwindSafe for Recorder {}
impl RefUnwindSafe for Recorder {}

/// The parts of a recorder. The methods of the recorder that need a part are in the file of that part.
struct Shared {
    is_in_lambda: bool,
    counters: Arc<Counters>,
    settings: Settings,
    /// Used by new segments, for sampling rules of a service type, and by finished ones, for their `origin` and `aws`.
    origin: KnownOrigin,
    new_segments: NewSegments,
    emission: Emission,
    /// The rules for outgoing requests by host and path. `None` if there are no rules, so that a call need not look at
    /// its URL for them.
    rules: Option<HttpRules>,
    response_hook: Option<ResponseHook>,
    /// The kinds of rejected values that this process has logged: what the value is, and what became of it.
    logged_values: PerProcess<Mutex<BTreeSet<(&'static str, &'static str)>>>,
}

/// Drops the program's hook so that a panic in the destructor of a captured value does not reach the code that drops
/// the recorder.
impl Drop for Shared {
    fn drop(&mut self) {
        let hook = self.response_hook.take();
        guard(|| drop(hook));
    }
}

/// A closure that runs at the response to a sampled call, while the call's subsegment is current.
pub(crate) type ResponseHook = Box<dyn Fn(&ResponseHead<'_>) + Send + Sync>;

impl Recorder {
    /// Returns a builder with the default settings. Every setting is optional.
    pub fn builder() -> RecorderBuilder {
        RecorderBuilder::default()
    }

    /// Blocks until all documents emitted so far have been sent or dropped, for at most `limit`. Returns `false` if
    /// some documents are still waiting at that time. [`stats`](Self::stats) returns the number of dropped documents.
    ///
    /// Does not wait if the thread that sends the documents cannot be started; they stay in the queue. A forked process
    /// does not wait for the documents of its parent, because the parent sends them.
    ///
    /// A recorder that was installed or first used on the main thread is flushed when that thread ends, for at most a
    /// second. The flush covers a return from `main`, a panic in `main`, and a call to [`exit`](std::process::exit) on
    /// the main thread. Call `flush` before the program ends in another way: by `abort`, by a signal, or by `exit` on
    /// another thread.
    ///
    /// ```
    /// use std::time::Duration;
    /// use xray::emitter::MemoryEmitter;
    ///
    /// let recorder = xray::Recorder::builder().emitter(MemoryEmitter::new()).build();
    /// assert!(recorder.flush(Duration::from_secs(2)), "a `MemoryEmitter` keeps nothing back");
    /// ```
    #[expect(clippy::must_use_candidate, reason = "a program that ends cannot do anything about lost documents")]
    pub fn flush(&self, limit: Duration) -> bool {
        self.shared.counters.count_in(Process::current());
        self.shared.emission.flush(limit)
    }

    /// Returns the counters of this recorder.
    ///
    /// ```
    /// let recorder = xray::Recorder::builder().build();
    /// assert_eq!(recorder.stats().documents_emitted, 0);
    /// ```
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.counters.count_in(Process::current());
        self.shared.counters.snapshot()
    }

    /// Returns whether the process runs in AWS Lambda, where the Lambda service sends the segments and samples.
    pub(crate) fn is_in_lambda(&self) -> bool {
        self.shared.is_in_lambda
    }

    /// Returns the rules for outgoing requests, or `None` if there are none.
    #[inline]
    pub(crate) fn http_rules(&self) -> Option<&HttpRules> {
        self.shared.rules.as_ref()
    }

    pub(crate) fn response_hook(&self) -> Option<&ResponseHook> {
        self.shared.response_hook.as_ref()
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Recorder")
            .field("enabled", &self.shared.settings.enabled.value)
            .field("service_name", &self.shared.settings.service_name.value)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
