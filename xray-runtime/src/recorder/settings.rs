//! The settings of a recorder, for the log and the doctor: each value, and where it comes from.

use std::fmt;
use std::time::Duration;

use super::client_features::clients_built_in;
use super::environment::{ContextMissing, DaemonAddress, unread_variables};
use super::{HttpRules, Recorder};
use crate::header::propagation::Propagation;
use crate::support::log_line::{LoggedOnce, log_line};

/// The settings of a recorder, each with its source.
pub(super) struct Settings {
    pub(super) enabled: Chosen<bool>,
    pub(super) service_name: Chosen<String>,
    pub(super) daemon_address: Chosen<DaemonAddress>,
    pub(super) context_missing: Chosen<ContextMissing>,
    /// The name of the sampler's type; in Lambda a phrase, as no sampler is used.
    pub(super) sampler: Chosen<&'static str>,
    /// `true` if the sampler is `Central`, which fetches its rules from the daemon.
    pub(super) is_central: bool,
    /// The name of the emitter's type; `None` for the emitter that sends to the daemon.
    pub(super) emitter: Chosen<Option<&'static str>>,
    /// The URL of an `OtlpEmitter`.
    pub(super) emitter_endpoint: Option<String>,
    pub(super) propagation: Chosen<Propagation>,
    pub(super) streaming_threshold: Chosen<usize>,
    pub(super) streaming_threshold_bytes: Chosen<usize>,
    pub(super) in_progress_after: Chosen<Option<Duration>>,
    /// The settings that are not valid, and were ignored or altered, with the reason for each.
    pub(super) rejected: Vec<String>,
    /// `true` if the recorder belongs to `testing::capture`. Such a recorder logs nothing about itself.
    pub(super) is_capture: bool,
}

impl Settings {
    /// Returns the name of the emitter's type, or `UDP` for the emitter that sends to the daemon.
    pub(super) fn emitter_name(&self) -> &'static str {
        self.emitter.value.unwrap_or("UDP")
    }

    /// Returns the settings that the doctor reports, as texts.
    pub(super) fn texts(&self, rules: Option<&HttpRules>) -> Vec<SettingText> {
        let DaemonAddress { udp, tcp } = &self.daemon_address.value;
        let interval =
            self.in_progress_after.value.map_or_else(|| "never".to_owned(), |interval| format!("{interval:?}"));
        let endpoint = self.emitter_endpoint.as_ref().map_or_else(String::new, |endpoint| format!(" to {endpoint}"));
        let of_rules = rules.into_iter().flat_map(HttpRules::texts);
        [
            self.enabled.text("enabled", self.enabled.value),
            self.service_name.text("service_name", &self.service_name.value),
            self.daemon_address.text("daemon_address", format_args!("udp:{udp} tcp:{tcp}")),
            self.context_missing.text("context_missing", format_args!("{:?}", self.context_missing.value)),
            self.sampler.text("sampler", self.sampler.value),
            self.emitter.text("emitter", format_args!("{}{endpoint}", self.emitter_name())),
            self.propagation.text("propagate", format_args!("{:?}", self.propagation.value)),
            self.streaming_threshold.text("streaming_threshold", self.streaming_threshold.value),
            self.streaming_threshold_bytes.text("streaming_threshold_bytes", self.streaming_threshold_bytes.value),
            self.in_progress_after.text("in_progress_after", interval),
        ]
        .into_iter()
        .chain(of_rules.map(|(name, value)| SettingText { name, value, source: Source::Code }))
        .collect()
    }
}

/// The value of a setting, and where it comes from.
pub(super) struct Chosen<T> {
    pub(super) value: T,
    pub(super) source: Source,
}

impl<T> Chosen<T> {
    /// Takes the value in code, else the default.
    pub(super) fn in_code(of_code: Option<T>, default: impl FnOnce() -> T) -> Self {
        let source = Source::of_code(of_code.as_ref());
        Self { value: of_code.unwrap_or_else(default), source }
    }

    /// Takes the value of the environment variable, else the value in code, else the default.
    pub(super) fn new(
        variable: &'static str,
        of_environment: Option<T>,
        of_code: Option<T>,
        default: impl FnOnce() -> T,
    ) -> Self {
        match of_environment {
            Some(value) => Self { value, source: Source::Variable(variable) },
            None => Self::in_code(of_code, default),
        }
    }

    fn text(&self, name: &'static str, value: impl fmt::Display) -> SettingText {
        SettingText { name, value: value.to_string(), source: self.source }
    }
}

/// A setting as the doctor shows it.
#[derive(Debug, Clone)]
pub(super) struct SettingText {
    /// The name of the builder's method.
    name: &'static str,
    value: String,
    source: Source,
}

impl fmt::Display for SettingText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} = {} ({})", self.name, self.value, self.source)
    }
}

/// Where the value of a setting comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The environment variable of this name.
    Variable(&'static str),
    Code,
    Default,
}

impl Source {
    /// Returns the source of a setting that code may set.
    pub(super) fn of_code<T>(setting: Option<&T>) -> Self {
        if setting.is_some() { Self::Code } else { Self::Default }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Variable(name) => name,
            Self::Code => "code",
            Self::Default => "default",
        })
    }
}

