// SPDX-License-Identifier: GPL-3.0-or-later

//! `gpgv`: whether a vendor has signed a list, with a key that was named.

use std::fs;
use std::io::Write;
use std::path::Path;

use ansible_module::Tool;
use ansible_module::open::open_file;
use anyhow::{Context, Result, bail, ensure};
use data_encoding::BASE64;
use tempfile::NamedTempFile;

const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
const END: &str = "-----END PGP PUBLIC KEY BLOCK-----";

/// Gives the content of a list that one of the keys in `key` has signed: with a signature of its own, or in its text.
pub fn verified(list: &[u8], signature: Option<&[u8]>, key: &Path) -> Result<Vec<u8>> {
    let tool = Tool::find("gpgv")?;
    let folder = tempfile::tempdir().context("making a temporary folder")?;
    let at = |name: &str| folder.path().join(name);
    let write = |name: &str, bytes: &[u8]| fs::write(at(name), bytes).context("writing a temporary file");
    let ring = keyring(key)?;
    write("list", list)?;
    let command = tool
        .command()
        .args(["--status-fd", "1", "--homedir"])
        .arg(folder.path())
        .arg("--keyring")
        .arg(ring.path());
    let command = match signature {
        Some(signature) => {
            write("signature", signature)?;
            command.arg("--").arg(at("signature")).arg(at("list"))
        }
        None => {
            ensure!(
                list.starts_with(b"-----BEGIN PGP SIGNED MESSAGE-----"),
                "it has no signature in it: name the file that has it as source_signature"
            );
            command.arg("--output").arg(at("text")).arg("--").arg(at("list"))
        }
    };
    let found = command.output()?;
    let says = |word: &str| {
        found.stdout.lines().any(|line| line.strip_prefix("[GNUPG:] ").is_some_and(|it| it.starts_with(word)))
    };
    // Lists may be signed by several keys, of which one is known here. An expired or revoked one is not called good.
    if says("BADSIG ") || !says("GOODSIG ") || !says("VALIDSIG ") {
        let why = match () {
            () if says("BADSIG ") => {
                "its signature is wrong: the list was changed, or belongs to another one"
            }
            () if says("EXPKEYSIG ") || says("EXPSIG ") => "the key or its signature has expired",
            () if says("REVKEYSIG ") => "the key was revoked",
            () if says("NO_PUBKEY ") => "it is signed by another key",
            () => "gpgv does not take its signature",
        };
        bail!(
            anyhow::Error::new(found.failure()).context(format!("{why}, expected one of {}", key.display()))
        );
    }
    match signature {
        Some(_) => Ok(list.to_vec()),
        None => fs::read(at("text")).context("reading what gpgv has verified"),
    }
}

/// gpgv reads keys as they are kept, not as they are mailed.
fn keyring(key: &Path) -> Result<NamedTempFile> {
    let reading = || format!("reading the vendor's key {}", key.display());
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut open_file(key)?, &mut bytes).with_context(reading)?;
    let text = String::from_utf8_lossy(&bytes);
    if text.contains(BEGIN) {
        bytes = dearmored(&text).with_context(reading)?;
    }
    let mut ring = NamedTempFile::new().context("making a temporary file")?;
    ring.write_all(&bytes).context("writing a temporary file")?;
    Ok(ring)
}

/// The keys of all blocks in a text, which follow each other in a keyring as well.
fn dearmored(text: &str) -> Result<Vec<u8>> {
    let mut keys = Vec::new();
    for block in text.split(BEGIN).skip(1) {
        let (body, _) = block.split_once(END).context("a key in it has no end")?;
        // A head may stand before an empty line, and a sum of the whole behind the digits.
        let body = body.replace('\r', "");
        let digits = body.split_once("\n\n").map_or(body.as_str(), |(_, digits)| digits);
        let lines = digits.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('='));
        keys.extend(BASE64.decode(lines.collect::<String>().as_bytes()).context("a key in it is damaged")?);
    }
    Ok(keys)
}
