# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of zfs_receive, with streams that a real zfs send has written."""

from __future__ import annotations

import pytest

PAGE = "zfs_receive"
RAW = "Make a guest's disk on a host without ZFS"
CLONE = "Clone a guest's disk from the golden volume, which is received first where it is missing"
SEVERAL = "Make the disks of several guests at once"
BLANK = "Make an empty disk for the data of a guest, which stays when the guest is deployed anew"
BESIDE = "Make a guest's disk and an empty one on a host without ZFS, in one call"
EACH = "Make the disks of guests that have images of their own, each with its own failure"
STREAM = "Make a disk from a compressed stream that zfs send has written"
NEWER = "Bring the disk up to date, and keep the old one beside it"
REMOVE = "Remove the disk"
# What the sum of a file of the reader's own is in the example.
EXAMPLE_SUM = "51ef7a2f2f3b7ba9f96d6d47a6d94e4a7b0d2b2b8b1f5d3a2a5f1f4f8c7d6e5b"
SENT = """
for day in 20260101 20260201; do
    head -c 2M /dev/urandom | dd of=/dev/zvol/zroot/sent bs=1M seek=3 conv=fsync,notrunc status=none
    zfs snapshot zroot/sent@$day
    zfs send zroot/sent@$day | zstd -q -f -o /var/tmp/web1-$day.zfs.zst
    sha256sum /dev/zvol/zroot/sent | cut -d' ' -f1
done
"""


@pytest.fixture(scope="module")
def sent(zfs_site, guest):
    """Two streams; the sums of the disks in them."""
    guest.sh("! zfs list zroot/sent >/dev/null 2>&1 || zfs destroy -r zroot/sent; zfs create -V 8M zroot/sent")
    guest.wait_for("the device of the volume", "test -b /dev/zvol/zroot/sent")
    return guest.sh(SENT).split()


def test_volumes_of_an_image(zfs_site, guest, sent, examples):
    """The image is such a stream, too: `fetched` is what bhyve_image would have returned of it."""
    fetched = {"image": {"path": "/var/tmp/web1-20260101.zfs.zst", "guid": zfs_site.get("guid", "zroot/sent@20260101")}}
    fetched["guests"] = {name: dict(fetched) for name in ("web2", "db2")}
    names = RAW, CLONE, SEVERAL, EACH, BLANK, BESIDE, REMOVE
    tasks = [task for task in examples.take(PAGE, *names) for _ in range(2)]
    ran = zfs_site.play("hv1", *tasks, fetched=fetched)
    assert [ran.changed(name) for name in names] == [[True, False]] * 7
    each = ran.of(EACH)[0]["guests"]
    assert [each[name]["volume"]["size"] for name in ("web2", "db2")] == [8 << 20, 40 << 30]
    assert ran.of(RAW)[0]["volume"]["size"] == 40 << 30
    web1, db1 = ({name: zfs_site.get(name, volume) for name in ("volsize", "origin", "reservation")} for volume in ("tank/vm/web1", "tank/vm/db1"))
    assert int(web1["volsize"]) == 40 << 30 and int(db1["volsize"]) == int(db1["reservation"]) == 200 << 30
    assert web1["origin"] == db1["origin"] and web1["origin"].startswith("tank/images/")
    assert guest.sh("head -c 8M /dev/zvol/tank/vm/web1 | sha256sum").split()[0] == sent[0]
    assert zfs_site.get("compression", "tank/vm/db1") == "zstd"
    assert int(zfs_site.get("volsize", "tank/vm/db1:data")) == 100 << 30 and zfs_site.get("used", "tank/vm/db1:data").isdigit()
    assert guest.sh("stat -c '%s %a' /var/lib/guests/mail1:data.raw") == f"{10 << 30} 600"


def test_a_disk_follows_its_streams(zfs_site, guest, sent, examples):
    first, newer = examples.take(PAGE, STREAM, NEWER)
    assert EXAMPLE_SUM in first
    first = first.replace(EXAMPLE_SUM, guest.sh("sha256sum /var/tmp/web1-20260101.zfs.zst").split()[0])
    ran = zfs_site.play("hv1", first, first, newer, newer)
    assert [ran.changed(name) for name in (STREAM, NEWER)] == [[True, False]] * 2
    disks = guest.sh("cd /var/lib/guests; sha256sum web1.raw.old-* web1.raw").split()
    assert disks[::2] == sent


SNAPSHOTS = "zfs_snapshot"
TAKE, TAKE_SEVERAL, BACK, DESTROY = (
    "Take a snapshot of a guest's volumes", "Take a snapshot of each of several guests", "Go back to a snapshot, and lose those that are newer",
    "Destroy a snapshot",
)


def test_snapshots(zfs_site, guest, examples):
    guest.sh("for name in web1 db1; do zfs list tank/vm/$name >/dev/null 2>&1 || zfs create -V 8M tank/vm/$name; done")
    guest.wait_for("the devices", "test -b /dev/zvol/tank/vm/web1 && test -b /dev/zvol/tank/vm/db1")
    take, several, back, destroy = examples.take(SNAPSHOTS, TAKE, TAKE_SEVERAL, BACK, DESTROY)
    [look] = examples.take("zfs_snapshot_info")
    ran = zfs_site.play("hv1", take, take, several, several, look, back, back, destroy, destroy)
    assert [ran.changed(name) for name in (TAKE, TAKE_SEVERAL, BACK, DESTROY)] == [[True, False]] * 4
    assert [each["name"] for each in ran[4]["result"]["snapshots"]] == ["before-upgrade", "before-audit"]
    assert ran.of(BACK)[0]["lost"] == ["tank/vm/web1@before-audit"]
