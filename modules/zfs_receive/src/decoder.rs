//! Compressed or not: told by the first bytes. Several frames may follow each other; nothing else may.

use std::io::{self, BufRead, BufReader, Read};

use anyhow::{Context, Result, ensure};
use flate2::bufread::MultiGzDecoder;
use liblzma::bufread::XzDecoder;
use liblzma::stream::Stream;

const BUFFER: usize = 128 << 10;

// What the decoders may hold, so that the program stays within 64 MiB: `zstd -19 --long=25`, `xz -8`.
const ZSTD_WINDOW_LOG: u32 = 25;
const XZ_MEMORY: u64 = 40 << 20;

/// Gives the content of a compressed or plain source.
pub enum Decoder<R: Read> {
    Plain(BufReader<R>),
    Zstd(zstd::Decoder<'static, BufReader<R>>),
    Gzip(MultiGzDecoder<BufReader<R>>),
    Xz(XzDecoder<BufReader<R>>),
}

impl<R: Read> Decoder<R> {
    pub fn new(source: R) -> Result<Self> {
        let mut source = BufReader::with_capacity(BUFFER, source);
        Ok(match source.fill_buf().context("reading the first bytes")? {
            [0x28, 0xb5, 0x2f, 0xfd, ..] => {
                let mut decoder = zstd::Decoder::with_buffer(source).context("starting the zstd decoder")?;
                decoder.window_log_max(ZSTD_WINDOW_LOG).context("starting the zstd decoder")?;
                Decoder::Zstd(decoder)
            }
            [0x1f, 0x8b, ..] => Decoder::Gzip(MultiGzDecoder::new(source)),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
                let decoder = Stream::new_stream_decoder(XZ_MEMORY, liblzma::stream::CONCATENATED);
                Decoder::Xz(XzDecoder::new_stream(source, decoder.context("starting the xz decoder")?))
            }
            _ => Decoder::Plain(source),
        })
    }

    pub fn is_plain(&self) -> bool {
        matches!(self, Decoder::Plain(_))
    }

    /// The source, which must be at its end.
    pub fn finish(self) -> Result<R> {
        let mut source = match self {
            Decoder::Plain(source) => source,
            Decoder::Zstd(decoder) => decoder.finish(),
            Decoder::Gzip(decoder) => decoder.into_inner(),
            Decoder::Xz(decoder) => decoder.into_inner(),
        };
        let ended = source.fill_buf().context("reading behind the end")?.is_empty();
        ensure!(ended, "more data follow the end of the stream: not as it was made; fetch it again");
        Ok(source.into_inner())
    }
}

impl<R: Read> Read for Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Decoder::Plain(source) => source.read(buffer),
            Decoder::Zstd(decoder) => decoder.read(buffer).map_err(explain("zstd")),
            Decoder::Gzip(decoder) => decoder.read(buffer).map_err(explain("gzip")),
            Decoder::Xz(decoder) => decoder.read(buffer).map_err(explain("xz")),
        }
    }
}

/// The codecs' own words do not say whose they are, nor what to do.
fn explain(codec: &'static str) -> impl Fn(io::Error) -> io::Error {
    move |error| match error.kind() {
        io::ErrorKind::Interrupted => error,
        kind => io::Error::new(
            kind,
            format!(
                "unpacking {codec}: {error}; it is damaged or cut short, or needs more memory than zstd -19 or xz -8"
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
        let mut decoder = Decoder::new(packed)?;
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
    fn windows_beyond_the_memory_of_the_program_are_refused() {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(27).unwrap();
        encoder.write_all(&[1; 1000]).unwrap();
        let packed = encoder.finish().unwrap();
        let error = unpacked(&packed).unwrap_err().to_string();
        assert!(error.contains("Frame requires too much memory for decoding"), "{error}");
    }
}
