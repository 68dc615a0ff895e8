// SPDX-License-Identifier: GPL-3.0-or-later

//! Names of datasets and snapshots, checked before any of them reaches a command line.

use std::fmt;
use std::str::FromStr;

use anyhow::{anyhow, bail, ensure};
use serde::{Deserialize, Serialize};

/// Name of the snapshot that holds an image as it was received.
pub const IMAGE_SNAPSHOT: &str = "image";

/// First letters of the last component of a volume that is not finished.
const UNFINISHED: &str = ".new-";

/// ZFS takes 255 bytes (`ZFS_MAX_DATASET_NAME_LEN` without its NUL), and FreeBSD 255 for `zvol/NAME` (`SPECNAMELEN`).
/// Room is kept for what is added on the way: `.new-`, `.old-YYYYMMDDTHHMMSSZ`, `@image` and a partition's suffix.
const LONGEST: usize = 220;

/// `zfs_max_dataset_nesting` of OpenZFS.
const DEEPEST: usize = 50;

/// A volume or its folder: `POOL/FOLDER/NAME`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct DatasetName(String);

impl DatasetName {
    /// The dataset this one stands in; `None` for a pool.
    pub fn parent(&self) -> Option<DatasetName> {
        self.0.rsplit_once('/').map(|(parent, _)| DatasetName(parent.to_owned()))
    }

    /// The dataset `name` in this one.
    ///
    /// # Errors
    /// Where the whole is not a valid name.
    pub fn child(&self, name: &str) -> Result<DatasetName, String> {
        if name.contains('/') {
            return Err(format!("{name:?} is not the name of a volume: expected one without '/'"));
        }
        DatasetName::try_from(format!("{self}/{name}"))
    }

    /// Where this volume is put together before it gets its name.
    pub fn unfinished(&self) -> String {
        match self.0.rsplit_once('/') {
            Some((parent, last)) => format!("{parent}/{UNFINISHED}{last}"),
            None => format!("{UNFINISHED}{}", self.0),
        }
    }

    /// The name that keeps a replaced volume; `moment` as `20261122T181500Z`.
    pub fn kept(&self, moment: &str) -> String {
        format!("{}.old-{moment}", self.0)
    }

