# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of publishing and fetching, from a disk and from snapshots of real ZFS volumes into volumes of such."""

from __future__ import annotations

import pytest

GUIDE = "docs/docsite/rst/guide_publishing.rst"
BASE = "FreeBSD-14.2-RELEASE-ZFS-20G"
DISK = "Publish a raw disk"
INCREMENT = "Publish what has changed since as an image of its own"
PRUNE = "Keep the three newest versions of every image, and all of the last month"
WITHDRAW = "Withdraw one image"
KEY = """
- name: Make a key
  apiary.bhyve.bhyve_catalog_key:
    path: /usr/local/etc/apiary/images.key
    pubkey: /usr/local/etc/apiary/images.pub
    type: eddsa
"""
# Images that the examples take for published.
EARLIER = """
- name: Publish earlier images
  apiary.bhyve.bhyve_catalog:
    path: /repo/images
    name: "{{ item.rpartition('-')[0] }}"
    version: "{{ item.rpartition('-')[2] }}"
    source: /build/FreeBSD-14.2-RELEASE-amd64-zfs.raw
    os: freebsd
    signing_key: /usr/local/etc/apiary/images.key
  loop: "{{ images }}"
"""
VOLUME = """
- name: Make a volume of an image
  apiary.bhyve.zfs_receive: "{{ {'src': '/repo/images/All/' ~ image ~ '.pkg'} | combine(place) }}"
"""


@pytest.fixture(scope="module")
def published(zfs_site):
    versions = ["20200101", "20200102", "20250515", "20250601"]
    images = [*(f"{BASE}-{version}" for version in versions), "FreeBSD-13.2-RELEASE-ZFS-20G-20230701"]
    zfs_site.play("repo", KEY, EARLIER, images=images)
    return zfs_site


def test_images_are_published_pruned_and_withdrawn(published, guest, examples):
    disk, increment, prune, withdraw = examples.take("bhyve_catalog", DISK, INCREMENT, PRUNE, WITHDRAW)
    ran = published.play("repo", disk, disk, VOLUME, image=f"{BASE}-20260515", place={"dataset": "zroot/build/freebsd"})
    assert ran.changed(DISK) == [True, False]
    assert ran.of(DISK)[0]["image"]["guid"] == published.get("guid", "zroot/build/freebsd@image")

    write = "head -c 1M /dev/urandom | dd of=/dev/zvol/zroot/build/freebsd bs=1M seek=2 conv=fsync,notrunc status=none"
    guest.wait_for("the device of the volume", "test -b /dev/zvol/zroot/build/freebsd")
    guest.sh(f"{write}; zfs snapshot zroot/build/freebsd@web")
    ran = published.play("repo", increment, increment, prune, prune, withdraw, withdraw)
    assert [ran.changed(name) for name in (INCREMENT, PRUNE, WITHDRAW)] == [[True, False]] * 3
    assert ran.of(INCREMENT)[0]["image"]["guid"] == published.get("guid", "zroot/build/freebsd@web")
    there = [f"{BASE}-20250515.pkg", f"{BASE}-20250601.pkg", f"{BASE}-20260515.pkg", "FreeBSD-14.2-web-20260601.pkg"]
    assert guest.sh("ls /repo/images/All").split() == there


def test_an_image_is_fetched_and_received(published, guest, examples):
    names = "Fetch one image over ssh", "Receive it as the volume of a guest"
    fetch, receive = examples.take("bhyve_image", *names)
    ran = published.play("hv1", fetch, fetch, receive, receive)
    assert [ran.changed(name) for name in names] == [[True, False]] * 2
    assert ran[0]["result"]["image"]["guid"] == published.get("guid", "zroot/guests/web1@image")
    guest.sh("cmp /dev/zvol/zroot/guests/web1 /build/FreeBSD-14.2-RELEASE-amd64-zfs.raw")
    kept = "Fetch what new guests are made from; guests that are there keep what they have"
    guests = published.play("hv1", examples.text("bhyve_image", kept)).of(kept)[0]["guests"]
    assert [guests[name]["image"]["version"] for name in ("web1", "db1")] == ["20250515", "20250515"]
    assert guests["web1"]["newer"] == "20260515"


def test_what_is_there_is_listed(published, examples):
    golden = {"golden": "zroot/images"}
    published.play("hv1", VOLUME, image=f"{BASE}-20250515", place={**golden, "dataset": "zroot/guests/db1"})
    published.play("hv1", VOLUME, image=f"{BASE}-20250601", place=golden)
    _, unused, missing = published.play("hv1", *examples.take("bhyve_image_info"))
    assert unused["result"]["msg"] == [f"{BASE}-20250601"]
    shown = [each["msg"] for each in missing["result"]["results"]]
    assert f"{BASE}-20250515" not in shown and f"{BASE}-20250601" in shown


def test_a_second_site_has_a_copy(published, guest, examples):
    mirror = examples.text("bhyve_catalog_mirror", "Keep the images in the second site, too")
    assert published.play("hv1", mirror, mirror).changed("Keep the images in the second site, too") == [True, False]
    guest.sh("diff -r --exclude='.*' --exclude=index.html --exclude=files.pkg /repo/images /var/db/apiary/catalog; rm -r /var/db/apiary/catalog")


def test_the_guide_of_publishing(published, guest, examples):
    guest.sh("zfs destroy -r zroot/build/freebsd; zfs create -V 8M zroot/build/freebsd; zfs snapshot zroot/build/freebsd@20250515")
    published.write("inventory/host_vars/repo.yml", examples.text(GUIDE, "# host_vars/repo.yml"))
    command = examples.text(GUIDE, "ansible-playbook -i inventory apiary.bhyve.publish --limit repo")
    assert [published.run(command).recap("repo")["changed"] for _ in range(2)] == [2, 0]
    assert guest.sh("cd /var/db/apiary/catalog/All; ls; stat -c %a /root/images.key; ls /root/images.key.pub").split() == [
        f"{BASE}-20250515.pkg", "600", "/root/images.key.pub",
    ]
