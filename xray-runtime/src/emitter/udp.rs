//! The emitter that sends documents to the X-Ray daemon over UDP.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::background_queue::BackgroundQueue;
use super::daemon::{Daemon, SendError, Sent};
use super::datagram::DATAGRAM_HEADER;
use super::direct::Direct;
use super::outage::Outage;
use super::pace::Pace;
use super::queue::Queue;
use super::{Deliveries, Emitter, Subject, daemon_check};
use crate::record::FinishedSegment;
use crate::record::split::{MAX_DOCUMENT_BYTES, Split, TooLarge};
use crate::support::background::Background;
use crate::support::log_line::{LoggedOnce, is_debug_read, log_line};
use crate::support::stats::Counters;

/// An emitter that sends each document in a datagram to the X-Ray daemon, on the background thread of its recorder. In
/// Lambda, the thread that ends a segment sends the document if that needs no wait; see
/// [`sending_directly`](Self::sending_directly).
///
/// Up to 16,384 documents with about 128 MiB of memory in total wait in a queue. If the queue is full, a document is
/// dropped and counted. A document over 63 KiB is split into several documents; see [`Split`]. If no daemon listens,
/// documents are lost, and counted if the operating system reports the refusal.
//
// One datagram a document and at most 63 KiB: the daemon reads one document from a datagram, in a buffer of 64 KiB, and
// X-Ray takes documents of up to 64 kB.
pub(crate) struct UdpEmitter {
    queue: BackgroundQueue,
    /// Sends documents that need not wait in the queue. `None` outside Lambda.
    direct: Option<Direct>,
    sender: Arc<Sender>,
    counters: Arc<Counters>,
    /// Limits the line about a full queue to one.
    logged_drop: LoggedOnce,
}

impl UdpEmitter {
    /// Creates an emitter that sends to `daemon_address`, which is `host:port`. A host name is resolved on the
    /// background thread, for the first document and then at most once a minute.
    ///
    /// `tcp_address` is the daemon's TCP side, which is checked once after the first document, or `None` for no check.
    pub(crate) fn new(
        background: Arc<Background>,
        daemon_address: String,
        tcp_address: Option<String>,
        counters: Arc<Counters>,
    ) -> Self {
        let sender = Arc::new(Sender::new(daemon_address, tcp_address, Arc::clone(&counters)));
        let background_sender = Arc::clone(&sender);
        let queue = BackgroundQueue::new(background, move |queue| {
            let sender = Arc::clone(&background_sender);
            async move { sender.send_all(&queue).await }
        });
        Self { queue, direct: None, sender, counters, logged_drop: LoggedOnce::new() }
    }

    /// Sends a document on the thread that ends the segment, where that needs no wait.
    pub(crate) fn sending_directly(self) -> Self {
        Self { direct: Some(Direct::new(&self.sender.daemon_address)), ..self }
    }
}

impl Emitter for UdpEmitter {
    fn emit(&self, segment: FinishedSegment) {
        let subject = is_debug_read().then(|| Subject::of(&segment));
        let Err(segment) = self.send_directly(segment) else {
            self.counters.documents_sent.increment();
            if let Some(subject) = subject {
                self.sender.log_fate(&subject, None);
            }
            return;
        };
        if !self.queue.push(segment) {
            self.dropped(subject.as_ref());
        }
    }

    fn flush(&self, limit: Duration) -> bool {
        self.queue.flush(limit)
    }

    fn attach(&self, deliveries: &Deliveries) {
        // The task counts in the counters that it was made with.
        let _ = deliveries.claim();
    }
}

impl UdpEmitter {
    /// Sends a document on this thread. Returns the document if it is for the queue.
    fn send_directly(&self, segment: FinishedSegment) -> Result<(), FinishedSegment> {
        match &self.direct {
            // A document must not overtake an earlier one of its segment, which may be in the queue.
            Some(direct) if !self.queue.has_unfinished() => direct.send(segment),
            _ => Err(segment),
        }
    }