    /// The name of the snapshot that holds the image.
    pub fn image(&self) -> String {
        format!("{}@{IMAGE_SNAPSHOT}", self.0)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DatasetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<DatasetName> for String {
    fn from(name: DatasetName) -> String {
        name.0
    }
}

impl TryFrom<String> for DatasetName {
    type Error = String;

    /// Accepts what `zfs_namecheck.c` of OpenZFS accepts, less what hurts later: `zfs receive` takes `.` and `..`, after which
    /// the pool can no longer be listed (2.3.9), and a blank makes the device link differ from the name.
    fn try_from(name: String) -> Result<Self, String> {
        let refuse = |why: String| Err(format!("{name:?} is not the name of a dataset: {why}"));
        if name.len() > LONGEST {
            return refuse(format!(
                "expected at most {LONGEST} bytes so that ZFS and device nodes can hold it, found {}",
                name.len()
            ));
        }
        if name.split('/').count() > DEEPEST {
            return refuse(format!("expected at most {DEEPEST} components"));
        }
        for component in name.split('/') {
            let Some(first) = component.chars().next() else {
                return refuse("found an empty component; expected POOL/FOLDER/NAME".to_owned());
            };
            if !first.is_ascii_alphanumeric() {
                return refuse(format!(
                    "expected every component to start with a letter or digit, found {component:?}"
                ));
            }
            if let Some(bad) = component.chars().find(|c| !(c.is_ascii_alphanumeric() || "-_.:".contains(*c)))
            {
                return refuse(format!("expected letters, digits and -_.: only, found {bad:?}"));
            }
        }
        Ok(DatasetName(name))
    }
}

/// A snapshot: `DATASET@SNAPSHOT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotName {
    text: String,
    dataset: DatasetName,
}

impl SnapshotName {
    /// The dataset it is one of.
    pub fn dataset(&self) -> &DatasetName {
        &self.dataset
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for SnapshotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for SnapshotName {
    type Err = anyhow::Error;

    /// Takes what may be said of both halves as one of a [`DatasetName`]'s.
    fn from_str(text: &str) -> anyhow::Result<Self> {
        let Some((dataset, snapshot)) = text.split_once('@') else {
            bail!("{text:?} is not the name of a snapshot: expected DATASET@SNAPSHOT")
        };
        let valid =
            |name: &str| DatasetName::try_from(name.to_owned()).map_err(|why| anyhow!("in {text:?}: {why}"));
        ensure!(
            !snapshot.contains('/') && valid(snapshot).is_ok(),
            "{text:?} is not the name of a snapshot: expected letters, digits and -_.: after the @, a letter or digit first"
        );
        Ok(SnapshotName { text: text.to_owned(), dataset: valid(dataset)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_zfs_and_the_device_tree_can_hold() {
        for name in [
            "tank/vm/web1",
            "tank/images/FreeBSD-14.2-RELEASE-ZFS-20G-20250515",
            "z/a:b_c.d-e",
            "tank/1",
            "t",
        ] {
            assert_eq!(DatasetName::try_from(name.to_owned()).unwrap().as_str(), name);
        }
        let deep = format!("t{}", "/a".repeat(49));
        DatasetName::try_from(deep).unwrap();
        DatasetName::try_from("t/".to_owned() + &"a".repeat(218)).unwrap();
    }

    #[test]
    fn refused_names_say_why() {
        let cases = [
            ("", r#""" is not the name of a dataset: found an empty component; expected POOL/FOLDER/NAME"#),
            (
                "tank/",
                r#""tank/" is not the name of a dataset: found an empty component; expected POOL/FOLDER/NAME"#,
            ),
            (
                "tank//a",
                r#""tank//a" is not the name of a dataset: found an empty component; expected POOL/FOLDER/NAME"#,
            ),
            (
                "tank/.",
                r#""tank/." is not the name of a dataset: expected every component to start with a letter or digit, found ".""#,
            ),
            (
                "tank/../x",
                r#""tank/../x" is not the name of a dataset: expected every component to start with a letter or digit, found "..""#,
            ),
            (
                "-r",
                r#""-r" is not the name of a dataset: expected every component to start with a letter or digit, found "-r""#,
            ),
            (
                "tank/.new-a",
                r#""tank/.new-a" is not the name of a dataset: expected every component to start with a letter or digit, found ".new-a""#,
            ),
            (
                "tank/a b",
                r#""tank/a b" is not the name of a dataset: expected letters, digits and -_.: only, found ' '"#,
            ),
            (
                "tank/a@b",
                r#""tank/a@b" is not the name of a dataset: expected letters, digits and -_.: only, found '@'"#,
            ),
            (
                "tank/a%recv",
                r#""tank/a%recv" is not the name of a dataset: expected letters, digits and -_.: only, found '%'"#,
            ),
            (
                "tank/\u{e9}",
                "\"tank/\u{e9}\" is not the name of a dataset: expected every component to start with a letter or digit, found \"\u{e9}\"",
            ),
            (
                "tank/a\n",
                r#""tank/a\n" is not the name of a dataset: expected letters, digits and -_.: only, found '\n'"#,
            ),
        ];
        for (name, error) in cases {
            assert_eq!(DatasetName::try_from(name.to_owned()).unwrap_err(), error);
        }
        let long = DatasetName::try_from("t/".to_owned() + &"a".repeat(219)).unwrap_err();
        assert!(
            long.ends_with("expected at most 220 bytes so that ZFS and device nodes can hold it, found 221"),
            "{long}"
        );
        let deep = DatasetName::try_from(format!("t{}", "/a".repeat(50))).unwrap_err();
        assert!(deep.ends_with("expected at most 50 components"), "{deep}");
    }

    #[test]
    fn what_is_added_still_fits() {
        let name = DatasetName::try_from("t/".to_owned() + &"a".repeat(LONGEST - 2)).unwrap();
        assert!(name.kept("20261122T181500Z").len() + "@image".len() <= 255);
        assert!(name.unfinished().len() + "@image-99".len() <= 255);
        assert!("zvol/".len() + name.kept("20261122T181500Z").len() <= 255);
    }

    #[test]
    fn relatives() {
        let name = DatasetName::try_from("tank/vm/web1".to_owned()).unwrap();
        assert_eq!(name.parent().unwrap().as_str(), "tank/vm");
        assert_eq!(name.unfinished(), "tank/vm/.new-web1");
        assert_eq!(name.image(), "tank/vm/web1@image");
        assert!(name.parent().unwrap().child("../x").is_err());
        assert_eq!(name.parent().unwrap().child("a").unwrap().as_str(), "tank/vm/a");
    }

    #[test]
    fn only_names_of_snapshots_are_taken() {
        let name: SnapshotName = "tank/vm/a.b@2026-11-22_x:1".parse().unwrap();
        assert_eq!(name.dataset().as_str(), "tank/vm/a.b");
        for text in [
            "tank/vm",
            "tank//vm@x",
            "tank/../vm@x",
            "-tank@x",
            "tank@",
            "@x",
            "tank@x@y",
            "tank@x y",
            "tank@-i",
            "t@a/b",
        ] {
            let error = text.parse::<SnapshotName>().unwrap_err().to_string();
            assert!(error.contains(&format!("{text:?}")), "{error}");
        }
    }
}
