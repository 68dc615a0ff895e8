// SPDX-License-Identifier: GPL-3.0-or-later

//! The options of `bhyve_catalog`, and what they come to for one image.

mod format;

use std::collections::BTreeMap;
use std::path::PathBuf;

use ansible_module::{Seconds, Size};
use anyhow::{Context, Result, ensure};
use image_catalog::arch::Arch;
use image_catalog::name::{ImageId, ImageName, ImageVersion};
use image_catalog::signature::SignatureType;
use serde::Deserialize;
use serde_json::Value;

pub use format::Format;

/// The block sizes that ZFS has for volumes, in bytes.
const BLOCK_SIZES: std::ops::RangeInclusive<u64> = 4 << 10..=1 << 20;

/// What the caller wants.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The folder that is the catalogue, or becomes one.
    pub path: PathBuf,
    /// The image's name, without its version.
    #[serde(default)]
    pub name: Option<ImageName>,
    /// The image's version, for all states but pruned.
    #[serde(default)]
    pub version: Option<ImageVersion>,
    /// Where the image comes from.
    #[serde(default)]
    pub source: Option<String>,
    /// The host that sends the source, a volume of a guest, to this program's standard input.
    #[serde(default)]
    pub source_host: Option<String>,
    /// What kind of thing the source is.
    #[serde(default)]
    pub format: Format,
    /// The checksum of the source, or the list that it is in.
    #[serde(default)]
    pub source_checksum: Option<String>,
    /// Where the signature of that list is, if it is not in it.
    #[serde(default)]
    pub source_signature: Option<String>,
    /// The file of the keys that may have signed that list.
    #[serde(default)]
    pub source_keyring: Option<PathBuf>,
    /// A PEM file with the authorities that https trusts instead of the host's own.
    #[serde(default)]
    pub ca_path: Option<PathBuf>,
    /// Block size of a volume made from a disk.
    #[serde(default = "default_volblocksize")]
    pub volblocksize: Size,
    /// The system in the image.
    #[serde(default)]
    pub os: Option<String>,
    /// The machines that it is for.
    #[serde(default)]
    pub arch: Option<Arch>,
    /// One line about the image.
    #[serde(default)]
    pub comment: Option<String>,
    /// Whom to write to.
    #[serde(default)]
    pub maintainer: Option<String>,
    /// A page about the image.
    #[serde(default)]
    pub www: Option<String>,
    /// What a guest needs.
    #[serde(default)]
    pub requirements: Option<Requirements>,
    /// Labels of the publisher's own, shown with the image.
    #[serde(default)]
    pub annotations: Option<BTreeMap<String, Value>>,
    /// The image an incremental stream builds on.
    #[serde(default)]
    pub parent: Option<ImageName>,
    /// How to compress the package.
    #[serde(default)]
    pub compression: CompressionKind,
    /// zstd's level.
    #[serde(default = "default_level")]
    pub compression_level: i32,
    /// Compressing threads, 0 for one per processor.
    #[serde(default)]
    pub compression_threads: u32,
    /// How clients are to check the signature.
    #[serde(default)]
    pub signature_type: SignatureType,
    /// The file of the private key that signs.
    #[serde(default)]
    pub signing_key: Option<PathBuf>,
    /// A command that signs instead.
    #[serde(default)]
    pub signing_command: Option<Vec<String>>,
    /// The public key that a signing command signs with, or that the catalogue was signed with before.
    #[serde(default)]
    pub pubkey: Option<PathBuf>,
    /// How long to wait for another publisher.
    #[serde(default = "default_lock_timeout")]
    pub lock_timeout: Seconds,
    /// How many versions of an image to keep.
    #[serde(default)]
    pub keep: Option<usize>,
    /// How many days to keep an image at least.
    #[serde(default)]
    pub keep_days: Option<i64>,
    /// Images that no pruning withdraws.
    #[serde(default)]
    pub keep_images: Option<Vec<ImageName>>,
    /// Whether the image is to be in the catalogue.
    #[serde(default)]
    pub state: State,
}

/// How to compress the package.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CompressionKind {
    /// zstd.
    #[default]
    Zstd,
    /// Not at all.
    None,
}

/// What to do about images in the catalogue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// The image is in the catalogue.
    #[default]
    Present,
    /// It is not.
    Absent,
    /// Old versions are not.
    Pruned,
}

/// What a guest needs.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirements {
    /// Memory.
    #[serde(default)]
    pub memory: Option<Size>,
    /// What boots it.
    #[serde(default)]
    pub loader: Option<String>,
    /// The disk device it has a driver for.
    #[serde(default)]
    pub disk_driver: Option<String>,
    /// The network device it has a driver for.
    #[serde(default)]
    pub network_driver: Option<String>,
}

