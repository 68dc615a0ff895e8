// SPDX-License-Identifier: GPL-3.0-or-later

//! What has to be done for the seed to be as asked. Pure.

use std::path::{Path, PathBuf};

use ansible_module::Diff;
use anyhow::Result;
use serde::Serialize;

use crate::documents::{Documents, Wanted};
use crate::image;
use crate::observe::Found;
use crate::shown::Secrets;

/// Rights of a seed: it holds password hashes and whatever the user data holds.
pub const MODE: u32 = 0o600;

/// What will be done.
#[derive(Debug)]
pub struct Plan {
    path: PathBuf,
    found: Option<Found>,
    wanted: Option<(Wanted, Vec<u8>)>,
}

/// What a caller is told about the seed.
#[derive(Debug, Serialize)]
pub struct Seed<'a> {
    path: &'a Path,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_id: Option<&'a str>,
}

/// The one step that is needed.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// The seed is as asked.
    Nothing,
    /// Write this image.
    Write(&'a [u8]),
    /// Only its rights are wrong.
    SetMode,
    /// Remove it.
    Remove,
}

/// Compares what is asked for with what was found.
///
/// # Errors
/// Where the documents do not fit into an image.
pub fn plan(path: &Path, wanted: Option<Wanted>, found: Option<Found>) -> Result<Plan> {
    let wanted = match wanted {
        Some(wanted) => {
            let image = image::write(&wanted.documents)?;
            Some((wanted, image))
        }
        None => None,
    };
    Ok(Plan { path: path.to_owned(), found, wanted })
}

impl Plan {
    /// Where the seed is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The step that is needed.
    pub fn step(&self) -> Step<'_> {
        match (&self.found, &self.wanted) {
            (None, None) => Step::Nothing,
            (Some(_), None) => Step::Remove,
            (Some(found), Some((wanted, _))) if found.documents == wanted.documents => {
                if found.mode == MODE {
                    Step::Nothing
                } else {
                    Step::SetMode
                }
            }
            (_, Some((_, image))) => Step::Write(image),
        }
    }

    /// Whether anything has to be done.
    pub fn changed(&self) -> bool {
        self.step() != Step::Nothing
    }

    /// Whether a guest may already have booted with other documents.
    pub fn has_changed(&self) -> bool {
        self.found.is_some() && matches!(self.step(), Step::Write(_))
    }

    /// What the guest may do with the seed other than asked; said whenever it is written.
    pub fn warnings(&self) -> &[String] {
        match (self.step(), &self.wanted) {
            (Step::Write(_), Some((wanted, _))) => &wanted.warnings,
            _ => &[],
        }
    }

    /// The documents before and after, secrets left out.
    pub fn diff(&self) -> Diff {
        let found = self.found.as_ref().map(|found| (&found.documents, found.mode));
        let wanted = self.wanted.as_ref().map(|(wanted, _)| (&wanted.documents, MODE));
        let mut secrets = Secrets::default();
        let mut side = |side: Option<(&Documents, u32)>| {
            side.map(|(documents, mode)| secrets.seed(documents, mode)).unwrap_or_default()
        };
        Diff { before: side(found), after: side(wanted), header: self.path.display().to_string() }
    }

    /// What a caller is told about the seed.
    pub fn seed(&self) -> Seed<'_> {
        let wanted = self.wanted.as_ref();
        Seed {
            path: &self.path,
            sha256: wanted.map(|(_, image)| image::sha256(image)),
            size: wanted.map(|(_, image)| image.len()),
            instance_id: wanted.map(|(wanted, _)| wanted.instance_id.as_str()),
        }
    }
}
