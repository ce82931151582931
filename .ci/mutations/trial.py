"""Runs tests against the mutations of a crate that stand behind switches."""

import json
import os
import resource
import signal
import subprocess
import tempfile
import threading
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor

# Memory of a test's process, which a mutation may let grow without end.
MAX_BYTES = 8 << 30
# A mutation may let a test wait without end. Tests may take ten times as long as without it, at least and at most these
# seconds, and always twice as long.
LEAST_SECONDS, MOST_SECONDS = 10, 60
# A mutation that many tests reach is not tried with those that take longer.
MANY_TESTS, SLOW_SECONDS = 60, 2.5


class Test:
    def __init__(self, program, directory, name):
        self.program, self.directory, self.name = program, directory, name

    def __str__(self):
        return f"{os.path.basename(self.program)} {self.name}"


def tests_of(program, directory):
    """Returns the tests of a program, in whose `directory` they run."""
    command = [program, "--list", "--format=terse"]
    listed = subprocess.run(command, cwd=directory, check=True, capture_output=True, text=True).stdout.splitlines()
    return [Test(program, directory, line.removesuffix(": test")) for line in listed if line.endswith(": test")]


def run(tests, seconds, **environment):
    """Returns whether these tests of one program pass within a time."""
    command = [tests[0].program, "--exact", *(test.name for test in tests)]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    environment = {**os.environ, "RUST_BACKTRACE": "0", **environment}
    process = subprocess.Popen(command, cwd=tests[0].directory, env=environment, start_new_session=True, **quiet)
    try:
        return process.wait(seconds) == 0
    except subprocess.TimeoutExpired:
        return False
    finally:
        # Also the programs that the tests have started.
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()


class Trial:
    """What each test reaches, and what became of each mutation. It is kept in a file, so a trial can be continued."""

    def __init__(self, file, tests, jobs):
        self.file, self.jobs = file, jobs
        self.tests = {str(test): test for test in tests}
        self.lock = threading.Lock()
        # The processes of the tests inherit both.
        os.nice(10)
        resource.setrlimit(resource.RLIMIT_AS, (MAX_BYTES, MAX_BYTES))
        kept = json.loads(file.read_text()) if file.exists() else {}
        # Test to its seconds and the numbers that it reaches; `None` if it fails without a mutation.
        self.reached = kept.get("reached", {})
        self.verdicts = kept.get("verdicts", {})

    def keep(self):
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps({"reached": self.reached, "verdicts": self.verdicts}))
        new.replace(self.file)

    def in_parallel(self, work, items):
        with ThreadPoolExecutor(self.jobs) as executor:
            for done, _ in enumerate(executor.map(work, items), 1):
                if done % 100 == 0:
                    with self.lock:
                        self.keep()
                        print(f"{done} of {len(items)}", dict(Counter(self.verdicts.values())), flush=True)
        self.keep()

    def find_reached(self):
        self.in_parallel(self.find_reached_by, [name for name in self.tests if name not in self.reached])

    def find_reached_by(self, name):
        with tempfile.NamedTemporaryFile() as file:
            start = time.monotonic()
            # A test that counts allocations fails while the switches write to a file, so each test runs twice.
            run([self.tests[name]], 2 * MOST_SECONDS, XRAY_REACHED=file.name)
            numbers = sorted({int(line) for line in file.read().split()})
        seconds = time.monotonic() - start
        passes = run([self.tests[name]], 2 * MOST_SECONDS)
        if not passes:
            print("fails without a mutation:", name, flush=True)
        with self.lock:
            self.reached[name] = {"seconds": seconds, "numbers": numbers} if passes else None

    def judge(self, numbers):
        reaching = defaultdict(list)
        for name, reached in self.reached.items():
            if reached and name in self.tests:
                for number in reached["numbers"]:
                    reaching[number].append((reached["seconds"], name))
        left = [number for number in numbers if str(number) not in self.verdicts]
        self.in_parallel(lambda number: self.judge_one(number, sorted(reaching[number])), left)

    def judge_one(self, number, tests):
        """Finds whether a test notices a mutation. `tests` are those that reach it, the quickest first."""
        verdict = "missed" if tests else "unreached"
        if len(tests) > MANY_TESTS:
            tests = [test for test in tests if test[0] < SLOW_SECONDS]
        for group in groups(tests):
            named = [self.tests[name] for _, name in group]
            expected = sum(seconds for seconds, _ in group)
            seconds = max(LEAST_SECONDS, min(10 * expected, MOST_SECONDS), 2 * expected)
            # The group may also fail without the mutation: each of its tests has only passed alone.
            if not run(named, seconds, XRAY_MUTATION=str(number)) and run(named, seconds):
                verdict = "noticed"
                break
        with self.lock:
            self.verdicts[str(number)] = verdict


def groups(tests):
    """Splits tests into groups of one program each. The groups grow, because the first tests notice most mutations."""
    size = 6
    while tests:
        first, tests = tests[:size], tests[size:]
        size *= 3
        of_program = defaultdict(list)
        for seconds, name in first:
            of_program[name.split(" ")[0]].append((seconds, name))
        yield from of_program.values()
