//! Domains of libvirt: what the modules `libvirt_domain` and `libvirt_domain_info` are made of.

pub mod apply;
mod console;
pub mod definition;
pub mod details;
mod document;
mod errors;
pub mod guest;
pub mod hypervisor;
mod hypervisor_log;
pub mod instance;
mod last_lines;
mod module;
pub mod names;
pub mod observe;
pub mod params;
pub mod patience;
pub mod plan;
pub mod receipt;
mod shown;
mod start;
mod stopped;
mod wait;

pub use module::module;
