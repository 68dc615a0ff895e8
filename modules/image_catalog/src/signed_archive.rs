// SPDX-License-Identifier: GPL-3.0-or-later

//! The archives `data.pkg` and `packagesite.pkg`: one member, and the signatures that stand before it.

use std::io::Read;

use anyhow::{Context, Result, bail, ensure};

use crate::compression::Decompressor;
use crate::members::Members;
use crate::signature::{KeyAndSignature, Signatures};

/// The largest catalogue archive to fetch, in bytes.
pub const ARCHIVE_LIMIT: u64 = 16 << 20;
/// The largest list of packages in such an archive, in bytes.
const LIST_LIMIT: u64 = 32 << 20;
/// What a list is that is larger than any list of images.
pub(crate) const OTHER_PACKAGES: &str =
    "it seems to be a repository of other packages; give images one of their own";
/// The largest signature or key in such an archive, in bytes.
const SIGNATURE_LIMIT: u64 = 64 << 10;
/// How many signatures an archive may hold, as in pkg.
const PAIR_LIMIT: usize = 8;

/// Takes the one member out of an archive, with the signatures before it.
pub(crate) fn unpack(archive: impl Read, wanted: &str) -> Result<(Vec<u8>, Signatures)> {
    let mut members = Members::new(Decompressor::new(archive.take(ARCHIVE_LIMIT + 1))?);
    let mut signatures = Signatures::default();
    let mut content = None;
    while let Some(member) = members.next()? {
        ensure!(content.is_none(), "member {:?} follows {wanted:?}, expected the end", member.path);
        let path = member.path.as_str();
        if path == wanted {
            ensure!(
                member.size <= LIST_LIMIT,
                "the list of packages in it has {} bytes, expected at most {LIST_LIMIT}: {OTHER_PACKAGES}",
                member.size
            );
            content = Some(members.content(&member, LIST_LIMIT)?);
        } else if path == "signature" {
            let signature = members.content(&member, SIGNATURE_LIMIT)?;
            ensure!(signatures.plain.replace(signature).is_none(), "member \"signature\" is there twice");
        } else if let Some(name) = path.strip_suffix(".sig") {
            let signature = members.content(&member, SIGNATURE_LIMIT)?;
            let pair = pair(&mut signatures, name)?;
            ensure!(pair.signature.is_empty(), "member {path:?} is there twice");
            pair.signature = signature;
        } else if let Some(name) = path.strip_suffix(".pub") {
            let public_key = members.content(&member, SIGNATURE_LIMIT)?;
            let pair = pair(&mut signatures, name)?;
            ensure!(pair.public_key.is_empty(), "member {path:?} is there twice");
            pair.public_key = public_key;
        } else {
            bail!("the archive holds the unknown member {path:?}");
        }
    }
    members.into_inner().finish()?;
    let incomplete =
        signatures.pairs.iter().find(|pair| pair.signature.is_empty() || pair.public_key.is_empty());
    if let Some(pair) = incomplete {
        bail!("the archive lacks one of {0}.sig and {0}.pub", pair.name);
    }
    let content = content.with_context(|| format!("the archive holds no member {wanted:?}"))?;
    Ok((content, signatures))
}

fn pair<'a>(signatures: &'a mut Signatures, name: &str) -> Result<&'a mut KeyAndSignature> {
    let index = match signatures.pairs.iter().position(|pair| pair.name == name) {
        Some(index) => index,
        None => {
            ensure!(
                signatures.pairs.len() < PAIR_LIMIT,
                "the archive holds more than {PAIR_LIMIT} signatures"
            );
            let (public_key, signature) = (Vec::new(), Vec::new());
            signatures.pairs.push(KeyAndSignature { name: name.to_owned(), public_key, signature });
            signatures.pairs.len() - 1
        }
    };
    Ok(&mut signatures.pairs[index])
}
