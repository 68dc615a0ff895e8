// SPDX-License-Identifier: GPL-3.0-or-later

//! Unpacks compressed sources: all their parts, in one pass, into a file with holes, within the room there is.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result, bail, ensure};
use image_catalog::compression::Compression;
use nix::sys::statvfs::fstatvfs;

/// Bytes read and written at a time.
const BLOCK: usize = 1 << 20;
/// Pieces of zeros of this length become holes.
const HOLE: usize = 64 << 10;
/// Compared with as a whole, which takes a tenth of the time of looking at each byte.
static ZEROS: [u8; HOLE] = [0; HOLE];
/// Largest window of zstd that is taken, as a power of two: what its program takes without being told so.
const WINDOW_LOG: u32 = 27;
/// Memory that an xz decoder may ask for: four times as much as for `xz -9`.
const XZ_MEMORY: u64 = 260 << 20;
/// The largest content that is believed: nobody unpacks zeros for days.
const SIZE_LIMIT: u64 = 1 << 44;

/// A reader of what is in something compressed. Parts that follow each other are one content, as the programs have it.
pub fn decoder<'a, R: Read + Send + 'a>(
    compression: Compression,
    packed: R,
) -> Result<Box<dyn Read + Send + 'a>> {
    decoder_of(compression, BufReader::with_capacity(BLOCK, packed))
}

fn decoder_of<'a, R: BufRead + Send + 'a>(
    compression: Compression,
    packed: R,
) -> Result<Box<dyn Read + Send + 'a>> {
    let starting = || format!("starting the {} decoder", compression.name());
    Ok(match compression {
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(packed)),
        Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(packed)),
        Compression::Xz => {
            let flags = liblzma::stream::CONCATENATED;
            let stream =
                liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, flags).with_context(starting)?;
            Box::new(liblzma::bufread::XzDecoder::new_stream(packed, stream))
        }
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(packed).with_context(starting)?;
            decoder.window_log_max(WINDOW_LOG).with_context(starting)?;
            Box::new(decoder)
        }
    })
}

/// Says what an error of a decoder means to somebody who has a file.
pub fn explained(compression: Compression, failure: Failure) -> anyhow::Error {
    let error = match failure {
        Failure::Source(error) => error,
        Failure::Target(error) => return error,
    };
    let text = error.to_string();
    let name = compression.name();
    let cut = error.kind() == io::ErrorKind::UnexpectedEof
        || ["premature eof", "incomplete frame"].iter().any(|it| text.contains(it));
    if cut {
        return anyhow::anyhow!(
            "unpacking the {name} data: they end in the middle; the download was cut short, fetch it again"
        );
    }
    if text.contains("too much memory")
        || text.contains("memory limit")
        || text.contains("memory usage limit")
    {
        return anyhow::anyhow!(
            "unpacking the {name} data: they need more memory than is taken for that; unpack them by hand, and give the result"
        );
    }
    anyhow::Error::new(error).context(format!("unpacking the {name} data: they are damaged"))
}

/// Room on the file system that `file` is on, in bytes.
pub fn room(file: &File) -> Result<u64> {
    let found = fstatvfs(file).context("looking for room to unpack")?;
    Ok(found.blocks_available().saturating_mul(found.fragment_size()))
}

/// Writes all of `content` into the empty file `target`, zeros as holes. Gives the number of its bytes.
pub fn fill(mut content: impl Read, target: &File, budget: u64) -> Result<u64, Failure> {
    let mut block = vec![0; BLOCK];
    let (mut position, mut written) = (0u64, 0u64);
    loop {
        let count = match content.read(&mut block) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Failure::Source(error)),
        };
        for piece in block[..count].chunks(HOLE) {
            if *piece != ZEROS[..piece.len()] {
                written += piece.len() as u64;
                judge_room(written, budget)?;
                target
                    .write_all_at(piece, position)
                    .context("writing what was unpacked")
                    .map_err(Failure::Target)?;
            }
            position += piece.len() as u64;
        }
        judge_size(position)?;
    }
    target.set_len(position).context("writing what was unpacked").map_err(Failure::Target)?;
    Ok(position)
}

/// Why nothing more was unpacked.
pub enum Failure {
    /// What is read cannot be read on.
    Source(io::Error),
    /// What is written cannot be written.
    Target(anyhow::Error),
}

impl Failure {
    /// In words, with those of `reading` where it is the source that cannot be read on.
    pub fn told(self, reading: impl FnOnce() -> String) -> anyhow::Error {
        match self {
            Self::Source(error) => anyhow::Error::new(error).context(reading()),
            Self::Target(error) => error,
        }
    }
}

fn judge_room(written: u64, budget: u64) -> Result<(), Failure> {
    let check = || {
        ensure!(
            written <= budget,
            "unpacked it needs more than the {budget} bytes that are free where the catalogue is"
        );
        Ok(())
    };
    check().map_err(Failure::Target)
}

fn judge_size(position: u64) -> Result<(), Failure> {
    let check = || match position > SIZE_LIMIT {
        true => bail!("unpacked it has more than {SIZE_LIMIT} bytes, which no disk has"),
        false => Ok(()),
    };
    check().map_err(Failure::Target)
}
