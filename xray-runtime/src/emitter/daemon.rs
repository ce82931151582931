//! The connection to the X-Ray daemon over UDP.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio::task::JoinSet;

use super::datagram;
use crate::support::resolve::resolve;

/// The daemon's address and the connection to it.
pub(super) struct Daemon<'a> {
    address: &'a str,
    connection: Option<Connection>,
    /// When the address was last resolved, with or without success.
    resolved: Option<Instant>,
    /// `true` if the last attempt could not resolve the name.
    is_unresolved: bool,
    /// The attempt that renews the connection, while documents leave through the old one.
    renewal: JoinSet<Result<Connection, SendError>>,
}

/// A socket that is connected to one of the daemon's addresses.
struct Connection {
    socket: UdpSocket,
    peer: SocketAddr,
    /// The other addresses of the name, in the order in which they will be tried.
    others: VecDeque<SocketAddr>,
}

/// A datagram that the operating system has taken.
#[derive(Debug)]
pub(super) struct Sent {
    /// `true` if the system reported that the daemon's port refused an earlier datagram.
    pub(super) was_earlier_refused: bool,
}

/// The reason why a datagram was not sent.
#[derive(Debug)]
pub(super) enum SendError {
    /// The host of the daemon reported that nobody listens on the port.
    Refused,
    /// The operating system does not send datagrams of this length.
    TooLong,
    /// The name of the daemon's host does not resolve.
    Unresolved(io::Error),
    /// Another error of the operating system.
    Failed(io::Error),
}

impl<'a> Daemon<'a> {
    /// A daemon that runs as a side-car may have another address after a restart.
    const RESOLVE_EVERY: Duration = Duration::from_secs(60);
    /// The pause between attempts as long as the name does not resolve: a look-up for each document would load the name
    /// server.
    const RETRY_EVERY: Duration = Duration::from_secs(1);

    pub(super) fn new(address: &'a str) -> Self {
        Self { address, connection: None, resolved: None, is_unresolved: false, renewal: JoinSet::new() }
    }

    /// Sends a datagram. Returns an error if the system reported that the daemon's port refused it.
    ///
    /// After a refusal, sends the datagram to the next address of the daemon's name, and stays with that address:
    /// `localhost` is often `::1` and then `127.0.0.1`, and the daemon listens on the second.
    pub(super) async fn send(&mut self, datagram: &[u8]) -> Result<Sent, SendError> {
        let connection = self.connection().await?;
        let mut was_earlier_refused = false;
        for untried in (0..=connection.others.len()).rev() {
            let sent = connection.send(datagram).await;
            // From another host, the refusal of this datagram would arrive later.
            let is_refused = match &sent {
                Ok(sent) => sent.was_earlier_refused && !connection.is_loopback(),
                Err(error) => matches!(error, SendError::Refused),
            };
            was_earlier_refused |= sent.as_ref().is_ok_and(|sent| sent.was_earlier_refused);
            if !is_refused || untried == 0 {
                return sent.map(|_| Sent { was_earlier_refused });
            }
            connection.move_on();
        }
        Err(SendError::Refused)
    }

    /// Returns whether the daemon is on this host.
    pub(super) fn is_loopback(&self) -> bool {
        self.connection.as_ref().is_some_and(Connection::is_loopback)
    }