/// What is wanted, with nothing missing that the state needs.
#[derive(Debug)]
pub enum Wanted {
    /// This image, from this source.
    Present {
        /// Its name and version.
        id: ImageId,
        /// Where it comes from.
        source: String,
        /// Labels.
        labels: BTreeMap<String, String>,
    },
    /// Not this image.
    Absent(ImageId),
    /// No more old versions than this.
    Pruned(Keep),
}

/// Which versions survive a pruning: as many as this of each image, and all that are younger than that.
#[derive(Debug)]
pub struct Keep {
    /// Only versions of this image are looked at.
    pub name: Option<ImageName>,
    /// The newest so many stay.
    pub versions: usize,
    /// What is younger than so many days stays.
    pub days: Option<i64>,
    /// These stay, too, by NAME-VERSION.
    pub images: Vec<ImageName>,
}

impl Params {
    /// Checks what belongs together.
    pub fn wanted(&self) -> Result<Wanted> {
        ensure!(self.path.is_absolute(), "option path is {}, expected an absolute path", self.path.display());
        match self.state {
            State::Present => self.wanted_image(),
            State::Absent => {
                ensure!(self.source.is_none(), "options source and state=absent exclude each other");
                Ok(Wanted::Absent(self.id()?))
            }
            State::Pruned => {
                ensure!(
                    self.version.is_none() && self.source.is_none(),
                    "state=pruned looks at all versions: leave out the options version and source"
                );
                let versions = self.keep.context("option keep is needed for state=pruned")?;
                ensure!(
                    versions > 0,
                    "option keep is 0, expected at least 1; withdraw single images with state=absent"
                );
                let images = self.keep_images.clone().unwrap_or_default();
                Ok(Wanted::Pruned(Keep { name: self.name.clone(), versions, days: self.keep_days, images }))
            }
        }
    }

    fn wanted_image(&self) -> Result<Wanted> {
        let id = self.id()?;
        let source = self.source.clone().context("option source is needed for state=present")?;
        let block_size = self.volblocksize.0;
        ensure!(
            block_size.is_power_of_two() && BLOCK_SIZES.contains(&block_size),
            "option volblocksize is {}, expected a power of two from 4K to 1M",
            self.volblocksize
        );
        ensure!(
            (1..=19).contains(&self.compression_level),
            "option compression_level is {}, expected 1 to 19",
            self.compression_level
        );
        ensure!(
            self.compression_threads <= 256,
            "option compression_threads is {}, expected at most 256",
            self.compression_threads
        );
        if self.source_host.is_some() {
            let same = self.format == Format::Auto && self.source_checksum.is_none() && self.parent.is_none();
            ensure!(
                same,
                "option source_host excludes format, source_checksum and parent: a guest's disk is what comes"
            );
        }
        if let Some(parent) = &self.parent {
            ensure!(
                parent.split().is_some(),
                "option parent is {parent}, expected the NAME-VERSION of an image in the catalogue"
            );
        }
        Ok(Wanted::Present { id, source, labels: self.labels()? })
    }

    /// Whose disk the image is made from, where it comes from another host.
    pub fn captured_from(&self) -> Option<String> {
        Some(format!("{}:{}", self.source_host.as_ref()?, self.source.as_ref()?))
    }

    fn id(&self) -> Result<ImageId> {
        let missing = |option: &str| format!("option {option} is needed for this state");
        let name = self.name.as_ref().with_context(|| missing("name"))?;
        let version = self.version.as_ref().with_context(|| missing("version"))?;
        ImageId::new(name.as_str(), version.as_str())
    }

    fn labels(&self) -> Result<BTreeMap<String, String>> {
        let label = |(key, value): (&String, &Value)| {
            ensure!(
                !key.is_empty()
                    && !key.starts_with("image_")
                    && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')),
                "option annotations has the key {key:?}, expected letters, digits, '_', '-' and '.', and no \
                 image_ in front: those are made from the other options"
            );
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Number(_) | Value::Bool(_) => value.to_string(),
                _ => anyhow::bail!("option annotations has no plain text under {key:?}"),
            };
            Ok((key.clone(), text))
        };
        self.annotations.iter().flatten().map(label).collect()
    }
}

fn default_volblocksize() -> Size {
    Size(64 << 10)
}

fn default_level() -> i32 {
    3
}

fn default_lock_timeout() -> Seconds {
    Seconds::new(3600)
}
