# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What guests have left goes, and nothing else, by the playbook, on two hosts without ZFS."""

from __future__ import annotations

import os

import pytest
from test_second_day import Host, Site, changes, guest


@pytest.fixture
def site(lab, second_daemon, tmp_path):
    return Site(tmp_path, [Host("hv1", tmp_path / "hv1", lab.uri), Host("hv2", tmp_path / "hv2", second_daemon.uri)])


def test_only_what_nobody_has_goes(site):
    hv1, hv2 = site.hosts
    site.publish("20260101")
    hv1.guests.update(web1=guest(seed={"hostname": "web1", "family": "linux"}), web2=guest(seed={"hostname": "web2", "family": "linux"}))
    hv2.guests["db1"] = guest()
    site.deploy()
    site.publish("20260601")
    site.play("redeploy", "-e", "guest_names=web1", "-e", "guest_redeploy_keep_days=0")
    site.play("redeploy", "-e", "guest_names=web1")
    over, kept = [name for name in hv1.volumes() if ".old-" in name]
    foreign = hv1.folder / "volumes/mine.raw"
    foreign.write_text("not ours")

    # A guest that nobody names any more, and one whose disk is named by another host's dictionary.
    del hv1.guests["web2"]
    hv1.virsh("destroy", "web2")
    hv1.virsh("undefine", "web2")
    everything, stored = hv1.volumes(), sorted(os.listdir(hv1.folder / "images"))
    said = site.play("prune", "--check")
    assert hv1.volumes() == everything and sorted(os.listdir(hv1.folder / "images")) == stored
    assert "demo-20260101 in the store" in said and over in said and "guest_prune_orphans=true removes it" in said and "mine.raw" not in said
    # A host that cannot be looked at keeps everything; the other one does not wait for it.
    uri, hv1.uri = hv1.uri, "qemu:///nobody"
    site.play("prune", code=2)
    assert hv1.volumes() == everything
    hv1.uri = uri
    site.play("prune")
    assert hv1.volumes() == sorted(set(everything) - {over})
    assert sorted(name for name in os.listdir(hv1.folder / "images") if name.endswith(".pkg")) == ["demo-20260601.pkg"]
    assert changes(site.play("prune"), "hv1") == 0

    hv2.guests["web2"] = guest(state="shutoff")
    site.play("prune", "-e", "guest_prune_orphans=true", "--limit", "hv1")
    assert "web2.raw" in hv1.volumes(), "another host's dictionary names it"
    del hv2.guests["web2"]
    site.play("prune", "-e", "guest_prune_orphans=true", "--limit", "hv1")
    assert hv1.volumes() == sorted(["mine.raw", "web1.raw", kept]) and os.listdir(hv1.folder / "seeds") == ["web1.seed"]

    # By its name, whatever its date; a disk that is used does not go in that way either.
    assert "found nothing.raw" in site.play("prune", "-e", "guest_prune_names=nothing.raw", code=2)
    site.play("prune", "-e", f"guest_prune_names=web1.raw,{kept}")
    assert hv1.volumes() == ["mine.raw", "web1.raw"] and hv1.running() == ["web1"] and hv2.running() == ["db1"] and hv2.volumes() == ["db1.raw"]
