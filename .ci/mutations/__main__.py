"""Finds the mutations of a crate that its tests do not notice.

    pip install -r .ci/mutations/requirements.txt && cargo install cargo-mutants
    python3 .ci/mutations DIRECTORY xray-sdk [--tests xray-tests:it,first_hour,faults,tracing,allocations] [--files live/,record/]
        [--workspaces tests/aws-sdk,tests/databases] [--jobs 4]

`DIRECTORY` gets a clone of the last commit, the compiled tests, and the state of the run. A run that was interrupted continues
there. Another commit needs another directory. The mutations are those of cargo-mutants. All of them are compiled into one
program, where each is behind a switch, so a run takes hours instead of weeks. A mutation that does not compile there is not
tried. The library tests of the crate run, those of the test targets that `--tests` names, and all tests of `--workspaces`. For
each mutation the tests run that reach its switch, until one fails.
"""

import argparse
import json
import os
import pathlib
import subprocess
from collections import Counter

from switches import Crate
from trial import Trial, tests_of

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
CARGO_TEST = ["cargo", "test", "--locked", "--all-features", "--no-run", "--message-format=json"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("package")
    parser.add_argument("--tests", metavar="PACKAGE:TARGET,..", type=lambda text: text.split(":"), action="append", default=[])
    parser.add_argument("--workspaces", type=lambda text: text.split(","), default=[], help="directories whose tests run too")
    parser.add_argument("--files", type=lambda text: text.split(","), default=[""], help="parts of paths")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    return parser.parse_args()


def output(command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options).stdout


def programs(crate, command):
    """Builds tests. Yields the path and the directory of each program."""
    for message in crate.compile(command):
        if message.get("executable") and message["profile"]["test"]:
            yield message["executable"], pathlib.Path(message["manifest_path"]).parent


def main():
    options = arguments()
    clone, excluded = options.directory / "clone", options.directory / "excluded.json"
    os.environ |= {"CARGO_TARGET_DIR": str(options.directory.resolve() / "target")}
    os.environ |= {"CARGO_INCREMENTAL": "0", "CARGO_PROFILE_DEV_DEBUG": "0"}
    if not clone.exists():
        subprocess.run(["git", "clone", "--quiet", REPOSITORY, clone], check=True)
    listing = options.directory / "listed.json"
    if not listing.exists():
        command = ["cargo", "mutants", "--list", "--json", "--all-features", "-p", options.package]
        listing.write_text(output(command, cwd=clone))
    listed = json.loads(listing.read_text())
    metadata = json.loads(output(["cargo", "metadata", "--no-deps", "--format-version=1"], cwd=clone))
    package = next(each for each in metadata["packages"] if each["name"] == options.package)
    root = next(target["src_path"] for target in package["targets"] if "lib" in target["kind"])
    known = json.loads(excluded.read_text()) if excluded.exists() else {}
    crate = Crate(clone, str(pathlib.Path(root).relative_to(clone.resolve())), listed, known)
    # A check is quicker than a build. Each of its rounds excludes the mutations that do not compile.
    crate.compile(["cargo", "check", "--locked", "--all-features", "--lib", "-p", options.package, "--message-format=json"])
    # One command, so that the crate is compiled with its features for all programs.
    named = []
    for package, targets in options.tests:
        named += ["-p", package, *(word for target in targets.split(",") for word in ("--test", target))]
    built = [*programs(crate, [*CARGO_TEST, "-p", options.package, "--lib", *named])]
    for workspace in options.workspaces:
        built += programs(crate, [*CARGO_TEST, "--manifest-path", f"{workspace}/Cargo.toml"])
    excluded.write_text(json.dumps(crate.excluded))
    trial = Trial(options.directory / "state.json", [test for program in built for test in tests_of(*program)], options.jobs)
    trial.find_reached()
    tried = [number for number in crate.mutations if number not in crate.excluded]
    tried = [number for number in tried if any(part in listed[number - 1]["file"] for part in options.files)]
    trial.judge(tried)

    for number in tried:
        verdict = trial.verdicts[str(number)]
        if verdict != "noticed":
            print(f"{number} {verdict}: {crate.mutations[number].name}")
    print(f"{len(listed)} listed, {len(listed) - len(crate.excluded)} compile, of these tried:",
          dict(Counter(trial.verdicts[str(number)] for number in tried)))


main()
