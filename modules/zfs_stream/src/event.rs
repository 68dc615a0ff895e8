// SPDX-License-Identifier: GPL-3.0-or-later

//! What records do to a volume.

/// What a record does to the volume.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A stream begins; a package may hold several.
    Begin,
    /// These bytes stand at this offset.
    Write {
        /// Where, in bytes.
        offset: u64,
        /// Unpacked data.
        data: &'a [u8],
    },
    /// This range reads as zeros.
    Free {
        /// Where, in bytes.
        offset: u64,
        /// Length in bytes; `u64::MAX` means to the end of the volume.
        length: u64,
    },
    /// A stream ends, and with it a snapshot is complete.
    End {
        /// Size of the volume from now on.
        volsize: Option<u64>,
    },
    /// The package ends.
    EndOfPackage,
    /// Nothing about the volume's content.
    Other,
}
