// SPDX-License-Identifier: GPL-3.0-or-later

//! What a source may be.

use serde::Deserialize;

/// The kind of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Look at it.
    #[default]
    Auto,
    /// A raw disk: a file or a device.
    Raw,
    /// A qcow2 disk, which is unpacked first, as the following are.
    Qcow2,
    /// A VMDK disk.
    Vmdk,
    /// A VHD disk.
    Vhd,
    /// A VHDX disk.
    Vhdx,
    /// A VDI disk.
    Vdi,
    /// An archive with one disk.
    Ova,
    /// A file holding a ZFS send stream.
    Stream,
    /// A ZFS snapshot.
    Snapshot,
}

impl Format {
    /// As the option says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Raw => "raw",
            Self::Qcow2 => "qcow2",
            Self::Vmdk => "vmdk",
            Self::Vhd => "vhd",
            Self::Vhdx => "vhdx",
            Self::Vdi => "vdi",
            Self::Ova => "ova",
            Self::Stream => "stream",
            Self::Snapshot => "snapshot",
        }
    }
}
