// SPDX-License-Identifier: GPL-3.0-or-later

//! Where an image comes from, and its stream as often as it is asked for.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use ansible_module::open::{is_disk, open_file_or_disk};
use anyhow::{Context, Result, bail, ensure};
use zfs_command::{SnapshotName, Zfs};

use crate::params::Format;
use crate::staging::Staged;

/// Bytes that tell what a file holds.
const HEAD: u64 = 512;

/// An image's origin, opened.
pub enum Source {
    /// A raw disk, and what its stream says besides its content.
    Disk {
        file: File,
        /// What to put into the stream.
        image: zfs_stream::Image,
        /// The file behind `file` where it is a copy that must go again.
        #[expect(dead_code, reason = "held for its Drop")]
        staged: Option<Staged>,
    },
    /// A file that holds a stream.
    Stream(File),
    Snapshot {
        name: SnapshotName,
        /// The one to send the difference to.
        base: Option<SnapshotName>,
    },
}

impl Source {
    /// Writes the image's stream.
    pub fn write(&self, sink: &mut dyn Write) -> Result<()> {
        match self {
            Self::Disk { file, image, .. } => {
                zfs_stream::write(file, sink, image).context("making a stream from the disk")?;
            }
            Self::Stream(file) => {
                let mut file = file;
                file.rewind().context("reading the stream again")?;
                io::copy(&mut file, sink).context("reading the stream")?;
            }
            Self::Snapshot { name, base } => {
                let mut sending = Zfs::find()?.send(name, base.as_ref())?;
                let copied = io::copy(&mut sending.stream, sink);
                // Where the command failed, that is what the user needs to know.
                sending.finish()?;
                copied.context("reading the stream of the snapshot")?;
            }
        }
        Ok(())
    }
}

/// Finds out what a source is, unless the caller has said so.
///
/// What stands in a disk was written by a guest, which may have made it look like a stream: that is never guessed.
pub fn detect(source: &str, format: Format) -> Result<Format> {
    if format != Format::Auto {
        return Ok(format);
    }
    if !source.starts_with('/') {
        ensure!(source.contains('@'), "source {source:?} is neither an absolute path nor DATASET@SNAPSHOT");
        return Ok(Format::Snapshot);
    }
    let reading = || format!("reading source {source}");
    let file = open(Path::new(source))?;
    if is_disk(file.metadata().with_context(reading)?.file_type()) {
        return Ok(Format::Raw);
    }
    let mut head = Vec::new();
    file.take(HEAD).read_to_end(&mut head).with_context(reading)?;
    match kind_of(&head) {
        Kind::Known(format) => Ok(format),
        Kind::Ambiguous => bail!(
            "source {source} begins like a ZFS send stream, but a guest can make its disk begin so, too: set format \
             to stream or to raw"
        ),
        Kind::Refused(what) => bail!(
            "source {source} looks like {what}, expected a raw or qcow2 disk or a ZFS send stream: unpack or convert \
             it first, or set format if it is a raw disk all the same"
        ),
    }
}

/// Opens a file or a disk device for reading.
pub fn open(path: &Path) -> Result<File> {
    open_file_or_disk(path)
}

enum Kind {
    Known(Format),
    Ambiguous,
    Refused(&'static str),
}

fn kind_of(head: &[u8]) -> Kind {
    const STREAM_MAGIC: [u8; 8] = 0x2_f5ba_cbac_u64.to_le_bytes();
    const VDI_MAGIC: [u8; 4] = 0xbeda_107f_u32.to_le_bytes();
    let stream = head.get(8..16).is_some_and(|it| *it == STREAM_MAGIC || it.iter().rev().eq(&STREAM_MAGIC));
    match head {
        _ if stream => Kind::Ambiguous,
        _ if head.get(64..68) == Some(&VDI_MAGIC) => Kind::Refused("a VDI disk"),
        [b'Q', b'F', b'I', 0xfb, ..] => Kind::Known(Format::Qcow2),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Kind::Refused("zstd data"),
        [0x04, 0x22, 0x4d, 0x18, ..] => Kind::Refused("lz4 data"),
        [0x1f, 0x8b, ..] => Kind::Refused("gzip data"),
        [0xfd, b'7', b'z', b'X', b'Z', ..] => Kind::Refused("xz data"),
        [b'B', b'Z', b'h', ..] => Kind::Refused("bzip2 data"),
        [b'K', b'D', b'M', b'V', ..] => Kind::Refused("a VMDK disk"),
        [b'c', b'o', b'n', b'e', b'c', b't', b'i', b'x', ..] => Kind::Refused("a VHD disk"),
        [b'v', b'h', b'd', b'x', b'f', b'i', b'l', b'e', ..] => Kind::Refused("a VHDX disk"),
        [b'P', b'K', 3, 4, ..] => Kind::Refused("a zip archive"),
        _ => Kind::Known(Format::Raw),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::NamedTempFile;

    fn detected(head: &[u8]) -> Result<Format> {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(head).unwrap();
        detect(file.path().to_str().unwrap(), Format::Auto)
    }

    #[test]
    fn sources_tell_what_they_are() {
        assert_eq!(detected(b"QFI\xfb\0\0\0\x03").unwrap(), Format::Qcow2);
        assert_eq!(detected(&[0; 512]).unwrap(), Format::Raw);
        assert_eq!(detected(b"").unwrap(), Format::Raw);
        assert_eq!(detect("tank/vm@x", Format::Auto).unwrap(), Format::Snapshot);
        assert_eq!(detect("disk.img", Format::Raw).unwrap(), Format::Raw);
    }

    #[test]
    fn a_stream_is_taken_for_one_only_where_that_is_said() {
        let mut stream = [0; 400];
        stream[8..16].copy_from_slice(&0x2_f5ba_cbac_u64.to_le_bytes());
        for _ in ["little-endian", "big-endian"] {
            let error = detected(&stream).unwrap_err().to_string();
            assert!(
                error.ends_with(
                    " begins like a ZFS send stream, but a guest can make its disk begin so, too: set format to \
                     stream or to raw"
                ),
                "{error}"
            );
            stream[8..16].reverse();
        }
    }

    #[test]
    fn packed_sources_are_not_taken_for_disks() {
        let error = detected(b"\x28\xb5\x2f\xfd....").unwrap_err().to_string();
        assert!(error.ends_with(
            " looks like zstd data, expected a raw or qcow2 disk or a ZFS send stream: unpack or convert it first, \
             or set format if it is a raw disk all the same"
        ));
        let mut vdi = [0; 512];
        vdi[64..68].copy_from_slice(b"\x7f\x10\xda\xbe");
        for (head, what) in
            [(&b"\x04\x22\x4d\x18.."[..], "lz4 data"), (b"conectix", "a VHD disk"), (&vdi, "a VDI disk")]
        {
            let error = detected(head).unwrap_err().to_string();
            assert!(error.contains(&format!(" looks like {what}, ")), "{error}");
        }
        assert_eq!(
            detect("disk.img", Format::Auto).unwrap_err().to_string(),
            "source \"disk.img\" is neither an absolute path nor DATASET@SNAPSHOT"
        );
    }
}
