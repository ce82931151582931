//! The server: its two sockets, the threads that read them, start and shutdown.

mod bodies;
mod connections;
mod guard;
mod sockets;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread::JoinHandle;
use std::{fmt, io, thread};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, Uri, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use tokio::runtime::Runtime;
use tokio::sync::{broadcast, oneshot};

use self::bodies::Bodies;
use self::guard::Guard;
use crate::api::{self, ApiError};
use crate::console;
use crate::document::TraceId;
use crate::intake::Intake;
use crate::receive::UdpReceiver;
use crate::recording::{self, Recording, Replay};
use crate::rules::{Sampling, SamplingRules};
use crate::store::{Limits, Source, Store};
use crate::time::now;

/// The number of threads that answer HTTP requests.
const WORKERS: usize = 2;

/// A running local X-Ray.
///
/// The server receives documents over UDP like the X-Ray daemon. On the TCP port with the same number it answers the
/// X-Ray API and serves the console. Dropping the server shuts it down.
///
/// The server runs on its own threads, so blocking and async programs can use it alike.
///
/// ```
/// use std::net::UdpSocket;
/// use std::time::{Duration, Instant};
///
/// let server = xray_local::Server::builder().address("127.0.0.1:0").start()?;
///
/// // An X-Ray SDK sends such datagrams to the address in `AWS_XRAY_DAEMON_ADDRESS`.
/// let document = r#"{"format":"json","version":1}
/// {"id":"70de5b6f19ff9a0a","trace_id":"1-581cf771-a006649127e371903a2de979","name":"shop","start_time":1,"end_time":2}"#;
/// UdpSocket::bind("127.0.0.1:0")?.send_to(document.as_bytes(), server.udp_address())?;
///
/// let sent = Instant::now();
/// while server.store().counters().taken == 0 && sent.elapsed() < Duration::from_secs(10) {
///     std::thread::sleep(Duration::from_millis(5));
/// }
/// let trace = server.store().trace("1-581cf771-a006649127e371903a2de979").unwrap();
/// assert_eq!(trace.segments[0].name, "shop");
/// server.shutdown();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Server {
    udp_address: SocketAddr,
    http_address: SocketAddr,
    store: Store,
    intake: Intake,
    // Both are `Some` until `drop` takes them: stopping a thread consumes its handle.
    udp_receiver: Option<UdpReceiver>,
    http_thread: Option<HttpThread>,
}

/// Settings of a [`Server`].
///
/// ```
/// use xray_local::Server;
/// use xray_local::store::Limits;
///
/// let server = Server::builder()
///     .address("127.0.0.1:0")
///     .limits(Limits { traces: 1_000, ..Limits::default() })
///     .start()?;
/// println!("AWS_XRAY_DAEMON_ADDRESS={}", server.udp_address());
/// println!("console: http://{}/", server.http_address());
/// # Ok::<(), xray_local::StartError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "call `start` to start the server"]
pub struct ServerBuilder {
    address: String,
    limits: Limits,
    sampling: Sampling,
    rules_file: Option<PathBuf>,
    record: Option<PathBuf>,
    allowed_hosts: Vec<String>,
}

/// Why a [`Server`] did not start.
///
/// The message says what failed. [`source`](std::error::Error::source) says why, so print the whole chain.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The address does not have the form `HOST:PORT`, or its host cannot be resolved.
    Address {
        /// The address passed to [`ServerBuilder::address`].
        address: String,
        /// The error of parsing or resolving it.
        error: io::Error,
    },
    /// A socket could not be bound, for example because the port is in use.
    Bind {
        /// `UDP` or `TCP`.
        protocol: &'static str,
        /// The address of the socket.
        address: SocketAddr,
        /// The operating system's error.
        error: io::Error,
    },
    /// The rules file could not be read, or it contains an invalid rule.
    Rules {
        /// The path passed to [`ServerBuilder::rules_file`].
        path: PathBuf,
        /// The error of reading the file, or the rule's error.
        error: io::Error,
    },
    /// The recording could not be opened for writing.
    Record {
        /// The path passed to [`ServerBuilder::record`].
        path: PathBuf,
        /// The operating system's error.
        error: io::Error,
    },
    /// The operating system refused a thread or a socket operation.
    System(io::Error),
}

