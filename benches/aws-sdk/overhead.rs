//! Measures the time that tracing adds to an operation of the AWS SDK. The connector answers immediately, so a row
//! contains only the work of the SDK and of tracing.
//!
//! ```text
//! cargo bench --manifest-path benches/aws-sdk/Cargo.toml
//! valgrind --tool=callgrind target/release/deps/overhead-.. ROW RUNS     # the instructions of one row
//! ```
//!
//! The rows take turns, and a time is the shortest of 300 batches. `nothing` is a request that sends nothing. It shows
//! the attribute's own work, which is too short to be seen beside an operation of the SDK. `sdk` is `GetItem` without
//! tracing. Two rows show the SDK's own work for an interceptor: `sdk/idle_interceptor` has an interceptor without
//! hooks on the client, and `sdk/customized` has such an interceptor on one operation, as the attribute attaches its
//! interceptor.
//!
//! The times are medians of three runs on 2026-11-29 with rustc 1.95.0, on two cores under KVM that did nothing else.
//! On a busy machine they are several times as long. The instructions are counted by valgrind's callgrind, and vary by
//! 1,000 with the state of the allocator.
//!
//! | row | time | more | goal | instructions more |
//! |---|---|---|---|---|
//! | `nothing` | 26 ns | | | |
//! | `nothing/annotated` | 36 ns | 11 ns | 20 ns | 145 |
//! | `sdk` | 24.4 µs | | | |
//! | `sdk/idle_interceptor` | 24.6 µs | 0.2 µs | | 8,200 |
//! | `sdk/customized` | 25.4 µs | 0.9 µs | | 14,000 |
//! | `interceptor/outside` | 24.7 µs | 0.4 µs | | 7,800 |
//! | `interceptor/unsampled` | 25.4 µs | 1.0 µs | | 10,500 |
//! | `interceptor/sampled` | 26.9 µs | 2.5 µs | 5 µs | 24,700 |
//! | `annotated/outside` | 24.2 µs | 0 | | 0 |
//! | `annotated/unsampled` | 26.3 µs | 1.7 µs | | 19,800 |
//! | `annotated/sampled` | 27.4 µs | 2.7 µs | 5 µs | 31,700 |
//!
//! 100 of the 145 instructions of `nothing/annotated` copy the request of 640 bytes, once more than without the
//! attribute.
//!
//! The instructions of `interceptor/sampled`:
//!
//! * 8,200 in the SDK, which checks in its configuration before each of 19 hooks whether the interceptor is disabled.
//!   Since version 1.20 of `aws-smithy-runtime-api` at the latest, an interceptor can name the hooks that it has, and
//!   the SDK skips the others: the hidden method `Intercept::overridden_hooks`. That version needs Rust 1.94, and this
//!   library builds with 1.85 and version 1.9.2, which lacks the method.
//! * 4,500 for the document: 14 allocations for its names and values, their release, and the subsegment list of the
//!   segment.
//! * 2,200 for the header: its text, the conversions of the SDK's type, and the growth of the request's header map.
//! * 1,500 to find the recorded parameters in the bodies of the request and the response.
//! * 1,100 for the names of the service, the operation and the region, and 800 to begin the subsegment.
//! * The rest in the allocator, which is slower with more memory in use.
//!
//! `annotated/sampled` has 7,000 instructions more, in which the SDK creates and merges a configuration for one
//! operation.

use std::env;
use std::hint::black_box;
use std::pin::Pin;
use std::time::{Duration, Instant};

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Builder, Region};
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::get_item::{GetItemError, GetItemOutput};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use xray::aws_sdk::SubsegmentInterceptor;
use xray::emitter::{Emitter, FinishedSegment};
use xray::{Instrument as _, Recorder, Segment};

type Output = Result<GetItemOutput, SdkError<GetItemError>>;

/// A connector that answers at once.
#[derive(Debug)]
struct AtOnce;

impl HttpConnector for AtOnce {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let response = http::Response::builder().header("x-amzn-requestid", "R").body(SdkBody::from("{}")).unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::try_from(response).unwrap()))
    }
}

/// An interceptor that does nothing. It shows the cost of the SDK's calls of an interceptor.
#[derive(Debug)]
struct Idle;

impl Intercept for Idle {
    fn name(&self) -> &'static str {
        "idle"
    }
}

#[derive(Debug)]
struct Nowhere;

impl Emitter for Nowhere {
    fn emit(&self, segment: FinishedSegment) {
        drop(segment);
    }
}

async fn plain(client: &Client) -> Output {
    client.get_item().table_name("orders").send().await
}

/// Customises an operation by hand, as the attribute does. It shows the SDK's own cost of a customised operation.
async fn customized(client: &Client) -> Output {
    client.get_item().table_name("orders").customize().interceptor(Idle).send().await
}

