//! fastrace, with a reporter that does nothing.

use fastrace::collector::{Config, Reporter, SpanRecord};
use fastrace::prelude::{LocalSpan, Span, SpanContext};
use http::Request;

use crate::Peer;

pub(crate) struct Fastrace(());

impl Fastrace {
    pub(crate) fn new() -> Self {
        fastrace::set_reporter(Null, Config::default());
        Self(())
    }
}

impl Peer for Fastrace {
    fn name(&self) -> &'static str {
        "fastrace (no document, no header)"
    }

    fn segment(&self, requests: Vec<Request<()>>, is_sampled: bool) {
        let root = Span::root("todo-app", SpanContext::random().sampled(is_sampled));
        let _current = root.set_local_parent();
        for request in requests {
            let span = LocalSpan::enter_with_local_parent(request.uri().host().unwrap().to_owned());
            let _span = span.with_properties(|| {
                [
                    ("method", request.method().to_string()),
                    ("url", request.uri().to_string()),
                    ("status", "200".to_owned()),
                ]
            });
        }
    }

    fn flush(&self) {
        fastrace::flush();
    }
}

struct Null;

impl Reporter for Null {
    fn report(&mut self, _spans: Vec<SpanRecord>) {}
}
