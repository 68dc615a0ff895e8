// SPDX-License-Identifier: GPL-3.0-or-later

//! Where a catalogue is, how to get there, and what makes it believable.

use std::path::{Path, PathBuf};

use ansible_module::Seconds;
use anyhow::{Context, Result};
use image_catalog::signature::{Fingerprints, SignatureType, Trust, load_public_key};
use image_catalog::transport::Location;

/// All of that.
#[derive(Clone, Debug, PartialEq)]
pub struct Access {
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
#[derive(Clone, Debug, PartialEq)]
pub struct TrustOptions {
    /// The kind of signature.
    pub signature_type: SignatureType,
    pub pubkey: Option<PathBuf>,
    /// The folder of fingerprints.
    pub fingerprints: Option<PathBuf>,
}

/// How ssh is run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SshOptions {
    /// The private key; ssh's own choice where absent.
    pub key: Option<PathBuf>,
    /// The file of known hosts; ssh's own where absent.
    pub known_hosts: Option<PathBuf>,
    /// More arguments.
    pub args: Vec<String>,
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
