# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The artifact: built by ansible-galaxy, installed into another folder, used from there with nothing else."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tarfile

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(sys.executable).parent
LIMIT = 20 * 1000 * 1000
NATIVE = "plugins/plugin_utils/_native/"


def ansible(folder, *words):
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "ANSIBLE_COLLECTIONS_PATH": str(folder / "collections"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
    }
    return subprocess.run(
        [str(BIN / words[0]), *words[1:]], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("elsewhere")
    built = ansible(folder, "ansible-galaxy", "collection", "build", str(TOP), "--output-path", str(folder))
    assert built.returncode == 0, built.stderr
    (artifact,) = folder.glob("apiary-bhyve-*.tar.gz")
    words = ("collection", "install", str(artifact), "-p", str(folder / "collections"), "--offline", "--no-deps")
    done = ansible(folder, "ansible-galaxy", *words)
    assert done.returncode == 0, done.stderr
    return folder, artifact


def test_galaxy_takes_its_size(installed):
    assert installed[1].stat().st_size < LIMIT


def test_nothing_but_the_collection_is_inside(installed):
    with tarfile.open(installed[1]) as archive:
        names = archive.getnames()
        tops = {name.split("/")[0] for name in names}
        programs = {member.name for member in archive if member.name.startswith(NATIVE) and member.isfile()}
    assert not tops & {"native", "target", "tests", ".cache", ".ci"}, sorted(tops)
    assert {name.removeprefix(NATIVE) for name in programs} == {
        "LICENCES.txt",
        "freebsd-aarch64/apiary", "freebsd-x86_64/apiary", "linux-aarch64/apiary", "linux-aarch64/apiary_libvirt",
        "linux-x86_64/apiary", "linux-x86_64/apiary_libvirt",
    }  # fmt: skip
    assert not [name for name in names if name.endswith(".pyc")]


def test_who_gets_the_programs_gets_their_source_and_every_licence(installed):
    """That the source is whole, tests/runner shows."""
    with tarfile.open(installed[1]) as archive:
        names = set(archive.getnames())
        told = archive.extractfile(NATIVE + "LICENCES.txt").read().decode()
    assert {"Cargo.toml", "Cargo.lock", "Makefile", "modules/apiary/src/main.rs", "LICENSE", "modules/virt_sys/COPYING"} <= names
    assert {"LICENSES/GPL-3.0-or-later.txt", "LICENSES/LGPL-2.1-or-later.txt"} <= names
    for linked in ("\nring ", "\nvirt-sys ", "\nRust's standard library", "\nmusl", "GNU LESSER GENERAL PUBLIC LICENSE"):
        assert linked in told, linked


def test_it_works_from_another_folder(installed):
    folder, _artifact = installed
    done = ansible(
        folder, "ansible", "localhost", "-c", "local", "-m", "apiary.bhyve.bhyve_image_info", "-t", "results",
        "-a", json.dumps({"store": str(folder / "store")}),
    )  # fmt: skip
    result = json.loads((folder / "results" / "localhost").read_text())
    assert done.returncode == 0 and result["store"] == [], (done.stdout, result)


def test_its_pages_can_be_read(installed):
    folder, _artifact = installed
    listed = ansible(folder, "ansible-doc", "--list", "apiary.bhyve", "--json")
    pages = json.loads(listed.stdout)
    assert "apiary.bhyve.zfs_receive" in pages
    for page in pages:
        assert ansible(folder, "ansible-doc", page).returncode == 0
