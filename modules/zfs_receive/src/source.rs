// SPDX-License-Identifier: GPL-3.0-or-later

//! Where the stream comes from: a file, perhaps compressed, perhaps an image package; its own checks are asked at the end.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use ansible_module::open::{is_ours_alone, open_file};
use ansible_module::{Progress, Task};
use anyhow::{Context, Result, ensure};
use image_catalog::arch::Arch;
use image_catalog::archive::PackageArchive;
use image_catalog::digest::{Hasher, Sha256Hex, Sum, SumKind};
use image_catalog::facts::ImageFacts;
use zfs_stream::ReadAhead;

use crate::decoder::{Decoder, Room};
use crate::job::ImageFile;

/// A stream being read, verified in passing by all that packed it.
pub struct Source {
    path: PathBuf,
    reading: Reading,
    facts: Option<ImageFacts>,
    sha256: Option<Sha256Hex>,
    plain: Option<File>,
}

/// A file that has nothing to compute is read where it is needed; else the work is shared between two threads.
enum Reading {
    Directly(Box<dyn Layer>),
    Ahead(ReadAhead<Box<dyn Layer>>),
}

/// Something the stream is packed in.
trait Layer: Read + Send {
    /// Judges what was read through it, which must be all; gives back the file.
    fn finish(self: Box<Self>) -> Result<Stored>;
}

impl Layer for Decoder<Stored> {
    fn finish(self: Box<Self>) -> Result<Stored> {
        Decoder::finish(*self)
    }
}

impl Layer for Decoder<PackageArchive<Stored>> {
    fn finish(self: Box<Self>) -> Result<Stored> {
        Decoder::finish(*self)?.finish()
    }
}

impl Source {
    /// Opens `path`; `sha256` is that of the file as it is stored. `progress` counts the file's bytes.
    pub fn open(path: &Path, sha256: Option<&Sha256Hex>, progress: Option<Progress>) -> Result<Source> {
        let doing = || format!("reading {}", path.display());
        let packaged = is_package(open_file(path)?).with_context(doing)?;
        let hasher = sha256.map(|_| Hasher::new(SumKind::Sha256));
        let stored = Stored { file: open_file(path)?, hasher, progress };
        let busy = stored.hasher.is_some();
        let mut plain = None;
        let (layer, facts, busy): (Box<dyn Layer>, _, _) = if packaged {
            let package = PackageArchive::open(stored).with_context(doing)?;
            let facts = package.facts().clone();
            Arch::refuse_other(facts.arch).with_context(doing)?;
            let room = if package.is_compressed() { Room::Rest } else { Room::All };
            (Box::new(Decoder::new(package, room).with_context(doing)?), Some(facts), true)
        } else {
            let file = stored.file.try_clone().with_context(doing)?;
            let decoder = Decoder::new(stored, Room::All).with_context(doing)?;
            plain = decoder.is_plain().then_some(file);
            let busy = busy || plain.is_none();
            (Box::new(decoder), None, busy)
        };
        let reading = match busy {
            true => Reading::Ahead(ReadAhead::new(layer).with_context(doing)?),
            false => Reading::Directly(layer),
        };
        Ok(Source { path: path.to_owned(), reading, facts, sha256: sha256.cloned(), plain })
    }

    /// Opens the file of an image as [`Source::open`] does, and shows under `label` how much of it has been read.
    pub fn shown(image: &ImageFile, task: &Task, label: &str) -> Result<Source> {
        let total = fs::metadata(&image.src).map(|file| file.len()).ok();
        Source::open(&image.src, image.sha256.as_ref(), Some(task.progress(label, total)))
    }

    /// What an image package says of its stream.
    pub fn facts(&self) -> Option<&ImageFacts> {
        self.facts.as_ref()
    }

    /// Bytes of the stream, where it stands in the file as it is.
    pub fn plain_size(&self) -> io::Result<Option<u64>> {
        self.plain.as_ref().map(|file| file.metadata().map(|found| found.len())).transpose()
    }

    /// The very file that is read, where the stream stands in it as it is, from its first byte to its last, and stays what it
    /// is between being verified and being read again: nobody else may write to it.
    /// It is to be read at given places only: its own place is the reader's.
    pub fn lasting_file(&self) -> Result<Option<File>> {
        match &self.plain {
            Some(file) if is_ours_alone(file)? => Ok(Some(file.try_clone().context("opening it once more")?)),
            _ => Ok(None),
        }
    }

    /// Judges the source as a whole, after its stream has been read to the end.
    pub fn finish(self) -> Result<()> {
        let doing = || format!("reading {}", self.path.display());
        let layer = match self.reading {
            Reading::Directly(layer) => layer,
            Reading::Ahead(ahead) => ahead.into_inner().with_context(doing)?,
        };
        let mut stored = layer.finish().with_context(doing)?;
        let ended = stored.read(&mut [0]).with_context(doing)? == 0;
        ensure!(
            ended,
            "{}: more data follow the end of the stream: not as it was made; fetch it again",
            doing()
        );
        if let (Some(hasher), Some(expected)) = (stored.hasher, self.sha256) {
            let found = hasher.finish();
            ensure!(
                found == Sum::from(expected.clone()),
                "{}: SHA-256 {found}, expected {expected}: damaged or another file; fetch it again",
                doing()
            );
        }
        Ok(())
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.reading {
            Reading::Directly(layer) => layer.read(buffer),
            Reading::Ahead(ahead) => ahead.read(buffer),
        }
    }
}

/// Whether the content is a tar archive, as packages are; `BZh` is how pkg alone compresses.
fn is_package(file: File) -> Result<bool> {
    const HEADER: usize = 512;
    const MAGIC_AT: usize = 257;
    let mut head = Vec::with_capacity(HEADER);
    Decoder::new(file, Room::All)?.take(HEADER as u64).read_to_end(&mut head)?;
    Ok(head.starts_with(b"BZh") || head.get(MAGIC_AT..).is_some_and(|magic| magic.starts_with(b"ustar")))
}

/// The file itself: counts and hashes what is read of it.
struct Stored {
    file: File,
    hasher: Option<Hasher>,
    progress: Option<Progress>,
}

impl Read for Stored {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(buffer)?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&buffer[..length]);
        }
        if let Some(progress) = &self.progress {
            progress.advance(length as u64);
        }
        Ok(length)
    }
}
