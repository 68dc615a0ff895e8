//! Module `bhyve_image_info`. It lives beside `bhyve_image`, whose catalogue and store it lists.

pub use bhyve_image::info as module;
