"""Measures the X-Ray SDK for Python, as `src/main.rs` measures the libraries for Rust. Prints the nanoseconds of a call: of the
process, and of the calling thread. The SDK sends on that thread, so the two differ little.

Arguments: the address of the daemon, `sampled` or `unsampled`, the number of segments, and the calls in each.
"""

import sys
import time

from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.models import http
from aws_xray_sdk.ext.util import inject_trace_header

daemon, decision, segments, calls = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
# Without a sampler that asks for rules: each segment has its decision.
xray_recorder.configure(daemon_address=daemon, sampling=False, context_missing="IGNORE_ERROR")
is_sampled = int(decision == "sampled")


def record():
    for _ in range(segments):
        xray_recorder.begin_segment("todo-app", sampling=is_sampled)
        for _ in range(calls):
            subsegment = xray_recorder.begin_subsegment("names.example.com", namespace="remote")
            # As the patch of `requests` does it.
            headers = {"accept": "*/*"}
            inject_trace_header(headers, subsegment)
            subsegment.put_http_meta(http.METHOD, "GET")
            subsegment.put_http_meta(http.URL, "https://names.example.com/todos/1")
            subsegment.put_http_meta(http.STATUS, 200)
            xray_recorder.end_subsegment()
        xray_recorder.end_segment()


process, thread = time.process_time_ns(), time.thread_time_ns()
record()
thread, process = time.thread_time_ns() - thread, time.process_time_ns() - process
print(process // (segments * calls), thread // (segments * calls))
