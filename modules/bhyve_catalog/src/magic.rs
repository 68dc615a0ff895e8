// SPDX-License-Identifier: GPL-3.0-or-later

//! First bytes by which files are known, but those of the compressions that are unpacked.

use crate::contents::{Container, Content};

/// A ZFS send stream in either byte order, behind its first eight bytes.
pub const STREAM_MAGICS: [[u8; 8]; 2] = [0x2_f5ba_cbac_u64.to_le_bytes(), 0x2_f5ba_cbac_u64.to_be_bytes()];

const CONVERT: &str = "convert it with `qemu-img convert -O qcow2` first";
const UNPACK: &str = "unpack it, and name the disk that was in it";

const fn disk(container: Container) -> Content {
    Content::Container(container)
}

const fn other(name: &'static str, advice: &'static str) -> Content {
    Content::Foreign(name, advice)
}

/// Where something begins, how, and what it is; the longer ones first.
pub const AT_START: [(usize, &[u8], Content); 38] = [
    (0, b"QFI\xfb\0\0\0\x01", other("a qcow disk of version 1", CONVERT)),
    (0, b"QFI\xfb", disk(Container::Qcow2)),
    (0, b"KDMV", disk(Container::Vmdk)),
    (0, b"COWD", other("a VMDK disk of ESX 2 (COWD)", CONVERT)),
    (
        0,
        b"# Disk DescriptorFile",
        other(
            "a descriptor of a VMDK disk, whose data are in other files",
            "make it one file with `qemu-img convert -O qcow2`",
        ),
    ),
    (0, b"conectix", disk(Container::Vhd)),
    (0, b"vhdxfile", disk(Container::Vhdx)),
    (64, b"\x7f\x10\xda\xbe", disk(Container::Vdi)),
    (0, b"QED\0", other("a QED disk", CONVERT)),
    (0, b"WithoutFreeSpace", other("a Parallels disk", CONVERT)),
    (0, b"WithouFreSpacExt", other("a Parallels disk", CONVERT)),
    (0, b"Bochs Virtual HD Image", other("a Bochs disk", CONVERT)),
    (0, b"#!/bin/sh\n#V2.0 Format\n", other("a compressed loop disk (cloop)", CONVERT)),
    (
        0,
        b"LUKS\xba\xbe",
        other(
            "an encrypted disk (LUKS)",
            "publish what is in it, or set format to raw if guests have the key",
        ),
    ),
    (0, b"\x3a\xff\x26\xed", other("a sparse image of Android", "convert it with `simg2img` first")),
    (0, b"MSWIM\0\0\0", other("a Windows image (WIM)", UNPACK)),
    (0, b"\x04\x22\x4d\x18", other("lz4 data", "unpack it with `lz4 -d` first")),
    (0, b"\x02\x21\x4c\x18", other("lz4 data", "unpack it with `lz4 -d` first")),
    (0, b"LZIP", other("lzip data", "unpack it with `lzip -d` first")),
    (0, b"\x89LZO\0\r\n\x1a\n", other("lzop data", "unpack it with `lzop -d` first")),
    (0, b"LRZI", other("lrzip data", "unpack it with `lrzip -d` first")),
    (0, b"\x1f\x9d", other("data of compress(1)", "unpack it with `gzip -d` first")),
    (0, b"\xff\x06\0\0sNaPpY", other("snappy data", "unpack it first")),
    (0, b"PK\x03\x04", other("a zip archive", UNPACK)),
    (0, b"PK\x05\x06", other("a zip archive", UNPACK)),
    (0, b"PK\x07\x08", other("a zip archive", UNPACK)),
    (0, b"7z\xbc\xaf\x27\x1c", other("a 7z archive", UNPACK)),
    (0, b"Rar!\x1a\x07", other("a rar archive", UNPACK)),
    (0, b"MSCF\0\0\0\0", other("a cabinet archive", UNPACK)),
    (0, b"xar!", other("a xar archive", UNPACK)),
    (0, b"!<arch>\n", other("an ar archive", UNPACK)),
    (0, b"07070", other("a cpio archive", UNPACK)),
    (0, b"\xc7\x71", other("a cpio archive", UNPACK)),
    (0, b"Salted__", other("data that openssl has encrypted", "decrypt it first")),
    (0, b"age-encryption.org/", other("data that age has encrypted", "decrypt it first")),
    (0, b"-----BEGIN PGP", other("data that PGP has signed or encrypted", "name the disk itself")),
    (0, b"\x7fELF", other("a program (ELF)", "name the disk itself")),
    (0, b"%PDF-", other("a PDF", "name the disk itself")),
];

/// Where and how tar archives have said what they are since 1988.
pub fn is_tar(head: &[u8]) -> bool {
    head.get(257..262) == Some(b"ustar")
}

/// Before that, only the checksum of a header could tell. A sector of zeros has the sum of zeros, and no name.
pub fn is_old_tar(head: &[u8]) -> bool {
    let Some(header) = head.get(..512) else { return false };
    let digits = str::from_utf8(&header[148..156]).unwrap_or_default().trim_matches(['\0', ' ']);
    let blanked = header[..148].iter().chain(&[b' '; 8]).chain(&header[156..]);
    let sum: u32 = blanked.map(|byte| u32::from(*byte)).sum();
    header[0] != 0 && u32::from_str_radix(digits, 8) == Ok(sum)
}
