//! The recorder: how segments are decided on and where they go.

mod at_end;
mod config;
mod progress;
mod rules;

use std::any;
use std::error::Error;
use std::sync::{Arc, Weak};
use std::time::Duration;
use std::{env, fmt};

use once_cell::sync::OnceCell;

pub use self::config::ContextMissing;
use self::config::{DaemonAddress, EXPECTED_NAME, Environment, RejectedSetting};
pub(crate) use self::progress::InProgress;
use self::progress::Progress;
pub(crate) use self::rules::HttpRules;
use crate::document::annotation::is_accepted_key;
use crate::document::cause::chain;
use crate::document::name::legal_name;
use crate::document::response_head::ResponseHead;
use crate::document::split::MAX_DOCUMENT_BYTES;
use crate::document::{AnnotationValue, Document, Exception, Extent, MAX_STRING_CHARS};
use crate::emitter::{Emitter, UdpEmitter};
use crate::header::propagation::Propagation;
use crate::id::SegmentId;
#[cfg(feature = "origin")]
use crate::origin::{Detector, detect};
use crate::origin::{KnownOrigin, Origin};
use crate::sampling::{Backing, Central, Decision, Never, Sampler, SamplingRequest};
use crate::support::background::Background;
use crate::support::stats::{Counters, Stats};
use crate::support::text::first_chars;

/// The recorder that [`RecorderBuilder::install`] put in place.
static INSTALLED: OnceCell<Recorder> = OnceCell::new();
/// The recorder for as long as none is installed.
static FROM_ENVIRONMENT: OnceCell<Recorder> = OnceCell::new();

/// Ended subsegments that a record holds, as in other X-Ray SDKs.
const MAX_EMBEDDED: usize = 100;

/// Decides which segments are recorded and sends them to the X-Ray daemon.
///
/// A program needs none of its own: the first segment installs one from the environment. Clones are handles of
/// the same recorder.
///
/// | variable | meaning | default |
/// |---|---|---|
/// | `AWS_XRAY_DAEMON_ADDRESS` | `host:port`, `[ipv6]:port`, or `tcp:host:port udp:host:port` | `127.0.0.1:2000` |
/// | `AWS_XRAY_TRACING_NAME` | the service's name, for segments that are given none | the program's name |
/// | `AWS_XRAY_SDK_ENABLED` | `false` records nothing and adds no header | `true` |
/// | `AWS_XRAY_CONTEXT_MISSING` | `LOG_ERROR`, `IGNORE_ERROR`, `RUNTIME_ERROR` (behaves as `LOG_ERROR`) | `LOG_ERROR` |
/// | `RUST_BACKTRACE` | anything but `0`: errors have [stack frames](crate::document::StackFrame) (feature `backtrace`) | `0` |
///
/// A variable wins over the same setting in code, as in every X-Ray SDK. One that cannot be read is logged and
/// counted, and the default stands.
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

struct Shared {
    enabled: bool,
    is_in_lambda: bool,
    service_name: String,
    context_missing: ContextMissing,
    origin: KnownOrigin,
    sampler: Box<dyn Sampler>,
    backing: Backing,
    emitter: Box<dyn Emitter>,
    response_hook: Option<ResponseHook>,
    propagation: Propagation,
    /// `None` where there are none.
    rules: Option<HttpRules>,
    /// What a record may hold of ended subsegments.
    streaming_threshold: Extent,
    /// `None` where no open segment is to be told of.
    progress: Option<Progress>,
    counters: Arc<Counters>,
}

