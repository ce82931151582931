//! Forwards datagrams.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use super::Lost;

/// Forwards datagrams to another address. A datagram that cannot be sent at once is lost.
#[derive(Debug)]
pub(crate) struct ForwardedDatagrams {
    socket: UdpSocket,
    to: SocketAddr,
    lost: Lost,
}

impl ForwardedDatagrams {
    pub(crate) fn new(to: SocketAddr, lost: Lost) -> io::Result<Self> {
        let local: SocketAddr =
            if to.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
        let socket = UdpSocket::bind(local)?;
        // The thread that receives datagrams calls `send`, and must not block there.
        socket.set_nonblocking(true)?;
        socket.connect(to)?;
        Ok(Self { socket, to, lost })
    }

    pub(crate) fn send(&self, datagram: &[u8]) {
        let sent = match self.socket.send(datagram) {
            // The error belongs to an earlier datagram, which was lost because no program listened at the address.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                self.note(&error);
                self.socket.send(datagram)
            }
            sent => sent,
        };
        if let Err(error) = sent {
            self.note(&error);
        }
    }

    fn note(&self, error: &io::Error) {
        if self.lost.add() {
            log::warn!("cannot forward datagrams to {}: {error} (logged once)", self.to);
        }
    }
}
