//! The two sockets of one address: UDP for documents, TCP for the API and the console.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs as _, UdpSocket};

use socket2::{Domain, Socket, Type};

use super::StartError;

/// What the receive buffer of the kernel is to hold, if the system allows it; beyond that, bursts are lost unseen.
const RECEIVE_BUFFER: usize = 16 * 1024 * 1024;

/// So often a pair of free ports is looked for.
const ATTEMPTS: usize = 64;

/// Both sockets, on the same port. With port 0 that is one that is free for both.
pub(super) fn bind(address: &str) -> Result<(UdpSocket, TcpListener), StartError> {
    let of_address = |error| StartError::Address { address: address.to_owned(), error };
    let resolved = address.to_socket_addrs().map_err(of_address)?.next();
    let wanted = resolved.ok_or_else(|| of_address(io::Error::other("it names no address")))?;
    // Kept until the end, so that the next attempt gets another port.
    let mut tried = Vec::new();
    loop {
        let udp = bind_udp(wanted).map_err(|error| StartError::Bind { protocol: "UDP", address: wanted, error })?;
        let address = udp.local_addr().map_err(of_address)?;
        match TcpListener::bind(address) {
            Ok(tcp) => return Ok((udp, tcp)),
            Err(_) if wanted.port() == 0 && tried.len() < ATTEMPTS => tried.push(udp),
            Err(error) => return Err(StartError::Bind { protocol: "TCP", address, error }),
        }
    }
}

fn bind_udp(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None)?;
    // The system may give less, which is no error.
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
    socket.bind(&address.into())?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_port_is_the_same_for_both() {
        let pairs: Vec<_> = (0..20).map(|_| bind("127.0.0.1:0").unwrap()).collect();
        for (udp, tcp) in &pairs {
            assert_eq!(udp.local_addr().unwrap(), tcp.local_addr().unwrap());
        }
    }

    #[test]
    fn a_port_that_is_taken_is_named_with_its_protocol() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap().to_string();
        let message = bind(&address).unwrap_err().to_string();
        assert!(message.contains("TCP") && message.contains(&address), "{message}");
        let (udp, _tcp) = bind("127.0.0.1:0").unwrap();
        let address = udp.local_addr().unwrap().to_string();
        assert!(bind(&address).unwrap_err().to_string().contains("UDP"));
    }

    #[test]
    fn an_address_that_is_none_is_named() {
        for address in ["2000", "nowhere.invalid:2000", "127.0.0.1:99999", ""] {
            let error = bind(address).unwrap_err();
            assert!(matches!(&error, StartError::Address { .. }), "{error}");
            assert!(error.to_string().contains(&format!("{address:?}")), "{error}");
        }
    }
}
