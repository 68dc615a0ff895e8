// SPDX-License-Identifier: GPL-3.0-or-later

//! Every guard, one altered record at a time, in streams whose checksums are right: the whole error text.

use crate::support::*;
use zfs_stream::{Expect, verify};

/// Where the data block of the small stream stands.
pub const WRITE: usize = 3;

/// The small stream with one record replaced.
pub fn with(at: usize, record: Record) -> Vec<Record> {
    let mut records = small();
    records[at] = record;
    records
}

pub fn without(at: usize) -> Vec<Record> {
    let mut records = small();
    records.remove(at);
    records
}

pub fn inserted(at: usize, record: Record) -> Vec<Record> {
    let mut records = small();
    records.insert(at, record);
    records
}

/// The small stream with these features, and its data block replaced.
pub fn featured(features: u64, write: Record) -> Vec<Record> {
    let mut records = with(WRITE, write);
    records[0] = begin(features, 0);
    records
}

pub fn refused(records: &[Record], expect: Expect) -> String {
    match verify(&seal(records)[..], expect) {
        Err(error) => format!("{error:#}"),
        Ok(summary) => panic!("accepted: {summary:?}"),
    }
}

pub fn check(table: &[(Vec<Record>, &str)]) {
    for (records, expected) in table {
        assert_eq!(refused(records, Expect::default()), *expected);
    }
}

fn named(name: &[u8]) -> Record {
    let mut begin = begin(0, 0);
    begin.header[56..].fill(0);
    begin.header[56..56 + name.len()].copy_from_slice(name);
    begin
}

#[test]
fn the_small_stream_itself_is_accepted() {
    let summary = verify(&seal(&small())[..], Expect::default()).unwrap();
    assert_eq!((summary.toguid, summary.volsize, summary.volblocksize), (GUID, Some(2 * BLOCK), Some(4096)));
    let minimal = [
        begin(0, 0),
        object(1, 23, 4096).u8(34, 0),
        write(1, 0, &[1; 512]),
        object(2, 24, 512),
        size_property(4096),
        end(),
    ];
    verify(&seal(&minimal)[..], Expect::default()).unwrap();
}

#[test]
fn begin_records() {
    check(&[
        (
            with(0, begin(0, 0).u64(8, MAGIC.swap_bytes())),
            "record 1 (BEGIN) at byte 0: big-endian stream: send it from a little-endian machine",
        ),
        (
            with(0, begin(0, 0).u64(16, 3)),
            "record 1 (BEGIN) at byte 0: stream type 3, expected 1 (one stream) or 2 (package)",
        ),
        (
            with(0, begin(1 << 21, 0)),
            "record 1 (BEGIN) at byte 0: redacted stream: parts of the volume are missing; send it without --redact",
        ),
        (
            with(0, begin(1 << 20, 0)),
            "record 1 (BEGIN) at byte 0: continuation of an interrupted transfer, not a complete image; send it anew, \
             without -t",
        ),
        (
            with(0, begin(1, 0)),
            "record 1 (BEGIN) at byte 0: deduplicated stream: convert it with 'zstream redup'",
        ),
        (
            with(0, begin(1 << 40 | 1 << 30, 0)),
            "record 1 (BEGIN) at byte 0: unknown feature flags 30, 40: made by a newer ZFS than this reader knows",
        ),
        (
            with(0, begin(0, 0).u32(32, 1)),
            "record 1 (BEGIN) at byte 0: stream of an objset of type 1, expected 3 (volume)",
        ),
        (
            with(0, begin(0, 0).payload(&[0; 8])),
            "record 1 (BEGIN) at byte 0: 8 bytes of properties, which no stream of a plain volume has",
        ),
        (
            with(0, begin(0, 0).u64(40, 0)),
            "record 1 (BEGIN) at byte 0: snapshot guid 0, which means 'no base' elsewhere: make the stream with another guid",
        ),
        (with(0, begin(0, GUID)), "record 1 (BEGIN) at byte 0: snapshot guid 77 is also its own base"),
        (with(0, named(b"tank/v")), "record 1 (BEGIN) at byte 0: snapshot name \"tank/v\" without '@'"),
        (
            with(0, named(b"v@\x1b[2J")),
            "record 1 (BEGIN) at byte 0: snapshot name \"v@\\u{1b}[2J\" holds control characters",
        ),
        (with(0, named(&[b'@'; 256])), "record 1 (BEGIN) at byte 0: snapshot name without an end"),
        (
            with(0, named(b"v@\xff")),
            "record 1 (BEGIN) at byte 0: snapshot name is not UTF-8: invalid utf-8 sequence of 1 bytes from index 2",
        ),
        (
            vec![Record::new(0).u64(8, MAGIC).payload(&vec![0; (1 << 20) + 4])],
            "record 1 (BEGIN) at byte 0: property list of 1048580 bytes, at most 1048576 expected",
        ),
        (inserted(3, begin(0, 0)), "record 4 (BEGIN) at byte 936: a stream begins inside another"),
    ]);
}

