//! Forwards OTLP requests.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, Uri};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Lost, leads_to};

/// The most bytes of requests that wait to be forwarded. A request beyond this limit is lost.
const MAX_WAITING: usize = 64 * 1024 * 1024;

/// The longest time to forward a request. A failed request is not repeated, and the sender of its spans does not learn
/// of the failure, because the response does not wait for the forwarding.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Forwards OTLP requests to another URL on a separate thread. Clones share the thread, which ends after the last clone
/// is dropped.
#[derive(Debug, Clone)]
pub(crate) struct ForwardedSpans {
    queue: Sender<Request>,
    room: Arc<Semaphore>,
    pending: Pending,
    lost: Lost,
}

/// The thread that forwards requests.
#[derive(Debug)]
pub(crate) struct ForwardThread {
    thread: JoinHandle<()>,
    pending: Pending,
    lost: Lost,
}

/// The number of requests that are queued or being forwarded. It is `None` after these requests were given up.
#[derive(Debug, Clone)]
struct Pending(Arc<Mutex<Option<u64>>>);

#[derive(Debug)]
struct Request {
    content_type: String,
    content_encoding: Option<String>,
    body: Bytes,
    _room: OwnedSemaphorePermit,
}

/// Returns the URL to which requests are posted. Adds the path `/v1/traces` to a URL without a path. A URL that
/// leads to one of `own`, the addresses of the server's sockets, is refused.
///
/// # Errors
///
/// The reason why the URL cannot be used.
pub(crate) fn endpoint(url: &str, own: &[SocketAddr]) -> Result<String, &'static str> {
    let uri: Uri = url.parse().map_err(|_| "it is not a URL")?;
    let authority = match (uri.scheme_str(), uri.authority()) {
        (Some("http"), Some(authority)) => authority,
        (Some("https"), _) => {
            return Err("https is not supported; send to a collector on this machine, which can use it");
        }
        _ => return Err("it does not have the form http://HOST:PORT"),
    };
    let port = authority.port_u16().unwrap_or(80);
    // A host that is not known yet is the name of another container, which starts later.
    let is_at = |own: &SocketAddr| {
        let addresses = format!("{}:{port}", authority.host()).to_socket_addrs();
        addresses.is_ok_and(|mut addresses| addresses.any(|address| leads_to(*own, address)))
    };
    // Only these need the name server.
    if own.iter().filter(|own| own.port() == port).any(is_at) {
        return Err("this server would receive its own requests again");
    }
    Ok(if uri.path() == "/" { format!("{}/v1/traces", url.trim_end_matches('/')) } else { url.to_owned() })
}

impl ForwardedSpans {
    /// Starts the thread that forwards requests to `url`, which comes from [`endpoint`].
    pub(crate) fn start(url: String, lost: Lost) -> io::Result<(Self, ForwardThread)> {
        let (queue, requests) = channel();
        let pending = Pending(Arc::new(Mutex::new(Some(0))));
        let sender = (url, pending.clone(), lost.clone());
        let thread = thread::Builder::new()
            .name("xray-forward".to_owned())
            .spawn(move || send_all(&requests, &sender.0, &sender.1, &sender.2))?;
        let forwarding = ForwardThread { thread, pending: pending.clone(), lost: lost.clone() };
        Ok((Self { queue, room: Arc::new(Semaphore::new(MAX_WAITING)), pending, lost }, forwarding))
    }

    /// Queues a request, which is then forwarded as it was received.
    pub(crate) fn send(&self, headers: &HeaderMap, body: &Bytes) {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let bytes = u32::try_from(body.len()).expect("a body is at most 8 MiB");
        let Ok(room) = Arc::clone(&self.room).try_acquire_many_owned(bytes) else {
            if self.lost.add() {
                log::warn!("requests with spans are lost: too many wait to be forwarded (logged once)");
            }
            return;
        };
        let content_type = text(CONTENT_TYPE).unwrap_or_default();
        let request =
            Request { content_type, content_encoding: text(CONTENT_ENCODING), body: body.clone(), _room: room };
        if !self.pending.begin() || self.queue.send(request).is_err() && self.pending.end() {
            self.lost.add();
        }
    }
}

impl ForwardThread {
    /// Waits until all requests are forwarded. After `timeout`, gives up the remaining requests and counts them as
    /// lost.
    pub(crate) fn finish(self, timeout: Duration) {
        let begun = Instant::now();
        while !self.thread.is_finished() && begun.elapsed() < timeout {
            thread::sleep(Duration::from_millis(5));
        }
        self.lost.add_many(self.pending.give_up());
    }
}

impl Pending {
    /// Counts a request that is queued. Returns `false` and does nothing after requests were given up.
    fn begin(&self) -> bool {
        self.state().as_mut().map(|pending| *pending += 1).is_some()
    }

    /// Counts a request that was forwarded or lost. Returns `false` and does nothing after requests were given up.
    fn end(&self) -> bool {
        self.state().as_mut().map(|pending| *pending -= 1).is_some()
    }

    /// Gives up the requests that are not forwarded yet, and returns their number.
    fn give_up(&self) -> u64 {
        self.state().take().unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, Option<u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forwards requests until their queue is closed or they are given up.
fn send_all(requests: &Receiver<Request>, url: &str, pending: &Pending, lost: &Lost) {
    let config = ureq::Agent::config_builder().timeout_global(Some(TIMEOUT));
    // By default, ureq uses the proxy in `http_proxy`, which cannot reach the loopback interface of this machine.
    let agent: ureq::Agent = config.proxy(None).build().into();
    for request in requests {
        let mut post = agent.post(url).content_type(&request.content_type);
        if let Some(encoding) = &request.content_encoding {
            post = post.header("content-encoding", encoding);
        }
        let sent = post.send(&request.body[..]);
        if !pending.end() {
            return;
        }
        if let Err(error) = sent {
            if lost.add() {
                log::warn!("cannot forward spans to {url}: {error} (logged once)");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_traces_is_added_to_a_url_without_a_path() {
        for url in ["http://collector:4318", "http://collector:4318/", "http://collector:4318/v1/traces"] {
            assert_eq!(endpoint(url, &[]).as_deref(), Ok("http://collector:4318/v1/traces"));
        }
        assert_eq!(endpoint("http://jaeger/otlp/traces", &[]).as_deref(), Ok("http://jaeger/otlp/traces"));
        for url in ["", "collector:4318", "https://collector:4318", "/v1/traces", "ftp://x", "http://"] {
            assert!(endpoint(url, &[]).is_err(), "{url}");
        }
    }

    #[test]
    fn a_url_of_the_server_itself_is_refused() {
        let own = ["127.0.0.1:4318", "[::1]:80"].map(|address| address.parse().unwrap());
        for url in
            ["http://127.0.0.1:4318", "http://localhost:4318/v1/traces", "http://user@127.0.0.1:4318", "http://[::1]"]
        {
            assert!(endpoint(url, &own).is_err_and(|reason| reason.contains("its own requests")), "{url}");
        }
        let everywhere = ["0.0.0.0:4318".parse().unwrap()];
        for url in ["http://127.0.0.2:4318", "http://localhost:4318"] {
            assert!(endpoint(url, &everywhere).is_err(), "{url}");
        }
        for url in ["http://127.0.0.1:4317", "http://127.0.0.2:4318", "http://nowhere.invalid:4318"] {
            assert!(endpoint(url, &own).is_ok(), "{url}");
        }
    }
}
