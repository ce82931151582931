//! The look-up of a host's name.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::{io, thread};

use tokio::sync::oneshot;

/// Looks up the addresses of `host:port`. The host is a name, an IPv4 address, or an IPv6 address in brackets, which
/// may have a zone: `[fe80::1%eth0]:2000`.
//
// On a thread of its own rather than by tokio's `lookup_host`: tokio panics if it cannot start the thread for it, and
// the panic hook of the program would run. An address needs no look-up and no thread.
pub(crate) async fn resolve(address: &str) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = address.parse() {
        return Ok(vec![address]);
    }
    let (sender, found) = oneshot::channel();
    let address = address.to_owned();
    let look_up = move || drop(sender.send(resolve_blocking(&address)));
    thread::Builder::new().name("xray-resolver".to_owned()).spawn(look_up)?;
    found.await.unwrap_or_else(|_| Err(io::Error::other("the look-up gave no result")))
}

/// Like [`resolve`], but blocks this thread. The look-up of a name has no limit in the standard library.
pub(crate) fn resolve_blocking(address: &str) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = address.parse() {
        return Ok(vec![address]);
    }
    // A zone is a name or number of an interface, which the system resolves. The system expects the address without
    // brackets.
    let zoned = address.strip_prefix('[').and_then(|address| address.split_once("]:"));
    let found: Vec<_> = match zoned {
        Some((host, port)) => {
            let port: u16 = port.parse().map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
            (host, port).to_socket_addrs()?.collect()
        }
        None => address.to_socket_addrs()?.collect(),
    };
    if found.is_empty() { Err(io::ErrorKind::AddrNotAvailable.into()) } else { Ok(found) }
}

/// Returns `host:port` as the `Host` header of a request: without a zone, which means nothing to another host.
pub(crate) fn without_zone(address: &str) -> String {
    match (address.find('%'), address.find(']')) {
        (Some(zone), Some(end)) if zone < end => format!("{}{}", &address[..zone], &address[end..]),
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_names_are_resolved() {
        assert_eq!(resolve_blocking("127.0.0.1:7").unwrap(), ["127.0.0.1:7".parse().unwrap()]);
        assert_eq!(resolve_blocking("[::1]:7").unwrap(), ["[::1]:7".parse().unwrap()]);
        assert!(resolve_blocking("localhost:7").unwrap().iter().all(|found| found.ip().is_loopback()));
        assert!(resolve_blocking("name.invalid:7").is_err());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_zone_of_an_address_is_resolved() {
        let [SocketAddr::V6(found)] = resolve_blocking("[fe80::1%lo]:7").unwrap()[..] else { panic!() };
        assert_eq!((found.ip().to_string().as_str(), found.port()), ("fe80::1", 7));
        assert_ne!(found.scope_id(), 0, "the number of the interface");
        assert!(resolve_blocking("[fe80::1%no-such-interface]:7").is_err());
    }

    #[tokio::test]
    async fn a_name_is_resolved_on_another_thread() {
        assert!(!resolve("localhost:7").await.unwrap().is_empty());
        assert!(resolve("name.invalid:7").await.is_err());
    }

    #[test]
    fn another_host_is_not_told_a_zone() {
        assert_eq!(without_zone("[fe80::1%eth0]:2000"), "[fe80::1]:2000");
        assert_eq!(without_zone("[::1]:7%"), "[::1]:7%", "not an address with a zone");
        assert_eq!([without_zone("[::1]:7"), without_zone("a:7")], ["[::1]:7", "a:7"]);
    }
}
