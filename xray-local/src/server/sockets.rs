//! The two sockets of a server, at one address: UDP for documents, TCP for the API and the console.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs as _, UdpSocket};

use socket2::{Domain, Socket, Type};

use super::StartError;

/// The receive buffer requested from the kernel, in bytes. A burst that overflows this buffer is lost without a trace.
const RECEIVE_BUFFER: usize = 16 * 1024 * 1024;

/// How many free UDP ports are tried for one whose TCP port is free too.
const ATTEMPTS: usize = 64;

/// Binds both sockets to the same port. With port 0, finds a port that is free for both.
pub(super) fn bind(address: &str) -> Result<(UdpSocket, TcpListener), StartError> {
    let wanted = resolved(address)?;
    // Rejected sockets stay bound until the end, so that the kernel does not hand out the same port again.
    let mut tried = Vec::new();
    loop {
        let udp = bind_udp(wanted).map_err(|error| StartError::Bind { protocol: "UDP", address: wanted, error })?;
        let address = udp.local_addr()?;
        match TcpListener::bind(address) {
            Ok(tcp) => return Ok((udp, tcp)),
            Err(_) if wanted.port() == 0 && tried.len() < ATTEMPTS => tried.push(udp),
            Err(error) => return Err(StartError::Bind { protocol: "TCP", address, error }),
        }
    }
}

/// Binds an additional TCP socket.
pub(super) fn bind_tcp(address: &str) -> Result<TcpListener, StartError> {
    let address = resolved(address)?;
    TcpListener::bind(address).map_err(|error| StartError::Bind { protocol: "TCP", address, error })
}

pub(super) fn resolved(address: &str) -> Result<SocketAddr, StartError> {
    let invalid = |error| StartError::Address { address: address.to_owned(), error };
    let resolved = address.to_socket_addrs().map_err(invalid)?.next();
    resolved.ok_or_else(|| invalid(io::Error::other("the host name resolves to no address")))
}

fn bind_udp(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None)?;
    // The kernel may grant a smaller buffer. The server works with less, so errors are ignored.
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
    socket.bind(&address.into())?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_port_0_both_sockets_get_the_same_port() {
        let pairs: Vec<_> = (0..20).map(|_| bind("127.0.0.1:0").unwrap()).collect();
        for (udp, tcp) in &pairs {
            assert_eq!(udp.local_addr().unwrap(), tcp.local_addr().unwrap());
        }
    }

    #[test]
    fn an_error_for_a_port_in_use_names_protocol_and_address() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap().to_string();
        let message = bind(&address).unwrap_err().to_string();
        assert!(message.contains("TCP") && message.contains(&address), "{message}");
        let (udp, _tcp) = bind("127.0.0.1:0").unwrap();
        let address = udp.local_addr().unwrap().to_string();
        assert!(bind(&address).unwrap_err().to_string().contains("UDP"));
    }

    #[test]
    fn an_error_for_an_invalid_address_quotes_it() {
        for address in ["2000", "nowhere.invalid:2000", "127.0.0.1:99999", ""] {
            let error = bind(address).unwrap_err();
            assert!(matches!(&error, StartError::Address { .. }), "{error}");
            assert!(error.to_string().contains(&format!("{address:?}")), "{error}");
        }
    }
}
