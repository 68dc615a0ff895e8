// SPDX-License-Identifier: GPL-3.0-or-later

//! Compressed or not: told by the first bytes. Several frames may follow each other; nothing else may.

use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};

use anyhow::{Context, Result, bail, ensure};
use flate2::bufread::MultiGzDecoder;
use image_catalog::compression::Compression;
use liblzma::bufread::XzDecoder;
use liblzma::stream::Stream;

const BUFFER: usize = 128 << 10;

/// What a decoder may hold, so that the program stays within 64 MiB whatever it is given.
#[derive(Clone, Copy, Debug)]
pub enum Room {
    /// It is the only one: enough for `zstd -19 --long=25` and `xz -8`.
    All,
    /// Another one unpacks what it is in: enough for `zstd -19` and `xz -6`.
    Rest,
}

impl Room {
    fn zstd_window_log(self) -> u32 {
        match self {
            Room::All => 25,
            Room::Rest => 23,
        }
    }

    fn xz_memory(self) -> u64 {
        match self {
            Room::All => 40 << 20,
            Room::Rest => 10 << 20,
        }
    }
}

/// Gives the content of a compressed or plain source.
pub struct Decoder<R: Read> {
    codec: Codec<R>,
    room: Room,
}

enum Codec<R: Read> {
    /// Read by large pieces, which a buffer would only copy.
    Plain(Whole<R>),
    Zstd(zstd::Decoder<'static, BufReader<Whole<R>>>),
    Gzip(MultiGzDecoder<BufReader<Whole<R>>>),
    Xz(XzDecoder<BufReader<Whole<R>>>),
}

/// The first bytes, which have been looked at, and the others.
type Whole<R> = Chain<Cursor<Vec<u8>>, R>;

impl<R: Read> Decoder<R> {
    pub fn new(mut source: R, room: Room) -> Result<Self> {
        let mut head = Vec::new();
        source
            .by_ref()
            .take(Compression::MAGIC as u64)
            .read_to_end(&mut head)
            .context("reading the first bytes")?;
        let compression = Compression::of(&head);
        let whole = Cursor::new(head).chain(source);
        let buffered = |whole| BufReader::with_capacity(BUFFER, whole);
        let codec = match compression {
            Some(Compression::Zstd) => {
                let mut decoder =
                    zstd::Decoder::with_buffer(buffered(whole)).context("starting the zstd decoder")?;
                decoder.window_log_max(room.zstd_window_log()).context("starting the zstd decoder")?;
                Codec::Zstd(decoder)
            }
            Some(Compression::Gzip) => Codec::Gzip(MultiGzDecoder::new(buffered(whole))),
            Some(Compression::Xz) => {
                let decoder = Stream::new_stream_decoder(room.xz_memory(), liblzma::stream::CONCATENATED);
                Codec::Xz(XzDecoder::new_stream(buffered(whole), decoder.context("starting the xz decoder")?))
            }
            Some(Compression::Bzip2) => {
                bail!(
                    "it is bzip2 data, expected a stream as it is or packed with zstd, gzip or xz: unpack it with `bzip2 -d` first"
                )
            }
            None => Codec::Plain(whole),
        };
        Ok(Self { codec, room })
    }

    pub fn is_plain(&self) -> bool {
        matches!(self.codec, Codec::Plain(_))
    }

    /// The source, which must be at its end.
    pub fn finish(self) -> Result<R> {
        let mut source = match self.codec {
            Codec::Plain(whole) => BufReader::with_capacity(1, whole),
            Codec::Zstd(decoder) => decoder.finish(),
            Codec::Gzip(decoder) => decoder.into_inner(),
            Codec::Xz(decoder) => decoder.into_inner(),
        };
        let ended = source.fill_buf().context("reading what follows the end")?.is_empty();
        ensure!(ended, "more data follow the end of the stream: not as it was made; fetch it again");
        let (_, source) = source.into_inner().into_inner();
        Ok(source)
    }
}

impl<R: Read> Read for Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = self.room;
        match &mut self.codec {
            Codec::Plain(source) => source.read(buffer),
            Codec::Zstd(decoder) => decoder.read(buffer).map_err(explain("zstd", room)),
            Codec::Gzip(decoder) => decoder.read(buffer).map_err(explain("gzip", room)),
            Codec::Xz(decoder) => decoder.read(buffer).map_err(explain("xz", room)),
        }
    }
}

