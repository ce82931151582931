//! One HTTP call as a subsegment: what is known before, and what its end says.

use std::error::Error;

use http::{HeaderMap, HeaderValue};

use super::Site;
use crate::context::{self, Context};
use crate::document::http::recorded_method;
use crate::document::name::legal_name;
use crate::document::url::{host, recorded_url};
use crate::document::{Document, Http, HttpRequest, Namespace};
use crate::entity::Trace;
use crate::id::SegmentId;
use crate::segment::Subsegment;
use crate::trace_header::TRACE_HEADER_NAME;

/// For a URL without a host, as in the X-Ray SDK for Python.
const UNKNOWN_HOST: &str = "UNKNOWN HOST";

/// The place in a trace where an HTTP call is about to begin: below a segment or subsegment that is open.
#[derive(Debug)]
pub struct Opening {
    parent: Context,
    site: &'static Site,
}

impl Opening {
    /// The place for a call made here, if anything is open.
    pub(crate) fn here(site: &'static Site) -> Option<Self> {
        let parent = Context::of_entity(context::current_entity()?);
        Some(Self { parent, site })
    }

    /// Begins the call: puts the trace header into `headers` and opens the subsegment.
    ///
    /// The subsegment has the name of the URL's host, and of the URL what may be recorded. `None` where the
    /// trace is not sampled; the header is put in all the same.
    #[must_use = "a call ends when it is dropped"]
    pub fn begin(self, method: &str, url: &str, headers: &mut HeaderMap) -> Option<Call> {
        self.begin_with(method, url, |value| {
            headers.insert(TRACE_HEADER_NAME, value);
        })
    }

    /// The same for a client whose headers are no [`HeaderMap`]: `insert_header` replaces any
    /// `X-Amzn-Trace-Id` by this value.
    #[must_use = "a call ends when it is dropped"]
    pub fn begin_with(self, method: &str, url: &str, insert_header: impl FnOnce(HeaderValue)) -> Option<Call> {
        let Self { parent, site } = self;
        let trace = parent.entity()?.trace();
        if !trace.is_sampled() {
            trace.unsampled_header().cloned().map(insert_header);
            return None;
        }
        let id = SegmentId::random();
        trace.sampled_header(id).map(insert_header);
        let subsegment = Subsegment::begin(&parent, |_| record(id, site, method, url));
        Some(Call { subsegment, stage: Stage::Prepared })
    }
}

/// What is known of a call before it starts.
fn record(id: SegmentId, site: &Site, method: &str, url: &str) -> Document {
    let name = match site.name {
        Some(name) => legal_name(name),
        None => host(url).and_then(|host| legal_name(&host)),
    };
    let request = HttpRequest { method: Some(recorded_method(method)), url: Some(recorded_url(url)) };
    Document {
        namespace: Some(Namespace::Remote),
        http: Some(Http { request: Some(request), response: None }),
        ..Document::new(id, name.unwrap_or_else(|| UNKNOWN_HOST.to_owned()), 0.0)
    }
}

/// An HTTP call that is recorded. It ends when it is dropped.
///
/// Dropped before it [started](Self::start) it leaves no trace; dropped between its start and an answer it is
/// marked as cancelled, with `{"cancelled": true}` in the metadata of the namespace `xray`.
#[derive(Debug)]
pub struct Call {
    subsegment: Subsegment,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    Prepared,
    Started,
    Answered,
}

impl Call {
    /// The call is on its way; its time begins. Only the first time counts.
    pub fn start(&mut self) {
        if self.stage == Stage::Prepared {
            self.stage = Stage::Started;
            self.update(|trace, record| record.start_time = trace.now());
        }
    }

    /// The head of the response came; `content_length` in bytes, where it is known.
    ///
    /// 4xx is recorded as `error`, 429 as `throttle` too, 5xx as `fault`.
    pub fn response(&mut self, status: u16, content_length: Option<u64>) {
        self.answered(|record| record.record_response(status, content_length));
    }

    /// No response came: `fault`, with the error and its sources as the cause.
    ///
    /// Of URLs in the messages only scheme, host, port and path are kept.
    pub fn error<E: Error + ?Sized>(&mut self, error: &E) {
        self.answered(|record| record.record_error(error, true));
    }

    /// The subsegment, to record more.
    pub fn subsegment(&self) -> &Subsegment {
        &self.subsegment
    }

    fn answered(&mut self, write: impl FnOnce(&mut Document)) {
        self.start();
        self.stage = Stage::Answered;
        self.update(|_, record| write(record));
    }

    fn update(&self, write: impl FnOnce(&Trace, &mut Document)) {
        if let Some(entity) = self.subsegment.entity() {
            entity.update(|record| write(entity.trace(), record));
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        match self.stage {
            Stage::Prepared => self.subsegment.forget(),
            Stage::Started => self.subsegment.add_metadata_in("xray", "cancelled", true),
            Stage::Answered => {}
        }
    }
}
