// SPDX-License-Identifier: GPL-3.0-or-later

//! Architectures of machines, by FreeBSD's names.

use std::env::consts::ARCH;
use std::fmt;

use anyhow::{Result, bail, ensure};
use serde::{Deserialize, Serialize};

/// What the guests of an image run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arch {
    /// 64-bit x86.
    Amd64,
    /// 64-bit Arm.
    Aarch64,
}

impl Arch {
    /// As annotations say it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Aarch64 => "aarch64",
        }
    }

    /// pkg's `abi` and `arch` of a package that any FreeBSD of this architecture may install.
    pub fn abi(self) -> (String, String) {
        let old = match self {
            Self::Amd64 => "x86:64",
            Self::Aarch64 => "aarch64:64",
        };
        (format!("FreeBSD:*:{}", self.as_str()), format!("freebsd:*:{old}"))
    }

    /// That of this host; none where no guest of either would run.
    pub fn of_host() -> Option<Self> {
        ARCH.parse().ok()
    }

    /// Whether this host may have an image. One that does not say for which machines it is, is for all.
    pub fn suits_host(arch: Option<Self>) -> bool {
        arch.is_none() || arch == Self::of_host()
    }

    /// Refuses an image for other machines than this host.
    ///
    /// # Errors
    /// Where it is one.
    pub fn refuse_other(arch: Option<Self>) -> Result<()> {
        match arch {
            Some(arch) => {
                ensure!(
                    Self::suits_host(Some(arch)),
                    "it is for machines of architecture {arch}, this host is {ARCH}"
                );
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl std::str::FromStr for Arch {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "amd64" | "x86_64" => Ok(Self::Amd64),
            "aarch64" | "arm64" => Ok(Self::Aarch64),
            _ => bail!("architecture {text:?} is not known, expected amd64 or aarch64"),
        }
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
