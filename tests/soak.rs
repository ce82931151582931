//! Records under load for minutes, and checks that the memory of the process stays flat and no document is lost from
//! the counts.
//!
//! ```text
//! cargo test -p xray-tests --test soak -- --ignored
//! XRAY_SOAK_SECONDS=1800 cargo test --release -p xray-tests --test soak -- --ignored --nocapture
//! ```

// Memory is read from `/proc`.
#![cfg(target_os = "linux")]

use std::future::pending;
use std::net::{Ipv4Addr, UdpSocket};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs};

use support::{Always, settled};
use tokio::task::{spawn, yield_now};
use tokio::time::{sleep, timeout};
use xray::http::Call;
use xray::{Context, Instrument as _, Recorder, Segment};

/// Longer than the emitter takes for its queue.
const LONG: Duration = Duration::from_secs(60);

/// Tasks that make one segment after the other.
const SERVED: u32 = 8;

/// Tasks that never end, with a subsegment of a segment that has ended.
const LEAKED: usize = 1_000;

/// Runs of a job that starts its own next run in its trace.
const RUNS: usize = 100_000;

/// The percentage by which memory may grow.
const GROWTH: u64 = 5;

#[test]
#[ignore = "takes two minutes"]
fn memory_is_flat_and_no_document_is_lost_from_the_counts() {
    let time = Duration::from_secs(env::var("XRAY_SOAK_SECONDS").map_or(120, |seconds| seconds.parse().unwrap()));
    let daemon = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = daemon.local_addr().unwrap().to_string();
    let received = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&received);
    thread::spawn(move || {
        let mut datagram = vec![0; 65_536];
        while daemon.recv(&mut datagram).is_ok() {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    });
    let recorder = Recorder::builder().sampler(Always).daemon_address(address).build();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();

    let is_over = Arc::new(AtomicBool::new(false));
    let mut tasks = Vec::new();
    let mut start = |task: fn(Recorder, Arc<AtomicBool>, u32) -> Task, number| {
        tasks.push(runtime.spawn(task(recorder.clone(), Arc::clone(&is_over), number)));
    };
    (0..SERVED)
        .for_each(|number| start(|recorder, is_over, number| Box::pin(serve(recorder, is_over, number)), number));
    start(|recorder, is_over, _| Box::pin(never_end(recorder, is_over)), 0);
    start(|recorder, is_over, _| Box::pin(chain(recorder, is_over)), 0);
    {
        let _entered = runtime.enter();
        leak(&recorder);
    }

    let samples = resident_bytes_during(time);
    is_over.store(true, Ordering::Relaxed);
    runtime.block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
    });
    let stats = settled(&recorder, LONG);
    let (first, second) = samples[samples.len() / 4..].split_at(samples.len() * 3 / 8);
    let (first, second) = (median(first), median(second));
    println!(
        "{stats:?}, {} datagrams received, {first} and then {second} bytes resident",
        received.load(Ordering::Relaxed)
    );
    assert!(stats.documents_sent > 100 * time.as_secs(), "{stats:?}");
    assert!(second * 100 <= first * (100 + GROWTH), "{first} bytes resident, and later {second}: {samples:?}");
}

type Task = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

/// Makes segments with calls of every outcome until the time is over.
async fn serve(recorder: Recorder, is_over: Arc<AtomicBool>, number: u32) {
    for round in number.. {
        if is_over.load(Ordering::Relaxed) {
            return;
        }
        let request = async {
            let current = xray::current();
            current.annotate("round", i64::from(round));
            work(round).await;
            call(200).await;
            call(429).await;
            // The call is dropped before it ends.
            let _ = timeout(Duration::from_micros(100), call_of(pending::<u16>())).await;
            if round % 16 == 0 {
                current.record_error(&std::io::Error::other("the test's own error"));
                // Unwinds without the panic hook, which would print each of thousands of panics.
                let panics = spawn(async { resume_unwind(Box::new("the test's own panic")) }.in_current_trace());
                assert!(panics.await.is_err());
            }
        };
        request.in_segment(Segment::builder("served").recorder(&recorder).begin()).await;
        sleep(Duration::from_millis(1)).await;
    }
}

#[xray::traced]
async fn work(round: u32) {
    yield_now().await;
    xray::current().add_metadata("round", round);
}

async fn call(status: u16) {
    call_of(async move {
        yield_now().await;
        status
    })
    .await;
}

async fn call_of(response: impl Future<Output = u16>) {
    let call = xray::http::call("GET", "https://names.example.com/todos/1?token=secret");
    call.run_async(response, |status, call: &mut Call| call.response(*status, None)).await;
}

/// Makes calls in a segment that stays open.
async fn never_end(recorder: Recorder, is_over: Arc<AtomicBool>) {
    let calls = async {
        while !is_over.load(Ordering::Relaxed) {
            call(200).await;
            xray::current().annotate("last", "call");
            sleep(Duration::from_millis(1)).await;
        }
    };
    calls.in_segment(Segment::builder("endless").recorder(&recorder).begin()).await;
}

/// Makes chains of subsegments, each in the one before, which has ended.
async fn chain(recorder: Recorder, is_over: Arc<AtomicBool>) {
    while !is_over.load(Ordering::Relaxed) {
        let segment = Segment::builder("chain").recorder(&recorder).begin();
        let mut last = Context::clone(&segment);
        for run in 0..RUNS {
            let next = last.subsegment("run");
            last = Context::clone(&next);
            next.end();
            if run % 10 == 0 {
                sleep(Duration::from_millis(1)).await;
            }
            if is_over.load(Ordering::Relaxed) {
                return;
            }
        }
    }
}

/// Starts tasks that never end.
fn leak(recorder: &Recorder) {
    for _ in 0..LEAKED {
        let segment = Segment::builder("leaked").recorder(recorder).begin();
        let task = async {
            let _open = xray::current().subsegment("never closed");
            pending::<()>().await;
        };
        segment.in_scope(|| spawn(task.in_current_trace()));
    }
}

/// Reads the resident memory of this process for a time.
fn resident_bytes_during(time: Duration) -> Vec<u64> {
    const PAGE: u64 = 4096;
    let (start, mut samples) = (Instant::now(), Vec::new());
    while start.elapsed() < time {
        thread::sleep(time / 400);
        let pages = fs::read_to_string("/proc/self/statm").unwrap();
        samples.push(pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * PAGE);
    }
    samples
}

fn median(samples: &[u64]) -> u64 {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}
