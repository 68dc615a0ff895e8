// SPDX-License-Identifier: GPL-3.0-or-later

//! Raw files that move to another host. A file has no snapshots: it is sent as a whole, as the stream of a volume, while its guest is off.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use ansible_module::lock::Lock;
use ansible_module::open::open_file;
use ansible_module::{Reply, Task, files, identity, stream, workbench};
use anyhow::{Context, Result, ensure};
use nix::sys::statvfs::statvfs;
use serde_json::json;
use xattr::FileExt;
use zfs_command::Guid;
use zfs_stream::{Expect, Image, Reader, Replay};

use super::LOCK_LIMIT;
use super::identity::Mark;
use crate::marks;
use crate::moving::{Expected, Finished, Received, Sent};

/// Blocks of the stream: zeros of this size are left out of it.
const BLOCK: u32 = 64 << 10;

/// `st_blocks` counts these, whatever a block of the file system has.
const SECTOR: u64 = 512;

/// Marks that go with a file.
const OURS: [&str; 2] = [marks::VOLUME, marks::LINEAGE];

/// What else of a file goes with it, under these names beside the marks.
const MODE: &str = "mode";
const WRITTEN: &str = "mtime";

/// Looks at a file.
pub fn offer(path: &Path) -> Result<Reply> {
    let doing = || format!("looking at {}", path.display());
    let volume = match files::if_there(fs::symlink_metadata(path)).with_context(doing)? {
        None => json!({"there": false}),
        Some(found) => {
            ensure!(found.is_file(), "{}: expected a raw file or nothing", doing());
            json!({
                "there": true,
                "guid": guid(&found),
                "properties": properties(path, &found)?,
                "size": found.len(),
                "used": found.blocks() * SECTOR,
            })
        }
    };
    Ok(Reply::new(false).with("volume", volume))
}

/// What a file is known by as long as nobody writes to it.
fn guid(found: &Metadata) -> Guid {
    let (written, nanoseconds) = (found.mtime(), found.mtime_nsec());
    let text = format!("{}/{}/{}/{written}.{nanoseconds}", found.dev(), found.ino(), found.len());
    // 0 is no guid.
    Guid(identity::uuid_of(&text).as_u64_pair().0 | 1)
}

fn properties(path: &Path, found: &Metadata) -> Result<BTreeMap<String, String>> {
    let mut told = BTreeMap::from([
        (MODE.to_owned(), format!("{:o}", found.mode() & 0o777)),
        (WRITTEN.to_owned(), format!("{}.{:09}", found.mtime(), found.mtime_nsec())),
    ]);
    for mark in OURS {
        if let Some(value) = attribute(path, mark)? {
            told.insert(mark.to_owned(), value);
        }
    }
    Ok(told)
}

fn attribute(path: &Path, mark: &str) -> Result<Option<String>> {
    let name = marks::attribute(mark);
    let value =
        xattr::get(path, &name).with_context(|| format!("reading attribute {name} of {}", path.display()))?;
    Ok(value.map(|value| String::from_utf8_lossy(&value).into_owned()))
}

/// Sends a file to standard output.
pub fn send(path: &Path, wanted: &Sent, task: &mut Task) -> Result<Reply> {
    let doing = || format!("sending {}", path.display());
    let file = open_file(path)?;
    let unchanged = || {
        let found = guid(&file.metadata().with_context(doing)?);
        ensure!(
            found == wanted.guid,
            "{}: somebody has written to it since it was looked at; stop the guest and run this again",
            doing()
        );
        Ok(())
    };
    unchanged()?;
    let written = file.metadata().with_context(doing)?.mtime();
    let image = Image {
        guid: wanted.guid.0,
        creation_time: u64::try_from(written).unwrap_or_default(),
        name: "images/volume@image".to_owned(),
        volblocksize: BLOCK,
    };
    let summary = task.phase("send", |_| {
        let mut outlet = stream::outlet()?;
        let summary = zfs_stream::write(&file, &mut outlet, &image).with_context(doing)?;
        unchanged()?;
        stream::end(outlet)?;
        Ok::<_, anyhow::Error>(summary)
    })?;
    task.record_bytes("send", summary.bytes);
    Ok(Reply::new(false))
}

