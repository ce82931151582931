//! The builder of a recorder.

use std::any::Any;
use std::borrow::Cow;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{env, fmt, mem};

use super::emission::Emission;
use super::environment::{
    CONTEXT_MISSING_VARIABLE, ContextMissing, DaemonAddress, ENABLED_VARIABLE, EmitterChoice, Environment,
    NAME_VARIABLE, PROPAGATION_VARIABLE, altered_name,
};
use super::new_segments::NewSegments;
use super::progress::Progress;
use super::settings::{Chosen, Settings, Source, type_name};
use super::{HttpRules, Recorder, ResponseHook, Shared};
use crate::document::MAX_STRING_CHARS;
use crate::document::name::legal_name;
use crate::emitter::{Deliveries, Emitter, OtlpEmitter, OtlpSettings, UdpEmitter};
use crate::header::propagation::Propagation;
#[cfg(feature = "origin")]
use crate::origin::Detector;
use crate::origin::{KnownOrigin, LogGroup, Origin};
use crate::record::Extent;
use crate::record::split::MAX_DOCUMENT_BYTES;
use crate::sampling::{Central, Never, Sampler, SamplerHost};
use crate::support::background::Background;
use crate::support::guard::guard;
use crate::support::log_line::{LoggedOnce, log_line};
use crate::support::process::PerProcess;
use crate::support::secrets;
use crate::support::stats::Counters;
use crate::support::variables::{Outcome, RejectedSetting};

/// A sampler, of the program or the default one.
struct ChosenSampler {
    sampler: Box<dyn Sampler>,
    /// The name of its type.
    name: &'static str,
    is_central: bool,
}

impl ChosenSampler {
    fn new<S: Sampler>(sampler: S) -> Self {
        let is_central = (&sampler as &dyn Any).is::<Central>();
        Self { sampler: Box::new(sampler), name: type_name::<S>(), is_central }
    }
}

/// An emitter that is not the default.
struct ChosenEmitter {
    emitter: Box<dyn Emitter>,
    /// The name of its type.
    name: &'static str,
    /// The URL of an `OtlpEmitter`.
    endpoint: Option<String>,
}

impl ChosenEmitter {
    fn new<E: Emitter>(emitter: E) -> Self {
        let endpoint = (&emitter as &dyn Any).downcast_ref().map(OtlpEmitter::endpoint).map(str::to_owned);
        Self { emitter: Box::new(emitter), name: type_name::<E>(), endpoint }
    }
}

/// The default of `streaming_threshold`, as in other X-Ray SDKs.
const DEFAULT_STREAMING_THRESHOLD: usize = 100;

/// Settings of a [`Recorder`]. A variable of the environment takes precedence over the same setting here.
#[must_use = "a builder does nothing until `build` or `install`"]
#[derive(Default)]
pub struct RecorderBuilder {
    service_name: Option<String>,
    daemon_address: Option<String>,
    enabled: Option<bool>,
    context_missing: Option<ContextMissing>,
    origin: Option<Origin>,
    log_groups: Vec<LogGroup>,
    #[cfg(feature = "origin")]
    detectors: Vec<Detector>,
    sampler: Option<ChosenSampler>,
    emitter: Option<ChosenEmitter>,
    response_hook: Option<ResponseHook>,
    pub(super) propagation: Option<Propagation>,
    pub(super) rules: HttpRules,
    streaming_threshold: Option<usize>,
    streaming_threshold_bytes: Option<usize>,
    in_progress_after: Option<Duration>,
    /// `true` if the recorder is for `testing::capture`.
    is_capture: bool,
}

impl RecorderBuilder {
    /// Sets the name of segments that begin without a name (`AWS_XRAY_TRACING_NAME`). The default is the program's
    /// name.
    ///
    /// A segment without a name is one of [`SegmentBuilder::default()`](crate::SegmentBuilder), or of a
    /// `SegmentLayer::default()`. The variable also overrides the name that is given to a `SegmentLayer`. It does not
    /// override the name given to [`Segment::builder`](crate::Segment::builder).
    ///
    /// Characters that X-Ray does not accept are removed, and at most 200 are kept. If nothing is left, the default is
    /// used. A name that had to change is logged and counted in
    /// [`Stats::settings_rejected`](crate::Stats::settings_rejected).
    pub fn service_name(mut self, name: impl Into<String>) -> Self {
        self.service_name = Some(name.into());
        self
    }

