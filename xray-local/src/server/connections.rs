//! Accepts HTTP connections, within limits of number and time, and closes them at shutdown.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::{Instant, interval, sleep, timeout};
use tokio_io_timeout::TimeoutStream;

/// The most connections open at a time. For a further one, the connection that has waited longest for its client is
/// closed.
const MAX_CONNECTIONS: usize = 256;

/// How long a client may take to send a request's head, and how long a connection may be idle between two requests.
/// X-Ray SDKs ask for sampling targets every 10 seconds on one connection. A connection that is closed at that moment
/// fails the request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);

/// The size of a connection's read buffer in bytes, which is also the largest head of a request.
const READ_BUFFER: usize = 64 * 1024;

/// How long a write may wait for a client that does not read its response.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a client may take to read a response and to send its next request.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a connection waits for its client before it may be closed for another. A response that has just been made
/// is still being written.
const GRACE: Duration = Duration::from_millis(200);

/// How often connections are checked for [`CLIENT_TIMEOUT`].
const CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// How long responses in progress may take after shutdown has begun.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// Accepts and serves connections until `shutdown` completes.
pub(super) async fn serve(listener: TcpListener, router: Router, shutdown: impl Future) {
    serve_in(&Connections::default(), listener, router, shutdown).await;
}

async fn serve_in(connections: &Connections, listener: TcpListener, router: Router, shutdown: impl Future) {
    let mut shutdown = pin!(shutdown);
    let (graceful, mut checks, mut accepted) = (GracefulShutdown::new(), interval(CHECK_INTERVAL), None);
    loop {
        if let Some(stream) = accepted.take() {
            if connections.make_room() {
                serve_connection(stream, connections, &router, &graceful);
            } else {
                accepted = Some(stream);
            }
        }
        tokio::select! {
            _ = &mut shutdown => break,
            _ = checks.tick() => connections.close_overdue(),
            () = connections.shared.freed.notified(), if accepted.is_some() => {}
            () = sleep(GRACE / 4), if accepted.is_some() => {}
            result = listener.accept(), if accepted.is_none() => match result {
                Ok((stream, _)) => accepted = Some(stream),
                // Either this connection failed, or the process has no file descriptors left. A pause keeps the second
                // case from spinning.
                Err(_) => sleep(Duration::from_millis(20)).await,
            },
        }
    }
    // The caller drops the runtime next, and with it the connections that are still open.
    let _ = timeout(SHUTDOWN_TIMEOUT, graceful.shutdown()).await;
}

/// Serves a connection in a task of its own.
fn serve_connection(stream: TcpStream, connections: &Connections, router: &Router, graceful: &GracefulShutdown) {
    let open = connections.add();
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_TIMEOUT));
    let (turn, router) = (Arc::clone(&open.turn), TowerToHyperService::new(router.clone()));
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(Arc::clone(&turn));
        router.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(connections.head_timeout)
        .max_buf_size(READ_BUFFER)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        tokio::select! {
            // An error means that the client misbehaved or left. There is nobody to report it to.
            _ = connection => {}
            () = open.turn.close.notified() => {}
        }
    });
}

/// Marks that the server works on a connection's request, from the end of the request's body to the response. A
/// middleware.
pub(super) async fn work(request: Request, next: Next) -> Response {
    let Some(turn) = request.extensions().get::<Arc<Turn>>().cloned() else { return next.run(request).await };
    turn.give_to_server();
    let response = next.run(request).await;
    turn.give_to_client();
    response
}

/// The open connections.
#[derive(Debug)]
struct Connections {
    shared: Arc<Shared>,
    head_timeout: Duration,
}

#[derive(Debug, Default)]
struct Shared {
    open: Mutex<OpenConnections>,
    /// Notified when a connection has ended.
    freed: Notify,
}

#[derive(Debug, Default)]
struct OpenConnections {
    turns: BTreeMap<u64, Arc<Turn>>,
    next: u64,
}

/// A connection in the list of open ones. Dropping this removes it from the list.
struct OpenConnection {
    number: u64,
    turn: Arc<Turn>,
    shared: Arc<Shared>,
}

/// Who has to act next on a connection: the client or the server.
#[derive(Debug)]
struct Turn {
    /// Since when the server has waited for the client. `None` while the server works on a request.
    waits_since: Mutex<Option<Instant>>,
    close: Notify,
}

impl Default for Connections {
    fn default() -> Self {
        Self { shared: Arc::default(), head_timeout: HEAD_TIMEOUT }
    }
}

impl Connections {
    fn add(&self) -> OpenConnection {
        let waits_since = Mutex::new(Some(Instant::now()));
        let turn = Arc::new(Turn { waits_since, close: Notify::new() });
        let mut open = self.shared.open();
        let number = open.next;
        open.next += 1;
        open.turns.insert(number, Arc::clone(&turn));
        OpenConnection { number, turn, shared: Arc::clone(&self.shared) }
    }

    /// Makes room for a further connection. Returns `false` if every connection is in use: the server works on a
    /// request, or the client's turn began within [`GRACE`].
    fn make_room(&self) -> bool {
        let mut open = self.shared.open();
        if open.turns.len() < MAX_CONNECTIONS {
            return true;
        }
        let waiting = open.turns.iter().filter_map(|(number, turn)| Some(((*turn.waits_since())?, *number)));
        let longest = waiting.min().filter(|(since, _)| since.elapsed() >= GRACE);
        let Some((_, longest)) = longest else { return false };
        if let Some(turn) = open.turns.remove(&longest) {
            turn.close.notify_one();
        }
        true
    }

