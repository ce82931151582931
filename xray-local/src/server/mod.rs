//! The server: both sockets, the threads behind them, and how it all starts and ends.

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
use crate::receive::Receiving;
use crate::recording::{self, Recording, Replay};
use crate::rules::SamplingRules;
use crate::store::{Limits, Source, Store};
use crate::time::now;

/// Threads that answer HTTP.
const WORKERS: usize = 2;

/// A local X-Ray that runs: it takes documents by UDP as the daemon does, and on the TCP port of the same number it
/// answers the X-Ray API and serves the console. It ends when it is dropped.
///
/// It has threads of its own, so it serves blocking programs and async ones alike.
///
/// ```
/// use std::net::UdpSocket;
/// use std::time::{Duration, Instant};
///
/// let server = xray_local::Server::builder().address("127.0.0.1:0").start()?;
///
/// // Any SDK does this, told by `AWS_XRAY_DAEMON_ADDRESS`.
/// let document = r#"{"format":"json","version":1}
/// {"id":"70de5b6f19ff9a0a","trace_id":"1-581cf771-a006649127e371903a2de979","name":"shop","start_time":1,"end_time":2}"#;
/// UdpSocket::bind("127.0.0.1:0")?.send_to(document.as_bytes(), server.udp_address())?;
///
/// let patience = Instant::now();
/// while server.store().counters().taken == 0 && patience.elapsed() < Duration::from_secs(10) {
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
    rules: SamplingRules,
    intake: Intake,
    // Both are there until the end.
    receiving: Option<Receiving>,
    answering: Option<Answering>,
}

/// How a [`Server`] is to be.
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
#[must_use = "it is `start` that starts the server"]
pub struct ServerBuilder {
    address: String,
    limits: Limits,
    rules_file: Option<PathBuf>,
    record: Option<PathBuf>,
    allowed_hosts: Vec<String>,
}

