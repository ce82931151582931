//! The settings of a recorder, for the log and the doctor: each value, and where it comes from.

use std::fmt;

use super::Recorder;
use super::environment::DaemonAddress;
use crate::support::log_line::{LoggedOnce, log_line};

/// The settings of a recorder in the form that the log and the doctor need. Segments do not read them.
pub(super) struct Settings {
    /// Every setting with its value, in the order of the builder's methods.
    pub(super) list: Vec<Setting>,
    /// The settings that are not valid and were ignored, with the reason for each.
    pub(super) rejected: Vec<String>,
    pub(super) daemon: DaemonAddress,
    /// The name of the emitter's type; `None` for the emitter that sends to the daemon.
    pub(super) emitter: Option<&'static str>,
    /// The name of the sampler's type.
    pub(super) sampler: &'static str,
    /// The service's name if the environment sets it: then it overrides the name of a layer.
    pub(super) name_of_environment: Option<String>,
    /// `true` if the recorder belongs to `testing::capture`. Such a recorder logs nothing about itself.
    pub(super) is_capture: bool,
}

/// A setting with its value.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) source: Source,
}

impl Setting {
    pub(super) fn new(name: &'static str, value: impl fmt::Display, source: Source) -> Self {
        Self { name, value: value.to_string(), source }
    }
}

impl fmt::Display for Setting {
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

/// A feature for an HTTP client, the crate of the client, and whether the feature is on.
type ClientFeature = (&'static str, &'static str, bool);

const CLIENT_FEATURES: [ClientFeature; 13] = [
    ("attohttpc", "attohttpc", cfg!(feature = "attohttpc")),
    ("awc", "awc", cfg!(feature = "awc")),
    ("hyper", "hyper_util", cfg!(feature = "hyper")),
    ("hyper-0-14", "hyper", cfg!(feature = "hyper-0-14")),
    ("isahc", "isahc", cfg!(feature = "isahc")),
    ("reqwest", "reqwest", cfg!(feature = "reqwest")),
    ("reqwest-blocking", "reqwest", cfg!(feature = "reqwest-blocking")),
    ("reqwest-0-12", "reqwest", cfg!(feature = "reqwest-0-12")),
    ("reqwest-0-12-blocking", "reqwest", cfg!(feature = "reqwest-0-12-blocking")),
    ("reqwest-0-11", "reqwest", cfg!(feature = "reqwest-0-11")),
    ("reqwest-middleware", "reqwest_middleware", cfg!(feature = "reqwest-middleware")),
    ("ureq", "ureq", cfg!(feature = "ureq")),
    ("ureq-2", "ureq", cfg!(feature = "ureq-2")),
];

/// Returns the features of the HTTP clients in this build, as in `reqwest, ureq`.
//
// hyper's senders and `http::Request` need no feature and are in every build.
pub(crate) fn clients_built_in() -> String {
    let of_aws_sdk = ("aws-sdk", "", cfg!(feature = "aws-sdk"));
    let features = CLIENT_FEATURES.iter().chain([&of_aws_sdk]);
    let names: Vec<_> = features.filter(|(_, _, is_on)| *is_on).map(|(name, _, _)| *name).collect();
    if names.is_empty() { "none but hyper 1".to_owned() } else { names.join(", ") }
}

/// Returns the features that are off and are for the client crate in which a type is defined.
pub(crate) fn client_features_off(type_name: &str) -> impl Iterator<Item = &'static str> {
    features_off(&CLIENT_FEATURES, type_name)
}

fn features_off<'a>(features: &'a [ClientFeature], type_name: &str) -> impl Iterator<Item = &'static str> + use<'a> {
    let name = type_name.trim_start_matches(['&', ' ']).trim_start_matches("mut ");
    let crate_name = name.split_once("::").map_or("", |(crate_name, _)| crate_name).to_owned();
    let is_off = move |(_, of, is_on): &&ClientFeature| !is_on && *of == crate_name;
    features.iter().filter(is_off).map(|(name, _, _)| *name)
}

