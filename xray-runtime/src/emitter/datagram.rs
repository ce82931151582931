//! The datagrams of the daemon's protocol, and the sockets that send them.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// The header before each document. (Developer guide, "Sending segment documents to the X-Ray daemon".)
pub(crate) const DATAGRAM_HEADER: &[u8] = b"{\"format\":\"json\",\"version\":1}\n";

/// Returns a socket that is connected to the daemon.
//
// The socket is connected, because the system reports refusals only on a connected socket.
pub(crate) fn connect(address: SocketAddr) -> io::Result<UdpSocket> {
    // The local address must have the address family of the daemon's address.
    let any_port: SocketAddr = match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any_port)?;
    socket.connect(address)?;
    Ok(socket)
}
