# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs as they lie in native/: links to one file, or files of their own."""

from __future__ import annotations

import hashlib

import pytest
from ansible_collections.apiary.bhyve.plugins.plugin_utils._programs import built


@pytest.fixture
def native(tmp_path):
    folder = tmp_path / "freebsd-x86_64"
    folder.mkdir()
    (folder / "apiary").write_bytes(b"all of them")
    for name in ("one", "two"):
        (folder / name).symlink_to("apiary")
    (folder / "three").write_bytes(b"three")
    return tmp_path


def test_links_to_one_file_are_kept_once(native):
    one, two = (built(name, str(native))["FreeBSD amd64"] for name in ("one", "two"))
    digest = hashlib.sha256(b"all of them").hexdigest()
    assert one.kept_name == two.kept_name == "apiary-freebsd-x86_64-" + digest
    assert (one.name, two.name, one.size, one.contents()) == ("one", "two", 11, b"all of them")


def test_a_file_of_its_own_is_kept_under_its_name(native):
    (program,) = built("three", str(native)).values()
    assert program.kept_name == "three-freebsd-x86_64-" + hashlib.sha256(b"three").hexdigest()


def test_a_file_that_changes_is_read_again(native):
    built("one", str(native))
    (native / "freebsd-x86_64" / "apiary").write_bytes(b"all of them, and one more")
    (program,) = built("one", str(native)).values()
    assert program.sha256 == hashlib.sha256(b"all of them, and one more").hexdigest()


def test_what_was_not_built_is_not_there(native):
    assert built("four", str(native)) == {}
