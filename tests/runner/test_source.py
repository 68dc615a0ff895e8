# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The source that an artifact carries, and the licences of what is linked into its programs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """What an artifact has, without programs and without Git."""
    folder = tmp_path_factory.mktemp("source")
    tree, collection = folder / "tree", folder / "collection"
    tree.mkdir()
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    known = subprocess.run(words, cwd=TOP, check=True, capture_output=True, text=True).stdout
    for name in filter(None, known.split("\0")):
        if (TOP / name).exists():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(TOP / name, tree / name)
    words = [BIN / "ansible-galaxy", "collection", "build", tree, "--output-path", folder]
    subprocess.run(words, check=True, capture_output=True, env={**os.environ, "HOME": str(folder)})
    (artifact,) = folder.glob("apiary-bhyve-*.tar.gz")
    with tarfile.open(artifact) as archive:
        archive.extractall(collection, filter="data")
    return collection


def test_cargo_takes_the_source_as_it_is(unpacked):
    words = ["cargo", "metadata", "--locked", "--no-deps", "--format-version=1"]
    told = json.loads(subprocess.run(words, cwd=unpacked, check=True, capture_output=True).stdout)
    here = subprocess.run(words, cwd=TOP, check=True, capture_output=True).stdout
    assert {package["name"] for package in told["packages"]} == {package["name"] for package in json.loads(here)["packages"]}
    for package in told["packages"]:
        for target in package["targets"]:
            assert Path(target["src_path"]).is_file(), target


def test_every_file_that_a_source_includes_is_there(unpacked):
    for source in (unpacked / "modules").rglob("*.rs"):
        if source.name == "tests.rs" or "tests" in source.parts:
            continue
        code = source.read_text().partition("#[cfg(test)]")[0]
        for line in code.splitlines():
            if "include_str!(\"" in line or "include_bytes!(\"" in line:
                assert (source.parent / line.split('!("')[1].split('"')[0]).is_file(), (source, line)


def test_make_builds_there_and_knows_nothing_else(unpacked):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "MFLAGS"}
    for make in ("make", "bmake"):
        done = subprocess.run([make, "-n", "build"], cwd=unpacked, env=environment, capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, "modules/install.sh\n", "")
        listed = subprocess.run([make, "help"], cwd=unpacked, env=environment, capture_output=True, text=True)
        assert (listed.returncode, listed.stderr) == (0, "") and "make build" in listed.stdout and "make test" not in listed.stdout


def licences(tmp_path, *also):
    out = tmp_path / "LICENCES.txt"
    done = subprocess.run([sys.executable, TOP / "modules/licences.py", out, *also], capture_output=True, text=True)
    return done, out


def test_every_crate_that_is_linked_has_its_licence(tmp_path):
    text = tmp_path / "text.html"
    text.write_text("<html><body class='a'><p>Rust &amp; its <b>library</b></p></body></html>")
    done, out = licences(tmp_path, f"Rust's library={text}")
    told = out.read_text()
    assert (done.returncode, done.stderr) == (0, "")
    for expected in ("\nring ", "\nvirt ", "\nvirt-sys ", "\nzstd-sys ", "GNU LESSER GENERAL PUBLIC LICENSE", "Rust & its library"):
        assert expected in told, expected
    # What only tests or builds use is not linked.
    assert "\nproptest " not in told and "\nserde_derive " not in told


def test_a_crate_without_its_licence_ends_the_release(tmp_path):
    script = tmp_path / "licences.py"
    whole = (TOP / "modules/licences.py").read_text()
    script.write_text(whole.replace('"pulp-wasm-simd-flag": "pulp"', "").replace("pathlib.Path(__file__).resolve().parents[1]", f"pathlib.Path({str(TOP)!r})"))
    done = subprocess.run([sys.executable, script, tmp_path / "out"], capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith("licences: looking for the licence of pulp-wasm-simd-flag"), done.stderr
    assert not (tmp_path / "out").exists()
