// SPDX-License-Identifier: GPL-3.0-or-later

//! Framing, checksums and nesting: hands out records one by one, each only when the header after it has vouched for its payload.

use crate::begin::{self, Opening};
use crate::expect::Length;
use crate::features::Features;
use crate::fletcher::Fletcher4;
use crate::input::Input;
use crate::record::{CHECKSUM_AT, HEADER, Header, Kind, Record};
use anyhow::{Context, Error, Result, anyhow, bail, ensure};
use std::fmt;
use std::io::Read;

const DAMAGED: &str =
    "checksum mismatch: its header or the data before it are damaged; fetch or send the stream again";

/// Where the reader stands: `Between` is inside a package, outside its streams.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    PackageHeader,
    Between,
    Stream { packaged: bool },
    End,
}

pub(crate) enum Content {
    Opening(Opening),
    Record(Record),
    EndOfStream { toguid: u64 },
    EndOfPackageHeader,
    EndOfPackage,
}

pub(crate) struct Frame<'a> {
    pub(crate) content: Content,
    /// The header and the payload, as they stand in the stream.
    pub(crate) raw: &'a [u8],
    pub(crate) at: Position,
}

/// Names a record in messages.
#[derive(Clone, Copy)]
pub(crate) struct Position {
    number: u64,
    byte: u64,
    kind: Option<Kind>,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(
            f,
            "record {} ({}) at byte {}",
            self.number,
            self.kind.map_or("unknown", Kind::name),
            self.byte
        )
    }
}

pub(crate) struct Frames<R> {
    input: Input<R>,
    sum: Fletcher4,
    place: Place,
    features: Features,
    /// The header now at the window's start, already judged.
    ahead: Option<Record>,
    /// Bytes of the record given out last.
    given: usize,
    number: u64,
}

impl<R: Read> Frames<R> {
    pub(crate) fn new(inner: R) -> Self {
        Frames {
            input: Input::new(inner),
            sum: Fletcher4::default(),
            place: Place::Start,
            features: Features::default(),
            ahead: None,
            given: 0,
            number: 0,
        }
    }

    /// What was given out so far.
    pub(crate) fn progress(&self) -> Length {
        Length { bytes: self.input.position() + self.given as u64, records: self.number }
    }

    pub(crate) fn into_inner(self) -> R {
        self.input.into_inner()
    }

