// SPDX-License-Identifier: GPL-3.0-or-later

//! Archives made to do harm are refused, each for what it is, and before anything of them is used.
#![cfg(test)]

mod catalogues;
#[path = "../common/mod.rs"]
mod common;
mod members;
mod packages;
