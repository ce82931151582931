"""Checks what the quickstart printed: the documents, and that the service saw the ids that are in them."""

import json
import re
import sys

text = open(sys.argv[1], encoding="utf-8").read()
parts = [part for part in text.split("=== ") if part.strip()]
assert len(parts) == 6, f"{len(parts)} parts"

flags, calls = [], []
for part in parts:
    header = '{"format":"json","version":1}\n'
    assert part.count(header) == 1, part
    document, _ = json.JSONDecoder().raw_decode(part.split(header)[1])
    calls = document["subsegments"]
    seen = re.findall(r"the service saw X-Amzn-Trace-Id: (.*)", part)
    answered = [call for call in calls if "response" in call["http"]]
    expected = {f"Root={document['trace_id']};Parent={call['id']};Sampled=1" for call in answered}
    assert set(seen) == expected and len(seen) == len(expected), (seen, expected)
    assert part.count("--> X-Ray infers a segment") == len(calls), part
    flags.append([name for name in ("error", "throttle", "fault") if calls[0].get(name)])

assert flags == [[], ["error"], ["error", "throttle"], ["fault"], ["fault"], []], flags
assert len({call["id"] for call in calls}) == 2, "the last two calls are siblings"
assert "secret" not in text.split("=== ")[1].split("the function returned")[1], "a query was recorded"
print("quickstart: 6 documents, every header is its subsegment's")
