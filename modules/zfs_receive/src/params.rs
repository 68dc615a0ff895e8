//! The options of the module, as strict types.

use std::fmt;
use std::path::{Path, PathBuf};

use ansible_module::{Size, State};
use anyhow::{Context, Result, bail, ensure};
use image_catalog::digest::Sha256Hex;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::dataset::{DatasetName, Properties};

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

/// Where the volume is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'p> {
    RawFile(&'p Path),
    Datasets,
}

impl Params {
    /// The one target, and that the options fit it.
    pub fn target(&self) -> Result<Target<'_>> {
        if self.state == State::Present {
            ensure!(
                self.src.is_some(),
                "option `src` is missing: expected the image to make the volume from"
            );
        }
        ensure!(
            self.image.is_none() || self.golden.is_some(),
            "option `image` names a golden volume: it goes with `golden`"
        );
        let golden_alone = self.golden.is_some() && self.state == State::Present;
        match (&self.path, &self.dataset, &self.volumes) {
            (Some(path), None, None) => {
                self.check_raw_file(path)?;
                Ok(Target::RawFile(path))
            }
            (None, Some(_), None) | (None, None, Some(_)) => Ok(Target::Datasets),
            (None, None, None) if golden_alone => Ok(Target::Datasets),
            (None, None, None) => {
                bail!("options `path`, `dataset` and `volumes` are all missing: expected one of them")
            }
            _ => bail!(
                "more than one of the options `path`, `dataset` and `volumes` is given: expected one of them"
            ),
        }
    }

    /// The ZFS volumes that are named, each once.
    pub fn datasets(&self) -> Result<Vec<DatasetName>> {
        let several = self.volumes.iter().flatten().map(|volume| &volume.dataset);
        let mut names: Vec<DatasetName> = self.dataset.iter().chain(several).cloned().collect();
        names.sort();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            bail!("volume {} is asked for twice: expected every volume once", pair[0]);
        }
        Ok(names)
    }

    fn check_raw_file(&self, path: &Path) -> Result<()> {
        let options = [
            ("golden", self.golden.is_some()),
            ("image", self.image.is_some()),
            ("properties", self.properties.is_some()),
        ];
        if let Some((name, _)) = options.iter().find(|(_, given)| *given) {
            bail!("option `{name}` goes with `dataset`, not with `path`");
        }
        let named = path.is_absolute() && path.file_name().is_some();
        ensure!(named, "option `path` is {}: expected the absolute path of a file", path.display());
        if let Some(volsize) = self.volsize {
            let whole = volsize.0 > 0 && volsize.0.is_multiple_of(512) && i64::try_from(volsize.0).is_ok();
            ensure!(whole, "option `volsize` is {volsize}: expected whole sectors of 512 bytes");
        }
        Ok(())
    }

    /// The image, which `target` has found to be given where it is needed.
    pub fn src(&self) -> Result<&Path> {
        self.src.as_deref().context("option `src` is missing")
    }
}

/// The guid of a snapshot: the identity of an image. Text in JSON, where large numbers lose digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guid(pub u64);

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Guid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Guid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(GuidVisitor)
    }
}

struct GuidVisitor;

impl Visitor<'_> for GuidVisitor {
    type Value = Guid;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the guid of a snapshot as `zfs get -Hp guid` shows it, as in 7119270074782723516")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Guid, E> {
        Ok(Guid(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Guid, E> {
        match value.parse() {
            Ok(guid) if value.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Guid(guid)),
            _ => Err(E::invalid_value(serde::de::Unexpected::Str(value), &self)),
        }
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

    fn target(json: &str) -> Result<String, String> {
        let params: Params = serde_json::from_str(json).map_err(|error| error.to_string())?;
        params.target().map(|target| format!("{target:?}")).map_err(|error| error.to_string())
    }

    #[test]
    fn one_target_with_the_options_that_fit_it() {
        let table = [
            (r#"{"src": "/i.zfs", "path": "/v/web1"}"#, Ok(r#"RawFile("/v/web1")"#)),
            (r#"{"path": "/v/web1", "state": "absent", "src": null}"#, Ok(r#"RawFile("/v/web1")"#)),
            (r#"{"src": "i.zfs", "dataset": "tank/web1", "golden": "tank"}"#, Ok("Datasets")),
            (
                r#"{"path": "/v/web1"}"#,
                Err("option `src` is missing: expected the image to make the volume from"),
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
            assert_eq!(target(json), expected.map(str::to_owned).map_err(str::to_owned), "{json}");
        }
    }

    #[test]
    fn guids_and_modes() {
        let guid =
            |json: &str| serde_json::from_str::<Guid>(json).map(|guid| guid.0).map_err(|e| e.to_string());
        assert_eq!(guid("18446744073709551615"), Ok(u64::MAX));
        assert_eq!(guid(r#""7119270074782723516""#), Ok(7119270074782723516));
        for wrong in ["-1", r#""0x1""#, r#""+1""#, r#""""#, "1.5"] {
            assert!(guid(wrong).unwrap_err().contains("expected the guid of a snapshot"), "{wrong}");
        }
        assert_eq!(serde_json::to_string(&Guid(u64::MAX)).unwrap(), r#""18446744073709551615""#);
        assert_eq!(Mode::try_from("0640".to_owned()), Ok(Mode(0o640)));
        for wrong in ["", "8", "1777", "rw"] {
            Mode::try_from(wrong.to_owned()).unwrap_err();
        }
    }
}
