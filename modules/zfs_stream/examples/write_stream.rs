// SPDX-License-Identifier: GPL-3.0-or-later

//! Makes a stream from a raw disk: `write_stream DISK STREAM BLOCKSIZE`.

use std::fs::File;

use anyhow::{Context, Result, bail};
use zfs_stream::{Image, write};

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [disk, stream, volblocksize] = &words[..] else { bail!("usage: write_stream DISK STREAM BLOCKSIZE") };
    let volblocksize = volblocksize.parse().with_context(|| format!("block size {volblocksize:?}"))?;
    let image =
        Image { guid: 0x6170_6961_7279, creation_time: 0, name: "image@bench".to_owned(), volblocksize };
    let disk = File::open(disk).with_context(|| format!("opening {disk}"))?;
    let sink = File::create(stream).with_context(|| format!("creating {stream}"))?;
    write(&disk, sink, &image)?;
    Ok(())
}
