# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send streams as records: the fields of their headers by name, their payloads, and the checksums that they need."""

from __future__ import annotations

import functools
import struct

HEADER = 312
CHECKSUM = 280  # where a record's own checksum stands
MAGIC = 0x2F5BACBAC
SUBSTREAM, COMPOUND = 1, 2
TO_THE_END = 2**64 - 1

BEGIN, OBJECT, FREEOBJECTS, WRITE, FREE, END, WRITE_BYREF, SPILL, WRITE_EMBEDDED, OBJECT_RANGE, REDACT = range(11)
KINDS = "BEGIN OBJECT FREEOBJECTS WRITE FREE END WRITE_BYREF SPILL WRITE_EMBEDDED OBJECT_RANGE REDACT".split()

# OpenZFS's zfs_ioctl.h, `struct drr_*`: where each field stands, and struct's letter for its size.
FIELDS = {
    BEGIN: {
        "magic": (8, "Q"),
        "versioninfo": (16, "Q"),
        "creation_time": (24, "Q"),
        "type": (32, "I"),
        "flags": (36, "I"),
        "toguid": (40, "Q"),
        "fromguid": (48, "Q"),
    },
    OBJECT: {
        "object": (8, "Q"),
        "type": (16, "I"),
        "bonustype": (20, "I"),
        "blksz": (24, "I"),
        "bonuslen": (28, "I"),
        "checksumtype": (32, "B"),
        "compress": (33, "B"),
        "dn_slots": (34, "B"),
        "flags": (35, "B"),
        "raw_bonuslen": (36, "I"),
        "toguid": (40, "Q"),
        "indblkshift": (48, "B"),
        "nlevels": (49, "B"),
        "nblkptr": (50, "B"),
        "maxblkid": (56, "Q"),
    },
    FREEOBJECTS: {"firstobj": (8, "Q"), "numobjs": (16, "Q"), "toguid": (24, "Q")},
    WRITE: {
        "object": (8, "Q"),
        "type": (16, "I"),
        "offset": (24, "Q"),
        "logical_size": (32, "Q"),
        "toguid": (40, "Q"),
        "checksumtype": (48, "B"),
        "flags": (49, "B"),
        "compressiontype": (50, "B"),
        "compressed_size": (96, "Q"),
    },
    FREE: {"object": (8, "Q"), "offset": (16, "Q"), "length": (24, "Q"), "toguid": (32, "Q")},
    END: {"toguid": (40, "Q")},
    WRITE_BYREF: {"object": (8, "Q"), "offset": (16, "Q"), "length": (24, "Q"), "toguid": (32, "Q")},
    SPILL: {"object": (8, "Q"), "length": (16, "Q"), "toguid": (24, "Q"), "compressiontype": (33, "B"), "compressed_size": (40, "Q")},
    WRITE_EMBEDDED: {
        "object": (8, "Q"),
        "offset": (16, "Q"),
        "length": (24, "Q"),
        "toguid": (32, "Q"),
        "compression": (40, "B"),
        "etype": (41, "B"),
        "lsize": (48, "I"),
        "psize": (52, "I"),
    },
    OBJECT_RANGE: {"firstobj": (8, "Q"), "numslots": (16, "Q"), "toguid": (24, "Q")},
    REDACT: {"object": (8, "Q"), "offset": (16, "Q"), "length": (24, "Q"), "toguid": (32, "Q")},
}


class Record:
    """A header, whose fields are read and set by name, and what follows it."""

    def __init__(self, header, payload=b""):
        self.header, self.payload = bytearray(header), payload

    @classmethod
    def new(cls, kind, payload=b"", **fields):
        record = cls(struct.pack("<I", kind) + bytes(HEADER - 4), payload)
        for name, number in fields.items():
            record[name] = number
        return record

    def copy(self):
        return Record(self.header, self.payload)

    @property
    def kind(self):
        return struct.unpack_from("<I", self.header)[0]

    @property
    def payloadlen(self):
        return struct.unpack_from("<I", self.header, 4)[0]

    @property
    def fields(self):
        return FIELDS.get(self.kind, {})

    def __contains__(self, name):
        return name in self.fields

    def __getitem__(self, name):
        at, size = self.fields[name]
        return struct.unpack_from("<" + size, self.header, at)[0]

    def __setitem__(self, name, number):
        at, size = self.fields[name]
        struct.pack_into("<" + size, self.header, at, number % (1 << 8 * struct.calcsize(size)))

    def __str__(self):
        return KINDS[self.kind] if self.kind < len(KINDS) else f"record of type {self.kind}"


def payload_length(record):
    """Bytes that follow a header: the macros `DRR_*_PAYLOAD_SIZE`."""
    match record.kind:
        case 0:
            return record.payloadlen
        case 1:
            return record["raw_bonuslen"] or -(-record["bonuslen"] // 8) * 8
        case 3:
            return record["compressed_size"] if record["compressiontype"] else record["logical_size"]
        case 7:
            return record["compressed_size"] or record["length"]
        case 8:
            return -(-record["psize"] // 8) * 8
    return 0


def split(stream):
    """The records of a stream that is whole."""
    records, at = [], 0
    while at < len(stream):
        record = Record(stream[at : at + HEADER])
        at += HEADER
        record.payload = stream[at : at + payload_length(record)]
        at += len(record.payload)
        records.append(record)
    return records


@functools.lru_cache(maxsize=4096)
def _sums(data):
    """Words, and fletcher4's four sums over them, from zero."""
    words = struct.unpack_from(f"<{len(data) // 4}I", data)
    a = b = c = d = 0
    for word in words:
        a += word
        b += a
        c += b
        d += c
    return len(words), a, b, c, d


class Fletcher4:
    """The running checksum of a stream."""

    def __init__(self):
        self.state = (0, 0, 0, 0)

    def add(self, data):
        # Four sums over both parts from those over each: a payload that many mutants share is summed once.
        n, a, b, c, d = _sums(bytes(data))
        first, second, third, fourth = self.state
        two, three = n * (n + 1) // 2, n * (n + 1) * (n + 2) // 6
        self.state = tuple(
            total % 2**64
            for total in (
                first + a,
                second + n * first + b,
                third + n * second + two * first + c,
                fourth + n * third + two * second + three * first + d,
            )
        )

    def packed(self):
        return struct.pack("<4Q", *self.state)


def join(records):
    """The stream that these records make, with every checksum as it must be."""
    stream, total, package, inside = bytearray(), Fletcher4(), False, False
    for record in records:
        header = bytearray(record.header)
        if record.kind == BEGIN:
            package, inside = record["versioninfo"] & 3 == COMPOUND, True
            struct.pack_into("<I", header, 4, len(record.payload))
            total = Fletcher4()
            total.add(header)
        elif inside:
            if record.kind == END:
                header[8:40] = total.packed()
                inside = False
            total.add(header[:CHECKSUM])
            # The END that closes the header of a package has no checksum of its own.
            header[CHECKSUM:] = bytes(32) if package and record.kind == END else total.packed()
            total.add(header[CHECKSUM:])
        total.add(record.payload)
        stream += header + record.payload
    return bytes(stream)


def places(records, *kinds, object=None):
    return [at for at, record in enumerate(records) if record.kind in kinds and (object is None or record["object"] == object)]


def head(records, at):
    """The BEGIN of the stream that a record stands in."""
    return next((record for record in reversed(records[: at + 1]) if record.kind == BEGIN), records[0])


def grain(records, at=None):
    """The block size of the data there."""
    objects = places(records[:at], OBJECT, object=1) or places(records, OBJECT, object=1)
    return records[objects[-1]]["blksz"] if objects else 16384