    /// Sets the address of the X-Ray daemon (`AWS_XRAY_DAEMON_ADDRESS`). The default is `127.0.0.1:2000`.
    ///
    /// The form is `host:port` if the daemon receives segments (UDP) and answers requests for sampling rules (TCP) at
    /// the same address, else `tcp:host:port udp:host:port`. An address of another form is logged and counted in
    /// [`Stats::settings_rejected`](crate::Stats::settings_rejected), and the default is used.
    pub fn daemon_address(mut self, address: impl Into<String>) -> Self {
        self.daemon_address = Some(address.into());
        self
    }

    /// Sets whether segments are recorded and headers sent (`AWS_XRAY_SDK_ENABLED`). The default is `true`.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = Some(enabled);
        self
    }

    /// Sets the reaction to a call or a subsegment outside any segment (`AWS_XRAY_CONTEXT_MISSING`). The default is an
    /// error in the log.
    pub fn context_missing(mut self, context_missing: ContextMissing) -> Self {
        self.context_missing = Some(context_missing);
        self
    }

    /// Sets the AWS resource on which the program runs, for the `origin` and `aws` of segments and for sampling rules
    /// that name a service type; see [`Origin`]. It takes precedence over a [detected](Self::detect_origin) origin.
    pub fn origin(mut self, origin: Origin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// Sets the log groups of CloudWatch Logs to which the program's log lines go, each by its name or its ARN. The
    /// X-Ray console looks there for the lines of a trace.
    ///
    /// Each segment records them as `aws.cloudwatch_logs`. For a container of ECS with the log driver `awslogs`, the
    /// log group is [detected](Self::detect_origin); those set here take its place. On EC2 and EKS an agent sends the
    /// lines, and only the program or its deployment knows to which log groups. A text is cut at 250 characters.
    /// (Developer guide, "X-Ray segment documents", "AWS resource data".)
    ///
    /// ```
    /// use xray::emitter::MemoryEmitter;
    /// use xray::{Recorder, Segment};
    ///
    /// let emitter = MemoryEmitter::new();
    /// let builder = Recorder::builder().emitter(emitter.clone());
    /// let recorder = builder.log_groups(["/aws/containerinsights/shop/application"]).build();
    /// Segment::builder("todo-app").recorder(&recorder).sampled(true).begin().end();
    /// let aws = emitter.take().remove(0).aws.unwrap();
    /// assert_eq!(aws.other["cloudwatch_logs"][0]["log_group"], "/aws/containerinsights/shop/application");
    /// ```
    pub fn log_groups<S: AsRef<str>>(mut self, names_or_arns: impl IntoIterator<Item = S>) -> Self {
        self.log_groups = names_or_arns.into_iter().map(|name| LogGroup::new(name.as_ref())).collect();
        self
    }

    /// Detects the AWS resource on which the program runs, on the background thread, as soon as the recorder is built.
    ///
    /// Each detector has one second, or the number of seconds in `AWS_METADATA_SERVICE_TIMEOUT`, up to 60. If several
    /// find something, the most specific gives the `origin`: Elastic Beanstalk before EKS, ECS and EC2. All of them add
    /// what they know to the `aws` block. No segment waits for a detector. A segment that ends before the detection has
    /// no `origin`; a segment that begins before it matches sampling rules of every service type.
    ///
    /// A detector that finds nothing logs nothing. If it finds something that it cannot read, or if a metadata service
    /// does not answer, it logs one warning and counts in [`Stats::origin_failures`](crate::Stats::origin_failures).
    /// Nothing is detected in Lambda, or while tracing is disabled.
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

    /// Sets the sampler, which decides which segments are recorded. The default is
    /// [`sampling::Central`](crate::sampling::Central).
    ///
    /// In Lambda the sampler is not used: the Lambda service has decided, and says so in the trace header. A segment
    /// without a decision in its header is not recorded there. (Developer guide, "AWS Lambda and AWS X-Ray".)
    pub fn sampler<S: Sampler>(mut self, sampler: S) -> Self {
        self.sampler = Some(ChosenSampler::new(sampler));
        self
    }

    /// Sets where documents go (`AWS_XRAY_EMITTER`). The default sends them to the X-Ray daemon over UDP.
    ///
    /// The value `udp` of the variable selects the default, and `otlp` an [`OtlpEmitter`](crate::emitter::OtlpEmitter).
    /// The emitter of the code is then replaced, unless the value is `otlp` and that emitter is an `OtlpEmitter`.
    ///
    /// The default emitter queues up to 16,384 documents with about 128 MiB of memory in total, and counts the
    /// documents that it has to drop in [`Stats::documents_dropped`](crate::Stats::documents_dropped). A document over
    /// 63 KiB is split into several documents. A document that is still too large loses its largest metadata, then its
    /// largest `aws` values, then stack frames, then the middle of long strings. The place is marked in the document
    /// and counted in [`Stats::values_rejected`](crate::Stats::values_rejected).
    pub fn emitter<E: Emitter>(mut self, emitter: E) -> Self {
        self.emitter = Some(ChosenEmitter::new(emitter));
        self
    }

    /// Sets how many ended subsegments an open segment or subsegment holds, nested ones included. The default is 100.
    ///
    /// When one more has ended, all of them are sent as separate documents, so that a long segment needs little memory.
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

    /// Sets how many bytes of ended subsegments an open segment or subsegment holds, as an estimate of their JSON. The
    /// default is 63 KiB, the limit of one document.
    pub fn streaming_threshold_bytes(mut self, bytes: usize) -> Self {
        self.streaming_threshold_bytes = Some(bytes);
        self
    }

    /// Sends a segment that is still open after this time, marked `in_progress`, so that a long job is visible while it
    /// runs. Without this setting a segment is sent only when it ends.
    ///
    /// Subsegments that have ended by then are sent as separate documents; later ones follow at each further interval.
    /// A report may be late by a quarter of the interval, or by 10 milliseconds if that is more. X-Ray accepts one
    /// document in progress, so the segment itself is sent `in_progress` once, and again when it ends. The second
    /// document counts, in whatever order the two arrive. (Developer guide, "Segment documents", `in_progress`.)
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

    pub(crate) fn response_hook(mut self, hook: ResponseHook) -> Self {
        self.response_hook = Some(hook);
        self
    }

    /// Builds a recorder that is not the recorder of the process: only segments that are
    /// [given](crate::SegmentBuilder::recorder) this recorder use it.
    #[must_use]
    pub fn build(self) -> Recorder {
        let (recorder, rejected) = self.build_with(Environment::of_process());
        log_rejected(&rejected);
        recorder
    }

    /// Builds the recorder of `testing::capture`: ignores the environment, and logs nothing about the recorder.
    pub(crate) fn build_for_capture(mut self) -> Recorder {
        self.is_capture = true;
        let (recorder, rejected) = self.build_with((Environment::default(), Vec::new()));
        log_rejected(&rejected);
        recorder
    }

    /// Builds a recorder for an environment. Counts the rejected settings and returns them, for the caller to log.
    pub(super) fn build_with(
        mut self,
        (mut environment, mut rejected): (Environment, Vec<RejectedSetting>),
    ) -> (Recorder, Vec<RejectedSetting>) {
        let is_in_lambda = environment.is_lambda;
        let (sampler, sampler_source) = self.choose_sampler(is_in_lambda);
        let daemon_address = self.choose_daemon_address(&mut environment, &mut rejected);
        let service_name = self.choose_service_name(&mut environment, &mut rejected);
        let (emitter, emitter_source) = self.choose_emitter(&environment, &mut rejected);
        rejected.extend(self.rules.invalid());
        let settings = Settings {
            enabled: Chosen::new(ENABLED_VARIABLE, environment.enabled, self.enabled, || true),
            service_name,
            daemon_address,
            context_missing: Chosen::new(
                CONTEXT_MISSING_VARIABLE,
                environment.context_missing,
                self.context_missing,
                ContextMissing::default,
            ),
            sampler: Chosen { value: sampler.name, source: sampler_source },
            is_central: sampler.is_central,
            emitter: Chosen { value: emitter.as_ref().map(|emitter| emitter.name), source: emitter_source },
            emitter_endpoint: emitter.as_ref().and_then(|emitter| emitter.endpoint.clone()),
            propagation: Chosen::new(
                PROPAGATION_VARIABLE,
                environment.propagation,
                self.propagation,
                Propagation::default,
            ),
            streaming_threshold: Chosen::in_code(self.streaming_threshold, || DEFAULT_STREAMING_THRESHOLD),
            streaming_threshold_bytes: Chosen::in_code(self.streaming_threshold_bytes, || MAX_DOCUMENT_BYTES),
            in_progress_after: Chosen::in_code(self.in_progress_after.map(Some), || None),
            rejected: rejected.iter().map(ToString::to_string).collect(),
            is_capture: self.is_capture,
        };
        let counters = Arc::new(Counters::default());
        counters.settings_rejected.add(rejected.len() as u64);
        // One thread for all that a recorder does in the background. It starts with its first task, so a program that
        // records nothing has no extra thread.
        let background = Arc::new(Background::new("xray-background"));
        let shared = Shared {
            is_in_lambda,
            origin: self.known_origin(settings.enabled.value && !is_in_lambda, &background, &counters),
            new_segments: new_segments(sampler.sampler, &settings, &background, &counters),
            emission: emission(emitter, &settings, is_in_lambda, background, &counters),
            rules: (!self.rules.is_empty()).then_some(self.rules),
            response_hook: self.response_hook,
            logged_values: PerProcess::new(Mutex::default),
            counters,
            settings,
        };
        (Recorder { shared: Arc::new(shared) }, rejected)
    }

    /// Takes the origin of the program. Starts the detectors if `detects` is set.
    #[cfg_attr(not(feature = "origin"), expect(unused_mut, unused_variables, reason = "only a detection uses them"))]
    fn known_origin(&mut self, detects: bool, background: &Arc<Background>, counters: &Arc<Counters>) -> KnownOrigin {
        let mut origin = KnownOrigin::new(self.origin.take(), mem::take(&mut self.log_groups));
        #[cfg(feature = "origin")]
        if detects && !self.detectors.is_empty() {
            origin.detect(mem::take(&mut self.detectors), Arc::clone(background), Arc::clone(counters));
        }
        origin
    }

    /// Takes the sampler of the program, else the default.
    fn choose_sampler(&mut self, is_in_lambda: bool) -> (ChosenSampler, Source) {
        let of_program = self.sampler.take();
        if is_in_lambda {
            // The destructor of the sampler is the program's own code.
            guard(|| drop(of_program));
            let name = "none, as LAMBDA_TASK_ROOT is set and Lambda's trace header decides";
            return (ChosenSampler { name, ..ChosenSampler::new(Never) }, Source::Default);
        }
        let source = Source::of_code(of_program.as_ref());
        (of_program.unwrap_or_else(|| ChosenSampler::new(Central::default())), source)
    }

    // In these functions the environment takes precedence over code, as in every X-Ray SDK. Lambda and the task
    // definition of a side-car daemon set these variables without knowing the program.

    /// Takes the daemon's address from the environment, else from the program, else the default.
    fn choose_daemon_address(
        &mut self,
        environment: &mut Environment,
        rejected: &mut Vec<RejectedSetting>,
    ) -> Chosen<DaemonAddress> {
        let of_program = |address: String| {
            let parsed = address.parse().ok();
            if parsed.is_none() {
                rejected.push(RejectedSetting {
                    name: "daemon_address",
                    value: address,
                    expected: DaemonAddress::EXPECTED,
                    outcome: Outcome::Ignored,
                });
            }
            parsed
        };
        let of_program = self.daemon_address.take().and_then(of_program);
        let of_environment = environment.daemon_address.take();
        Chosen::new(DaemonAddress::VARIABLE, of_environment, of_program, DaemonAddress::default)
    }

    /// Takes the service's name from the environment, else from the program's settings, else the name of its file.
    fn choose_service_name(
        &mut self,
        environment: &mut Environment,
        rejected: &mut Vec<RejectedSetting>,
    ) -> Chosen<String> {
        let of_program = |name: String| {
            let legal = legal_name(&name).map(Cow::into_owned);
            rejected.extend(altered_name("service_name", &name, legal.as_deref()));
            legal
        };
        let of_program = self.service_name.take().and_then(of_program);
        Chosen::new(NAME_VARIABLE, environment.service_name.take(), of_program, executable_name)
    }

    /// Takes the emitter from the environment, else from the program. Returns `None` for the default emitter, which
    /// sends to the daemon.
    fn choose_emitter(
        &mut self,
        environment: &Environment,
        rejected: &mut Vec<RejectedSetting>,
    ) -> (Option<ChosenEmitter>, Source) {
        let of_program = self.emitter.take();
        let Some(choice) = environment.emitter else {
            let source = Source::of_code(of_program.as_ref());
            return (of_program, source);
        };
        let source = Source::Variable(EmitterChoice::VARIABLE);
        // An `OtlpEmitter` of the program has the program's settings, and has read the variables of OpenTelemetry.
        let is_otlp = |emitter: &ChosenEmitter| emitter.endpoint.is_some();
        if choice == EmitterChoice::Otlp && of_program.as_ref().is_some_and(is_otlp) {
            return (of_program, source);
        }
        // The destructor of the emitter is the program's own code.
        guard(|| drop(of_program));
        let otlp = || {
            let mut settings = OtlpSettings::default();
            settings.read(&|name| env::var_os(name), rejected);
            ChosenEmitter::new(OtlpEmitter::with_settings(settings, 0))
        };
        ((choice == EmitterChoice::Otlp).then(otlp), source)
    }
}

