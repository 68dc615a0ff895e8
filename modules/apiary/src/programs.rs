// SPDX-License-Identifier: GPL-3.0-or-later

//! The programs that are in this one, by name.

use std::process::ExitCode;

use ansible_module::Arguments;
#[cfg(any(feature = "clocks", feature = "domains", feature = "images"))]
use ansible_module::answer;
#[cfg(any(feature = "domains", feature = "images"))]
use ansible_module::answer_each;
#[cfg(feature = "images")]
use ansible_module::answer_guests;
use anyhow::Result;
#[cfg(feature = "images")]
use zfs_receive::{info, moving, snapshot, swap};

/// What runs as a module, with arguments that have been read.
pub type Module = fn(Result<Arguments>) -> ExitCode;

/// What reads the words of the command line itself.
pub type Command = fn() -> ExitCode;

/// Guests that are worked on side by side: as many as a daemon talks to at once. Most of them are waited for.
#[cfg(any(feature = "domains", feature = "images"))]
const AT_ONCE: usize = 20;

const MODULES: &[(&str, Module)] = &[
    #[cfg(feature = "images")]
    ("bhyve_catalog", |arguments| answer(arguments, bhyve_catalog::module)),
    #[cfg(feature = "images")]
    ("bhyve_catalog_key", |arguments| answer(arguments, bhyve_catalog::key)),
    #[cfg(feature = "images")]
    ("bhyve_catalog_mirror", |arguments| answer(arguments, bhyve_image::mirror)),
    #[cfg(feature = "images")]
    ("bhyve_image", |arguments| answer_guests(arguments, bhyve_image::module, bhyve_image::guests)),
    #[cfg(feature = "images")]
    ("bhyve_image_info", |arguments| answer(arguments, bhyve_image::info)),
    #[cfg(feature = "images")]
    ("guest_seed", |arguments| answer_each(arguments, AT_ONCE, guest_seed::module)),
    #[cfg(feature = "domains")]
    ("libvirt_domain", |arguments| {
        libvirt_domain::leave(answer_each(arguments, AT_ONCE, libvirt_domain::module))
    }),
    #[cfg(feature = "domains")]
    ("libvirt_domain_info", |arguments| libvirt_domain::leave(answer(arguments, libvirt_domain::info))),
    #[cfg(all(feature = "domains", feature = "looks"))]
    ("libvirt_host_info", |arguments| libvirt_domain::leave(answer(arguments, crate::looks::module))),
    #[cfg(feature = "clocks")]
    ("ntpd_check", |arguments| answer(arguments, ntpd_check::module)),
    #[cfg(feature = "images")]
    ("volume_stream", |arguments| answer_guests(arguments, moving::module, moving::guests)),
    #[cfg(feature = "images")]
    ("zfs_receive", |arguments| answer_guests(arguments, zfs_receive::module, zfs_receive::guests)),
    #[cfg(feature = "images")]
    ("zfs_receive_info", |arguments| answer(arguments, info::module)),
    #[cfg(feature = "images")]
    ("zfs_snapshot", |arguments| answer_guests(arguments, snapshot::module, snapshot::guests)),
    #[cfg(feature = "images")]
    ("zfs_snapshot_info", |arguments| answer_guests(arguments, snapshot::info, snapshot::info_guests)),
    #[cfg(feature = "images")]
    ("zfs_swap", |arguments| answer_guests(arguments, swap::module, swap::guests)),
];

const COMMANDS: &[(&str, Command)] = &[
    #[cfg(feature = "images")]
    ("bhyve_catalog_server", bhyve_catalog::server),
    #[cfg(feature = "clocks")]
    ("ntpd_check", ntpd_check::main),
];

/// The module called `name`.
pub fn module(name: &str) -> Option<Module> {
    MODULES.iter().find(|(known, _)| *known == name).map(|(_, module)| *module)
}

/// The command called `name`; it comes before a module of the same name.
pub fn command(name: &str) -> Option<Command> {
    COMMANDS.iter().find(|(known, _)| *known == name).map(|(_, command)| *command)
}

/// The names of all of them, sorted.
pub fn names() -> Vec<&'static str> {
    let commands = COMMANDS.iter().map(|(name, _)| *name);
    let mut names: Vec<_> = MODULES.iter().map(|(name, _)| *name).chain(commands).collect();
    names.sort_unstable();
    names.dedup();
    names
}
