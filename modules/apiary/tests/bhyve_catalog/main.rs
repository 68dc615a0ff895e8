// SPDX-License-Identifier: GPL-3.0-or-later

//! The program as its callers run it: JSON in, one JSON reply out, and what is in the folder then.
#![cfg(test)]
#![expect(clippy::disallowed_methods, reason = "tests stand outside of the program and call it as others do")]

mod arriving;
#[cfg(target_os = "linux")]
mod crashes;
mod fetched;
mod forgotten;
mod key_change;
mod packed;
mod present;
mod pruned;
mod refused;
mod sources;
mod support;
mod warnings;
mod withdrawn;
