//! Accepts HTTP connections, within limits of number and time, and closes them at shutdown.

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

/// The most connections open at a time. Further clients wait until one closes.
const MAX_CONNECTIONS: usize = 256;

/// How long a client may take to send a request's head, and how long a connection may be idle between two requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// The size of a connection's read buffer in bytes, which is also the largest head of a request.
const READ_BUFFER: usize = 64 * 1024;

/// How long a write may wait for a client that does not read its response.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long responses in progress may take after shutdown has begun.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// Accepts and serves connections until `shutdown` completes.
pub(super) async fn serve(listener: TcpListener, router: Router, shutdown: impl Future) {
    let mut shutdown = std::pin::pin!(shutdown);
    let (permits, graceful) = (Arc::new(Semaphore::new(MAX_CONNECTIONS)), GracefulShutdown::new());
    loop {
        let accept = async {
            let permit = Arc::clone(&permits).acquire_owned().await.expect("the semaphore is never closed");
            (listener.accept().await, permit)
        };
        tokio::select! {
            _ = &mut shutdown => break,
            (accepted, permit) = accept => match accepted {
                Ok((stream, _)) => {
                    let connection = graceful.watch(connection(stream, &router));
                    tokio::spawn(async move {
                        // An error means that the client misbehaved or left. There is nobody to report it to.
                        let _ = connection.await;
                        drop(permit);
                    });
                }
                // Either this connection failed, or the process has no file descriptors left. A pause keeps the second
                // case from spinning.
                Err(_) => sleep(Duration::from_millis(20)).await,
            },
        }
    }
    // The caller drops the runtime next, and with it the connections that are still open.
    let _ = timeout(SHUTDOWN_TIMEOUT, graceful.shutdown()).await;
}

type Io = TokioIo<std::pin::Pin<Box<TimeoutStream<TcpStream>>>>;

fn connection(stream: TcpStream, router: &Router) -> http1::Connection<Io, TowerToHyperService<Router>> {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_TIMEOUT));
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(READ_BUFFER)
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

    async fn send_request(address: SocketAddr) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        stream
    }

    /// The clients take all connections and none reads its response. The next client waits for the write timeout, no
    /// longer.
    #[tokio::test]
    async fn a_client_that_does_not_read_its_response_is_disconnected() {
        let response = Bytes::from(vec![0; 32 << 20]);
        let router = Router::new().route("/", get(async move || response.clone()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (shutdown, is_shut_down) = oneshot::channel::<()>();
        let serving = tokio::spawn(serve(listener, router, is_shut_down));
        let mut idle = Vec::new();
        for _ in 0..MAX_CONNECTIONS {
            idle.push(send_request(address).await);
        }
        let mut next = send_request(address).await;
        let first = timeout(WRITE_TIMEOUT * 3, next.read_u8()).await;
        assert_eq!(first.expect("no connection was closed").unwrap(), b'H');
        shutdown.send(()).unwrap();
        timeout(SHUTDOWN_TIMEOUT * 5, serving).await.expect("shutdown waits for idle clients").unwrap();
    }
}