/// A closure that runs at the response to a sampled call, while the call's subsegment is current.
pub(crate) type ResponseHook = Box<dyn Fn(&ResponseHead<'_>) + Send + Sync>;

impl Recorder {
    /// Settings for a recorder, all optional.
    pub fn builder() -> RecorderBuilder {
        RecorderBuilder::default()
    }

    /// Waits until all documents emitted so far have left, for at most `limit`; false if some have not.
    ///
    /// Blocks the thread. The recorder of the process, if it was installed or first used on the main thread, is flushed
    /// for at most a second when that thread ends: by a return from `main`, a panic in it, or
    /// [`exit`](std::process::exit) called on it. A program that ends in another way calls this before: by `abort`, a
    /// signal, or from another thread.
    #[expect(clippy::must_use_candidate, reason = "at its end a program can do nothing about what is left")]
    pub fn flush(&self, limit: Duration) -> bool {
        self.shared.emitter.flush(limit)
    }

    /// What this recorder did so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.counters.snapshot()
    }

    /// The process-wide recorder; installs the one that the environment describes if there is none.
    pub(crate) fn global() -> &'static Self {
        INSTALLED.get().unwrap_or_else(|| {
            FROM_ENVIRONMENT.get_or_init(|| {
                let recorder = Self::builder().build();
                recorder.flush_at_end();
                recorder
            })
        })
    }

    /// Whether the process has a recorder that records nothing; makes none to tell.
    #[cfg(feature = "tracing")]
    pub(crate) fn is_known_to_be_off() -> bool {
        INSTALLED.get().or_else(|| FROM_ENVIRONMENT.get()).is_some_and(|recorder| !recorder.is_enabled())
    }

    #[cfg(feature = "tracing")]
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.shared.enabled
    }

    /// Whether the process is one of Lambda, which sends the segments and decides what is sampled.
    pub(crate) fn is_in_lambda(&self) -> bool {
        self.shared.is_in_lambda
    }

    pub(crate) fn context_missing(&self) -> ContextMissing {
        self.shared.context_missing
    }

    /// A legal name for a segment that is to be called `name`.
    pub(crate) fn segment_name(&self, name: &str) -> String {
        let legal = legal_name(name).unwrap_or_else(|| self.shared.service_name.clone());
        self.report_name(name, &legal);
        legal
    }

    /// An annotation's value as X-Ray takes it under this key; what is lost of it is counted.
    pub(crate) fn accept(&self, key: &str, value: AnnotationValue) -> Option<AnnotationValue> {
        let Some((value, is_cut)) = value.accepted().filter(|_| is_accepted_key(key)) else {
            self.report_value("annotation", key, "left out");
            return None;
        };
        if is_cut {
            self.report_value("annotation", key, "cut");
        }
        Some(value)
    }

    /// Counts a name that could not stay as it was given; none given is none lost.
    pub(crate) fn report_name(&self, given: &str, legal: &str) {
        if given != legal && !given.is_empty() {
            self.report_value("name", given, "recorded in part");
        }
    }

    /// Counts a value of the caller's that is not recorded as it is, and tells of the first.
    pub(crate) fn report_value(&self, what: &str, key: &str, outcome: &str) {
        if self.shared.counters.values_rejected.increment() == 0 {
            let key = first_chars(key, MAX_STRING_CHARS);
            log::warn!(target: "xray::context", "{what} {key:?} is {outcome}; further such values are only counted");
        }
    }

    /// What an error and its sources say. This runs their own code, so no record may be locked.
    pub(crate) fn read_error<E: Error + ?Sized>(&self, error: &E, remote: bool) -> Vec<Exception> {
        let (exceptions, has_failed) = chain(error, remote);
        if has_failed {
            self.report_value("error", any::type_name::<E>(), "recorded in part");
        }
        exceptions
    }

    pub(crate) fn decide(&self, request: &SamplingRequest<'_>) -> Decision {
        let request = request.with_backing(&self.shared.backing);
        let origin = self.shared.origin.get();
        self.shared
            .sampler
            .sample(&origin.iter().fold(request, |request, origin| request.with_service_type(origin.name())))
    }

    pub(crate) fn response_hook(&self) -> Option<&ResponseHook> {
        self.shared.response_hook.as_ref()
    }

    pub(crate) fn propagation(&self) -> Propagation {
        self.shared.propagation
    }

    pub(crate) fn http_rules(&self) -> Option<&HttpRules> {
        self.shared.rules.as_ref()
    }

    pub(crate) fn streaming_threshold(&self) -> Extent {
        self.shared.streaming_threshold
    }

    /// A segment begins that is sampled.
    pub(crate) fn segment_begins<S: InProgress + 'static>(&self, id: SegmentId, segment: impl FnOnce() -> Weak<S>) {
        if let Some(progress) = &self.shared.progress {
            progress.begins(id, segment());
        }
    }

    pub(crate) fn segment_ends(&self, id: SegmentId) {
        if let Some(progress) = &self.shared.progress {
            progress.ends(id);
        }
    }

    pub(crate) fn emit(&self, mut document: Document) {
        if let (None, Some(origin)) = (document.kind, self.shared.origin.get()) {
            origin.describe(&mut document);
        }
        self.shared.counters.documents_emitted.increment();
        self.shared.emitter.emit(document);
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Recorder")
            .field("enabled", &self.shared.enabled)
            .field("service_name", &self.shared.service_name)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// The counters of the process-wide recorder; see [`Stats`].
#[must_use]
pub fn stats() -> Stats {
    Recorder::global().stats()
}

/// Settings of a [`Recorder`]. What the environment sets too is taken from there.
#[must_use = "a builder does nothing until `build` or `install`"]
#[derive(Default)]
pub struct RecorderBuilder {
    service_name: Option<String>,
    daemon_address: Option<String>,
    enabled: Option<bool>,
    context_missing: Option<ContextMissing>,
    origin: Option<Origin>,
    #[cfg(feature = "origin")]
    detectors: Vec<Detector>,
    sampler: Option<Box<dyn Sampler>>,
    emitter: Option<Box<dyn Emitter>>,
    response_hook: Option<ResponseHook>,
    propagation: Propagation,
    rules: HttpRules,
    streaming_threshold: Option<usize>,
    streaming_threshold_bytes: Option<usize>,
    in_progress_after: Option<Duration>,
}

impl RecorderBuilder {
    /// The name of segments that are given none. (`AWS_XRAY_TRACING_NAME`)
    pub fn service_name(mut self, name: impl Into<String>) -> Self {
        self.service_name = Some(name.into());
        self
    }

    /// Where the daemon listens: `host:port` or `tcp:host:port udp:host:port`. (`AWS_XRAY_DAEMON_ADDRESS`)
    pub fn daemon_address(mut self, address: impl Into<String>) -> Self {
        self.daemon_address = Some(address.into());
        self
    }

    /// Whether anything is recorded and any header sent. (`AWS_XRAY_SDK_ENABLED`)
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = Some(enabled);
        self
    }

    /// What to do when something is to be recorded and nothing is open. (`AWS_XRAY_CONTEXT_MISSING`)
    pub fn context_missing(mut self, context_missing: ContextMissing) -> Self {
        self.context_missing = Some(context_missing);
        self
    }

    /// Where the program runs, for the `origin` and `aws` of segments and for sampling rules of a service type; see
    /// [`Origin`]. It goes before what is [detected](Self::detect_origin).
    pub fn origin(mut self, origin: Origin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// Finds out where the program runs, in the background, from the moment on at which the recorder is built.
    ///
    /// Each detector has a second, or as many as `AWS_METADATA_SERVICE_TIMEOUT` says, up to 60. Of those that find
    /// something the most specific gives the `origin`: Elastic Beanstalk before EKS, ECS and EC2; all of them say what they
    /// know in the `aws` block. A segment that ends before goes without, and until then any service type matches in
    /// sampling rules: neither waits. A detector that finds nothing says nothing; what it finds and cannot read, or a
    /// service that does not answer, is one warning in the log and counted in [`Stats::origin_failures`]. In Lambda, where
    /// nobody needs it, and where tracing is disabled nothing is asked.
    ///
    /// ```
    /// use xray::origin::Detector;
    ///
    /// let recorder = xray::Recorder::builder().detect_origin([Detector::Ecs, Detector::Ec2]).build();
    /// # drop(recorder);
    /// ```
    #[cfg(feature = "origin")]
    pub fn detect_origin(mut self, detectors: impl IntoIterator<Item = Detector>) -> Self {
        self.detectors.extend(detectors);
        self.detectors.sort_unstable();
        self.detectors.dedup();
        self
    }

    /// Who decides what is recorded; [`sampling::Central`](crate::sampling::Central) unless set.
    ///
    /// In Lambda nobody is asked, since the service has decided before: what has no decision in its trace header is not
    /// recorded. (Developer guide, "AWS Lambda and AWS X-Ray".)
    pub fn sampler(mut self, sampler: impl Sampler) -> Self {
        self.sampler = Some(Box::new(sampler));
        self
    }

    /// Where documents go; a [`UdpEmitter`] unless set.
    pub fn emitter(mut self, emitter: impl Emitter) -> Self {
        self.emitter = Some(Box::new(emitter));
        self
    }

    /// How many ended subsegments an open segment or subsegment holds, with those inside them; 100 unless set. With one
    /// more all of them leave as documents of their own, so that a long segment needs little memory.
    ///
    /// ```
    /// use xray::sampling::Always;
    /// use xray::emitter::MemoryEmitter;
    /// use xray::{Recorder, Segment};
    ///
    /// let emitter = MemoryEmitter::new();
    /// let builder = Recorder::builder().sampler(Always).emitter(emitter.clone());
    /// let recorder = builder.streaming_threshold(0).build();
    /// let segment = Segment::builder("nightly-job").recorder(&recorder).begin();
    /// segment.subsegment("first-part").end();
    /// assert_eq!(emitter.take()[0].parent_id, segment.id());
    /// ```
    pub fn streaming_threshold(mut self, subsegments: usize) -> Self {
        self.streaming_threshold = Some(subsegments);
        self
    }

    /// The same in bytes of their JSON, estimated; 63 KiB unless set, which is what a document may measure.
    pub fn streaming_threshold_bytes(mut self, bytes: usize) -> Self {
        self.streaming_threshold_bytes = Some(bytes);
        self
    }

    /// Sends a segment that is still open after this time with `in_progress`, so that a long job is visible while it
    /// runs. Unless set, a segment is sent when it ends.
    ///
    /// What has ended in it leaves with it, as documents of its own, and what ends later each time as much has passed;
    /// up to a quarter of the time late, at least 10 milliseconds after the last. The segment itself is sent in progress
    /// once, as X-Ray takes it, and when it ends: that document holds, in whatever order the two arrive. (Developer
    /// guide, "Segment documents", `in_progress`.)
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let recorder = xray::Recorder::builder().in_progress_after(Duration::from_secs(10)).build();
    /// # drop(recorder);
    /// ```
    pub fn in_progress_after(mut self, time: Duration) -> Self {
        self.in_progress_after = Some(time);
        self
    }

    /// Sets the response hook. `http` wraps the closure that the program gives to [`on_response`](Self::on_response).
    pub(crate) fn response_hook(mut self, hook: ResponseHook) -> Self {
        self.response_hook = Some(hook);
        self
    }

    /// A recorder that only the segments use which are begun with it.
    #[must_use]
    pub fn build(self) -> Recorder {
        let (environment, rejected) = Environment::read(|name| env::var_os(name));
        self.build_in(environment, rejected)
    }

    /// A recorder for which the environment is empty.
    pub(crate) fn build_isolated(self) -> Recorder {
        self.build_in(Environment::default(), Vec::new())
    }

    fn build_in(self, environment: Environment, mut rejected: Vec<RejectedSetting>) -> Recorder {
        let counters = Arc::new(Counters::default());
        let mut reject = |name, value, expected| rejected.push(RejectedSetting { name, value, expected });
        let daemon_address = environment.daemon_address.or_else(|| {
            let address = self.daemon_address?;
            let parsed = address.parse().ok();
            if parsed.is_none() {
                reject("daemon_address", address, DaemonAddress::EXPECTED);
            }
            parsed
        });
        let service_name = environment.service_name.or_else(|| {
            let name = self.service_name?;
            let legal = legal_name(&name);
            if legal.is_none() {
                reject("service_name", name, EXPECTED_NAME);
            }
            legal
        });
        for setting in &rejected {
            counters.settings_rejected.increment();
            log::warn!(target: "xray::recorder", "{setting}");
        }
        let background = Arc::new(Background::new("xray-background"));
        let DaemonAddress { udp, tcp } = daemon_address.unwrap_or_default();
        let emitter = self
            .emitter
            .unwrap_or_else(|| Box::new(UdpEmitter::new(Arc::clone(&background), udp, Arc::clone(&counters))));
        let sampler: Box<dyn Sampler> = match self.sampler {
            _ if environment.is_lambda => Box::new(Never),
            Some(sampler) => sampler,
            None => Box::new(Central::default()),
        };
        let enabled = environment.enabled.or(self.enabled).unwrap_or(true);
        let origin = KnownOrigin::new(self.origin);
        #[cfg(feature = "origin")]
        if enabled && !environment.is_lambda && !self.detectors.is_empty() {
            background.spawn(detect(self.detectors, &origin, Arc::clone(&counters)));
        }
        let shared = Shared {
            enabled,
            is_in_lambda: environment.is_lambda,
            service_name: service_name.unwrap_or_else(program_name),
            context_missing: environment.context_missing.or(self.context_missing).unwrap_or_default(),
            origin,
            sampler,
            backing: Backing { background, daemon_address: tcp, counters: Arc::clone(&counters) },
            emitter,
            response_hook: self.response_hook,
            propagation: self.propagation,
            rules: (!self.rules.is_empty()).then_some(self.rules),
            streaming_threshold: Extent {
                subsegments: self.streaming_threshold.unwrap_or(MAX_EMBEDDED),
                bytes: self.streaming_threshold_bytes.unwrap_or(MAX_DOCUMENT_BYTES),
            },
            progress: self.in_progress_after.map(Progress::new),
            counters,
        };
        Recorder { shared: Arc::new(shared) }
    }

    /// Makes it the recorder of the process, for every segment that begins later.
    ///
    /// Installed on the main thread, it is flushed when that ends; see [`Recorder::flush`].
    ///
    /// # Errors
    ///
    /// If a recorder was installed before. One that the environment described is replaced.
    pub fn install(self) -> Result<Recorder, InstallError> {
        let recorder = self.build();
        INSTALLED.set(recorder.clone()).map_err(|_| InstallError(()))?;
        recorder.flush_at_end();
        Ok(recorder)
    }
}

impl fmt::Debug for RecorderBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RecorderBuilder")
            .field("service_name", &self.service_name)
            .field("daemon_address", &self.daemon_address)
            .finish_non_exhaustive()
    }
}

/// A recorder is installed already.
#[derive(Debug)]
pub struct InstallError(());

impl fmt::Display for InstallError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a recorder is installed in this process already")
    }
}

impl std::error::Error for InstallError {}

fn program_name() -> String {
    let path = env::current_exe().ok();
    let stem = path.as_ref().and_then(|path| path.file_stem());
    stem.and_then(|stem| legal_name(&stem.to_string_lossy())).unwrap_or_else(|| "rust".to_owned())
}
