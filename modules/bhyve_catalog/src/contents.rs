// SPDX-License-Identifier: GPL-3.0-or-later

//! What a file is, by its first and last bytes. Its name says nothing, and nothing that is known is taken for a raw disk.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use image_catalog::compression::{Compression, behind_skippable};
use image_catalog::web_page::is_web_page;

use crate::magic::{AT_START, STREAM_MAGICS, is_old_tar, is_tar};

/// Bytes from the start that tell what a file holds: up to the labels of file systems.
const HEAD: usize = 256 << 10;
/// Bytes at the end that a footer may be in.
const TAIL: u64 = 512;

/// A form of disks that qemu-img makes raw ones from, by its name of the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    Qcow2,
    Vmdk,
    Vhd,
    Vhdx,
    Vdi,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Something packed that is unpacked first.
    Packed(Compression),
    /// A disk in a form of its own.
    Container(Container),
    /// An archive that may be an OVA.
    Tar,
    /// What begins like a ZFS send stream.
    Stream,
    /// Something else, which is known and no disk, and what to do about it.
    Foreign(&'static str, &'static str),
    /// Nothing of that: a raw disk.
    Unknown,
}

/// The beginning and the end of a file.
pub struct Glimpse {
    pub head: Vec<u8>,
    tail: Vec<u8>,
    pub size: u64,
}

impl Glimpse {
    /// Looks at a file.
    pub fn of(file: &File) -> io::Result<Self> {
        let size = file.metadata()?.len();
        let head = read_at(file, 0, HEAD)?;
        let tail = read_at(file, size.saturating_sub(TAIL), TAIL as usize)?;
        Ok(Self { head, tail, size })
    }

    /// What it is.
    pub fn content(&self) -> Content {
        match at_start(&self.head) {
            Content::Unknown => self.by_other_places(),
            known => known,
        }
    }

    fn by_other_places(&self) -> Content {
        // A fixed VHD is a raw disk with a footer; that of old Virtual PC has 511 bytes.
        if self.tail.starts_with(b"conectix")
            || self.tail.get(1..).is_some_and(|it| it.starts_with(b"conectix"))
        {
            return Content::Container(Container::Vhd);
        }
        if self.tail.starts_with(b"koly") {
            return Content::Foreign(
                "a disk image of macOS (UDIF)",
                "convert it with `hdiutil convert -format UDTO` first",
            );
        }
        let at = |place: usize, magic: &[u8]| self.head.get(place..place + magic.len()) == Some(magic);
        let is_cd = |place: usize| at(place + 1, b"CD001") || at(place + 1, b"BEA01");
        if is_cd(32 << 10) {
            let advice = "install from it, or set format to raw if it shall be a disk all the same";
            return Content::Foreign("a CD or DVD (ISO 9660 or UDF)", advice);
        }
        Content::Unknown
    }

    /// Whether the file has a footer where only a dynamic VHD has none when it was cut.
    pub fn ends_with_footer(&self) -> bool {
        self.tail.windows(8).take(2).any(|it| it == b"conectix")
    }
}

/// What the first bytes say, which is enough for what has to be unpacked.
pub fn at_start(head: &[u8]) -> Content {
    if head.get(8..16).is_some_and(|it| STREAM_MAGICS.iter().any(|magic| it == magic)) {
        return Content::Stream;
    }
    if let Some(compression) = Compression::of(head) {
        return Content::Packed(compression);
    }
    // Before lz4 data, frames may stand that are skipped.
    let head = behind_skippable(head);
    if let Some((_, _, content)) =
        AT_START.iter().find(|(place, magic, _)| head.get(*place..).is_some_and(|it| it.starts_with(magic)))
    {
        return *content;
    }
    match head {
        _ if is_web_page(head) => Content::Foreign("a web page", "give the address of the file itself"),
        _ if is_lzma(head) => Content::Foreign("lzma data", "unpack it with `xz -d --format=lzma` first"),
        _ if is_tar(head) || is_old_tar(head) => Content::Tar,
        _ => Content::Unknown,
    }
}

/// The old form has no magic number: properties, a size of dictionary that is a power of two or one and a half, and the size of
/// the content, unknown or below 256 GiB.
fn is_lzma(head: &[u8]) -> bool {
    let Some(([properties, dictionary @ ..], size)) =
        head.get(..13).and_then(|it| it.split_first_chunk::<5>())
    else {
        return false;
    };
    let dictionary = u32::from_le_bytes(*dictionary);
    let size = size.try_into().map_or(0, u64::from_le_bytes);
    let usual = dictionary.is_power_of_two() || dictionary % 3 == 0 && (dictionary / 3).is_power_of_two();
    *properties == 0x5d && dictionary >= 4096 && usual && (size == u64::MAX || size < 1 << 38)
}

