// SPDX-License-Identifier: GPL-3.0-or-later

//! Domains of libvirt: what the modules `libvirt_domain` and `libvirt_domain_info` are made of.

mod activity;
mod apply;
mod autostart;
mod bhyve;
mod console;
mod definition;
mod details;
mod difference;
mod disks;
mod document;
mod errors;
mod former;
mod guest;
mod hypervisor;
mod hypervisor_log;
mod info;
mod instance;
mod kept;
mod last_lines;
mod module;
mod names;
mod nvram;
mod observe;
mod params;
mod patience;
mod plan;
mod receipt;
mod shown;
mod size;
mod start;
mod stopped;
mod turn;
mod uptime;
mod wait;

pub use info::{InfoParams, info};
pub use module::module;
pub use params::Params;
pub use patience::leave;
