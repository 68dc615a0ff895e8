// SPDX-License-Identifier: GPL-3.0-or-later

//! The options of the module, as strict types.

mod blank;

use std::path::PathBuf;

use ansible_module::{Size, State};
use anyhow::{Result, bail, ensure};
use image_catalog::digest::Sha256Hex;
use serde::Deserialize;
use zfs_command::{DatasetName, Guid};

use crate::job::{Content, Golden, ImageContent, ImageFile, Job, RawFile, Volumes, Wanted};
use crate::properties::Properties;

/// What the caller asks for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The image: a stream, a compressed stream or an image package.
    pub src: Option<PathBuf>,
    /// SHA-256 of `src` as it is stored.
    pub sha256: Option<Sha256Hex>,
    /// Guid of the image's snapshot.
    pub guid: Option<Guid>,
    /// The raw file that is to be the volume.
    pub path: Option<PathBuf>,
    /// The ZFS volume, where there is ZFS.
    pub dataset: Option<DatasetName>,
    /// Several ZFS volumes of the same image.
    pub volumes: Option<Vec<Volume>>,
    /// Where golden volumes are kept.
    pub golden: Option<DatasetName>,
    /// Name of the golden volume in there; that of `src` without its suffixes where not given.
    pub image: Option<String>,
    /// ZFS properties of the volumes.
    pub properties: Option<Properties>,
    /// Size of the volume: the image's or larger.
    pub volsize: Option<Size>,
    /// Whether the volume is made empty, not from an image.
    #[serde(default)]
    pub blank: bool,
    /// Whether the volume is to be there.
    #[serde(default)]
    pub state: State,
    /// Whether another image may be replaced, the old volume being kept under a dated name.
    #[serde(default)]
    pub replace: bool,
    /// Whether a file that this module did not make may be replaced or removed.
    #[serde(default)]
    pub force: bool,
    /// Permissions of the raw file.
    #[serde(default)]
    pub mode: Mode,
}

/// One of several volumes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Volume {
    /// The ZFS volume.
    pub dataset: DatasetName,
    /// Its size, where it is not that of the others.
    pub volsize: Option<Size>,
    /// Its own ZFS properties, on top of those of all.
    pub properties: Option<Properties>,
}

impl Params {
    /// The one job that the options ask for.
    ///
    /// # Errors
    /// Where they ask for none, for more than one, or do not go together.
    pub fn job(self) -> Result<Job> {
        if self.blank {
            return blank::job(self);
        }
        let present = self.state == State::Present;
        ensure!(
            self.src.is_some() || !present,
            "option `src` is missing: expected the image to make the volume from, or `blank` for an empty one"
        );
        ensure!(
            self.image.is_none() || self.golden.is_some(),
            "option `image` names a golden volume: it goes with `golden`"
        );
        match (&self.path, &self.dataset, &self.volumes) {
            (Some(_), None, None) => {
                let content = self.image_content();
                self.raw_file(content).map(Job::RawFile)
            }
            (None, Some(_), None) | (None, None, Some(_)) => self.datasets(),
            (None, None, None) if present && self.golden.is_some() => self.datasets(),
            (None, None, None) => {
                bail!("options `path`, `dataset` and `volumes` are all missing: expected one of them")
            }
            _ => bail!(
                "more than one of the options `path`, `dataset` and `volumes` is given: expected one of them"
            ),
        }
    }

    /// The image, where it is wanted.
    fn image_file(&self) -> Option<ImageFile> {
        let src = self.src.clone().filter(|_| self.state == State::Present)?;
        Some(ImageFile { src, sha256: self.sha256.clone(), guid: self.guid })
    }

    fn image_content(&self) -> Option<Content> {
        let volsize = self.volsize.map(|size| size.0);
        let (replace, mode) = (self.replace, self.mode.0);
        self.image_file().map(|image| Content::Image(ImageContent { image, volsize, replace, mode }))
    }

    fn raw_file(self, content: Option<Content>) -> Result<RawFile> {
        let options = [
            ("golden", self.golden.is_some()),
            ("image", self.image.is_some()),
            ("properties", self.properties.is_some()),
        ];
        if let Some((name, _)) = options.iter().find(|(_, given)| *given) {
            bail!("option `{name}` goes with `dataset`, not with `path`");
        }
        let path = self.path.unwrap_or_default();
        let named = path.is_absolute() && path.file_name().is_some();
        ensure!(named, "option `path` is {}: expected the absolute path of a file", path.display());
        self.volsize.map_or(Ok(()), whole_sectors)?;
        Ok(RawFile { path, force: self.force, content })
    }

