//! Checks whether the daemon's TCP side answers, because a datagram gets no answer.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::support::fetch;
use crate::support::log_line::log_line;

/// The time from the first document to the first connection. A daemon that starts beside the program may need a moment.
const INITIAL_DELAY: Duration = Duration::from_secs(3);
/// The limit of one connection.
const LIMIT: Duration = Duration::from_secs(2);
/// The time between two attempts. With [`ATTEMPTS`], the check gives up after about ten minutes.
const RETRY_INTERVAL: Duration = Duration::from_secs(30);
const ATTEMPTS: usize = 20;

/// Connects to the daemon's TCP address and logs a warning if nothing answers there.
///
/// A datagram to an address without a daemon may be lost without any sign. The daemon listens on UDP and on TCP, so if
/// its TCP side does not answer, most likely no daemon is there. `udp_fails` is `true` while datagrams fail. That has
/// been logged already, so no warning about TCP follows.
pub(super) async fn check(udp: String, tcp: String, udp_fails: Arc<AtomicBool>) {
    let mut has_warned = false;
    sleep(INITIAL_DELAY).await;
    for _ in 0..ATTEMPTS {
        match connect(&tcp).await {
            Ok(()) if has_warned => {
                return log_line!(Info, "xray::emitter", "the X-Ray daemon answers at TCP {tcp} now");
            }
            Ok(()) => return,
            Err(error) if !has_warned && !udp_fails.load(Ordering::Relaxed) => {
                has_warned = true;
                log_line!(
                    Warn,
                    "xray::emitter",
                    "the X-Ray daemon does not answer at TCP {tcp} ({error}). Documents are sent to UDP {udp}, and are \
                     lost unnoticed if no daemon is there. Check AWS_XRAY_DAEMON_ADDRESS, the firewall or security \
                     group, and that the daemon runs (logged once)",
                );
            }
            Err(_) => {}
        }
        sleep(RETRY_INTERVAL).await;
    }
}

async fn connect(address: &str) -> io::Result<()> {
    let no_answer = || io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {LIMIT:?}"));
    timeout(LIMIT, fetch::connect(address)).await.unwrap_or_else(|_| Err(no_answer())).map(drop)
}