#[xray::traced_http]
async fn annotated(client: &Client) -> Output {
    client.get_item().table_name("orders").send().await
}

/// A request with the methods of the SDK's requests, and of the size of theirs. It sends nothing, so that the
/// attribute's own work can be measured: next to an operation of the SDK it is lost in the noise.
struct Nothing([u64; 80]);

impl Nothing {
    fn customize(self) -> Self {
        self
    }

    fn interceptor(self, _: impl Intercept + 'static) -> Self {
        self
    }

    async fn send(self) -> u64 {
        self.0[7]
    }
}

fn nothing() -> Nothing {
    Nothing(black_box([7; 80]))
}

async fn plain_nothing() -> u64 {
    nothing().send().await
}

#[xray::traced_http]
async fn annotated_nothing() -> u64 {
    nothing().send().await
}

/// A row of the table. The closure runs its operation many times.
type Row<'a> = (&'a str, Box<dyn Fn(u32) -> Pin<Box<dyn Future<Output = ()> + 'a>> + 'a>);

/// Begins a segment.
type Begin<'a> = &'a dyn Fn() -> Segment;

/// Creates a row. Its operations run in a segment if a function to begin one is given.
fn row<'a, F: Future>(name: &'a str, segment: Option<Begin<'a>>, run: impl Fn() -> F + Copy + 'a) -> Row<'a> {
    let batch = move |runs| async move {
        for _ in 0..runs {
            black_box(run().await);
        }
    };
    let batch = move |runs| -> Pin<Box<dyn Future<Output = ()> + 'a>> {
        match segment {
            Some(begin) => Box::pin(batch(runs).in_segment(begin())),
            None => Box::pin(batch(runs)),
        }
    };
    (name, Box::new(batch))
}

/// Prints the time of each row, which is that of its shortest batch, and the difference from the first row.
///
/// The rows take turns, so that the load of the machine affects all rows alike.
async fn compare(rows: &[Row<'_>], runs: u32) {
    const ROUNDS: u32 = 300;

    let mut best = vec![Duration::MAX; rows.len()];
    for _ in 0..ROUNDS {
        for (best, (_, batch)) in best.iter_mut().zip(rows) {
            let start = Instant::now();
            batch(runs).await;
            *best = (*best).min(start.elapsed() / runs);
        }
    }
    for ((name, _), took) in rows.iter().zip(&best) {
        let added = took.as_secs_f64() - best[0].as_secs_f64();
        println!("{name:28} {took:>10.2?} {:+10.0} ns", added * 1e9);
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let settings = || {
        let client = http_client_fn(|_, _| SharedHttpConnector::new(AtOnce));
        Builder::default()
            .endpoint_url("http://127.0.0.1:9")
            .region(Region::from_static("eu-west-1"))
            .credentials_provider(Credentials::new("AKIDEXAMPLE", "SECRETEXAMPLE", None, None, "bench"))
            .behavior_version(BehaviorVersion::latest())
            .http_client(client)
    };
    let client = Client::from_conf(settings().build());
    let idle = Client::from_conf(settings().interceptor(Idle).build());
    let intercepted = Client::from_conf(settings().interceptor(SubsegmentInterceptor::new()).build());
    let recorder = Recorder::builder().emitter(Nowhere).build();
    let segment = |sampled: bool| Segment::builder("bench").recorder(&recorder).sampled(sampled).begin();
    let (unsampled, sampled) = (|| segment(false), || segment(true));

    let of_the_attribute = [row("nothing", None, plain_nothing), row("nothing/annotated", None, annotated_nothing)];
    let of_the_sdk = [
        row("sdk", None, || plain(&client)),
        row("sdk/idle_interceptor", None, || plain(&idle)),
        row("sdk/customized", None, || customized(&client)),
        row("interceptor/outside", None, || plain(&intercepted)),
        row("interceptor/unsampled", Some(&unsampled), || plain(&intercepted)),
        row("interceptor/sampled", Some(&sampled), || plain(&intercepted)),
        row("annotated/outside", None, || annotated(&client)),
        row("annotated/unsampled", Some(&unsampled), || annotated(&client)),
        row("annotated/sampled", Some(&sampled), || annotated(&client)),
    ];
    // `overhead ROW RUNS` runs a single row, for valgrind.
    let arguments: Vec<_> = env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if let [wanted, runs] = &arguments[..] {
        for (_, batch) in of_the_attribute.iter().chain(&of_the_sdk).filter(|(name, _)| name == wanted) {
            batch(runs.parse().unwrap()).await;
        }
        return;
    }
    compare(&of_the_attribute, 5000).await;
    compare(&of_the_sdk, 20).await;
}
