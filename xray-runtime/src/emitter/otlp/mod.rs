//! Sends documents as OpenTelemetry spans.
//!
//! * `mapping`, `attributes`, `names` and `resource` convert documents into spans. `wire` writes the JSON.
//! * `batch` holds the spans of one request. `sender` is the task that collects and sends them. `response` reads the
//!   server's response.
//! * `builder`, `settings` and `endpoint` are the settings in code and in the environment.

mod attributes;
mod batch;
mod builder;
mod endpoint;
mod mapping;
mod names;
mod resource;
mod response;
mod sender;
mod settings;
mod wire;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use self::builder::{OtlpEmitterBuilder, OtlpError};
pub use self::names::SpanNames;
use self::sender::Sender;
pub(crate) use self::settings::Settings;
use super::background_queue::BackgroundQueue;
use super::counts::Counts;
use super::{Deliveries, Emitter};
use crate::record::FinishedSegment;
use crate::support::background::Background;

/// An emitter that sends documents as spans to an OpenTelemetry collector, to Jaeger, or to another server that accepts
/// OTLP.
///
/// The emitter sends OTLP as JSON over HTTP on its own thread, which starts with the first document. A request contains
/// many spans: [`OtlpEmitterBuilder`] has the limits of a request and the environment variables. Each segment and each
/// subsegment becomes a span. The X-Ray exporter of a collector converts the spans back into segment documents; the
/// page [`docs/opentelemetry.md`](https://github.com/xray-rs/xray/blob/main/docs/opentelemetry.md) lists the
/// differences.
///
/// Up to 16,384 documents with about 128 MiB of memory in total wait in a queue. The emitter drops a document if the
/// queue is full, and the documents of a request that the server refuses or that does not arrive. If the server rejects
/// some spans of a request, the emitter counts one dropped document for each of them. A segment that is [still
/// open](crate::RecorderBuilder::in_progress_after) is dropped too, because a span has an end. All dropped documents
/// are [counted](crate::Stats), and the first of each kind is logged.
///
/// The environment variable `AWS_XRAY_EMITTER=otlp` selects this emitter without code.
///
/// ```no_run
/// use xray::Recorder;
/// use xray::emitter::OtlpEmitter;
///
/// let emitter = OtlpEmitter::builder().endpoint("http://collector:4318").build()?;
/// let recorder = Recorder::builder().emitter(emitter).install()?;
/// # drop(recorder);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct OtlpEmitter {
    queue: BackgroundQueue,
    counts: Arc<Counts>,
    /// The number of invalid environment variables that the recorder counts when it attaches the emitter.
    rejected: u64,
    /// The URL for the log and the doctor, without secrets.
    endpoint: String,
}

impl OtlpEmitter {
    /// Returns a builder with the default settings. Every setting is optional.
    pub fn builder() -> OtlpEmitterBuilder {
        OtlpEmitterBuilder::default()
    }

    /// Creates an emitter. `rejected` is the number of invalid environment variables that no recorder has counted yet.
    pub(crate) fn with_settings(settings: Settings, rejected: u64) -> Self {
        // The emitter has its own thread, because a recorder may be built after its emitter, or never.
        let background = Arc::new(Background::new("xray-otlp"));
        let counts = Arc::<Counts>::default();
        let endpoint = settings.endpoint.to_string();
        let sender = Arc::new(Sender::new(settings, Arc::clone(&counts)));
        let queue = BackgroundQueue::new(background, move |queue| {
            let sender = Arc::clone(&sender);
            async move { sender.send_all(&queue).await }
        });
        Self { queue, counts, rejected, endpoint }
    }

    /// Returns the URL to which spans are sent, without secrets.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }
}

impl Emitter for OtlpEmitter {
    fn emit(&self, segment: FinishedSegment) {
        if !self.queue.push(segment) {
            self.counts.dropped_at_full_queue("OtlpEmitter", "the server is too slow or does not answer");
        }
    }

    fn flush(&self, limit: Duration) -> bool {
        self.queue.flush(limit)
    }

    fn attach(&self, deliveries: &Deliveries) {
        self.counts.claim(deliveries);
        deliveries.settings_rejected(self.rejected);
    }
}

impl fmt::Debug for OtlpEmitter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("OtlpEmitter").finish_non_exhaustive()
    }
}
