//! opentelemetry with opentelemetry-aws: the exporter to the X-Ray daemon, in batches.

use std::net::SocketAddr;

use http::Request;
use opentelemetry::propagation::{Injector, TextMapPropagator as _};
use opentelemetry::trace::{SpanKind, TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_aws::trace::{XrayIdGenerator, XrayPropagator};
use opentelemetry_aws::xray_exporter::XrayExporter;
use opentelemetry_aws::xray_exporter::daemon_client::XrayDaemonClient;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use crate::Peer;

pub(crate) struct OpenTelemetry {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    propagator: XrayPropagator,
}

pub(crate) fn provider(daemon: &SocketAddr) -> SdkTracerProvider {
    let exporter = XrayExporter::new(XrayDaemonClient::new(*daemon).unwrap());
    let builder = SdkTracerProvider::builder().with_id_generator(XrayIdGenerator::default());
    builder.with_batch_exporter(exporter).build()
}

impl OpenTelemetry {
    pub(crate) fn new(daemon: &SocketAddr) -> Self {
        let provider = provider(daemon);
        let tracer = provider.tracer("todo-app");
        Self { provider, tracer, propagator: XrayPropagator::default() }
    }
}

impl Peer for OpenTelemetry {
    fn name(&self) -> &'static str {
        "opentelemetry-aws"
    }

    fn segment(&self, requests: Vec<Request<()>>) {
        let root = self.tracer.span_builder("todo-app").with_kind(SpanKind::Server).start(&self.tracer);
        let parent = Context::new().with_span(root);
        for mut request in requests {
            let builder = self.tracer.span_builder(request.uri().host().unwrap().to_owned());
            let span = builder
                .with_kind(SpanKind::Client)
                .with_attributes([
                    KeyValue::new("http.request.method", request.method().to_string()),
                    KeyValue::new("url.full", request.uri().to_string()),
                ])
                .start_with_context(&self.tracer, &parent);
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
