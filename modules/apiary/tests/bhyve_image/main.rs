// SPDX-License-Identifier: GPL-3.0-or-later

//! The program as its callers run it, on copies of repositories that pkg has written.
#![cfg(test)]

mod configured;
#[cfg(target_os = "linux")]
mod crash;
mod damage;
mod guests;
mod mirrors;
mod options;
mod servers;
mod states;
mod support;
mod trust;
