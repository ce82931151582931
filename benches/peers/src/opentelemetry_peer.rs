//! opentelemetry with one of two exporters: that of opentelemetry-aws sends batches to the X-Ray daemon, and that of
//! opentelemetry-otlp sends batches to a collector, over HTTP in protobuf.

use std::net::SocketAddr;

use http::Request;
use opentelemetry::propagation::{Injector, TextMapPropagator as _};
use opentelemetry::trace::{SpanKind, TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_aws::trace::{XrayIdGenerator, XrayPropagator};
use opentelemetry_aws::xray_exporter::XrayExporter;
use opentelemetry_aws::xray_exporter::daemon_client::XrayDaemonClient;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};

use crate::Peer;

pub(crate) struct OpenTelemetry {
    name: &'static str,
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    /// The tracer for spans that are not sampled.
    unsampled: SdkTracer,
    propagator: XrayPropagator,
}

/// Creates a provider that samples nothing.
pub(crate) fn unsampled() -> SdkTracerProvider {
    let builder = SdkTracerProvider::builder().with_id_generator(XrayIdGenerator::default());
    builder.with_sampler(Sampler::AlwaysOff).build()
}

pub(crate) fn provider(daemon: &SocketAddr) -> SdkTracerProvider {
    let exporter = XrayExporter::new(XrayDaemonClient::new(*daemon).unwrap());
    let builder = SdkTracerProvider::builder().with_id_generator(XrayIdGenerator::default());
    builder.with_batch_exporter(exporter).build()
}

impl OpenTelemetry {
    pub(crate) fn new(daemon: &SocketAddr) -> Self {
        Self::with("opentelemetry-aws", provider(daemon))
    }

    /// Creates a peer that sends spans to a collector.
    pub(crate) fn otlp(collector: &SocketAddr) -> Self {
        let exporter = SpanExporter::builder().with_http().with_endpoint(format!("http://{collector}/v1/traces"));
        let builder = SdkTracerProvider::builder().with_id_generator(XrayIdGenerator::default());
        Self::with("opentelemetry-otlp", builder.with_batch_exporter(exporter.build().unwrap()).build())
    }

    fn with(name: &'static str, provider: SdkTracerProvider) -> Self {
        let tracer = provider.tracer("todo-app");
        let unsampled = unsampled().tracer("todo-app");
        Self { name, provider, tracer, unsampled, propagator: XrayPropagator::default() }
    }
}

impl Peer for OpenTelemetry {
    fn name(&self) -> &'static str {
        self.name
    }

    fn segment(&self, requests: Vec<Request<()>>, is_sampled: bool) {
        let tracer = if is_sampled { &self.tracer } else { &self.unsampled };
        let root = tracer.span_builder("todo-app").with_kind(SpanKind::Server).start(tracer);
        let parent = Context::new().with_span(root);
        for mut request in requests {
            let builder = tracer.span_builder(request.uri().host().unwrap().to_owned());
            let span = builder
                .with_kind(SpanKind::Client)
                .with_attributes([
                    KeyValue::new("http.request.method", request.method().to_string()),
                    KeyValue::new("url.full", request.uri().to_string()),
                ])
                .start_with_context(tracer, &parent);
            let current = parent.with_span(span);
            self.propagator.inject_context(&current, &mut Headers(&mut request));
            current.span().set_attribute(KeyValue::new("http.response.status_code", 200));
            current.span().end();
        }
        parent.span().end();
    }

    fn flush(&self) {
        self.provider.force_flush().unwrap();
    }
}

/// Where a propagator puts its headers.
pub(crate) struct Headers<'a>(pub(crate) &'a mut Request<()>);

impl Injector for Headers<'_> {
    fn set(&mut self, key: &str, value: String) {
        let name = http::HeaderName::from_bytes(key.as_bytes()).unwrap();
        self.0.headers_mut().insert(name, value.try_into().unwrap());
    }
}
