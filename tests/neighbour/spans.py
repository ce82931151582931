"""A Flask service with the OpenTelemetry SDK for Python. It calls the next service, and answers with that service's response.
It prints its port. It ends when its standard input closes, after it has sent its spans.

spans.py NAME NEXT_URL http ENDPOINT       sends the spans by OTLP over HTTP
spans.py NAME NEXT_URL adot HOST:PORT      sends the spans in datagrams, as ADOT does in Lambda
"""

import sys
import threading

import flask
import requests
from opentelemetry import trace
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.propagate import set_global_textmap
from opentelemetry.propagators.aws import AwsXRayPropagator
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from werkzeug.serving import make_server

name, next_url, kind, endpoint = sys.argv[1:]
if kind == "adot":
    from amazon.opentelemetry.distro.otlp_udp_exporter import OTLPUdpSpanExporter

    exporter = OTLPUdpSpanExporter(endpoint)
else:
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    exporter = OTLPSpanExporter(f"{endpoint}/v1/traces", compression=Compression.Gzip)
provider = TracerProvider(resource=Resource.create({"service.name": name}))
provider.add_span_processor(BatchSpanProcessor(exporter))
trace.set_tracer_provider(provider)
set_global_textmap(AwsXRayPropagator())
app = flask.Flask(name)
FlaskInstrumentor().instrument_app(app)
RequestsInstrumentor().instrument()


@app.get("/")
def answer():
    with trace.get_tracer("service").start_as_current_span("prepare") as span:
        span.set_attribute("tier", "gold")
        try:
            raise ValueError("no cart")
        except ValueError as error:
            span.record_exception(error)
    return requests.get(next_url, timeout=60).json()


server = make_server("127.0.0.1", 0, app, threaded=True)
print(server.server_port, flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
provider.shutdown()
print("sent", flush=True)
