"""Checks what the quickstart printed: the inferred segment is what its subsegment makes it, the service saw the ids that are
in the documents, and the service graph counts every call."""

import json
import re
import sys

text = open(sys.argv[1], encoding="utf-8").read()
parts = {part.split("\n")[0]: part for part in text.split("=== ") if part.strip()}
*calls, graph, console = parts.values()
assert (len(calls), graph[:17], console[:11]) == (6, "The service graph", "The console"), list(parts)

# The two columns are two JSON documents.
rows = [line[4:].split(" | ") for line in calls[0].splitlines() if " | " in line]
(left_title, right_title), *rows = [(left.rstrip(), right) for left, right in rows]
assert (left_title, right_title) == ("the subsegment", "the inferred segment"), (left_title, right_title)
subsegment, inferred = (json.loads("\n".join(column)) for column in zip(*rows))
expected = {key: subsegment[key] for key in ("name", "start_time", "end_time", "http")}
expected |= {"parent_id": subsegment["id"], "inferred": True, "trace_id": inferred["trace_id"], "id": inferred["id"]}
assert inferred == expected, (inferred, expected)
assert subsegment["name"] == "names.example.com" and subsegment["namespace"] == "remote", subsegment
assert re.fullmatch(r"http://names\.example\.com:\d+/", subsegment["http"]["request"]["url"]), subsegment
assert subsegment["http"]["response"] == {"status": 200, "content_length": 15}, subsegment
assert 0 < subsegment["end_time"] - subsegment["start_time"] < 5, subsegment

LINE = re.compile(r"    (subsegment|inferred  ) ([0-9a-f]{16})  (\w+) (http://\S+) (\d+|no answer)  (.+)")
HEADER = re.compile(r"Root=(1-[0-9a-f]{8}-[0-9a-f]{24});Parent=([0-9a-f]{16});Sampled=1")
verdicts, ids = [], []
for part in calls:
    lines = [match.groups() for match in map(LINE.fullmatch, part.splitlines()) if match]
    subsegments = [line[1:] for line in lines if line[0] == "subsegment"]
    made = [line[1:] for line in lines if line[0] != "subsegment"]
    assert subsegments and [line[1:] for line in subsegments] == [line[1:] for line in made], part
    seen = re.findall(r"the service saw X-Amzn-Trace-Id: (.*)", part)
    headers = [HEADER.fullmatch(header).groups() for header in seen]
    assert sorted(parent for _, parent in headers) == sorted(line[0] for line in subsegments if line[3] != "no answer"), part
    assert len({root for root, _ in headers}) <= 1, "one trace"
    ids += [line[1] for line in lines]
    verdicts.append([" ".join(line[1:2] + line[3:]) for line in subsegments])

assert verdicts[:5] == [
    ["GET 200 ok"],
    ["GET 404 error"],
    ["GET 429 error and throttle"],
    ["GET 503 fault"],
    ["GET no answer fault"],
], verdicts
assert sorted(verdicts[5]) == ["GET 200 ok", "POST 201 ok"], verdicts
assert len(set(ids)) == len(ids) == 14, "each id is one entity's"
assert subsegment["id"] in calls[0] and inferred["trace_id"] in calls[0]

edges = dict(re.findall(r"      -> (\S+): (\d+ calls: .*), [\d.]+ ms in all", graph))
assert edges == {
    "quickstart": "6 calls: 6 ok, 0 errors, 0 throttled, 0 faults",
    "names.example.com": "6 calls: 3 ok, 1 errors, 1 throttled, 1 faults",
    "nobody.example.com": "1 calls: 0 ok, 0 errors, 0 throttled, 1 faults",
}, edges
for node in ("quickstart (client, unknown)", "names.example.com (remote, unknown)", "nobody.example.com (remote, unknown)"):
    assert f"\n    {node}\n" in graph, graph
assert re.search(r"\n    http://127\.0\.0\.1:\d+/\n", console), console
assert "secret" not in text, "a query was recorded"
print("quickstart: 7 calls, their inferred segments, every header is its subsegment's, and the graph counts them")