    fn datasets(self) -> Result<Job> {
        let image = self.image_file();
        let volumes = self.wanted();
        refuse_twins(&volumes)?;
        let Some(image) = image else {
            return Ok(Job::NoVolumes(volumes.into_iter().map(|volume| volume.name).collect()));
        };
        let golden = self.golden.map(|folder| Golden { folder, name: self.image });
        Ok(Job::Volumes(Volumes { image, golden, volumes, replace: self.replace }))
    }

    /// The ZFS volumes that are named.
    fn wanted(&self) -> Vec<Wanted> {
        let common = self.properties.clone().unwrap_or_default();
        let one = self.dataset.iter().map(|name| Wanted {
            name: name.clone(),
            volsize: self.volsize.map(|size| size.0),
            properties: common.clone(),
        });
        let several = self.volumes.iter().flatten().map(|volume| Wanted {
            name: volume.dataset.clone(),
            volsize: volume.volsize.or(self.volsize).map(|size| size.0),
            properties: volume.properties.as_ref().map_or(common.clone(), |own| common.overridden_by(own)),
        });
        one.chain(several).collect()
    }
}

fn whole_sectors(volsize: Size) -> Result<()> {
    let whole = volsize.0 > 0 && volsize.0.is_multiple_of(512) && i64::try_from(volsize.0).is_ok();
    ensure!(whole, "option `volsize` is {volsize}: expected whole sectors of 512 bytes");
    Ok(())
}

fn refuse_twins(volumes: &[Wanted]) -> Result<()> {
    let mut names: Vec<_> = volumes.iter().map(|volume| &volume.name).collect();
    names.sort();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => bail!("volume {} is asked for twice: every volume needs a name of its own", pair[0]),
        None => Ok(()),
    }
}

/// Permissions of a file, in octal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Mode(pub u32);

impl Default for Mode {
    /// A disk holds secrets: only its owner reads it.
    fn default() -> Self {
        Mode(0o600)
    }
}

impl TryFrom<String> for Mode {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match u32::from_str_radix(&text, 8) {
            Ok(mode) if mode <= 0o777 => Ok(Mode(mode)),
            _ => Err(format!("invalid mode {text:?}: expected octal digits up to 0777, as in 0640")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(json: &str) -> Result<&'static str, String> {
        let params: Params = serde_json::from_str(json).map_err(|error| error.to_string())?;
        let job = params.job().map_err(|error| error.to_string())?;
        Ok(match job {
            Job::RawFile(RawFile { content: Some(_), .. }) => "a file",
            Job::RawFile(_) => "no file",
            Job::Volumes(_) => "volumes",
            Job::Blank(_) => "an empty volume",
            Job::NoVolumes(_) => "no volumes",
        })
    }

    #[test]
    fn one_job_with_the_options_that_fit_it() {
        let table = [
            (r#"{"src": "/i.zfs", "path": "/v/web1"}"#, Ok("a file")),
            (r#"{"path": "/v/web1", "state": "absent", "src": null}"#, Ok("no file")),
            (r#"{"src": "i.zfs", "dataset": "tank/web1", "golden": "tank"}"#, Ok("volumes")),
            (r#"{"dataset": "tank/web1", "state": "absent"}"#, Ok("no volumes")),
            (
                r#"{"volumes": [{"dataset": "t/a"}, {"dataset": "t/a"}], "state": "absent"}"#,
                Err("volume t/a is asked for twice: every volume needs a name of its own"),
            ),
            (
                r#"{"path": "/v/web1"}"#,
                Err(
                    "option `src` is missing: expected the image to make the volume from, or `blank` for an empty one",
                ),
            ),
            (
                r#"{"src": "i"}"#,
                Err("options `path`, `dataset` and `volumes` are all missing: expected one of them"),
            ),
            (
                r#"{"src": "i", "path": "/v", "dataset": "t"}"#,
                Err(
                    "more than one of the options `path`, `dataset` and `volumes` is given: expected one of them",
                ),
            ),
            (
                r#"{"src": "i", "path": "/v/w", "golden": "tank"}"#,
                Err("option `golden` goes with `dataset`, not with `path`"),
            ),
            (
                r#"{"src": "i", "path": "v/w"}"#,
                Err("option `path` is v/w: expected the absolute path of a file"),
            ),
            (
                r#"{"src": "i", "path": "/v/.."}"#,
                Err("option `path` is /v/..: expected the absolute path of a file"),
            ),
            (
                r#"{"src": "i", "path": "/v/w", "volsize": 1000}"#,
                Err("option `volsize` is 1000: expected whole sectors of 512 bytes"),
            ),
        ];
        for (json, expected) in table {
            assert_eq!(job(json), expected.map_err(str::to_owned), "{json}");
        }
    }

    #[test]
    fn modes() {
        assert_eq!(Mode::try_from("0640".to_owned()), Ok(Mode(0o640)));
        for wrong in ["", "8", "1777", "rw"] {
            Mode::try_from(wrong.to_owned()).unwrap_err();
        }
    }
}
