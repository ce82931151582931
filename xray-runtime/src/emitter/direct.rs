//! A socket that sends documents on the thread that ends their segment.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Mutex;

use super::datagram::{self, DATAGRAM_HEADER};
use super::pace::Pace;
use crate::record::FinishedSegment;
use crate::record::split::MAX_DOCUMENT_BYTES;
use crate::support::lock::lock;
use crate::support::process::PerProcess;

/// Sends documents to the daemon without a background thread.
///
/// In Lambda, the end of a subsegment must not return before its document has left. A small function has a fraction of
/// a processor: a background thread that is to send the document may get its turn a tenth of a second later, and until
/// then the end would block a thread of the program's executor.
///
/// Sends only what needs no wait: a document that fits into a datagram, at a moment when the socket takes it and the
/// [`Pace`] allows it. Returns every other document, which is then for the background thread.
pub(super) struct Direct {
    sockets: PerProcess<Option<Mutex<ProcessSocket>>>,
}

/// The socket of one process.
struct ProcessSocket {
    socket: UdpSocket,
    pace: Pace,
    /// The datagram of the last document. The header stays, and the next document replaces the rest.
    datagram: Vec<u8>,
}

impl Direct {
    /// Creates a socket for `daemon_address`. If the address has a name, which only a look-up can resolve, all
    /// documents are returned.
    pub(super) fn new(daemon_address: &str) -> Self {
        let address = daemon_address.parse().ok();
        Self { sockets: PerProcess::new(move || Some(Mutex::new(ProcessSocket::connect(address?).ok()?))) }
    }

    /// Sends a document. Returns the document if it was not sent.
    pub(super) fn send(&self, segment: FinishedSegment) -> Result<(), FinishedSegment> {
        let Some(socket) = self.sockets.get() else { return Err(segment) };
        // After a panic the buffer may hold a part of a document, which the next document replaces.
        let mut socket = lock(socket);
        if socket.send(&segment) { Ok(()) } else { Err(segment) }
    }
}

impl ProcessSocket {
    fn connect(address: SocketAddr) -> io::Result<Self> {
        let socket = datagram::connect(address)?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket, pace: Pace::new(), datagram: DATAGRAM_HEADER.to_vec() })
    }

    fn send(&mut self, segment: &FinishedSegment) -> bool {
        self.datagram.truncate(DATAGRAM_HEADER.len());
        segment.write_json(&mut self.datagram);
        self.datagram.len() - DATAGRAM_HEADER.len() <= MAX_DOCUMENT_BYTES
            && self.pace.allows(self.datagram.len())
            && self.socket.send(&self.datagram).is_ok()
            // Over the loopback interface, the daemon's refusal of this datagram is already here.
            && matches!(self.socket.take_error(), Ok(None))
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::document::Document;
    use crate::id::SegmentId;

    fn document(name: &str) -> FinishedSegment {
        Document::new(SegmentId::random(), name.to_owned(), 1.0).into()
    }

    #[test]
    fn a_document_arrives_before_send_returns() {
        let daemon = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        daemon.set_nonblocking(true).unwrap();
        let direct = Direct::new(&daemon.local_addr().unwrap().to_string());
        for name in ["first", "second"] {
            direct.send(document(name)).unwrap();
            let mut datagram = [0; 1000];
            let length = daemon.recv(&mut datagram).unwrap();
            let json = datagram[..length].strip_prefix(DATAGRAM_HEADER).unwrap();
            assert_eq!(serde_json::from_slice::<Document>(json).unwrap().name, name);
        }
    }

    #[test]
    fn the_largest_document_is_sent() {
        let daemon = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let direct = Direct::new(&daemon.local_addr().unwrap().to_string());
        let mut empty = Vec::new();
        document("").write_json(&mut empty);
        let name = "x".repeat(MAX_DOCUMENT_BYTES - empty.len());
        assert!(direct.send(document(&(name.clone() + "x"))).is_err());
        direct.send(document(&name)).unwrap();
        let mut datagram = vec![0; 2 * MAX_DOCUMENT_BYTES];
        assert_eq!(daemon.recv(&mut datagram).unwrap(), DATAGRAM_HEADER.len() + MAX_DOCUMENT_BYTES);
    }

    #[test]
    fn a_document_that_would_have_to_wait_is_returned() {
        let daemon = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = daemon.local_addr().unwrap();
        assert_eq!(Direct::new("daemon.invalid:2000").send(document("a")).unwrap_err().name(), "a");
        let direct = Direct::new(&address.to_string());
        assert!(direct.send(document(&"x".repeat(MAX_DOCUMENT_BYTES))).is_err(), "too large for a datagram");
        direct.send(document("a")).unwrap();
        direct.sockets.get().as_ref().unwrap().lock().unwrap().pace = Pace::spent();
        assert!(direct.send(document("a")).is_err(), "over the pace");
        drop(daemon);
        let direct = Direct::new(&address.to_string());
        assert!(direct.send(document("a")).is_err(), "the port refuses it");
    }
}
