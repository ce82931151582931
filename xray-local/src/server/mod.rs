//! The server: its two sockets, the threads that read them, start and shutdown.

mod bodies;
mod connections;
mod guard;
mod sockets;
mod start_error;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread::JoinHandle;
use std::time::Duration;
use std::{io, thread};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, Uri, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use tokio::runtime::Runtime;
use tokio::sync::{broadcast, oneshot, watch};

use self::bodies::Bodies;
use self::guard::Guard;
pub use self::start_error::StartError;
use crate::account::Account;
use crate::api::{self, ApiError, PUT_TRACE_SEGMENTS, Refusal};
use crate::check::one_line;
use crate::collect::{self, TRACES};
use crate::console;
use crate::document::TraceId;
use crate::forward::{ForwardThread, ForwardedDatagrams, ForwardedSpans, Lost, endpoint, leads_to};
use crate::intake::Intake;
use crate::jobs::Jobs;
use crate::receive::UdpReceiver;
use crate::recording::{self, Recording, Replay};
use crate::rules::{Sampling, SamplingRules};
use crate::store::{Limits, Source, Store};
use crate::time::now;

/// The number of threads that answer HTTP requests.
const WORKERS: usize = 2;

/// The longest time that a shutdown waits for queued requests to be forwarded.
const FORWARD_TIMEOUT: Duration = Duration::from_secs(2);

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
    otlp_address: Option<SocketAddr>,
    store: Store,
    intake: Intake,
    // Both are `Some` until `drop` takes them: stopping a thread consumes its handle.
    udp_receiver: Option<UdpReceiver>,
    http_thread: Option<HttpThread>,
    forward_thread: Option<ForwardThread>,
    lost_datagrams: Lost,
    lost_requests: Lost,
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
    otlp_address: Option<String>,
    forward: Option<String>,
    otlp_forward: Option<String>,
    limits: Limits,
    sampling: Sampling,
    rules_file: Option<PathBuf>,
    record: Option<PathBuf>,
    allowed_hosts: Vec<String>,
}

