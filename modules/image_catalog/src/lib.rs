//! Image catalogues: pkg(8) repositories whose packages carry one ZFS send stream each.
//!
//! Reads what pkg 1.17 and later write, writes what they read, and verifies what they leave unchecked.

pub mod digest;
pub mod name;
pub mod path;
mod zbase32;
