//! An axum server with the layer, and the documents that it records.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use xray::document::HttpRequest;
use xray::emitter::MemoryEmitter;
use xray::tower::SegmentLayer;
use xray::{Document, Recorder, RecorderBuilder};

use support::Always;
use support::documents::checked;

pub(super) const ROOT: &str = "1-5759e988-bd862e3fe1be46a994272793";
pub(super) const PARENT: &str = "53995c3f42cd8ad8";

/// A server that ends with the tokio runtime of the test.
pub(super) struct App {
    pub(super) address: SocketAddr,
    emitter: MemoryEmitter,
}

impl App {
    pub(super) async fn start(router: Router) -> Self {
        Self::with(router, Recorder::builder().sampler(Always), SegmentLayer::new("todo-app")).await
    }

    pub(super) async fn with(router: Router, recorder: RecorderBuilder, layer: SegmentLayer) -> Self {
        let emitter = MemoryEmitter::new();
        let recorder = recorder.emitter(emitter.clone()).build();
        let service = router.layer(layer.recorder(&recorder)).into_make_service_with_connect_info::<SocketAddr>();
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async { axum::serve(listener, service).await });
        Self { address, emitter }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Waits for `count` documents and returns them. A segment can end shortly after the client has its response.
    pub(super) async fn documents(&self, count: usize) -> Vec<Document> {
        let mut documents = Vec::new();
        for _ in 0..6_000 {
            documents.append(&mut checked(self.emitter.take()));
            if documents.len() >= count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(documents.len(), count, "{documents:#?}");
        documents
    }

    /// Waits for the document of the only request.
    pub(super) async fn document(&self) -> Document {
        self.documents(1).await.remove(0)
    }

    /// Returns the documents that have ended so far, without waiting.
    pub(super) fn ended(&self) -> Vec<Document> {
        self.emitter.take()
    }
}

pub(super) fn request(document: &Document) -> &HttpRequest {
    document.http.as_ref().and_then(|http| http.request.as_ref()).unwrap()
}
