// SPDX-License-Identifier: GPL-3.0-or-later

//! PEM blocks in a text: keys come with curve parameters before them, with attributes, or with themselves in words.

use data_encoding::BASE64;

const BEGIN: &str = "-----BEGIN ";
const CLOSE: &str = "-----";

/// A block and what it is called.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block<'a> {
    /// As in `EC PRIVATE KEY`.
    pub(super) label: &'a str,
    body: &'a str,
}

/// The blocks of a text, none where it is something else.
pub(super) fn blocks(bytes: &[u8]) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut rest = str::from_utf8(bytes).unwrap_or_default();
    while let Some(start) = rest.find(BEGIN) {
        rest = &rest[start + BEGIN.len()..];
        let Some((label, behind)) = rest.split_once(CLOSE) else { break };
        let Some((body, after)) = behind.split_once(&format!("-----END {label}-----")) else { break };
        blocks.push(Block { label, body });
        rest = after;
    }
    blocks
}

impl Block<'_> {
    /// Whether openssl has encrypted it in its old way, which leaves the label as it is.
    pub(super) fn is_encrypted(&self) -> bool {
        self.label.starts_with("ENCRYPTED ") || self.body.contains("4,ENCRYPTED")
    }

    /// What is in it.
    pub(super) fn der(&self) -> Option<Vec<u8>> {
        let digits: String = self.body.chars().filter(|c| !c.is_whitespace()).collect();
        BASE64.decode(digits.as_bytes()).ok()
    }
}