/// Sends a file to standard output as the stream of an image, which is known by when its guest has written to it last.
pub fn capture(path: &Path, task: &mut Task) -> Result<Reply> {
    let _lock = wait(path, task)?;
    let found = open_file(path)?.metadata().with_context(|| format!("capturing {}", path.display()))?;
    send(path, &Sent { snapshot: None, base: None, guid: guid(&found), take: false }, task)
}

/// Removes a file that has arrived elsewhere, where nothing has been written to it since.
pub fn give(path: &Path, wanted: Guid, task: &mut Task) -> Result<Reply> {
    let _lock = wait(path, task)?;
    let doing = || format!("giving {} away", path.display());
    let Some(found) = files::if_there(fs::symlink_metadata(path)).with_context(doing)? else {
        return Ok(Reply::new(false));
    };
    ensure!(
        guid(&found) == wanted,
        "{}: it has been written to since it was sent: the guest has run here after its move; look which of the two is wanted",
        doing()
    );
    if !task.check_mode {
        fs::remove_file(path).with_context(doing)?;
        files::sync_folder(path.parent().unwrap_or(Path::new("/")))?;
    }
    Ok(Reply::new(true))
}

fn wait(path: &Path, task: &mut Task) -> Result<Option<Lock>> {
    match task.check_mode {
        true => Ok(None),
        false => task.phase("wait", |_| workbench::alone_at(path, LOCK_LIMIT)).map(Some),
    }
}

fn arriving(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(marks::ARRIVING);
    name.into()
}

fn is_there(path: &Path) -> Result<bool> {
    let found = files::if_there(fs::symlink_metadata(path));
    Ok(found.with_context(|| format!("looking at {}", path.display()))?.is_some())
}

/// Looks whether there is a place for a file, and whether it has arrived; takes the place where that is asked for.
pub fn expect(path: &Path, wanted: &Expected, task: &mut Task) -> Result<Reply> {
    let _lock = wait(path, task)?;
    let staged = arriving(path);
    let (there, begun) = (is_there(path)?, is_there(&staged)?);
    let arrived = if there { attribute(path, marks::ARRIVED)? } else { None };
    let known = if begun { attribute(&staged, marks::ARRIVED)? } else { None };
    if wanted.take && !task.check_mode {
        files::sweep_for(&staged)?;
    }
    let takes = wanted.take && !there && !begun && !task.check_mode;
    if takes {
        take(&staged, &wanted.properties)?;
        task.did_change();
    }
    let volume = json!({
        "there": there,
        "arrived": arrived,
        "arriving": begun || takes,
        "known": known.into_iter().collect::<Vec<_>>(),
        "available": available(path)?,
        "golden": null,
    });
    Ok(Reply::new(takes).with("volume", volume))
}

/// An empty file under the name of one that arrives, which tells what that is.
fn take(staged: &Path, properties: &BTreeMap<String, String>) -> Result<()> {
    let folder = staged.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(folder).with_context(|| format!("making folder {}", folder.display()))?;
    let new = files::temporary_for(staged)?;
    Mark::reserve(new.as_file())?;
    if let Some(volume) = properties.get(marks::VOLUME) {
        set(new.as_file(), marks::VOLUME, volume)?;
    }
    files::publish(new, staged, 0o600)
}

/// Bytes that may still be written where the file is to be.
fn available(path: &Path) -> Result<u64> {
    let there = path.ancestors().skip(1).find(|folder| folder.exists()).unwrap_or(Path::new("/"));
    let found = statvfs(there).with_context(|| format!("asking for the room in {}", there.display()))?;
    Ok(found.blocks_available().saturating_mul(found.fragment_size()))
}

