// SPDX-License-Identifier: GPL-3.0-or-later

//! Unpacks compressed sources: all their parts, in one pass, into a file with holes, within the room there is.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::panic::resume_unwind;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;

use anyhow::{Context, Result, ensure};
use image_catalog::compression::Compression;
use nix::sys::statvfs::fstatvfs;

/// Bytes read and written at a time.
const BLOCK: usize = 1 << 20;
/// Blocks that are read before they are written.
const AHEAD: usize = 2;
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
pub fn decoder<'a, R: Read + 'a>(compression: Compression, packed: R) -> Result<Box<dyn Read + 'a>> {
    decoder_of(compression, BufReader::with_capacity(BLOCK, packed))
}

fn decoder_of<'a, R: BufRead + 'a>(compression: Compression, packed: R) -> Result<Box<dyn Read + 'a>> {
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

/// Writes all of `content` into the empty file `target`, zeros as holes: a second thread writes while this one reads on. Gives the
/// number of its bytes.
pub fn fill(content: impl Read, target: &File, budget: u64) -> Result<u64, Failure> {
    let (filled, blocks) = mpsc::sync_channel(AHEAD);
    let (emptied, empty) = mpsc::sync_channel(AHEAD);
    thread::scope(|scope| {
        let disk = Disk { target, budget, position: 0, written: 0 };
        let writing = scope.spawn(move || disk.write(blocks, &emptied));
        let read = hand_over(content, filled, &empty);
        // Where both fail, it was the disk that did so first.
        let written = writing.join().unwrap_or_else(|panic| resume_unwind(panic));
        let length = written.map_err(Failure::Target)?;
        read.map_err(Failure::Source)?;
        Ok(length)
    })
}

/// Hands over block after block, until the end, or until nobody takes them.
fn hand_over(
    mut content: impl Read,
    filled: SyncSender<Vec<u8>>,
    empty: &Receiver<Vec<u8>>,
) -> io::Result<()> {
    loop {
        let mut block = empty.try_recv().unwrap_or_else(|_| Vec::with_capacity(BLOCK));
        block.clear();
        content.by_ref().take(BLOCK as u64).read_to_end(&mut block)?;
        let is_end = block.len() < BLOCK;
        if filled.send(block).is_err() || is_end {
            return Ok(());
        }
    }
}

/// A disk being written.
struct Disk<'a> {
    target: &'a File,
    /// Bytes that may be written.
    budget: u64,
    position: u64,
    written: u64,
}

impl Disk<'_> {
    /// Writes block after block, and hands each back. Gives the number of bytes.
    fn write(mut self, blocks: Receiver<Vec<u8>>, emptied: &SyncSender<Vec<u8>>) -> Result<u64> {
        for block in blocks {
            self.append(&block)?;
            // Where all is read, nobody wants it.
            let _ = emptied.try_send(block);
        }
        self.target.set_len(self.position).context("writing what was unpacked")?;
        Ok(self.position)
    }

    fn append(&mut self, block: &[u8]) -> Result<()> {
        for piece in block.chunks(HOLE) {
            if *piece != ZEROS[..piece.len()] {
                self.written += piece.len() as u64;
                ensure!(
                    self.written <= self.budget,
                    "unpacked it needs more than the {} bytes that are free where the catalogue is",
                    self.budget
                );
                self.target.write_all_at(piece, self.position).context("writing what was unpacked")?;
            }
            self.position += piece.len() as u64;
        }
        ensure!(
            self.position <= SIZE_LIMIT,
            "unpacked it has more than {SIZE_LIMIT} bytes, which no disk has"
        );
        Ok(())
    }
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
