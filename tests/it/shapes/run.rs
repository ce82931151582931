//! Runs one version of a function, and compares its result, its requests and its subsegments with the expected ones.

use std::fmt::Debug;
use std::future::Future;

use reqwest::Client;
use support::documents::capture;
use xray::{Document, Instrument as _, Namespace, Sampled};

use support::Server;

/// A request that is expected at the service.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    line: &'static str,
    is_recorded: bool,
    end: End,
}

/// How the subsegment of a call ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    /// With the response and its status.
    Status,
    /// With the result of the call, which has no status.
    Result,
    Cancelled,
}

/// Expects a request that the attribute traces, such as `recorded("GET /bytes/1")`.
pub(crate) fn recorded(line: &'static str) -> Call {
    Call { line, is_recorded: true, end: End::Status }
}

/// Expects a request of a traced call whose result does not show the response.
pub(crate) fn timed(line: &'static str) -> Call {
    Call { line, is_recorded: true, end: End::Result }
}

/// Expects a request of a call that the attribute leaves alone.
pub(crate) fn unrecorded(line: &'static str) -> Call {
    Call { line, is_recorded: false, end: End::Status }
}

/// Expects a traced request whose future is dropped before the response.
pub(crate) fn cancelled(line: &'static str) -> Call {
    Call { line, is_recorded: true, end: End::Cancelled }
}

/// A service, a client, and whether the functions that run here have the real attribute.
pub(crate) struct Run {
    is_traced: bool,
    server: Server,
    pub(crate) client: Client,
}

impl Run {
    pub(crate) async fn start(is_traced: bool) -> Self {
        Self { is_traced, server: Server::start().await, client: Client::new() }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        self.server.url(path)
    }

    /// Waits until a request with this path has arrived at the service.
    pub(crate) async fn arrival(&self, path: &str) {
        self.server.arrival(path).await;
    }

    /// Runs a function that makes no HTTP call.
    pub(crate) async fn check<T: Debug + PartialEq>(&self, name: &str, run: impl Future<Output = T>, expected: T) {
        self.check_calls(name, run, expected, &[]).await;
    }

    /// Runs a function inside a segment, and checks its result, the requests at the service, and the subsegments of the
    /// segment.
    pub(crate) async fn check_calls<T: Debug + PartialEq>(
        &self,
        name: &str,
        run: impl Future<Output = T>,
        expected: T,
        calls: &[Call],
    ) {
        let (result, documents) = capture(run.in_segment("shape")).await;
        assert_eq!(result, expected, "result of {name}");
        assert_eq!(documents.len(), 1, "documents of {name}: {documents:#?}");
        self.check_requests(name, &documents[0], calls);
        let calls = calls.iter().filter(|call| self.is_traced && call.is_recorded);
        let expected = sorted(calls.map(|call| (call.line.to_owned(), call.end)));
        assert_eq!(sorted(documents[0].subsegments.iter().map(line)), expected, "subsegments of {name}");
    }

    /// Checks the requests at the service, and that each recorded request carries the id of its own subsegment.
    fn check_requests(&self, name: &str, segment: &Document, calls: &[Call]) {
        let seen = self.server.take_seen();
        let lines = sorted(seen.iter().map(|seen| format!("{} {}", seen.method, seen.uri)));
        assert_eq!(lines, sorted(calls.iter().map(|call| call.line.to_owned())), "requests of {name}");
        let (traced, untraced): (Vec<_>, Vec<_>) = seen.iter().partition(|seen| !seen.trace_headers().is_empty());
        for request in &traced {
            let header = request.trace_header();
            assert_eq!((header.root, header.sampled), (segment.trace_id, Some(Sampled::Yes)), "{name}");
        }
        let parents = sorted(traced.iter().map(|seen| seen.trace_header().parent));
        let ids = sorted(segment.subsegments.iter().map(|subsegment| Some(subsegment.id)));
        assert_eq!(parents, ids, "parents in the headers of {name}");
        let silent = calls.iter().filter(|call| !self.is_traced || !call.is_recorded).count();
        assert_eq!(untraced.len(), silent, "requests of {name} without a header");
    }
}

/// Returns the method and path of a subsegment's request, and how the subsegment ended.
fn line(subsegment: &Document) -> (String, End) {
    assert_eq!((subsegment.name.as_str(), subsegment.namespace), ("127.0.0.1", Some(Namespace::Remote)));
    assert!(subsegment.subsegments.is_empty(), "{subsegment:#?}");
    let http = subsegment.http.as_ref().unwrap();
    let request = http.request.as_ref().unwrap();
    let url = reqwest::Url::parse(request.url.as_ref().unwrap()).unwrap();
    let end = match http.response.and_then(|response| response.status) {
        _ if subsegment.metadata.contains_key("xray") => End::Cancelled,
        Some(status) => {
            assert_eq!(status, 200);
            End::Status
        }
        None => End::Result,
    };
    (format!("{} {}", request.method.as_ref().unwrap(), url.path()), end)
}

fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut items: Vec<_> = items.collect();
    items.sort();
    items
}
