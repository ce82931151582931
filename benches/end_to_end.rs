//! Requests a second, and the time of a request, with reqwest and a server on the loopback interface.
//!
//! ```text
//! cargo bench -p xray-benches --bench end_to_end
//! ```
//!
//! * `plain`: the function that makes the call has no attribute.
//! * `no segment`: with the attribute, outside any segment.
//! * `unsampled`, `sampled`: with the attribute, in a segment with 100 calls. Documents go to a socket that a thread
//!   reads.
//! * `by hand`: the least that a sampled call needs. The function inserts the header itself and writes its subsegment
//!   into the buffer of the segment, which another thread sends to that socket.
//!
//! The five take turns of one segment in one process, in another random order in each round, so that a change of the
//! machine's load meets all of them. A turn makes its requests one after the other, or 16 at a time, over connections
//! that stay open. `more` compares a turn with the plain turn of its round: the median of the rounds, and its range of
//! confidence of 95 %. `p50` and `p99` are of all requests.
//!
//! The server is a thread for each connection, which reads a request and writes 27 bytes. The difference between two
//! rows is thus as large as it can be: a real server and a network take longer.
//!
//! On 2026-11-30 with rustc 1.95.0, on two cores under KVM that did nothing else. With 16 requests in flight, clients
//! and server share the cores.
//!
//! | in flight | | requests a second | more, % | | p50, µs | p99, µs |
//! |---|---|---|---|---|---|---|
//! | 1 | `plain` | 10,233 | | | 94.6 | 167 |
//! | 1 | `no segment` | 10,168 | 0.7 | 0.2 to 1.2 | 95.0 | 174 |
//! | 1 | `unsampled` | 10,026 | 1.5 | 1.1 to 2.0 | 95.8 | 172 |
//! | 1 | `by hand` | 10,002 | 2.1 | 1.7 to 2.6 | 96.0 | 172 |
//! | 1 | `sampled` | 9,743 | 5.2 | 4.7 to 6.0 | 98.1 | 180 |
//! | 16 | `plain` | 51,740 | | | 236 | 1,296 |
//! | 16 | `no segment` | 51,401 | 0.8 | 0.0 to 1.8 | 238 | 1,316 |
//! | 16 | `unsampled` | 50,469 | 2.5 | 1.5 to 3.3 | 240 | 1,336 |
//! | 16 | `by hand` | 49,227 | 4.3 | 3.5 to 5.3 | 246 | 1,362 |
//! | 16 | `sampled` | 47,960 | 7.0 | 6.2 to 7.9 | 258 | 1,272 |
//!
//! On faster cores, with 15,500 requests a second, `by hand` took 0.7 % more and `sampled` 2.2 %, before records were
//! used again.
//!
//! A sampled call takes longer here than in `overhead.rs`, because its code has left the processor's caches by the time
//! of the next request. The code of the hand-written call has left the caches too. A profile (`perf record -e
//! cpu-clock`) shows the additional time of a request in the process. With the attribute it is 5.0 µs. The functions of
//! the runtime take 1.9 µs: 0.3 µs for the URL, and less than 0.2 µs for each of thirty other functions. That is about
//! a nanosecond for each instruction. The client and the allocator take 3.1 µs, because the request has one more
//! header. For the call written by hand, the additional time is 3.1 µs. Its own functions take 0.5 µs. With an emitter
//! that drops the segments, no background thread works, and `sampled` takes as long.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "counts and shares are small"
)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::mem;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode, Url};
use tokio::runtime::Runtime;
use xray::{Instrument as _, Recorder, Sampled, Segment, SegmentBuilder, TRACE_HEADER_NAME, TraceHeader};
use xray_benches::floor::{self, Clock};

/// Requests in a turn.
const REQUESTS: usize = 100;
const ROUNDS: usize = 1000;
/// Rounds before the first that counts: they open the connections.
const WARM_UP: usize = 5;