    /// Counts a document that the queue refused, and logs the first.
    #[cold]
    fn dropped(&self, subject: Option<&Subject>) {
        const REASON: &str = "the queue of documents is full: the thread that sends them is too slow or cannot start";
        self.counters.documents_dropped.increment();
        if let Some(subject) = subject {
            log_line!(Debug, "xray::segment", "{subject}: dropped because {REASON}");
        }
        if self.logged_drop.is_first() {
            log_line!(
                Warn,
                "xray::emitter",
                "dropped a document because {REASON}. Further ones are counted in `Stats::documents_dropped` (logged once)",
            );
        }
    }
}

/// The task on the background thread.
struct Sender {
    daemon_address: String,
    tcp_address: Option<String>,
    counters: Arc<Counters>,
    /// Limits the line about a document that is too large to one.
    logged_too_large: LoggedOnce,
    /// Limits the line about a datagram that is too long for the system to one.
    logged_refused_length: LoggedOnce,
    /// Limits the line about a document whose values were shortened to one.
    logged_trimmed: LoggedOnce,
}

impl Sender {
    fn new(daemon_address: String, tcp_address: Option<String>, counters: Arc<Counters>) -> Self {
        Self {
            daemon_address,
            tcp_address,
            counters,
            logged_too_large: LoggedOnce::new(),
            logged_refused_length: LoggedOnce::new(),
            logged_trimmed: LoggedOnce::new(),
        }
    }

    /// Sends documents until the queue is closed and empty.
    async fn send_all(&self, queue: &Queue) {
        let (daemon, outage) = (Daemon::new(&self.daemon_address), Outage::new(&self.daemon_address));
        let mut transport = Paced { daemon, outage, pace: Pace::new() };
        // The check ends with this task: dropping the set stops it.
        let mut checks = JoinSet::new();
        let mut max_document_bytes = MAX_DOCUMENT_BYTES;
        // One buffer for all datagrams: the header stays, the document after it is replaced.
        let mut datagram = DATAGRAM_HEADER.to_vec();
        while let Some(segment) = queue.next().await {
            if let (Some(tcp), true) = (&self.tcp_address, checks.is_empty()) {
                checks.spawn(daemon_check::check(self.daemon_address.clone(), tcp.clone(), transport.outage.flag()));
            }
            let subject = is_debug_read().then(|| Subject::of(&segment));
            let mut split = Split::new(segment, max_document_bytes);
            let lost = self.send_documents(&mut split, &mut datagram, &mut transport).await;
            max_document_bytes = split.max_bytes();
            if let Some(subject) = subject {
                self.log_fate(&subject, lost);
            }
            self.count_trimmed(split.trimmed);
            // Marked after each document, unlike in `LinesEmitter`, because a datagram is sent immediately and nothing
            // is buffered.
            queue.mark_finished();
        }
    }

    /// Sends the documents of a segment, each in a datagram. Returns the reason if one of them was lost.
    async fn send_documents(
        &self,
        split: &mut Split,
        datagram: &mut Vec<u8>,
        transport: &mut impl Transport,
    ) -> Option<String> {
        let mut lost = None;
        let mut parts = Parts::new(&self.counters);
        while let Some(written) = split.write_next(datagram) {
            let sent = match written {
                Ok(()) => match transport.send(datagram).await {
                    Err(SendError::TooLong) if split.take_back(&datagram[DATAGRAM_HEADER.len()..]) => {
                        self.log_refused_length(datagram.len());
                        datagram.truncate(DATAGRAM_HEADER.len());
                        continue;
                    }
                    sent => sent.map_err(|error| error.reason()),
                },
                Err(document) => {
                    self.log_too_large(&document);
                    Err("it is too large for a datagram".to_owned())
                }
            };
            parts.count(sent.is_ok());
            lost = sent.err().or(lost);
            datagram.truncate(DATAGRAM_HEADER.len());
        }
        parts.end();
        lost
    }

