// SPDX-License-Identifier: GPL-3.0-or-later

//! Unpacks the data of WRITE and WRITE_EMBEDDED records: every block must come out at exactly its announced size.

use crate::features::Features;
use crate::{lz4, lzjb, zfs_zstd, zle};
use anyhow::{Context, Result, bail, ensure};
use flate2::{Decompress, FlushDecompress, Status};
use zstd::zstd_safe::{DCtx, DParameter, FrameFormat};

/// How a block is stored (OpenZFS `zio_compress.h`, `enum zio_compress`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    Off,
    Lzjb,
    Gzip,
    Zle,
    Lz4,
    Zstd,
}

impl Compression {
    pub(crate) fn of(number: u8, features: Features) -> Result<Compression> {
        Ok(match number {
            2 => Compression::Off,
            3 => Compression::Lzjb,
            // A hole; no sender makes a block of it, and ZFS has no decompressor for it (`zio_compress_table`).
            4 => bail!("compression 'empty', which ZFS stores and cannot read back: send the stream anew"),
            5..=13 => Compression::Gzip,
            14 => Compression::Zle,
            15 => {
                features.require(Features::LZ4, "lz4")?;
                Compression::Lz4
            }
            16 => {
                features.require(Features::ZSTD, "zstd")?;
                Compression::Zstd
            }
            _ => bail!("unknown compression {number}: made by a newer ZFS than this reader knows"),
        })
    }

    fn name(self) -> &'static str {
        match self {
            Compression::Off => "uncompressed",
            Compression::Lzjb => "lzjb",
            Compression::Gzip => "gzip",
            Compression::Zle => "zle",
            Compression::Lz4 => "lz4",
            Compression::Zstd => "zstd",
        }
    }
}

/// The decompressors and the one block they unpack into.
pub(crate) struct Decoder {
    block: Vec<u8>,
    zlib: Decompress,
    zstd: DCtx<'static>,
}

impl Decoder {
    pub(crate) fn new() -> Result<Decoder> {
        let mut zstd = DCtx::try_create().context("allocating a zstd decoder")?;
        // ZFS leaves the frame's magic number out (OpenZFS `zfs_zstd.c`).
        let magicless = DParameter::Format(FrameFormat::Magicless);
        if let Err(code) = zstd.set_parameter(magicless) {
            bail!("setting up the zstd decoder: {}", zstd::zstd_safe::get_error_name(code));
        }
        Ok(Decoder { block: Vec::new(), zlib: Decompress::new(true), zstd })
    }

    /// Unpacks `stored` to `size` bytes.
    pub(crate) fn unpack(&mut self, compression: Compression, stored: &[u8], size: usize) -> Result<&[u8]> {
        if self.block.len() < size {
            self.block.resize(size, 0);
        }
        let block = &mut self.block[..size];
        let unpacked = match compression {
            Compression::Off => copy(stored, block),
            Compression::Lzjb => lzjb::decompress(stored, block).map(|()| size),
            Compression::Gzip => gunzip(&mut self.zlib, stored, block),
            Compression::Zle => zle::decompress(stored, block).map(|()| size),
            Compression::Lz4 => frame(stored, 4).and_then(|data| lz4::decompress(data, block)),
            Compression::Zstd => {
                let data = frame(stored, 8)
                    .filter(|data| zfs_zstd::level_is_known(stored) && zfs_zstd::is_read_by_zfs(data));
                data.and_then(|data| self.zstd.decompress(block, data).ok())
            }
        };
        ensure!(
            unpacked == Some(size),
            "its {} data do not unpack to {size} bytes: the block was already corrupt when it was sent; \
             send the stream anew from an intact source",
            compression.name()
        );
        Ok(&self.block[..size])
    }
}

fn copy(stored: &[u8], block: &mut [u8]) -> Option<usize> {
    block.copy_from_slice(stored.get(..block.len())?);
    Some(block.len())
}

