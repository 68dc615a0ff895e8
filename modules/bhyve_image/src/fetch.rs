// SPDX-License-Identifier: GPL-3.0-or-later

//! One image on its way into the store: copied and judged in the same pass.

use std::io::{self, Read, Write};

use ansible_module::{Progress, files};
use anyhow::{Context, Error, Result, anyhow, ensure};
use image_catalog::archive::PackageArchive;
use image_catalog::digest::{CheckingReader, Sha256Hex, SumKind};
use image_catalog::name::ImageName;
use image_catalog::package::{Package, PackageFile};

use crate::image::Image;
use crate::part::Part;
use crate::repository::Repository;
use crate::store::Store;
use crate::stored::Record;
use crate::vouched::Vouched;

/// Bytes moved at a time.
const BLOCK: usize = 256 * 1024;

/// What counts as progress: a transfer that breaks is taken up again at the same place where it got this much further than ever.
const PROGRESS: u64 = 128 << 10;

/// An image to fetch.
#[derive(Clone, Copy)]
pub struct Order<'a> {
    /// What the catalogue promises.
    pub package: &'a Package,
    /// Who vouches for that.
    pub vouched: &'a Vouched,
}

/// Fetches an image into the store. The caller holds the image's lock.
///
/// # Errors
/// Where the place breaks off or is too slow, the disk is full, or the package is not the one that the catalogue
/// promises; nothing of it is left in the store then.
pub fn fetch(
    order: Order<'_>,
    repository: &mut Repository,
    store: &Store,
    progress: &Progress,
) -> Result<Record> {
    let package = order.package;
    let name: ImageName = package.id.to_string().parse()?;
    let doing = format!("fetching {name}");
    let file = package.file();
    let mut part = store.open_part(&name, &file)?;
    let fetched = Fetching { doing: &doing, file: &file, repository, progress }
        .complete(&mut part, &|bytes| judge(package, bytes))?;
    publish(order, &name, part, fetched, store)
}

/// Puts the verified package into the store: first the package, then the record that vouches for it.
fn publish(
    Order { package, vouched }: Order<'_>,
    name: &ImageName,
    part: Part,
    sha256: Sha256Hex,
    store: &Store,
) -> Result<Record> {
    let path = store.package(name);
    files::remove_if_there(&store.record(name))?;
    files::sweep_for(&store.record(name))?;
    let file = part.publish(&path)?;
    let image = Image { path: Some(path), sha256: Some(sha256), ..Image::from(package) };
    let record = Record { image, sum: package.sum.clone(), file, vouched: Some(vouched.clone()) };
    store.write_record(name, &record)?;
    Ok(record)
}

/// A package file on its way from a catalogue.
pub struct Fetching<'a> {
    /// What a message calls that.
    pub doing: &'a str,
    /// What the catalogue promises.
    pub file: &'a PackageFile,
    /// The catalogue, at any of its places.
    pub repository: &'a mut Repository,
    /// Where its bytes are counted.
    pub progress: &'a Progress,
}

/// Reads all of a package file and says what it is worth.
pub type Judge<'a, T> = &'a dyn Fn(&mut dyn Read) -> Result<T>;

/// Why a package file did not come.
enum Failure {
    /// The place's fault: what has come is worth something.
    Place(Error),
    /// The disk's.
    Disk(Error),
    /// It is not what the catalogue promises.
    File(Error),
}

impl Fetching<'_> {
    /// Completes `part` and has all of it judged. A beginning that turns out wrong is fetched anew, and what one place does not
    /// give is taken from the next.
    ///
    /// # Errors
    /// Those of the places, of the disk or of the judge.
    pub fn complete<T>(&mut self, part: &mut Part, judge: Judge<'_, T>) -> Result<T> {
        let Self { doing, file, progress, ref mut repository } = *self;
        repository.anywhere(|repository| {
            let place = repository.location().to_string();
            let received = Receiving { file, repository, progress }.receive(part, judge);
            received.with_context(|| format!("{doing} from {place}"))
        })
    }
}

/// A package file on its way from one place.
struct Receiving<'a> {
    file: &'a PackageFile,
    repository: &'a mut Repository,
    progress: &'a Progress,
}

