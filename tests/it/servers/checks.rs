//! The checks that every server integration passes: the subsegments of a request, for each way in which a request can
//! end.

use std::time::Duration;

use axum::body::Bytes;
use futures::future::join_all;
use futures::stream::{BoxStream, StreamExt as _};
use xray::emitter::MemoryEmitter;
use xray::{Document, Recorder, SegmentId};

use support::documents::checked;
use support::subsegments::{exceptions, is_cancelled};
use support::{Always, Seen, Server};

pub(super) const ROOT: &str = "1-5759e988-bd862e3fe1be46a994272793";
pub(super) const PARENT: &str = "53995c3f42cd8ad8";

/// The body of a response, or the text of an error.
pub(super) type Reply = Result<BoxStream<'static, Result<Bytes, String>>, String>;

/// A server that runs the [`handle`](super::handler::handle) of the tests.
pub(super) trait Host {
    /// `true` if the integration sends a segment for each request. In Lambda, the service sends the segment.
    const SENDS_SEGMENTS: bool;

    async fn start(recorder: &Recorder, upstream: &Server) -> Self;

    /// Sends a request with this trace header. The client disconnects if the future or the reply is dropped.
    async fn request(&self, path: &str, header: &str) -> Reply;
}

pub(super) async fn run<H: Host>() {
    calls_of_a_handler_are_below_the_request::<H>().await;
    an_unsampled_trace_continues::<H>().await;
    a_stream_is_part_of_its_request::<H>().await;
    a_client_that_hangs_up_cancels_the_calls_in_flight::<H>().await;
    a_client_that_hangs_up_in_the_body_drops_it_in_the_request::<H>().await;
    what_is_open_is_reported_and_sent_again::<H>().await;
    a_panic_is_the_cause_of_what_it_leaves_open::<H>().await;
    requests_at_once_keep_apart::<H>().await;
    a_disabled_recorder_changes_nothing::<H>().await;
}

struct Checked<H> {
    host: H,
    emitter: MemoryEmitter,
    upstream: Server,
}

impl<H: Host> Checked<H> {
    async fn start() -> Self {
        Self::with(Recorder::builder().sampler(Always)).await
    }

    async fn with(builder: xray::RecorderBuilder) -> Self {
        let (emitter, upstream) = (MemoryEmitter::new(), Server::start().await);
        let recorder = builder.emitter(emitter.clone()).build();
        Self { host: H::start(&recorder, &upstream).await, emitter, upstream }
    }

    /// Sends a request and reads the whole response.
    async fn get(&self, path: &str, header: &str) -> Result<String, String> {
        let mut body = self.host.request(path, header).await?;
        let mut text = Vec::new();
        while let Some(chunk) = body.next().await {
            text.extend_from_slice(&chunk?);
        }
        Ok(String::from_utf8(text).unwrap())
    }

    /// Waits until `count` subsegments have ended. Returns the subsegments, each after the id of its parent, in the
    /// order of their starts.
    async fn ended(&self, count: usize) -> Vec<(SegmentId, Document)> {
        let found = self.ended_until(|found| found.len() >= count).await;
        assert_eq!(found.len(), count, "{found:#?}");
        found
    }

