// SPDX-License-Identifier: GPL-3.0-or-later

//! Opens the source of an image. What is packed is unpacked into files of this run first, in check mode, too: only its content
//! tells which image it would be.

use std::env;
use std::io::Read;
use std::path::Path;

use ansible_module::{Task, stream};
use anyhow::{Context, Result, bail, ensure};
use image_catalog::compression::Compression;
use image_catalog::name::ImageId;
use image_catalog::package::Package;
use image_catalog::transport::shown;
use zfs_command::SnapshotName;
use zfs_stream::ReadAhead;

use crate::address::{Address, connect};
use crate::arrival::Arrival;
use crate::checksum::Checksum;
use crate::contents::{Content, Glimpse};
use crate::existing::read_catalogue;
use crate::expected::expected;
use crate::held::Held;
use crate::params::{Format, Params, Wanted};
use crate::qemu_img::{self, Packed};
use crate::signing::Signer;
use crate::source::{Step, Unopened, open, unpacks};
use crate::staging::Staged;
use crate::watched::Watched;
use crate::{busy, layout, ova, unpack};

/// How deep a disk may be packed: compressed, in an archive, and compressed again there.
const DEPTH: usize = 4;

/// The source of an image, ready to be read, and the checksum that it has.
pub struct Prepared {
    pub opened: Opened,
    pub checksum: Option<Checksum>,
}

/// The source of an image, ready to be read.
pub enum Opened {
    /// A file that the catalogue has this very image of.
    Known,
    /// What another host will send; a check does not ask for it.
    Announced,
    /// A raw disk.
    Disk(Disk),
    /// A file that holds a stream.
    Stream(Held),
    Snapshot(SnapshotName),
}

/// A raw disk, or the raw form of a packed one.
pub struct Disk {
    pub held: Held,
    /// What a publisher should know of it.
    pub remarks: Vec<String>,
}

/// Opens the source of the image that is wanted, if one is.
pub fn prepare(params: &Params, wanted: &Wanted, signer: &Signer, task: &Task) -> Result<Option<Prepared>> {
    match wanted {
        Wanted::Present { id, source, .. } => {
            let called = params.captured_from().unwrap_or_else(|| shown(source));
            let preparing = Preparing { params, id, source, signer, task, called: called.clone() };
            Ok(Some(preparing.open().with_context(|| format!("looking at source {called}"))?))
        }
        Wanted::Absent(_) | Wanted::Pruned(_) => Ok(None),
    }
}

struct Preparing<'a> {
    params: &'a Params,
    id: &'a ImageId,
    source: &'a str,
    signer: &'a Signer,
    task: &'a Task,
    /// The source as a message may show it.
    called: String,
}

