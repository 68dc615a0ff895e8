// SPDX-License-Identifier: GPL-3.0-or-later

//! Every intact stream that real ZFS sent is replayed to what real ZFS received; every other one is refused with the right words.

use crate::support::{manifest, path, sha256_of, stream};
use std::fs::File;
use zfs_stream::{Announced, Base, Expect, Features, Summary, announced, copy_sparse, replay, verify};

/// The streams of the manifest that apply to another one.
const BASES: [(&str, &str); 4] = [
    ("tiny-incr.zfs", "tiny-plain.zfs"),
    ("lz4-incr.zfs", "lz4-c.zfs"),
    ("zoff-incr12.zfs", "zoff-plain.zfs"),
    ("zoff-incr23.zfs", "zoff-incr12.zfs"),
];

fn replayed(name: &str) -> (File, Summary) {
    let file = tempfile::tempfile().unwrap();
    let mut expect = Expect::default();
    if let Some((_, base)) = BASES.iter().find(|(incremental, _)| *incremental == name) {
        let (base, summary) = replayed(base);
        copy_sparse(&base, &file).unwrap();
        expect.base = Base::Volume {
            guid: summary.toguid,
            volsize: summary.volsize.unwrap(),
            volblocksize: summary.volblocksize.unwrap(),
        };
    }
    let summary = replay(File::open(path(name)).unwrap(), &file, expect);
    (file, summary.unwrap_or_else(|error| panic!("{name}: {error:#}")))
}

#[test]
fn intact_streams_replay_to_what_zfs_received() {
    let rows = manifest();
    assert_eq!(rows.len(), 25, "the manifest's streams of volumes");
    for row in rows {
        let (file, summary) = replayed(&row.file);
        assert_eq!(sha256_of(&file), row.content, "{}", row.file);
        // Without -L a block size beyond 128 KiB is lost: none of these is such a stream.
        let found = (summary.toguid, summary.volsize, summary.volblocksize, summary.bytes);
        assert_eq!(found, (row.toguid, Some(row.volsize), Some(row.volblocksize), row.bytes), "{}", row.file);
    }
}

#[test]
fn a_generated_incremental_replays_onto_its_base() {
    let (base, summary) = replayed("gen-r8-16k.zfs");
    let (file, volsize) = (tempfile::tempfile().unwrap(), summary.volsize.unwrap());
    copy_sparse(&base, &file).unwrap();
    let base = Base::Volume { guid: summary.toguid, volsize, volblocksize: 16384 };
    let summary = replay(&stream("gen-incr.zfs")[..], &file, Expect { base, ..Expect::default() }).unwrap();
    assert_eq!(
        (summary.toguid, summary.fromguid, summary.volsize),
        (0x77, 0x1122_3344_5566_7788, Some(volsize))
    );
}

#[test]
fn the_holes_of_a_volume_are_holes_in_the_file() {
    use std::os::unix::fs::MetadataExt;
    let (file, _) = replayed("empty-plain.zfs");
    let metadata = file.metadata().unwrap();
    assert_eq!((metadata.len(), metadata.blocks()), (16 << 20, 0));
    let (file, _) = replayed("tiny-R.zfs");
    assert!(
        file.metadata().unwrap().blocks() * 512 < 256 << 10,
        "discarded blocks of an increment take space"
    );
}

#[test]
fn the_beginning_announces_the_end() {
    let table = [
        ("tiny-plain.zfs", 0, Some(7119270074782723516)),
        ("tiny-incr.zfs", 7119270074782723516, Some(6552600134885580802)),
        ("tiny-R.zfs", 0, Some(6552600134885580802)),
        ("grow-R.zfs", 0, Some(3248269117055409702)),
    ];
    for (name, fromguid, expected) in table {
        let Announced { first, toguid } = announced(&stream(name)[..3000]).unwrap();
        assert_eq!((first.fromguid, toguid), (fromguid, expected), "{name}");
    }
}

