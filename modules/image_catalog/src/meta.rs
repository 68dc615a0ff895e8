// SPDX-License-Identifier: GPL-3.0-or-later

//! `meta.conf`: what form a repository has, and which of its archives list the packages.

use anyhow::{Context, Result, ensure};

use crate::path::RelativePath;
use crate::ucl;
use crate::web_page::refuse_web_page;

/// The largest `meta.conf` that is read, in bytes.
pub const META_LIMIT: u64 = 64 << 10;

/// What `meta.conf` says of the repository's form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    data: String,
    manifests: String,
    manifests_archive: String,
}

/// `meta.conf` as `pkg repo` writes it, and this crate too.
pub(crate) const META_TEXT: &str = concat!(
    "version = 2;\n",
    "packing_format = \"tzst\";\n",
    "manifests = \"packagesite.yaml\";\n",
    "data = \"data\";\n",
    "filesite = \"files\";\n",
    "manifests_archive = \"packagesite\";\n",
    "filesite_archive = \"files\";\n",
);

impl Meta {
    /// The file to fetch first.
    pub fn path() -> RelativePath {
        RelativePath::fixed("meta.conf")
    }

    /// What stood in its place in repositories of long ago, which are not read.
    pub fn path_of_old() -> RelativePath {
        RelativePath::fixed("meta.txz")
    }

    /// Whether its files are called as every writer calls them by default.
    pub fn is_usual(&self) -> bool {
        *self
            == Self {
                data: "data".to_owned(),
                manifests: "packagesite.yaml".to_owned(),
                manifests_archive: "packagesite".to_owned(),
            }
    }

    /// Reads `meta.conf`. It is not signed: it only names files, whose content is.
    pub fn parse(text: &[u8]) -> Result<Self> {
        let reading = "reading the repository's meta.conf";
        ensure!(text.len() as u64 <= META_LIMIT, "{reading}: it is larger than {META_LIMIT} bytes");
        refuse_web_page(text).context(reading)?;
        let values = ucl::parse(str::from_utf8(text).context(reading)?).context(reading)?;
        let version = values.get("version").map(String::as_str);
        ensure!(
            version == Some("2"),
            "{reading}: its version is {}, expected 2 as pkg 1.17 and later write",
            version.unwrap_or("missing")
        );
        let word = |key: &str, default: &str| {
            let value = values.get(key).map_or(default, String::as_str);
            let path: RelativePath = value.parse().with_context(|| format!("{reading}: key {key}"))?;
            ensure!(!path.as_str().contains('/'), "{reading}: key {key} is {value:?}, expected a file name");
            anyhow::Ok(value.to_owned())
        };
        Ok(Self {
            data: word("data", "data")?,
            manifests: word("manifests", "packagesite.yaml")?,
            manifests_archive: word("manifests_archive", "packagesite")?,
        })
    }

    /// The archives that list the packages, in the order in which to try to fetch them.
    pub fn sources(&self) -> Result<[Source; 2]> {
        let archive = |name: &str| RelativePath::try_from(format!("{name}.pkg"));
        Ok([
            Source { path: archive(&self.data)?, member: self.data.clone(), form: Form::Data },
            Source {
                path: archive(&self.manifests_archive)?,
                member: self.manifests.clone(),
                form: Form::Lines,
            },
        ])
    }
}

/// A file of the repository that lists its packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its path in the repository.
    pub path: RelativePath,
    pub(crate) member: String,
    pub(crate) form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// One JSON object with all packages.
    Data,
    /// One JSON object per line and package.
    Lines,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_in_its_place_is_called_one() {
        for page in ["<!DOCTYPE html>\n<title>Log in</title>", "\n <html>", "<?xml version=\"1.0\"?>"] {
            assert_eq!(
                format!("{:#}", Meta::parse(page.as_bytes()).unwrap_err()),
                "reading the repository's meta.conf: it is a web page: a network that wants a login, a proxy or an \
                 error page answered in its place"
            );
        }
    }
}
