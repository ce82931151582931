//! The task of a pooled connection holds the span in which it was spawned, and enters it as long as the connection
//! lives. The span's subsegment ends with its own work all the same, and leaves with its segment.

use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tracing::instrument;
use tracing_subscriber::prelude::*;
use xray::emitter::MemoryEmitter;
use xray::sampling::Always;
use xray::{Document, Instrument as _, Recorder, Segment};

type Pool = Client<HttpConnector, Empty<&'static [u8]>>;

/// A service that keeps connections alive. Counts the connections that have ended.
async fn serve(listener: TcpListener, ended: tokio::sync::mpsc::UnboundedSender<()>) {
    loop {
        let (connection, _) = listener.accept().await.unwrap();
        let ended = ended.clone();
        tokio::spawn(async move {
            answer(connection).await;
            let _ = ended.send(());
        });
    }
}

async fn answer(mut connection: TcpStream) {
    let mut received = Vec::new();
    while let Ok(1..) = connection.read_buf(&mut received).await {
        if received.ends_with(b"\r\n\r\n") {
            received.clear();
            connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
        }
    }
}

#[instrument(skip_all)]
async fn fetch(pool: &Pool, url: &str) {
    let response = pool.get(url.parse().unwrap()).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "ok");
}

#[instrument(skip_all)]
async fn around(pool: &Pool, url: &str) {
    fetch(pool, url).await;
}

/// Writes documents as `name(subsegments)`, in the order of their starts.
// A connection's task may close a span at any time, so the order of the ends is not always that in a document.
fn tree(documents: &[Document]) -> String {
    let mut documents: Vec<_> = documents.iter().collect();
    documents.sort_by(|one, other| one.start_time.total_cmp(&other.start_time));
    let one = |document: &Document| match &document.subsegments[..] {
        [] => document.name.clone(),
        inner => format!("{}({})", document.name, tree(inner)),
    };
    documents.into_iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Checks that no subsegment outlasts the document around it, and that siblings follow each other.
fn check(document: &Document) {
    let mut last = document.start_time;
    let mut subsegments: Vec<_> = document.subsegments.iter().collect();
    subsegments.sort_by(|one, other| one.start_time.total_cmp(&other.start_time));
    for inner in subsegments {
        assert!(last <= inner.start_time && inner.end_time <= document.end_time, "{document:#?}");
        last = inner.end_time.unwrap();
        check(inner);
    }
}

async fn work(pool: Pool, url: String, recorder: Recorder) {
    let job = async {
        around(&pool, &url).await;
        fetch(&pool, &url).await;
        async {
            // A connection of its own, as its pool is another.
            fetch(&new_pool(), &url).await;
            xray::current().subsegment("after").end();
        }
        .in_subsegment("part")
        .await;
        fetch(&pool, &url).await;
    };
    job.in_segment(Segment::builder("job").recorder(&recorder)).await;
}

fn new_pool() -> Pool {
    Client::builder(TokioExecutor::new()).build_http()
}

async fn run(is_spawned: bool) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (ending, mut ended) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(serve(listener, ending));

    let emitter = MemoryEmitter::new();
    let recorder = Recorder::builder().sampler(Always).emitter(emitter.clone()).build();
    let pool = new_pool();
    let work = work(pool.clone(), url.clone(), recorder);
    if is_spawned {
        tokio::spawn(work).await.unwrap()
    } else {
        work.await
    }

    let documents = emitter.take();
    assert_eq!(tree(&documents), "job(around(fetch), fetch, part(fetch, after), fetch)");
    check(&documents[0]);

    // The connection is used, and then closed, after the segment has ended.
    fetch(&pool, &url).await;
    drop(pool);
    for _ in 0..2 {
        ended.recv().await.unwrap();
    }
    tokio::task::yield_now().await;
    assert_eq!(tree(&emitter.take()), "", "what has ended leaves with its segment");
}

fn main() {
    tracing_subscriber::registry().with(xray::tracing::SubsegmentLayer::new()).init();
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run(false));
    for is_spawned in [false, true] {
        tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(run(is_spawned));
    }
}
