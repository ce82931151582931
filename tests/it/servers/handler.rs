//! The handler that all servers run. The path of a request selects the work of the handler.

use std::io;

use axum::body::Bytes;
use futures::stream::{self, BoxStream, StreamExt as _};
use xray::Instrument as _;

pub(super) type Chunk = Result<Bytes, io::Error>;

#[xray::traced_http]
async fn fetch(url: String) -> Bytes {
    match reqwest::get(url).await {
        Ok(response) => response.bytes().await.unwrap_or_default(),
        Err(error) => error.to_string().into(),
    }
}

/// Answers a request. `upstream` is the URL of the service that the handler calls.
pub(super) async fn handle(path: String, upstream: String) -> BoxStream<'static, Chunk> {
    match path.as_str() {
        "/call" => {
            xray::current().annotate("called", true);
            one(fetch(format!("{upstream}/bytes/3")).await)
        }
        "/held" => one(fetch(format!("{upstream}/held")).await),
        "/part" => {
            async {
                tokio::task::yield_now().await;
                panic!("no way out")
            }
            .in_subsegment("part")
            .await
        }
        "/stream" => {
            fetch(format!("{upstream}/bytes/1")).await;
            let at_the_end = AtTheEnd;
            let chunks = stream::unfold(2, move |length| {
                let _ = &at_the_end;
                let url = format!("{upstream}/bytes/{length}");
                async move { if length < 4 { Some((Ok(fetch(url).await), length + 1)) } else { None } }
            });
            chunks.boxed()
        }
        "/failing" => {
            let end = Err(io::Error::other("the disk is gone"));
            stream::iter([Ok(Bytes::from_static(b"abc")), end]).boxed()
        }
        path => one(Bytes::from(path.to_owned())),
    }
}

fn one(text: Bytes) -> BoxStream<'static, Chunk> {
    stream::iter([Ok(text)]).boxed()
}

/// Records a subsegment when a stream is dropped.
struct AtTheEnd;

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        xray::current().subsegment("at the end").end();
    }
}
