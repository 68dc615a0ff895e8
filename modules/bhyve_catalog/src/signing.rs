// SPDX-License-Identifier: GPL-3.0-or-later

//! What signs the catalogue, and what the catalogue at hand must be signed with.

use std::io::{Read, Seek, Write};
use std::process::Stdio;
use std::time::Duration;

use ansible_module::Tool;
use anyhow::{Context, Result, bail, ensure};
use image_catalog::digest::Sha256Hex;
use image_catalog::signature::{
    ExternalSignature, ExternalSigner, Fingerprints, PublicKey, SignatureType, Signing, Trust, load_key,
    load_public_key, parse_answer,
};
use image_catalog::signs::{is_there, signs};

use crate::page::Proof;
use crate::params::Params;

/// A hardware token may want to be touched.
const COMMAND_LIMIT: Duration = Duration::from_secs(300);

/// A signature and a key are far smaller.
const ANSWER_LIMIT: u64 = 1 << 20;

/// The signer, and the signatures it believes.
pub struct Signer {
    pub signing: Signing,
    /// Its own signature.
    pub own: Trust,
    /// Signatures of the key that was used before.
    pub previous: Option<Trust>,
    pub public_key: Option<PublicKey>,
}

impl Signer {
    /// What proves to a host that the catalogue is genuine.
    pub fn proof(&self) -> Result<Proof> {
        Ok(match (&self.own, self.fingerprint()?) {
            (Trust::PublicKey(_), Some(key)) => Proof::Key(key),
            (Trust::Fingerprints(_), Some(key)) => Proof::Fingerprint(key),
            _ => Proof::None,
        })
    }

    /// The fingerprint of the public key, as clients trust it.
    pub fn fingerprint(&self) -> Result<Option<Sha256Hex>> {
        match &self.public_key {
            Some(key) => Ok(Some(key.fingerprint()?)),
            None => Ok(None),
        }
    }
}

/// Loads keys. In check mode the key may be about to be made by the task before.
pub fn load(params: &Params, check_mode: bool) -> Result<Signer> {
    let is_to_come = params.signing_key.as_deref().map_or(anyhow::Ok(false), |path| Ok(!is_there(path)?))?;
    if check_mode && is_to_come && signs(&params.path)?.is_empty() {
        return Ok(Signer {
            signing: Signing::Unsigned,
            own: Trust::Anyone,
            previous: None,
            public_key: None,
        });
    }
    let given = params.pubkey.as_deref().map(load_public_key).transpose()?;
    if let Some(command) = &params.signing_command {
        return external(params, command, given);
    }
    let signing = match (params.signature_type, &params.signing_key) {
        (SignatureType::None, None) => Signing::Unsigned,
        (SignatureType::None, Some(_)) => bail!("option signing_key is given, but signature_type is none"),
        (_, None) => bail!(
            "option signing_key is needed: make one with bhyve_catalog_key, or set signature_type to none for a \
             catalogue that everybody who can write to it can change unnoticed"
        ),
        (SignatureType::Pubkey, Some(path)) => Signing::Pubkey(load_key(path)?),
        (SignatureType::Fingerprints, Some(path)) => Signing::Fingerprints(load_key(path)?),
    };
    let own = signing.trust()?.context("reading what the signing key is trusted for")?;
    let public_key = match &signing {
        Signing::Pubkey(key) | Signing::Fingerprints(key) => Some(key.public_key()),
        _ => None,
    };
    let previous = given.map(|key| trust_in(params.signature_type, key)).transpose()?;
    Ok(Signer { signing, own, previous, public_key })
}

fn external(params: &Params, command: &[String], public_key: Option<PublicKey>) -> Result<Signer> {
    ensure!(params.signing_key.is_none(), "options signing_key and signing_command exclude each other");
    ensure!(
        params.signature_type == SignatureType::Fingerprints,
        "option signing_command needs signature_type fingerprints: its answer brings the key along"
    );
    let [program, arguments @ ..] = command else { bail!("option signing_command is empty") };
    let public_key =
        public_key.context("option pubkey is needed with signing_command: the key that it signs with")?;
    let own = trust_in(SignatureType::Fingerprints, public_key.clone())?;
    let signer = SigningCommand { tool: Tool::find(program)?, arguments: arguments.to_vec() };
    let signing = Signing::External(Box::new(signer));
    Ok(Signer { signing, own, previous: None, public_key: Some(public_key) })
}

fn trust_in(signature_type: SignatureType, key: PublicKey) -> Result<Trust> {
    Ok(match signature_type {
        SignatureType::Pubkey => Trust::PublicKey(Box::new(key)),
        _ => Trust::Fingerprints(Fingerprints::trusting(key.fingerprint()?)),
    })
}

/// A command in pkg's protocol: the digest and a newline in, signature and key out.
struct SigningCommand {
    tool: Tool,
    arguments: Vec<String>,
}

impl ExternalSigner for SigningCommand {
    fn sign(&self, digest: &Sha256Hex) -> Result<ExternalSignature> {
        // A raw signature is not text, so it goes past what collects texts.
        let mut answer = tempfile::tempfile().context("making a temporary file")?;
        let stdout = answer.try_clone().context("making a temporary file")?;
        let command = self.tool.command().args(&self.arguments).time_limit(COMMAND_LIMIT);
        let mut running = command.stdin(Stdio::piped()).stdout(stdout).spawn()?;
        let mut stdin = running.take_stdin().context("writing to the signing command")?;
        let written = writeln!(stdin, "{digest}");
        drop(stdin);
        let finished = running.finish()?;
        if finished.rc() != 0 {
            return Err(finished.failure().into());
        }
        written.context("writing to the signing command")?;
        let reading = "reading the answer of the signing command";
        answer.rewind().context(reading)?;
        let mut bytes = Vec::new();
        answer.take(ANSWER_LIMIT).read_to_end(&mut bytes).context(reading)?;
        parse_answer(&bytes).context(reading)
    }
}