fn main() {
    let bench = Bench::start();
    println!(
        "{:<12}{:<14}{:>12}{:>10}{:>16}{:>10}{:>10}",
        "in flight", "", "requests/s", "more, %", "confidence", "p50, µs", "p99, µs"
    );
    for in_flight in [1, 16] {
        bench.compare(in_flight);
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Plain,
    NoSegment,
    Unsampled,
    ByHand,
    Sampled,
}

const KINDS: [(Kind, &str); 5] = [
    (Kind::Plain, "plain"),
    (Kind::NoSegment, "no segment"),
    (Kind::Unsampled, "unsampled"),
    (Kind::ByHand, "by hand"),
    (Kind::Sampled, "sampled"),
];

struct Bench {
    runtime: Runtime,
    client: reqwest::Client,
    url: String,
    recorder: Recorder,
    /// Takes the documents that are written by hand.
    sender: mpsc::Sender<Vec<u8>>,
}

/// A segment that is written by hand. The tasks of a turn share it.
struct HandWritten {
    clock: Clock,
    document: Mutex<Vec<u8>>,
}

impl HandWritten {
    fn write_call(&self, id: &[u8; 16], method: &Method, url: &Url, start: u64, status: StatusCode) {
        let times = [start, self.clock.now()];
        let url = [url.scheme(), url.host_str().unwrap_or_default(), url.path()];
        floor::write_call(&mut self.document.lock().unwrap(), id, method.as_str(), url, times, status.as_u16());
    }
}

/// What the turns of one kind took.
#[derive(Default)]
struct Times {
    turns: Vec<Duration>,
    requests: Vec<Duration>,
}

impl Bench {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let daemon = daemon();
        let builder = Recorder::builder().sampler(xray::sampling::Always).daemon_address(daemon.to_string());
        Self {
            runtime,
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            url: format!("http://{}/todos/1?token=secret", server()),
            recorder: builder.build(),
            sender: sender(daemon),
        }
    }

    fn compare(&self, in_flight: usize) {
        let mut times = KINDS.map(|_| Times::default());
        let mut order: [usize; KINDS.len()] = std::array::from_fn(|index| index);
        let mut random = fastrand::Rng::with_seed(1);
        for round in 0..WARM_UP + ROUNDS {
            random.shuffle(&mut order);
            for index in order {
                let (took, requests) = self.turn(KINDS[index].0, in_flight);
                if round >= WARM_UP {
                    times[index].turns.push(took);
                    times[index].requests.extend(requests);
                }
            }
        }
        assert!(self.recorder.flush(Duration::from_secs(10)));
        let plain = times[0].turns.clone();
        for ((_, name), mut times) in KINDS.iter().zip(times) {
            let [least, more, most] = more_than(&plain, &times.turns);
            let [p50, p99] = [0.5, 0.99].map(|share| quantile(&mut times.requests, share).as_secs_f64() * 1e6);
            let rate = REQUESTS as f64 / quantile(&mut times.turns, 0.5).as_secs_f64();
            let range = format!("{least:.1} to {most:.1}");
            println!("{in_flight:<12}{name:<14}{rate:>12.0}{more:>10.1}{range:>16}{p50:>10.1}{p99:>10.1}");
        }
    }

    /// Makes the requests of a turn. Returns how long all of them took, and each.
    fn turn(&self, kind: Kind, in_flight: usize) -> (Duration, Vec<Duration>) {
        let segment = Arc::new(HandWritten { clock: Clock::start(), document: Mutex::default() });
        let requests = async {
            let tasks = (0..in_flight).map(|task| {
                let count = (REQUESTS + task) / in_flight;
                let (client, url, segment) = (self.client.clone(), self.url.clone(), Arc::clone(&segment));
                // As a server or a job does it: a task carries the trace of the code that started it.
                tokio::spawn(async move { requests(&client, &url, kind, &segment, count).await }.in_current_trace())
            });
            let tasks: Vec<_> = tasks.collect();
            let mut times = Vec::with_capacity(REQUESTS);
            for task in tasks {
                times.extend(task.await.unwrap());
            }
            times
        };
        let started = Instant::now();
        let times = self.runtime.block_on(async {
            match kind {
                Kind::Plain | Kind::NoSegment => requests.await,
                Kind::ByHand => {
                    floor::begin_segment(&mut segment.document.lock().unwrap(), &segment.clock);
                    let times = requests.await;
                    let mut document = segment.document.lock().unwrap();
                    floor::end_segment(&mut document, &segment.clock);
                    self.sender.send(mem::take(&mut *document)).unwrap();
                    times
                }
                Kind::Unsampled => requests.in_segment(self.segment(Sampled::No)).await,
                Kind::Sampled => requests.in_segment(self.segment(Sampled::Yes)).await,
            }
        });
        (started.elapsed(), times)
    }

    fn segment(&self, sampled: Sampled) -> SegmentBuilder {
        let mut header = TraceHeader::default();
        header.sampled = Some(sampled);
        Segment::builder("todo-app").recorder(&self.recorder).trace_header(&header)
    }
}

