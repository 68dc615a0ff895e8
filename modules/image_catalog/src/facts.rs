// SPDX-License-Identifier: GPL-3.0-or-later

//! What a catalogue knows of an image beyond pkg's own fields: annotations whose names start with `image_`.

use std::collections::BTreeMap;
use std::str::FromStr;

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;

use crate::arch::Arch;
use crate::digest::Sha256Hex;
use crate::name::ImageName;

/// The one value of `image_format`: a ZFS send stream of one volume.
pub const STREAM_FORMAT: &str = "zfs-stream";

/// The `image_` annotations of a package. Numbers are decimal text there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ImageFacts {
    /// `image_volsize`: bytes of the volume.
    pub volsize: u64,
    /// `image_volblocksize`: bytes of one of its blocks.
    pub volblocksize: u64,
    /// `image_guid`: the guid of the snapshot, which is the identity of the image.
    pub guid: u64,
    /// `image_fromguid`: for an incremental stream, the guid it builds on.
    pub fromguid: Option<u64>,
    /// `image_parent`: the NAME-VERSION of the image with that guid.
    pub parent: Option<ImageName>,
    /// `image_sha256`: the SHA-256 of the stream, uncompressed.
    pub sha256: Option<Sha256Hex>,
    /// `image_compression`: how the stream is compressed in the package, `none` or `zstd`.
    pub compression: Option<String>,
    /// `image_os`: the system in the image, such as `freebsd` or `debian-12`.
    pub os: Option<String>,
    /// `image_arch`: the machines it is for.
    pub arch: Option<Arch>,
    /// `image_source`: the checksum of the file that it was made from, where its publisher asked for one.
    pub source: Option<String>,
    /// `image_captured_from`: `HOST:VOLUME`, where it was made from the disk of a guest.
    pub captured_from: Option<String>,
    /// `image_min_memory`: bytes of memory a guest needs.
    pub min_memory: Option<u64>,
    /// `image_loader`: what boots it, such as `uefi` or `bhyveload`.
    pub loader: Option<String>,
    /// `image_disk_driver`: the disk device it has a driver for, such as `virtio-blk` or `nvme`.
    pub disk_driver: Option<String>,
    /// `image_network_driver`: the network device it has a driver for, such as `virtio-net`.
    pub network_driver: Option<String>,
}

impl ImageFacts {
    /// Reads the annotations of a package; an error says what is missing or wrong.
    pub fn from_annotations(annotations: &BTreeMap<String, String>) -> Result<Self> {
        match annotations.get("image_format").map(String::as_str) {
            Some(STREAM_FORMAT) => {}
            Some(other) => bail!("annotation image_format is {other:?}, expected {STREAM_FORMAT:?}"),
            None => bail!("annotation image_format is missing, so this package is not an image"),
        }
        let text = |key: &str| annotations.get(key).cloned();
        let facts = Self {
            volsize: required(annotations, "image_volsize")?,
            volblocksize: required(annotations, "image_volblocksize")?,
            guid: required(annotations, "image_guid")?,
            fromguid: number(annotations, "image_fromguid")?,
            parent: text("image_parent")
                .map(ImageName::try_from)
                .transpose()
                .context("annotation image_parent")?,
            sha256: text("image_sha256")
                .map(Sha256Hex::try_from)
                .transpose()
                .context("annotation image_sha256")?,
            compression: text("image_compression"),
            os: text("image_os"),
            arch: text("image_arch").map(|arch| arch.parse()).transpose().context("annotation image_arch")?,
            source: text("image_source"),
            captured_from: text("image_captured_from"),
            min_memory: number(annotations, "image_min_memory")?,
            loader: text("image_loader"),
            disk_driver: text("image_disk_driver"),
            network_driver: text("image_network_driver"),
        };
        ensure!(
            facts.volblocksize.is_power_of_two()
                && facts.volsize > 0
                && facts.volsize.is_multiple_of(facts.volblocksize),
            "annotations give a volume of {} bytes in blocks of {}, expected a multiple of a power of two",
            facts.volsize,
            facts.volblocksize
        );
        Ok(facts)
    }

