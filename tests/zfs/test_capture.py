# SPDX-License-Identifier: GPL-3.0-or-later
"""A ZFS volume of a guest that becomes an image: as it is in one moment, whatever it is a clone of; nothing of that is left where it is."""

from __future__ import annotations

import json
import threading

import pytest
from test_move import sums, write
from test_playbooks import Site

from conftest import HERE
from patience import patience


class Captures(Site):
    """A guest on a hypervisor with ZFS, and a catalogue on the controller."""

    def capture(self, *words, code=0, version="1", **more):
        asked = {
            "path": str(self.catalog), "name": "set-up", "version": version, "source": f"{self.place.vm}/web1", "source_host": "hv1", "os": "none",
            "signing_key": str(self.folder / "catalog.key"), "requirements": {"memory": "64M", "loader": "uefi"}, **more,
        }
        changed, said = self.play(HERE / "site/capture.yml", "repo", "-e", json.dumps({"asked": asked}), *words, code=code)
        return changed, " ".join(said.split())

    def packages(self):
        return sorted(path.name for path in self.catalog.rglob("*.pkg") if path.parent != self.catalog)


@pytest.fixture
def site(tmp_path, guest, place):
    site = Captures(tmp_path, guest, place)
    site.publish()
    site.guests = {"web1": {"image": "disk-1.0", "vcpus": 1, "memory": "64M"}}
    site.volumes()
    write(guest, f"{place.vm}/web1", 1, 2)
    return site


def test_a_clone_becomes_an_image_of_its_own(guest, place, site):
    volume = f"{place.vm}/web1"
    guest.module({"datasets": [volume], "name": "mine"}, program="/root/zfs_snapshot")
    before, [expected] = place.names(), sums(guest, volume)
    assert site.capture("--check")[0] == 1 and place.names() == before and len(site.packages()) == 1
    assert site.capture()[0] == 1 and place.names() == before and len(site.packages()) == 2
    # The guest writes on; what is in the catalogue is what it was, and says so.
    write(guest, volume, 0, 1)
    assert site.capture()[0] == 0 and site.capture("--check")[0] == 0

    guest.host("push", str(site.catalog))
    site.guests["web2"] = {"image": "set-up", "vcpus": 1, "memory": "64M"}
    site.volumes()
    assert sums(guest, f"{place.vm}/web2") == [expected]
    # It needs the image no more that the first guest was made of.
    assert guest.sh(f"zfs get -H -o value origin {place.vm}/web2") == f"{place.images}/set-up-1@image"


def test_what_a_call_that_was_killed_has_left_is_swept(guest, place, site):
    before = place.names()
    guest.sh(f"zfs snapshot {place.vm}/web1@apiary-capture-20260101T000000Z")
    assert site.capture()[0] == 1 and place.names() == before
    # What is not there, or no volume, is said before anything is taken.
    for source, why in (("tank/nothing", "there is no tank/nothing on hv1"), (place.vm, "expected a volume or nothing, found a file system")):
        assert why in site.capture(code=2, version="2", source=source)[1]
    assert place.names() == before and len(site.packages()) == 2


def test_where_the_sender_dies_nothing_is_published(guest, place, site):
    before = place.names()
    write(guest, f"{place.vm}/web1", 0, 8)
    killer = threading.Thread(target=kill_the_sender, args=(guest,))
    killer.start()
    said = site.capture(code=2)[1]
    killer.join()
    assert "bhyve_catalog: hv1: " in said and len(site.packages()) == 1
    assert site.capture()[0] == 1 and place.names() == before


def kill_the_sender(guest):
    """In one exchange: a moment later all of it may have gone."""
    guest.sh("until pkill -9 -f '[z]fs send'; do sleep 0.005; done", limit=patience(300))
