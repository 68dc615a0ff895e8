# SPDX-License-Identifier: GPL-3.0-or-later
"""Killed at any moment: nothing half-made under a final name, and the same run again puts it right."""

from __future__ import annotations

import json
import random

import pytest

from conftest import ROWS
from zfs_host import SCRIPTS


def test_kill_at_fifty_random_moments(guest, place):
    seed = random.randrange(1 << 30)
    row = ROWS["lz4-plain"]
    image = f"{row['toguid']} {row['volsize']} {row['content_sha256_after_receive']}"
    hits = guest.script(f"kills.py 50 {place.vm} {seed} {place.src('lz4-plain')} {image}")
    assert hits >= 20, f"seed {seed}: only {hits} of 50 kills met a running module"


@pytest.mark.parametrize("share", [0.3, 0.8])
def test_power_cut_in_the_middle(guest, place, share):
    """QEMU is killed when ZFS has read a part of the stream; after boot and import the next run converges."""
    # In the pool, because all else in the guest is gone with its power. Mostly random, so that it takes a while.
    guest.sh(
        f"cd /{place.name} && head -c 96M /dev/urandom > disk && truncate -s 128M disk && /root/write_stream disk stream.zfs 16384"
        " && sha256sum < disk | cut -d ' ' -f 1 > sum && rm disk && zpool sync tank"
    )
    options = {"src": f"/{place.name}/stream.zfs", "golden": place.images, "dataset": f"{place.vm}/web", "volsize": "160M"}
    running = guest.start(f"{SCRIPTS}/during.py {share}", stdin=json.dumps(options))
    assert running.stdout.readline() == "now\n", "the module was quicker than the cut"
    guest.host("cut")
    guest.host("boot")
    guest.install()
    guest.sh("zpool import -f -d /dev tank")
    assert running.stdout.read().strip() == "", "the module was quicker than the cut"
    running.wait()
    found = place.names()
    assert [name for name in found if "/.new-" not in name] == [], "half-made under a final name"
    done = guest.module(options)
    assert done.get("failed") is None, done
    found, _, expected = guest.sh(f"head -c 128M {done['volume']['device']} | sha256sum; cat /{place.name}/sum").split()
    assert found == expected
    golden = f"{place.images}/stream"
    assert place.names() == [golden, f"{golden}@image", f"{place.vm}/web"]
    assert guest.module(options)["changed"] is False
