//! The task that collects spans and sends them.

use std::sync::Arc;
use std::time::Duration;

use http::Request;
use http::header::{CONTENT_TYPE, HeaderValue};
use tokio::time::sleep;

use super::batch::{Batch, PendingDocument, Spans};
use super::mapping::{Entities, Entity};
use super::resource::write_resource;
use super::response::Outcome;
use super::settings::Settings;
use crate::document::Document;
use crate::document::trim::trim;
use crate::emitter::Subject;
use crate::emitter::counts::Counts;
use crate::emitter::queue::{Next, Queue};
use crate::record::FinishedSegment;
use crate::record::split::MAX_DOCUMENT_BYTES;
use crate::support::fetch::{Limits, Payload, send};
use crate::support::log_line::{LoggedOnce, is_debug_read, log_line};

/// Sends documents as spans.
pub(super) struct Sender {
    settings: Settings,
    counts: Arc<Counts>,
    logged: Logged,
}

/// The JSON of one document's spans. All documents use the same buffers.
#[derive(Default)]
struct Rendered {
    resource: Vec<u8>,
    spans: Spans,
}

/// Lines that are logged once.
#[derive(Default)]
struct Logged {
    /// Limits the line about a failure to one since the last successful request.
    outage: LoggedOnce,
    rejected: LoggedOnce,
    in_progress: LoggedOnce,
    trimmed: LoggedOnce,
    too_large: LoggedOnce,
    without_trace: LoggedOnce,
}

/// The outcome of a request, after the last attempt.
enum Delivery {
    /// The server accepted the request and rejected this number of its spans.
    Accepted { rejected: u64 },
    /// The request was lost.
    Lost { reason: String },
}

impl Sender {
    /// The pause after the first attempt, and the shortest pause that the server may request. It doubles with each
    /// further attempt.
    const FIRST_PAUSE: Duration = Duration::from_millis(500);
    /// The longest pause.
    const MAX_PAUSE: Duration = Duration::from_secs(30);
    /// Limit on the bytes of a response that are read.
    const MAX_RESPONSE_BYTES: usize = 64 * 1024;
    /// The limit of AWS's endpoint on a span, with a margin. (CloudWatch user guide, "OTLP endpoints", limits of
    /// traces.)
    const MAX_SPAN_BYTES: usize = 190_000;

    pub(super) fn new(settings: Settings, counts: Arc<Counts>) -> Self {
        Self { settings, counts, logged: Logged::default() }
    }

    /// Sends documents until the queue is closed and empty.
    pub(super) async fn send_all(&self, queue: &Queue) {
        let mut batch = Batch::new(self.settings.batch, &self.counts);
        let mut rendered = Rendered::default();
        loop {
            let next = match batch.deadline() {
                Some(deadline) => queue.next_until(deadline).await,
                None => queue.next().await.map_or(Next::End, Next::Segment),
            };
            match next {
                Next::Segment(segment) => {
                    self.add(segment, &mut batch, &mut rendered, queue).await;
                    if batch.is_full() {
                        self.send(&mut batch).await;
                    }
                }
                Next::Send => self.send(&mut batch).await,
                Next::End => return self.send(&mut batch).await,
            }
            if batch.is_empty() {
                queue.mark_finished();
            }
        }
    }

    /// Adds the spans of a segment to the batch. Sends the batch before if the spans do not fit, and again each time
    /// that the batch is full.
    async fn add(&self, segment: FinishedSegment, batch: &mut Batch<'_>, rendered: &mut Rendered, queue: &Queue) {
        let pending = PendingDocument::new(&self.counts);
        let subject = is_debug_read().then(|| Subject::of(&segment));
        if let Err(reason) = self.render(&segment.into(), rendered) {
            if let Some(subject) = subject {
                log_line!(Debug, "xray::segment", "{subject}: dropped because {reason}");
            }
            return;
        }
        let Rendered { resource, spans } = rendered;
        if !batch.is_empty() && !batch.has_room(resource, spans) {
            self.send(batch).await;
            queue.mark_finished_but(1);
        }
        batch.begin(pending, subject);
        let mut added = batch.add(resource, spans, 0);
        while added < spans.len() {
            self.send(batch).await;
            batch.begin_rest();
            added = batch.add(resource, spans, added);
        }
    }

