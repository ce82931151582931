//! Ours.

use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::Request;
use xray::emitter::OtlpEmitter;
use xray::http::{Call, CallParent, CallSite, DeferredCall, Sent, Traceable, methods};
use xray::{Recorder, Sampled, Segment, TraceHeader};

use crate::Peer;

pub(crate) struct Xray {
    name: &'static str,
    recorder: Recorder,
}

impl Xray {
    pub(crate) fn new(daemon: &SocketAddr) -> Self {
        let builder = Recorder::builder().sampler(xray::sampling::Always).daemon_address(daemon.to_string());
        Self { name: "xray", recorder: builder.build() }
    }

    /// Creates a peer that sends spans to a collector.
    pub(crate) fn otlp(collector: &SocketAddr) -> Self {
        let emitter = OtlpEmitter::builder().endpoint(format!("http://{collector}")).build().unwrap();
        let builder = Recorder::builder().sampler(xray::sampling::Always).emitter(emitter);
        Self { name: "xray, OtlpEmitter", recorder: builder.build() }
    }
}

impl Peer for Xray {
    fn name(&self) -> &'static str {
        self.name
    }

    fn segment(&self, requests: Vec<Request<()>>, is_sampled: bool) {
        let mut header = TraceHeader::default();
        header.sampled = Some(if is_sampled { Sampled::Yes } else { Sampled::No });
        let segment = Segment::builder("todo-app").recorder(&self.recorder).trace_header(&header).begin();
        segment.in_scope(|| {
            for request in requests {
                assert_eq!(finish(call(request)), 200);
            }
        });
    }

    fn flush(&self) {
        assert!(self.recorder.flush(Duration::from_secs(10)));
    }
}

fn finish<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("the client answers at once"),
    }
}

#[xray::traced_http]
async fn call(request: Request<()>) -> u16 {
    Ping(Box::new(request)).send().await
}

/// A call of a client that does nothing but answer.
struct Ping(Box<Request<()>>);

impl Ping {
    fn send(self) -> Ready<u16> {
        ready(200)
    }
}

impl Traceable<methods::send> for Ping {
    type Traced = TracedPing;

    fn traced(self, site: CallSite) -> TracedPing {
        TracedPing(self, site)
    }
}

struct TracedPing(Ping, CallSite);

impl TracedPing {
    fn send(self) -> impl Future<Output = u16> {
        let Self(ping, site) = self;
        DeferredCall::new(site, move |parent| start(ping, parent), read)
    }
}

fn start(Ping(mut request): Ping, parent: Option<CallParent>) -> Sent<Ready<u16>> {
    let call = parent.map(|parent| parent.begin(request.method(), request.uri()).inject(request.headers_mut()));
    Sent::new(Ping(request).send(), call)
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "an adapter reads by reference")]
fn read(status: &u16, call: &mut Call) {
    call.response(*status, None);
}
