//! No damage gets through: flips, truncations and trailing bytes at every record and many bytes of small streams, and a failing source.

use crate::support::{seal, small, stream};
use proptest::prelude::*;
use std::io::{self, Read};
use zfs_stream::{Expect, replay, verify};

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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// With checksums that are right again, altered headers reach every rule: whatever is accepted can be replayed.
    #[test]
    fn altered_headers_end_in_a_verdict(changes in prop::collection::vec((0usize..10, 0usize..280, any::<u8>()), 1..4)) {
        let mut records = small();
        for (record, at, byte) in changes {
            records[record].header[at] = byte;
        }
        let stream = seal(&records);
        let verdict = verify(&stream[..], Expect::default());
        let file = tempfile::tempfile().unwrap();
        match (verdict, replay(&stream[..], &file, Expect::default())) {
            (Ok(summary), Ok(replayed)) => {
                prop_assert_eq!(file.metadata().unwrap().len(), summary.volsize.unwrap());
                prop_assert_eq!(summary, replayed);
            }
            (Err(verdict), Err(refused)) => prop_assert_eq!(format!("{verdict:#}"), format!("{refused:#}")),
            (verdict, replayed) => prop_assert!(false, "verify {verdict:?}, replay {replayed:?}"),
        }
    }
}
