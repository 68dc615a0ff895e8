"""Every captured stream through the module into real ZFS, and into a raw file beside it."""

from __future__ import annotations

import pytest

from conftest import STREAMS, manifest

ROWS = {row["file"].removesuffix(".zfs"): row for row in manifest()}

# Streams that apply to an image which another one brings.
BASES = {
    "tiny-incr": ["tiny-c"],
    "lz4-incr": ["lz4-e"],
    "zoff-incr12": ["zoff-plain"],
    "zoff-incr23": ["zoff-plain", "zoff-incr12"],
}

REFUSED = {
    "enc-w": "encrypted raw stream: cannot be read without its keys; send it without -w",
    "fs-Lec": "stream of a filesystem, not of a volume",
    "tree-R": "stream of a filesystem, not of a volume",
    "tiny-truncated": "the stream ends",
    "tiny-noend": "the stream ends",
    "tiny-trailing": "more data follow",
    "tiny-bitflip": "checksum",
    "tiny-hdrflip": "",
    "tiny-badmagic": "not a ZFS send stream",
    "evil-badgzip": "",
    "evil-badtoguid": "",
    "evil-obj3": "",
    # These two panic the kernel that receives them: the block size passes nothing on, the missing size withholds the END record.
    "dangerous/evil-blksz12288": "ZFS could crash on this volume",
    "dangerous/evil-noprop": "",
}

FULL = sorted(set(ROWS) - set(BASES) - set(REFUSED))


def check_volume(guest, volume, row, device_only=False):
    assert guest.sha256(volume["device"]) == row["content_sha256_after_receive"]
    assert volume["guid"] == row["toguid"]
    assert volume["size"] == int(row["volsize"])
    if not device_only:
        found = guest.sh(f"zfs get -Hp -o value volsize,volblocksize,refreservation {volume['dataset']}").split()
        assert found == [row["volsize"], row["volblocksize"], "0"]
        assert guest.sh(f"zfs get -Hp -o value guid {volume['dataset']}@image") == row["toguid"]


@pytest.mark.parametrize("name", FULL)
def test_a_full_stream_is_the_volume_that_was_sent(guest, place, name):
    row = ROWS[name]
    volume = guest.module({"src": place.src(name), "dataset": f"{place.vm}/copy"})["volume"]
    check_volume(guest, volume, row)
    assert place.names() == [f"{place.vm}/copy", f"{place.vm}/copy@image"]
    raw = guest.module({"src": place.src(name), "path": f"/root/{name}.raw"})["volume"]
    check_volume(guest, raw, row, device_only=True)
    guest.sh(f"rm /root/{name}.raw")


@pytest.mark.parametrize("name", BASES)
def test_an_incremental_stream_is_received_onto_its_base(guest, place, name):
    for base in BASES[name]:
        guest.module({"src": place.src(base), "golden": place.images})
    volume = place.triad(src=place.src(name), golden=place.images, dataset=f"{place.vm}/web")["volume"]
    check_volume(guest, volume, ROWS[name], device_only=True)
    assert guest.sh(f"zfs get -H -o value origin {place.images}/{name}") == f"{place.images}/{BASES[name][-1]}@image"
    missing = place.refused(src=place.src(name), golden=place.vm, dataset=f"{place.vm}/other")
    assert f"which no golden volume in {place.vm} has: receive that image first" in missing


@pytest.mark.parametrize("name", REFUSED)
def test_a_stream_that_is_wrong_leaves_nothing(guest, place, name):
    assert (STREAMS / f"{name}.zfs").exists()
    message = place.refused(src=place.src(name), dataset=f"{place.vm}/web")
    assert REFUSED[name] in message
    message = place.refused(src=place.src(name), dataset=f"{place.vm}/web", golden=place.images)
    assert REFUSED[name] in message
    guest.sh("zpool status -x tank | grep -q healthy")


@pytest.mark.parametrize("packing", ["zstd -q", "gzip -k", "xz -k"])
def test_a_packed_stream_with_its_digest(guest, place, packing):
    suffix = {"zstd": "zst", "gzip": "gz", "xz": "xz"}[packing.split()[0]]
    guest.sh(f"cp {place.src('lz4-plain')} /root/packed && rm -f /root/packed.{suffix} && {packing} -1 /root/packed && rm /root/packed*[!{suffix[-1]}] || true")
    src = f"/root/packed.{suffix}"
    digest = guest.sha256(src)
    wrong = digest[:-1] + ("0" if digest[-1] != "0" else "1")
    message = place.refused(src=src, sha256=wrong, dataset=f"{place.vm}/web")
    assert f"SHA-256 {digest}, expected {wrong}" in message
    volume = place.triad(src=src, sha256=digest, dataset=f"{place.vm}/web")["volume"]
    check_volume(guest, volume, ROWS["lz4-plain"])
    guest.sh(f"truncate -s -9 {src}")
    assert "unpacking" in place.refused(src=src, dataset=f"{place.vm}/other")


def test_a_digest_of_a_plain_stream_is_judged_before_zfs_commits(guest, place):
    message = place.refused(src=place.src("lz4-plain"), sha256="0" * 64, dataset=f"{place.vm}/web", golden=place.images)
    assert f"SHA-256 {ROWS['lz4-plain']['stream_sha256']}" in message
