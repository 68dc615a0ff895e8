// SPDX-License-Identifier: GPL-3.0-or-later

//! Options of the modules, strictly typed.

use std::fmt;
use std::marker::PhantomData;
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
            pub(crate) repository: Option<Mirrors>,
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
            /// The catalogue, where one is named, at each of its places.
            pub fn access(&self) -> Option<Vec<Access>> {
                let Mirrors(locations) = self.repository.as_ref()?;
                let access = |location: &Location| Access {
                    location: location.clone(),
                    trust: self.trust(),
                    ssh: SshOptions {
                        key: self.ssh_key.clone(),
                        known_hosts: self.ssh_known_hosts.clone(),
                        args: self.ssh_args.clone().unwrap_or_default(),
                    },
                    ca_path: self.ca_path.clone(),
                    timeout: self.timeout,
                };
                Some(locations.iter().map(access).collect())
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
        /// Whether to take a catalogue that was replaced by a newer one before.
        #[serde(default)]
        pub allow_older: bool,
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
        /// Whether to take a catalogue that was replaced by a newer one before.
        #[serde(default)]
        pub allow_older: bool,
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
        let expected = "a name of an image, or a list of names";
        deserializer.deserialize_any(Several { expected, one: "name", of: PhantomData }).map(Names)
    }
}

/// The places of one catalogue, without repetition, in the order in which they are tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirrors(pub Vec<Location>);

impl<'de> Deserialize<'de> for Mirrors {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expected = "the place of a catalogue, or a list of places";
        let texts: Vec<String> =
            deserializer.deserialize_any(Several { expected, one: "place", of: PhantomData })?;
        // Not within the list: what is wrong with the only place is wrong with the option.
        let places = texts.into_iter().map(Location::try_from).collect::<Result<_>>();
        places.map(Mirrors).map_err(D::Error::custom)
    }
}

/// Reads one thing, or a list of some without repetition.
struct Several<T> {
    expected: &'static str,
    one: &'static str,
    of: PhantomData<T>,
}

impl<'de, T> Visitor<'de> for Several<T>
where
    T: Deserialize<'de> + PartialEq + TryFrom<String>,
    T::Error: fmt::Display,
{
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Vec<T>, E> {
        T::try_from(text.to_owned()).map(|one| vec![one]).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut found = Vec::new();
        while let Some(one) = list.next_element()? {
            if !found.contains(&one) {
                found.push(one);
            }
        }
        if found.is_empty() {
            return Err(A::Error::custom(format!("expected at least one {}, found none", self.one)));
        }
        Ok(found)
    }
}