    /// Returns the connection, resolving the address and connecting if that is due.
    ///
    /// Waits for the first attempt to connect: until then the documents wait in the queue. If the attempt fails,
    /// returns an error for each document until the next attempt. Once there is a connection, the next one is made in
    /// the background, because a name server may take long to answer.
    async fn connection(&mut self) -> Result<&mut Connection, SendError> {
        // A renewal that failed keeps the old connection: a name server that is away for a minute does not mean that
        // the daemon is.
        if let Some(Ok(Ok(connection))) = self.renewal.try_join_next() {
            self.connection = Some(connection);
        }
        let age = self.resolved.map(|resolved| resolved.elapsed());
        let is_due = age
            .is_none_or(|age| age >= if self.connection.is_some() { Self::RESOLVE_EVERY } else { Self::RETRY_EVERY });
        if is_due && self.renewal.is_empty() {
            self.resolved = Some(Instant::now());
            if let Some(connection) = &self.connection {
                self.renewal.spawn(connect(self.address.to_owned(), Some(connection.peer)));
            } else {
                match connect(self.address.to_owned(), None).await {
                    Ok(connection) => self.connection = Some(connection),
                    Err(error) => {
                        self.is_unresolved = matches!(error, SendError::Unresolved(_));
                        return Err(error);
                    }
                }
            }
        }
        let is_unresolved = self.is_unresolved;
        self.connection.as_mut().ok_or_else(|| {
            let error = io::ErrorKind::AddrNotAvailable.into();
            if is_unresolved { SendError::Unresolved(error) } else { SendError::Failed(error) }
        })
    }
}

/// Resolves the address and connects to the first result that accepts a socket. Prefers the address `current`, which
/// takes documents.
async fn connect(address: String, current: Option<SocketAddr>) -> Result<Connection, SendError> {
    let mut addresses = VecDeque::from(resolve(&address).await.map_err(SendError::Unresolved)?);
    prefer(&mut addresses, current);
    Connection::to_first(addresses).map_err(SendError::Failed)
}

/// Moves the address `current` to the front, if the name still has it.
fn prefer(addresses: &mut VecDeque<SocketAddr>, current: Option<SocketAddr>) {
    if let Some(at) = addresses.iter().position(|address| Some(*address) == current) {
        addresses.rotate_left(at);
    }
}

impl SendError {
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Refused => "the host refuses them, so no daemon listens on the port".to_owned(),
            Self::Unresolved(error) => format!("the name does not resolve ({error})"),
            Self::TooLong => "the system does not send datagrams of this length".to_owned(),
            Self::Failed(error) => format!("they cannot be sent ({error})"),
        }
    }

    pub(super) fn remedy(&self) -> &'static str {
        match self {
            Self::Refused => {
                "Start the daemon or `xray-local` there, or set AWS_XRAY_DAEMON_ADDRESS; in a container, 127.0.0.1 is the \
                 container itself"
            }
            Self::Unresolved(_) => {
                "Correct the host in AWS_XRAY_DAEMON_ADDRESS, or the names that the program can resolve"
            }
            Self::Failed(_) | Self::TooLong => "Check AWS_XRAY_DAEMON_ADDRESS and the network of the program",
        }
    }
}

impl Connection {
    /// Connects to the first address that accepts a socket.
    fn to_first(mut addresses: VecDeque<SocketAddr>) -> io::Result<Self> {
        let mut last_error = io::ErrorKind::AddrNotAvailable.into();
        for _ in 0..addresses.len() {
            let Some(peer) = addresses.pop_front() else { break };
            match connect_to(peer) {
                Ok(socket) => return Ok(Self { socket, peer, others: addresses }),
                Err(error) => last_error = error,
            }
            addresses.push_back(peer);
        }
        Err(last_error)
    }

    /// Connects to the next address that accepts a socket. The current address becomes the last.
    fn move_on(&mut self) {
        let mut addresses = self.others.clone();
        addresses.push_back(self.peer);
        if let Ok(next) = Self::to_first(addresses) {
            *self = next;
        }
    }

