//! HTTP connections: how many, for how long, and how they end.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;

/// So many at a time; further ones wait.
const CONNECTIONS: usize = 256;

/// For so long a client may take over the head of a request, or be silent before the next one.
const HEAD: Duration = Duration::from_secs(10);

/// What of a request may wait to be looked at, its head as a whole.
const BUFFER: usize = 64 * 1024;

/// For so long a client may take nothing of an answer.
const WRITING: Duration = Duration::from_secs(10);

/// For so long answers may be on their way when the server ends.
const ENDING: Duration = Duration::from_secs(1);

/// Serves until `end`.
pub(super) async fn serve(listener: TcpListener, router: Router, end: impl Future) {
    let mut end = std::pin::pin!(end);
    let (connections, ending) = (Arc::new(Semaphore::new(CONNECTIONS)), GracefulShutdown::new());
    loop {
        let accept = async {
            let room = Arc::clone(&connections).acquire_owned().await.expect("never closed");
            (listener.accept().await, room)
        };
        tokio::select! {
            _ = &mut end => break,
            (accepted, room) = accept => match accepted {
                Ok((stream, _)) => {
                    let connection = ending.watch(connection(stream, &router));
                    tokio::spawn(async move {
                        // A client that goes away is no error of ours.
                        let _ = connection.await;
                        drop(room);
                    });
                }
                // Of this connection, or of all (no more files): a pause helps in both cases.
                Err(_) => sleep(Duration::from_millis(20)).await,
            },
        }
    }
    // What is still open then, such as a live page, is dropped with the runtime.
    let _ = timeout(ENDING, ending.shutdown()).await;
}

type Io = TokioIo<std::pin::Pin<Box<TimeoutStream<TcpStream>>>>;

fn connection(stream: TcpStream, router: &Router) -> http1::Connection<Io, TowerToHyperService<Router>> {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITING));
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(Box::pin(stream)), TowerToHyperService::new(router.clone()))
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::body::Bytes;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::oneshot;

    use super::*;

    async fn ask(address: SocketAddr) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        stream
    }

    /// More clients than there is room for, none of which takes its answer: the next one waits for their end, no longer.
    #[tokio::test]
    async fn who_takes_no_answer_is_dropped() {
        let answer = Bytes::from(vec![0; 32 << 20]);
        let router = Router::new().route("/", get(async move || answer.clone()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (end, ended) = oneshot::channel::<()>();
        let serving = tokio::spawn(serve(listener, router, ended));
        let mut idle = Vec::new();
        for _ in 0..CONNECTIONS {
            idle.push(ask(address).await);
        }
        let mut next = ask(address).await;
        let first = timeout(WRITING * 3, next.read_u8()).await;
        assert_eq!(first.expect("there is never room").unwrap(), b'H');
        end.send(()).unwrap();
        timeout(ENDING * 5, serving).await.expect("the end waits for them").unwrap();
    }
}