impl Receiving<'_> {
    fn receive<T>(&mut self, part: &mut Part, judge: Judge<'_, T>) -> Result<T> {
        let mut farthest = part.kept();
        loop {
            let error = match self.attempt(part, judge) {
                Ok(judged) => return Ok(judged),
                Err(Failure::Disk(error)) => return Err(error),
                Err(Failure::File(_)) if part.kept() > 0 => {
                    part.start_over()?;
                    continue;
                }
                Err(Failure::File(error)) => {
                    // Another place may have the right one.
                    part.start_over()?;
                    return Err(error);
                }
                Err(Failure::Place(error)) => error,
            };
            part.keep()?;
            if part.kept() < farthest + PROGRESS {
                return Err(error);
            }
            farthest = part.kept();
            self.repository.disconnect();
        }
    }

    fn attempt<T>(&mut self, part: &mut Part, judge: Judge<'_, T>) -> Result<T, Failure> {
        let PackageFile { path, size: promised, .. } = self.file;
        let mut body: Box<dyn Read + '_> = Box::new(io::empty());
        if part.kept() < *promised {
            let transport = self.repository.transport().map_err(Failure::Place)?;
            let opened = transport.open(path, part.kept()).map_err(Failure::Place)?;
            let opened = opened.with_context(|| format!("the catalogue names {path}, which is not there"));
            let opened = opened.map_err(Failure::Place)?;
            if let Some(size) = opened.size.filter(|size| size != promised) {
                return Err(Failure::File(anyhow!(
                    "{path} has {size} bytes there, the catalogue says {promised}"
                )));
            }
            if opened.start == 0 {
                part.start_over().map_err(Failure::Disk)?;
            }
            body = opened.body;
        }
        let mut arrival = Arrival { body, part, progress: self.progress, failed: None };
        let kept = arrival.part.read_kept().map_err(Failure::Disk)?;
        let judged = judge(&mut kept.chain(&mut arrival));
        match arrival.failed {
            Some(failure) => Err(failure),
            None => judged.map_err(Failure::File),
        }
    }
}

/// Reads a whole package and says what its SHA-256 is, if it is the one that the catalogue promises.
fn judge(package: &Package, source: impl Read) -> Result<Sha256Hex> {
    if let Some(sha256) = package.sum.sha256() {
        return check(package, source).map(|()| sha256);
    }
    let mut whole = CheckingReader::new(source, SumKind::Sha256);
    check(package, &mut whole)?;
    whole.finish().0.sha256().context("computing the SHA-256 of the package")
}

fn check(package: &Package, source: impl Read) -> Result<()> {
    let mut bytes = package.check(source);
    let content = check_content(package, &mut bytes);
    // To the end even so: a wrong package is called that before anything in it is complained about.
    drain(&mut bytes).with_context(|| format!("reading {}", package.path))?;
    bytes.finish()?;
    content
}

/// Checks what the package says of itself, and the payload against that.
fn check_content(package: &Package, bytes: impl Read) -> Result<()> {
    let doing = || format!("reading {}", package.path);
    let mut archive = PackageArchive::open(bytes).with_context(doing)?;
    ensure!(
        archive.id() == &package.id
            && archive.facts() == &package.facts
            && archive.stream_size() == package.manifest.flatsize,
        "{}: it does not describe itself as the catalogue does",
        doing()
    );
    drain(&mut archive).with_context(doing)?;
    archive.finish().map(drop).with_context(doing)
}

/// Reads to the end.
///
/// # Errors
/// The source's.
pub fn drain(source: &mut impl Read) -> io::Result<()> {
    let mut block = vec![0; BLOCK];
    loop {
        match source.read(&mut block) {
            Ok(0) => return Ok(()),
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
    }
}

/// Bytes arriving from the place: written to the part while they are read.
struct Arrival<'a> {
    body: Box<dyn Read + 'a>,
    part: &'a Part,
    progress: &'a Progress,
    /// Why no more bytes come. Kept here because archives and decompressors tell it in words of their own.
    failed: Option<Failure>,
}

impl Arrival<'_> {
    fn fail(&mut self, kind: impl FnOnce(Error) -> Failure, error: Error) -> io::Error {
        let text = error.to_string();
        self.failed.get_or_insert(kind(error));
        io::Error::other(text)
    }
}

impl Read for Arrival<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match self.body.read(buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => return Err(self.fail(Failure::Place, error.into())),
        };
        if let Err(error) = self.part.file().write_all(&buffer[..count]) {
            let error = Error::new(error).context(format!("writing {}", self.part.path().display()));
            return Err(self.fail(Failure::Disk, error));
        }
        self.progress.advance(count as u64);
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
