// SPDX-License-Identifier: GPL-3.0-or-later

//! Streams with right checksums that a kernel takes and must not get, and two that only look like them.

use crate::support::stream;
use std::path::Path;
use zfs_stream::{Expect, verify};

/// Every file of `hostile/`, with words of the refusal; none for those that are in order.
const VERDICTS: [(&str, &str); 30] = [
    ("c1-ctrl.zfs", "holds control characters"),
    ("dup-size-cd1-first.zfs", "collision differentiator [1, 0, 0, 0] of 'size'"),
    ("dup-size-same-cd.zfs", "entry 'size' a second time"),
    ("emb-512-of-16k.zfs", "embedded sizes: 16 stored, 512 unpacked"),
    ("emb-leak-512-of-131072.zfs", "embedded sizes: 16 stored, 512 unpacked"),
    ("emb-props-64.zfs", "embedded sizes: 38 stored, 128 unpacked"),
    ("emb-zero.zfs", "embedded sizes: 0 stored, 0 unpacked"),
    ("flags-clone.zfs", "stream of a clone"),
    ("free-partial-after-data.zfs", "must stand in rising order and apart"),
    ("free-to-end-later.zfs.zst", "frees all from byte 0 on, but data up to byte 6553600 stand before it"),
    ("huge-volsize.zfs", ""),
    ("lz4-tail-0.zfs", "its lz4 data do not unpack to 16384 bytes"),
    ("object-checksum-200.zfs", "checksum and compression (200, 0)"),
    ("object-checksum-blake3.zfs", "checksum and compression (14, 0)"),
    ("object-checksum-gang.zfs", "checksum and compression (4, 0)"),
    ("object-checksum-label.zfs", "checksum and compression (3, 0)"),
    ("object-checksum-off.zfs", "checksum and compression (2, 0)"),
    ("object-checksum-zilog2.zfs", "checksum and compression (9, 0)"),
    ("object-compress-255.zfs", "checksum and compression (0, 255)"),
    ("object-compress-off.zfs", "checksum and compression (0, 2)"),
    ("overlap-partial.zfs", "must stand in rising order and apart"),
    ("overlap-zeros.zfs", "expected a whole one of the volume's blocks"),
    ("two-at.zfs", ""),
    ("two-lightweight-one-block.zfs", "expected a whole one of the volume's blocks"),
    ("whole-block-unaligned.zfs", "expected a whole one of the volume's blocks"),
    ("zap-other-props.zfs", "entry 'volblocksize', expected 'size' alone"),
    ("zstd-empty-block.zfs", "its zstd data do not unpack to 16384 bytes"),
    ("zstd-good.zfs", ""),
    ("zstd-level0.zfs", "its zstd data do not unpack to 16384 bytes"),
    ("zstd-literals.zfs", "its zstd data do not unpack to 16384 bytes"),
];

fn verdict(name: &str) -> String {
    let file = stream(&format!("hostile/{name}"));
    let whole = if name.ends_with(".zst") { zstd::decode_all(&file[..]).unwrap() } else { file };
    verify(&whole[..], Expect::default()).map_or_else(|error| format!("{error:#}"), |_| String::new())
}

#[test]
fn what_a_kernel_must_not_get_is_refused() {
    for (name, words) in VERDICTS {
        let found = verdict(name);
        assert!(found.contains(words) && found.is_empty() == words.is_empty(), "{name}: {found}");
    }
}

#[test]
fn every_file_has_a_verdict() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/streams/hostile");
    let mut names: Vec<_> = folder.read_dir().unwrap().map(|file| file.unwrap().file_name()).collect();
    names.sort();
    assert!(names.iter().eq(VERDICTS.map(|(name, _)| name).iter()), "{names:?}");
}
