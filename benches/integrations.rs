//! Measures the time that integrations add to an event: a served request, an outgoing gRPC call, or a query of sqlx.
//! The service answers immediately, so that only the work of the integration is measured.
//!
//! ```text
//! cargo bench -p xray-benches --bench integrations
//! ```
//!
//! A time is that of one event in the shortest of many batches of 100 events. Each batch has one segment, whose begin
//! and end are not measured. A served request is a segment, whose begin and end are measured. Compare only rows of one
//! run. `benches/databases` measures diesel.
//!
//! With rustc 1.95.0, on two cores that did nothing else:
//!
//! | row | time | more |
//! |---|---|---|
//! | a call, plain | 489 ns | |
//! | a gRPC call, outside any segment | 553 ns | 64 ns |
//! | a gRPC call, in an unsampled segment | 615 ns | 126 ns |
//! | a gRPC call, in a sampled segment | 1.2 µs | 0.7 µs |
//! | a served gRPC call, disabled | 557 ns | 68 ns |
//! | a served gRPC call, sampled | 3.4 µs | 2.9 µs |
//! | a request served by actix-web, plain | 535 ns | |
//! | a request served by actix-web, disabled | 635 ns | 100 ns |
//! | a request served by actix-web, sampled | 3.1 µs | 2.6 µs |
//! | a query, without a subscriber | 3 ns | |
//! | a query, the layer, outside any segment | 24 ns | 21 ns |
//! | a query, the layer, unsampled | 19 ns | 16 ns |
//! | a query, the layer, sampled | 713 ns | 0.7 µs |
//! | a query, with statements, sampled | 1.1 µs | 1.1 µs |

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use actix_web::body::MessageBody;
use actix_web::dev::{self, ServiceResponse};
use actix_web::test::{TestRequest, init_service};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::{Body, Frame};
use tower_layer::Layer as _;
use tower_service::Service;
use tracing_subscriber::prelude::*;
use xray::actix_web::SegmentMiddleware;
use xray::emitter::MemoryEmitter;
use xray::tower::{SegmentLayer, SubsegmentLayer};
use xray::{Recorder, Sampled, Segment, TraceHeader};

/// The number of events in one segment.
const EVENTS: u32 = 100;

/// A service that answers immediately.
#[derive(Clone)]
struct AtOnce;

/// A body with trailers and no data.
struct Trailers(Option<HeaderMap>);

impl Service<Request<()>> for AtOnce {
    type Response = Response<Trailers>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Trailers>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        let mut response = Response::new(Trailers(Some(trailers)));
        response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        ready(Ok(response))
    }
}

impl Body for Trailers {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|trailers| Ok(Frame::trailers(trailers))))
    }
}

/// Calls a service and reads the whole response.
fn call<B: Body>(service: &mut impl Service<Request<()>, Response = Response<B>, Error = Infallible>) {
    let mut task = Context::from_waker(Waker::noop());
    let request = Request::post("http://greeter.internal/helloworld.Greeter/SayHello");
    let request = request.header("content-type", "application/grpc").body(()).expect("a request");
    let Poll::Ready(Ok(response)) = pin!(service.call(request)).poll(&mut task) else { unreachable!("it is ready") };
    let mut body = pin!(response.into_body());
    while let Poll::Ready(Some(frame)) = body.as_mut().poll_frame(&mut task) {
        black_box(frame.is_ok());
    }
}

/// Serves a request with an actix-web application, and reads the whole response.
fn serve<S, B>(application: &S)
where
    S: dev::Service<actix_http::Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody,
{
    let mut task = Context::from_waker(Waker::noop());
    let request = TestRequest::get().uri("/todos/7").to_request();
    let Poll::Ready(Ok(response)) = pin!(application.call(request)).poll(&mut task) else {
        unreachable!("it is ready")
    };
    let mut body = pin!(response.into_body());
    while let Poll::Ready(Some(chunk)) = body.as_mut().poll_next(&mut task) {
        black_box(chunk.is_ok());
    }
}

