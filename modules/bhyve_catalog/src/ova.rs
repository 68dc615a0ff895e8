// SPDX-License-Identifier: GPL-3.0-or-later

//! An OVA: a tar archive with a description of a guest, and its disks. That with one disk is that disk.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek};

use anyhow::{Context, Result, bail, ensure};
use tar::{Archive, EntryType};

use crate::staging::Staged;
use crate::sum::Summing;
use crate::unpack::{Failure, fill, room};

/// The largest list of checksums that is read, in bytes.
const SUMS_LIMIT: u64 = 64 << 10;
/// How many files an OVA may have.
const FILES: usize = 1000;
/// What disks are called.
const DISKS: [&str; 8] = ["vmdk", "vhd", "vhdx", "vdi", "qcow2", "img", "raw", "gz"];

/// What an archive holds.
#[derive(Default)]
struct Members {
    /// Whether there is the description of a guest.
    described: bool,
    disks: Vec<String>,
    /// Checksums by file.
    sums: BTreeMap<String, String>,
}

/// Puts the one disk of an OVA into the empty file `target`.
pub fn extract(ova: &File, target: &Staged) -> Result<()> {
    let members = members(ova).context("reading the archive")?;
    ensure!(
        members.described,
        "it is a tar archive, and no OVA: there is no description (.ovf) in it; unpack it, and name the disk that was in it"
    );
    let [disk] = &members.disks[..] else {
        bail!(
            "it is an OVA with {}, expected one disk: unpack it with tar, and publish each by itself",
            match members.disks.len() {
                0 => "no disk".to_owned(),
                _ => format!("the disks {}", members.disks.join(", ")),
            }
        )
    };
    copy(ova, disk, target).with_context(|| format!("unpacking {disk}"))?;
    match members.sums.get(disk) {
        Some(sum) => check(disk, sum, target),
        None => Ok(()),
    }
}

fn members(ova: &File) -> Result<Members> {
    let mut found = Members::default();
    let mut reader = ova;
    reader.rewind()?;
    for (number, entry) in Archive::new(reader).entries_with_seek()?.enumerate() {
        ensure!(number < FILES, "it has more than {FILES} files");
        let mut entry = entry.context("it is damaged, or cut short")?;
        if !is_file(entry.header().entry_type()) {
            continue;
        }
        let name = entry.path()?.display().to_string();
        let ending = name.rsplit_once('.').map_or(String::new(), |(_, ending)| ending.to_ascii_lowercase());
        match ending.as_str() {
            "ovf" => found.described = true,
            "mf" => {
                let mut text = String::new();
                entry
                    .by_ref()
                    .take(SUMS_LIMIT)
                    .read_to_string(&mut text)
                    .with_context(|| format!("reading {name}"))?;
                found.sums.extend(text.lines().filter_map(sum_of_line));
            }
            ending if DISKS.contains(&ending) => found.disks.push(name),
            _ => {}
        }
    }
    Ok(found)
}

fn is_file(kind: EntryType) -> bool {
    matches!(kind, EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse)
}

/// `SHA256(disk.vmdk)= 0a1b...`
fn sum_of_line(line: &str) -> Option<(String, String)> {
    let (name, sum) = line.split_once('(')?.1.rsplit_once(')')?;
    Some((
        name.to_owned(),
        sum.trim_start_matches('=').trim().trim_start_matches('=').trim().to_ascii_lowercase(),
    ))
}

fn copy(ova: &File, disk: &str, target: &Staged) -> Result<()> {
    let mut reader = ova;
    reader.rewind()?;
    for entry in Archive::new(reader).entries_with_seek()? {
        let entry = entry?;
        if entry.path()?.display().to_string() != disk || !is_file(entry.header().entry_type()) {
            continue;
        }
        let size = entry.size();
        let written = fill(entry, target.file(), room(target.file())?).map_err(|failure| match failure {
            Failure::Source(error) => error.into(),
            Failure::Target(error) => error,
        })?;
        ensure!(
            written == size,
            "the archive ends {} bytes before the end of it: it was cut short",
            size - written.min(size)
        );
        return Ok(());
    }
    bail!("it is not there any more")
}

fn check(disk: &str, sum: &str, target: &Staged) -> Result<()> {
    let Some(summing) = Summing::like(sum) else { return Ok(()) };
    let found = summing.of(target.reopen()?).context("reading what was unpacked")?;
    ensure!(
        found == sum,
        "{disk} has checksum {found}, the OVA says {sum}: the download is damaged, fetch it again"
    );
    Ok(())
}