/// For the line in which a recorder of this process says how it works.
static ANNOUNCED: LoggedOnce = LoggedOnce::new();

impl Recorder {
    /// Logs how this recorder, that of the process, works.
    pub(super) fn announce(&self) {
        // From now on, no other recorder is the first.
        let _ = ANNOUNCED.is_first();
        self.log_settings();
    }

    /// Logs how this recorder works if it is the first of the process. Called when a segment begins.
    #[inline]
    pub(crate) fn announce_first(&self) {
        if !ANNOUNCED.is_logged() && !self.shared.settings.is_capture {
            self.announce_if_first();
        }
    }

    #[cold]
    fn announce_if_first(&self) {
        if ANNOUNCED.is_first() {
            self.log_settings();
        }
    }

    fn log_settings(&self) {
        let version = env!("CARGO_PKG_VERSION");
        let enabled = self.setting("enabled");
        if !self.is_enabled() {
            return log_line!(
                Info,
                "xray::recorder",
                "xray {version} is disabled ({}): it records nothing and sends no header",
                enabled.source,
            );
        }
        let service = self.setting("service_name");
        let sampler = if self.is_in_lambda() {
            "the trace header of each invocation decides about sampling".to_owned()
        } else {
            format!("sampler `{}` ({})", self.shared.settings.sampler, self.setting("sampler").source)
        };
        log_line!(
            Info,
            "xray::recorder",
            "xray {version} is enabled ({}): segments of the service `{}` ({}) go to {}; {sampler}; clients built in: {}",
            enabled.source,
            service.value,
            service.source,
            self.destination(),
            clients_built_in(),
        );
    }

    /// Returns where documents go: `UDP 127.0.0.1:2000 (default)`, or the name of the program's emitter.
    fn destination(&self) -> String {
        match self.shared.settings.emitter {
            Some(name) => format!("the emitter `{name}` ({})", self.setting("emitter").source),
            None => format!("UDP {} ({})", self.shared.settings.daemon.udp, self.setting("daemon_address").source),
        }
    }

    /// Returns a setting by the name of the builder's method.
    fn setting(&self, name: &str) -> Setting {
        let found = self.shared.settings.list.iter().find(|setting| setting.name == name);
        let unknown = || Setting { name: "", value: String::new(), source: Source::Default };
        found.cloned().unwrap_or_else(unknown)
    }

    /// Returns the name that the environment gives the service, which overrides the name of a layer.
    #[cfg_attr(not(feature = "tower"), allow(dead_code))]
    pub(crate) fn name_of_environment(&self) -> Option<&str> {
        self.shared.settings.name_of_environment.as_deref()
    }

    /// Returns the name of the sampler's type.
    pub(crate) fn sampler_name(&self) -> &'static str {
        self.shared.settings.sampler
    }

    /// Returns the name of the emitter's type; `None` for the emitter that sends to the daemon.
    pub(crate) fn emitter_name(&self) -> Option<&'static str> {
        self.shared.settings.emitter
    }

    /// Returns whether this recorder belongs to `testing::capture`.
    pub(crate) fn is_capture(&self) -> bool {
        self.shared.settings.is_capture
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_of_a_client_names_the_features_that_are_off() {
        let features = [("reqwest", "reqwest", true), ("reqwest-0-12", "reqwest", false), ("ureq", "ureq", false)];
        let off = |type_name| features_off(&features, type_name).collect::<Vec<_>>();
        assert_eq!(off("reqwest::async_impl::request::RequestBuilder"), ["reqwest-0-12"]);
        assert_eq!(off("&mut ureq::request::Request"), ["ureq"]);
        assert!(off("shop::Reqwest").is_empty() && off("u32").is_empty());
    }

    #[test]
    fn the_name_of_a_type_is_short() {
        assert_eq!(type_name::<crate::sampling::Always>(), "Always");
        assert_eq!(type_name::<Vec<crate::sampling::Always>>(), "Vec");
        assert_eq!(type_name::<u8>(), "u8");
    }
}
