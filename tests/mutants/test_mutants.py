# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever stream our program accepts, ZFS makes the same volume of it: mutants of real streams, told by a second reader."""

from __future__ import annotations

import os
import random
import tempfile
from pathlib import Path

import pytest

from mutants import campaign, receiver
from mutants.stream import join

COUNT = int(os.environ.get("MUTANTS", "1000"))
FRESH = f"{random.randrange(1 << 32):x}"


@pytest.fixture
def folder(tmp_path):
    """Every volume that is made is synced to its disk: in memory, where that keeps the mark of a volume."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else tmp_path) as memory:
        try:
            os.setxattr(memory, "user.apiary.test", b"kept")
        except OSError:
            yield tmp_path
        else:
            yield Path(memory)


@pytest.mark.parametrize("seed", ["1", FRESH])
def test_what_we_accept_is_what_zfs_makes_of_it(seed, folder, capsys):
    accepted, differences = 0, []
    for mutant, ours in campaign.accepted(seed, range(COUNT), folder):
        accepted += 1
        found = campaign.difference(ours, campaign.theirs(mutant.stream))
        if found:
            differences.append(f"{mutant}: {found}; kept as {campaign.keep(mutant)}; again: tests/mutants/run.sh {seed} {mutant.number}")
    with capsys.disabled():
        print(f"\nseed {seed}: {COUNT} mutants, {accepted} accepted, {len(differences)} of them differ")
    assert not differences, "\n".join(differences)
    assert accepted >= COUNT // 20, "hardly anything was accepted: nothing was tested"


@pytest.mark.parametrize("name", campaign.originals())
def test_originals_are_accepted(name, folder):
    """Without changes; so a difference comes from what was changed."""
    stream = join(campaign.originals()[name])
    ours = campaign.ours(stream, folder)
    assert not isinstance(ours, str), ours
    assert campaign.difference(ours, campaign.theirs(stream)) == ""


def test_the_second_reader_knows_what_zfs_received():
    """The digests are those of volumes that real ZFS received."""
    compared = 0
    for name, digest in campaign.manifest():
        try:
            volume = receiver.receive((campaign.STREAMS / name).read_bytes())
        except receiver.Refused:
            # Of a file system, or on top of another stream.
            continue
        assert campaign.digest(volume.size(), volume.content()) == digest, name
        compared += 1
    assert compared >= 20


def test_the_second_reader_knows_what_panics_zfs_or_cannot_be_read():
    undefined = """
        dup-size-same-cd emb-zero emb-512-of-16k overlap-partial two-lightweight-one-block free-partial-after-data
        lz4-tail-0 zstd-empty-block zstd-level0 zstd-literals
    """
    for name in undefined.split():
        with pytest.raises(receiver.Undefined):
            receiver.receive((campaign.STREAMS / f"hostile/{name}.zfs").read_bytes()).content()
