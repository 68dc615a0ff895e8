// SPDX-License-Identifier: GPL-3.0-or-later

//! BEGIN records: what opens a stream or a package, and which of them are not the stream of one volume.

use crate::features::Features;
use crate::nvlist::{Nvlist, Value};
use crate::record::{Header, MAGIC};
use anyhow::{Context, Result, bail, ensure};

const OBJSET_FILESYSTEM: u32 = 2;
const OBJSET_VOLUME: u32 = 3;
/// `DRR_FLAG_FREERECORDS` and `DRR_FLAG_SPILL_BLOCK`, which say how records are to be read and are set for every volume.
const READABLE_FLAGS: u32 = 1 << 2 | 1 << 3;
const FLAG_CLONE: u32 = 1;
const TONAME_AT: usize = 56;
const TONAME: usize = 256;

/// What the BEGIN record of a volume's stream says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begin {
    /// Guid of the snapshot the stream ends at.
    pub toguid: u64,
    /// Guid of the snapshot the stream applies to; 0 in a full stream.
    pub fromguid: u64,
    /// Name of the snapshot where it was sent, `pool/volume@snapshot`.
    pub toname: String,
    /// When the snapshot was taken, in seconds since the epoch.
    pub creation_time: u64,
    /// What the stream may hold besides plain blocks.
    pub features: Features,
    /// Whether it applies to a snapshot of another volume, whose clone its own is.
    pub is_clone: bool,
}

/// What the header of a package says; nothing for one made by `zfs send -I`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Package {
    /// Guid of the last snapshot in the package.
    pub toguid: Option<u64>,
}

pub(crate) enum Opening {
    Volume(Begin),
    Package(Package),
}

/// Checks the magic number alone, so that other data are called what they are.
pub(crate) fn check_magic(header: Header) -> Result<()> {
    let magic = header.u64(8);
    ensure!(magic != MAGIC.swap_bytes(), "big-endian stream: send it from a little-endian machine");
    ensure!(
        magic == MAGIC && header.u32(0) == 0,
        "not a ZFS send stream: it starts with record type {} and magic number {magic:#x}, \
         expected 0 and {MAGIC:#x}",
        header.u32(0)
    );
    Ok(())
}

/// Parses a whole BEGIN record.
pub(crate) fn parse(header: Header, payload: &[u8]) -> Result<Opening> {
    check_magic(header)?;
    let versioninfo = header.u64(16);
    let features = Features::of_versioninfo(versioninfo);
    features.refuse_unreadable()?;
    match versioninfo & 3 {
        1 => Ok(Opening::Volume(volume(header, features, payload)?)),
        2 => Ok(Opening::Package(package(header, payload)?)),
        other => bail!("stream type {other}, expected 1 (one stream) or 2 (package)"),
    }
}

fn volume(header: Header, features: Features, payload: &[u8]) -> Result<Begin> {
    match header.u32(32) {
        OBJSET_VOLUME => {}
        OBJSET_FILESYSTEM => bail!("stream of a filesystem, not of a volume: {}", toname(header)?),
        other => bail!("stream of an objset of type {other}, expected {OBJSET_VOLUME} (volume)"),
    }
    ensure!(
        payload.is_empty(),
        "{} bytes of properties, which no stream of a plain volume has",
        payload.len()
    );
    let flags = header.u32(36);
    let is_clone = flags & FLAG_CLONE != 0;
    ensure!(
        flags & !(READABLE_FLAGS | FLAG_CLONE) == 0,
        "flags {flags:#x} in its BEGIN record, expected none but {READABLE_FLAGS:#x}: not a stream of a volume, or of a newer ZFS"
    );
    let (toguid, fromguid) = (header.u64(40), header.u64(48));
    ensure!(
        toguid != 0,
        "snapshot guid 0, which means 'no base' elsewhere: make the stream with another guid"
    );
    ensure!(toguid != fromguid, "snapshot guid {toguid} is also its own base");
    let (toname, creation_time) = (toname(header)?, header.u64(24));
    Ok(Begin { toguid, fromguid, toname, creation_time, features, is_clone })
}

impl Begin {
    /// Refuses the stream of a clone, where nobody has asked for one.
    pub(crate) fn refuse_clone(&self) -> Result<()> {
        ensure!(
            !self.is_clone,
            "stream of a clone, which applies to a snapshot of another volume: send it without -i and without -R"
        );
        Ok(())
    }
}

fn toname(header: Header) -> Result<String> {
    let field: [u8; TONAME] = header.bytes(TONAME_AT);
    let end = field.iter().position(|byte| *byte == 0).context("snapshot name without an end")?;
    let name = str::from_utf8(&field[..end]).context("snapshot name is not UTF-8")?;
    check_toname(name)?;
    Ok(name.to_owned())
}

/// Refuses names that ZFS or a terminal could not take.
pub(crate) fn check_toname(name: &str) -> Result<()> {
    ensure!(name.len() < TONAME, "snapshot name of {} bytes, at most {} expected", name.len(), TONAME - 1);
    ensure!(!name.contains(char::is_control), "snapshot name {name:?} holds control characters");
    ensure!(name.contains('@'), "snapshot name {name:?} without '@'");
    Ok(())
}

fn package(header: Header, payload: &[u8]) -> Result<Package> {
    let guids = (header.u64(40), header.u64(48));
    ensure!(guids == (0, 0), "package header with snapshot guids {guids:?}, expected 0");
    if payload.is_empty() {
        return Ok(Package::default());
    }
    let list = Nvlist::parse(payload)?;
    let datasets = list.list("fss").context("package header does not list its datasets")?;
    match &datasets.0[..] {
        [(_, Value::List(dataset))] => {
            let snapshots = dataset.list("snaps").context("package header does not list its snapshots")?;
            let toguid = list.text("tosnap").and_then(|tosnap| snapshots.number(tosnap));
            Ok(Package { toguid: Some(toguid.context("package header does not name its last snapshot")?) })
        }
        several => bail!("package of {} datasets ({}): send one volume", several.len(), names(several)),
    }
}

fn names(datasets: &[(String, Value)]) -> String {
    const SHOWN: usize = 5;
    let names = datasets.iter().take(SHOWN).map(|(guid, value)| match value {
        Value::List(dataset) => dataset.text("name").unwrap_or(guid).escape_debug().to_string(),
        _ => guid.escape_debug().to_string(),
    });
    let mut names: Vec<String> = names.collect();
    if datasets.len() > SHOWN {
        names.push("...".to_owned());
    }
    names.join(", ")
}
