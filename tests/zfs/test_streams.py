# SPDX-License-Identifier: GPL-3.0-or-later
"""Every captured stream through the module into real ZFS, and into a raw file beside it."""

from __future__ import annotations

import pytest

from conftest import ROWS, RUN, STREAMS, Place

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
    "tree-R": "package of 2 datasets (tank/src/tree, tank/src/tree/vol): send one volume",
    "tiny-truncated": "the stream ends",
    "tiny-noend": "the stream ends",
    "tiny-trailing": "more data follow",
    "tiny-bitflip": "checksum mismatch",
    "tiny-hdrflip": "checksum mismatch: its header or the data before it are damaged",
    "tiny-badmagic": "not a ZFS send stream",
    "evil-badgzip": "its gzip data do not unpack to 131072 bytes",
    "evil-badtoguid": "record of snapshot guid 81985529216486894 in the stream of guid 81985529216486895",
    "evil-obj3": "object 3 of type 23: a volume has only objects 1 (type 23) and 2 (type 24)",
    # These two panic the kernel that receives them: the block size passes nothing on, the missing size withholds the END record.
    "dangerous/evil-blksz12288": "ZFS could crash on this volume",
    "dangerous/evil-noprop": "",
}

FULL = sorted(set(ROWS) - set(BASES) - set(REFUSED))


@pytest.fixture(scope="module")
def received(guest):
    """All full streams, each received as a volume and as a raw file."""
    folder = Place(guest, f"{RUN}-full-streams").vm
    return dict(guest.script(f"received.py {folder}", stdin=FULL), folder=folder)


@pytest.mark.parametrize("name", FULL)
def test_a_full_stream_is_the_volume_that_was_sent(received, name):
    row, found = ROWS[name], received["streams"][name]
    content, size = row["content_sha256_after_receive"], int(row["volsize"])
    for kind in ("volume", "raw"):
        assert found[kind]["rc"] == 0, found[kind]
        assert (found[kind]["volume"]["guid"], found[kind]["volume"]["size"]) == (row["toguid"], size)
        assert found[f"{kind}_sha256"] == content, kind
    dataset = f"{received['folder']}/{name}"
    by_zfs = {each["name"]: each for each in received["rows"] if each["name"].split("@")[0] == dataset}
    assert sorted(by_zfs) == [dataset, f"{dataset}@image"]
    assert by_zfs[f"{dataset}@image"]["guid"] == row["toguid"]
    volume = by_zfs[dataset]
    assert (volume["type"], volume["refreservation"]) == ("volume", "0")
    assert (volume["volsize"], volume["volblocksize"]) == (row["volsize"], row["volblocksize"])
    assert found["volume"]["volume"]["volblocksize"] == int(row["volblocksize"])


def check_volume(guest, volume, row):
    """What the module says, what ZFS says, and what is in it."""
    assert (volume["guid"], volume["size"]) == (row["toguid"], int(row["volsize"]))
    content, command = [row["content_sha256_after_receive"], "-"], f"sha256sum < {volume['device']}"
    if volume.get("dataset"):
        command += f"; zfs get -Hp -o value volsize,volblocksize,refreservation {volume['dataset']}; zfs get -Hp -o value guid "
        command += volume["origin"] or f"{volume['dataset']}@image"
        content += [row["volsize"], row["volblocksize"], "0", row["toguid"]]
    assert guest.sh(command).split() == content


@pytest.mark.parametrize("name", BASES)
def test_an_incremental_stream_is_received_onto_its_base(guest, place, name):
    for base in BASES[name]:
        guest.module({"src": place.src(base), "golden": place.images})
    volume = place.triad(src=place.src(name), golden=place.images, dataset=f"{place.vm}/web")["volume"]
    check_volume(guest, volume, ROWS[name])
    assert guest.sh(f"zfs get -H -o value origin {place.images}/{name}") == f"{place.images}/{BASES[name][-1]}@image"
    missing = place.refused(src=place.src(name), golden=place.vm, dataset=f"{place.vm}/other")
    assert f"which no golden volume in {place.vm} has: receive that image first" in missing


def test_streams_that_are_wrong_leave_nothing(guest, place):
    assert place.names() == []
    for name, words in REFUSED.items():
        assert (STREAMS / f"{name}.zfs").exists()
        for more in ({}, {"golden": place.images}):
            reply = guest.module({"src": place.src(name), "dataset": f"{place.vm}/web", **more})
            assert reply.get("failed") is True and words in reply["msg"], (name, reply)
            assert "exited with" not in reply["msg"], "ZFS was asked, though the reader knows better"
    assert place.names() == []
    place.refused(src=place.src("tiny-bitflip"), dataset=f"{place.vm}/web")
    guest.sh("zpool status -x tank | grep -q healthy")


@pytest.mark.parametrize("packing", ["zstd", "gzip", "xz"])
def test_a_packed_stream_with_its_digest(guest, place, packing):
    suffix = {"zstd": "zst", "gzip": "gz", "xz": "xz"}[packing]
    src = f"/root/packed.{suffix}"
    guest.sh(f"{packing} -1 -c < {place.src('lz4-plain')} > {src}")
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
