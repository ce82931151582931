//! The settings that a recorder takes from the environment.

use std::env;
use std::ffi::OsString;
use std::net::Ipv6Addr;
use std::str::FromStr;

use crate::document::name::legal_name;
use crate::header::propagation::Propagation;
use crate::support::log_line::DEBUG_MODE_VARIABLE;
use crate::support::variables::{Outcome, RejectedSetting, setting};

/// The reaction to a call or subsegment outside any segment (`AWS_XRAY_CONTEXT_MISSING`).
///
/// The variable has a third value, `RUNTIME_ERROR`. It behaves as `LOG_ERROR`, because tracing never fails the program.
///
/// ```
/// use xray::{ContextMissing, Recorder};
///
/// // A program in which work outside any segment is usual, such as a command-line tool.
/// let recorder = Recorder::builder().context_missing(ContextMissing::IgnoreError).build();
/// # drop(recorder);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContextMissing {
    /// Logs an error with the place and the remedy, once for each place in the source. A place is logged once more
    /// after the first segment of the process has begun. At most 50 lines are logged.
    #[default]
    LogError,
    /// Does nothing.
    IgnoreError,
}

/// Settings from environment variables; `None` if a variable is not set or not valid. (Developer guide, "Environment
/// variables" of the SDKs.)
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Environment {
    pub(super) enabled: Option<bool>,
    pub(super) service_name: Option<String>,
    pub(super) daemon_address: Option<DaemonAddress>,
    pub(super) context_missing: Option<ContextMissing>,
    pub(super) emitter: Option<EmitterChoice>,
    pub(super) propagation: Option<Propagation>,
    /// `true` if the process runs in AWS Lambda, which sets variables of its own.
    pub(super) is_lambda: bool,
}

/// An emitter that the environment chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EmitterChoice {
    Udp,
    Otlp,
}

impl EmitterChoice {
    pub(super) const VARIABLE: &'static str = "AWS_XRAY_EMITTER";
}

/// The variable that switches tracing on and off.
pub(super) const ENABLED_VARIABLE: &str = "AWS_XRAY_SDK_ENABLED";

/// The variable that chooses the reaction to a call or subsegment outside any segment.
pub(super) const CONTEXT_MISSING_VARIABLE: &str = "AWS_XRAY_CONTEXT_MISSING";

/// The variable that chooses the trace headers of outgoing requests.
pub(super) const PROPAGATION_VARIABLE: &str = "AWS_XRAY_PROPAGATION";

/// The variable with the name of the service.
pub(super) const NAME_VARIABLE: &str = "AWS_XRAY_TRACING_NAME";

/// The expected form of a service's name, for log lines. Other characters are removed from the name. If no character
/// remains, the name is rejected.
pub(super) const EXPECTED_NAME: &str = "a name of at most 200 letters, digits, spaces and _.:/%&#=+-@";

impl Environment {
    /// Reads the environment of the process.
    pub(super) fn of_process() -> (Self, Vec<RejectedSetting>) {
        Self::read(|name| env::var_os(name))
    }

    /// Reads the variables through `get`. Returns the valid settings and the invalid ones.
    //
    // An invalid value does not affect the other settings. The caller logs it, because this function runs before a
    // recorder exists, and a logger may need a recorder.
    pub(super) fn read(get: impl Fn(&str) -> Option<OsString>) -> (Self, Vec<RejectedSetting>) {
        let mut rejected = Vec::new();
        let environment = Self {
            emitter: setting(&get, &mut rejected, EmitterChoice::VARIABLE, "udp or otlp", parse_emitter),
            enabled: setting(&get, &mut rejected, ENABLED_VARIABLE, "true or false", parse_bool),
            service_name: read_name(&get, &mut rejected),
            propagation: setting(&get, &mut rejected, PROPAGATION_VARIABLE, "xray, w3c or both", parse_propagation),
            daemon_address: setting(&get, &mut rejected, DaemonAddress::VARIABLE, DaemonAddress::EXPECTED, |address| {
                address.parse().ok()
            }),
            context_missing: setting(
                &get,
                &mut rejected,
                CONTEXT_MISSING_VARIABLE,
                "LOG_ERROR, IGNORE_ERROR or RUNTIME_ERROR",
                parse_context_missing,
            ),
            // Lambda sets both. Either is enough, as in the other SDKs, so that tests and emulators can set just one.
            is_lambda: ["AWS_LAMBDA_FUNCTION_NAME", "LAMBDA_TASK_ROOT"]
                .iter()
                .any(|name| get(name).is_some_and(|value| !value.is_empty())),
        };
        (environment, rejected)
    }
}

