// SPDX-License-Identifier: GPL-3.0-or-later

//! What the writer makes of a disk, the reader gives back; the same disk gives the same stream.

use crate::support::{sha256, sha256_of, stream};
use proptest::prelude::*;
use std::fs::File;
use std::os::unix::fs::FileExt;
use zfs_stream::{Expect, Image, Summary, replay, verify, write};

fn image(volblocksize: u32) -> Image {
    Image {
        guid: 0x1122_3344_5566_7788,
        creation_time: 1_700_000_000,
        name: "image@gen".to_owned(),
        volblocksize,
    }
}

fn disk(size: u64, extents: &[(u64, u8, u16)]) -> File {
    let disk = tempfile::tempfile().unwrap();
    disk.set_len(size).unwrap();
    for (offset, byte, length) in extents {
        let offset = offset % size;
        let length = u64::from(*length).min(size - offset) as usize;
        disk.write_all_at(&vec![*byte; length], offset).unwrap();
    }
    disk
}

fn written(disk: &File, image: &Image) -> (Vec<u8>, Summary) {
    let mut stream = Vec::new();
    let summary = write(disk, &mut stream, image).unwrap();
    (stream, summary)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn disks_come_back_as_they_were(
        size in 1u64..3 << 20,
        extents in prop::collection::vec((0u64..3 << 20, 0u8..3, 1u16..), 0..8),
        block_size in prop::sample::select(vec![4 << 10, 16 << 10, 64 << 10, 128 << 10, 1 << 20]),
    ) {
        let disk = disk(size, &extents);
        let (stream, summary) = written(&disk, &image(block_size));
        prop_assert_eq!(&verify(&stream[..], Expect::default()).unwrap(), &summary);
        prop_assert_eq!(summary.volsize, Some(size.next_multiple_of(u64::from(block_size))));

        let replayed = tempfile::tempfile().unwrap();
        replay(&stream[..], &replayed, Expect::default()).unwrap();
        disk.set_len(summary.volsize.unwrap()).unwrap();
        prop_assert_eq!(sha256_of(&replayed), sha256_of(&disk));
        prop_assert_eq!(written(&replayed, &image(block_size)).0, stream);
    }
}

#[test]
fn a_real_volume_survives_every_block_size() {
    let real = tempfile::tempfile().unwrap();
    replay(&stream("lz4-plain.zfs")[..], &real, Expect::default()).unwrap();
    for block_size in [4 << 10, 16 << 10, 64 << 10, 128 << 10, 1 << 20] {
        let (stream, _) = written(&real, &image(block_size));
        let back = tempfile::tempfile().unwrap();
        replay(&stream[..], &back, Expect::default()).unwrap();
        assert_eq!(sha256_of(&back), sha256_of(&real), "{block_size}");
    }
}

#[test]
fn the_bytes_of_a_stream_never_change() {
    let (stream, summary) = written(&disk(100_000, &[(20_000, 7, 30_000)]), &image(16 << 10));
    assert_eq!((summary.bytes, summary.records), (stream.len() as u64, 15));
    assert_eq!(sha256(&stream[..]), "5e5683fe6c20f6e84d32188a06f2c6516949bc7c170d33c84a1e25c6efff011f");
}

#[test]
fn what_no_receiver_would_take_is_not_written() {
    let table = [
        (image(12288), 4096, "block size 12288, a power of two from 4096 to 1048576 expected"),
        (image(2048), 4096, "block size 2048, a power of two from 4096 to 1048576 expected"),
        (Image { guid: 0, ..image(4096) }, 4096, "snapshot guid 0, which means 'no base': choose another"),
        (Image { name: "image".to_owned(), ..image(4096) }, 4096, "snapshot name \"image\" without '@'"),
        (
            Image { name: "a".repeat(255) + "@", ..image(4096) },
            4096,
            "snapshot name of 256 bytes, at most 255 expected",
        ),
        (image(4096), 0, "the disk is empty"),
    ];
    for (image, size, expected) in table {
        let error = write(
            &disk(4096, &[]).try_clone().and_then(|disk| disk.set_len(size).map(|()| disk)).unwrap(),
            Vec::new(),
            &image,
        );
        assert_eq!(error.unwrap_err().to_string(), expected);
    }
}
