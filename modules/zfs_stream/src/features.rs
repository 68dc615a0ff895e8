// SPDX-License-Identifier: GPL-3.0-or-later

//! Feature flags of a stream's BEGIN record, and which of them a reader of plain volumes must refuse.

use anyhow::{Result, bail};

/// Feature flags as they stand in versioninfo, shifted down (OpenZFS `zfs_ioctl.h`, `DMU_BACKUP_FEATURE_*`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features(u64);

impl Features {
    pub(crate) const SA_SPILL: Features = Features(1 << 2);
    pub(crate) const EMBED_DATA: Features = Features(1 << 16);
    pub(crate) const LZ4: Features = Features(1 << 17);
    pub(crate) const LARGE_BLOCKS: Features = Features(1 << 19);
    pub(crate) const COMPRESSED: Features = Features(1 << 22);
    pub(crate) const LARGE_DNODE: Features = Features(1 << 23);
    pub(crate) const ZSTD: Features = Features(1 << 25);
    pub(crate) const HOLDS: Features = Features(1 << 26);
    pub(crate) const SWITCH_TO_LARGE_BLOCKS: Features = Features(1 << 27);
    pub(crate) const LONGNAME: Features = Features(1 << 28);
    pub(crate) const LARGE_MICROZAP: Features = Features(1 << 29);

    const KNOWN: u64 = Self::SA_SPILL.0
        | Self::EMBED_DATA.0
        | Self::LZ4.0
        | Self::LARGE_BLOCKS.0
        | Self::COMPRESSED.0
        | Self::LARGE_DNODE.0
        | Self::ZSTD.0
        | Self::HOLDS.0
        | Self::SWITCH_TO_LARGE_BLOCKS.0
        | Self::LONGNAME.0
        | Self::LARGE_MICROZAP.0;

    const REFUSED: [(u64, &str); 4] = [
        (1 << 24, "encrypted raw stream: cannot be read without its keys; send it without -w"),
        (1 << 21, "redacted stream: parts of the volume are missing; send it without --redact"),
        (1 << 20, "continuation of an interrupted transfer, not a complete image; send it anew, without -t"),
        (0b11, "deduplicated stream: convert it with 'zstream redup'"),
    ];

    /// Whether blocks may travel compressed, as `zfs send -c` sends them.
    pub fn compressed(self) -> bool {
        self.0 & Self::COMPRESSED.0 != 0
    }

    /// From the versioninfo of a BEGIN record.
    pub(crate) fn of_versioninfo(versioninfo: u64) -> Features {
        Features(versioninfo >> 2)
    }

    /// The versioninfo of a substream with these features.
    pub(crate) fn substream_versioninfo(self) -> u64 {
        1 | self.0 << 2
    }

    /// Whether every flag of `other` is set.
    pub fn has(self, other: Features) -> bool {
        self.0 & other.0 == other.0
    }

    /// The flags as a number, as `zstream dump` prints them.
    pub fn bits(self) -> u64 {
        self.0
    }

    pub(crate) fn require(self, needed: Features, name: &str) -> Result<()> {
        if !self.has(needed) {
            bail!("needs the feature {name}, which the stream does not announce (features {:#x})", self.0);
        }
        Ok(())
    }

    pub(crate) fn refuse_unreadable(self) -> Result<()> {
        if let Some((_, why)) = Self::REFUSED.iter().find(|(bits, _)| self.0 & bits != 0) {
            bail!("{why}");
        }
        let unknown = self.0 & !Self::KNOWN;
        if unknown != 0 {
            let bits: Vec<String> =
                (0..62).filter(|bit| unknown >> bit & 1 == 1).map(|b| b.to_string()).collect();
            bail!("unknown feature flags {}: made by a newer ZFS than this reader knows", bits.join(", "));
        }
        Ok(())
    }
}
