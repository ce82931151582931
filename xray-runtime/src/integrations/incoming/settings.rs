//! The settings of a server's layer or middleware, which begin the segments of requests.

use std::net::IpAddr;
use std::sync::Arc;

use super::request::{IncomingRequest, client, url, user_agent};
use super::serving::Serving;
use crate::document::url::Url;
use crate::header::trace_header::Sampled;
use crate::header::trust::Trust;
use crate::live::context;
use crate::live::segment::{EntityKind, Segment};
use crate::recorder::Recorder;
use crate::support::guard::guard;
use crate::support::wildcard;

/// The settings for requests of type `R`.
pub(crate) struct Settings<R> {
    pub(crate) name: Name,
    pub(crate) trust: Trust,
    pub(crate) recorder: Option<Recorder>,
    pub(crate) reads_forwarded_for: bool,
    pub(crate) client_ip: Option<Arc<ClientIp<R>>>,
}

/// Returns the address of a request's client.
pub(crate) type ClientIp<R> = dyn Fn(&R) -> Option<IpAddr> + Send + Sync;

/// The choice of a segment's name.
#[derive(Clone)]
pub(crate) enum Name {
    /// The name of the service.
    OfService,
    Fixed(String),
    ByHost {
        pattern: String,
        fallback: String,
    },
}

impl Name {
    /// Returns the name of a segment. An empty name stands for the name of the service, which the recorder fills in.
    fn of(&self, url: &Url<'_>) -> String {
        match self {
            Self::OfService => String::new(),
            Self::Fixed(name) => name.clone(),
            Self::ByHost { pattern, fallback } => {
                let host = url.host().filter(|host| wildcard::matches_host(pattern, host));
                host.map_or_else(|| fallback.clone(), Into::into)
            }
        }
    }
}

impl<R> Settings<R> {
    pub(crate) fn new(name: Name) -> Self {
        Self { name, trust: Trust::All, recorder: None, reads_forwarded_for: true, client_ip: None }
    }
}

// `derive(Clone)` would require `R: Clone`.
impl<R> Clone for Settings<R> {
    fn clone(&self) -> Self {
        Self {
            name: self.name.clone(),
            trust: self.trust,
            recorder: self.recorder.clone(),
            reads_forwarded_for: self.reads_forwarded_for,
            client_ip: self.client_ip.clone(),
        }
    }
}

impl<R: IncomingRequest> Settings<R> {
    /// Begins the segment of a request. Returns `None` if tracing is disabled.
    pub(crate) fn begin(&self, request: &R) -> Option<Serving> {
        let recorder = self.recorder.clone().unwrap_or_else(|| context::current().recorder().clone());
        if !recorder.is_enabled() {
            return None;
        }
        let header = recorder.propagation().read(|name| request.headers(name));
        let wants_decision = self.trust != Trust::Nothing && header.sampled == Some(Sampled::Requested);
        let url = url(request);
        let url = Url::from(&url);
        // The variable takes precedence over the name in code, as in the middlewares of the X-Ray SDKs for Node.js and
        // Java.
        let name = recorder.name_of_environment().map_or_else(|| self.name.of(&url), str::to_owned);
        let builder = Segment::builder(name).trace_header(&header).trust(self.trust).recorder(&recorder);
        let segment = builder.request(request.method(), url).begin_with(|recorded, kind| {
            let peer = || guard(|| self.client_ip.as_ref()?(request)).flatten();
            let client = client(request, self.reads_forwarded_for, peer);
            recorded.user_agent = user_agent(request);
            recorded.client_ip = client.map(|client| client.address.to_string());
            // The format allows `x_forwarded_for` only on segments, and in Lambda this is a subsegment.
            recorded.x_forwarded_for = kind == EntityKind::Segment && client.is_some_and(|client| client.is_forwarded);
        });
        Some(Serving::new(segment, wants_decision, request.method()))
    }
}
