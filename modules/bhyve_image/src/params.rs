//! Options of the modules, strictly typed.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::repository::Repository;
use crate::vouched::Demand;
use ansible_module::Seconds;
use anyhow::{Context, Result};
use image_catalog::name::ImageName;
use image_catalog::signature::{Fingerprints, SignatureType, Trust, load_public_key};
use image_catalog::transport::Location;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use zfs_command::DatasetName;

/// Declares the options of a module that reads a catalogue: its own, and those that say where the catalogue is, how to
/// get there and what makes it believable.
macro_rules! options {
    ($(#[$doc:meta])* $name:ident { $($own:tt)* }) => {
        $(#[$doc])*
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($own)*
            repository: Option<Location>,
            #[serde(default)]
            signature_type: SignatureType,
            pubkey: Option<PathBuf>,
            fingerprints: Option<PathBuf>,
            ssh_key: Option<PathBuf>,
            ssh_known_hosts: Option<PathBuf>,
            #[serde(default)]
            ssh_args: Option<Vec<String>>,
            ca_path: Option<PathBuf>,
            #[serde(default = "default_timeout")]
            timeout: Seconds,
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
            fn trust(&self) -> TrustOptions {
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
    }
}

impl Params {
    /// Who has to have vouched for an image, given the catalogue that is named, if one is.
    ///
    /// # Errors
    /// Where a key that is named cannot be read.
    pub fn demand(&self, repository: Option<&Repository>) -> Result<Demand> {
        match repository {
            Some(repository) => Ok(Demand::of(repository)),
            None => Demand::of_any(&self.trust()),
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

/// Where a catalogue is, how to get there, and what makes it believable.
#[derive(Clone, Debug)]
pub struct Access {
    /// The place.
    pub location: Location,
    /// What must have signed it.
    pub trust: TrustOptions,
    /// How ssh is run.
    pub ssh: SshOptions,
    /// A PEM file with the authorities that https trusts instead of the host's own.
    pub ca_path: Option<PathBuf>,
    /// How long the other side may be silent.
    pub timeout: Seconds,
}

/// What must have signed a catalogue.
#[derive(Clone, Debug)]
pub struct TrustOptions {
    /// The kind of signature.
    pub signature_type: SignatureType,
    /// The public key.
    pub pubkey: Option<PathBuf>,
    /// The folder of fingerprints.
    pub fingerprints: Option<PathBuf>,
}

/// How ssh is run.
#[derive(Clone, Debug, Default)]
pub struct SshOptions {
    /// The private key; ssh's own choice where absent.
    pub key: Option<PathBuf>,
    /// The file of known hosts; ssh's own where absent.
    pub known_hosts: Option<PathBuf>,
    /// More arguments.
    pub args: Vec<String>,
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

impl TrustOptions {
    /// Loads the keys or fingerprints.
    ///
    /// # Errors
    /// Where the option that names them is missing or what it names cannot be read.
    pub fn load(&self) -> Result<Trust> {
        match self.signature_type {
            SignatureType::None => Ok(Trust::Anyone),
            SignatureType::Pubkey => {
                let path = needed(self.pubkey.as_deref(), "pubkey", "a file with the public key")?;
                Ok(Trust::PublicKey(Box::new(load_public_key(path)?)))
            }
            SignatureType::Fingerprints => {
                let text = "a folder with `trusted` and `revoked` in it";
                let path = needed(self.fingerprints.as_deref(), "fingerprints", text)?;
                Fingerprints::load(path).map(Trust::Fingerprints)
            }
        }
    }
}

fn needed<'a>(path: Option<&'a Path>, option: &str, what: &str) -> Result<&'a Path> {
    path.with_context(|| {
        format!(
            "option `{option}` is missing: signature_type {option} needs {what}; \
             signature_type none takes a catalogue from anyone"
        )
    })
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
