# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the shipped programs are made of, with the text of every licence: licences.py FILE [NAME=TEXT-FILE...]; or as a list for
programs that look for known weaknesses, in the form of CycloneDX: licences.py --sbom FILE

Every crate that is linked for one of the platforms is in it, with its checksum, under which the registry keeps its source. NAME=TEXT-FILE
adds what is linked and no crate. A crate without a text ends the run.
"""

from __future__ import annotations

import hashlib
import html
import json
import pathlib
import re
import subprocess
import sys
import tomllib

TOP = pathlib.Path(__file__).resolve().parents[1]
TARGETS = ("x86_64-unknown-freebsd", "aarch64-unknown-freebsd", "x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl",
           "x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu")  # fmt: skip
TEXT = re.compile(r"(.*[-_.])?(licen[cs]e|copying|notice|copyright|unlicense|authors)([-_.].*)?", re.IGNORECASE)
# Crates that come without the text, and whose text it is: another one's of the same source tree.
TEXT_OF = {"pulp-wasm-simd-flag": "pulp"}
HEAD = """\
What the programs in this folder are made of
============================================

The programs are apiary.bhyve {version}, under GPL-3.0-or-later but for the crate virt-sys, which is under LGPL-2.1-or-later. Their source
is in this collection: modules/, Cargo.toml and Cargo.lock at its top, with the text of both licences in LICENSES/. `make build`
there builds the programs for the machine it is run on.

Linked into them is the code of the crates below. The source of each is on crates.io, where it is had by its name and version, and told
from any other by its SHA-256; `cargo vendor --locked`, at this collection's top, fetches all of them. If one of them is not there any
more, write to the address in SECURITY.md: you are owed the source as long as these programs are given out, and get it at no charge.

"""


def linked():
    """Every crate that is linked for one of the platforms, by name and version. What only builds, macros included, is not linked."""
    found = {}
    for target in TARGETS:
        words = ["cargo", "metadata", "--locked", "--format-version=1", "--filter-platform", target, "--manifest-path", TOP / "Cargo.toml"]
        told = json.loads(subprocess.run(words, check=True, capture_output=True).stdout)
        packages = {package["id"]: package for package in told["packages"]}
        nodes = {node["id"]: node for node in told["resolve"]["nodes"]}
        left = [package["id"] for package in told["packages"] if package["name"] == "apiary" and package["source"] is None]
        seen = set()
        while left:
            package = packages[left.pop()]
            if package["id"] in seen or any("proc-macro" in made["kind"] for made in package["targets"]):
                continue
            seen.add(package["id"])
            found[package["name"], package["version"]] = package
            left += [dep["pkg"] for dep in nodes[package["id"]]["deps"] if any(kind["kind"] is None for kind in dep["dep_kinds"])]
    return dict(sorted(found.items()))


def checksums():
    """The SHA-256 of every crate that comes from a registry, by name and version."""
    with open(TOP / "Cargo.lock", "rb") as file:
        return {(each["name"], each["version"]): each.get("checksum") for each in tomllib.load(file)["package"]}


def sbom():
    """Every crate that is linked, as CycloneDX 1.5 has it. Of the same source it is the same text."""
    crates, sums = linked(), checksums()
    version = next(version for name, version in crates if name == "apiary")
    components = [
        {
            "type": "library", "bom-ref": "pkg:cargo/%s@%s" % key, "name": key[0], "version": key[1], "purl": "pkg:cargo/%s@%s" % key,
            "licenses": [{"expression": package["license"].replace("/", " OR ")}],
            **({"hashes": [{"alg": "SHA-256", "content": sums[key]}]} if sums[key] else {}),
        }
        for key, package in crates.items()
    ]
    collection = {"type": "application", "bom-ref": "apiary.bhyve", "name": "apiary.bhyve", "version": version}
    return {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "metadata": {"component": collection}, "components": components}


def texts(package):
    """The texts that a crate's source carries, also of what other people's code is within it."""
    folder = pathlib.Path(package["manifest_path"]).parent
    files = [path for path in sorted(folder.rglob("*")) if TEXT.fullmatch(path.name) and path.is_file() and path.suffix != ".rs"]
    return [path.read_text(encoding="utf-8", errors="replace").strip() for path in files]


def page(others):
    """The whole text; OTHERS are what is linked and no crate, with their texts."""
    crates, sums = linked(), checksums()
    by_name = {name: package for (name, _version), package in crates.items()}
    holders, rows = {}, []
    for (name, version), package in crates.items():
        if package["source"] is None and package["license"] == "GPL-3.0-or-later":
            continue
        found = texts(by_name[TEXT_OF[name]] if name in TEXT_OF else package)
        if not found:
            raise SystemExit("licences: looking for the licence of %s %s: expected its text in %s, found none; name in TEXT_OF whose it is"
                             % (name, version, package["manifest_path"]))  # fmt: skip
        rows.append("%-26s %-16s %s\n%27s%s" % (name, version, package["license"], "", sums[name, version] or "in modules/"))
        for text in found:
            holders.setdefault(hashlib.sha256(" ".join(text.split()).encode()).digest(), (text, []))[1].append(name)
    rows += ["%-26s %-16s see its text" % (name, "") for name in others]
    for name, text in others.items():
        holders[name] = (text, [name])
    parts = ["%s\n%s\n%s\n" % (", ".join(dict.fromkeys(names)), "-" * 100, text) for text, names in holders.values()]
    version = next(package["version"] for package in crates.values() if package["name"] == "apiary")
    return HEAD.format(version=version) + "\n".join(rows) + "\n\n\n" + "\n\n".join(parts)


def main(out, *also):
    """Writes OUT."""
    if out == "--sbom":
        pathlib.Path(also[0]).write_text(json.dumps(sbom(), indent=1) + "\n", encoding="utf-8")
        return
    others = {}
    for each in also:
        name, _equals, path = each.partition("=")
        text = pathlib.Path(path).read_text(encoding="utf-8")
        if path.endswith(".html"):
            text = re.sub(r"\n\s*\n+", "\n\n", html.unescape(re.sub(r"<[^>]*>", "", text.partition("<body")[2].partition(">")[2])))
        others[name] = text.strip()
    pathlib.Path(out).write_text(page(others), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
