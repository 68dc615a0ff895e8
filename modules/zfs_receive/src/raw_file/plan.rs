// SPDX-License-Identifier: GPL-3.0-or-later

//! Decides, from what was observed alone, what has to happen to a raw file.

mod blank;
mod describe;
mod volume;

use std::path::{Path, PathBuf};

use ansible_module::{Diff, Size};
use anyhow::{Context, Result, bail, ensure};
use zfs_command::Guid;

use crate::cut;
use crate::image::Image;
use crate::job::{Content, ImageContent, ImageFile, RawFile};
use crate::raw_file::identity::Identity;
use crate::raw_file::observe::{Disk, Found, Observed};
pub use crate::raw_file::plan::volume::Volume;

/// What will be done.
#[derive(Clone, Debug)]
pub struct Plan {
    pub path: PathBuf,
    pub action: Action,
    /// The folder that will be made for the file.
    pub folder: Option<PathBuf>,
    /// What is there, and what it was made from, for a person.
    before: Option<Volume>,
    made: &'static str,
}

/// The one thing that is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    Nothing,
    Grow {
        /// The image of a file that holds nothing else yet.
        pristine: Option<Identity>,
        to: u64,
    },
    /// A new file that holds nothing.
    Make {
        volsize: u64,
        mode: u32,
    },
    Receive(Receive),
    Remove,
}

/// A new file from the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receive {
    pub image: ImageFile,
    pub guid: Guid,
    /// The image in the present file, onto a copy of which an incremental stream goes.
    pub onto: Option<Identity>,
    /// Bytes the file shall have; the image's where nothing is asked for.
    pub volsize: Option<u64>,
    /// Bytes the file must have at least.
    pub least: u64,
    /// Where the present file is kept.
    pub kept: Option<PathBuf>,
    /// Permissions of the file.
    pub mode: u32,
}

/// Compares what was found with what is asked for.
pub fn plan(job: &RawFile, observed: &Observed) -> Result<Plan> {
    let path = &job.path;
    let before = match &observed.found {
        Found::Nothing => None,
        Found::Ours(disk) => Some(Volume::of(path, disk)),
        Found::Blank(size) | Found::Foreign(size) => {
            Some(Volume { size: Some(*size), ..Volume::nothing(path) })
        }
    };
    if let (Found::Nothing, Some(_), Some(name)) = (&observed.found, &job.content, path.to_str()) {
        cut::refuse(name, &observed.beside)?;
    }
    let action = match &job.content {
        Some(Content::Image(content)) => Wish { job, content, observed }.action()?,
        Some(Content::Blank(content)) => blank::action(path, content, &observed.found)?,
        None => absent(job, &observed.found)?,
    };
    let folder =
        path.parent().filter(|_| observed.folder_missing && action != Action::Nothing).map(Path::to_owned);
    let made = match (&observed.found, &job.content) {
        (Found::Blank(_), _) | (Found::Nothing, Some(Content::Blank(_))) => "none, made empty",
        _ => "none, not made by zfs_receive",
    };
    Ok(Plan { path: path.clone(), action, folder, before, made })
}

fn absent(job: &RawFile, found: &Found) -> Result<Action> {
    match found {
        Found::Nothing => Ok(Action::Nothing),
        Found::Ours(_) | Found::Blank(_) => Ok(Action::Remove),
        Found::Foreign(_) if job.force => Ok(Action::Remove),
        Found::Foreign(_) => bail!(
            "removing {}: it was not made by zfs_receive; remove it yourself, or set `force` if it may go",
            job.path.display()
        ),
    }
}

/// What a file is to hold, beside what is there.
struct Wish<'a> {
    job: &'a RawFile,
    content: &'a ImageContent,
    observed: &'a Observed,
}