/// The codecs' own words do not say whose they are, nor what to do.
fn explain(codec: &'static str, room: Room) -> impl Fn(io::Error) -> io::Error {
    let limit = match room {
        Room::All => "zstd -19 or xz -8",
        Room::Rest => "zstd -19 or xz -6, inside a package that is compressed itself",
    };
    move |error| match error.kind() {
        io::ErrorKind::Interrupted => error,
        kind => io::Error::new(
            kind,
            format!(
                "unpacking {codec}: {error}; it is damaged or cut short, or needs more memory than {limit}"
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn packed(codec: &str, data: &[u8]) -> Vec<u8> {
        match codec {
            "zstd" => zstd::encode_all(data, 3).unwrap(),
            "gzip" => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(data).unwrap();
                encoder.finish().unwrap()
            }
            "xz" => {
                let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
                encoder.write_all(data).unwrap();
                encoder.finish().unwrap()
            }
            _ => data.to_vec(),
        }
    }

    fn unpacked(packed: &[u8]) -> Result<Vec<u8>> {
        unpacked_in(packed, Room::All)
    }

    fn unpacked_in(packed: &[u8], room: Room) -> Result<Vec<u8>> {
        let mut decoder = Decoder::new(packed, room)?;
        let mut data = Vec::new();
        decoder.read_to_end(&mut data)?;
        decoder.finish()?;
        Ok(data)
    }

    #[test]
    fn content_comes_out_whatever_it_is_packed_in() {
        let data: Vec<u8> = (0..300_000u32).map(|i| (i / 700) as u8).collect();
        for codec in ["plain", "zstd", "gzip", "xz"] {
            let once = packed(codec, &data);
            assert!(unpacked(&once).unwrap() == data, "{codec}");
            let twice = [&once[..], &once].concat();
            assert!(unpacked(&twice).unwrap() == [&data[..], &data].concat(), "{codec}, two frames");
        }
    }

    #[test]
    fn frames_that_are_skipped_stand_before_those_of_pzstd() {
        let frame = packed("zstd", b"content");
        let skipped =
            [&b"\x50\x2a\x4d\x18\x04\0\0\0"[..], &u32::try_from(frame.len()).unwrap().to_le_bytes()];
        let pzstd = [&skipped.concat()[..], &frame].concat();
        assert_eq!(unpacked(&[&pzstd[..], &pzstd].concat()).unwrap(), b"contentcontent");
        unpacked(&pzstd[..pzstd.len() - 1]).unwrap_err();
        let error = unpacked(b"BZh91AY&SY").unwrap_err().to_string();
        assert!(error.starts_with("it is bzip2 data, expected a stream"), "{error}");
    }

    #[test]
    fn damage_is_refused() {
        let data: Vec<u8> = (0..300_000u32).map(|i| (i / 700) as u8).collect();
        for codec in ["zstd", "gzip", "xz"] {
            let whole = packed(codec, &data);
            let cut = unpacked(&whole[..whole.len() - 2]).unwrap_err().to_string();
            assert!(cut.starts_with(&format!("unpacking {codec}: ")), "{cut}");
            unpacked(&[&whole[..], b"more"].concat()).unwrap_err();
        }
    }

    #[test]
    fn inside_another_decoder_there_is_less_room() {
        let xz = |level| {
            let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), level);
            encoder.write_all(&[1; 1000]).unwrap();
            encoder.finish().unwrap()
        };
        let zstd = |log| {
            let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
            encoder.window_log(log).unwrap();
            encoder.write_all(&[1; 1000]).unwrap();
            encoder.finish().unwrap()
        };
        for (fits, does_not) in [(xz(6), xz(8)), (zstd(23), zstd(25))] {
            unpacked_in(&fits, Room::Rest).unwrap();
            unpacked_in(&does_not, Room::All).unwrap();
            let error = unpacked_in(&does_not, Room::Rest).unwrap_err().to_string();
            assert!(error.ends_with(" inside a package that is compressed itself"), "{error}");
        }
    }

    #[test]
    fn windows_beyond_the_memory_of_the_program_are_refused() {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(27).unwrap();
        encoder.write_all(&[1; 1000]).unwrap();
        let packed = encoder.finish().unwrap();
        let error = unpacked(&packed).unwrap_err().to_string();
        assert!(error.contains("Frame requires too much memory for decoding"), "{error}");
    }
}
