//! Parts shared by the tests of this crate and of `bhyve_image`.
#![allow(dead_code, reason = "each test program uses its part")]

pub mod tls;
pub mod web;
