#!/usr/bin/env python3
"""What the attribute costs the compiler: `cargo check` of 1, 10, 100 and 1,000 annotated calls beside the same code
without it, and of an ordinary crate.

    python3 benches/compile_time.py [--calls 1,10,100,1000] [--rounds 5] [--shapes value,crate] [--instructions]
        [--features aws-sdk] [--optimized-macros]
    python3 benches/compile_time.py --check | --update

Each row is a shape of call, ten to a function; `single` has one to a function. What is measured is the processor's time
of `cargo check` of the crate alone, its dependencies being built, with and without the attribute in turn; the median of
the rounds counts. What one annotated call costs is taken from the largest number of calls less the smallest, so that
loading the macro crate is not in it; the goal is 0.5 ms.

`crate` is a service of twenty modules of about 160 lines (compile_time/module.rs), with serde, errors and generics, and
one call in each, in the shapes that calls have in public code; a survey of 42 repositories found 838 calls, twenty in
each. There all that the attribute adds counts; the goal is 5 %.

With `--instructions` the instructions of rustc are counted (valgrind) in place of seconds, in millions and one round:
for changes that are smaller than the noise. `--check` counts what one call of the mix costs and fails if it is more than
5 % above compile_time/instructions.json. That file belongs to one version of rustc; `--update` writes it.

The macro crate is compiled without optimisation in a debug build. `--optimized-macros` measures with
`[profile.dev.build-override] opt-level = 3`.
"""

import argparse
import itertools
import json
import os
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
CALLS_PER_FUNCTION = 10
ATTRIBUTE = "#[xray::traced_http]\n"
BASELINE = ROOT / "benches/compile_time/instructions.json"
TOLERANCE = 1.05
# The shapes that have a baseline for the instructions of one call.
COUNTED = ("mixed",)

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
    "single": [VALUE],
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
    per_function = 1 if shape == "single" else CALLS_PER_FUNCTION
    functions = []
    while body := "".join(itertools.islice(lines, per_function)):
        functions.append(
            f"{attribute}pub async fn f{len(functions)}(client: &reqwest::Client, url: &str) -> reqwest::Result<u16> {{\n"
            f"    let mut status = 0;\n    let (sender, _receiver) = std::sync::mpsc::channel();\n"
            f"    sender.send(0).ok();\n    let _ = (client, url);\n{body}    Ok(status)\n}}\n"
        )
    return "#![allow(dead_code)]\n" + "\n".join(functions)


def service(attribute):
    """An ordinary crate: the module once for each call of the mix, with that call in it."""
    module = (ROOT / "benches/compile_time/module.rs").read_text().replace("//!", "//")
    module = module.replace(ATTRIBUTE, attribute)
    modules = []
    for number, call in enumerate(MIXED):
        *before, last = call.splitlines(keepends=True)
        last = last.replace("status += ", "let response = ").replace(".status().as_u16()", "").replace("(url)", "(&url)")
        before = "".join(before).replace("(url)", "(&url)")
        body = module.replace('    let response = todo!("the call");\n', before + last)
        modules.append(f"pub mod orders_{number} {{\n{body}}}\n")
    return "#![allow(dead_code)]\n" + "\n".join(modules)