#[test]
fn a_summary_says_where_the_stream_comes_from() {
    let summary = verify(&stream("zstd-c.zfs")[..], Expect::default()).unwrap();
    assert_eq!((summary.toname.as_str(), summary.creation_time), ("tank/src/zstd@v1", 0x6b03_1585));
    assert_eq!(summary.features.bits(), 0x242_0000);
    assert_eq!(
        verify(&stream("tiny-plain.zfs")[..], Expect::default()).unwrap().features,
        Features::default()
    );
}

const ENCRYPTED: &str = "encrypted raw stream: cannot be read without its keys; send it without -w";
const DAMAGED: &str =
    "checksum mismatch: its header or the data before it are damaged; fetch or send the stream again";
const NOT_WHOLE: &str = "not as it was sent; fetch or send it again";
const CUT: &str = "it was cut short; fetch or send it again";

#[test]
fn damaged_and_foreign_streams_are_refused() {
    let table = [
        ("tiny-truncated.zfs", format!("the stream ends at byte 20000, within a record: {CUT}")),
        ("tiny-noend.zfs", format!("the stream ends at byte 103808, without its END record: {CUT}")),
        ("tiny-trailing.zfs", format!("the stream ends at byte 104120, but more data follow it: {NOT_WHOLE}")),
        ("tiny-bitflip.zfs", format!("record 10 (WRITE) at byte 68344: {DAMAGED}")),
        ("tiny-hdrflip.zfs", format!("record 2 (OBJECT) at byte 312: {DAMAGED}")),
        (
            "tiny-badmagic.zfs",
            "record 1 (BEGIN) at byte 0: not a ZFS send stream: it starts with record type 0 and magic number \
             0x2f5bacbbc, expected 0 and 0x2f5bacbac"
                .to_owned(),
        ),
        ("enc-w.zfs", format!("record 1 (BEGIN) at byte 0: {ENCRYPTED}")),
        (
            "fs-Lec.zfs",
            "record 1 (BEGIN) at byte 0: stream of a filesystem, not of a volume: tank/src/fs@v1".to_owned(),
        ),
        (
            "tree-R.zfs",
            "record 1 (BEGIN) at byte 0: package of 2 datasets (tank/src/tree, tank/src/tree/vol): send one volume"
                .to_owned(),
        ),
        (
            "evil-badgzip.zfs",
            "record 21 (WRITE) at byte 146528: its gzip data do not unpack to 131072 bytes: the block was already \
             corrupt when it was sent; send the stream anew from an intact source"
                .to_owned(),
        ),
        (
            "evil-badtoguid.zfs",
            "record 521 (FREE) at byte 719808: record of snapshot guid 81985529216486894 in the stream of guid \
             81985529216486895"
                .to_owned(),
        ),
        (
            "evil-obj3.zfs",
            "record 521 (OBJECT) at byte 719808: object 3 of type 23: a volume has only objects 1 (type 23) and 2 \
             (type 24)"
                .to_owned(),
        ),
        (
            "dangerous/evil-blksz12288.zfs",
            "record 2 (OBJECT) at byte 312: block size 12288, a power of two from 4096 to 1048576 expected: ZFS could \
             crash on this volume"
                .to_owned(),
        ),
        (
            "dangerous/evil-noprop.zfs",
            "record 517 (END) at byte 718048: the volume's size is missing: ZFS would crash on this volume; make the \
             stream anew"
                .to_owned(),
        ),
        (
            "tiny-incr.zfs",
            "record 1 (BEGIN) at byte 0: incremental stream: it applies to the image with snapshot guid \
             7119270074782723516, which is not there; bring that image first or send a full stream"
                .to_owned(),
        ),
    ];
    for (name, expected) in table {
        let error = verify(&stream(name)[..], Expect::default()).map_err(|error| format!("{error:#}"));
        assert_eq!(error.unwrap_err(), expected, "{name}");
    }
}
