// SPDX-License-Identifier: GPL-3.0-or-later

//! Writes the stream of a volume from a raw disk, in the record order that `zfs send` itself uses.

use crate::begin::check_toname;
use crate::emit::Emitter;
use crate::expect::{Length, Summary};
use crate::features::Features;
use crate::microzap;
use crate::record::HEADER;
use crate::sparse;
use crate::stream::BLOCK_SIZES;
use anyhow::{Context, Result, ensure};
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;

/// What a stream says besides the disk's content. The same disk and the same options give the same bytes.
#[derive(Clone, Debug)]
pub struct Image {
    /// Guid of the snapshot, which every receiver keeps: the identity of the image; not 0.
    pub guid: u64,
    /// When the snapshot was taken, in seconds since the epoch.
    pub creation_time: u64,
    /// Name of the snapshot, `pool/volume@snapshot`; receivers use it only where they are not told another.
    pub name: String,
    /// Block size of the volume in bytes: a power of two from 4 KiB to 1 MiB.
    pub volblocksize: u32,
}

/// Writes `disk` (a raw file or a disk device) as a full stream to `sink`; the volume is the disk padded to a whole block.
///
/// # Errors
/// Options that no receiver would take, an empty disk, and those of reading and writing.
pub fn write(disk: &File, sink: impl Write, image: &Image) -> Result<Summary> {
    let size = sparse::size(disk).context("reading the size of the disk")?;
    check(image, size)?;
    let volsize = size.next_multiple_of(u64::from(image.volblocksize));
    let features = if image.volblocksize > 128 << 10 { Features::LARGE_BLOCKS } else { Features::default() };
    let mut emitter = Emitter::new(sink, image.guid);
    emitter.begin(image, features)?;
    emitter.free_objects(0, 1)?;
    emitter.data_object(image.volblocksize, volsize)?;
    write_data(disk, size, image.volblocksize, &mut emitter)?;
    emitter.properties(&microzap::with_size(volsize))?;
    emitter.free_objects(3, 29)?;
    let Length { bytes, records } = emitter.end()?;
    Ok(Summary {
        toguid: image.guid,
        fromguid: 0,
        toname: image.name.clone(),
        creation_time: image.creation_time,
        features,
        volsize: Some(volsize),
        volblocksize: Some(image.volblocksize),
        bytes,
        records,
    })
}

fn check(image: &Image, size: u64) -> Result<()> {
    check_toname(&image.name)?;
    ensure!(image.guid != 0, "snapshot guid 0, which means 'no base': choose another");
    ensure!(
        image.volblocksize.is_power_of_two() && BLOCK_SIZES.contains(&image.volblocksize),
        "block size {}, a power of two from {} to {} expected",
        image.volblocksize,
        BLOCK_SIZES.start(),
        BLOCK_SIZES.end()
    );
    ensure!(size > 0, "the disk is empty");
    Ok(())
}

fn write_data<W: Write>(disk: &File, size: u64, volblocksize: u32, emitter: &mut Emitter<W>) -> Result<()> {
    let block_size = u64::from(volblocksize);
    let mut block = vec![0; HEADER + volblocksize as usize];
    let (mut offset, mut hole) = (0, 0);
    while let Some(data) = sparse::next_data(disk, offset, size).context("looking for data on the disk")? {
        offset = offset.max(data.start / block_size * block_size);
        while offset < data.end {
            let present = block_size.min(size - offset) as usize;
            let payload = &mut block[HEADER..];
            disk.read_exact_at(&mut payload[..present], offset)
                .with_context(|| format!("reading the disk at byte {offset}"))?;
            payload[present..].fill(0);
            if !sparse::is_zero(payload) {
                emitter.free(hole, offset)?;
                emitter.block(offset, &mut block)?;
                hole = offset + block_size;
            }
            offset += block_size;
        }
    }
    emitter.free(hole, size.next_multiple_of(block_size))
}
