// SPDX-License-Identifier: GPL-3.0-or-later

//! The checksum that a source must have, by the options.

use anyhow::{Context, Result, ensure};

use crate::address::Address;
use crate::checksum::Checksum;
use crate::gpgv;
use crate::params::Params;

/// The largest list or signature that is read, in bytes.
const LIST_LIMIT: u64 = 4 << 20;

/// Finds it out; `None` where none is asked for.
pub fn expected(params: &Params, source: &Address) -> Result<Option<Checksum>> {
    let Some(text) = &params.source_checksum else {
        ensure!(
            params.source_signature.is_none() && params.source_keyring.is_none(),
            "options source_signature and source_keyring are for the list that source_checksum names, which is missing"
        );
        return Ok(None);
    };
    if let Some(checksum) = Checksum::parse(text)? {
        ensure!(
            params.source_signature.is_none() && params.source_keyring.is_none(),
            "option source_checksum is a checksum itself: nothing is left to be signed, leave out source_signature and source_keyring"
        );
        return Ok(Some(checksum));
    }
    ensure!(
        params.source_signature.is_none() || params.source_keyring.is_some(),
        "option source_keyring is needed with source_signature: the file of the key that has signed"
    );
    let address = Address::parse(text)
        .context("option source_checksum is no checksum as in sha256:0a1b..., nor the place of a list")?;
    let found =
        in_list(params, &address, source).with_context(|| format!("taking the checksum from {address}"))?;
    Ok(Some(found))
}

fn in_list(params: &Params, address: &Address, source: &Address) -> Result<Checksum> {
    let ca_path = params.ca_path.as_deref();
    let mut list = address.read(LIST_LIMIT, ca_path)?;
    if let Some(keyring) = &params.source_keyring {
        let place = params.source_signature.as_deref().map(Address::parse).transpose()?;
        let signature = place.as_ref().map(|place| place.read(LIST_LIMIT, ca_path)).transpose()?;
        list = gpgv::verified(&list, signature.as_deref(), keyring)?;
    }
    Checksum::in_list(&String::from_utf8_lossy(&list), &source.file_name())
}
