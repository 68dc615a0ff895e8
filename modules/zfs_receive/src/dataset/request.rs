// SPDX-License-Identifier: GPL-3.0-or-later

//! What was asked for, once the beginning of the image is known.

use anyhow::{Error, Result};
use zfs_command::DatasetName;

use super::device;
use crate::image::Image;
use crate::job::{Volumes, Wanted};

/// Volumes to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    /// What they are made from.
    pub image: Image,
    /// The golden volume to receive into and to clone from; without one, each volume is a copy of its own.
    pub golden: Option<DatasetName>,
    /// The volumes.
    pub volumes: Vec<Wanted>,
    /// Put a volume of another image aside.
    pub replace: bool,
    /// `volmode` of a volume for which none is asked; that of its folder where this is none either.
    pub volmode: Option<&'static str>,
}

impl Present {
    /// What a job asks for; looks at the beginning of the image.
    ///
    /// # Errors
    /// Where the image cannot be read, or its name is not that of a volume.
    pub fn of(job: &Volumes) -> Result<Present> {
        let mut image = match job.image.guid {
            // Enough to know a volume by; to make one, the image must be there.
            Some(guid) if !job.image.src.exists() => Image::by_guid(&job.image, guid),
            _ => Image::of(&job.image)?,
        };
        if let Some(name) = job.golden.as_ref().and_then(|golden| golden.name.as_ref()) {
            image.name.clone_from(name);
        }
        let golden = job.golden.as_ref().map(|golden| golden.folder.child(&image.name));
        let golden = golden.transpose().map_err(Error::msg)?;
        Ok(Present {
            image,
            golden,
            volumes: job.volumes.clone(),
            replace: job.replace,
            volmode: device::VOLMODE,
        })
    }

    /// All datasets that this may change.
    pub fn names(&self) -> Vec<&DatasetName> {
        self.golden.iter().chain(self.volumes.iter().map(|wanted| &wanted.name)).collect()
    }

    /// All sizes that volumes made of the image are to have.
    pub fn sizes(&self) -> Vec<u64> {
        self.volumes.iter().filter_map(|wanted| wanted.volsize).collect()
    }

    /// `volmode` to set on a volume; none where it is its folder's.
    pub fn volmode<'a>(&self, wanted: &'a Wanted) -> Option<&'a str> {
        volmode_of(wanted, self.volmode)
    }
}

/// `volmode` to set on a volume, where `default` is set for those that ask for none.
pub fn volmode_of<'a>(wanted: &'a Wanted, default: Option<&'a str>) -> Option<&'a str> {
    wanted.properties.get("volmode").or(default)
}
