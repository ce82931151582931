#!/usr/bin/env python3
"""Checks the published crates with the oldest direct dependencies that their manifests allow.

    .ci/minimal_versions.py    # needs the nightly toolchain, whose cargo can resolve these versions

Works on a copy without the unpublished packages and without dev-dependencies, because users resolve neither. The crates are
resolved together, so a dependency that several of them share has one requirement.
"""

import pathlib
import re
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).parent.parent
PUBLISHED = ["xray-macros", "xray-macros-core", "xray-runtime", "xray-local", "cargo-xray"]
# From the header of a table that only tests and benches use to the next header.
UNUSED_TABLES = re.compile(r"^\[(?:dev-dependencies[^\]]*|\[(?:test|bench|example)\])\].*?(?=^\[|\Z)", re.MULTILINE | re.DOTALL)


def copy_to(folder):
    """Copies the published crates, and makes them the members of a workspace."""
    for crate in PUBLISHED:
        shutil.copytree(ROOT / crate, folder / crate, ignore=shutil.ignore_patterns("target"))
        manifest = folder / crate / "Cargo.toml"
        manifest.write_text(UNUSED_TABLES.sub("", manifest.read_text()))
    # `README.md` is a symbolic link to this file.
    shutil.copy(ROOT / "README.md", folder)
    members = "members = [" + ", ".join(f'"{crate}"' for crate in PUBLISHED) + "]"
    manifest = re.sub(r"^members = .*$", members, (ROOT / "Cargo.toml").read_text(), flags=re.MULTILINE)
    (folder / "Cargo.toml").write_text(manifest)


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        copy_to(folder)

        def cargo(*arguments):
            subprocess.run(["cargo", *arguments], cwd=folder, check=True)

        cargo("+nightly", "update", "-Z", "direct-minimal-versions")
        target = str(ROOT / "target" / "minimal-versions")
        cargo("check", "--locked", "--target-dir", target, "-p", "xray-sdk", "--all-features")
        cargo("check", "--locked", "--target-dir", target, "-p", "xray-local", "-p", "cargo-xray")


if __name__ == "__main__":
    main()
