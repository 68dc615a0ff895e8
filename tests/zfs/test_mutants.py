# SPDX-License-Identifier: GPL-3.0-or-later
"""Mutants of real streams that our reader accepts: real ZFS receives them as well, and the volume is what we replay."""

from __future__ import annotations

import itertools
import random

from mutants import campaign
from mutants.stream import join

COUNT = 50
# Reading larger ones takes long here.
LARGEST = 4 << 20


def chosen(seed, folder):
    """By name: what it is, its stream, and the digest of what we make of it."""
    # Blocks of every compression, some of which no stream of ours has from ZFS itself.
    stream = join(campaign.originals()["every-compression"])
    _, size, _, pages = campaign.ours(stream, folder)
    yield "every-compression", ("every compression", stream, campaign.digest(size, pages))
    small = (each for each in campaign.accepted(seed, itertools.count(), folder) if each[1][1] <= LARGEST)
    for mutant, (_, size, _, pages) in itertools.islice(small, COUNT):
        again = f"{mutant}; again: tests/mutants/run.sh {seed} {mutant.number}"
        yield str(mutant.number), (again, mutant.stream, campaign.digest(size, pages))


def test_mutants_that_are_accepted_are_the_same_volume_in_zfs(guest, place, tmp_path):
    streams = tmp_path / "mutants"
    streams.mkdir()
    mutants = dict(chosen(f"{random.randrange(1 << 32):x}", tmp_path))
    for name, (_, stream, _) in mutants.items():
        (streams / f"{name}.zfs").write_bytes(stream)
    guest.host("push", str(streams))
    received = guest.script(f"volumes.py {place.vm} /root/mutants", stdin=list(mutants))
    for name, (what, _, digest) in mutants.items():
        assert received[name]["rc"] == 0, (what, received[name])
        assert received[name]["sha256"] == digest, what
    guest.sh("zpool scrub -w tank && zpool status -x tank | grep -q healthy")
