//! `bhyve_catalog_mirror`: keeps a copy of another catalogue, and copies only what has changed there. It fetches as
//! `bhyve_image` does, whose code it shares.

pub use bhyve_image::mirror as module;