def processor_time():
    """Seconds that the processes started so far have computed: a busy machine makes them wait, which is not counted."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Scratch:
    """A crate outside of the workspace that is checked again and again."""

    def __init__(self, directory, counts_instructions, features, optimized_macros):
        self.directory, self.number, self.logs = directory, 0, directory / "logs" if counts_instructions else None
        (directory / "src").mkdir()
        (directory / "Cargo.toml").write_text(
            '[package]\nname = "compile-time"\nversion = "0.0.0"\nedition = "2024"\n\n[workspace]\n\n[dependencies]\n'
            'log = "0.4"\nserde = { version = "1", features = ["derive"] }\nserde_json = "1"\n'
            'reqwest = { version = "0.13", default-features = false }\n'
            f'xray = {{ package = "xray-sdk", path = "{ROOT}/xray-runtime", features = {json.dumps(features)} }}\n'
        )
        (directory / "Cargo.lock").write_text((ROOT / "Cargo.lock").read_text())
        self.environment = {**os.environ, "CARGO_INCREMENTAL": "0"}
        if optimized_macros:
            self.environment["CARGO_PROFILE_DEV_BUILD_OVERRIDE_OPT_LEVEL"] = "3"
        if counts_instructions:
            sysroot = subprocess.check_output(["rustc", "--print", "sysroot"], text=True).strip()
            wrapper = directory / "counted"
            wrapper.write_text(
                "#!/bin/sh\nexec valgrind --tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null "
                f'--log-file={self.logs}/%p "$@"\n'
            )
            wrapper.chmod(0o755)
            self.logs.mkdir()
            self.environment |= {"RUSTC": f"{sysroot}/bin/rustc", "RUSTC_WORKSPACE_WRAPPER": str(wrapper)}

    def check(self, text):
        """What one `cargo check` of the crate with this source takes: seconds, or millions of instructions."""
        # A comment makes each source a new one.
        self.number += 1
        (self.directory / "src/lib.rs").write_text(f"{text}// {self.number}\n")
        for log in self.logs.iterdir() if self.logs else ():
            log.unlink()
        before = processor_time()
        command = ["cargo", "check", "--quiet", "--offline"]
        subprocess.run(command, cwd=self.directory, env=self.environment, check=True)
        return self.instructions() if self.logs else processor_time() - before

    def instructions(self):
        """Of the longest run: rustc is asked for its version, too."""
        counts = (re.search(r"I +refs: +([\d,]+)", log.read_text()) for log in self.logs.iterdir())
        return max(int(count[1].replace(",", "")) for count in counts if count) / 1e6


def median_pair(scratch, make, rounds):
    """Medians without and with the attribute, the runs of both in turn."""
    times = {"": [], ATTRIBUTE: []}
    for _ in range(rounds):
        for attribute, measured in times.items():
            measured.append(scratch.check(make(attribute)))
    return (statistics.median(measured) for measured in times.values())


def compare(scratch, update):
    """Counts the instructions of one call of each counted shape. Returns whether all counts are within the baseline."""
    rustc = subprocess.check_output(["rustc", "--version"], text=True).split()[1]
    few, many = 10, 60
    counted = {}
    for shape in COUNTED:
        added = []
        for count in (few, many):
            without, traced = median_pair(scratch, lambda attribute: source(shape, count, attribute), 1)
            added.append(traced - without)
        counted[shape] = round((added[1] - added[0]) / (many - few), 3)
        print(f"{shape:10}{counted[shape]:8.3f} M instructions a call", flush=True)
    if update:
        BASELINE.write_text(json.dumps({"rustc": rustc, "millions of instructions a call": counted}, indent=2) + "\n")
        return True
    baseline = json.loads(BASELINE.read_text())
    if baseline["rustc"] != rustc:
        print(f"skipped: the baseline is that of rustc {baseline['rustc']}, this is {rustc}")
        return True
    known = baseline["millions of instructions a call"]
    over = [shape for shape, count in counted.items() if count > known[shape] * TOLERANCE]
    for shape in over:
        print(f"{shape}: {counted[shape]} M instructions a call, and {known[shape]} M in {BASELINE.name}")
    return not over


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--calls", default="1,10,100,1000")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--shapes", default=",".join([*SHAPES, "crate"]))
    arguments.add_argument("--instructions", action="store_true")
    arguments.add_argument("--features", default="", help="features of xray-sdk, such as aws-sdk")
    arguments.add_argument("--optimized-macros", action="store_true")
    arguments.add_argument("--check", action="store_true")
    arguments.add_argument("--update", action="store_true")
    options = arguments.parse_args()
    options.instructions |= options.check or options.update
    calls = [int(number) for number in options.calls.split(",")]
    rounds = 1 if options.instructions else options.rounds
    whole, scale, unit = ("M", 1, "M") if options.instructions else ("s", 1000, "ms")
    with tempfile.TemporaryDirectory() as temporary:
        features = options.features.split(",") if options.features else []
        scratch = Scratch(pathlib.Path(temporary), options.instructions, features, options.optimized_macros)
        scratch.check(source("value", 1, ATTRIBUTE))
        if options.check or options.update:
            sys.exit(0 if compare(scratch, options.update) else 1)
        print(f"{'shape':10}{'calls':>7}{'without':>11}{'with':>11}{'a call':>11}")
        for shape in options.shapes.split(","):
            if shape == "crate":
                without, traced = median_pair(scratch, service, rounds)
                added = f"{(traced / without - 1) * 100:6.1f} %   goal: 5 % at most"
                print(f"{shape:10}{len(MIXED):7}{without:10.2f}{whole}{traced:10.2f}{whole}{added:>31}", flush=True)
                continue
            added = {}
            for count in calls:
                without, traced = median_pair(scratch, lambda attribute: source(shape, count, attribute), rounds)
                added[count] = traced - without
                per_call = (added[count] - added[calls[0]]) / (count - calls[0]) if count > calls[0] else None
                text = f"{per_call * scale:8.2f} {unit}" if per_call is not None else ""
                goal = "   goal: 0.5 ms at most" if text and unit == "ms" else ""
                print(f"{shape:10}{count:7}{without:10.2f}{whole}{traced:10.2f}{whole}{text:>11}{goal}", flush=True)


if __name__ == "__main__":
    main()