fn read_at(file: &File, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    let mut filled = 0;
    while filled < length {
        match file.read_at(&mut bytes[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

impl Container {
    /// The name of qemu-img's driver.
    pub fn driver(self) -> &'static str {
        match self {
            Self::Qcow2 => "qcow2",
            Self::Vmdk => "vmdk",
            Self::Vhd => "vpc",
            Self::Vhdx => "vhdx",
            Self::Vdi => "vdi",
        }
    }

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Qcow2 => "a qcow2 disk",
            Self::Vmdk => "a VMDK disk",
            Self::Vhd => "a VHD disk",
            Self::Vhdx => "a VHDX disk",
            Self::Vdi => "a VDI disk",
        }
    }
}

impl Content {
    /// What people call it.
    pub fn name(self) -> String {
        match self {
            Self::Packed(compression) => format!("{} data", compression.name()),
            Self::Container(container) => container.name().to_owned(),
            Self::Tar => "a tar archive".to_owned(),
            Self::Stream => "a ZFS send stream".to_owned(),
            Self::Foreign(name, _) => name.to_owned(),
            Self::Unknown => "a raw disk".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(bytes: &[u8]) -> Content {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(bytes, 0).unwrap();
        Glimpse::of(&file).unwrap().content()
    }

    fn placed(place: usize, magic: &[u8], length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        bytes[place..place + magic.len()].copy_from_slice(magic);
        bytes
    }

    #[test]
    fn each_kind_is_known_where_it_says_so() {
        for (bytes, expected) in [
            (placed(0, b"QFI\xfb\0\0\0\x03", 512), Content::Container(Container::Qcow2)),
            (placed(0, b"conectix", 2048), Content::Container(Container::Vhd)),
            (placed(1536, b"conectix", 2048), Content::Container(Container::Vhd)),
            (placed(1537, b"conectix", 2048), Content::Container(Container::Vhd)),
            (placed(0, b"vhdxfile", 512), Content::Container(Container::Vhdx)),
            (placed(64, b"\x7f\x10\xda\xbe", 512), Content::Container(Container::Vdi)),
            (placed(0, b"KDMV", 512), Content::Container(Container::Vmdk)),
            (placed(257, b"ustar\0", 512), Content::Tar),
            (
                placed(0, b"\x51\x2a\x4d\x18\x04\0\0\0abcd\x28\xb5\x2f\xfd", 64),
                Content::Packed(Compression::Zstd),
            ),
            (placed(0, b"\x50\x2a\x4d\x18\xff\xff\xff\x7f", 64), Content::Packed(Compression::Zstd)),
            (placed(0, b"\xfd7zXZ\0", 64), Content::Packed(Compression::Xz)),
            (placed(0, b"BZh9", 64), Content::Packed(Compression::Bzip2)),
            (placed(0, b"\x1f\x8b\x08", 64), Content::Packed(Compression::Gzip)),
            (vec![0; 4096], Content::Unknown),
            (Vec::new(), Content::Unknown),
            (b"BZhx".to_vec(), Content::Unknown),
        ] {
            assert_eq!(content(&bytes), expected, "{:?}", &bytes[..bytes.len().min(16)]);
        }
    }

    #[test]
    fn what_cannot_be_taken_is_named() {
        for (bytes, expected) in [
            (placed(0, b"QED\0", 512), "a QED disk"),
            (placed(0, b"QFI\xfb\0\0\0\x01", 512), "a qcow disk of version 1"),
            (placed(0, b"WithouFreSpacExt", 512), "a Parallels disk"),
            (placed(0, b"WithoutFreeSpace", 512), "a Parallels disk"),
            (placed(0, b"LUKS\xba\xbe\0\x02", 512), "an encrypted disk (LUKS)"),
            (placed(0, b"\x04\x22\x4d\x18", 64), "lz4 data"),
            (placed(0, b"\x02\x21\x4c\x18", 64), "lz4 data"),
            (placed(0, b"\x5a\x2a\x4d\x18\x01\0\0\0x\x04\x22\x4d\x18", 64), "lz4 data"),
            (placed(0, b"LZIP\x01", 64), "lzip data"),
            (placed(0, b"\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff\0", 64), "lzma data"),
            (placed(0, b"\x5d\0\0\x40\0\0\0\x10\0\0\0\0\0\0", 64), "lzma data"),
            (placed(0, b"PK\x03\x04", 64), "a zip archive"),
            (placed(0, b"7z\xbc\xaf\x27\x1c", 64), "a 7z archive"),
            (placed(32769, b"CD001", 40_000), "a CD or DVD (ISO 9660 or UDF)"),
            (placed(512, b"koly", 1024), "a disk image of macOS (UDIF)"),
            (b"\n<!DOCTYPE HTML><html>".to_vec(), "a web page"),
            (
                b"# Disk DescriptorFile\nversion=1\n".to_vec(),
                "a descriptor of a VMDK disk, whose data are in other files",
            ),
        ] {
            assert!(
                matches!(content(&bytes), Content::Foreign(name, _) if name == expected),
                "{expected}: {:?}",
                content(&bytes)
            );
        }
    }
}
