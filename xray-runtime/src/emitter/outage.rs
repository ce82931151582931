//! Log lines about documents that do not reach the daemon: one for each cause in an outage, and one at its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::daemon::{SendError, Sent};
use crate::support::log_line::log_line;

/// The state of the connection to the daemon, and the messages that were logged about it.
pub(super) struct Outage {
    address: String,
    /// For each cause, `true` if it was logged since documents last arrived.
    has_logged: [bool; 3],
    /// When the first datagram after a failure was sent without an error. `None` while datagrams fail.
    clean_since: Option<Instant>,
    /// `true` if datagrams fail. Shared with the check of the daemon's TCP side.
    is_open: Arc<AtomicBool>,
}

impl Outage {
    /// How long a daemon on another host must send no refusal before documents count as arriving again.
    const REMOTE_SILENCE: Duration = Duration::from_secs(1);

    pub(super) fn new(address: &str) -> Self {
        Self { address: address.to_owned(), has_logged: [false; 3], clean_since: None, is_open: Arc::default() }
    }

    /// Returns the flag that is `true` while datagrams fail.
    pub(super) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_open)
    }

    /// Notes the result of sending a datagram.
    pub(super) fn note(&mut self, sent: &Result<Sent, SendError>, is_loopback: bool) {
        match sent {
            // A refusal from another host arrives when the refused datagram has long been sent. Most likely the
            // datagram that was sent now is refused too.
            Ok(sent) if sent.was_earlier_refused && !is_loopback => self.failed(&SendError::Refused),
            Ok(_) => self.sent(is_loopback),
            // The document is sent again in smaller datagrams.
            Err(SendError::TooLong) => {}
            Err(error) => self.failed(error),
        }
    }

    /// Logs the cause of a datagram that was not sent, once for each cause until documents arrive again.
    fn failed(&mut self, error: &SendError) {
        self.is_open.store(true, Ordering::Relaxed);
        self.clean_since = None;
        let cause = match error {
            SendError::Refused => 0,
            SendError::Unresolved(_) => 1,
            SendError::Failed(_) | SendError::TooLong => 2,
        };
        if !std::mem::replace(&mut self.has_logged[cause], true) {
            log_line!(
                Warn,
                "xray::emitter",
                "documents do not reach the X-Ray daemon at UDP {}: {}. {}. Lost documents are counted in \
                 `Stats::documents_dropped` (logged once until documents arrive again)",
                self.address,
                error.reason(),
                error.remedy(),
            );
        }
    }

    /// Notes a datagram that was sent, and logs the end of an outage.
    ///
    /// On the loopback interface, a refusal arrives before `send` returns. From another host, it may arrive later.
    fn sent(&mut self, is_loopback: bool) {
        if !self.is_open.load(Ordering::Relaxed) {
            return;
        }
        let since = *self.clean_since.get_or_insert_with(Instant::now);
        if is_loopback || since.elapsed() >= Self::REMOTE_SILENCE {
            self.is_open.store(false, Ordering::Relaxed);
            self.has_logged = [false; 3];
            self.clean_since = None;
            log_line!(Info, "xray::emitter", "documents are sent to the X-Ray daemon at UDP {} again", self.address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_begins_with_a_datagram_that_is_lost() {
        let sent = |was_earlier_refused| Ok(Sent { was_earlier_refused });
        for (result, is_loopback, is_open) in [
            (sent(false), true, false),
            (sent(false), false, false),
            // On this host a refusal is known at once. So the refused datagram was an earlier one, and this one has
            // arrived.
            (sent(true), true, false),
            (sent(true), false, true),
            (Err(SendError::TooLong), true, false),
            (Err(SendError::Refused), true, true),
            (Err(SendError::Failed(std::io::ErrorKind::NetworkUnreachable.into())), false, true),
        ] {
            let mut outage = Outage::new("192.0.2.1:2000");
            outage.note(&result, is_loopback);
            assert_eq!(outage.flag().load(Ordering::Relaxed), is_open, "{result:?} {is_loopback}");
        }
    }

    #[test]
    fn a_remote_daemon_is_back_only_after_a_silence() {
        let mut outage = Outage::new("192.0.2.1:2000");
        let flag = outage.flag();
        outage.failed(&SendError::Refused);
        outage.sent(false);
        assert!(flag.load(Ordering::Relaxed), "the refusal of this datagram may yet come");
        outage.clean_since = Instant::now().checked_sub(Outage::REMOTE_SILENCE);
        outage.sent(false);
        assert!(!flag.load(Ordering::Relaxed));
        outage.failed(&SendError::Refused);
        outage.sent(true);
        assert!(!flag.load(Ordering::Relaxed));
    }
}