/// Returns the part of a recorder that begins segments, with this sampler.
fn new_segments(
    sampler: Box<dyn Sampler>,
    settings: &Settings,
    background: &Arc<Background>,
    counters: &Arc<Counters>,
) -> NewSegments {
    let new_segments = NewSegments::new(sampler);
    let sampler_host = SamplerHost {
        background: Arc::clone(background),
        daemon_address: settings.daemon_address.value.tcp.clone(),
        counters: Arc::clone(counters),
        caller_rules: new_segments.caller_rules.clone(),
    };
    new_segments.attach(&sampler_host, settings.sampler.value);
    new_segments
}

/// Returns the part of a recorder that passes on finished segments. `emitter` is that of the program.
fn emission(
    emitter: Option<ChosenEmitter>,
    settings: &Settings,
    is_in_lambda: bool,
    background: Arc<Background>,
    counters: &Arc<Counters>,
) -> Emission {
    let of_daemon = || daemon_emitter(&settings.daemon_address.value, is_in_lambda, &background, counters);
    let emission = Emission {
        emitter: emitter.map_or_else(of_daemon, |chosen| chosen.emitter),
        deliveries: Deliveries::new(Arc::clone(counters), &settings.service_name.value),
        logged_panic: LoggedOnce::new(),
        streaming_threshold: Extent {
            subsegments: settings.streaming_threshold.value,
            bytes: settings.streaming_threshold_bytes.value,
            held: usize::MAX,
        },
        progress: settings.in_progress_after.value.map(|interval| Progress::new(background, interval)),
    };
    emission.attach(settings.emitter_name());
    emission
}

