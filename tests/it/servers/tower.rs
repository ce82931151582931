//! An axum server with the layer.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;
use http::StatusCode;
use xray::Recorder;
use xray::tower::SegmentLayer;

use super::checks::{self, Host, Reply};
use super::handler::handle;
use super::segments;
use support::Server;

pub(super) struct Axum(SocketAddr);

impl Axum {
    async fn serve(router: Router) -> Self {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async { axum::serve(listener, router).await });
        Self(address)
    }
}

/// Sends a request over a new connection.
pub(super) async fn fetch(address: SocketAddr, path: &str, header: &str) -> Reply {
    let call = reqwest::Client::new().get(format!("http://{address}{path}")).header("x-amzn-trace-id", header);
    let response = call.send().await.map_err(|error| error.to_string())?;
    let chunks = futures::stream::unfold(response, |mut response| async {
        let chunk = response.chunk().await.map_err(|error| error.to_string()).transpose()?;
        Some((chunk, response))
    });
    Ok(chunks.boxed())
}

impl Host for Axum {
    const SENDS_SEGMENTS: bool = true;

    async fn start(recorder: &Recorder, upstream: &Server) -> Self {
        let upstream = upstream.url("");
        let handler = async move |request: Request| {
            Response::new(Body::from_stream(handle(request.uri().path().to_owned(), upstream).await))
        };
        Self::serve(Router::new().fallback(handler).layer(SegmentLayer::new("todo-app").recorder(recorder))).await
    }

    async fn request(&self, path: &str, header: &str) -> Reply {
        fetch(self.0, path, header).await
    }
}

impl segments::Served for Axum {
    async fn start(recorder: &Recorder, settings: segments::Settings) -> Self {
        let layer = match settings.pattern {
            Some((pattern, fallback)) => SegmentLayer::dynamic(pattern, fallback),
            None => SegmentLayer::new("todo-app"),
        };
        let address = |parts: &http::request::Parts| parts.headers.get("x-client")?.to_str().ok()?.parse().ok();
        let layer = layer.trust(settings.trust).forwarded_for(settings.forwarded_for).client_ip(address);
        Self::serve(Router::new().fallback(answer).layer(layer.recorder(recorder))).await
    }

    fn address(&self) -> SocketAddr {
        self.0
    }
}

/// Answers `/status/{code}` with the status `code`, and any other path with the text of the path.
async fn answer(request: Request) -> Response {
    match segments::code(request.uri().path()) {
        Some(code) => StatusCode::from_u16(code).unwrap().into_response(),
        None => request.uri().path().to_owned().into_response(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn axum_passes_the_checks_of_every_server() {
    checks::run::<Axum>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn axum_passes_the_checks_of_every_server_with_segments() {
    segments::run::<Axum>().await;
}
