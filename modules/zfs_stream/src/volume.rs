// SPDX-License-Identifier: GPL-3.0-or-later

//! What a stream or package must add up to: one volume, one unbroken chain of snapshots, the snapshot and size that were expected.

use crate::begin::{Begin, Opening, Package};
use crate::decode::Decoder;
use crate::event::Event;
use crate::expect::{Base, Expect, Length, Summary};
use crate::frames::Content;
use crate::record::HEADER;
use crate::stream::{Made, Stream, Surroundings};
use anyhow::{Context, Result, bail, ensure};

pub(crate) struct Volume {
    expect: Expect,
    package: Option<Package>,
    first: Option<Begin>,
    last: Option<Begin>,
    made: Made,
    stream: Option<Stream>,
}

impl Volume {
    pub(crate) fn new(expect: Expect) -> Volume {
        let made = match expect.base {
            Base::None | Base::Any => Made::default(),
            Base::Volume { guid, volsize, volblocksize } | Base::Origin { guid, volsize, volblocksize } => {
                Made { guid, volsize: Some(volsize), volblocksize: Some(volblocksize) }
            }
        };
        Volume { expect, package: None, first: None, last: None, made, stream: None }
    }

    pub(crate) fn judge<'a>(
        &mut self,
        content: &Content,
        raw: &'a [u8],
        decoder: &'a mut Decoder,
    ) -> Result<Event<'a>> {
        match content {
            Content::Opening(Opening::Volume(begin)) => self.begin(begin.clone()),
            Content::Opening(Opening::Package(package)) => {
                self.package = Some(package.clone());
                Ok(Event::Other)
            }
            Content::Record(record) => {
                let limit = self.expect.volsize.filter(|_| self.package.is_none());
                let stream = self.stream.as_mut().context("a record outside any stream")?;
                stream.record(record, &raw[HEADER..], Surroundings { made: self.made, limit, decoder })
            }
            Content::EndOfStream { toguid } => self.end(*toguid),
            Content::EndOfPackageHeader => Ok(Event::Other),
            Content::EndOfPackage => {
                ensure!(self.last.is_some(), "the package holds no stream");
                Ok(Event::EndOfPackage)
            }
        }
    }

    /// The verdict on the whole, after the last record.
    pub(crate) fn summary(&self, length: Length) -> Result<Summary> {
        let (Some(first), Some(last)) = (&self.first, &self.last) else { bail!("the stream is empty") };
        let Made { guid, volsize, volblocksize } = self.made;
        if let Some(announced) = self.package.as_ref().and_then(|package| package.toguid) {
            ensure!(announced == guid, "the package announces snapshot guid {announced}, but ends at {guid}");
        }
        if let Some(expected) = self.expect.guid {
            ensure!(
                expected == guid,
                "the stream ends at snapshot guid {guid}, expected {expected}: another image"
            );
        }
        if let (Some(expected), Some(found)) = (self.expect.volsize, volsize) {
            ensure!(expected == found, "the volume in the stream has {found} bytes, expected {expected}");
        }
        Ok(Summary {
            toguid: guid,
            fromguid: first.fromguid,
            toname: last.toname.clone(),
            creation_time: last.creation_time,
            features: last.features,
            volsize,
            volblocksize,
            bytes: length.bytes,
            records: length.records,
        })
    }

    fn begin(&mut self, begin: Begin) -> Result<Event<'static>> {
        let from = begin.fromguid;
        if self.last.is_some() || !matches!(self.expect.base, Base::Origin { .. }) {
            begin.refuse_clone()?;
        }
        match (&self.last, self.expect.base) {
            (Some(last), _) => {
                ensure!(dataset(&begin) == dataset(last), "package of several datasets: send one volume");
                ensure!(
                    from == self.made.guid,
                    "stream from snapshot guid {from} follows one that ends at {}: the chain is broken",
                    self.made.guid
                );
            }
            (None, Base::None) => ensure!(
                from == 0,
                "incremental stream: it applies to the image with snapshot guid {from}, which is not there; \
                 bring that image first or send a full stream"
            ),
            (None, Base::Volume { guid, .. } | Base::Origin { guid, .. }) => ensure!(
                from == guid,
                "stream from snapshot guid {from}, but the volume is at guid {guid}: send it from that snapshot"
            ),
            (None, Base::Any) => {}
        }
        self.first.get_or_insert_with(|| begin.clone());
        self.stream = Some(Stream::new(begin));
        Ok(Event::Begin)
    }

    fn end(&mut self, toguid: u64) -> Result<Event<'static>> {
        let stream = self.stream.take().context("the end of a stream that has not begun")?;
        stream.belongs(toguid)?;
        let (volsize, volblocksize) = stream.finish(self.made)?;
        self.made = Made { guid: stream.begin.toguid, volsize, volblocksize };
        self.last = Some(stream.begin);
        Ok(Event::End { volsize })
    }
}

fn dataset(begin: &Begin) -> &str {
    begin.toname.split('@').next().unwrap_or_default()
}