    /// Closes the connections whose clients have exceeded [`CLIENT_TIMEOUT`].
    fn close_overdue(&self) {
        for turn in self.shared.open().turns.values() {
            if turn.waits_since().is_some_and(|since| since.elapsed() > CLIENT_TIMEOUT) {
                turn.close.notify_one();
            }
        }
    }
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, OpenConnections> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    fn give_to_server(&self) {
        *self.waits_since() = None;
    }

    fn give_to_client(&self) {
        *self.waits_since() = Some(Instant::now());
    }

    fn waits_since(&self) -> MutexGuard<'_, Option<Instant>> {
        self.waits_since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.shared.open().turns.remove(&self.number);
        self.shared.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::body::Bytes;
    use axum::middleware::from_fn;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::oneshot;

    use super::*;

    async fn send_request(address: SocketAddr, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await.unwrap();
        stream
    }

    /// Returns the first byte of a response.
    async fn first_byte(stream: &mut TcpStream) -> u8 {
        timeout(WRITE_TIMEOUT * 3, stream.read_u8()).await.expect("no response").unwrap()
    }

    /// Serves a short text, a long text, and a response that waits for a notification.
    struct Served {
        address: SocketAddr,
        connections: Arc<Connections>,
        answer: Arc<Notify>,
        shutdown: oneshot::Sender<()>,
        serving: tokio::task::JoinHandle<()>,
    }

    impl Served {
        async fn start() -> Self {
            Self::start_with(Connections::default()).await
        }

        async fn start_with(connections: Connections) -> Self {
            let (long, answer) = (Bytes::from(vec![0; 32 << 20]), Arc::new(Notify::new()));
            let waits = Arc::clone(&answer);
            let router = Router::new()
                .route("/", get(async || "short"))
                .route("/long", get(async move || long.clone()))
                .route("/waits", get(async move || waits.notified().await))
                .layer(from_fn(work));
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let (address, connections) = (listener.local_addr().unwrap(), Arc::new(connections));
            let (shutdown, is_shut_down) = oneshot::channel::<()>();
            let in_task = Arc::clone(&connections);
            let serving = tokio::spawn(async move { serve_in(&in_task, listener, router, is_shut_down).await });
            Self { address, connections, answer, shutdown, serving }
        }

        /// Waits until the server has this many connections.
        async fn until(&self, number: usize) {
            let wait = async {
                while self.connections.shared.open().turns.len() != number {
                    sleep(Duration::from_millis(5)).await;
                }
            };
            timeout(WRITE_TIMEOUT * 3, wait).await.expect("the number of connections stays another one");
        }

        async fn stop(self) {
            self.shutdown.send(()).unwrap();
            timeout(SHUTDOWN_TIMEOUT * 5, self.serving).await.expect("shutdown waits for idle clients").unwrap();
        }
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_its_response_is_disconnected() {
        let served = Served::start().await;
        let _unread = send_request(served.address, "/long").await;
        served.until(1).await;
        served.until(0).await;
        served.stop().await;
    }

    #[tokio::test]
    async fn a_client_that_sends_no_head_is_disconnected() {
        let head_timeout = Duration::from_millis(100);
        let served = Served::start_with(Connections { head_timeout, ..Connections::default() }).await;
        for head in ["", "POST /TraceSegments HTT"] {
            let mut stream = TcpStream::connect(served.address).await.unwrap();
            stream.write_all(head.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            timeout(WRITE_TIMEOUT * 3, stream.read_to_end(&mut answer)).await.expect("it stays open").unwrap();
            assert!(answer.is_empty(), "{answer:?}");
        }
        served.stop().await;
    }

    #[tokio::test]
    async fn a_further_client_takes_the_place_of_the_one_that_has_kept_its_connection_waiting_longest() {
        let served = Served::start().await;
        let mut idle = Vec::new();
        for _ in 0..MAX_CONNECTIONS {
            idle.push(TcpStream::connect(served.address).await.unwrap());
        }
        let mut next = send_request(served.address, "/").await;
        assert_eq!(first_byte(&mut next).await, b'H');
        assert!(idle[0].read_u8().await.is_err(), "the first connection is closed");
        let second = &mut idle[1];
        second.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        assert_eq!(first_byte(second).await, b'H', "the second connection is kept");
        served.until(MAX_CONNECTIONS).await;
        served.stop().await;
    }

    #[tokio::test]
    async fn a_connection_on_whose_request_the_server_works_is_not_closed_for_another() {
        let served = Served::start().await;
        let mut working = Vec::new();
        for _ in 0..MAX_CONNECTIONS {
            working.push(send_request(served.address, "/waits").await);
        }
        let waiting = |turn: &&Arc<Turn>| turn.waits_since().is_some();
        let is_idle = || served.connections.shared.open().turns.values().any(|turn| waiting(&turn));
        served.until(MAX_CONNECTIONS).await;
        while is_idle() {
            sleep(Duration::from_millis(5)).await;
        }
        let mut next = send_request(served.address, "/").await;
        served.answer.notify_waiters();
        assert_eq!(first_byte(&mut next).await, b'H');
        let mut answered = 0;
        for mut stream in working {
            answered += usize::from(timeout(WRITE_TIMEOUT, stream.read_u8()).await.unwrap().is_ok());
        }
        assert_eq!(answered, MAX_CONNECTIONS);
        served.stop().await;
    }
}
