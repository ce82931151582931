//! Recognizes addresses that lead back to this server. A server that forwards to itself repeats each datagram or
//! request without end.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Returns whether a socket that is bound to `bound` receives what this machine sends to `to`.
pub(crate) fn leads_to(bound: SocketAddr, to: SocketAddr) -> bool {
    if bound.port() != to.port() {
        return false;
    }
    // An unspecified address as a destination is the loopback interface on Linux and macOS.
    let destination = match to.ip().to_canonical() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    match bound.ip().to_canonical() {
        // A socket that is bound to `[::]` also receives from IPv4 on most systems.
        ip if ip.is_unspecified() => destination.is_loopback() || is_of_this_machine(to),
        ip => ip == destination,
    }
}

/// Returns whether an IP address belongs to an interface of this machine. Only to such an address can a socket be
/// bound.
fn is_of_this_machine(mut address: SocketAddr) -> bool {
    address.set_port(0);
    UdpSocket::bind(address).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_leads_to_the_server_if_its_socket_receives_there() {
        for (bound, to, leads) in [
            ("127.0.0.1:2000", "127.0.0.1:2000", true),
            ("127.0.0.1:2000", "127.0.0.1:2001", false),
            ("127.0.0.1:2000", "127.0.0.2:2000", false),
            ("127.0.0.1:2000", "[::ffff:127.0.0.1]:2000", true),
            ("127.0.0.1:2000", "0.0.0.0:2000", true),
            ("[::1]:2000", "[::]:2000", true),
            ("[::1]:2000", "127.0.0.1:2000", false),
            ("0.0.0.0:2000", "0.0.0.0:2000", true),
            ("0.0.0.0:2000", "127.0.0.2:2000", true),
            ("0.0.0.0:2000", "127.0.0.2:2001", false),
            ("[::]:2000", "127.0.0.1:2000", true),
            ("[::]:2000", "[::1]:2000", true),
            ("[::]:2000", "[::ffff:127.0.0.1]:2000", true),
            // Addresses for documentation, which no interface has.
            ("0.0.0.0:2000", "192.0.2.1:2000", false),
            ("[::]:2000", "192.0.2.1:2000", false),
            ("[::]:2000", "[2001:db8::1]:2000", false),
        ] {
            assert_eq!(leads_to(bound.parse().unwrap(), to.parse().unwrap()), leads, "{bound} {to}");
        }
    }

    /// The address from which this machine sends to others is one of its own.
    #[test]
    fn the_addresses_of_all_interfaces_lead_to_a_server_on_all_interfaces() {
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        if socket.connect("192.0.2.1:9").is_err() {
            println!("skipped: there is no network");
            return;
        }
        let own = SocketAddr::new(socket.local_addr().unwrap().ip(), 2000);
        assert!(leads_to("0.0.0.0:2000".parse().unwrap(), own), "{own}");
    }
}
