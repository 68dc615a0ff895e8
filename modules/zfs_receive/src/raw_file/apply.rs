// SPDX-License-Identifier: GPL-3.0-or-later

//! Does what the plan says to a raw file: into a new file beside it, given its name when everything has been judged.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use ansible_module::{Size, Task, files};
use anyhow::{Context, Result};
use zfs_stream::{Base, Event, Replay, Summary, copy_sparse};

use crate::image;
use crate::raw_file::identity::{Extent, Identity, Mark};
use crate::raw_file::plan::{Action, Plan, Receive, Volume, final_size};
use crate::source::Source;

/// Changes what the plan says; the caller holds the lock.
pub fn apply(plan: &Plan, task: &mut Task) -> Result<Volume> {
    if let Some(folder) = &plan.folder {
        fs::create_dir_all(folder).with_context(|| format!("making folder {}", folder.display()))?;
    }
    files::sweep_for(&plan.path)?;
    match &plan.action {
        Action::Nothing => {}
        Action::Grow { pristine, to } => {
            grow(&plan.path, *pristine, *to).with_context(|| format!("growing {}", plan.path.display()))?;
        }
        Action::Receive(receive) => return receive_file(plan, receive, task),
        Action::Make { volsize, mode } => {
            make(&plan.path, *volsize, *mode).with_context(|| format!("making {}", plan.path.display()))?;
        }
        Action::Remove => remove(&plan.path)?,
    }
    Ok(plan.volume())
}

/// What `apply` would answer: reads and verifies the image, and writes nothing.
pub fn preview(plan: &Plan, task: &mut Task) -> Result<Volume> {
    let Action::Receive(receive) = &plan.action else { return Ok(plan.volume()) };
    let src = &receive.image.src;
    if !src.exists() {
        task.warn(format!("{} is not there yet: only its guid could be compared", src.display()));
        return Ok(plan.volume());
    }
    let (size, volblocksize) = (|| {
        let summary = read_through(receive, task, |_| Ok(()))?;
        let image = Extent::of(&summary)?;
        Ok::<_, anyhow::Error>((final_size(receive, image.volsize)?, image.volblocksize))
    })()
    .with_context(|| doing(plan, src))?;
    Ok(Volume { size: Some(size), volblocksize: Some(volblocksize), ..plan.volume() })
}

fn doing(plan: &Plan, src: &Path) -> String {
    format!("receiving {} into {}", src.display(), plan.path.display())
}

/// Reads the whole image and asks everything that can judge it.
fn read_through(
    receive: &Receive,
    task: &mut Task,
    mut each: impl FnMut(&Event) -> Result<()>,
) -> Result<Summary> {
    let base = receive.onto.map_or(Base::None, |onto| Base::Volume {
        guid: onto.guid.0,
        volsize: onto.volsize,
        volblocksize: onto.volblocksize,
    });
    let label = format!("reading {}", receive.image.src.display());
    let source = Source::shown(&receive.image, task, &label)?;
    let mut reader = image::reader(source, receive.guid, base)?;
    while let Some(step) = reader.step()? {
        each(&step.event)?;
    }
    let (summary, source) = reader.finish()?;
    source.finish()?;
    task.record_bytes(if task.check_mode { "verify" } else { "apply" }, summary.bytes);
    Ok(summary)
}

fn receive_file(plan: &Plan, receive: &Receive, task: &mut Task) -> Result<Volume> {
    let new = files::temporary_for(&plan.path)?;
    let file = new.as_file();
    Mark::reserve(file)?;
    let received = (|| {
        if let Some(onto) = receive.onto {
            copy_base(&plan.path, file, onto.volsize)?;
        }
        let mut replay = Replay::new(file)?;
        let summary = read_through(receive, task, |event| replay.apply(event))?;
        let image = Extent::of(&summary)?;
        let size = final_size(receive, image.volsize)?;
        file.set_len(size).with_context(|| format!("growing the file to {size}"))?;
        Identity::mark(file, receive.guid, image)?;
        Ok::<_, anyhow::Error>((size, image.volblocksize))
    })();
    let (size, volblocksize) = received.with_context(|| doing(plan, &receive.image.src))?;
    if let Some(kept) = &receive.kept {
        keep(&plan.path, kept)?;
    }
    files::publish(new, &plan.path, receive.mode)?;
    Ok(Volume { size: Some(size), volblocksize: Some(volblocksize), ..plan.volume() })
}

fn copy_base(path: &Path, file: &File, volsize: u64) -> Result<()> {
    let base = File::open(path).with_context(|| format!("opening {}", path.display()))?;
    copy_sparse(&base, file).with_context(|| format!("copying {}", path.display()))?;
    file.set_len(volsize).context("setting the size of the copy to that of its image")
}

/// Gives the present file a second name, which it keeps when the new file takes the first one.
fn keep(path: &Path, kept: &Path) -> Result<()> {
    let doing = || format!("keeping {} as {}", path.display(), kept.display());
    match fs::hard_link(path, kept) {
        // A run that died here has done it before.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && same_file(path, kept)? => Ok(()),
        linked => linked.with_context(doing),
    }
}

fn same_file(path: &Path, other: &Path) -> Result<bool> {
    let identity = |path: &Path| -> Result<(u64, u64)> {
        let metadata =
            fs::symlink_metadata(path).with_context(|| format!("looking at {}", path.display()))?;
        Ok((metadata.dev(), metadata.ino()))
    };
    Ok(identity(path)? == identity(other)?)
}

/// An empty file, all of which is one hole.
fn make(path: &Path, volsize: u64, mode: u32) -> Result<()> {
    let new = files::temporary_for(path)?;
    Mark::reserve(new.as_file())?;
    new.as_file().set_len(volsize).with_context(|| format!("giving the file {} bytes", Size(volsize)))?;
    Mark::blank(new.as_file(), volsize)?;
    files::publish(new, path, mode)
}

fn grow(path: &Path, pristine: Option<Identity>, to: u64) -> Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    file.set_len(to)?;
    if let Some(identity) = pristine {
        Identity::mark(&file, identity.guid, identity.extent())?;
    }
    file.sync_all()?;
    Ok(())
}

fn remove(path: &Path) -> Result<()> {
    fs::remove_file(path).with_context(|| format!("removing {}", path.display()))?;
    path.parent().map_or(Ok(()), files::sync_folder)
}