    async fn ended_until(&self, is_enough: impl Fn(&[(SegmentId, Document)]) -> bool) -> Vec<(SegmentId, Document)> {
        let mut found = Vec::new();
        for _ in 0..6_000 {
            for document in checked(self.emitter.take()) {
                if document.in_progress {
                    continue;
                }
                // The document is a subsegment that was sent by itself, or a segment with its subsegments.
                match document.kind {
                    Some(_) => found.push((document.parent_id.unwrap(), document)),
                    None => found.extend(Self::inside(document)),
                }
            }
            if is_enough(&found) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        found.sort_by(|(_, one), (_, other)| one.start_time.total_cmp(&other.start_time));
        found
    }

    fn inside(segment: Document) -> Vec<(SegmentId, Document)> {
        assert!(H::SENDS_SEGMENTS, "{segment:#?}");
        assert_eq!(segment.parent_id.unwrap().to_string(), PARENT, "{segment:#?}");
        let id = segment.id;
        segment.subsegments.into_iter().map(|part| (id, part)).collect()
    }
}

fn sampled() -> String {
    format!("Root={ROOT};Parent={PARENT};Sampled=1")
}

/// Checks that all subsegments have one parent: the segment of the request, or in Lambda the segment in the header.
#[track_caller]
fn check_below_the_request<H: Host>(parts: &[(SegmentId, Document)]) {
    for (parent, _) in parts {
        assert_eq!(*parent, parts[0].0, "{parts:#?}");
        assert_eq!(parent.to_string() == PARENT, !H::SENDS_SEGMENTS, "{parts:#?}");
    }
}

fn names(parts: &[(SegmentId, Document)]) -> Vec<&str> {
    parts.iter().map(|(_, part)| part.name.as_str()).collect()
}

async fn calls_of_a_handler_are_below_the_request<H: Host>() {
    let checked = Checked::<H>::start().await;
    assert_eq!(checked.get("/call", &format!("{};Lineage=a:1", sampled())).await.unwrap(), "xxx");
    let parts = checked.ended(1).await;
    check_below_the_request::<H>(&parts);
    let sent = checked.upstream.take_seen()[0].trace_headers();
    assert_eq!(sent, [format!("Root={ROOT};Parent={};Sampled=1;Lineage=a:1", parts[0].1.id)]);
}

async fn an_unsampled_trace_continues<H: Host>() {
    let checked = Checked::<H>::start().await;
    let header = sampled().replace("Sampled=1", "Sampled=0");
    for path in ["/call", "/stream"] {
        checked.get(path, &header).await.unwrap();
    }
    assert!(checked.emitter.take().is_empty());
    for seen in checked.upstream.take_seen() {
        let header = seen.trace_header();
        assert_eq!((header.root.unwrap().to_string().as_str(), header.sampled), (ROOT, Some(xray::Sampled::No)));
    }
}

async fn a_stream_is_part_of_its_request<H: Host>() {
    let checked = Checked::<H>::start().await;
    assert_eq!(checked.get("/stream", &sampled()).await.unwrap(), "xxxxx");
    let parts = checked.ended(4).await;
    check_below_the_request::<H>(&parts);
    assert_eq!(names(&parts), ["127.0.0.1", "127.0.0.1", "127.0.0.1", "at the end"]);
    let ids: Vec<_> = parts[..3].iter().map(|(_, call)| Some(call.id)).collect();
    let sent: Vec<_> = checked.upstream.take_seen().iter().map(|seen| seen.trace_header().parent).collect();
    assert_eq!(sent, ids);
}

async fn a_client_that_hangs_up_cancels_the_calls_in_flight<H: Host>() {
    let checked = Checked::<H>::start().await;
    let header = sampled();
    tokio::select! {
        _ = checked.get("/held", &header) => unreachable!("the service upstream does not answer"),
        () = checked.upstream.arrival("/held") => {}
    }
    let parts = checked.ended(1).await;
    check_below_the_request::<H>(&parts);
    assert!(is_cancelled(&parts[0].1) && !parts[0].1.fault, "{parts:#?}");
}

async fn a_client_that_hangs_up_in_the_body_drops_it_in_the_request<H: Host>() {
    let checked = Checked::<H>::start().await;
    let mut body = checked.host.request("/stream", &sampled()).await.unwrap();
    assert_eq!(body.next().await.unwrap().unwrap(), "xx");
    drop(body);
    // The server may already have made the call for the next chunk.
    let is_dropped = |parts: &[(SegmentId, Document)]| parts.iter().any(|(_, part)| part.name == "at the end");
    let parts = checked.ended_until(is_dropped).await;
    assert!(is_dropped(&parts), "{parts:#?}");
    check_below_the_request::<H>(&parts);
}

async fn what_is_open_is_reported_and_sent_again<H: Host>() {
    let recorder = Recorder::builder().sampler(Always).in_progress_after(Duration::from_millis(50));
    let checked = Checked::<H>::with(recorder).await;
    let reported = async {
        loop {
            if let Some(document) = checked.emitter.take().pop() {
                break document;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let header = sampled();
    let held = checked.get("/held", &header);
    let released = async {
        checked.upstream.arrival("/held").await;
        let open = reported.await;
        checked.upstream.release();
        open
    };
    let (answer, open) = tokio::join!(held, released);
    assert_eq!(answer.unwrap(), "");
    assert!(open.in_progress && open.end_time.is_none(), "{open:#?}");
    let parts = checked.ended(1).await;
    check_below_the_request::<H>(&parts);
    assert_eq!(open.id, if H::SENDS_SEGMENTS { parts[0].0 } else { parts[0].1.id });
}

async fn a_panic_is_the_cause_of_what_it_leaves_open<H: Host>() {
    let checked = Checked::<H>::start().await;
    assert!(checked.get("/part", &sampled()).await.is_err());
    let parts = checked.ended(1).await;
    check_below_the_request::<H>(&parts);
    assert_eq!(exceptions(&parts[0].1)[0].message.as_deref(), Some("no way out"));
    assert!(parts[0].1.fault && !is_cancelled(&parts[0].1));
    assert_eq!(checked.get("/call", &sampled()).await.unwrap(), "xxx", "the server keeps running");
}

async fn requests_at_once_keep_apart<H: Host>() {
    const MANY: usize = 30;

    let checked = Checked::<H>::start().await;
    let header = |number: usize| format!("Root=1-5759e988-{number:024x};Parent={PARENT};Sampled=1");
    let requests = (0..MANY).map(|number| {
        let (checked, header) = (&checked, header(number));
        async move { checked.get("/stream", &header).await.unwrap() }
    });
    assert!(join_all(requests).await.iter().all(|text| text == "xxxxx"));
    let parts = checked.ended(4 * MANY).await;
    let roots = checked.upstream.take_seen().iter().map(Seen::trace_header).collect::<Vec<_>>();
    for number in 0..MANY {
        let root = format!("1-5759e988-{number:024x}");
        let of_trace = roots.iter().filter(|header| header.root.unwrap().to_string() == root);
        let ids: Vec<_> = of_trace.map(|header| header.parent.unwrap()).collect();
        assert_eq!(ids.len(), 3);
        let calls: Vec<_> = parts.iter().filter(|(_, part)| ids.contains(&part.id)).collect();
        assert!(calls.len() == 3 && calls.iter().all(|(parent, _)| *parent == calls[0].0), "{calls:#?}");
    }
}

async fn a_disabled_recorder_changes_nothing<H: Host>() {
    let checked = Checked::<H>::with(Recorder::builder().enabled(false)).await;
    assert_eq!(checked.get("/call", &sampled()).await.unwrap(), "xxx");
    assert_eq!(checked.get("/stream", &sampled()).await.unwrap(), "xxxxx");
    assert!(checked.emitter.take().is_empty());
    assert!(checked.upstream.take_seen().iter().all(|seen| seen.trace_headers().is_empty()));
}
