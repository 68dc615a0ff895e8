# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be done to the records of a stream: fields, order, place. An operation says what it did, or `None` where it found nothing to do."""

from __future__ import annotations

from mutants.packing import some_data
from mutants.stream import BEGIN, COMPOUND, END, FREE, TO_THE_END, WRITE, WRITE_EMBEDDED, Record, grain, head, payload_length, places


def field(records, chance):
    at = chance.randrange(len(records))
    record = records[at]
    if not record.fields:
        return None
    name = chance.choice(sorted(record.fields))
    old, block = record[name], grain(records)
    others = [each[name] for each in records if name in each]
    record[name] = chance.choice([
        0, 1, 2, 3, old + 1, old - 1, old + 512, old - 512, old + block, old - block, old * 2, old // 2, block, 512, 4096,
        1 << chance.randrange(64), (1 << chance.randrange(64)) - 1, TO_THE_END, old ^ 1 << chance.randrange(64), chance.choice(others),
    ])  # fmt: skip
    if chance.random() < 0.8 and record.kind != BEGIN and payload_length(record) <= 1 << 20:
        record.payload = record.payload[: payload_length(record)].ljust(payload_length(record), b"\0")
    return f"{name} of record {at} ({record}): {old} becomes {record[name]}"


def header(records, chance):
    at, where, value = chance.randrange(len(records)), chance.randrange(280), chance.choice([0, 1, 2, 16, 64, 255, chance.randrange(256)])
    records[at].header[where] = value
    return f"byte {where} of record {at} ({records[at]}) becomes {value}"


def drop(records, chance):
    if len(records) < 2:
        return None
    at = chance.randrange(1, len(records))
    return f"record {at} ({records.pop(at)}) is dropped"


def drop_frees(records, chance):
    frees = places(records, FREE)
    if not frees:
        return None
    begin = head(records, chance.choice(frees))
    for at in reversed([each for each in frees if head(records, each) is begin]):
        del records[at]
    return f"all FREEs of the stream to {begin['toguid']:#x} are dropped"


def double(records, chance):
    at = chance.randrange(len(records))
    to = chance.choice([at, at + 1, chance.randrange(len(records) + 1)])
    records.insert(to, records[at].copy())
    return f"a copy of record {at} ({records[to]}) stands at {to}"


def move(records, chance):
    if len(records) < 2:
        return None
    at = chance.randrange(1, len(records))
    to = chance.choice([at - 1, at + 1, chance.randrange(len(records))])
    record = records.pop(at)
    records.insert(to, record)
    return f"record {at} ({record}) moves to {to}"


def shift(records, chance):
    found = places(records, WRITE, WRITE_EMBEDDED, FREE, object=1)
    if not found:
        return None
    at = chance.choice(found)
    record, block = records[at], grain(records, at)
    by = chance.choice([block, -block, 2 * block, 512, -512, 4096, block // 2])
    record["offset"] += by
    if record.kind == FREE and record["length"] != TO_THE_END and chance.random() < 0.5:
        record["length"] -= by
    return f"record {at} ({record}) moves by {by} bytes"


def insert(records, chance):
    """A block, a part of one, several, or a hole, where it stands in order or somewhere else."""
    found = places(records, WRITE, WRITE_EMBEDDED, FREE, object=1)
    if not found:
        return None
    at = chance.choice(found)
    near, block = records[at], grain(records, at)
    offset = max(0, near["offset"] + chance.choice([-1, 0, 1, 2]) * chance.choice([block, block, 512, 4096])) % 2**40
    length = chance.choice([block, block, 2 * block, 512, 4096, 5 * 512, 0])
    record = Record.new(FREE, object=1, offset=offset, length=chance.choice([length, length, TO_THE_END]))
    if length and chance.random() < 0.5:
        record = Record.new(WRITE, chance.choice([bytes(length), some_data(chance, length)]), object=1, type=23, offset=offset, logical_size=length)
    record["toguid"] = near["toguid"]
    to = at + 1 if offset >= near["offset"] else at
    records.insert(to, record)
    return f"a new record {to} ({record}): {length} bytes at {offset}"


def beginning(records, chance):
    begins = places(records, BEGIN)
    at = chance.choice(begins)
    begin, what = records[at], chance.choice(["features", "features", "flags", "guid", "name"])
    if what == "features":
        begin["versioninfo"] ^= 1 << chance.choice([2 + 16, 2 + 17, 2 + 19, 2 + 22, 2 + 25, chance.randrange(64)])
    elif what == "flags":
        begin["flags"] ^= 1 << chance.randrange(5)
    elif what == "name":
        begin.header[56 : 56 + 9] = chance.choice(
            [b"a/b@c\0\0\0\0", b"a@b@c\0\0\0\0", b"abcdefgh\0", b"@\0\0\0\0\0\0\0\0", b"\xc3\xa4@\xff\0\0\0\0\0"]
        )
    else:
        old, new = begin["toguid"], chance.choice([0, 1, begin["fromguid"], TO_THE_END, chance.randrange(1 << 64)])
        for record in records:
            for name in ("toguid", "fromguid"):
                if name in record and record[name] == old:
                    record[name] = new
    return f"{what} in the BEGIN at {at}"


def drop_stream(records, chance):
    """One of the streams of a package."""
    begins = [at for at in places(records, BEGIN) if records[at]["versioninfo"] & 3 != COMPOUND]
    if len(begins) < 2:
        return None
    at = chance.choice(begins)
    end = next((each for each in range(at, len(records)) if records[each].kind == END), len(records) - 1)
    del records[at : end + 1]
    return f"the stream of records {at} to {end} is dropped"