fn gunzip(zlib: &mut Decompress, stored: &[u8], block: &mut [u8]) -> Option<usize> {
    zlib.reset(true);
    match zlib.decompress(stored, block, FlushDecompress::Finish) {
        Ok(Status::StreamEnd) => usize::try_from(zlib.total_out()).ok(),
        Ok(Status::Ok | Status::BufError) | Err(_) => None,
    }
}

/// The data of a block that begins with its own big-endian length and `head` bytes in all; padding follows.
fn frame(stored: &[u8], head: usize) -> Option<&[u8]> {
    let length = u32::from_be_bytes(*stored.first_chunk()?);
    stored.get(head..)?.get(..length as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const CORRUPT: &str = "do not unpack to 512 bytes: the block was already corrupt when it was sent; \
                           send the stream anew from an intact source";

    fn plain() -> Vec<u8> {
        (0..512u32).map(|i| (i / 9) as u8).collect()
    }

    fn framed(head: &[u8], data: &[u8]) -> Vec<u8> {
        let mut stored = (data.len() as u32).to_be_bytes().to_vec();
        stored.extend_from_slice(head);
        stored.extend_from_slice(data);
        stored.resize(stored.len().next_multiple_of(64), 0);
        stored
    }

    fn packed() -> Vec<(Compression, Vec<u8>)> {
        let lz4 = lz4_flex::block::compress(&plain());
        let zstd = zstd::bulk::compress(&plain(), 3).unwrap();
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        zlib.write_all(&plain()).unwrap();
        let mut gzip = zlib.finish().unwrap();
        gzip.resize(256, 0);
        vec![
            (Compression::Off, plain()),
            (Compression::Lz4, framed(&[], &lz4)),
            (Compression::Zstd, framed(&[3, 0, 0x28, 0xa5], &zstd[4..])),
            (Compression::Gzip, gzip),
        ]
    }

    #[test]
    fn unpacks_padded_blocks_again_and_again() {
        let mut decoder = Decoder::new().unwrap();
        for _ in 0..2 {
            for (compression, stored) in packed() {
                assert_eq!(decoder.unpack(compression, &stored, 512).unwrap(), plain(), "{compression:?}");
            }
        }
    }

    #[test]
    fn refuses_other_sizes_and_broken_data() {
        let mut decoder = Decoder::new().unwrap();
        for (compression, stored) in packed() {
            let name = compression.name();
            for cut in [&stored[..3], &stored[..20], &[]] {
                let error = decoder.unpack(compression, cut, 512).unwrap_err();
                assert_eq!(error.to_string(), format!("its {name} data {CORRUPT}"));
            }
            if compression != Compression::Off {
                decoder.unpack(compression, &stored, 511).unwrap_err();
                decoder.unpack(compression, &stored, 513).unwrap_err();
            }
        }
    }

    #[test]
    fn a_zstd_level_that_zfs_does_not_know_is_refused() {
        let stored = packed().swap_remove(2).1;
        let is_read = |word: [u8; 4]| {
            let stored = [&stored[..4], &word, &stored[8..]].concat();
            Decoder::new().unwrap().unpack(Compression::Zstd, &stored, 512).is_ok()
        };
        for level in 0..=u8::MAX {
            let known = (1..=19).contains(&level) || (103..=123).contains(&level);
            assert_eq!(is_read([level, 0, 0x28, 0xa5]), known, "level {level}");
        }
        // From a big-endian machine, and where the version has a zero in it.
        for word in [[0, 0x28, 0xa5, 3], [0, 0, 0, 11], [3, 0, 0x29, 0], [200, 0, 0, 3]] {
            assert!(is_read(word), "{word:?}");
        }
        for word in [[3, 0, 0, 0xa5], [3, 1, 0x28, 0xa5], [0, 0, 0x28, 3], [0; 4]] {
            assert!(!is_read(word), "{word:?}");
        }
    }

    #[test]
    fn an_announced_length_beyond_the_data_is_refused() {
        let mut stored = packed().swap_remove(1).1;
        stored[0] = 0xff;
        Decoder::new().unwrap().unpack(Compression::Lz4, &stored, 512).unwrap_err();
    }
}
