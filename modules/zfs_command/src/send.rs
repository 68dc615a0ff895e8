// SPDX-License-Identifier: GPL-3.0-or-later

//! A stream on its way out of `zfs send`.

use std::io::{self, PipeReader};

use ansible_module::{Command, Running};
use anyhow::{Context, Result};

use crate::problem::judge;

/// A `zfs send` that runs. Dropping it ends it.
pub struct Sending {
    /// The stream.
    pub stream: PipeReader,
    command: Running,
}

impl Sending {
    pub(crate) fn start(command: Command) -> Result<Sending> {
        let (stream, end) = io::pipe().context("making a pipe")?;
        Ok(Sending { stream, command: command.stdout(end).spawn()? })
    }

    /// Waits for the end of the command, whose stream must have been read to its own.
    ///
    /// # Errors
    /// Where the command failed.
    pub fn finish(self) -> Result<()> {
        drop(self.stream);
        judge(self.command.finish()?).map(drop)
    }
}
