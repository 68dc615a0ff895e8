// SPDX-License-Identifier: GPL-3.0-or-later

//! A stream on its way out of `zfs send`.

use std::io::{self, PipeReader, Read};

use ansible_module::{Command, Running};
use anyhow::{Context, Result};

use crate::problem::judge;

/// A stream without content: its first and its last record, of 312 bytes each (`dmu_replay_record_t`).
const EMPTY: u64 = 2 * 312;

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

    /// Whether it has nothing to send; ends it at the first byte of anything.
    ///
    /// # Errors
    /// Where the command failed.
    pub fn is_empty(mut self) -> Result<bool> {
        let read = io::copy(&mut (&mut self.stream).take(EMPTY + 1), &mut io::sink());
        if read.context("reading what zfs sends")? > EMPTY {
            return Ok(false);
        }
        self.finish().map(|()| true)
    }
}
