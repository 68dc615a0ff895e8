# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine with real ZFS, and the module in it, for the tests of this folder."""

from __future__ import annotations

import itertools
import secrets

import pytest

from zfs_host import HERE, STREAMS, TOP, guest  # noqa: F401

RUN = secrets.token_hex(3)
NUMBERS = itertools.count(1)


def manifest():
    """The fixtures' manifest: a dictionary for each stream, by name."""
    header, *lines = (STREAMS / "manifest.tsv").read_text().splitlines()
    rows = [dict(zip(header.split("\t"), line.split("\t"))) for line in lines]
    return {row["file"].removesuffix(".zfs"): row for row in rows}


ROWS = manifest()


class Place:
    """Two folders of a test's own: `images` and `vm`."""

    def __init__(self, guest, name):
        self.guest, self.name = guest, f"tank/{name}"
        self.images, self.vm = f"{self.name}/images", f"{self.name}/vm"
        guest.sh(f"zfs create {self.name} && zfs create {self.images} && zfs create {self.vm}")

    def names(self):
        """What the test has made, without the folders."""
        return [name for name in self.guest.names(self.name) if name not in (self.images, self.vm)]

    def src(self, stream):
        return f"/root/streams/{stream}.zfs"

    def triad(self, **options):
        """Check, run, check: changed, changed, unchanged. The difference shown is the same in check mode and in the run."""
        before = self.names()
        announced = self.guest.module(options, check=True)
        assert announced.get("failed") is None, announced
        assert self.names() == before, "check mode has changed something"
        done = self.guest.module(options)
        assert done.get("failed") is None, done
        again = self.guest.module(options, check=True)
        assert (announced["changed"], done["changed"], again["changed"]) == (True, True, False), again
        assert announced["diff"]["before"] == done["diff"]["before"]
        assert "diff" not in again
        return done

    def refused(self, check_too=True, user=None, **options):
        """The message of a refusal, which has changed nothing."""
        before = self.names()
        reply = self.guest.module(options, user=user)
        assert reply.get("failed") is True, reply
        assert reply["changed"] is False
        assert self.names() == before, "a refused run has changed something"
        if check_too:
            announced = self.guest.module(options, check=True, user=user)
            assert announced.get("failed") is True, announced
            # Check mode verifies where the run receives; the reason is the same.
            assert announced["msg"].split(": ")[-1] == reply["msg"].split(": ")[-1]
        return reply["msg"]


@pytest.fixture
def place(guest, request):
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name).strip("-")
    return Place(guest, f"{RUN}-{next(NUMBERS)}-{name[-50:]}")