/// Returns the name of a type without its path and parameters: `Always` for `xray::sampling::Always`.
pub(super) fn type_name<T: ?Sized>() -> &'static str {
    let name = std::any::type_name::<T>();
    let end = name.find('<').unwrap_or(name.len());
    let start = name[..end].rfind("::").map_or(0, |separator| separator + 2);
    &name[start..end]
}

/// Limits the line with the settings of a recorder to one in the process.
static HAS_LOGGED_SETTINGS: LoggedOnce = LoggedOnce::new();

impl Recorder {
    /// Logs the settings of this recorder, which is the recorder of the process.
    pub(super) fn log_settings_now(&self) {
        // Marks the line as logged, so that no other recorder logs its settings.
        let _ = HAS_LOGGED_SETTINGS.is_first();
        self.log_settings();
    }

    /// Logs the settings of this recorder if it is the first of the process. Called when a segment begins.
    #[inline]
    pub(crate) fn log_settings_once(&self) {
        if !HAS_LOGGED_SETTINGS.is_logged() && !self.shared.settings.is_capture {
            self.log_settings_if_first();
        }
    }

    #[cold]
    fn log_settings_if_first(&self) {
        if HAS_LOGGED_SETTINGS.is_first() {
            self.log_settings();
        }
    }

    fn log_settings(&self) {
        let version = env!("CARGO_PKG_VERSION");
        let Settings { enabled, service_name, sampler, .. } = &self.shared.settings;
        if !enabled.value {
            return log_line!(
                Info,
                "xray::recorder",
                "xray {version} is disabled ({}): it records nothing and sends no header",
                enabled.source,
            );
        }
        let sampler = if self.is_in_lambda() {
            "the trace header of each invocation decides about sampling".to_owned()
        } else {
            format!("sampler `{}` ({})", sampler.value, sampler.source)
        };
        log_line!(
            Info,
            "xray::recorder",
            "xray {version} is enabled ({}): segments of the service `{}` ({}) go to {}; {sampler}; clients built in: {}",
            enabled.source,
            service_name.value,
            service_name.source,
            self.destination(),
            clients_built_in(),
        );
        let unread = unread_variables();
        if !unread.is_empty() {
            log_line!(
                Info,
                "xray::recorder",
                "not read: {}. The documentation of `xray::Recorder` lists the variables that are",
                unread.join(", "),
            );
        }
    }

    /// Returns where documents go: `UDP 127.0.0.1:2000 (default)`, or the name of the program's emitter.
    fn destination(&self) -> String {
        let Settings { emitter, emitter_endpoint, daemon_address, .. } = &self.shared.settings;
        match (emitter.value, emitter_endpoint) {
            (Some(name), None) => format!("the emitter `{name}` ({})", emitter.source),
            (Some(name), Some(endpoint)) => {
                format!("the emitter `{name}` ({}), which sends to {endpoint}", emitter.source)
            }
            (None, _) => format!("UDP {} ({})", daemon_address.value.udp, daemon_address.source),
        }
    }

    /// Returns whether tracing is enabled. If it is not, nothing is recorded and no header is sent.
    pub(crate) fn is_enabled(&self) -> bool {
        self.shared.settings.enabled.value
    }

    pub(crate) fn context_missing(&self) -> ContextMissing {
        self.shared.settings.context_missing.value
    }

    pub(crate) fn propagation(&self) -> Propagation {
        self.shared.settings.propagation.value
    }

    /// Returns the name that the environment gives the service, which overrides the name of a layer.
    #[cfg_attr(not(feature = "tower"), allow(dead_code))]
    pub(crate) fn name_of_environment(&self) -> Option<&str> {
        let name = &self.shared.settings.service_name;
        matches!(name.source, Source::Variable(_)).then_some(&name.value)
    }

    /// Returns the name of the sampler's type.
    pub(crate) fn sampler_name(&self) -> &'static str {
        self.shared.settings.sampler.value
    }

    /// Returns the name of the emitter's type; `None` for the emitter that sends to the daemon.
    pub(crate) fn emitter_name(&self) -> Option<&'static str> {
        self.shared.settings.emitter.value
    }

    /// Returns whether this recorder belongs to `testing::capture`.
    pub(crate) fn is_capture(&self) -> bool {
        self.shared.settings.is_capture
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::environment::Environment;

    #[test]
    fn the_name_of_a_type_is_short() {
        assert_eq!(type_name::<crate::sampling::Always>(), "Always");
        assert_eq!(type_name::<Vec<crate::sampling::Always>>(), "Vec");
        assert_eq!(type_name::<u8>(), "u8");
    }

    #[test]
    fn in_lambda_the_settings_say_that_no_sampler_decides() {
        let environment = Environment { is_lambda: true, ..Environment::default() };
        let (recorder, _) = Recorder::builder().build_with((environment, Vec::new()));
        let texts = recorder.shared.settings.texts(None);
        let texts: Vec<_> = texts.iter().map(ToString::to_string).collect();
        let expected = "sampler = none, as LAMBDA_TASK_ROOT is set and Lambda's trace header decides (default)";
        assert!(texts.iter().any(|text| text == expected), "{texts:?}");
    }
}
