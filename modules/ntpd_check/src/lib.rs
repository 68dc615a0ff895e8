// SPDX-License-Identifier: GPL-3.0-or-later

//! Is this clock right, and if not, why? Reads OpenNTPD, chrony and others, judges, and repairs on request.

pub mod chrony;
pub mod cli;
mod compare;
pub mod daemon;
pub mod daemon_log;
pub mod evidence;
mod expected;
pub mod failure;
pub mod host;
pub mod judge;
pub mod judgement;
pub mod leap;
mod memory;
pub mod moment;
pub mod monitoring;
pub mod ntpctl;
pub mod ntpd_rs;
pub mod ntpq;
pub mod observe;
pub mod outputs;
pub mod params;
pub mod paste;
pub mod probe;
pub mod range;
pub mod repair;
pub mod report;
pub mod service;
pub mod session;
pub mod soft;
mod spoken;
pub mod state;
pub mod timesync;
pub mod verdict;
pub mod vet;

use std::process::ExitCode;

pub use session::module;

/// The program: a module where its first argument says where the options are, a monitoring check with flags otherwise.
pub fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().skip(1).collect();
    let by_ansible =
        args.first().is_some_and(|first| first == "-" || !first.to_string_lossy().starts_with('-'));
    if by_ansible { ansible_module::run(module) } else { cli::main(args) }
}