    /// Logs once that the system refuses datagrams that the daemon would accept.
    fn log_refused_length(&self, bytes: usize) {
        if self.logged_refused_length.is_first() {
            log_line!(
                Warn,
                "xray::emitter",
                "the operating system does not send a datagram of {bytes} bytes. Documents are split into smaller ones, and \
                 values that are too large for these are shortened. On macOS, `sysctl -w net.inet.udp.maxdgram=65535` \
                 allows the datagrams of X-Ray (logged once)",
            );
        }
    }

    /// Logs a document that stays too large, once.
    fn log_too_large(&self, document: &TooLarge) {
        if self.logged_too_large.is_first() {
            log_line!(
                Warn,
                "xray::emitter",
                "dropped the document {:?}: with {} bytes it is too large for a datagram, even without its metadata and \
                 stack frames. Further ones are counted in `Stats::documents_dropped` (logged once)",
                document.name,
                document.bytes,
            );
        }
    }

    /// Logs at the level `Debug` what became of a document. `lost` is the reason if a part of it was not sent.
    fn log_fate(&self, subject: &Subject, lost: Option<String>) {
        let fate = match lost {
            Some(reason) => format!("dropped because it does not reach UDP {}: {reason}", self.daemon_address),
            None => format!("sent to UDP {}", self.daemon_address),
        };
        log_line!(Debug, "xray::segment", "{subject}: {fate}");
    }

    fn count_trimmed(&self, values: usize) {
        self.counters.values_rejected.add(values as u64);
        if values > 0 && self.logged_trimmed.is_first() {
            log_line!(
                Warn,
                "xray::emitter",
                "a document was too large for a datagram. A value in it was shortened or left out, and the document \
                 notes this (logged once, see `Stats::values_rejected`)",
            );
        }
    }
}

/// Sends datagrams.
trait Transport: Send {
    fn send(&mut self, datagram: &[u8]) -> impl Future<Output = Result<Sent, SendError>> + Send;
}

/// Sends datagrams to the daemon, no faster than it reads them, and logs its outages.
struct Paced<'a> {
    daemon: Daemon<'a>,
    outage: Outage,
    pace: Pace,
}

impl Transport for Paced<'_> {
    async fn send(&mut self, datagram: &[u8]) -> Result<Sent, SendError> {
        self.pace.wait_for(datagram.len()).await;
        let sent = self.daemon.send(datagram).await;
        self.outage.note(&sent, self.daemon.is_loopback());
        sent
    }
}

/// The parts of one document, which are counted as documents. If the task dies before the last part, the rest of the
/// document counts as dropped.
//
// The recorder has counted one document, which is the first part. Each further part is counted here.
struct Parts<'a> {
    counters: &'a Counters,
    has_counted: bool,
    has_ended: bool,
}

impl<'a> Parts<'a> {
    fn new(counters: &'a Counters) -> Self {
        Self { counters, has_counted: false, has_ended: false }
    }

    /// Counts a part as sent or as dropped.
    fn count(&mut self, is_sent: bool) {
        if std::mem::replace(&mut self.has_counted, true) {
            self.counters.documents_emitted.increment();
        }
        if is_sent { &self.counters.documents_sent } else { &self.counters.documents_dropped }.increment();
    }

    /// Notes that all parts were counted.
    fn end(mut self) {
        self.has_ended = true;
    }
}