/// Makes requests one after the other, and returns how long each took.
async fn requests(
    client: &reqwest::Client,
    url: &str,
    kind: Kind,
    segment: &HandWritten,
    count: usize,
) -> Vec<Duration> {
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let started = Instant::now();
        let body = match kind {
            Kind::Plain => plain(client, url).await,
            Kind::ByHand => by_hand(client, url, segment).await,
            Kind::NoSegment | Kind::Unsampled | Kind::Sampled => traced(client, url).await,
        };
        times.push(started.elapsed());
        assert_eq!(body.unwrap().len(), BODY.len());
    }
    times
}

async fn plain(client: &reqwest::Client, url: &str) -> reqwest::Result<String> {
    client.get(url).send().await?.text().await
}

#[xray::traced_http]
async fn traced(client: &reqwest::Client, url: &str) -> reqwest::Result<String> {
    client.get(url).send().await?.text().await
}

async fn by_hand(client: &reqwest::Client, url: &str, segment: &HandWritten) -> reqwest::Result<String> {
    let mut request = client.get(url).build()?;
    let id = floor::new_id();
    if let Some(value) = floor::header(&id) {
        request.headers_mut().insert(TRACE_HEADER_NAME, value);
    }
    let (method, url) = (request.method().clone(), request.url().clone());
    let start = segment.clock.now();
    let response = client.execute(request).await?;
    segment.write_call(&id, &method, &url, start, response.status());
    response.text().await
}

/// Returns how much more time a turn takes than the plain turn of its round, in percent: the median of the rounds,
/// between the ends of its range of confidence of 95 %.
fn more_than(plain: &[Duration], turns: &[Duration]) -> [f64; 3] {
    let ratio = |(turn, plain): (&Duration, &Duration)| turn.as_secs_f64() / plain.as_secs_f64();
    let mut ratios: Vec<_> = turns.iter().zip(plain).map(ratio).collect();
    ratios.sort_by(f64::total_cmp);
    // The number of ratios below the true median has a binomial distribution, whose deviation is half the root of the
    // count.
    let [middle, margin] = [ratios.len() / 2, (ratios.len() as f64).sqrt().ceil() as usize];
    [middle - margin, middle, middle + margin].map(|index| (ratios[index] - 1.0) * 100.0)
}

/// Returns the time that this share of the requests or turns did not exceed.
fn quantile(times: &mut [Duration], share: f64) -> Duration {
    let index = ((times.len() - 1) as f64 * share).round() as usize;
    *times.select_nth_unstable(index).1
}

const BODY: &str = r#"{"id":1,"title":"Buy milk"}"#;

/// Starts the server, and returns its address.
fn server() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().for_each(|stream| drop(thread::spawn(move || answer(&stream.unwrap())))));
    address
}

/// Answers the requests of a connection until it closes.
fn answer(stream: &TcpStream) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{BODY}", BODY.len());
    let (mut input, mut line) = (BufReader::new(stream), String::new());
    loop {
        // A request of GET ends with an empty line.
        while line != "\r\n" {
            line.clear();
            input.read_line(&mut line).ok().filter(|length| *length > 0)?;
        }
        line.clear();
        (&*stream).write_all(answer.as_bytes()).ok()?;
    }
}

/// Starts a thread that sends documents to a daemon.
fn sender(daemon: SocketAddr) -> mpsc::Sender<Vec<u8>> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let (sender, documents) = mpsc::channel::<Vec<u8>>();
    thread::spawn(move || {
        for document in documents {
            socket.send_to(&document, daemon).unwrap();
        }
    });
    sender
}

/// Starts a thread that reads documents, and returns its address.
fn daemon() -> SocketAddr {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut datagram = vec![0; 65_536];
        while socket.recv(&mut datagram).is_ok() {}
    });
    address
}
