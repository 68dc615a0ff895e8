// SPDX-License-Identifier: GPL-3.0-or-later

//! Where records for data may stand: in rising order and apart, as whole blocks where ZFS takes no others, within the volume.

use crate::record::{TO_THE_END, end_of};
use anyhow::{Context, Result, ensure};

/// What the records for data in one stream have covered so far.
pub(crate) struct Layout {
    /// Where the last record ends, a hole or a block.
    last_end: u64,
    /// Where the last block ends.
    data_end: u64,
    /// From where on all that the base has is freed.
    freed_from: u64,
}

impl Layout {
    pub(crate) fn new() -> Layout {
        Layout { last_end: 0, data_end: 0, freed_from: u64::MAX }
    }

    /// Data, which do not reach beyond `limit`.
    pub(crate) fn place(&mut self, offset: u64, length: u64, limit: Option<u64>) -> Result<()> {
        let end = self.rise(offset, length)?;
        if let Some(limit) = limit {
            ensure!(end <= limit, "data up to byte {end}, beyond the expected volume size {limit}");
        }
        self.data_end = self.data_end.max(end);
        Ok(())
    }

    /// A hole.
    pub(crate) fn free(&mut self, offset: u64, length: u64, block_size: u64) -> Result<()> {
        let to_the_end = length == TO_THE_END;
        if to_the_end {
            // The FREE of everything beyond the last block comes first, out of order.
            ensure!(
                offset >= self.data_end,
                "frees all from byte {offset} on, but data up to byte {} stand before it",
                self.data_end
            );
            self.freed_from = self.freed_from.min(offset);
        } else {
            self.rise(offset, length)?;
        }
        // ZFS writes the rest of a block through a buffer. If the same block then comes as a whole, either may be what is left.
        ensure!(
            offset.is_multiple_of(block_size) && (to_the_end || length.is_multiple_of(block_size)),
            "frees a part of a block: {length} bytes at offset {offset}, in blocks of {block_size} bytes"
        );
        Ok(())
    }

    /// Records stand in rising order and none covers another, or it would matter when each is carried out.
    fn rise(&mut self, offset: u64, length: u64) -> Result<u64> {
        let last = self.last_end;
        ensure!(
            offset >= last,
            "offset {offset}, but the records before it reach to {last}: they must stand in rising order and apart"
        );
        self.last_end = end_of(offset, length).context("the record ends beyond every file")?;
        Ok(self.last_end)
    }

    /// Judges the size of the volume in the end; it had another one `before`.
    pub(crate) fn check_size(&self, size: u64, before: Option<u64>, block_size: Option<u32>) -> Result<()> {
        ensure!(size > 0 && size <= i64::MAX as u64, "volume size {size}, expected 1 to {}", i64::MAX);
        if let Some(block_size) = block_size {
            ensure!(
                size.is_multiple_of(u64::from(block_size)),
                "volume size {size} is not a multiple of the block size {block_size}"
            );
        }
        ensure!(self.data_end <= size, "data up to byte {}, beyond the volume size {size}", self.data_end);
        // ZFS keeps what stands beyond the end of a volume, and it is there again when the volume grows.
        ensure!(
            before.is_none_or(|before| before <= size || self.freed_from <= size),
            "the volume shrinks to {size} bytes, but what it had beyond them is not freed: make the stream anew"
        );
        Ok(())
    }
}

/// ZFS stores such a block as it comes, so it must be exactly one block.
pub(crate) fn whole_block(offset: u64, length: u64, block_size: u64) -> Result<()> {
    ensure!(
        length == block_size && offset.is_multiple_of(block_size),
        "block of {length} bytes at offset {offset}, expected a whole one of the volume's blocks of {block_size} bytes"
    );
    Ok(())
}
