#!/usr/bin/env python3
"""Checks what can be checked of deny.toml without a network: licences, banned crates and the sources of all crates.

The workflow on GitHub runs cargo-deny itself, which also knows security advisories.
"""

import json
import pathlib
import re
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"


def is_allowed(expression, allowed):
    """Returns whether an SPDX expression can be met with the allowed licences: one side of each OR, both of each AND."""
    tokens = re.findall(r"\(|\)|[^\s()]+", expression.replace("/", " OR "))

    def alternatives():
        met = conjunction()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            met = conjunction() or met
        return met

    def conjunction():
        met = term()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            met = term() and met
        return met

    def term():
        licence = tokens.pop(0)
        if licence == "(":
            met = alternatives()
            tokens.pop(0)
            return met
        if tokens and tokens[0] == "WITH":
            licence = f"{licence} {tokens.pop(0)} {tokens.pop(0)}"
        return licence in allowed

    return alternatives()


def problems(packages, rules):
    allowed = set(rules["licenses"]["allow"])
    exceptions = {rule["crate"]: set(rule["allow"]) for rule in rules["licenses"].get("exceptions", [])}
    banned = {rule["crate"] for rule in rules["bans"].get("deny", [])}
    for package in packages:
        name, expression = package["name"], package["license"] or ""
        if not expression or not is_allowed(expression, allowed | exceptions.get(name, set())):
            yield f"{name}: its licence {expression or 'is not stated'} is not among the allowed ones"
        if name in banned:
            yield f"{name}: deny.toml bans this crate"
        if package["source"] not in (None, REGISTRY):
            yield f"{name}: comes from {package['source']}, not from crates.io"


def main():
    command = ["cargo", "metadata", "--locked", "--all-features", "--format-version", "1"]
    packages = json.loads(subprocess.check_output(command, cwd=ROOT))["packages"]
    found = sorted(problems(packages, tomllib.loads((ROOT / "deny.toml").read_text(encoding="utf-8"))))
    print(*found, f"deny.toml: {len(packages)} crates, {len(found)} problems", sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