    async fn send(&self, datagram: &[u8]) -> Result<Sent, SendError> {
        let is_too_long = |error: &io::Error| error.raw_os_error() == Some(MESSAGE_TOO_LONG);
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::ConnectionRefused => SendError::Refused,
            _ => SendError::Failed(error),
        };
        let mut was_earlier_refused = false;
        match self.socket.send(datagram).await {
            // On a connected socket the kernel reports a refusal (ICMP "port unreachable") at the next operation. So
            // this error is about an earlier datagram, and this one was not sent: send it again.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                was_earlier_refused = true;
                self.socket.send(datagram).await.map_err(failed)?
            }
            // This error too may be about an earlier datagram, which was too long for a link on the way; the system
            // sends later ones in fragments. If the error is about this datagram, the second attempt fails too.
            Err(error) if is_too_long(&error) => {
                let too_long = |error| if is_too_long(&error) { SendError::TooLong } else { failed(error) };
                self.socket.send(datagram).await.map_err(too_long)?
            }
            sent => sent.map_err(failed)?,
        };
        // Over the loopback interface the refusal of this datagram is already here, and can be counted to it.
        match self.socket.take_error().map_err(failed)? {
            Some(error) => Err(failed(error)),
            None => Ok(Sent { was_earlier_refused }),
        }
    }

    fn is_loopback(&self) -> bool {
        self.peer.ip().is_loopback()
    }
}

/// The number of the error `EMSGSIZE`, for which the standard library has no name.
const MESSAGE_TOO_LONG: i32 = if cfg!(windows) {
    10_040
} else if cfg!(any(target_os = "linux", target_os = "android")) {
    90
} else {
    40
};