    /// Spells the facts as annotations.
    pub fn to_annotations(&self) -> BTreeMap<String, String> {
        let number = |value: &Option<u64>| value.as_ref().map(u64::to_string);
        let pairs = [
            ("image_format", Some(STREAM_FORMAT.to_owned())),
            ("image_volsize", Some(self.volsize.to_string())),
            ("image_volblocksize", Some(self.volblocksize.to_string())),
            ("image_guid", Some(self.guid.to_string())),
            ("image_fromguid", number(&self.fromguid)),
            ("image_parent", self.parent.as_ref().map(ToString::to_string)),
            ("image_sha256", self.sha256.as_ref().map(ToString::to_string)),
            ("image_compression", self.compression.clone()),
            ("image_os", self.os.clone()),
            ("image_source", self.source.clone()),
            ("image_captured_from", self.captured_from.clone()),
            ("image_arch", self.arch.map(|arch| arch.to_string())),
            ("image_min_memory", number(&self.min_memory)),
            ("image_loader", self.loader.clone()),
            ("image_disk_driver", self.disk_driver.clone()),
            ("image_network_driver", self.network_driver.clone()),
        ];
        pairs.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
    }
}

fn required(annotations: &BTreeMap<String, String>, key: &str) -> Result<u64> {
    number(annotations, key)?.with_context(|| format!("annotation {key} is missing"))
}

fn number(annotations: &BTreeMap<String, String>, key: &str) -> Result<Option<u64>> {
    let parse = |text: &String| {
        u64::from_str(text).with_context(|| format!("annotation {key} is {text:?}, expected a number"))
    };
    annotations.get(key).map(parse).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn annotations(changes: &[(&str, Option<&str>)]) -> BTreeMap<String, String> {
        let facts = ImageFacts { volsize: 1 << 20, volblocksize: 16384, guid: 7, ..ImageFacts::default() };
        let mut all = facts.to_annotations();
        for (key, value) in changes {
            match value {
                Some(value) => all.insert((*key).to_owned(), (*value).to_owned()),
                None => all.remove(*key),
            };
        }
        all
    }

    #[test]
    fn facts_survive_as_annotations() {
        let facts = ImageFacts {
            volsize: 20 << 30,
            volblocksize: 65536,
            guid: u64::MAX,
            fromguid: Some(1),
            parent: Some("base-1".parse().unwrap()),
            sha256: Some(Sha256Hex::of(b"")),
            compression: Some("zstd".to_owned()),
            os: Some("freebsd".to_owned()),
            arch: Some(Arch::Aarch64),
            source: Some("sha256:0a".to_owned()),
            captured_from: Some("hv1:zroot/guests/web1".to_owned()),
            min_memory: Some(512 << 20),
            loader: Some("uefi".to_owned()),
            disk_driver: Some("nvme".to_owned()),
            network_driver: Some("virtio-net".to_owned()),
        };
        assert_eq!(ImageFacts::from_annotations(&facts.to_annotations()).unwrap(), facts);
    }

    #[test]
    fn says_what_is_missing_or_wrong() {
        for (change, expected) in [
            (("image_format", None), "annotation image_format is missing, so this package is not an image"),
            (("image_format", Some("raw")), "annotation image_format is \"raw\", expected \"zfs-stream\""),
            (("image_guid", None), "annotation image_guid is missing"),
            (
                ("image_guid", Some("-1")),
                "annotation image_guid is \"-1\", expected a number: invalid digit found in string",
            ),
            (
                ("image_volblocksize", Some("12288")),
                "annotations give a volume of 1048576 bytes in blocks of 12288, expected a multiple of a power of two",
            ),
            (
                ("image_volsize", Some("0")),
                "annotations give a volume of 0 bytes in blocks of 16384, expected a multiple of a power of two",
            ),
        ] {
            let error = ImageFacts::from_annotations(&annotations(&[change])).unwrap_err();
            assert_eq!(format!("{error:#}"), expected);
        }
    }
}
