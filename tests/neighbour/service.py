"""A Flask service with the X-Ray SDK for Python. It asks the next service, if there is one, and answers with the trace
headers that they all saw, its own first. Prints its port; ends with its standard input."""

import sys
import threading

import flask
import requests
from aws_xray_sdk.core import patch, xray_recorder
from aws_xray_sdk.core.sampling.local.sampler import LocalSampler
from aws_xray_sdk.ext.flask.middleware import XRayMiddleware
from werkzeug.serving import make_server

name, rate, next_url = sys.argv[1:]
rules = {"version": 2, "default": {"fixed_target": 0, "rate": float(rate)}}
xray_recorder.configure(service=name, sampler=LocalSampler(rules))
patch(("requests",))
app = flask.Flask(name)
XRayMiddleware(app, xray_recorder)


@app.get("/")
def answer():
    below = requests.get(next_url, params={"token": "secret"}, timeout=60).json() if next_url else []
    return [flask.request.headers.get("X-Amzn-Trace-Id"), *below]


server = make_server("127.0.0.1", 0, app, threaded=True)
print(server.server_port, flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
