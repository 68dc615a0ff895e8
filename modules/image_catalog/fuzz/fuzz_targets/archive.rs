// SPDX-License-Identifier: GPL-3.0-or-later

//! Package files, plain or compressed: what is accepted has the stream that its manifest names, in a safe place.
#![no_main]

use std::io::{Read, copy, sink};

use image_catalog::archive::{IMAGE_FOLDER, PackageArchive};
use libfuzzer_sys::fuzz_target;
use tar::Header;

/// Puts right the checksums of tar headers, which no mutation hits by chance.
fn with_checksums(bytes: &[u8]) -> Vec<u8> {
    let mut archive = bytes.to_vec();
    for block in archive.chunks_exact_mut(512) {
        if &block[257..262] == b"ustar" {
            let mut header = Header::from_byte_slice(block).clone();
            header.set_cksum();
            block.copy_from_slice(header.as_bytes());
        }
    }
    archive
}

fn read(bytes: &[u8]) {
    let Ok(mut archive) = PackageArchive::open(bytes) else { return };
    let size = archive.stream_size();
    let path = archive.manifest().payload().map(|(path, _)| path.to_owned());
    // A decompressor makes much of little.
    let Ok(length) = copy(&mut (&mut archive).take(64 << 20), &mut sink()) else { return };
    if archive.finish().is_ok() {
        assert_eq!(length, size);
        let path = path.expect("an accepted package names its file");
        let name = path.strip_prefix(IMAGE_FOLDER).expect("an image lies in its folder");
        assert!(!name.contains('/') && !name.starts_with('.'));
    }
}

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    read(&with_checksums(bytes));
});