/// The thread that runs the HTTP server's runtime.
#[derive(Debug)]
struct HttpThread {
    shutdown: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Server {
    /// Returns the settings of a server on `127.0.0.1:2000` with the default [`Limits`].
    pub fn builder() -> ServerBuilder {
        ServerBuilder {
            address: "127.0.0.1:2000".to_owned(),
            limits: Limits::default(),
            sampling: Sampling::default(),
            rules_file: None,
            record: None,
            allowed_hosts: Vec::new(),
        }
    }

    /// Returns the address that receives documents. Programs on this machine use it as `AWS_XRAY_DAEMON_ADDRESS`.
    ///
    /// If the server listens on all interfaces, the address is `0.0.0.0` or `[::]`. Programs on other machines then
    /// need an address of this machine.
    #[must_use]
    pub fn udp_address(&self) -> SocketAddr {
        self.udp_address
    }

    /// Returns the address of the X-Ray API and the console.
    #[must_use]
    pub fn http_address(&self) -> SocketAddr {
        self.http_address
    }

    /// Returns the URL at which a browser on this machine reaches the console.
    #[must_use]
    pub fn console_url(&self) -> String {
        format!("http://{}/", reachable(self.http_address))
    }

    /// Returns the store that holds the traces.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Subscribes to the trace ids of the documents that the server accepts after this call.
    ///
    /// A receiver that falls 16,384 documents behind misses the oldest ones.
    #[must_use]
    pub fn arrivals(&self) -> broadcast::Receiver<TraceId> {
        self.intake.arrivals()
    }

    /// Returns how many datagrams this server dropped because its queue was full.
    ///
    /// Datagrams that the kernel dropped before the server could read them are not counted.
    #[must_use]
    pub fn dropped_datagrams(&self) -> u64 {
        self.udp_receiver.as_ref().map_or(0, UdpReceiver::dropped)
    }

    /// Loads the documents from a file that has one JSON document per line.
    ///
    /// [`ServerBuilder::record`] writes such files, and so does `LinesEmitter` of the `xray-sdk` package.
    ///
    /// ```
    /// let path = std::env::temp_dir().join("xray-local-replay.jsonl");
    /// let document = r#"{"id":"70de5b6f19ff9a0a","trace_id":"1-581cf771-a006649127e371903a2de979","name":"shop","start_time":1,"end_time":2}"#;
    /// std::fs::write(&path, format!("{document}\nno document\n"))?;
    /// let server = xray_local::Server::builder().address("127.0.0.1:0").start()?;
    /// let replay = server.replay(&path)?;
    /// assert_eq!(replay.taken, 1);
    /// assert_eq!(replay.bad[0].line, 2);
    /// # std::fs::remove_file(path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read. A rejected line is not an error: [`Replay::bad`] lists it.
    pub fn replay(&self, path: impl AsRef<Path>) -> io::Result<Replay> {
        recording::replay(path.as_ref(), |line| {
            let outcome = self.intake.take(line, Source::Replay);
            outcome.rejection().map_or(Ok(()), |finding| Err(finding.to_string()))
        })
    }

    /// Shuts the server down and blocks until it has stopped.
    ///
    /// Datagrams that have arrived are still read. HTTP responses in progress get one second to complete.
    pub fn shutdown(self) {
        drop(self);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(receiver) = self.udp_receiver.take() {
            receiver.stop();
        }
        if let Some(HttpThread { shutdown, thread }) = self.http_thread.take() {
            let _ = shutdown.send(());
            let _ = thread.join();
        }
        self.intake.flush();
    }
}

impl ServerBuilder {
    /// Sets the address for UDP and TCP, in the form `HOST:PORT`. With port 0 the server chooses a port that is free
    /// for both.
    pub fn address(mut self, address: impl Into<String>) -> Self {
        self.address = address.into();
        self
    }

    /// Sets the limits of the store.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets what the default sampling rule records. The default is every request. With a
    /// [rules file](Self::rules_file) the setting has no effect.
    pub fn sampling(mut self, sampling: Sampling) -> Self {
        self.sampling = sampling;
        self
    }

    /// Sets the file that keeps the sampling rules. Without a file the rules are lost when the server stops.
    ///
    /// The file has the form of a `GetSamplingRules` response. If the file does not exist, the server creates it
    /// when the first rule is added.
    pub fn rules_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.rules_file = Some(path.into());
        self
    }

    /// Sets a file to which the server appends each document it receives, as one line of JSON. This includes documents
    /// that X-Ray would reject.
    pub fn record(mut self, path: impl Into<PathBuf>) -> Self {
        self.record = Some(path.into());
        self
    }

    /// Allows HTTP requests whose `Host` header names this host. Names of the loopback interface and the server's own
    /// address are always allowed.
    ///
    /// A server in a container needs this: other containers reach it by the container's name.
    pub fn allow_host(mut self, host: impl Into<String>) -> Self {
        self.allowed_hosts.push(host.into());
        self
    }