/// Returns the names of the `AWS_XRAY_*` variables that are set but not read by this SDK; they may be misspelt.
pub(super) fn unread_variables() -> Vec<String> {
    const READ: [&str; 7] = [
        DaemonAddress::VARIABLE,
        EmitterChoice::VARIABLE,
        PROPAGATION_VARIABLE,
        NAME_VARIABLE,
        ENABLED_VARIABLE,
        CONTEXT_MISSING_VARIABLE,
        DEBUG_MODE_VARIABLE,
    ];
    let names = env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
    let mut unread: Vec<_> =
        names.filter(|name| name.starts_with("AWS_XRAY_") && !READ.contains(&name.as_str())).collect();
    unread.sort();
    unread
}

/// Reads the name of the service. A name that has to be altered is used, and added to `rejected`.
fn read_name(get: &impl Fn(&str) -> Option<OsString>, rejected: &mut Vec<RejectedSetting>) -> Option<String> {
    let with_legal = |given: &str| Some((given.to_owned(), legal_name(given)?.into_owned()));
    let (given, name) = setting(get, rejected, NAME_VARIABLE, EXPECTED_NAME, with_legal)?;
    rejected.extend(altered_name(NAME_VARIABLE, &given, Some(&name)));
    Some(name)
}

/// Returns a report if the setting `name` has the value `given`, and another name of the service is used.
pub(super) fn altered_name(name: &'static str, given: &str, used: Option<&str>) -> Option<RejectedSetting> {
    (used != Some(given)).then(|| RejectedSetting {
        name,
        value: given.to_owned(),
        expected: EXPECTED_NAME,
        outcome: used.map_or(Outcome::Ignored, |used| Outcome::Altered(used.to_owned())),
    })
}

/// Parses the words that other X-Ray SDKs accept.
fn parse_bool(value: &str) -> Option<bool> {
    match value.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" | "t" | "true" | "on" | "1" => Some(true),
        "n" | "no" | "f" | "false" | "off" | "0" => Some(false),
        _ => None,
    }
}

fn parse_emitter(value: &str) -> Option<EmitterChoice> {
    match value.trim().to_ascii_lowercase().as_str() {
        "udp" => Some(EmitterChoice::Udp),
        "otlp" => Some(EmitterChoice::Otlp),
        _ => None,
    }
}

fn parse_propagation(value: &str) -> Option<Propagation> {
    match value.trim().to_ascii_lowercase().as_str() {
        "xray" => Some(Propagation::XRay),
        "w3c" => Some(Propagation::W3c),
        "both" => Some(Propagation::Both),
        _ => None,
    }
}

fn parse_context_missing(value: &str) -> Option<ContextMissing> {
    match value.trim().to_ascii_uppercase().as_str() {
        "LOG_ERROR" | "RUNTIME_ERROR" => Some(ContextMissing::LogError),
        "IGNORE_ERROR" => Some(ContextMissing::IgnoreError),
        _ => None,
    }
}

/// The addresses of the X-Ray daemon, each as `host:port` with an IPv6 address in brackets.
///
/// The text form is `host:port` for both, or `tcp:host:port udp:host:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DaemonAddress {
    /// Receives segments.
    pub(super) udp: String,
    /// Answers requests for sampling rules.
    pub(super) tcp: String,
}

impl DaemonAddress {
    pub(super) const VARIABLE: &'static str = "AWS_XRAY_DAEMON_ADDRESS";
    pub(super) const EXPECTED: &'static str = "host:port, [ipv6]:port, or tcp:host:port udp:host:port";
}

impl Default for DaemonAddress {
    fn default() -> Self {
        Self { udp: "127.0.0.1:2000".to_owned(), tcp: "127.0.0.1:2000".to_owned() }
    }
}