/// Receives a stream from standard input into a new file beside the wanted one.
pub fn receive(path: &Path, wanted: &Received, task: &mut Task) -> Result<Reply> {
    let _lock = wait(path, task)?;
    let doing = || format!("receiving {}", path.display());
    ensure!(!is_there(path)?, "{}: it is there already", doing());
    let staged = arriving(path);
    files::sweep_for(&staged)?;
    let new = files::temporary_for(&staged)?;
    Mark::reserve(new.as_file())?;
    let bytes = task.phase("receive", |_| replay(new.as_file(), wanted)).with_context(doing)?;
    dress(new.as_file(), wanted).with_context(doing)?;
    let mode = wanted.properties.get(MODE).map_or(Ok(0o600), |mode| u32::from_str_radix(mode, 8));
    files::publish(new, &staged, mode.with_context(doing)? & 0o777)?;
    task.did_change();
    task.record_bytes("receive", bytes);
    Ok(Reply::new(true))
}

fn replay(file: &File, wanted: &Received) -> Result<u64> {
    let expect = Expect { guid: wanted.guid.map(|guid| guid.0), ..Expect::default() };
    let mut reader = Reader::new(stream::inlet()?, expect)?;
    let mut replay = Replay::new(file)?;
    while let Some(step) = reader.step()? {
        replay.apply(&step.event)?;
    }
    let (summary, inlet) = reader.finish()?;
    inlet.finish()?;
    let (size, padded) = (wanted.size.unwrap_or_default(), summary.volsize.unwrap_or_default());
    ensure!(
        size.checked_next_multiple_of(u64::from(BLOCK)) == Some(padded),
        "the stream has {padded} bytes, expected those of a file of {size}"
    );
    file.set_len(size).with_context(|| format!("giving the file {size} bytes"))?;
    Ok(summary.bytes)
}

/// Marks, and the time when it was written, by which a file is known that nobody has used yet.
fn dress(file: &File, wanted: &Received) -> Result<()> {
    for mark in OURS {
        if let Some(value) = wanted.properties.get(mark) {
            set(file, mark, value)?;
        }
    }
    let guid = wanted.guid.context("option `guid` is missing")?;
    set(file, marks::ARRIVED, &guid.to_string())?;
    let Some((seconds, nanoseconds)) = wanted.properties.get(WRITTEN).and_then(|time| time.split_once('.'))
    else {
        return Ok(());
    };
    let written = UNIX_EPOCH + Duration::new(seconds.parse()?, nanoseconds.parse()?);
    file.set_modified(written).context("setting the time when it was written")
}

fn set(file: &File, mark: &str, value: &str) -> Result<()> {
    let name = marks::attribute(mark);
    file.set_xattr(&name, value.as_bytes()).with_context(|| format!("setting attribute {name}"))
}

/// Gives a file that has arrived its name.
pub fn finish(path: &Path, wanted: &Finished, task: &mut Task) -> Result<Reply> {
    let _lock = wait(path, task)?;
    let doing = || format!("giving {} its name", path.display());
    let staged = arriving(path);
    let there = is_there(path)?;
    let named = if there { path } else { &staged };
    ensure!(is_there(named)?, "{}: nothing has arrived to be it", doing());
    let found = attribute(named, marks::ARRIVED)?;
    ensure!(
        found.as_ref() == Some(&wanted.guid.to_string()),
        "{}: {} is not what was sent: expected guid {}, found {}",
        doing(),
        named.display(),
        wanted.guid,
        found.as_deref().unwrap_or("none")
    );
    if !there {
        fs::rename(&staged, path).with_context(doing)?;
        files::sync_folder(path.parent().unwrap_or(Path::new("/")))?;
    }
    Ok(Reply::new(!there))
}

#[cfg(test)]
mod tests;
