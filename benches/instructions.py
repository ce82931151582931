#!/usr/bin/env python3
"""Counts the instructions of one traced call on each path, and compares them with `instructions.json`.

    benches/instructions.py            # fails if a count is more than 5 % above the committed one
    benches/instructions.py --update   # writes the counts

Needs valgrind, whose tool callgrind counts. A count is the difference of two runs, so it excludes the start of the program.
The counts depend on the versions of the crates that the runtime uses, which the lock file fixes, and on that of the compiler:
with another compiler than the one of the committed counts, nothing fails. They do not depend on the load of the machine or on
its environment, and hardly on its processor (see `STEADY_LIBC`). A floor is the work of a path without the runtime; see `overhead.rs`.
"""

import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
BASELINE = HERE / "instructions.json"
PATHS = [
    "untraced_floor", "by_hand", "no_context", "disabled",
    "untraced_floor_224_bytes", "by_hand_224_bytes", "no_context_224_bytes",
    "unsampled_floor", "unsampled_by_hand", "unsampled", "sampled_floor", "sampled_by_hand", "sampled", "written", "streamed",
]
FEW, MANY = 2_000, 6_000
TOLERANCE = 0.05
# The tolerance in instructions for small counts, which may change by one or two in any build.
LEAST = 3

# The settings under which glibc takes one path for an allocation and for a copy. By default, the place of the heap, which the
# length of the environment changes, decides when freed memory is merged, and the processor decides how long copies are made:
# counts of one program differed by 8 %. Here each thread keeps what it frees, and copies are never made by `rep movsb`, of
# which callgrind counts each byte.
STEADY_LIBC = ":".join([
    "glibc.malloc.tcache_count=65535", "glibc.malloc.tcache_max=1048576",
    "glibc.cpu.x86_rep_movsb_threshold=1073741824", "glibc.cpu.x86_rep_stosb_threshold=1073741824",
])


def build():
    """Returns the path of the program."""
    command = ["cargo", "build", "--release", "--locked", "-p", "xray-benches", "--bin", "instructions"]
    lines = subprocess.run([*command, "--message-format", "json"], cwd=HERE, check=True, stdout=subprocess.PIPE, text=True).stdout
    messages = map(json.loads, lines.splitlines())
    return next(message["executable"] for message in messages
                if message.get("executable") and message["target"]["name"] == "instructions")


def run(program, path, calls):
    """Returns the instructions of the whole program."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, path, str(calls)]
    environment = {**os.environ, "GLIBC_TUNABLES": STEADY_LIBC}
    report = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stderr
    return int(re.search(r"Collected : (\d+)", report)[1])


def compiler():
    """Returns the version of the compiler, such as `1.95.0`."""
    return subprocess.run(["rustc", "--version"], cwd=HERE, check=True, stdout=subprocess.PIPE, text=True).stdout.split()[1]


def main():
    program = build()
    counts = {path: round((run(program, path, MANY) - run(program, path, FEW)) / (MANY - FEW)) for path in PATHS}
    if "--update" in sys.argv:
        BASELINE.write_text(json.dumps({"rustc": compiler(), "instructions": counts}, indent=2) + "\n")
    baseline = json.loads(BASELINE.read_text())
    failed = False
    for path, count in counts.items():
        committed = baseline["instructions"][path]
        is_over = count > max(committed * (1 + TOLERANCE), committed + LEAST)
        failed |= is_over
        print(f"{path:26} {count:6}  committed {committed:6}{'  more than 5 % above' if is_over else ''}")
    if failed and compiler() != baseline["rustc"]:
        print(f"the committed counts are of rustc {baseline['rustc']}, these of {compiler()}: nothing follows from them")
        failed = False
    sys.exit(failed)


main()
