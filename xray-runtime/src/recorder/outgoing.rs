//! The settings of a [`RecorderBuilder`] for outgoing requests.

use super::RecorderBuilder;
use crate::header::propagation::Propagation;

impl RecorderBuilder {
    /// Ignores outgoing requests that match a pattern: they get neither a subsegment nor a header. Can be called
    /// several times.
    ///
    /// The setting does not concern incoming requests. To record no health checks of your own service, use a
    /// [sampling rule](https://github.com/xray-rs/xray/blob/main/docs/production.md#sampling).
    ///
    /// The pattern is a host such as `169.254.169.254` or `*.local`, or a host and a path such as
    /// `example.com/health*`. `*` stands for any number of characters, `?` for exactly one. Neither the case of letters
    /// nor the port matters. The text between two `*` is searched for in the first 1,024 characters. A pattern without
    /// a host, or with a scheme such as `https://`, matches no request. It is logged, and counted in
    /// [`Stats::settings_rejected`](crate::Stats::settings_rejected).
    ///
    /// ```
    /// let recorder = xray::Recorder::builder().ignore("169.254.169.254").ignore("*/health").build();
    /// # drop(recorder);
    /// ```
    pub fn ignore(mut self, pattern: impl AsRef<str>) -> Self {
        self.rules.ignore(pattern.as_ref());
        self
    }

    /// Sets the headers of outgoing requests (`AWS_XRAY_PROPAGATION`): `X-Amzn-Trace-Id`, which is the default, the
    /// `traceparent` of W3C Trace Context for services that read only that, or both.
    ///
    /// The setting holds for every client, for the middlewares and for calls that are made by hand; see
    /// [`PendingCall::inject`](crate::http::PendingCall::inject). A chosen header that the request already has is
    /// replaced. A header that is not chosen stays as it is. In a trace that is not sampled the headers say
    /// `Sampled=0`. A `traceparent` must name a parent even then, so it names the segment. Other fields of an incoming
    /// `X-Amzn-Trace-Id`, such as `Lineage`, have no place in a `traceparent`.
    ///
    /// ```
    /// use xray::{Propagation, Recorder, Segment, TraceHeader};
    ///
    /// let recorder = Recorder::builder().propagate(Propagation::Both);
    /// # let recorder = recorder.emitter(xray::emitter::MemoryEmitter::new());
    /// let recorder = recorder.build();
    /// let incoming = TraceHeader::parse("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1");
    /// let segment = Segment::builder("todo-app").trace_header(&incoming).recorder(&recorder).begin();
    ///
    /// let mut request = http::Request::get("https://example.com/todos/1").body(()).unwrap();
    /// let call = segment.in_scope(|| {
    ///     xray::http::call("GET", request.uri()).inject(request.headers_mut())
    /// });
    /// let x_ray = request.headers()["x-amzn-trace-id"].to_str().unwrap();
    /// let traceparent = request.headers()["traceparent"].to_str().unwrap();
    /// assert!(x_ray.starts_with("Root=1-5759e988-bd862e3fe1be46a994272793;Parent="));
    /// assert!(traceparent.starts_with("00-5759e988bd862e3fe1be46a994272793-"));
    /// assert_eq!(TraceHeader::from_traceparent(traceparent), Some(TraceHeader::parse(x_ray)));
    /// # drop(call);
    /// ```
    pub fn propagate(mut self, propagation: Propagation) -> Self {
        self.propagation = Some(propagation);
        self
    }

    /// Sends the headers only in requests that match. Other requests are recorded and get no header. Can be called
    /// several times. The pattern is that of [`ignore`](Self::ignore).
    ///
    /// ```
    /// let recorder = xray::Recorder::builder().inject_only("*.internal.example.com").build();
    /// # drop(recorder);
    /// ```
    pub fn inject_only(mut self, pattern: impl AsRef<str>) -> Self {
        self.rules.inject_only(pattern.as_ref());
        self
    }

    /// Names the subsegments of calls to matching hosts, so that many hosts are one node in the service graph.
    ///
    /// A name that is set at the call or on its function takes precedence. If several patterns match, the first counts.
    /// The pattern is that of [`ignore`](Self::ignore).
    ///
    /// ```
    /// let recorder = xray::Recorder::builder().name_hosts("*.shard.example.com", "shards").build();
    /// # drop(recorder);
    /// ```
    pub fn name_hosts(mut self, pattern: impl AsRef<str>, name: impl Into<String>) -> Self {
        self.rules.name_hosts(pattern.as_ref(), name.into());
        self
    }
}
