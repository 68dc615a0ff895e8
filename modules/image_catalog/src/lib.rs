// SPDX-License-Identifier: GPL-3.0-or-later

//! Image catalogues: pkg(8) repositories whose packages carry one ZFS send stream each.
//!
//! Reads what pkg 1.17 and later write, writes what they read, and verifies what they leave unchecked.

pub mod arch;
pub mod archive;
pub mod archive_write;
pub mod catalogue;
pub mod catalogue_write;
pub mod compression;
pub mod digest;
mod entries;
pub mod facts;
pub mod manifest;
mod members;
pub mod meta;
pub mod name;
pub mod package;
pub mod path;
mod regular;
mod request;
pub mod serve;
pub mod signature;
pub mod signed_archive;
pub mod signs;
mod tar_write;
pub mod transport;
mod ucl;
mod version;
pub mod web_page;
mod zbase32;
