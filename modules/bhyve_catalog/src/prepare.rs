// SPDX-License-Identifier: GPL-3.0-or-later

//! Opens the source of an image. What is packed is unpacked into files of this run first, in check mode, too: only its content
//! tells which image it would be.

use std::env;
use std::fs::File;
use std::path::Path;

use ansible_module::Task;
use anyhow::{Context, Result, bail, ensure};
use zfs_command::SnapshotName;

use crate::contents::Compression;
use crate::params::{Format, Params, Wanted};
use crate::qemu_img::{self, Packed};
use crate::source::{Step, Unopened, open};
use crate::staging::Staged;
use crate::watched::Watched;
use crate::{busy, layout, ova, unpack};

/// How deep a disk may be packed: compressed, in an archive, and compressed again there.
const DEPTH: usize = 4;

/// The source of an image, ready to be read.
pub enum Opened {
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

/// An open file, and what has to go again with it.
pub struct Held {
    /// What is read.
    pub file: File,
    /// The file behind `file` where it is a copy.
    pub staged: Option<Staged>,
}

/// Opens the source of the image that is wanted, if one is.
pub fn prepare(params: &Params, wanted: &Wanted, task: &Task) -> Result<Option<Opened>> {
    match wanted {
        Wanted::Present { source, .. } => {
            let opened = Preparing { params, source, task }
                .open()
                .with_context(|| format!("looking at source {source}"))?;
            Ok(Some(opened))
        }
        Wanted::Absent(_) | Wanted::Pruned(_) => Ok(None),
    }
}

struct Preparing<'a> {
    params: &'a Params,
    source: &'a str,
    task: &'a Task,
}

impl Preparing<'_> {
    fn open(&self) -> Result<Opened> {
        let format = self.params.format;
        if format == Format::Snapshot || format == Format::Auto && !self.source.starts_with('/') {
            ensure!(
                self.source.contains('@'),
                "source {:?} is neither an absolute path nor DATASET@SNAPSHOT",
                self.source
            );
            return Ok(Opened::Snapshot(self.source.parse()?));
        }
        ensure!(
            self.params.parent.is_none() || format == Format::Stream,
            "option parent needs a stream or a snapshot as source: a disk does not know what it was made from"
        );
        // What is neither a file nor a disk is refused here, whoever would read it then.
        let file = open(Path::new(self.source))?;
        let busy = busy::remark(Path::new(self.source), self.source);
        self.unpack(Held { file, staged: None }, busy)
    }

    /// Unpacks until there is something to read.
    fn unpack(&self, mut held: Held, busy: Option<String>) -> Result<Opened> {
        for depth in 0..DEPTH {
            let unopened = Unopened {
                file: &held.file,
                source: self.source,
                format: self.params.format,
                is_unpacked: depth > 0,
            };
            held = match unopened.step()? {
                Step::Unpack(compression) => self.decompressed(&held, compression)?,
                Step::Extract => {
                    let staged = self.staged()?;
                    ova::extract(&held.file, &staged)
                        .with_context(|| format!("reading source {}", self.source))?;
                    Held::copy(staged)?
                }
                Step::Convert(container) => {
                    let staged = self.staged()?;
                    let path = held.staged.as_ref().map_or(Path::new(self.source), Staged::path);
                    let packed = Packed { path, container, called: self.source };
                    let remark = qemu_img::convert(&packed, staged.path())?;
                    return self.disk(Held::copy(staged)?, busy.into_iter().chain(remark));
                }
                Step::Disk => return self.disk(held, busy.into_iter()),
                Step::Stream => return Ok(Opened::Stream(held)),
            };
        }
        bail!("source {} is packed more than {DEPTH} times: unpack it first", self.source)
    }

    fn disk(&self, held: Held, remarks: impl Iterator<Item = String>) -> Result<Opened> {
        let remarks = remarks.chain(layout::remarks(&held.file, self.source)?).collect();
        Ok(Opened::Disk(Disk { held, remarks }))
    }

    fn decompressed(&self, packed: &Held, compression: Compression) -> Result<Held> {
        let staged = self.staged()?;
        let size = packed.file.metadata().map(|found| found.len()).ok();
        let progress = self.task.progress("unpacking", size);
        let content = unpack::decoder(compression, Watched { inner: &packed.file, progress })?;
        let filled = unpack::fill(content, staged.file(), unpack::room(staged.file())?);
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

impl Held {
    fn copy(staged: Staged) -> Result<Self> {
        Ok(Self { file: staged.reopen()?, staged: Some(staged) })
    }
}