#[test]
fn objects() {
    check(&[
        (
            with(1, object(1, 23, 2 << 20)),
            "record 2 (OBJECT) at byte 312: needs the feature large_blocks, which the stream does not announce (features 0x0)",
        ),
        (
            with(1, object(1, 23, 512)),
            "record 2 (OBJECT) at byte 312: block size 512, a power of two from 4096 to 1048576 expected: ZFS could crash \
             on this volume",
        ),
        (
            with(1, object(1, 23, 4096).u32(20, 44).u32(28, 168)),
            "record 2 (OBJECT) at byte 312: bonus data (type, length, raw length (44, 168, 0)), which no volume has",
        ),
        (with(1, object(1, 23, 4096).u8(34, 2)), "record 2 (OBJECT) at byte 312: 2 dnode slots, expected 1"),
        (with(1, object(1, 23, 4096).u8(35, 1)), "record 2 (OBJECT) at byte 312: flags 0x1, expected 0"),
        (
            with(1, object(1, 23, 4096).u8(32, 7)),
            "record 2 (OBJECT) at byte 312: checksum and compression (7, 0), expected (0, 0): a volume has none of its own",
        ),
        (
            with(5, object(2, 24, 512).u8(33, 15)),
            "record 6 (OBJECT) at byte 5656: checksum and compression (0, 15), expected (0, 0): a volume has none of its own",
        ),
        (
            with(1, object(1, 23, 4096).u8(48, 17)),
            "record 2 (OBJECT) at byte 312: levels and indirect blocks (17, 0), expected (0, 0)",
        ),
        (
            with(1, object(1, 23, 4096).u64(56, 2)),
            "record 2 (OBJECT) at byte 312: levels and indirect blocks (0, 2), expected (0, 0)",
        ),
        (
            with(1, object(1, 19, 4096)),
            "record 2 (OBJECT) at byte 312: object 1 of type 19: a volume has only objects 1 (type 23) and 2 (type 24)",
        ),
        (inserted(2, object(1, 23, 4096)), "record 3 (OBJECT) at byte 624: the data object a second time"),
        (
            with(1, object(2, 24, 512)),
            "record 2 (OBJECT) at byte 312: the properties object before the data object",
        ),
        (
            inserted(6, object(1, 23, 4096)),
            "record 7 (OBJECT) at byte 5968: the data object after the properties object",
        ),
        (
            inserted(6, object(2, 24, 512)),
            "record 7 (OBJECT) at byte 5968: the properties object a second time",
        ),
        (
            with(5, object(2, 24, 1024)),
            "record 6 (OBJECT) at byte 5656: properties in blocks of 1024 bytes, expected 512",
        ),
        (without(1), "record 2 (FREE) at byte 312: data before the data object"),
        (
            with(8, free_objects(2, 3)),
            "record 9 (FREEOBJECTS) at byte 7104: frees objects 2 to 4, the volume itself",
        ),
        (
            with(8, free_objects(0, 2)),
            "record 9 (FREEOBJECTS) at byte 7104: frees objects 0 to 1, the volume itself",
        ),
        (
            with(8, free_objects(u64::MAX, 3)),
            "record 9 (FREEOBJECTS) at byte 7104: objects 18446744073709551615 + 3 overflow",
        ),
        (
            with(8, free_objects(3, 29).u64(24, 5)),
            "record 9 (FREEOBJECTS) at byte 7104: record of snapshot guid 5 in the stream of guid 77",
        ),
    ]);
}

#[test]
fn kinds_that_no_volume_has() {
    let kind = |number| inserted(2, Record::new(number));
    check(&[
        (kind(6), "record 3 (WRITE_BYREF) at byte 624: deduplicated stream: convert it with 'zstream redup'"),
        (
            kind(7),
            "record 3 (SPILL) at byte 624: a spill block, which no volume has: not a stream of a volume",
        ),
        (
            kind(9),
            "record 3 (OBJECT_RANGE) at byte 624: encrypted raw stream: cannot be read without its keys; send it without -w",
        ),
        (
            kind(10),
            "record 3 (REDACT) at byte 624: redacted stream: parts of the volume are missing; send it without --redact",
        ),
        (
            kind(11),
            "record 3 (unknown) at byte 624: unknown record type 11: this is not a record of a ZFS send stream",
        ),
    ]);
}