impl Drop for Parts<'_> {
    fn drop(&mut self) {
        if !self.has_ended {
            self.count(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::net::{Ipv4Addr, UdpSocket};

    use super::*;
    use crate::document::Document;
    use crate::id::{SegmentId, TraceId};

    /// macOS refuses longer datagrams unless a setting allows them.
    const LIMIT: usize = 9216;

    #[derive(Default)]
    struct System {
        documents: Vec<Document>,
    }

    impl Transport for System {
        async fn send(&mut self, datagram: &[u8]) -> Result<Sent, SendError> {
            if datagram.len() > LIMIT {
                return Err(SendError::TooLong);
            }
            self.documents.push(serde_json::from_slice(&datagram[DATAGRAM_HEADER.len()..]).unwrap());
            Ok(Sent { was_earlier_refused: false })
        }
    }

    #[tokio::test]
    async fn a_document_that_the_system_refuses_is_sent_in_smaller_ones() {
        let call = |name: &str| Document::new(SegmentId::random(), name.repeat(200), 1.0);
        let calls = ('a'..='z').chain('A'..='Z').map(|name| call(&name.to_string())).collect();
        let segment = Document { trace_id: Some(TraceId::random()), subsegments: calls, ..call("s") };
        let counters = Arc::new(Counters::default());
        counters.documents_emitted.increment();
        let sender = Sender::new("127.0.0.1:2000".to_owned(), None, Arc::clone(&counters));
        let mut split = Split::new(segment.into(), MAX_DOCUMENT_BYTES);
        let mut system = System::default();
        let lost = sender.send_documents(&mut split, &mut DATAGRAM_HEADER.to_vec(), &mut system).await;
        assert_eq!((lost, split.trimmed, system.documents.len()), (None, 0, 53));
        assert!((LIMIT / 4..LIMIT).contains(&split.max_bytes()), "the next document is split at once");
        let stats = counters.snapshot();
        assert_eq!([stats.documents_emitted, stats.documents_sent, stats.documents_dropped], [53, 53, 0]);
    }

    #[tokio::test]
    async fn a_document_that_stays_too_large_counts_as_dropped() {
        let document = Document::new(SegmentId::random(), "n".repeat(MAX_DOCUMENT_BYTES), 1.0);
        let counters = Arc::new(Counters::default());
        let sender = Sender::new("127.0.0.1:2000".to_owned(), None, Arc::clone(&counters));
        let mut split = Split::new(document.into(), MAX_DOCUMENT_BYTES);
        let mut system = System::default();
        let lost = sender.send_documents(&mut split, &mut DATAGRAM_HEADER.to_vec(), &mut system).await;
        assert!(lost.is_some_and(|reason| reason.contains("too large")) && system.documents.is_empty());
        let stats = counters.snapshot();
        assert_eq!([stats.documents_sent, stats.documents_dropped], [0, 1]);
    }

    #[test]
    fn a_document_is_sent_directly_unless_it_would_overtake_another() {
        let daemon = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        daemon.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let (address, counters) = (daemon.local_addr().unwrap().to_string(), Arc::new(Counters::default()));
        let background = || Arc::new(Background::new("xray-test"));
        let emitter = UdpEmitter::new(background(), address, None, Arc::clone(&counters)).sending_directly();
        // The task of this queue ends at once and takes no document.
        let queue = BackgroundQueue::new(background(), |_| std::future::ready(()));
        let emitter = UdpEmitter { queue, ..emitter };
        let document = || FinishedSegment::from(Document::new(SegmentId::random(), "s".to_owned(), 1.0));
        let counts = || {
            let stats = counters.snapshot();
            [stats.documents_sent, stats.documents_dropped]
        };
        emitter.emit(document());
        assert_eq!(counts(), [1, 0]);
        assert!(daemon.recv(&mut [0; 1000]).is_ok(), "it has arrived");
        daemon.set_nonblocking(true).unwrap();
        assert!(emitter.queue.push(document()));
        emitter.emit(document());
        while emitter.queue.push(document()) {}
        assert_eq!(counts(), [1, 0]);
        emitter.emit(document());
        assert_eq!(counts(), [1, 1], "the queue is full");
        assert_eq!(daemon.recv(&mut [0; 1000]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn every_part_of_a_document_counts_once_even_if_the_task_dies() {
        let counts = |count: fn(Parts<'_>)| {
            let counters = Counters::default();
            counters.documents_emitted.increment();
            count(Parts::new(&counters));
            let stats = counters.snapshot();
            [stats.documents_emitted, stats.documents_sent, stats.documents_dropped]
        };
        assert_eq!(counts(|parts| drop(parts)), [1, 0, 1]);
        assert_eq!(counts(|mut parts| parts.count(true)), [2, 1, 1], "the rest is lost");
        let all = |mut parts: Parts<'_>| {
            for is_sent in [true, false, true] {
                parts.count(is_sent);
            }
            parts.end();
        };
        assert_eq!(counts(all), [3, 2, 1]);
    }
}
