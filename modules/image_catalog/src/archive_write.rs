// SPDX-License-Identifier: GPL-3.0-or-later

//! Writes a package file: the same manifest and the same image give the same bytes, whatever the number of threads.

use std::io::{self, Write};

use anyhow::{Context, Result, ensure};
use zstd::zstd_safe::CParameter;

use crate::digest::{CheckingWriter, Hasher, Sha256Hex, SumKind};
use crate::manifest::Manifest;
use crate::tar_write::{Entry, write_end, write_header, write_padding};

/// Bytes that one thread compresses at a time: zstd's own choice takes more memory than a program may.
const JOB_SIZE: u32 = 2 << 20;

/// How the packed image is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all: for streams whose blocks are compressed already.
    None,
    /// zstd with this level and number of threads.
    Zstd {
        /// 1 to 19; higher is smaller and slower.
        level: i32,
        /// Number of compressing threads, at least 1.
        threads: u32,
    },
}

/// A package file that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenPackage {
    /// Its size in bytes.
    pub size: u64,
    /// Its checksum, for the catalogue.
    pub sha256: Sha256Hex,
}

/// Writes a package whose manifest names one file. `stream` is asked to write that file's content, which must
/// have the size and checksum of the manifest.
pub fn write_package<W: Write>(
    sink: W,
    manifest: &Manifest,
    compression: Compression,
    stream: impl FnOnce(&mut dyn Write) -> Result<()>,
) -> Result<WrittenPackage> {
    let mut sink = CheckingWriter::new(sink, SumKind::Sha256);
    match compression {
        Compression::None => write_archive(&mut sink, manifest, stream)?,
        Compression::Zstd { level, threads } => {
            let mut encoder = zstd::Encoder::new(&mut sink, level).context("starting the zstd encoder")?;
            // One thread of zstd's own and none give different bytes, two and one the same.
            encoder.multithread(threads.max(1)).context("starting the threads of the zstd encoder")?;
            encoder
                .set_parameter(CParameter::JobSize(JOB_SIZE))
                .context("starting the threads of the zstd encoder")?;
            encoder.include_checksum(true).context("starting the zstd encoder")?;
            write_archive(&mut encoder, manifest, stream)?;
            encoder.finish().context("compressing the package")?;
        }
    }
    let (sum, size, mut sink) = sink.finish();
    sink.flush().context("writing the package")?;
    let sha256 = sum.sha256().context("hashing the package")?;
    Ok(WrittenPackage { size, sha256 })
}

fn write_archive(
    sink: &mut impl Write,
    manifest: &Manifest,
    stream: impl FnOnce(&mut dyn Write) -> Result<()>,
) -> Result<()> {
    let writing = "writing the package";
    for (path, manifest) in [("+COMPACT_MANIFEST", &manifest.compact()), ("+MANIFEST", manifest)] {
        let json = manifest.to_json()?;
        let entry = Entry { path, size: json.len() as u64, mtime: 0 };
        write_header(sink, &entry).context(writing)?;
        sink.write_all(json.as_bytes()).context(writing)?;
        write_padding(sink, entry.size).context(writing)?;
    }
    let (path, file) = manifest.payload()?;
    let entry = Entry {
        path,
        size: manifest.flatsize,
        mtime: u64::try_from(file.mtime).context("the image's time")?,
    };
    write_header(sink, &entry).context(writing)?;
    let mut payload = Payload { sink, hasher: Hasher::new(file.sum.kind()), left: entry.size };
    stream(&mut payload)?;
    let Payload { hasher, left, .. } = payload;
    let sum = hasher.finish();
    ensure!(
        left == 0 && sum == file.sum,
        "the image changed while it was packed: it now has {} bytes with checksum {sum}, before {} with {}; \
         publish from a source that nobody writes to",
        entry.size - left,
        entry.size,
        file.sum
    );
    write_padding(sink, entry.size).context(writing)?;
    write_end(sink).context(writing)
}

/// The member being written: counts, hashes and never takes more than was announced.
struct Payload<'a, W> {
    sink: &'a mut W,
    hasher: Hasher,
    left: u64,
}

impl<W: Write> Write for Payload<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() as u64 > self.left {
            return Err(io::Error::other("the image grew while it was packed"));
        }
        let count = self.sink.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        self.left -= count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
