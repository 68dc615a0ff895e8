// SPDX-License-Identifier: GPL-3.0-or-later

//! Reads the catalogue that is there, and the source of the image that is wanted.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use ansible_module::Task;
use ansible_module::files::if_there;
use anyhow::{Context, Result, bail};
use image_catalog::catalogue::Catalogue;
use image_catalog::catalogue_write::{PACKAGE_FOLDER, package_path};
use image_catalog::name::ImageId;
use image_catalog::transport::shown;

use crate::existing::read_catalogue;
use crate::look::{Seen, look};
use crate::params::{Params, Wanted};
use crate::prepare::{Opened, Prepared};
use crate::signing::Signer;

pub struct Observed {
    /// The catalogue; `None` where there is none yet.
    pub catalogue: Option<Catalogue>,
    /// Why the catalogue has to be written again even if its list stays the same.
    pub stale: Option<String>,
    /// The source of the image; `None` where it is yet to come from another host.
    pub source: Option<Seen>,
    /// Package files by their path in the catalogue, with their time in seconds since 1970.
    pub packages: BTreeMap<String, u64>,
    /// When this was, in seconds since 1970.
    pub now: u64,
}

/// What to look at.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub params: &'a Params,
    /// What they come to.
    pub wanted: &'a Wanted,
    /// What signs, and must have signed.
    pub signer: &'a Signer,
}

/// Looks at the catalogue, and at the source of the image that is to be in it.
pub fn observe(view: View, source: Option<Prepared>, task: &mut Task) -> Result<Observed> {
    let View { params, wanted, signer } = view;
    let (catalogue, stale) = read_catalogue(&params.path, signer)?;
    let source = match (wanted, source) {
        (_, Some(Prepared { opened: Opened::Announced, .. })) => None,
        (Wanted::Present { id, source, .. }, Some(Prepared { opened, checksum })) => {
            let seen = look(params, id, opened, catalogue.as_ref(), task).with_context(|| {
                format!("looking at source {}", params.captured_from().unwrap_or_else(|| shown(source)))
            })?;
            Some(Seen { checksum: checksum.map(|sum| sum.to_string()), ..seen })
        }
        _ => None,
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("reading the clock")?.as_secs();
    Ok(Observed { catalogue, stale, source, packages: package_files(&params.path)?, now })
}

/// The files of the folder that this program writes packages to.
fn package_files(folder: &Path) -> Result<BTreeMap<String, u64>> {
    let all = folder.join(PACKAGE_FOLDER);
    let reading = || format!("reading folder {}", all.display());
    let mut packages = BTreeMap::new();
    for entry in if_there(fs::read_dir(&all)).with_context(reading)?.into_iter().flatten() {
        let entry = entry.with_context(reading)?;
        let Ok(name) = entry.file_name().into_string() else {
            bail!("{}: a name in it is not UTF-8", reading())
        };
        if name.starts_with('.') {
            continue;
        }
        let time = entry.metadata().and_then(|found| found.modified()).with_context(reading)?;
        let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        packages.insert(format!("{PACKAGE_FOLDER}/{name}"), seconds);
    }
    Ok(packages)
}

impl Observed {
    /// Whether an image of this name is in the list.
    pub fn lists(&self, id: &ImageId) -> bool {
        self.catalogue.as_ref().is_some_and(|catalogue| catalogue.images.iter().any(|image| image.id == *id))
    }

    /// The package file that an image of this name would have.
    pub fn has_package_of(&self, id: &ImageId) -> bool {
        self.packages.contains_key(package_path(id).as_str())
    }
}
