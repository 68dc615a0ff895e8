// SPDX-License-Identifier: GPL-3.0-or-later

//! A source on its way: checked, unpacked and written in one pass.

use std::io::{self, Cursor, Read};

use anyhow::{Context, Result, bail};

use crate::checksum::Checksum;
use crate::contents::{Content, at_start};
use crate::staging::Staged;
use crate::sum::Summing;
use crate::unpack;

/// Bytes looked at before anything is written.
const HEAD: usize = 64 << 10;

/// What comes, and what is known of it before.
pub struct Arrival<'a, R> {
    pub content: R,
    /// What a message calls it.
    pub called: &'a str,
    /// The checksum of all of it, as it comes.
    pub checksum: Option<&'a Checksum>,
    /// Whether to unpack what is compressed.
    pub unpacks: bool,
    /// Whether it is taken whatever it looks like.
    pub is_raw: bool,
}

impl<R: Read + Send> Arrival<'_, R> {
    /// Writes all of it into `target`, unpacked if it was compressed. Nothing of it may be used where this fails.
    pub fn receive(self, target: &Staged) -> Result<()> {
        let Self { mut content, called, checksum, unpacks, is_raw } = self;
        let mut head = Vec::new();
        content
            .by_ref()
            .take(HEAD as u64)
            .read_to_end(&mut head)
            .with_context(|| format!("reading {called}"))?;
        let found = at_start(&head);
        if let (Content::Foreign(name, advice), false) = (found, is_raw) {
            bail!("source {called} is {name}, expected a disk: {advice}");
        }
        let mut summed = Summed {
            inner: Cursor::new(head).chain(content),
            sum: checksum.map(Checksum::summing).transpose()?,
        };
        let room = unpack::room(target.file())?;
        let written = match found {
            Content::Packed(compression) if unpacks => {
                let decoder = unpack::decoder(compression, &mut summed)?;
                unpack::fill(decoder, target.file(), room)
                    .map_err(|failure| unpack::explained(compression, failure))
            }
            _ => unpack::fill(&mut summed, target.file(), room)
                .map_err(|failure| failure.told(|| format!("reading {called}"))),
        };
        // To its end even so: where it is another file than it should be, that is what the user needs to know.
        let rest = io::copy(&mut summed, &mut io::sink());
        if let (Some(checksum), Some(sum), Ok(_)) = (checksum, summed.sum, &rest) {
            checksum.judge(&sum.finish(), called)?;
        }
        written?;
        rest.with_context(|| format!("reading {called}"))?;
        Ok(())
    }
}

/// A reader whose bytes are summed up.
struct Summed<R> {
    inner: R,
    sum: Option<Summing>,
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if let Some(sum) = &mut self.sum {
            sum.update(&buffer[..count]);
        }
        Ok(count)
    }
}
