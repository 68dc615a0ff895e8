// SPDX-License-Identifier: GPL-3.0-or-later

//! A file that an image is read from, be it the source itself or a copy that goes with it.

use std::fs::File;

use anyhow::Result;

use crate::staging::Staged;

/// An open file, and what has to go again with it.
pub struct Held {
    /// What is read.
    pub file: File,
    /// The file behind `file` where it is a copy.
    pub staged: Option<Staged>,
}

impl Held {
    /// The copy, to be read from its start.
    pub fn copy(staged: Staged) -> Result<Self> {
        Ok(Self { file: staged.reopen()?, staged: Some(staged) })
    }
}
