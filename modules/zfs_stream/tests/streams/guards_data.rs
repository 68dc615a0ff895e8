// SPDX-License-Identifier: GPL-3.0-or-later

//! The guards over data, properties and the end of a stream, as in `guards.rs`.

use crate::guards::{WRITE, check, featured, inserted, with, without};
use crate::support::*;
use zfs_stream::{Expect, verify};

const FREE: usize = 2;

#[test]
fn data() {
    const FULL: u64 = i64::MAX as u64 - 511;
    let block = [1; BLOCK as usize];
    check(&[
        (
            with(WRITE, write(1, 0, &[])),
            "record 4 (WRITE) at byte 936: block of 0 bytes, 512 to 16777216 expected",
        ),
        (
            featured(1 << 19, write(1, 0, &[0; 512]).u64(32, (16 << 20) + 512)),
            "record 4 (WRITE) at byte 936: block of 16777728 bytes, 512 to 16777216 expected",
        ),
        (
            with(WRITE, write(1, 0, &[0; 132096])),
            "record 4 (WRITE) at byte 936: needs the feature large_blocks, which the stream does not announce (features 0x0)",
        ),
        (
            with(WRITE, write(1, 100, &block)),
            "record 4 (WRITE) at byte 936: block of 4096 bytes at offset 100: both must be multiples of 512",
        ),
        (
            with(WRITE, write(1, u64::MAX - 511, &block)),
            "record 4 (WRITE) at byte 936: offset 18446744073709551104 + size 4096 overflow",
        ),
        (
            with(WRITE, write(1, FULL, &block)),
            "record 4 (WRITE) at byte 936: offset 9223372036854775296 + size 4096 overflow",
        ),
        (
            with(WRITE, write(1, 0, &block).u64(96, 9)),
            "record 4 (WRITE) at byte 936: compressed size 9 without compression",
        ),
        (
            with(WRITE, write(1, 0, &block).u32(16, 24)),
            "record 4 (WRITE) at byte 936: data of type 24 for object 1, which no volume has",
        ),
        (
            with(WRITE, write(3, 0, &block)),
            "record 4 (WRITE) at byte 936: data of type 24 for object 3, which no volume has",
        ),
        (
            with(WRITE, write(1, 0, &block).u64(40, 1)),
            "record 4 (WRITE) at byte 936: record of snapshot guid 1 in the stream of guid 77",
        ),
        (
            inserted(4, write(1, 0, &block)),
            "record 5 (WRITE) at byte 5344: offset 0, but the records before it reach to 4096: they must stand in rising \
             order and apart",
        ),
        (
            with(4, free(1, 0, BLOCK)),
            "record 5 (FREE) at byte 5344: offset 0, but the records before it reach to 4096: they must stand in rising \
             order and apart",
        ),
        (
            inserted(4, write(1, 3584, &[1; 512])),
            "record 5 (WRITE) at byte 5344: offset 3584, but the records before it reach to 4096: they must stand in \
             rising order and apart",
        ),
        (
            with(4, free(1, 512, 512)),
            "record 5 (FREE) at byte 5344: offset 512, but the records before it reach to 4096: they must stand in rising \
             order and apart",
        ),
        (
            with(WRITE, free(1, 0, 2 * BLOCK)),
            "record 5 (FREE) at byte 1248: offset 4096, but the records before it reach to 8192: they must stand in rising \
             order and apart",
        ),
        (
            inserted(4, free(1, BLOCK - 512, TAIL)),
            "record 5 (FREE) at byte 5344: frees all from byte 3584 on, but data up to byte 4096 stand before it",
        ),
        (
            with(FREE, free(1, 2 * BLOCK - 512, TAIL)),
            "record 3 (FREE) at byte 624: frees a part of a block: 18446744073709551615 bytes at offset 7680, in blocks of \
             4096 bytes",
        ),
        (
            with(4, free(1, BLOCK, 512)),
            "record 5 (FREE) at byte 5344: frees a part of a block: 512 bytes at offset 4096, in blocks of 4096 bytes",
        ),
        (
            with(WRITE, write(1, 512, &block)),
            "record 4 (WRITE) at byte 936: block of 4096 bytes at offset 512, expected a whole one of the volume's blocks \
             of 4096 bytes",
        ),
        (
            inserted(6, write(1, BLOCK, &block)),
            "record 7 (WRITE) at byte 5968: data after the properties object",
        ),
        (
            with(FREE, free(1, 5, u64::MAX - 1)),
            "record 3 (FREE) at byte 624: offset 5 + length 18446744073709551614 overflow",
        ),
        (
            with(FREE, free(3, 0, 1)),
            "record 3 (FREE) at byte 624: frees a part of object 3, which no volume has",
        ),
        (
            with(WRITE, write(1, 0, &block).u32(4, 4)),
            "record 4 (WRITE) at byte 936: its payload length is set to 4, expected 0",
        ),
        (
            with(WRITE, write(1, 2 * BLOCK, &block)),
            "record 5 (FREE) at byte 5344: offset 4096, but the records before it reach to 12288: they must stand in \
             rising order and apart",
        ),
    ]);
}

