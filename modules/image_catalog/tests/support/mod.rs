//! Parts shared by the tests of this crate.

pub mod web;
