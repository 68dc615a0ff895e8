// SPDX-License-Identifier: GPL-3.0-or-later

//! Opens the source of an image. A packed disk is unpacked into a file of this run first, in check mode, too: only its content
//! tells which image it would be.

use std::env;
use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use zfs_command::SnapshotName;

use crate::params::{Format, Params, Wanted};
use crate::qemu_img;
use crate::source::{detect, open};
use crate::staging::Staged;

/// The source of an image, ready to be read.
pub enum Opened {
    /// A raw disk.
    Disk(Disk),
    /// A file that holds a stream.
    Stream(File),
    Snapshot(SnapshotName),
}

/// A raw disk, or the raw form of a packed one.
pub struct Disk {
    /// What is read.
    pub file: File,
    /// The file behind `file` where it is a copy that must go again.
    pub staged: Option<Staged>,
}

/// Opens the source of the image that is wanted, if one is.
pub fn prepare(params: &Params, wanted: &Wanted) -> Result<Option<Opened>> {
    match wanted {
        Wanted::Present { source, .. } => {
            let opened = opened(params, source).with_context(|| format!("looking at source {source}"))?;
            Ok(Some(opened))
        }
        Wanted::Absent(_) | Wanted::Pruned(_) => Ok(None),
    }
}

fn opened(params: &Params, source: &str) -> Result<Opened> {
    let path = Path::new(source);
    let format = detect(source, params.format)?;
    match format {
        Format::Stream => Ok(Opened::Stream(open(path)?)),
        Format::Snapshot => Ok(Opened::Snapshot(source.parse()?)),
        Format::Auto | Format::Raw | Format::Qcow2 => {
            ensure!(
                params.parent.is_none(),
                "option parent needs a stream or a snapshot as source: a disk does not know what it was made from"
            );
            // What is not a disk is refused here, whoever would read it then.
            let file = open(path)?;
            match format {
                Format::Qcow2 => unpacked(&params.path, path).map(Opened::Disk),
                _ => Ok(Opened::Disk(Disk { file, staged: None })),
            }
        }
    }
}

/// The raw form of a qcow2 disk. Where the catalogue will be is room for it; a check before there is one has less choice.
fn unpacked(folder: &Path, qcow2: &Path) -> Result<Disk> {
    let temporary = env::temp_dir();
    let staged = Staged::new(if folder.is_dir() { folder } else { &temporary })?;
    qemu_img::convert(qcow2, staged.path())?;
    Ok(Disk { file: staged.reopen()?, staged: Some(staged) })
}