impl FromStr for DaemonAddress {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let parts: Vec<&str> = text.split_ascii_whitespace().collect();
        let (udp, tcp) = match parts[..] {
            [both] => (both, both),
            [first, second] => match (protocol(first), protocol(second)) {
                (Some(("tcp", tcp)), Some(("udp", udp))) | (Some(("udp", udp)), Some(("tcp", tcp))) => (udp, tcp),
                _ => return Err(()),
            },
            _ => return Err(()),
        };
        Ok(Self { udp: host_and_port(udp).ok_or(())?, tcp: host_and_port(tcp).ok_or(())? })
    }
}

/// Splits `udp:host:port` into `udp` and `host:port`. The protocol is `tcp` or `udp` in letters of either case.
fn protocol(part: &str) -> Option<(&'static str, &str)> {
    let (name, address) = part.split_once(':')?;
    ["tcp", "udp"].into_iter().find(|known| name.eq_ignore_ascii_case(known)).map(|known| (known, address))
}

/// Returns the address if it is a host and a port from 1 to 65,535. The host is a name, an IPv4 address or a bracketed
/// IPv6 address, which may have a zone.
fn host_and_port(address: &str) -> Option<String> {
    let (host, port) = address.rsplit_once(':')?;
    let port: u16 = port.parse().ok().filter(|port| *port != 0)?;
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
    };
    let is_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        // Only a link-local address has a zone (`fe80::1%eth0`): the network interface through which it is reached. The
        // system resolves it.
        Some(address) => match address.split_once('%') {
            Some((address, zone)) => {
                is_name(zone) && address.parse().is_ok_and(|address: Ipv6Addr| address.is_unicast_link_local())
            }
            None => address.parse::<Ipv6Addr>().is_ok(),
        },
        None => is_name(host),
    };
    is_host.then(|| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    //! Defects that were measured in the X-Ray SDK for Python 2.15.0, and the test of the right behaviour here:
    //!
    //! * two spaces, capitals and IPv6 are not read as an address:
    //!   `addresses_of_every_form_are_read_and_others_refused`
    //! * a second port, or one that is too large, is read as an address: the same test
    //! * an empty address raises: `a_value_that_is_not_valid_is_reported_once_and_left_out`

    use super::*;

    fn read(variables: &[(&str, &str)]) -> (Environment, Vec<RejectedSetting>) {
        Environment::read(|name| variables.iter().find(|(set, _)| *set == name).map(|(_, value)| OsString::from(value)))
    }

    #[test]
    fn addresses_of_every_form_are_read_and_others_refused() {
        for both in ["127.0.0.1:2000", "localhost:2000", "xray-daemon.internal:3000", "[::1]:2000"] {
            assert_eq!(both.parse(), Ok(DaemonAddress { udp: both.to_owned(), tcp: both.to_owned() }), "{both}");
        }
        for (address, udp, tcp) in [
            ("tcp:1.1.1.1:3 udp:2.2.2.2:4", "2.2.2.2:4", "1.1.1.1:3"),
            ("udp:daemon:4 tcp:[::1]:3", "daemon:4", "[::1]:3"),
            ("UDP:[fe80::1%eth0]:4  TCP:daemon:3 ", "[fe80::1%eth0]:4", "daemon:3"),
        ] {
            assert_eq!(address.parse(), Ok(DaemonAddress { udp: udp.to_owned(), tcp: tcp.to_owned() }), "{address}");
        }
        for address in [
            "",
            "daemon",
            "192.168.0.1",
            ":2000",
            "daemon:",
            "daemon:0",
            "daemon:70000",
            "daemon:-1",
            "127.0.0.1:2000:9",
            "::1:2000",
            "[daemon]:2000",
            "[fe80::1%]:2000",
            "[fe80::1%a b]:2000",
            "[fe80::1%eth0%eth1]:2000",
            "[2001:db8::1%eth0]:2000",
            "fe80::1%eth0:2000",
            "a:1 b:2",
            "tcp:1.1.1.1:3",
            "tcp:a:1 tcp:b:2",
            "tcp:a:b udp:b:2",
            "http://daemon:2000",
            "d\u{e9}mon:2000",
            "a:1 b:2 c:3",
        ] {
            assert_eq!(address.parse::<DaemonAddress>(), Err(()), "{address}");
        }
    }

    #[test]
    fn every_variable_is_read() {
        let (environment, rejected) = read(&[
            ("AWS_XRAY_SDK_ENABLED", "False"),
            ("AWS_XRAY_TRACING_NAME", "todo-app"),
            ("AWS_XRAY_DAEMON_ADDRESS", "daemon:2000"),
            ("AWS_XRAY_CONTEXT_MISSING", "ignore_error"),
            ("AWS_XRAY_EMITTER", "UDP"),
            ("AWS_XRAY_PROPAGATION", "Both"),
            ("AWS_LAMBDA_FUNCTION_NAME", "todo-function"),
        ]);
        assert_eq!(environment.enabled, Some(false));
        assert_eq!(environment.service_name.as_deref(), Some("todo-app"));
        assert_eq!(environment.daemon_address.unwrap().udp, "daemon:2000");
        assert_eq!(environment.context_missing, Some(ContextMissing::IgnoreError));
        assert_eq!((environment.emitter, environment.propagation), (Some(EmitterChoice::Udp), Some(Propagation::Both)));
        assert!(environment.is_lambda);
        assert_eq!(rejected, []);
        for (value, expected) in [("xray", Propagation::XRay), (" W3C ", Propagation::W3c), ("both", Propagation::Both)]
        {
            assert_eq!(read(&[("AWS_XRAY_PROPAGATION", value)]).0.propagation, Some(expected));
        }
        assert!(read(&[("LAMBDA_TASK_ROOT", "/var/task")]).0.is_lambda);
        assert!(!read(&[("LAMBDA_TASK_ROOT", "")]).0.is_lambda);
    }

    #[test]
    fn the_variables_of_otlp_are_left_to_its_emitter() {
        let variables = [("AWS_XRAY_EMITTER", "otlp"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector")];
        let (environment, rejected) = read(&variables);
        assert_eq!((environment.emitter, rejected), (Some(EmitterChoice::Otlp), vec![]));
        assert_eq!(read(&variables[1..]), (Environment::default(), vec![]));
    }

    #[test]
    fn a_value_that_is_not_valid_is_reported_once_and_left_out() {
        let huge = "x".repeat(5_000_000);
        let names = [
            "AWS_XRAY_EMITTER",
            "AWS_XRAY_SDK_ENABLED",
            "AWS_XRAY_TRACING_NAME",
            "AWS_XRAY_DAEMON_ADDRESS",
            "AWS_XRAY_CONTEXT_MISSING",
        ];
        let (environment, rejected) = read(&names.map(|name| (name, "?")));
        assert_eq!(environment, Environment::default());
        assert_eq!(rejected.iter().map(|rejected| rejected.name).collect::<Vec<_>>(), names);
        for empty in ["", " "] {
            assert_eq!(read(&names.map(|name| (name, empty))), (Environment::default(), Vec::new()), "not set");
        }
        let (environment, rejected) = read(&[("AWS_XRAY_TRACING_NAME", "my<shop>!")]);
        assert_eq!(environment.service_name.as_deref(), Some("myshop"));
        assert!(rejected[0].to_string().ends_with("; \"myshop\" is used"), "{}", rejected[0]);
        let (_, rejected) = read(&[("AWS_XRAY_DAEMON_ADDRESS", &huge)]);
        assert!(rejected[0].to_string().len() < 300);
        assert_eq!(
            read(&[("AWS_XRAY_CONTEXT_MISSING", "SHOUT")]).1[0].to_string(),
            "AWS_XRAY_CONTEXT_MISSING is \"SHOUT\", expected LOG_ERROR, IGNORE_ERROR or RUNTIME_ERROR; \
             the value is ignored",
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_not_unicode_is_rejected() {
        use std::os::unix::ffi::OsStringExt as _;

        let (environment, rejected) =
            Environment::read(|name| (name == "AWS_XRAY_TRACING_NAME").then(|| OsString::from_vec(vec![0xff])));
        assert_eq!((environment, rejected.len()), (Environment::default(), 1));
    }
}
