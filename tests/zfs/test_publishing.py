# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshots of real ZFS volumes are published, and received again from the packages that they went into."""

from __future__ import annotations

import pytest


@pytest.fixture
def catalogue(guest, place):
    """Publishes a snapshot of the volume `build`; returns the module's reply."""
    folder = f"/root/catalogue-{place.name.split('/')[1]}"
    guest.sh(f"ln -sf zfs_receive /root/bhyve_catalog && zfs create -V 8M -o volblocksize=16K {place.name}/build")

    def publish(snapshot, version, check=False, **more):
        source = f"{place.name}/build@{snapshot}"
        options = {"path": folder, "name": "built-1.0", "version": version, "source": source, "os": "none", "signature_type": "none"}
        return guest.module({**options, **more}, check=check, program="/root/bhyve_catalog")

    publish.folder = folder
    return publish


def write(guest, place, block, snapshot):
    device = f"/dev/zvol/{place.name}/build"
    guest.wait_for(f"{device} to be there", f"test -b {device}")
    guest.sh(
        f"dd if=/dev/urandom of={device} bs=64K count=4 seek={block} conv=fsync,notrunc status=none; zfs snapshot {place.name}/build@{snapshot}"
    )
    return guest.sha256(device)


def guid(guest, snapshot):
    return guest.sh(f"zfs get -Hp -o value guid {snapshot}").strip()


def test_a_snapshot_and_its_increment_come_back_as_they_were(guest, place, catalogue):
    wanted = {}
    for version, (snapshot, block) in enumerate([("one", 3), ("two", 40)], 1):
        wanted[snapshot] = write(guest, place, block, snapshot)
        more = {"parent": "built-1.0-1"} if version == 2 else {}
        assert catalogue(snapshot, str(version), check=True, **more)["changed"] is True
        done = catalogue(snapshot, str(version), **more)
        assert done.get("failed") is None and done["changed"] is True, done
        assert done["image"]["guid"] == guid(guest, f"{place.name}/build@{snapshot}")
        assert catalogue(snapshot, str(version), **more)["changed"] is False

        src = f"{catalogue.folder}/All/built-1.0-{version}.pkg"
        dataset = f"{place.vm}/{snapshot}"
        received = guest.module({"src": src, "dataset": dataset, "golden": place.images})
        assert received.get("failed") is None, received
        assert received["volume"]["guid"] == done["image"]["guid"]
        assert guest.sha256(received["volume"]["device"]) == wanted[snapshot]
    assert wanted["one"] != wanted["two"]
    assert guest.sh(f"zfs list -Hp -o origin {place.images}/built-1.0-2").strip() == f"{place.images}/built-1.0-1@image"


def test_a_snapshot_that_is_not_there_publishes_nothing(guest, place, catalogue):
    reply = catalogue("nowhere", "1")
    assert reply["failed"] is True and f"{place.name}/build@nowhere" in reply["msg"], reply
    assert guest.sh(f"ls {catalogue.folder}/All 2>/dev/null || true") == ""
