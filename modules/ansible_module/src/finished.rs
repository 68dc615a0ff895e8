// SPDX-License-Identifier: GPL-3.0-or-later

//! How a command ended, and what it said.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use anyhow::Result;

/// A command that has ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The command as a person would type it.
    pub cmd: String,
    /// Exit status, or the signal that ended it.
    pub status: ExitStatus,
    /// Standard output, as text.
    pub stdout: String,
    /// The last 16 KiB of standard error.
    pub stderr: String,
}

impl Finished {
    /// Exit status as a shell shows it: 128 + signal for a killed command.
    pub fn rc(&self) -> i32 {
        self.status.code().unwrap_or_else(|| 128 + self.status.signal().unwrap_or(0))
    }

    /// The failure of this command, for a status that the caller does not accept.
    pub fn failure(self) -> CommandFailed {
        let rc = self.rc();
        // Some tools complain on stdout.
        let stderr = if self.stderr.trim().is_empty() { self.stdout } else { self.stderr };
        CommandFailed { cmd: self.cmd, rc, stderr }
    }

    pub(crate) fn expect_success(self) -> Result<Finished> {
        if self.status.success() { Ok(self) } else { Err(self.failure().into()) }
    }
}

/// A command that ended with another status than its caller accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandFailed {
    /// The command as a person would type it.
    pub cmd: String,
    /// Exit status as a shell shows it.
    pub rc: i32,
    /// What it complained about.
    pub stderr: String,
}

impl fmt::Display for CommandFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` exited with {}", self.cmd, self.rc)?;
        match self.stderr.trim() {
            "" => f.write_str(" and said nothing"),
            words => write!(f, ": {words}"),
        }
    }
}

impl std::error::Error for CommandFailed {}