impl Wish<'_> {
    fn action(&self) -> Result<Action> {
        let path = &self.job.path;
        if let (Some(asked), Some(image)) =
            (self.content.volsize, self.image().and_then(|image| image.volsize))
        {
            check_volsize(asked, image)?;
        }
        let guid = self.guid()?;
        match &self.observed.found {
            Found::Ours(disk) if disk.identity.guid == guid => resize(path, disk, self.content.volsize),
            Found::Ours(disk) => self.update(disk),
            Found::Blank(_) => self.instead_of_blank(),
            Found::Foreign(_) => {
                ensure!(
                    self.job.force && self.content.replace,
                    "receiving into {}: a file is there that zfs_receive has not made; choose another path, or set `replace` \
                     and `force` to keep that file under a dated name",
                    path.display()
                );
                self.fresh(Some(self.observed.kept.clone()))
            }
            Found::Nothing => self.fresh(None),
        }
    }

    fn image(&self) -> Option<&Image> {
        self.observed.image.as_ref()
    }

    fn guid(&self) -> Result<Guid> {
        let known = self.image().map(|image| image.guid).or(self.content.image.guid);
        known.with_context(|| {
            format!("option `guid` is missing, and {} is not there", self.content.image.src.display())
        })
    }

    /// Another image where one of ours is: onto it if the stream continues it, else in its place.
    fn update(&self, disk: &Disk) -> Result<Action> {
        let path = &self.job.path;
        if self.image().and_then(|image| image.base) == Some(disk.identity.guid) {
            ensure!(
                disk.pristine,
                "receiving onto {}: it has been written to since its image was received, so an incremental stream does not \
                 fit; receive a full stream",
                path.display()
            );
            if let Some(asked) = self.content.volsize {
                keep_size(path, asked, disk.size)?;
            }
            return Ok(Action::Receive(Receive {
                onto: Some(disk.identity),
                least: disk.size,
                ..self.receive()?
            }));
        }
        ensure!(
            self.content.replace,
            "receiving into {}: another image is there, guid {}, expected {}; set `replace` to keep that volume under a \
             dated name and receive anew",
            path.display(),
            disk.identity.guid,
            self.guid()?
        );
        self.fresh(Some(self.observed.kept.clone()))
    }

    fn instead_of_blank(&self) -> Result<Action> {
        ensure!(
            self.content.replace,
            "receiving into {}: a volume is there that was made empty, which may hold data; choose another path, or set \
             `replace` to keep that volume under a dated name",
            self.job.path.display()
        );
        self.fresh(Some(self.observed.kept.clone()))
    }

    fn fresh(&self, kept: Option<PathBuf>) -> Result<Action> {
        if let Some(base) = self.image().and_then(|image| image.base) {
            bail!(
                "the stream is incremental: it needs the image with guid {base} in place; receive that image first, or a \
                 full stream"
            );
        }
        Ok(Action::Receive(Receive { kept, ..self.receive()? }))
    }

    fn receive(&self) -> Result<Receive> {
        let ImageContent { image, volsize, mode, .. } = self.content.clone();
        Ok(Receive { image, guid: self.guid()?, onto: None, volsize, least: 0, kept: None, mode })
    }
}

/// A smaller volume would cut off the end of the image.
pub fn check_volsize(asked: u64, image: u64) -> Result<()> {
    ensure!(
        asked >= image,
        "option `volsize` is {}, but the image has {}: its end would be cut off",
        Size(asked),
        Size(image)
    );
    Ok(())
}

fn resize(path: &Path, disk: &Disk, volsize: Option<u64>) -> Result<Action> {
    match volsize {
        Some(to) if to > disk.size => {
            Ok(Action::Grow { pristine: disk.pristine.then_some(disk.identity), to })
        }
        Some(to) => {
            keep_size(path, to, disk.size)?;
            Ok(Action::Nothing)
        }
        None => Ok(Action::Nothing),
    }
}

fn keep_size(path: &Path, asked: u64, present: u64) -> Result<()> {
    ensure!(
        asked >= present,
        "option `volsize` is {}, but {} has {}: volumes are grown, never shrunk",
        Size(asked),
        path.display(),
        Size(present)
    );
    Ok(())
}

impl Plan {
    /// Whether anything that a user sees changes: leftovers do not count.
    pub fn changed(&self) -> bool {
        self.action != Action::Nothing
    }

    /// The volume as it will be, as far as that can be known before.
    pub fn volume(&self) -> Volume {
        let before = self.before.clone().unwrap_or_else(|| Volume::nothing(&self.path));
        match &self.action {
            Action::Nothing | Action::Remove => before,
            Action::Grow { to, .. } => Volume { size: Some(*to), ..before },
            Action::Make { volsize, .. } => Volume { size: Some(*volsize), ..before },
            Action::Receive(receive) => Volume {
                device: self.path.clone(),
                guid: Some(receive.guid),
                size: receive.volsize,
                volblocksize: None,
                replaced: receive.kept.clone(),
            },
        }
    }

    /// The difference in the words of the options.
    pub fn diff(&self) -> Diff {
        let describe = |volume| describe::volume(volume, self.made);
        let before = describe(self.before.as_ref());
        let after = match self.action {
            Action::Remove => describe(None),
            Action::Nothing => before.clone(),
            Action::Grow { .. } | Action::Make { .. } | Action::Receive(_) => describe(Some(&self.volume())),
        };
        let folder = self.folder.as_ref().map(|folder| format!("folder: {}\n", folder.display()));
        let after = after + &folder.unwrap_or_default();
        Diff { before, after, header: self.path.display().to_string() }
    }
}

/// What is known only when the whole image has been read.
pub fn final_size(receive: &Receive, image: u64) -> Result<u64> {
    let asked = receive.volsize.unwrap_or(image.max(receive.least));
    check_volsize(asked, image)?;
    Ok(asked)
}