    /// The next record; `None` at the end of a whole stream with nothing after it.
    pub(crate) fn next(&mut self) -> Result<Option<Frame<'_>>> {
        self.input.consume(std::mem::take(&mut self.given));
        let record = match self.ahead.take() {
            Some(record) => record,
            None => match self.boundary()? {
                Some(record) => record,
                None => return Ok(None),
            },
        };
        let length = HEADER + record.payload_length();
        self.require(length, 0)?;
        let at = self.position(0);
        let content = match record {
            Record::Begin { .. } => Content::Opening(self.open(length)?),
            Record::End { toguid } => self.close(toguid),
            _ => {
                self.sum.update(&self.input.bytes()[HEADER..length]);
                self.vouch(length)?;
                self.look_ahead(length)?;
                Content::Record(record)
            }
        };
        self.given = length;
        self.number += 1;
        Ok(Some(Frame { content, raw: &self.input.bytes()[..length], at }))
    }

    /// Before the first record, between the streams of a package, or after the end.
    fn boundary(&mut self) -> Result<Option<Record>> {
        if self.place == Place::End {
            ensure!(
                !self.fill(1)?,
                "the stream ends at byte {}, but more data follow it: not as it was sent; fetch or send it again",
                self.input.position()
            );
            return Ok(None);
        }
        if !self.fill(HEADER)? {
            return Err(self.refuse_short_start());
        }
        let record = match (self.place, self.header(0).kind()) {
            (Place::Between, Ok(Kind::End)) => self.end_of_package(),
            (Place::Start, _) | (_, Ok(Kind::Begin)) => {
                begin::check_magic(self.header(0)).and_then(|()| Record::parse(self.header(0), self.features))
            }
            _ => Err(anyhow!("neither another stream nor the end of the package: it is damaged")),
        };
        record.with_context(|| self.position(0).to_string()).map(Some)
    }

    fn end_of_package(&self) -> Result<Record> {
        let empty = self.header(0).0[4..].iter().all(|byte| *byte == 0);
        ensure!(empty, "the end of the package is not empty: it is damaged");
        Ok(Record::End { toguid: 0 })
    }

    /// A BEGIN record: its content counts only when the next header has vouched for it.
    fn open(&mut self, length: usize) -> Result<Opening> {
        self.sum = Fletcher4::default();
        self.sum.update(&self.input.bytes()[..length]);
        self.vouch(length)?;
        let opening = begin::parse(self.header(0), &self.input.bytes()[HEADER..length])
            .with_context(|| self.position(0).to_string())?;
        self.place = match (&opening, self.place) {
            (Opening::Volume(begin), place) => {
                self.features = begin.features;
                Place::Stream { packaged: place == Place::Between }
            }
            (Opening::Package(_), Place::Start) => Place::PackageHeader,
            (Opening::Package(_), _) => bail!("{}: package inside a package", self.position(0)),
        };
        match self.place {
            Place::PackageHeader => self.end_of_package_header(length).map(|end| self.ahead = Some(end)),
            _ => self.look_ahead(length),
        }?;
        Ok(opening)
    }

    fn end_of_package_header(&self, ahead: usize) -> Result<Record> {
        let header = self.header(ahead);
        let closed = header.kind().is_ok_and(|kind| kind == Kind::End)
            && header.u32(4) == 0
            && header.bytes(8) == self.sum.to_bytes()
            && header.0[40..].iter().all(|byte| *byte == 0);
        ensure!(
            closed,
            "{}: package header and its end do not match: they are damaged",
            self.position(ahead)
        );
        Ok(Record::End { toguid: 0 })
    }

    fn close(&mut self, toguid: u64) -> Content {
        let (content, place) = match self.place {
            Place::PackageHeader => (Content::EndOfPackageHeader, Place::Between),
            Place::Stream { packaged: true } => (Content::EndOfStream { toguid }, Place::Between),
            Place::Stream { packaged: false } => (Content::EndOfStream { toguid }, Place::End),
            Place::Start | Place::Between | Place::End => (Content::EndOfPackage, Place::End),
        };
        self.place = place;
        content
    }

    /// Checks the running checksum with the header at `ahead`, and adds that header to it.
    fn vouch(&mut self, ahead: usize) -> Result<()> {
        self.require(ahead + HEADER, ahead)?;
        let header = self.header(ahead);
        let packaging = header.0[CHECKSUM_AT..] == [0; 32] && self.begins_package();
        if packaging {
            return Ok(());
        }
        let mut sum = self.sum;
        let ends = header.kind().is_ok_and(|kind| kind == Kind::End);
        let whole = !ends || header.bytes(8) == sum.to_bytes();
        sum.update(&header.0[..CHECKSUM_AT]);
        ensure!(whole && header.bytes(CHECKSUM_AT) == sum.to_bytes(), "{}: {DAMAGED}", self.position(ahead));
        sum.update(&header.0[CHECKSUM_AT..]);
        self.sum = sum;
        Ok(())
    }

    /// A package's header is closed by an END record without a checksum of its own: judged in `end_of_package_header`.
    fn begins_package(&self) -> bool {
        let header = self.header(0);
        header.u32(0) == 0 && header.u64(16) & 3 == 2
    }

    /// Judges the header at `ahead`, which stands in the same stream.
    fn look_ahead(&mut self, ahead: usize) -> Result<()> {
        let record = Record::parse(self.header(ahead), self.features).and_then(|record| match record {
            Record::Begin { .. } => Err(anyhow!("a stream begins inside another")),
            record => Ok(record),
        });
        self.ahead = Some(record.with_context(|| self.position(ahead).to_string())?);
        Ok(())
    }

    fn fill(&mut self, length: usize) -> Result<bool> {
        self.input
            .fill(length)
            .with_context(|| format!("reading the stream at byte {}", self.input.filled_to()))
    }

    /// Needs `length` bytes in the window; `ahead` is where the record that may be cut short begins.
    fn require(&mut self, length: usize, ahead: usize) -> Result<()> {
        if self.fill(length)? {
            return Ok(());
        }
        bail!(
            "the stream ends at byte {}, {}: it was cut short; fetch or send it again",
            self.input.filled_to(),
            if self.input.bytes().len() > ahead { "within a record" } else { "without its END record" }
        )
    }

    /// The input ended where another header was due.
    fn refuse_short_start(&self) -> Error {
        let bytes = self.input.bytes();
        let mut header = [0; HEADER];
        header[..bytes.len()].copy_from_slice(bytes);
        let missing = match (self.place, begin::check_magic(Header(&header))) {
            (Place::Start, _) if bytes.is_empty() => return anyhow!("the stream is empty"),
            (Place::Start, Err(foreign)) => return foreign,
            (Place::Start, Ok(())) => "within a record",
            _ => "before the end of the package",
        };
        anyhow!(
            "the stream ends at byte {}, {missing}: it was cut short; fetch or send it again",
            self.input.filled_to()
        )
    }

    fn header(&self, at: usize) -> Header<'_> {
        match self.input.bytes()[at..].first_chunk() {
            Some(header) => Header(header),
            // Not reached after `fill`; of no known kind, so it would be refused.
            None => Header(&[0xff; HEADER]),
        }
    }

    fn position(&self, ahead: usize) -> Position {
        let number = self.number + 1 + u64::from(ahead > 0);
        Position { number, byte: self.input.position() + ahead as u64, kind: self.header(ahead).kind().ok() }
    }
}
