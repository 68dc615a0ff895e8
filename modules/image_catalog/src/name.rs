// SPDX-License-Identifier: GPL-3.0-or-later

//! Names of images: what pkg calls NAME-VERSION.

use std::fmt;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

pub use crate::version::ImageVersion;
use crate::version::LIMIT;

/// A word that names an image, either exactly (`demo-1.0-20261122`) or without its version (`demo-1.0`).
///
/// Letters, digits, `.`, `_` and `-`, starting with a letter or digit: what is at once a safe file name, a
/// path of a pkg repository and a ZFS dataset name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageName(String);

impl ImageName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Splits at the last `-` after which a version, that is a digit, begins: `demo-1.0-20261122` is
    /// `demo-1.0` and `20261122`. `None` where no version follows.
    pub fn split(&self) -> Option<ImageId> {
        let (name, version) = self.0.rsplit_once('-')?;
        let id = ImageId {
            name: ImageName::try_from(name.to_owned()).ok()?,
            version: ImageVersion::try_from(version.to_owned()).ok()?,
        };
        Some(id)
    }
}

impl TryFrom<String> for ImageName {
    type Error = anyhow::Error;

    fn try_from(text: String) -> Result<Self> {
        ensure!(
            !text.is_empty() && text.len() <= LIMIT,
            "image name {text:?} has {} characters, expected 1 to {LIMIT}",
            text.len()
        );
        ensure!(
            text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(is_name_character),
            "image name {text:?} is not made of letters, digits, '.', '_' and '-', starting with a letter or digit"
        );
        Ok(Self(text))
    }
}

impl std::str::FromStr for ImageName {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::try_from(text.to_owned())
    }
}

impl From<ImageName> for String {
    fn from(name: ImageName) -> Self {
        name.0
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// One image: its name and version, shown as `NAME-VERSION`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct ImageId {
    /// The name shared by all versions of the image.
    pub name: ImageName,
    /// The version, often a date.
    pub version: ImageVersion,
}

impl ImageId {
    /// Joins name and version, which together must still be an image name.
    pub fn new(name: &str, version: &str) -> Result<Self> {
        let id = Self { name: name.parse()?, version: ImageVersion::try_from(version.to_owned())? };
        ImageName::try_from(id.to_string())?;
        Ok(id)
    }

    /// Whether `wanted` means this image, exactly or by its base name.
    pub fn answers_to(&self, wanted: &ImageName) -> bool {
        self.name == *wanted || self.is_exactly(wanted)
    }

    /// Whether `wanted` is this image's NAME-VERSION.
    pub fn is_exactly(&self, wanted: &ImageName) -> bool {
        wanted
            .as_str()
            .strip_prefix(self.name.as_str())
            .and_then(|rest| rest.strip_prefix('-'))
            .is_some_and(|version| version == self.version.as_str())
    }
}

impl fmt::Display for ImageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.name, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_where_a_version_begins() {
        for (text, expected) in [
            ("demo-1.0-20261122", Some(("demo-1.0", "20261122"))),
            ("FreeBSD-14.2-RELEASE-ZFS-20G-20250515", Some(("FreeBSD-14.2-RELEASE-ZFS-20G", "20250515"))),
            ("demo-1.0", Some(("demo", "1.0"))),
            ("FreeBSD-14.2-RELEASE", None),
            ("demo", None),
        ] {
            let split = text.parse::<ImageName>().unwrap().split();
            let found = split.as_ref().map(|id| (id.name.as_str(), id.version.as_str()));
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn refuses_unsafe_names() {
        let shape = "is not made of letters, digits, '.', '_' and '-', starting with a letter or digit";
        for (text, expected) in [
            ("", "image name \"\" has 0 characters, expected 1 to 128".to_owned()),
            ("..", format!("image name \"..\" {shape}")),
            (".new-x", format!("image name \".new-x\" {shape}")),
            ("-rf", format!("image name \"-rf\" {shape}")),
            ("a/b", format!("image name \"a/b\" {shape}")),
            ("a b", format!("image name \"a b\" {shape}")),
            ("a\nb", format!("image name \"a\\nb\" {shape}")),
            ("ä", format!("image name \"ä\" {shape}")),
        ] {
            assert_eq!(text.parse::<ImageName>().unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn an_image_answers_to_its_full_and_its_base_name() {
        let id = ImageId::new("demo-1.0", "20261122").unwrap();
        let answers = |text: &str| id.answers_to(&text.parse().unwrap());
        assert!(answers("demo-1.0-20261122") && answers("demo-1.0"));
        assert!(!answers("demo") && !answers("demo-1.0-2026112") && !answers("demo-1.0x20261122"));
    }
}