fn connect_to(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = datagram::connect(address)?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[tokio::test]
    async fn a_host_name_is_not_resolved_for_each_datagram() {
        let listener = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = format!("localhost:{}", listener.local_addr().unwrap().port());
        let mut daemon = Daemon::new(&address);
        let mut resolved = Vec::new();
        for _ in 0..3 {
            daemon.connection().await.unwrap();
            resolved.push(daemon.resolved);
        }
        assert!(resolved[0].is_some() && resolved.iter().all(|at| *at == resolved[0]));
        // A minute later the name is resolved again, and documents leave through the old socket meanwhile.
        let local = daemon.connection().await.unwrap().socket.local_addr().unwrap();
        daemon.resolved = resolved[0].and_then(|at| at.checked_sub(Daemon::RESOLVE_EVERY));
        assert_eq!(daemon.connection().await.unwrap().socket.local_addr().unwrap(), local);
        assert!(daemon.resolved > resolved[0] && daemon.renewal.len() == 1);
        while daemon.connection().await.unwrap().socket.local_addr().unwrap() == local {
            tokio::task::yield_now().await;
        }
        assert!(daemon.renewal.is_empty());
    }

    /// The look-up that renews the socket gives no answer, and another one is due.
    #[tokio::test]
    async fn documents_leave_while_a_look_up_hangs() {
        let listener = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut daemon = Daemon::new(&address);
        daemon.send(b"first").await.unwrap();
        daemon.renewal.spawn(std::future::pending());
        daemon.resolved = Instant::now().checked_sub(Daemon::RESOLVE_EVERY);
        daemon.send(b"second").await.unwrap();
        for expected in [&b"first"[..], b"second"] {
            let mut datagram = [0; 10];
            let length = listener.recv(&mut datagram).await.unwrap();
            assert_eq!(&datagram[..length], expected);
        }
        assert_eq!(daemon.renewal.len(), 1, "one look-up at a time");
    }

    /// Makes a socket refuse all datagrams, as if nobody listened: its only peer is itself. The port stays taken, so no
    /// other test listens there.
    async fn refuse(socket: &UdpSocket) -> SocketAddr {
        let address = socket.local_addr().unwrap();
        socket.connect(address).await.unwrap();
        address
    }

    #[tokio::test]
    async fn a_datagram_that_is_refused_is_sent_to_the_next_address() {
        let bind = || UdpSocket::bind((Ipv4Addr::LOCALHOST, 0));
        let [first, second, listener] = [bind().await, bind().await, bind().await].map(Result::unwrap);
        let listening = listener.local_addr().unwrap();
        let addresses = VecDeque::from([refuse(&first).await, refuse(&second).await, listening]);
        let mut daemon = Daemon::new("daemon.invalid:2000");
        daemon.connection = Some(Connection::to_first(addresses).unwrap());
        daemon.resolved = Some(Instant::now());
        for sent in [&b"first"[..], b"second"] {
            daemon.send(sent).await.unwrap();
            let mut datagram = [0; 10];
            let length = listener.recv(&mut datagram).await.unwrap();
            assert_eq!(&datagram[..length], sent);
            assert_eq!(daemon.connection.as_ref().unwrap().peer, listening, "it stays with that address");
        }
        refuse(&listener).await;
        assert!(matches!(daemon.send(b"third").await, Err(SendError::Refused)));
        assert_eq!(daemon.connection.as_ref().unwrap().others.len(), 2, "no address is lost");
    }

    #[tokio::test]
    async fn a_renewed_connection_keeps_the_address_that_takes_documents() {
        let resolved = resolve("localhost:7").await.unwrap();
        for current in &resolved {
            let connection = connect("localhost:7".to_owned(), Some(*current)).await.unwrap();
            assert_eq!((connection.peer, connection.others.len()), (*current, resolved.len() - 1));
        }
        // The name may have only one address on this machine.
        let of = |hosts: [u8; 3]| VecDeque::from(hosts.map(|host| SocketAddr::from(([127, 0, 0, host], 7))));
        for (current, expected) in [(1, [1, 2, 3]), (3, [3, 1, 2]), (4, [1, 2, 3])] {
            let mut addresses = of([1, 2, 3]);
            prefer(&mut addresses, Some(([127, 0, 0, current], 7).into()));
            assert_eq!(addresses, of(expected), "{current}");
        }
    }

    /// The address 0.0.0.0 stands for a daemon on another host. Unix connects it to this host, but the address is not a
    /// loopback address.
    #[cfg(unix)]
    #[tokio::test]
    async fn a_refusal_that_comes_late_is_about_an_earlier_datagram() {
        let [first, next] = [(); 2].map(|()| std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
        for listener in [&first, &next] {
            listener.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        }
        let next_address = next.local_addr().unwrap();
        for (host, is_loopback) in [(Ipv4Addr::LOCALHOST, true), (Ipv4Addr::UNSPECIFIED, false)] {
            let peer = SocketAddr::from((host, first.local_addr().unwrap().port()));
            let connection = Connection::to_first(VecDeque::from([peer, next_address])).unwrap();
            // A listener that is connected to another peer refuses this datagram.
            first.connect(next_address).unwrap();
            connection.socket.send(b"refused").await.unwrap();
            first.connect(connection.socket.local_addr().unwrap()).unwrap();
            let mut daemon = Daemon::new("daemon.invalid:2000");
            (daemon.connection, daemon.resolved) = (Some(connection), Some(Instant::now()));
            assert_eq!(daemon.is_loopback(), is_loopback);
            let sent = [daemon.send(b"second").await.unwrap(), daemon.send(b"third").await.unwrap()];
            assert_eq!(sent.map(|sent| sent.was_earlier_refused), [true, false]);
            // On this host, a refusal of the second datagram would be known by now. From another host it may still
            // come, so the next address is used.
            let (used, listener) = if is_loopback { (peer, &first) } else { (next_address, &next) };
            assert_eq!(daemon.connection.as_ref().unwrap().peer, used);
            for expected in [&b"second"[..], b"third"] {
                let mut datagram = [0; 10];
                let length = listener.recv(&mut datagram).unwrap();
                assert_eq!(&datagram[..length], expected);
            }
        }
    }

    #[tokio::test]
    async fn a_datagram_that_no_system_sends_is_too_long() {
        let listener = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut daemon = Daemon::new(&address);
        assert!(matches!(daemon.send(&vec![0; 65_536]).await, Err(SendError::TooLong)));
        assert!(daemon.send(b"short").await.is_ok());
    }
}
