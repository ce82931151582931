#!/usr/bin/env python3
"""What the attribute costs the compiler: `cargo check` of 1, 10, 100 and 1,000 annotated calls beside the same code
without it.

    python3 benches/compile_time.py [--calls 1,10,100,1000] [--rounds 5]

Each row is a shape of call. The time is that of `cargo check` of the crate alone, its dependencies being built, with and
without the attribute in turn; the median of the rounds counts. What one annotated call costs is taken from the largest
number of calls less the smallest, so that loading the macro crate is not in it; the goal is 1 ms.
"""

import argparse
import itertools
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CALLS_PER_FUNCTION = 10

VALUE = "    status += client.get(url).send().await?.status().as_u16();\n"
PLACE = "    let request = client.post(url);\n    status += request.send().await?.status().as_u16();\n"
ARGUMENT = (
    "    let request = client.get(url).build()?;\n"
    "    status += client.execute(request).await?.status().as_u16();\n"
)
# As they stand in a survey of public code: nine of ten calls to reqwest are on values.
MIXED = [VALUE] * 9 + [PLACE] + [VALUE] * 9 + [ARGUMENT]

SHAPES = {
    "mixed": MIXED,
    "value": [VALUE],
    "place": [PLACE],
    # `client.get(url)` in a variable might be hyper's and is asked about too.
    "client": [PLACE.replace("post", "get")],
    "argument": [ARGUMENT],
    "function": ["    status += reqwest::get(url).await?.status().as_u16();\n"],
    "unknown": [
        "    sender.send(1).ok();\n"
        "    status += Some(&sender).map_or(0, |sender| sender.clone().send(1).map_or(0, |()| 1));\n"
    ],
}


def source(shape, calls, attribute):
    lines = itertools.islice(itertools.cycle(SHAPES[shape]), calls)
    functions = []
    while body := "".join(itertools.islice(lines, CALLS_PER_FUNCTION)):
        functions.append(
            f"{attribute}pub async fn f{len(functions)}(client: &reqwest::Client, url: &str) -> reqwest::Result<u16> {{\n"
            f"    let mut status = 0;\n    let (sender, _receiver) = std::sync::mpsc::channel();\n"
            f"    sender.send(0).ok();\n    let _ = (client, url);\n{body}    Ok(status)\n}}\n"
        )
    return "#![allow(dead_code)]\n" + "\n".join(functions)


def check(directory, text):
    """Seconds of one `cargo check` of the crate with this source."""
    (directory / "src/lib.rs").write_text(text)
    started = time.perf_counter()
    subprocess.run(["cargo", "check", "--quiet", "--offline"], cwd=directory, check=True)
    return time.perf_counter() - started


def median_pair(directory, shape, calls, rounds):
    """Medians without and with the attribute, the runs of both in turn. A comment makes each source a new one."""
    times = {False: [], True: []}
    for number in range(rounds):
        for traced in (False, True):
            attribute = "#[xray::traced_http]\n" if traced else ""
            times[traced].append(check(directory, source(shape, calls, attribute) + f"// {number}\n"))
    return statistics.median(times[False]), statistics.median(times[True])


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--calls", default="1,10,100,1000")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--shapes", default=",".join(SHAPES))
    options = arguments.parse_args()
    calls = [int(number) for number in options.calls.split(",")]
    with tempfile.TemporaryDirectory() as temporary:
        directory = pathlib.Path(temporary)
        (directory / "src").mkdir()
        (directory / "Cargo.toml").write_text(
            '[package]\nname = "compile-time"\nversion = "0.0.0"\nedition = "2024"\n\n[workspace]\n\n[dependencies]\n'
            'reqwest = { version = "0.13", default-features = false }\n'
            f'xray = {{ package = "xray-sdk", path = "{ROOT}" }}\n'
        )
        (directory / "Cargo.lock").write_text((ROOT / "Cargo.lock").read_text())
        os.environ["CARGO_INCREMENTAL"] = "0"
        check(directory, source("value", 1, "#[xray::traced_http]\n"))
        print(f"{'shape':10}{'calls':>7}{'without':>10}{'with':>10}{'a call':>11}")
        for shape in options.shapes.split(","):
            added = {}
            for count in calls:
                without, traced = median_pair(directory, shape, count, options.rounds)
                added[count] = traced - without
                per_call = (added[count] - added[calls[0]]) / (count - calls[0]) if count > calls[0] else None
                text = f"{per_call * 1000:8.2f} ms" if per_call is not None else ""
                print(f"{shape:10}{count:7}{without:9.2f}s{traced:9.2f}s{text:>11}", flush=True)


if __name__ == "__main__":
    main()