#[test]
fn compressed_and_embedded_data() {
    const COMPRESSED: u64 = 1 << 22 | 1 << 17;
    let corrupt =
        "the block was already corrupt when it was sent; send the stream anew from an intact source";
    let lz4 = format!("record 4 (WRITE) at byte 936: its lz4 data do not unpack to 4096 bytes: {corrupt}");
    let embedded_lz4 =
        format!("record 4 (WRITE_EMBEDDED) at byte 936: its lz4 data do not unpack to 4096 bytes: {corrupt}");
    let short =
        format!("record 4 (WRITE_EMBEDDED) at byte 936: its zle data do not unpack to 4096 bytes: {corrupt}");
    let whole = |offset, length| embedded(1, offset, length, &zle(length));
    check(&[
        (
            with(WRITE, compressed(0, BLOCK, 15, &[0; 512])),
            "record 4 (WRITE) at byte 936: needs the feature compressed, which the stream does not announce (features 0x0)",
        ),
        (
            featured(1 << 22, compressed(0, BLOCK, 15, &[0; 512])),
            "record 4 (WRITE) at byte 936: needs the feature lz4, which the stream does not announce (features 0x400000)",
        ),
        (
            featured(COMPRESSED, compressed(0, BLOCK, 16, &[0; 512])),
            "record 4 (WRITE) at byte 936: needs the feature zstd, which the stream does not announce (features 0x420000)",
        ),
        (
            featured(COMPRESSED, compressed(0, BLOCK, 2, &[0; 4096])),
            "record 4 (WRITE) at byte 936: compression 'off' in a compressed block: send the stream anew",
        ),
        (
            featured(COMPRESSED, compressed(0, BLOCK, 4, &[0; 512])),
            "record 4 (WRITE) at byte 936: compression 'empty', which ZFS stores and cannot read back: send the stream anew",
        ),
        (
            featured(COMPRESSED, compressed(0, BLOCK, 17, &[0; 512])),
            "record 4 (WRITE) at byte 936: unknown compression 17: made by a newer ZFS than this reader knows",
        ),
        (
            featured(COMPRESSED, compressed(0, BLOCK, 15, &[])),
            "record 4 (WRITE) at byte 936: compressed size 0 of a block of 4096 bytes",
        ),
        (
            featured(COMPRESSED, compressed(0, BLOCK, 15, &[0; 8192])),
            "record 4 (WRITE) at byte 936: compressed size 8192 of a block of 4096 bytes",
        ),
        (
            featured(COMPRESSED, compressed(0, 2 * BLOCK, 15, &[0; 512])),
            "record 4 (WRITE) at byte 936: block of 8192 bytes at offset 0, expected a whole one of the volume's blocks of \
             4096 bytes",
        ),
        (featured(COMPRESSED, compressed(0, BLOCK, 15, &[0; 512])), &lz4),
        (
            with(WRITE, whole(0, BLOCK)),
            "record 4 (WRITE_EMBEDDED) at byte 936: needs the feature embed_data, which the stream does not announce \
             (features 0x0)",
        ),
        (
            featured(1 << 16, whole(0, BLOCK).u8(41, 1)),
            "record 4 (WRITE_EMBEDDED) at byte 936: embedded data of type 1, expected 0 (data)",
        ),
        (
            featured(1 << 16, embedded(1, 0, BLOCK, &[7; 120])),
            "record 4 (WRITE_EMBEDDED) at byte 936: embedded sizes: 120 stored, 4096 unpacked, expected at most 112 stored \
             and a block of 4096 bytes unpacked",
        ),
        (
            featured(1 << 16, whole(0, BLOCK).u32(48, 512)),
            "record 4 (WRITE_EMBEDDED) at byte 936: embedded sizes: 25 stored, 512 unpacked, expected at most 112 stored \
             and a block of 4096 bytes unpacked",
        ),
        (featured(1 << 16, embedded(1, 0, BLOCK, &zle(512))), &short),
        (
            featured(1 << 16, whole(0, 2 * BLOCK)),
            "record 4 (WRITE_EMBEDDED) at byte 936: block of 8192 bytes at offset 0, expected a whole one of the volume's \
             blocks of 4096 bytes",
        ),
        (featured(1 << 17 | 1 << 16, whole(0, BLOCK).u8(40, 15)), &embedded_lz4),
        (
            featured(1 << 16, embedded(3, 0, BLOCK, &zle(BLOCK))),
            "record 4 (WRITE_EMBEDDED) at byte 936: embedded data for object 3, which no volume has",
        ),
    ]);
}