    /// Starts the server. When this function returns, both sockets accept traffic.
    ///
    /// # Errors
    ///
    /// Returns an error if the address is invalid or in use, if a file cannot be used, or if the operating system
    /// refuses a thread or a socket operation.
    pub fn start(self) -> Result<Server, StartError> {
        let (udp, tcp) = sockets::bind(&self.address)?;
        let (udp_address, http_address) = (udp.local_addr()?, tcp.local_addr()?);
        let rules = SamplingRules::open(self.rules_file.as_deref(), self.sampling, now())
            .map_err(|error| StartError::Rules { path: self.rules_file.unwrap_or_default(), error })?;
        let recording = self.record.as_deref().map(Recording::append).transpose();
        let recording =
            recording.map_err(|error| StartError::Record { path: self.record.unwrap_or_default(), error })?;
        let store = Store::new(self.limits);
        let intake = Intake::new(store.clone(), recording);

        let (address, dropped) = (reachable(udp_address), Arc::<AtomicU64>::default());
        let guard = Guard::new(&self.address, http_address.ip(), self.allowed_hosts);
        let router = guarded(
            api::routes(&store, &rules, &intake).merge(console::routes(
                store.clone(),
                rules,
                address,
                Arc::clone(&dropped),
            )),
            guard,
        );
        let http_thread = Some(HttpThread::start(tcp, router)?);
        let udp_receiver = Some(UdpReceiver::start(udp, address, intake.clone(), dropped)?);
        Ok(Server { udp_address, http_address, store, intake, udp_receiver, http_thread })
    }
}

impl HttpThread {
    fn start(listener: std::net::TcpListener, router: Router) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .thread_name("xray-http")
            .enable_all()
            .build()?;
        let (shutdown, is_shut_down) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("xray-accept".to_owned())
            .spawn(move || serve_http(runtime, listener, router, is_shut_down))?;
        Ok(Self { shutdown, thread })
    }
}

/// Serves HTTP requests until `shutdown` receives a message or its sender is dropped.
fn serve_http(runtime: Runtime, listener: std::net::TcpListener, router: Router, shutdown: oneshot::Receiver<()>) {
    runtime.block_on(async {
        match tokio::net::TcpListener::from_std(listener) {
            Ok(listener) => connections::serve(listener, router, shutdown).await,
            Err(error) => log::error!("the HTTP server failed to start: {error}; the API and the console are off"),
        }
    });
    // `connections::serve` has already given the responses in progress one second. So do not wait for the remaining
    // tasks, which may never finish.
    runtime.shutdown_background();
}

/// Replaces an unspecified address, such as `0.0.0.0`, by the loopback address. An unspecified address is an address to
/// listen on: not every system and browser can connect to it.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

/// Puts the routes behind the checks for every request. The layer added last runs first, so a foreign page's request is
/// refused before its body is read.
fn guarded(routes: Router, guard: Guard) -> Router {
    routes
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .layer(from_fn({
            let bodies = Bodies::new();
            move |request, next| bodies.clone().read(request, next)
        }))
        .layer(from_fn_with_state(guard, check))
}

async fn unknown(method: Method, uri: Uri) -> ApiError {
    ApiError::unknown(&method, &uri)
}

async fn check(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let mut response = match guard.check(&parts) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(reason) => ApiError::refused(reason).into_response(),
    };
    // For every response, errors included: a browser must not guess another content type, and a foreign page must not
    // embed the response.
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    response
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { address, .. } => {
                write!(formatter, "cannot use {address:?}: an address is HOST:PORT, with a host that can be resolved")
            }
            Self::Bind { protocol, address, error } if error.kind() == io::ErrorKind::AddrInUse => write!(
                formatter,
                "{protocol} {address} is already in use, probably by an X-Ray daemon or another xray-local: stop that \
                 program or choose another address"
            ),
            Self::Bind { protocol, address, .. } => write!(formatter, "cannot bind {protocol} {address}"),
            Self::Rules { path, .. } => write!(formatter, "cannot use the rules file {}", path.display()),
            Self::Record { path, .. } => write!(formatter, "cannot record documents in {}", path.display()),
            Self::System(_) => formatter.write_str("the operating system refused a thread or a socket operation"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Address { error, .. }
            | Self::Bind { error, .. }
            | Self::Rules { error, .. }
            | Self::Record { error, .. }
            | Self::System(error) => Some(error),
        }
    }
}

impl From<io::Error> for StartError {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}