impl Preparing<'_> {
    fn open(&self) -> Result<Prepared> {
        if self.params.source_host.is_some() {
            return Ok(Prepared { opened: self.sent()?, checksum: None });
        }
        let format = self.params.format;
        let is_file = self.source.starts_with('/') || Address::is_url(self.source);
        if format == Format::Snapshot || format == Format::Auto && !is_file {
            ensure!(
                self.source.contains('@') && !self.source.contains("://"),
                "source {:?} is neither an absolute path, nor a URL of http or https, nor DATASET@SNAPSHOT",
                self.called
            );
            ensure!(
                self.params.source_checksum.is_none(),
                "option source_checksum is for files: a snapshot has none"
            );
            let opened = Opened::Snapshot(self.source.parse()?);
            return Ok(Prepared { opened, checksum: None });
        }
        ensure!(
            self.params.parent.is_none() || format == Format::Stream,
            "option parent needs a stream or a snapshot as source: a disk does not know what it was made from"
        );
        let address = Address::parse(self.source)?;
        let checksum = expected(self.params, &address)?;
        let opened = match &address {
            _ if self.is_known(checksum.as_ref())? => Opened::Known,
            Address::Url(url) => self.fetched(url, checksum.as_ref())?,
            Address::Path(path) => self.opened(path, checksum.as_ref())?,
        };
        Ok(Prepared { opened, checksum })
    }

    /// A disk that a guest goes on writing to is another one at every look: it is the name that says whether it was captured.
    fn sent(&self) -> Result<Opened> {
        if self.listed()?.iter().any(|image| image.id == *self.id) {
            return Ok(Opened::Known);
        }
        if self.task.check_mode {
            return Ok(Opened::Announced);
        }
        let staged = self.staged()?;
        let mut inlet = stream::inlet()?;
        let received = unpack::fill(&mut inlet, staged.file(), unpack::room(staged.file())?);
        received.map_err(|failure| failure.told(|| format!("reading {}", self.called)))?;
        inlet.finish()?;
        Ok(Opened::Stream(Held::copy(staged)?))
    }

    /// The images that the catalogue has.
    fn listed(&self) -> Result<Vec<Package>> {
        let (catalogue, _) = read_catalogue(&self.params.path, self.signer)?;
        Ok(catalogue.map_or(Vec::new(), |catalogue| catalogue.images))
    }

    /// Whether the catalogue has this image, made from a file of this checksum: then nothing needs to be fetched or unpacked.
    fn is_known(&self, checksum: Option<&Checksum>) -> Result<bool> {
        let Some(checksum) = checksum.map(ToString::to_string) else { return Ok(false) };
        let of_disk = self.params.format != Format::Stream;
        Ok(self.listed()?.iter().filter(|image| image.id == *self.id).any(|image| {
            let facts = &image.facts;
            let same_blocks = !of_disk || facts.volblocksize == self.params.volblocksize.0;
            facts.source.as_ref() == Some(&checksum) && facts.sha256.is_some() && same_blocks
        }))
    }

    fn opened(&self, path: &Path, checksum: Option<&Checksum>) -> Result<Opened> {
        // What is neither a file nor a disk is refused here, whoever would read it then.
        let file = open(path)?;
        let busy = busy::remark(path, &self.called);
        let held = Held { file, staged: None };
        let Some(checksum) = checksum else { return self.unpack(held, 0, busy) };
        let glimpse = Glimpse::of(&held.file).with_context(|| format!("reading {}", self.called))?;
        if matches!(glimpse.content(), Content::Packed(_)) && unpacks(self.source, self.params.format) {
            let progress = self.task.progress("unpacking", Some(glimpse.size));
            return self.received(Watched { inner: &held.file, progress }, Some(checksum), busy);
        }
        let progress = self.task.progress("checking the source", Some(glimpse.size));
        let found = checksum.summing()?.of(Watched { inner: &held.file, progress });
        checksum.judge(&found.with_context(|| format!("reading {}", self.called))?, &self.called)?;
        self.unpack(held, 0, busy)
    }

    fn fetched(&self, url: &str, checksum: Option<&Checksum>) -> Result<Opened> {
        let http = connect(url, self.params.ca_path.as_deref())?;
        let found = http.open_url(url)?.with_context(|| format!("{} is not there", self.called))?;
        let progress = self.task.progress("fetching the source", found.size);
        self.received(Watched { inner: found.body, progress }, checksum, None)
    }

    fn received(
        &self,
        content: impl Read + Send,
        checksum: Option<&Checksum>,
        busy: Option<String>,
    ) -> Result<Opened> {
        let staged = self.staged()?;
        let unpacks = unpacks(self.source, self.params.format);
        let is_raw = self.params.format == Format::Raw;
        Arrival { content, called: &self.called, checksum, unpacks, is_raw }.receive(&staged)?;
        self.unpack(Held::copy(staged)?, 1, busy)
    }

    /// Unpacks until there is something to read.
    fn unpack(&self, mut held: Held, depth: usize, busy: Option<String>) -> Result<Opened> {
        for depth in depth..DEPTH {
            let unopened = Unopened {
                file: &held.file,
                source: &self.called,
                format: self.params.format,
                is_unpacked: depth > 0,
            };
            held = match unopened.step()? {
                Step::Unpack(compression) => self.decompressed(&held, compression)?,
                Step::Extract => {
                    let staged = self.staged()?;
                    ova::extract(&held.file, &staged)
                        .with_context(|| format!("reading source {}", self.called))?;
                    Held::copy(staged)?
                }
                Step::Convert(container) => {
                    let staged = self.staged()?;
                    let path = held.staged.as_ref().map_or(Path::new(self.source), Staged::path);
                    let packed = Packed { path, container, called: &self.called };
                    let remark = qemu_img::convert(&packed, staged.path())?;
                    return self.disk(Held::copy(staged)?, busy.into_iter().chain(remark));
                }
                Step::Disk => return self.disk(held, busy.into_iter()),
                Step::Stream => return Ok(Opened::Stream(held)),
            };
        }
        bail!("source {} is packed more than {DEPTH} times: unpack it first", self.called)
    }

    fn disk(&self, held: Held, remarks: impl Iterator<Item = String>) -> Result<Opened> {
        let remarks = remarks.chain(layout::remarks(&held.file, &self.called)?).collect();
        Ok(Opened::Disk(Disk { held, remarks }))
    }

    fn decompressed(&self, packed: &Held, compression: Compression) -> Result<Held> {
        let staged = self.staged()?;
        let size = packed.file.metadata().map(|found| found.len()).ok();
        let progress = self.task.progress("unpacking", size);
        let reading = || format!("reading source {}", self.called);
        let inner = packed.file.try_clone().with_context(reading)?;
        // Unpacking goes on while what has been unpacked is written.
        let content = ReadAhead::new(unpack::decoder(compression, Watched { inner, progress })?);
        let filled =
            unpack::fill(content.with_context(reading)?, staged.file(), unpack::room(staged.file())?);
        filled.map_err(|failure| unpack::explained(compression, failure))?;
        Held::copy(staged)
    }

    /// A file to unpack into. Where the catalogue will be is room for it; a check before there is one has less choice.
    fn staged(&self) -> Result<Staged> {
        let temporary = env::temp_dir();
        let folder = &self.params.path;
        Staged::new(if folder.is_dir() { folder } else { &temporary })
    }
}
