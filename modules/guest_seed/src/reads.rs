// SPDX-License-Identifier: GPL-3.0-or-later

//! The program that reads the seed in the guest, at its first boot.

use crate::params::{Family, Nuageinit, Params};
use crate::yaml::Reader;

/// The program that reads the seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// FreeBSD's own.
    Nuageinit(Nuageinit),
    /// Everybody else's.
    CloudInit,
}

impl Reads {
    /// The program of the guest that `params` describe.
    pub fn of(params: &Params) -> Reads {
        match params.family {
            Family::FreeBsd => Reads::Nuageinit(params.nuageinit),
            Family::Linux => Reads::CloudInit,
        }
    }

    /// Whether it reads a file network-config; otherwise the network is a part of the user data.
    pub fn network_config_file(self) -> bool {
        self != Reads::Nuageinit(Nuageinit::V14_1)
    }

    /// The YAML it takes.
    pub fn yaml(self) -> Reader {
        if self == Reads::Nuageinit(Nuageinit::V14_1) { Reader::WithoutEscapes } else { Reader::Full }
    }
}