/// Sends the event that sqlx sends at the end of a query.
fn query() {
    tracing::debug!(
        target: "sqlx::query",
        summary = "SELECT id, name FROM …",
        db.statement = "\n\nSELECT id, name FROM users WHERE id = $1\n",
        rows_affected = 0_u64,
        rows_returned = 1_u64,
        elapsed_secs = 0.001_f64,
    );
}

/// Runs an event many times in a row, and returns the time of one.
fn time(mut event: impl FnMut()) -> Duration {
    let start = Instant::now();
    for _ in 0..EVENTS {
        event();
    }
    start.elapsed() / EVENTS
}

/// Returns the time of one event in the shortest of many batches. With a sampling decision, each batch has its own
/// segment.
fn best(recorder: &Recorder, emitter: &MemoryEmitter, sampled: Option<Sampled>, mut event: impl FnMut()) -> Duration {
    let batches = (0..2_000).map(|_| {
        let Some(sampled) = sampled else { return time(&mut event) };
        let mut header = TraceHeader::default();
        header.sampled = Some(sampled);
        let segment = Segment::builder("todo-app").recorder(recorder).trace_header(&header).begin();
        let elapsed = segment.in_scope(|| time(&mut event));
        drop(segment);
        drop(emitter.take());
        elapsed
    });
    batches.min().unwrap_or_default()
}

fn main() {
    // `cargo test --benches` builds and starts this program only to check that it runs.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let emitter = MemoryEmitter::new();
    let recorder = Recorder::builder().sampler(xray::sampling::Always).emitter(emitter.clone()).build();
    let disabled = Recorder::builder().enabled(false).build();
    let row = |name: &str, sampled: Option<Sampled>, event: &mut dyn FnMut()| {
        println!("{name:44} {:>9.1?}", best(&recorder, &emitter, sampled, event));
    };

    row("a call, plain", None, &mut || call(&mut AtOnce));
    let mut client = SubsegmentLayer::new().layer(AtOnce);
    row("a gRPC call, outside any segment", None, &mut || call(&mut client));
    row("a gRPC call, in an unsampled segment", Some(Sampled::No), &mut || call(&mut client));
    row("a gRPC call, in a sampled segment", Some(Sampled::Yes), &mut || call(&mut client));

    for (name, recorder) in [("disabled", &disabled), ("sampled", &recorder)] {
        let layer: SegmentLayer = SegmentLayer::new("todo-app").recorder(recorder);
        let mut server = layer.layer(AtOnce);
        row(&format!("a served gRPC call, {name}"), None, &mut || {
            call(&mut server);
            drop(emitter.take());
        });
    }

    actix_web::rt::System::new().block_on(async {
        let application = || actix_web::App::new().default_service(actix_web::web::to(async || "todo"));
        let plain = init_service(application()).await;
        row("a request served by actix-web, plain", None, &mut || serve(&plain));
        for (name, recorder) in [("disabled", &disabled), ("sampled", &recorder)] {
            let middleware = SegmentMiddleware::new("todo-app").recorder(recorder);
            let traced = init_service(application().wrap(middleware)).await;
            row(&format!("a request served by actix-web, {name}"), None, &mut || {
                serve(&traced);
                drop(emitter.take());
            });
        }
    });

    row("a query, without a subscriber", None, &mut query);
    let layers = [
        ("the layer", xray::tracing::SubsegmentLayer::new()),
        ("with statements", xray::tracing::SubsegmentLayer::new().with_statements(true)),
    ];
    for (name, layer) in layers {
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            row(&format!("a query, {name}, outside any segment"), None, &mut query);
            row(&format!("a query, {name}, unsampled"), Some(Sampled::No), &mut query);
            row(&format!("a query, {name}, sampled"), Some(Sampled::Yes), &mut query);
        });
    }
}
