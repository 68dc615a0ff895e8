// SPDX-License-Identifier: GPL-3.0-or-later

//! No damage gets through: flips, truncations and trailing bytes at every record and many bytes of small streams, and a failing source.

use crate::support::*;
use proptest::prelude::*;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use zfs_stream::{Base, Expect, Summary, replay, verify};

const STREAMS: [&str; 3] = ["tiny-Lec.zfs", "tiny-Lecp.zfs", "empty-plain.zfs"];

fn accepted(stream: &[u8]) -> bool {
    verify(stream, Expect::default()).is_ok()
}

#[test]
fn one_flipped_bit_anywhere_is_refused() {
    for name in STREAMS {
        let whole = stream(name);
        assert!(accepted(&whole));
        for at in (0..whole.len()).step_by(59) {
            let mut damaged = whole.clone();
            damaged[at] ^= 1 << (at % 8);
            assert!(!accepted(&damaged), "{name}: bit {} of byte {at}", at % 8);
        }
    }
    let whole = seal(&small());
    for at in (0..936).chain(whole.len() - 936..whole.len()) {
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (at % 8);
        assert!(!accepted(&damaged), "bit {} of byte {at}", at % 8);
    }
}

#[test]
fn every_truncation_and_every_trailing_byte_is_refused() {
    for name in STREAMS {
        let whole = stream(name);
        for length in (0..whole.len()).step_by(104) {
            assert!(!accepted(&whole[..length]), "{name}: {length} bytes");
        }
        for tail in [&[0][..], &[0; 312], &whole] {
            assert!(!accepted(&[&whole, tail].concat()), "{name}: {} bytes more", tail.len());
        }
    }
}

#[test]
fn short_inputs_are_called_what_they_are() {
    let text = b"#!/bin/sh\necho this is no stream\n";
    let foreign = "not a ZFS send stream: it starts with record type 1647255843 and magic number 0x74206f6863650a68, expected 0 \
                   and 0x2f5bacbac";
    let cut = "the stream ends at byte 100, within a record: it was cut short; fetch or send it again";
    let table: [(&[u8], &str); 3] =
        [(b"", "the stream is empty"), (text, foreign), (&seal(&small())[..100], cut)];
    for (bytes, expected) in table {
        assert_eq!(format!("{:#}", verify(bytes, Expect::default()).unwrap_err()), expected);
    }
}

#[test]
fn an_error_of_the_source_is_the_error_reported() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    let whole = stream("tiny-plain.zfs");
    let error = verify(whole[..20000].chain(Broken), Expect::default()).unwrap_err();
    assert_eq!(format!("{error:#}"), "reading the stream at byte 20000: the disk is gone");
}

/// What ZFS makes of these records: one after the other, as they stand.
fn model(records: &[Record], mut volume: Vec<u8>) -> Vec<u8> {
    for record in records {
        let field = |at: usize| u64::from_le_bytes(record.header[at..at + 8].try_into().unwrap()) as usize;
        match (record.header[0], field(8)) {
            (3, 1) => {
                let (offset, end) = (field(24), field(24) + record.payload.len());
                volume.resize(volume.len().max(end), 0);
                volume[offset..end].copy_from_slice(&record.payload);
            }
            (4, 1) => {
                let end = field(16).saturating_add(field(24)).min(volume.len());
                volume[field(16).min(end)..end].fill(0);
            }
            (3, 2) => {
                volume.resize(u64::from_le_bytes(record.payload[64..72].try_into().unwrap()) as usize, 0)
            }
            _ => {}
        }
    }
    volume
}

fn content(file: &File) -> Vec<u8> {
    let mut content = vec![0; file.metadata().unwrap().len() as usize];
    file.read_exact_at(&mut content, 0).unwrap();
    content
}

/// Verifies and replays onto `base`: the same verdict, and what was accepted is in the file what it is in ZFS.
fn verdict(records: &[Record], base: &[u8], expect: Expect) -> Result<Summary, String> {
    let stream = seal(records);
    let file = tempfile::tempfile().unwrap();
    file.write_all_at(base, 0).unwrap();
    let text = |error| format!("{error:#}");
    let verified = verify(&stream[..], expect).map_err(text);
    assert_eq!(verified, replay(&stream[..], &file, expect).map_err(text));
    if verified.is_ok() {
        assert!(content(&file) == model(records, base.to_vec()), "the file is not what ZFS makes of it");
    }
    verified
}