/// Returns the emitter that sends to the daemon.
fn daemon_emitter(
    daemon: &DaemonAddress,
    is_in_lambda: bool,
    background: &Arc<Background>,
    counters: &Arc<Counters>,
) -> Box<dyn Emitter> {
    // Lambda's daemon is part of the environment and needs no check.
    let tcp = (!is_in_lambda).then(|| daemon.tcp.clone());
    let emitter = UdpEmitter::new(Arc::clone(background), daemon.udp.clone(), tcp, Arc::clone(counters));
    // Lambda freezes the process after the response, so a document must be sent before the end of its subsegment
    // returns.
    Box::new(if is_in_lambda { emitter.sending_directly() } else { emitter })
}

impl fmt::Debug for RecorderBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RecorderBuilder")
            .field("service_name", &self.service_name)
            .field(
                "daemon_address",
                &self.daemon_address.as_deref().map(|address| secrets::recorded(address, MAX_STRING_CHARS)),
            )
            .finish_non_exhaustive()
    }
}

/// Logs a warning for each rejected setting.
//
// Building a recorder does not log them, because the logger is the program's own code: see `Recorder::global`.
pub(super) fn log_rejected(rejected: &[RejectedSetting]) {
    for setting in rejected {
        log_line!(Warn, "xray::recorder", "{setting}");
    }
}

/// Returns the name of the program's file without extension, or `rust` if that is not a legal name.
fn executable_name() -> String {
    let path = env::current_exe().ok();
    let stem = path.as_ref().and_then(|path| path.file_stem());
    stem.and_then(|stem| legal_name(&stem.to_string_lossy()).map(Cow::into_owned)).unwrap_or_else(|| "rust".to_owned())
}