/// Why a [`Server`] did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The address is not one: `HOST:PORT` is expected.
    Address {
        /// As it was given.
        address: String,
        /// What is wrong with it.
        error: io::Error,
    },
    /// The port is taken, or may not be used.
    Bind {
        /// `UDP` or `TCP`.
        protocol: &'static str,
        /// What was to be bound.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// The rules file cannot be read, or has a rule that is none.
    Rules {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: io::Error,
    },
    /// The file for the documents cannot be written.
    Record {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The system has no thread, or no more files.
    System(io::Error),
}

/// The thread whose runtime answers HTTP.
#[derive(Debug)]
struct Answering {
    end: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Server {
    /// A server on `127.0.0.1:2000`, unless it is told otherwise.
    pub fn builder() -> ServerBuilder {
        ServerBuilder {
            address: "127.0.0.1:2000".to_owned(),
            limits: Limits::default(),
            rules_file: None,
            record: None,
            allowed_hosts: Vec::new(),
        }
    }

    /// Where documents go: the value for `AWS_XRAY_DAEMON_ADDRESS`.
    #[must_use]
    pub fn udp_address(&self) -> SocketAddr {
        self.udp_address
    }

    /// Where the X-Ray API and the console are.
    #[must_use]
    pub fn http_address(&self) -> SocketAddr {
        self.http_address
    }

    /// Where a browser of this machine finds the console.
    #[must_use]
    pub fn console_url(&self) -> String {
        format!("http://{}/", reachable(self.http_address))
    }

    /// The traces.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The sampling rules.
    #[must_use]
    pub fn rules(&self) -> &SamplingRules {
        &self.rules
    }

    /// The trace of each document that is taken from now on. Who reads too slowly misses some.
    #[must_use]
    pub fn arrivals(&self) -> broadcast::Receiver<TraceId> {
        self.intake.arrivals()
    }

    /// Datagrams that were dropped because they came faster than they could be read, by this process; what the kernel
    /// dropped before is not counted.
    #[must_use]
    pub fn dropped_datagrams(&self) -> u64 {
        self.receiving.as_ref().map_or(0, Receiving::dropped)
    }

    /// Takes the documents of a file with one in each line, such as [`ServerBuilder::record`] writes, or the library's
    /// `LinesEmitter`.
    ///
    /// ```
    /// let path = std::env::temp_dir().join("xray-local-replay.jsonl");
    /// let document = r#"{"id":"70de5b6f19ff9a0a","trace_id":"1-581cf771-a006649127e371903a2de979","name":"shop","start_time":1,"end_time":2}"#;
    /// std::fs::write(&path, format!("{document}\nno document\n"))?;
    /// let server = xray_local::Server::builder().address("127.0.0.1:0").start()?;
    /// let replay = server.replay(&path)?;
    /// assert_eq!(replay.taken, 1);
    /// assert_eq!(replay.bad[0].0, 2, "the number of the line");
    /// # std::fs::remove_file(path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the file cannot be read. Lines that are no documents are no error; they are told.
    pub fn replay(&self, path: impl AsRef<Path>) -> io::Result<Replay> {
        recording::replay(path.as_ref(), |line| {
            let outcome = self.intake.take(line, Source::Replay);
            outcome.rejection().map_or(Ok(()), |finding| Err(finding.to_string()))
        })
    }

    /// Ends the server. What has arrived is read, answers that are on their way have a second. Blocks for that long.
    pub fn shutdown(self) {
        drop(self);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(receiving) = self.receiving.take() {
            receiving.end();
        }
        if let Some(answering) = self.answering.take() {
            let _ = answering.end.send(());
            let _ = answering.thread.join();
        }
        self.intake.flush();
    }
}

impl ServerBuilder {
    /// `HOST:PORT`, for UDP and TCP. With port 0 a number is chosen that is free for both.
    pub fn address(mut self, address: impl Into<String>) -> Self {
        self.address = address.into();
        self
    }

    /// What the store keeps at most.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Where sampling rules are kept; without it they end with the server. The file has the form of the answer of
    /// `GetSamplingRules`, and is made when the first rule is.
    pub fn rules_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.rules_file = Some(path.into());
        self
    }

    /// A file to which each document that comes is appended, as a line of JSON; documents that X-Ray would refuse too.
    pub fn record(mut self, path: impl Into<PathBuf>) -> Self {
        self.record = Some(path.into());
        self
    }

    /// A name by which requests may reach the server, beside those of the loopback interface and of its address: where it
    /// runs in a container, the container's name.
    pub fn allow_host(mut self, host: impl Into<String>) -> Self {
        self.allowed_hosts.push(host.into());
        self
    }

    /// Starts the server, and returns when it can be reached.
    ///
    /// # Errors
    ///
    /// If the address is none or is taken, or a file cannot be used.
    pub fn start(self) -> Result<Server, StartError> {
        let (udp, tcp) = sockets::bind(&self.address)?;
        let (udp_address, http_address) = (udp.local_addr()?, tcp.local_addr()?);
        let rules = SamplingRules::open(self.rules_file.as_deref(), now())
            .map_err(|error| StartError::Rules { path: self.rules_file.unwrap_or_default(), error })?;
        let recording = self.record.as_deref().map(Recording::append).transpose();
        let recording =
            recording.map_err(|error| StartError::Record { path: self.record.unwrap_or_default(), error })?;
        let store = Store::new(self.limits);
        let intake = Intake::new(store.clone(), recording);

        let (address, dropped) = (reachable(udp_address), Arc::<AtomicU64>::default());
        let guard = Guard::new(&self.address, http_address.ip(), self.allowed_hosts);
        let router = guarded(
            api::routes(&store, &rules, &intake).merge(console::routes(store.clone(), address, Arc::clone(&dropped))),
            guard,
        );
        let answering = Some(Answering::start(tcp, router)?);
        let receiving = Some(Receiving::start(udp, address, intake.clone(), dropped)?);
        Ok(Server { udp_address, http_address, store, rules, intake, receiving, answering })
    }
}

impl Answering {
    fn start(listener: std::net::TcpListener, router: Router) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .thread_name("xray-http")
            .enable_all()
            .build()?;
        let (end, ended) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("xray-accept".to_owned())
            .spawn(move || answer(runtime, listener, router, ended))?;
        Ok(Self { end, thread })
    }
}

fn answer(runtime: Runtime, listener: std::net::TcpListener, router: Router, ended: oneshot::Receiver<()>) {
    runtime.block_on(async {
        match tokio::net::TcpListener::from_std(listener) {
            Ok(listener) => connections::serve(listener, router, ended).await,
            Err(error) => log::error!("HTTP is not answered: {error}"),
        }
    });
    // Nobody waits for an answer any more.
    runtime.shutdown_background();
}

/// An address that can be asked, for one that stands for all of this machine's.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

/// The routes behind the checks that each request passes, the outermost last.
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
    // Whatever the answer is, a browser is not to take it for something else, nor a foreign page to embed it.
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    response
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { address, error } => write!(formatter, "{address:?} is not an address (HOST:PORT): {error}"),
            Self::Bind { protocol, address, error } if error.kind() == io::ErrorKind::AddrInUse => write!(
                formatter,
                "{protocol} {address} is taken: an X-Ray daemon runs, or another xray-local; choose another address"
            ),
            Self::Bind { protocol, address, error } => {
                write!(formatter, "{protocol} {address} cannot be used: {error}")
            }
            Self::Rules { path, error } => {
                write!(formatter, "the rules file {} cannot be used: {error}", path.display())
            }
            Self::Record { path, error } => {
                write!(formatter, "documents cannot be kept in {}: {error}", path.display())
            }
            Self::System(error) => error.fmt(formatter),
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