#[test]
fn encodings_that_are_accepted() {
    let zero_runs = [vec![255; 64 * 4096 / (192 * 64)], vec![64 + (4096 % 192 - 1) as u8, 0, 0]].concat();
    let zeros = [zero_runs, vec![0; 512]].concat();
    let zeros = &zeros[..zeros.len() / 4 * 4];
    // A literal, a match of 66 bytes at distance one and six literals; then nothing but matches.
    let lzjb = [
        vec![0b10, 7, 63 << 2, 1, 0, 0, 0, 0, 0, 0],
        [vec![0xff], [63 << 2, 1].repeat(8)].concat().repeat(8),
    ]
    .concat();
    let lzjb = &lzjb[..lzjb.len() / 4 * 4];
    for (compression, stored) in [(3, lzjb), (14, zeros)] {
        let records = featured(1 << 22, compressed(0, BLOCK, compression, stored));
        verify(&seal(&records)[..], Expect::default())
            .unwrap_or_else(|error| panic!("{compression}: {error:#}"));
    }
    verify(&seal(&featured(1 << 16, embedded(1, 0, BLOCK, &zle(BLOCK))))[..], Expect::default()).unwrap();
}

#[test]
fn properties_and_the_end() {
    let fat = size_property(8192);
    let mut odd = fat.clone();
    odd.payload[0] = 1;
    check(&[
        (
            with(7, odd),
            "record 8 (WRITE) at byte 6280: volume properties: block type 0x8000000000000001, expected 0x8000000000000003 (micro-ZAP)",
        ),
        (
            with(7, write(2, 0, &[0; 1024])),
            "record 8 (WRITE) at byte 6280: 1024 bytes of properties at 0, expected 512 at 0",
        ),
        (
            with(7, write(2, 512, &[0; 512])),
            "record 8 (WRITE) at byte 6280: 512 bytes of properties at 512, expected 512 at 0",
        ),
        (inserted(8, fat), "record 9 (WRITE) at byte 7104: the properties a second time"),
        (with(6, free(2, 0, TAIL)), "record 7 (FREE) at byte 5968: frees the volume's size"),
        (
            with(5, free(2, 512, TAIL)),
            "record 6 (FREE) at byte 5656: frees properties before the properties object",
        ),
        (
            with(5, size_property(8192)),
            "record 6 (WRITE) at byte 5656: properties before the properties object",
        ),
        (
            without(7),
            "record 9 (END) at byte 6592: the volume's size is missing: ZFS would crash on this volume; make the stream anew",
        ),
        (
            vec![begin(0, 0), end()],
            "record 2 (END) at byte 312: a full stream without the volume's data object",
        ),
        (
            with(7, size_property(0)),
            "record 10 (END) at byte 7416: volume size 0, expected 1 to 9223372036854775807",
        ),
        (
            with(7, size_property(u64::MAX - 4095)),
            "record 10 (END) at byte 7416: volume size 18446744073709547520, expected 1 to 9223372036854775807",
        ),
        (
            with(7, size_property(8191)),
            "record 10 (END) at byte 7416: volume size 8191 is not a multiple of the block size 4096",
        ),
        (
            {
                let mut r = with(WRITE, write(1, BLOCK * 2, &[1; 4096]));
                r.remove(4);
                r
            },
            "record 9 (END) at byte 7104: data up to byte 12288, beyond the volume size 8192",
        ),
        (
            with(9, end().u64(40, 3)),
            "record 10 (END) at byte 7416: record of snapshot guid 3 in the stream of guid 77",
        ),
    ]);
}
