//! The address of the running `xray-local` that a command asks, and the variable that tells programs where the daemon
//! is.

use std::env;
use std::net::Ipv6Addr;

/// The variable from which X-Ray SDKs take the address of the daemon.
const VARIABLE: &str = "AWS_XRAY_DAEMON_ADDRESS";

const DEFAULT: &str = "127.0.0.1:2000";

/// The address of a running `xray-local`.
pub(crate) struct Address {
    /// The host and the port.
    pub(crate) text: String,
    /// Where the address comes from, for messages. Empty if it was given as an option.
    pub(crate) origin: &'static str,
}

impl Address {
    /// Returns the address that was given as an option. Without it, returns the address in the variable, or else the
    /// default.
    ///
    /// # Errors
    ///
    /// If the variable has no address. Another `xray-local` than the expected one would answer if the default were
    /// used.
    pub(crate) fn of(given: Option<String>) -> Result<Self, String> {
        if let Some(text) = given {
            return Ok(Self { text, origin: "" });
        }
        let Some(set) = variable() else { return Ok(Self { text: DEFAULT.to_owned(), origin: ", the default" }) };
        let Some(daemon) = DaemonAddress::parse(&set) else {
            return Err(format!(
                "{VARIABLE} is {set:?}, which is not an address: set it to HOST:PORT or tcp:HOST:PORT udp:HOST:PORT, or use \
                 --address"
            ));
        };
        Ok(Self { text: daemon.tcp.to_owned(), origin: ", the address in AWS_XRAY_DAEMON_ADDRESS" })
    }
}

/// Returns a warning if the variable leads programs and commands to another port than that of the server that starts.
///
/// Hosts are not compared: one machine has many names, and looking them up takes time.
pub(crate) fn warning(port: u16) -> Option<String> {
    let set = variable()?;
    let daemon = DaemonAddress::parse(&set)?;
    let is_other = |address: &str| port_of(address) != Some(port);
    (is_other(daemon.udp) || is_other(daemon.tcp)).then(|| {
        format!(
            "{VARIABLE} is {set} here, so programs and commands that are started from this shell do not use this \
             xray-local; to listen at another address, use --address"
        )
    })
}

/// Returns the value of the variable, unless it is empty.
fn variable() -> Option<String> {
    let value = env::var_os(VARIABLE)?.to_string_lossy().trim().to_owned();
    (!value.is_empty()).then_some(value)
}

/// The addresses in the variable, in the forms that X-Ray SDKs read: `host:port` for both, or
/// `tcp:host:port udp:host:port`.
#[derive(Debug, PartialEq, Eq)]
struct DaemonAddress<'a> {
    udp: &'a str,
    tcp: &'a str,
}

impl<'a> DaemonAddress<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let parts: Vec<&str> = text.split_ascii_whitespace().collect();
        let (udp, tcp) = match parts[..] {
            [both] => (both, both),
            [first, second] => match (protocol(first)?, protocol(second)?) {
                (("tcp", tcp), ("udp", udp)) | (("udp", udp), ("tcp", tcp)) => (udp, tcp),
                _ => return None,
            },
            _ => return None,
        };
        (is_address(udp) && is_address(tcp)).then_some(Self { udp, tcp })
    }
}

/// Splits `udp:host:port` into `udp` and `host:port`. The protocol may be in letters of either case.
fn protocol(part: &str) -> Option<(&'static str, &str)> {
    let (name, address) = part.split_once(':')?;
    ["tcp", "udp"].into_iter().find(|known| name.eq_ignore_ascii_case(known)).map(|known| (known, address))
}

/// Returns whether a text is a host and a port. An IPv6 address has brackets.
fn is_address(text: &str) -> bool {
    let is_name = |host: &str| !host.is_empty() && !host.contains([':', '/', '@', '[', ']']);
    let host = text.rsplit_once(':').map_or("", |(host, _)| host);
    let is_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        // A link-local address has a zone: `fe80::1%eth0`.
        Some(address) => address.split('%').next().is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()),
        None => is_name(host),
    };
    is_host && port_of(text).is_some()
}

fn port_of(address: &str) -> Option<u16> {
    address.rsplit_once(':')?.1.parse().ok().filter(|port| *port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_the_variable_are_read_and_others_refused() {
        for (text, udp, tcp) in [
            ("localhost:3000", "localhost:3000", "localhost:3000"),
            ("[::1]:3000", "[::1]:3000", "[::1]:3000"),
            ("tcp:1.1.1.1:3 udp:2.2.2.2:4", "2.2.2.2:4", "1.1.1.1:3"),
            ("UDP:daemon:4  TCP:[fe80::1%eth0]:3", "daemon:4", "[fe80::1%eth0]:3"),
        ] {
            assert_eq!(DaemonAddress::parse(text), Some(DaemonAddress { udp, tcp }), "{text}");
        }
        let wrong = ["daemon", ":2000", "daemon:", "daemon:0", "daemon:70000", "::1:2000", "[daemon]:2000", "a:1 b:2"];
        let wrong = wrong.into_iter().chain(["tcp:a:1", "tcp:a:1 tcp:b:2", "http://daemon:2000", "a:1 b:2 c:3"]);
        for text in wrong {
            assert_eq!(DaemonAddress::parse(text), None, "{text}");
        }
    }
}