const VOLUME: u64 = 8 * BLOCK;

/// A record for data somewhere in the volume, of whole blocks most of the time.
fn data_record() -> impl Strategy<Value = Record> {
    let fields = (0u8..5, any::<bool>(), 0u64..8, 1u64..9, 1u8..);
    fields.prop_map(|(kind, whole, at, length, byte)| {
        let unit = if whole { BLOCK } else { 512 };
        let offset = at * unit;
        match kind {
            0 => free(1, offset, TAIL),
            1 => free(1, offset, length * unit),
            _ => write(1, offset, &vec![byte; (length * unit).min(VOLUME - offset) as usize]),
        }
    })
}

/// A stream with these records for data, sorted or as they come.
fn with_data(fromguid: u64, mut data: Vec<Record>, sorted: bool) -> Vec<Record> {
    if sorted {
        let at = |record: &Record| if record.header[0] == 3 { 24 } else { 16 };
        data.sort_by_key(|record| u64::from_le_bytes(record.header[at(record)..][..8].try_into().unwrap()));
    }
    let mut records = vec![begin(0, fromguid), object(1, 23, BLOCK as u32)];
    records.extend(data);
    records.extend([object(2, 24, 512), size_property(VOLUME), end()]);
    records
}

#[test]
fn records_in_order_are_accepted() {
    let increment = with_data(
        5,
        vec![
            free(1, 6 * BLOCK, TAIL),
            free(1, 0, BLOCK),
            write(1, BLOCK, &[3; 2 * BLOCK as usize]),
            free(1, 3 * BLOCK, 0),
            write(1, 3 * BLOCK, &[4; 512]),
            free(1, 4 * BLOCK, 2 * BLOCK),
        ],
        false,
    );
    let base = Base::Volume { guid: 5, volsize: VOLUME, volblocksize: BLOCK as u32 };
    verdict(&increment, &[9; VOLUME as usize], Expect { base, ..Expect::default() }).unwrap();
}

/// ZFS keeps what stands beyond the end of a volume: it would be there again when the volume grows, and not in a raw file.
#[test]
fn a_volume_that_shrinks_frees_what_it_had() {
    let base = Base::Volume { guid: 5, volsize: 2 * VOLUME, volblocksize: BLOCK as u32 };
    let shrunk = |frees: &[Record]| {
        let increment = with_data(5, frees.to_vec(), false);
        verdict(&increment, &[9; 2 * VOLUME as usize], Expect { base, ..Expect::default() })
    };
    for from in [0, VOLUME - BLOCK, VOLUME] {
        assert_eq!(shrunk(&[free(1, from, TAIL)]).unwrap().volsize, Some(VOLUME));
    }
    for frees in [&[][..], &[free(1, VOLUME + BLOCK, TAIL)], &[free(1, VOLUME, BLOCK)]] {
        let error = shrunk(frees).unwrap_err();
        let why = "the volume shrinks to 32768 bytes, but what it had beyond them is not freed: make the stream anew";
        assert!(error.ends_with(why), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// With checksums that are right again, altered headers reach every rule: whatever is accepted can be replayed.
    #[test]
    fn altered_headers_end_in_a_verdict(changes in prop::collection::vec((0usize..10, 0usize..280, any::<u8>()), 1..4)) {
        let mut records = small();
        for (record, at, byte) in changes {
            records[record].header[at] = byte;
        }
        let _ = verdict(&records, &[], Expect::default());
    }

    /// Records for data in any order and place: what is accepted comes out as it does in ZFS, onto nothing and onto a volume.
    #[test]
    fn records_for_data_end_where_zfs_puts_them(data in prop::collection::vec(data_record(), 0..6), sorted: bool) {
        let _ = verdict(&with_data(0, data.clone(), sorted), &[], Expect::default());
        let base = Base::Volume { guid: 5, volsize: VOLUME, volblocksize: BLOCK as u32 };
        let _ = verdict(&with_data(5, data, sorted), &[9; VOLUME as usize], Expect { base, ..Expect::default() });
    }
}
