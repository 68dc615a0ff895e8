//! What was asked for, in terms of datasets.

use std::path::Path;

use ansible_module::Size;
use anyhow::{Error, Result, ensure};

use super::apply::From;
use super::name::DatasetName;
use super::properties::Properties;
use crate::image;
use crate::params::{Guid, Params};

/// The image, as far as its package and the first records of its stream tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Name to call it by in messages.
    pub name: String,
    /// Guid of the snapshot it ends at: its identity.
    pub guid: u64,
    /// Guid of the snapshot it applies to; 0 for a full image.
    pub fromguid: u64,
    /// Name of the image with that guid, where the package says it.
    pub parent: Option<String>,
    /// Bytes of the volume, where known before reading it all.
    pub volsize: Option<u64>,
    /// Block size of the volume in bytes, where known before reading it all.
    pub volblocksize: Option<u64>,
    /// Bytes of the unpacked stream, where known before reading it all.
    pub bytes: Option<u64>,
}

/// One volume to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its name.
    pub name: DatasetName,
    /// Bytes it should have; the image's own size where not given.
    pub volsize: Option<u64>,
    /// Properties it should have.
    pub properties: Properties,
}

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

/// FreeBSD's default lets GEOM taste what guests write to their disks.
pub const VOLMODE: Option<&str> = if cfg!(target_os = "freebsd") { Some("dev") } else { None };

impl Present {
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
        wanted.properties.get("volmode").or(self.volmode)
    }
}

/// What the options ask for, and where the image is; looks at the beginning of the image.
///
/// # Errors
/// Where options or the image are wrong.
pub fn from_params(params: &Params) -> Result<(Present, From)> {
    let src = params.src()?;
    let mut image = match params.guid {
        // Enough to know a volume by; to make one, the image must be there.
        Some(Guid(guid)) if !src.exists() => Image::by_guid(name_of(src), guid),
        _ => read_image(src)?,
    };
    if let Some(name) = &params.image {
        image.name.clone_from(name);
    }
    if let Some(Guid(expected)) = params.guid {
        ensure!(
            expected == image.guid,
            "{} holds the image with guid {}, expected {expected}: another image",
            src.display(),
            image.guid
        );
    }
    let golden =
        params.golden.as_ref().map(|folder| folder.child(&image.name)).transpose().map_err(Error::msg)?;
    let from = From { src: src.to_owned(), sha256: params.sha256.clone(), guid: image.guid };
    Ok((Present { image, golden, volumes: volumes(params), replace: params.replace, volmode: VOLMODE }, from))
}

fn read_image(src: &Path) -> Result<Image> {
    let found = image::Image::of(src)?;
    Ok(Image {
        name: name_of(src),
        guid: found.guid.0,
        fromguid: found.base.map_or(0, |guid| guid.0),
        parent: found.parent,
        volsize: found.volsize,
        volblocksize: found.volblocksize,
        bytes: found.bytes,
    })
}

impl Image {
    fn by_guid(name: String, guid: u64) -> Image {
        Image { name, guid, fromguid: 0, parent: None, volsize: None, volblocksize: None, bytes: None }
    }
}

/// `FreeBSD-14.2-RELEASE-ZFS-20G-20250515.pkg` is an image of that name without `.pkg`.
fn name_of(src: &Path) -> String {
    let mut name = src.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for suffix in [".gz", ".xz", ".zst", ".pkg", ".zfs"] {
        name.truncate(name.strip_suffix(suffix).map_or(name.len(), str::len));
    }
    name
}

fn volumes(params: &Params) -> Vec<Wanted> {
    let common = params.properties.clone().unwrap_or_default();
    let one = params.dataset.iter().map(|name| Wanted {
        name: name.clone(),
        volsize: size(params.volsize),
        properties: common.clone(),
    });
    let several = params.volumes.iter().flatten().map(|volume| Wanted {
        name: volume.dataset.clone(),
        volsize: size(volume.volsize.or(params.volsize)),
        properties: volume
            .properties
            .as_ref()
            .map_or_else(|| common.clone(), |own| common.overridden_by(own)),
    });
    one.chain(several).collect()
}

fn size(size: Option<Size>) -> Option<u64> {
    size.map(|Size(bytes)| bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_called_by_their_file() {
        let cases = [
            ("/i/demo-1.0-20261122.pkg", "demo-1.0-20261122"),
            ("/i/FreeBSD-14.2.zfs.zst", "FreeBSD-14.2"),
            ("plain", "plain"),
            ("/i/a.zfs", "a"),
        ];
        for (src, name) in cases {
            assert_eq!(name_of(Path::new(src)), name);
        }
    }
}