/// The numbers of datagrams and requests that a server received and could not forward.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Losses {
    /// The number of datagrams that were not sent to the address of [`ServerBuilder::forward`].
    pub datagrams: u64,
    /// The number of OTLP requests that were not sent to the URL of [`ServerBuilder::otlp_forward`].
    pub requests: u64,
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
            otlp_address: None,
            forward: None,
            otlp_forward: None,
            limits: Limits::default(),
            sampling: Sampling::default(),
            rules_file: None,
            record: None,
            allowed_hosts: Vec::new(),
        }
    }

    /// Returns the address that receives documents. Programs on this machine use it as `AWS_XRAY_DAEMON_ADDRESS`.
    ///
    /// If the server listens on all interfaces, the address is `0.0.0.0` or `[::]`, to which clients cannot send:
    /// [`local_address`](Self::local_address) returns an address for programs on this machine. Programs on other
    /// machines need an address of this machine.
    #[must_use]
    pub fn udp_address(&self) -> SocketAddr {
        self.udp_address
    }

    /// Returns the address at which programs on this machine reach the server, over UDP and HTTP. If the server listens
    /// on all interfaces, this is the address of the loopback interface.
    ///
    /// ```
    /// let server = xray_local::Server::builder().address("0.0.0.0:0").start()?;
    /// assert_eq!(server.local_address().to_string(), format!("127.0.0.1:{}", server.udp_address().port()));
    /// # Ok::<(), xray_local::StartError>(())
    /// ```
    #[must_use]
    pub fn local_address(&self) -> SocketAddr {
        reachable(self.udp_address)
    }

    /// Returns the address of the X-Ray API and the console.
    #[must_use]
    pub fn http_address(&self) -> SocketAddr {
        self.http_address
    }

    /// Returns the additional address for OpenTelemetry spans, if [`ServerBuilder::otlp_address`] set one.
    #[must_use]
    pub fn otlp_address(&self) -> Option<SocketAddr> {
        self.otlp_address
    }

    /// Returns the additional address for OpenTelemetry spans in the form that programs on this machine use, like
    /// [`local_address`](Self::local_address).
    #[must_use]
    pub fn local_otlp_address(&self) -> Option<SocketAddr> {
        self.otlp_address.map(reachable)
    }

    /// Returns the URL at which a browser on this machine reaches the console.
    #[must_use]
    pub fn console_url(&self) -> String {
        format!("http://{}/", reachable(self.http_address))
    }

    /// Returns the URL of the console's page about rejected and suspicious documents.
    #[must_use]
    pub fn problems_url(&self) -> String {
        format!("{}problems", self.console_url())
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

    /// Returns the number of datagrams that could not be forwarded to the address of [`ServerBuilder::forward`].
    #[must_use]
    pub fn lost_datagrams(&self) -> u64 {
        self.lost_datagrams.count()
    }

    /// Returns the number of OTLP requests that could not be forwarded to the URL of [`ServerBuilder::otlp_forward`].
    ///
    /// [`shutdown`](Self::shutdown) returns the final number.
    #[must_use]
    pub fn lost_requests(&self) -> u64 {
        self.lost_requests.count()
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
        let problems = self.problems_url();
        recording::replay(path.as_ref(), |line| {
            let outcome = self.intake.take(line, Source::Replay);
            let rejections = outcome.findings.iter().filter(|finding| finding.is_rejection());
            outcome.rejection().map_or(Ok(()), |_| Err(one_line(rejections, &problems)))
        })
    }

    /// Shuts the server down, blocks until it has stopped, and returns what could not be forwarded.
    ///
    /// Datagrams that have arrived are still read. HTTP responses in progress get one second to complete. OTLP requests
    /// that are not forwarded within two seconds are lost.
    ///
    /// ```
    /// let server = xray_local::Server::builder().address("127.0.0.1:0").forward("127.0.0.1:9").start()?;
    /// assert_eq!(server.shutdown(), xray_local::Losses::default());
    /// # Ok::<(), xray_local::StartError>(())
    /// ```
    #[expect(clippy::must_use_candidate, reason = "most callers only want the server to stop")]
    pub fn shutdown(mut self) -> Losses {
        self.stop();
        Losses { datagrams: self.lost_datagrams(), requests: self.lost_requests() }
    }

    /// Stops all threads. Does nothing the second time.
    fn stop(&mut self) {
        if let Some(receiver) = self.udp_receiver.take() {
            receiver.stop();
        }
        if let Some(HttpThread { shutdown, thread }) = self.http_thread.take() {
            let _ = shutdown.send(());
            let _ = thread.join();
        }
        // The end of the HTTP server has closed the queue of this thread. The thread ends when the queue is empty.
        if let Some(thread) = self.forward_thread.take() {
            thread.finish(FORWARD_TIMEOUT);
        }
        self.intake.flush();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

impl ServerBuilder {
    /// Sets the address for UDP and TCP, in the form `HOST:PORT`. With port 0 the server chooses a port that is free
    /// for both.
    pub fn address(mut self, address: impl Into<String>) -> Self {
        self.address = address.into();
        self
    }

    /// Sets an additional address for HTTP requests, usually `127.0.0.1:4318`: the default address of an OpenTelemetry
    /// collector, to which OpenTelemetry SDKs send spans by default.
    ///
    /// Both addresses serve everything: the server also receives spans at the [main address](Self::address), at the
    /// path `/v1/traces`, and the X-Ray API and the console also answer at the additional address. So the additional
    /// address needs as much protection as the main address.
    ///
    /// ```
    /// let server = xray_local::Server::builder().address("127.0.0.1:0").otlp_address("127.0.0.1:0").start()?;
    /// println!("OTEL_EXPORTER_OTLP_ENDPOINT=http://{}", server.otlp_address().unwrap());
    /// # Ok::<(), xray_local::StartError>(())
    /// ```
    pub fn otlp_address(mut self, address: impl Into<String>) -> Self {
        self.otlp_address = Some(address.into());
        self
    }

    /// Sets another receiver to which every datagram is forwarded: a real X-Ray daemon or a collector. The address has
    /// the form `HOST:PORT`.
    ///
    /// Requests for sampling rules are not forwarded. This server answers them.
    pub fn forward(mut self, address: impl Into<String>) -> Self {
        self.forward = Some(address.into());
        self
    }

    /// Sets another receiver to which every OTLP request over HTTP is forwarded, unless this server refuses the
    /// request: a collector at a URL such as `http://127.0.0.1:4318`. The path `/v1/traces` is added to a URL without a
    /// path.
    pub fn otlp_forward(mut self, url: impl Into<String>) -> Self {
        self.otlp_forward = Some(url.into());
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

    /// Allows HTTP requests whose `Host` header names this host, with any port. Names of the loopback interface and the
    /// server's own address are always allowed.
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
    /// Returns an error if the address is invalid or in use, if an allowed host is not a host, if a file cannot be
    /// used, or if the operating system refuses a thread or a socket operation.
    pub fn start(self) -> Result<Server, StartError> {
        for host in &self.allowed_hosts {
            guard::check_allowed(host).map_err(|reason| StartError::AllowedHost { host: host.clone(), reason })?;
        }
        let (udp, tcp) = sockets::bind(&self.address)?;
        let (udp_address, http_address) = (udp.local_addr()?, tcp.local_addr()?);
        let otlp = self.otlp_address.as_deref().map(sockets::bind_tcp).transpose()?;
        let otlp_address = otlp.as_ref().map(TcpListener::local_addr).transpose()?;
        let rules = SamplingRules::open(self.rules_file.as_deref(), self.sampling, now())
            .map_err(|error| StartError::Rules { path: self.rules_file.unwrap_or_default(), error })?;
        let recording = self.record.as_deref().map(Recording::append).transpose();
        let recording =
            recording.map_err(|error| StartError::Record { path: self.record.unwrap_or_default(), error })?;
        let store = Store::new(self.limits);
        let intake = Intake::new(store.clone(), recording);

        let (lost_datagrams, lost_requests) = (Lost::default(), Lost::default());
        let datagrams = match self.forward.as_deref() {
            Some(address) => {
                let to = sockets::resolved(address)?;
                if leads_to(udp_address, to) {
                    let error = io::Error::other("this server would receive its own datagrams again");
                    return Err(StartError::Address { address: address.to_owned(), error });
                }
                Some(ForwardedDatagrams::new(to, lost_datagrams.clone())?)
            }
            None => None,
        };
        let (spans, forward_thread) = match self.otlp_forward {
            Some(url) => {
                let own: Vec<_> = [http_address].into_iter().chain(otlp_address).collect();
                let url = endpoint(&url, &own).map_err(|reason| StartError::Url { url, reason })?;
                let (spans, thread) = ForwardedSpans::start(url, lost_requests.clone())?;
                (Some(spans), Some(thread))
            }
            None => (None, None),
        };
        let (address, dropped) = (reachable(udp_address), Arc::<AtomicU64>::default());
        let mut guard = Guard::new(&self.address, http_address.ip(), self.allowed_hosts);
        if let (Some(given), Some(bound)) = (&self.otlp_address, otlp_address) {
            guard = guard.also(given, bound.ip());
        }
        let (jobs, account) = (Jobs::new(), Account::default());
        let operations = api::routes(&store, &rules, &account, &intake, &jobs).merge(collect::routes(&intake, spans));
        let pages = console::routes(
            intake.clone(),
            rules,
            account,
            jobs,
            address,
            otlp_address.map(reachable),
            Arc::clone(&dropped),
        );
        let router = guarded(operations.merge(pages), intake.clone(), guard);
        let listeners = [tcp].into_iter().chain(otlp).collect();
        let http_thread = Some(HttpThread::start(listeners, &router)?);
        let udp_receiver = Some(UdpReceiver::start(udp, address, intake.clone(), dropped, datagrams)?);
        Ok(Server {
            udp_address,
            http_address,
            otlp_address,
            store,
            intake,
            udp_receiver,
            http_thread,
            forward_thread,
            lost_datagrams,
            lost_requests,
        })
    }
}

impl HttpThread {
    /// Starts a thread that serves the connections of all listeners.
    fn start(listeners: Vec<TcpListener>, router: &Router) -> io::Result<Self> {
        listeners.iter().try_for_each(|listener| listener.set_nonblocking(true))?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .thread_name("xray-http")
            .enable_all()
            .build()?;
        let (shutdown, is_shut_down) = oneshot::channel();
        let router = router.clone();
        let thread = thread::Builder::new()
            .name("xray-accept".to_owned())
            .spawn(move || serve_http(runtime, listeners, &router, is_shut_down))?;
        Ok(Self { shutdown, thread })
    }
}

/// Serves HTTP requests until `shutdown` receives a message or its sender is dropped.
fn serve_http(runtime: Runtime, listeners: Vec<TcpListener>, router: &Router, shutdown: oneshot::Receiver<()>) {
    runtime.block_on(async {
        let (stop, stopped) = watch::channel(());
        let serving: Vec<_> = listeners
            .into_iter()
            .map(|listener| {
                let (router, mut stopped) = (router.clone(), stopped.clone());
                tokio::spawn(async move {
                    match tokio::net::TcpListener::from_std(listener) {
                        // `changed` returns an error once `stop` is dropped.
                        Ok(listener) => connections::serve(listener, router, stopped.changed()).await,
                        Err(error) => {
                            log::error!("the HTTP server failed to start: {error}; the API and the console are off");
                        }
                    }
                })
            })
            .collect();
        let _ = shutdown.await;
        drop(stop);
        for serving in serving {
            let _ = serving.await;
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
fn guarded(routes: Router, intake: Intake, guard: Guard) -> Router {
    routes
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .layer(from_fn(connections::work))
        .layer(from_fn({
            let bodies = Bodies::new();
            move |request, next| bodies.clone().read(request, next)
        }))
        .layer(from_fn_with_state(intake, count_refused))
        .layer(from_fn_with_state(guard, check))
}

async fn unknown(method: Method, uri: Uri) -> ApiError {
    ApiError::unknown(&method, &uri)
}

/// Counts and reports a request with documents or spans that was refused as a whole. The documents or spans are lost,
/// and their sender may not read the response.
async fn count_refused(State(intake): State<Intake>, request: Request, next: Next) -> Response {
    // A request with another method, such as that of a browser or a health check, sends no documents.
    let is_sent = *request.method() == Method::POST;
    let path = request.uri().path().to_owned();
    let (has_documents, has_spans) = (is_sent && path == PUT_TRACE_SEGMENTS, is_sent && path == TRACES);
    let response = next.run(request).await;
    if let Some(Refusal(message)) = response.extensions().get() {
        // A person sent a file with a form, and sees the response.
        if let Some(page) = console::refused(&path, response.status(), message) {
            return page;
        }
        match (has_documents, has_spans) {
            (true, _) => intake.refuse(message),
            (_, true) => intake.refuse_spans(message),
            _ => {}
        }
    }
    response
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