    /// Writes the spans of a document and their resource as JSON. If the document has no spans, returns the reason.
    fn render(&self, document: &Document, rendered: &mut Rendered) -> Result<(), &'static str> {
        let Rendered { resource: resource_json, spans } = rendered;
        spans.clear();
        resource_json.clear();
        if document.in_progress {
            let reason = "OTLP has no form for a segment that is still open";
            Self::log_once(&self.logged.in_progress, document, reason);
            return Err(reason);
        }
        let Some(entities) = Entities::of(document) else {
            let reason = "it has no `trace_id`";
            Self::log_once(&self.logged.without_trace, document, reason);
            return Err(reason);
        };
        let names = self.settings.span_names;
        let service_name = self.counts.service_name().unwrap_or("unknown_service");
        write_resource(document, service_name, names, resource_json);
        for entity in entities {
            if spans.push(|json| entity.write_span(names, json)) > MAX_DOCUMENT_BYTES {
                spans.pop();
                self.render_large(entity, spans);
            }
        }
        if spans.len() == 0 { Err("it is too large") } else { Ok(()) }
    }

    /// Writes the span of a large segment or subsegment. Trims the data until the span is within the limits of X-Ray.
    //
    // A span reaches X-Ray in one of two ways, and each has a limit. A collector converts the span into a document,
    // whose limit is that of a datagram to the daemon. AWS's endpoint accepts the span itself.
    fn render_large(&self, entity: Entity<'_>, spans: &mut Spans) {
        let mut document = Document { subsegments: Vec::new(), ..entity.document.clone() };
        loop {
            let document_bytes = serde_json::to_vec(&document).map_or(0, |json| json.len());
            let names = self.settings.span_names;
            let span_bytes = spans.push(|json| entity.with_document(&document).write_span(names, json));
            let excess =
                [document_bytes.saturating_sub(MAX_DOCUMENT_BYTES), span_bytes.saturating_sub(Self::MAX_SPAN_BYTES)];
            let excess = excess[0].max(excess[1]);
            if excess == 0 {
                return;
            }
            spans.pop();
            let trimmed = trim(&mut document, excess);
            if trimmed == 0 {
                self.counts.split(1);
                self.counts.dropped(1);
                let reason = "it is too large, even without its metadata and stack frames";
                return Self::log_once(&self.logged.too_large, &document, reason);
            }
            self.counts.trimmed(trimmed as u64);
            if self.logged.trimmed.is_first() {
                log_line!(
                    Warn,
                    "xray::emitter",
                    "a document was too large for X-Ray. A value in it was shortened or left out, and the document \
                     notes this (logged once, see `Stats::values_rejected`)",
                );
            }
        }
    }

    /// Logs why a document is dropped, the first time for each reason.
    fn log_once(line: &LoggedOnce, document: &Document, reason: &str) {
        if line.is_first() {
            log_line!(
                Warn,
                "xray::emitter",
                "`OtlpEmitter` dropped the document {:?}: {reason}. Further ones are counted in \
                 `Stats::documents_dropped` (logged once)",
                document.name,
            );
        }
    }

    /// Sends a batch, and counts its documents.
    async fn send(&self, batch: &mut Batch<'_>) {
        if batch.is_empty() {
            return;
        }
        let delivery = self.deliver(batch.take_body()).await;
        let dropped = if let Delivery::Accepted { rejected } = delivery { rejected } else { u64::MAX };
        // There are subjects only if lines of the level `Debug` are read.
        for subject in batch.finish(dropped) {
            let endpoint = &self.settings.endpoint;
            match &delivery {
                Delivery::Accepted { .. } => log_line!(Debug, "xray::segment", "{subject}: sent to {endpoint}"),
                Delivery::Lost { reason } => log_line!(
                    Debug,
                    "xray::segment",
                    "{subject}: dropped because it does not reach {endpoint}: {reason}",
                ),
            }
        }
    }

    /// Sends the body of a request, and repeats it after a temporary failure up to the limit on attempts.
    async fn deliver(&self, body: Vec<u8>) -> Delivery {
        const REMEDY: &str = "Start a collector there, or set OTEL_EXPORTER_OTLP_ENDPOINT; in a container, localhost is the \
                              container itself";

        let body = Payload::from(body);
        let limits = Limits { time: self.settings.timeout, bytes: Self::MAX_RESPONSE_BYTES };
        let mut pause = Self::FIRST_PAUSE;
        let mut attempt = 1;
        loop {
            let request = match self.request(body.clone()) {
                Ok(request) => request,
                Err(error) => return self.failed(error.to_string(), "Check the URL and the headers of the emitter"),
            };
            match Outcome::of(send(&self.settings.endpoint.address, request, limits).await) {
                Outcome::Accepted { rejected, message } => {
                    self.log_accepted(rejected, &message);
                    return Delivery::Accepted { rejected };
                }
                Outcome::Refused { reason, remedy } => return self.failed(reason, remedy),
                Outcome::Later { reason, .. } | Outcome::Unreachable { reason }
                    if attempt >= self.settings.attempts =>
                {
                    return self.failed(reason, REMEDY);
                }
                // Logged at the first attempt: a short program ends before the last one.
                Outcome::Unreachable { reason } => {
                    self.log_outage(&reason, REMEDY);
                    sleep(jittered(pause)).await;
                }
                Outcome::Later { after, .. } => {
                    let requested = after.map(|after| after.clamp(Self::FIRST_PAUSE, Self::MAX_PAUSE));
                    sleep(requested.unwrap_or_else(|| jittered(pause))).await;
                }
            }
            pause = pause.saturating_mul(2).min(Self::MAX_PAUSE);
            attempt += 1;
        }
    }

    fn request(&self, body: Payload) -> http::Result<Request<Payload>> {
        let mut request = Request::post(&self.settings.endpoint.path).body(body)?;
        request.headers_mut().clone_from(&self.settings.headers);
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(request)
    }

    /// Returns the outcome of a request that is lost.
    fn failed(&self, reason: String, remedy: &str) -> Delivery {
        self.log_outage(&reason, remedy);
        Delivery::Lost { reason }
    }

    /// Logs the first failure after a successful request.
    fn log_outage(&self, reason: &str, remedy: &str) {
        if self.logged.outage.is_first() {
            log_line!(
                Warn,
                "xray::emitter",
                "documents do not reach the OTLP endpoint {}: {reason}. {remedy}. Lost documents are counted in \
                 `Stats::documents_dropped` (logged once until documents arrive again)",
                self.settings.endpoint,
            );
        }
    }

    /// Logs the end of an outage, and the first request with rejected spans or a message of the server.
    fn log_accepted(&self, rejected: u64, message: &str) {
        if self.logged.outage.reset() {
            log_line!(
                Info,
                "xray::emitter",
                "documents are sent to the OTLP endpoint {} again",
                self.settings.endpoint
            );
        }
        if (rejected > 0 || !message.is_empty()) && self.logged.rejected.is_first() {
            log_line!(
                Warn,
                "xray::emitter",
                "the OTLP endpoint {} rejected {rejected} spans of a request and says {message:?}. Lost documents are \
                 counted in `Stats::documents_dropped` (logged once)",
                self.settings.endpoint,
            );
        }
    }
}

