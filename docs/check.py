#!/usr/bin/env python3
"""Checks the documentation without a network.

* Each test that DESIGN.md or SECURITY.md cites after "Test:" or "Tests:" exists: `module::name` is a function, module or type `name`, or a text
  "name", in a Rust file `module.rs` or in a folder `module`.
* Each test file that a comment in a Rust file cites, such as `tests/it/wire.rs` or `tests/it/wire.rs::name`, exists in the repository,
  in the crate of the comment, or (`tests.rs`) beside the file, and contains the name.
* Each link from one page to another leads to a file, and to a heading in it. Links to the repository's main branch count as links
  to files.
* No line of a page in `docs/` or at the root is longer than 160 characters, except in blocks of code, in tables, and if it is a picture or
  one word.
* No comment in a Rust file has a line of more than 120 characters, except in blocks of code and in tables.
* README.md is shown on crates.io and docs.rs, so it has no relative link.
* Each folder and file on the maps of CONTRIBUTING.md exists, and each file and folder of a crate with a map is on it.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
REPOSITORY = ("https://github.com/xray-rs/xray/blob/main/", "https://raw.githubusercontent.com/xray-rs/xray/main/")
problems = []


def tracked(pattern):
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "--", pattern], cwd=ROOT, capture_output=True, text=True)
    return [path for path in listed.stdout.splitlines() if (ROOT / path).exists()]


def has_test(path, name):
    """Whether a file has a function, module or type of this name, or the name as a text."""
    word = re.compile(rf'\b(?:fn|mod|struct|enum) {name}\b|"{name}"|^\s*{name}\(', re.MULTILINE)
    return word.search(path.read_text(encoding="utf-8")) is not None


def check_tests():
    files = {}
    for path in tracked("*.rs"):
        parts = pathlib.PurePath(path)
        for name in {parts.stem, parts.parent.name}:
            files.setdefault(name, []).append(path)
    return sum(check_tests_of(page, least, files) for page, least in [("DESIGN.md", 50), ("SECURITY.md", 20)])


def check_tests_of(page, least, files):
    """Checks the tests that a page cites. `files` are the Rust files by their names and the names of their folders."""
    text = (ROOT / page).read_text(encoding="utf-8")
    cited = [name for part in re.findall(r"Tests?:((?:\s*`[^`]+`,?)+)", text) for name in re.findall(r"`([^`]+)`", part)]
    if len(cited) < least:
        problems.append(f"{page}: only {len(cited)} tests were found, so the pattern of this script is wrong")
    for name in cited:
        module, _, function = name.rpartition("::")
        if not any(has_test(ROOT / path, function) for path in files.get(module, [])):
            problems.append(f"{page}: there is no test `{name}`")
    return len(cited)


def check_citations():
    """Checks the test files that comments in Rust files cite."""
    count = 0
    for source in tracked("*.rs"):
        parents = list((ROOT / source).parents)
        crate = next(folder for folder in parents if (folder / "Cargo.toml").exists())
        for number, line in enumerate((ROOT / source).read_text(encoding="utf-8").splitlines(), 1):
            comment = re.search(r"(?:^|\s)//.*", line)
            cited = re.findall(r"(?<![\w/.-])((?:[\w-]+/)*tests(?:/[\w-]+)*\.rs)(?:::(\w+)((?:`, `\w+(?=`))*))?", comment.group()) if comment else []
            for path, name, others in cited:
                count += 1
                folders = parents[:1] if path == "tests.rs" else [ROOT, crate]
                file = next((folder / path for folder in folders if (folder / path).exists()), None)
                if file is None:
                    problems.append(f"{source}:{number}: there is no file {path}")
                elif name:
                    missing = [each for each in [name, *re.findall(r"\w+", others)] if not has_test(file, each)]
                    problems.extend(f"{source}:{number}: {path} has no {each}" for each in missing)
    if count < 50:
        problems.append(f"only {count} tests are cited in comments, so the pattern of this script is wrong")
    return count


def anchors(text):
    """The anchors of a page, as GitHub makes them of headings."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ +(.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def check_links():
    count = 0
    for page in tracked("*.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", prose):
            count += 1
            path, _, anchor = target.partition("#")
            local = next((path[len(prefix):] for prefix in REPOSITORY if path.startswith(prefix)), None)
            if local is not None:
                file = ROOT / local
            elif re.match(r"[a-z]+:", target):
                continue
            else:
                file = (ROOT / page).parent / path if path else ROOT / page
                if page == "README.md" and path:
                    problems.append(f"{page}: the relative link {target} does not work on crates.io")
            if not file.exists():
                problems.append(f"{page}: {target} leads to no file")
            elif anchor and file.suffix == ".md" and anchor not in anchors(file.read_text(encoding="utf-8")):
                problems.append(f"{page}: {target} leads to no heading")
    return count


def check_lengths():
    for page in [page for page in tracked("*.md") if page.startswith("docs/") or "/" not in page]:
        in_code = False
        for number, line in enumerate((ROOT / page).read_text(encoding="utf-8").splitlines(), 1):
            in_code ^= line.startswith("```")
            if len(line) > 160 and not in_code and not line.startswith(("|", "![")) and " " in line.strip():
                problems.append(f"{page}:{number} has {len(line)} characters, more than 160")
    for path in tracked("*.rs"):
        in_code = False
        for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), 1):
            comment = re.match(r"\s*//[/!]? ?(.*)", line)
            if comment is None:
                in_code = False
                continue
            in_code ^= comment[1].lstrip().startswith("```")
            if len(line) > 120 and not in_code and not comment[1].startswith("|"):
                problems.append(f"{path}:{number} is a comment of {len(line)} characters, more than 120")


def check_maps():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for folder, listed in re.findall(r"^### `([a-z/-]+)`.*?^```text\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
        names = [line.split()[0].rstrip("/") for line in listed.splitlines()]
        there = {path.stem for path in (ROOT / folder).iterdir()} - {"tests"}
        names = {pathlib.PurePath(name).stem for name in names}
        problems.extend(f"CONTRIBUTING.md: {folder} has no {name}" for name in sorted(names - there))
        problems.extend(f"CONTRIBUTING.md: {folder}/{name} is not on the map" for name in sorted(there - names))
    for path in re.findall(r"`((?:xray-|tests/|benches/|docs/|examples/)[^`]*)`", text):
        if "/" in path and re.fullmatch(r"[\w./-]+", path) and "NAME" not in path and not (ROOT / path).exists():
            problems.append(f"CONTRIBUTING.md: there is no {path}")


counts = check_tests(), check_citations(), check_links()
check_lengths()
check_maps()
print("\n".join(problems) if problems else f"{counts[0]} tests of DESIGN.md and SECURITY.md, {counts[1]} cited test files and {counts[2]} links are there, and the maps are right")
sys.exit(bool(problems))
