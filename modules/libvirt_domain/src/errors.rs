// SPDX-License-Identifier: GPL-3.0-or-later

//! libvirt's errors, with what to do about those that we know.

use std::fmt::Display;

use anyhow::anyhow;
use virt::error::Error;

/// What to do about errors of libvirt, by phrases seen in libvirt 9 to 11.
const REMEDIES: [(&str, &str); 13] = [
    (
        "vm_open failed",
        "bhyve ended before it had the guest, which libvirt does not see: restart libvirtd, guests go on",
    ),
    (
        "the libvirt library could not be loaded",
        "install libvirt (Debian: libvirt-daemon-system; FreeBSD: libvirt)",
    ),
    ("has no function", "update libvirt"),
    ("Permission denied", "run the task as root (become: true), or as a member of the group libvirt"),
    ("authentication", "run the task as root (become: true), or as a member of the group libvirt"),
    (
        "Failed to connect socket",
        "start the daemon (Debian: systemctl start libvirtd; FreeBSD: service libvirtd start)",
    ),
    (
        "no connection driver available",
        "install this driver's daemon, or set the option `uri` to one that is there",
    ),
    (
        "could not find capabilities for",
        "install the emulator (Debian: qemu-system-x86); without KVM use type='qemu'",
    ),
    ("Cannot find suitable emulator", "install the emulator (Debian: qemu-system-x86)"),
    ("Cannot check QEMU binary", "install the emulator (Debian: qemu-system-x86), or correct <emulator>"),
    ("/dev/kvm", "load KVM, or use type='qemu'"),
    ("not supported by the connection driver", "this driver, or this version of libvirt, cannot do that"),
    ("unsupported flags", "this driver, or this version of libvirt, cannot do that"),
];

/// The error in libvirt's words, with what was being done before and what to do after it.
pub(crate) fn explained(error: &Error, doing: impl Display) -> anyhow::Error {
    let message = error.message();
    let remedy = REMEDIES.iter().find(|(phrase, _)| message.contains(phrase));
    match remedy {
        Some((_, remedy)) => anyhow!("{doing}: {message}; {remedy}"),
        None => anyhow!("{doing}: {message}"),
    }
}