/// Varies a pause at random, so that many programs do not return to a busy server at one moment.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.75 + fastrand::f64() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emitter::Deliveries;
    use crate::id::{SegmentId, TraceId};
    use crate::support::stats::Counters;

    #[test]
    fn a_large_span_is_trimmed_by_its_own_size() {
        let document = |name: &str, texts: &[(&str, usize)]| {
            let mut document = Document::new(SegmentId::random(), name.to_owned(), 1.0);
            for (key, bytes) in texts {
                let values = document.metadata.entry("default".to_owned()).or_default();
                values.insert((*key).to_owned(), "x".repeat(*bytes).into());
            }
            document
        };
        let mut segment = document("segment", &[("first", 40_000), ("second", 30_000)]);
        segment.subsegments.push(document("call", &[("third", 50_000)]));
        segment.trace_id = Some(TraceId::random());
        let (counters, counts) = (Arc::new(Counters::default()), Counts::default());
        counts.claim(&Deliveries::new(Arc::clone(&counters), "shop"));
        let sender = Sender::new(Settings::default(), Arc::new(counts));
        let mut rendered = Rendered::default();
        sender.render(&segment, &mut rendered).unwrap();
        assert_eq!(rendered.spans.len(), 2);
        assert_eq!(counters.snapshot().values_rejected, 1, "only the first text is removed");
    }

    #[test]
    fn a_pause_varies_by_a_quarter() {
        let pauses: Vec<_> = (0..1_000).map(|_| jittered(Duration::from_secs(4)).as_secs_f64()).collect();
        assert!(pauses.iter().all(|pause| (3.0..=5.0).contains(pause)), "{pauses:?}");
        assert!(pauses.iter().any(|pause| *pause < 3.5) && pauses.iter().any(|pause| *pause > 4.5));
    }
}
