//! Why a server did not start.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::{fmt, io};

/// Why a [`Server`](super::Server) did not start.
///
/// The message says what failed. [`source`](std::error::Error::source) says why, so print the whole chain.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The address does not have the form `HOST:PORT`, or its host cannot be resolved.
    Address {
        /// The address passed to [`ServerBuilder::address`](super::ServerBuilder::address).
        address: String,
        /// The error of parsing or resolving it.
        error: io::Error,
    },
    /// A socket could not be bound, for example because the port is in use.
    Bind {
        /// `UDP` or `TCP`.
        protocol: &'static str,
        /// The address of the socket.
        address: SocketAddr,
        /// The operating system's error.
        error: io::Error,
    },
    /// The rules file could not be read, or it contains an invalid rule.
    Rules {
        /// The path passed to [`ServerBuilder::rules_file`](super::ServerBuilder::rules_file).
        path: PathBuf,
        /// The error of reading the file, or the rule's error.
        error: io::Error,
    },
    /// The recording could not be opened for writing.
    Record {
        /// The path passed to [`ServerBuilder::record`](super::ServerBuilder::record).
        path: PathBuf,
        /// The operating system's error.
        error: io::Error,
    },
    /// The URL for forwarding spans cannot be used.
    Url {
        /// The URL passed to [`ServerBuilder::otlp_forward`](super::ServerBuilder::otlp_forward).
        url: String,
        /// The reason why the URL cannot be used.
        reason: &'static str,
    },
    /// The allowed host cannot be used.
    AllowedHost {
        /// The host passed to [`ServerBuilder::allow_host`](super::ServerBuilder::allow_host).
        host: String,
        /// The reason why the host cannot be used.
        reason: &'static str,
    },
    /// The operating system refused a thread or a socket operation.
    System(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { address, .. } => {
                write!(formatter, "cannot use {address:?}: an address is HOST:PORT, with a host that can be resolved")
            }
            Self::Bind { protocol, address, error } if error.kind() == io::ErrorKind::AddrInUse => write!(
                formatter,
                "{protocol} {address} is already in use, probably by an X-Ray daemon or another xray-local: stop that \
                 program or choose another address"
            ),
            Self::Bind { protocol, address, .. } => write!(formatter, "cannot bind {protocol} {address}"),
            Self::Rules { path, .. } => write!(formatter, "cannot use the rules file {}", path.display()),
            Self::Record { path, .. } => write!(formatter, "cannot record documents in {}", path.display()),
            Self::Url { url, reason } => write!(formatter, "cannot forward spans to {url:?}: {reason}"),
            Self::AllowedHost { host, reason } => write!(formatter, "cannot allow the host {host:?}: {reason}"),
            Self::System(_) => formatter.write_str("the operating system refused a thread or a socket operation"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Address { error, .. }
            | Self::Bind { error, .. }
            | Self::Rules { error, .. }
            | Self::Record { error, .. }
            | Self::System(error) => Some(error),
            Self::Url { .. } | Self::AllowedHost { .. } => None,
        }
    }
}

impl From<io::Error> for StartError {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}
