// SPDX-License-Identifier: GPL-3.0-or-later

//! Options of the modules, strictly typed.

use std::fmt;
use std::path::PathBuf;

use ansible_module::Seconds;
use anyhow::{Result, bail};
use image_catalog::name::ImageName;
use image_catalog::signature::SignatureType;
use image_catalog::transport::Location;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use zfs_command::DatasetName;
use zfs_receive::Place;

use crate::access::{Access, SshOptions, TrustOptions};

/// Declares the options of a module that reads a catalogue: its own, and those that say where the catalogue is, how to
/// get there and what makes it believable.
macro_rules! options {
    ($(#[$doc:meta])* $name:ident { $($own:tt)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($own)*
            pub(crate) repository: Option<Location>,
            #[serde(default)]
            pub(crate) signature_type: SignatureType,
            pub(crate) pubkey: Option<PathBuf>,
            pub(crate) fingerprints: Option<PathBuf>,
            pub(crate) ssh_key: Option<PathBuf>,
            pub(crate) ssh_known_hosts: Option<PathBuf>,
            #[serde(default)]
            pub(crate) ssh_args: Option<Vec<String>>,
            pub(crate) ca_path: Option<PathBuf>,
            #[serde(default = "default_timeout")]
            pub(crate) timeout: Seconds,
        }

        impl $name {
            /// The catalogue, where one is named.
            pub fn access(&self) -> Option<Access> {
                Some(Access {
                    location: self.repository.clone()?,
                    trust: self.trust(),
                    ssh: SshOptions {
                        key: self.ssh_key.clone(),
                        known_hosts: self.ssh_known_hosts.clone(),
                        args: self.ssh_args.clone().unwrap_or_default(),
                    },
                    ca_path: self.ca_path.clone(),
                    timeout: self.timeout,
                })
            }

            /// What must have signed it.
            pub(crate) fn trust(&self) -> TrustOptions {
                TrustOptions {
                    signature_type: self.signature_type,
                    pubkey: self.pubkey.clone(),
                    fingerprints: self.fingerprints.clone(),
                }
            }
        }
    };
}

options! {
    /// Options of `bhyve_image`.
    Params {
        /// The images, by NAME-VERSION or by NAME for the newest.
        pub name: Names,
        /// What is wanted of them.
        #[serde(default)]
        pub state: State,
        /// The folder that keeps images.
        #[serde(default = "default_store")]
        pub store: PathBuf,
        /// The ZFS volume of the guest that the image is for.
        pub dataset: Option<DatasetName>,
        /// The raw file of the guest that the image is for.
        pub path: Option<PathBuf>,
        /// Whether a guest is to be made from them; not an option, but known from the volumes that are there.
        #[serde(skip)]
        pub(crate) new_guest: bool,
    }
}

impl Params {
    /// The volume of the guest that the image is for.
    ///
    /// # Errors
    /// Where both kinds are named, or it would not be looked at.
    pub fn place(&self) -> Result<Option<Place>> {
        match (&self.dataset, &self.path) {
            (None, None) => Ok(None),
            _ if self.state != State::Present => {
                bail!("option `state` is not `present`: the options `dataset` and `path` go with that")
            }
            (Some(_), Some(_)) => {
                bail!("both of the options `dataset` and `path` are given: expected one of them")
            }
            (Some(dataset), None) => Ok(Some(Place::Dataset(dataset.clone()))),
            (None, path) => Ok(path.clone().map(Place::RawFile)),
        }
    }
}

options! {
    /// Options of `bhyve_image_info`.
    InfoParams {
        /// Only images with these names.
        pub name: Option<Names>,
        /// The folder that keeps images.
        #[serde(default = "default_store")]
        pub store: PathBuf,
        /// The ZFS file system that golden volumes are below.
        pub golden: Option<DatasetName>,
    }
}

options! {
    /// Options of `bhyve_catalog_mirror`.
    MirrorParams {
        /// The folder of the mirror.
        pub path: PathBuf,
        /// How long to wait for another run.
        #[serde(default = "default_lock_timeout")]
        pub lock_timeout: Seconds,
    }
}

/// What is wanted of an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// In the store, in whatever version answers to the name.
    #[default]
    Present,
    /// In the store as the catalogue has it now.
    Latest,
    /// Not in the store.
    Absent,
}

fn default_store() -> PathBuf {
    PathBuf::from("/var/db/apiary/images")
}

fn default_lock_timeout() -> Seconds {
    Seconds::new(3600)
}

fn default_timeout() -> Seconds {
    Seconds::new(30)
}

/// One name, or a list of names without repetition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names(pub Vec<ImageName>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NamesVisitor)
    }
}

struct NamesVisitor;

impl<'de> Visitor<'de> for NamesVisitor {
    type Value = Names;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name of an image, or a list of names")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Names, E> {
        text.parse().map(|name| Names(vec![name])).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Names, A::Error> {
        let mut names: Vec<ImageName> = Vec::new();
        while let Some(name) = list.next_element()? {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if names.is_empty() {
            Err(A::Error::custom("expected at least one name, found none"))
        } else {
            Ok(Names(names))
        }
    }
}
