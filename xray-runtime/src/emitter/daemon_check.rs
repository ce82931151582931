//! A check of the daemon's TCP side, which answers where UDP cannot.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::support::log_line::log_line;

/// The time from the first document to the first connection. A daemon that starts beside the program may need a moment.
const FIRST_AFTER: Duration = Duration::from_secs(3);
/// The limit of one connection.
const LIMIT: Duration = Duration::from_secs(2);
/// While the daemon does not answer, it is tried again so often, for about ten minutes.
const AGAIN_AFTER: Duration = Duration::from_secs(30);
const ATTEMPTS: usize = 20;

/// Connects to the daemon's TCP address and logs a warning if nothing answers there.
///
/// A datagram to an address where no daemon is may be lost without any sign. The daemon listens on UDP and TCP, so a TCP side
/// that does not answer is the sign. `udp_fails` is `true` while datagrams fail: that has been logged, and the TCP side is no
/// news then.
pub(super) async fn check(udp: String, tcp: String, udp_fails: Arc<AtomicBool>) {
    let mut has_warned = false;
    sleep(FIRST_AFTER).await;
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
                     lost without a sign if no daemon is there. Check AWS_XRAY_DAEMON_ADDRESS, the firewall or security \
                     group, and that the daemon runs (logged once)",
                );
            }
            Err(_) => {}
        }
        sleep(AGAIN_AFTER).await;
    }
}

async fn connect(address: &str) -> io::Result<()> {
    let no_answer = || io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {LIMIT:?}"));
    timeout(LIMIT, TcpStream::connect(address)).await.unwrap_or_else(|_| Err(no_answer())).map(drop)
}
