// SPDX-License-Identifier: GPL-3.0-or-later

//! Streams as they come, and with right checksums: what is accepted can be replayed, and the raw file is the volume it speaks of.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zfs_stream::{Expect, Fletcher4, HEADER, announced, replay, verify};

const CHECKSUM: usize = 280;
const BEGIN: u32 = 0;
const END: u32 = 5;

fn field(header: &[u8], at: usize) -> usize {
    header[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes) as usize)
}

fn word(header: &[u8], at: usize) -> u32 {
    header[at..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

/// Bytes that follow a header.
fn payload(header: &[u8]) -> usize {
    match word(header, 0) {
        BEGIN => word(header, 4) as usize,
        3 if header[50] == 0 => field(header, 32),
        3 => field(header, 96),
        8 => (word(header, 52) as usize).next_multiple_of(8),
        _ => 0,
    }
}

/// Puts right the checksums of records, which no mutation hits by chance.
fn with_checksums(bytes: &[u8]) -> Vec<u8> {
    let mut stream = bytes.to_vec();
    let mut rest = &mut stream[..];
    let (mut sum, mut package, mut inside) = (Fletcher4::default(), false, false);
    while let Some((header, behind)) = rest.split_at_mut_checked(HEADER) {
        let kind = word(header, 0);
        if kind == BEGIN {
            (sum, package, inside) = (Fletcher4::default(), header[16] & 3 == 2, true);
            sum.update(header);
        } else if inside {
            if kind == END {
                header[8..40].copy_from_slice(&sum.to_bytes());
                inside = false;
            }
            sum.update(&header[..CHECKSUM]);
            // The END that closes the header of a package has no checksum of its own.
            let own = if kind == END && package { [0; 32] } else { sum.to_bytes() };
            header[CHECKSUM..].copy_from_slice(&own);
            sum.update(&header[CHECKSUM..]);
        }
        match behind.split_at_mut_checked(payload(header)) {
            Some((data, next)) if data.len().is_multiple_of(4) => {
                sum.update(data);
                rest = next;
            }
            _ => break,
        }
    }
    stream
}

fn read(stream: &[u8]) {
    let _ = announced(stream);
    let Ok(summary) = verify(stream, Expect::default()) else { return };
    let file = tempfile::tempfile().expect("a temporary file");
    let replayed = replay(stream, &file, Expect::default());
    // Larger files than any file system takes are refused when they are made.
    if summary.volsize.is_none_or(|size| size < 1 << 40) {
        assert_eq!(replayed.expect("what is accepted can be replayed"), summary);
        assert_eq!(
            file.metadata().expect("its size").len(),
            summary.volsize.expect("a whole volume has a size")
        );
    }
}

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    read(&with_checksums(bytes));
});
