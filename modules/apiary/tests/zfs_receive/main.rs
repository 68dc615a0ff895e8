// SPDX-License-Identifier: GPL-3.0-or-later

//! The program as Ansible runs it: JSON in, one JSON reply out, and what it leaves on disk.
#![cfg(test)]
#![expect(clippy::disallowed_methods, reason = "the tests start the program they were built with")]

mod blank;
#[cfg(target_os = "linux")]
mod crashes;
mod present;
mod refused;
mod sources;
mod support;
