// SPDX-License-Identifier: GPL-3.0-or-later

//! Carries out a plan. The only writer.

use std::thread;
use std::time::{Duration, Instant};

use ansible_module::Task;
use anyhow::{Context, Result};
use zfs_command::{DatasetName, IMAGE_SNAPSHOT, Problem, Zfs, problem_of};
use zfs_stream::{Base, Summary};

use super::device;
use super::feed::{Copied, Feed, Spliced};
use super::plan::{Device, NewBlank, NewClone, NewVolume, Plan, Step, check_size};
use super::receive::{self, Destination};
use super::user;
use crate::image;
use crate::properties::UNFINISHED;
use crate::source::Source;

/// How long ZFS may call a volume busy that nobody is seen to use. A receive that was killed ends by itself after a moment.
const BUSY_LIMIT: Duration = Duration::from_secs(180);
const AGAIN: Duration = Duration::from_millis(100);

/// Carries out all steps; returns what is known of the image where it was received.
pub fn apply(zfs: &Zfs, plan: &Plan, task: &mut Task) -> Result<Option<Summary>> {
    let mut summary = None;
    for step in &plan.steps {
        match step {
            Step::Sweep(name) => {
                destroy(zfs, name)?;
            }
            Step::Receive(receive) => {
                summary = Some(task.phase("receive", |task| receive_volume(zfs, receive, task))?);
            }
            Step::Clone(clone) => task.phase("clone", |_| make_clone(zfs, clone))?,
            Step::Create(blank) => task.phase("create", |_| create(zfs, blank))?,
            Step::Set { name, properties } => {
                set_each(zfs, properties, name.as_str())?;
            }
            Step::Show { name, device } => show(zfs, name, device)?,
            Step::Unmark(name) => unmark(zfs, name)?,
            Step::Destroy(name) => {
                destroy(zfs, name.as_str())?;
            }
        }
        if step.is_seen() {
            task.did_change();
        }
    }
    Ok(summary)
}

fn destroy(zfs: &Zfs, name: &str) -> Result<()> {
    match patiently(name, || zfs.destroy(name)) {
        // A receive that was killed meanwhile takes its own leftover away.
        Err(error) if problem_of(&error) == Some(Problem::Missing) => Ok(()),
        result => result.with_context(|| format!("destroying {name}")),
    }
}

pub fn set_each(zfs: &Zfs, properties: &[(String, String)], name: &str) -> Result<()> {
    for (property, value) in properties {
        patiently(name, || zfs.set(property, value, name))
            .with_context(|| format!("setting {property}={value} on {name}"))?;
    }
    Ok(())
}

/// Tries again while ZFS says "busy", unless somebody uses the volume.
pub fn patiently<T>(name: &str, act: impl Fn() -> Result<T>) -> Result<T> {
    let deadline = Instant::now() + BUSY_LIMIT;
    loop {
        let error = match act() {
            Err(error) if problem_of(&error) == Some(Problem::Busy) => error,
            result => return result,
        };
        if let Some(user) = user::of(name) {
            return Err(error.context(format!("{user} has it open")));
        }
        if Instant::now() >= deadline {
            return Err(error);
        }
        thread::sleep(AGAIN);
    }
}

fn rename(zfs: &Zfs, from: &str, to: &str) -> Result<()> {
    patiently(from, || zfs.rename(from, to))
}

fn make_clone(zfs: &Zfs, clone: &NewClone) -> Result<()> {
    if let Some(kept) = &clone.kept {
        return replace_by_clone(zfs, clone, kept);
    }
    let NewClone { name, origin, properties, device, later, .. } = clone;
    zfs.clone_of(origin, name.as_str(), &of_new(device, properties))
        .with_context(|| format!("cloning {origin} to {name}"))?;
    set_each(zfs, later, name.as_str())?;
    finished(zfs, name, device)
}

/// ZFS makes a volume with all its properties in one step, or not at all.
fn create(zfs: &Zfs, blank: &NewBlank) -> Result<()> {
    let NewBlank { name, volsize, properties, device, later } = blank;
    zfs.create_volume(name.as_str(), *volsize, &of_new(device, properties))
        .with_context(|| format!("making {name}"))?;
    set_each(zfs, later, name.as_str())?;
    finished(zfs, name, device)
}

/// Properties of a new volume, which gets its device when all else is done.
fn of_new(device: &Device, properties: &[(String, String)]) -> Vec<(String, String)> {
    // A volume that is made with its own `volmode` gets a device of the default kind first, which is then taken away: on FreeBSD the
    // new one often loses that race, and none is left (OpenZFS 2.4.2). Shown after it was hidden, it always comes.
    match device {
        Device::Inherited => properties.to_vec(),
        Device::Never | Device::Of(_) => [hidden(device), properties.to_vec()].concat(),
    }
}

fn finished(zfs: &Zfs, name: &DatasetName, device: &Device) -> Result<()> {
    match device {
        Device::Inherited => Ok(()),
        Device::Never | Device::Of(_) => give_device(zfs, name, device),
    }
}

/// The clone is whole before anything happens to the volume whose name it takes.
fn replace_by_clone(zfs: &Zfs, clone: &NewClone, kept: &str) -> Result<()> {
    let NewClone { name, origin, properties, device, later, .. } = clone;
    let unfinished = name.unfinished();
    let properties = [hidden(device), properties.clone()].concat();
    zfs.clone_of(origin, &unfinished, &properties).with_context(|| format!("cloning {origin} to {name}"))?;
    set_each(zfs, later, &unfinished)?;
    take_name(zfs, name, Some(kept))?;
    give_device(zfs, name, device)
}

/// Properties of a volume that has not got its name yet: without a device nobody can look at it, or keep it busy. The mark tells
/// the next run that it was this one that withheld it.
fn hidden(device: &Device) -> Vec<(String, String)> {
    let mut properties = vec![property("volmode", "none")];
    if *device != Device::Never {
        properties.push(property(UNFINISHED, "yes"));
    }
    properties
}

fn property(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// Gives a whole volume its name, and the one that has it now another.
fn take_name(zfs: &Zfs, name: &DatasetName, kept: Option<&str>) -> Result<()> {
    if let Some(kept) = kept {
        rename(zfs, name.as_str(), kept).with_context(|| format!("keeping {name} as {kept}"))?;
    }
    let named =
        rename(zfs, &name.unfinished(), name.as_str()).with_context(|| format!("giving {name} its name"));
    if let (Err(_), Some(kept)) = (&named, kept) {
        // The first error is the one to tell.
        let _ = rename(zfs, kept, name.as_str());
    }
    named
}

pub fn give_device(zfs: &Zfs, name: &DatasetName, device: &Device) -> Result<()> {
    if *device == Device::Never {
        return Ok(());
    }
    show(zfs, name, device)?;
    unmark(zfs, name)
}

fn show(zfs: &Zfs, name: &DatasetName, device: &Device) -> Result<()> {
    match device {
        Device::Never => Ok(()),
        Device::Inherited => zfs.inherit("volmode", name.as_str()),
        Device::Of(volmode) => zfs.set("volmode", volmode, name.as_str()),
    }
    .with_context(|| format!("giving {name} its device"))
}

fn unmark(zfs: &Zfs, name: &DatasetName) -> Result<()> {
    zfs.inherit(UNFINISHED, name.as_str()).with_context(|| format!("marking {name} as finished"))
}

fn receive_volume(zfs: &Zfs, wanted: &NewVolume, task: &mut Task) -> Result<Summary> {
    let unfinished = wanted.name.unfinished();
    let doing = || format!("receiving {} into {}", wanted.image.src.display(), wanted.name);
    let summary = receive_unfinished(zfs, wanted, task).with_context(doing)?;
    task.record_bytes("receive", summary.bytes);
    if let Err(error) = set_each(zfs, &wanted.later, &unfinished) {
        // A reservation that does not fit, say: the same call would fail again, and find the whole image there.
        let _ = destroy(zfs, &unfinished);
        return Err(error);
    }
    take_name(zfs, &wanted.name, wanted.kept.as_deref())?;
    give_device(zfs, &wanted.name, &wanted.device)?;
    Ok(summary)
}

fn receive_unfinished(zfs: &Zfs, wanted: &NewVolume, task: &mut Task) -> Result<Summary> {
    let label = format!("receiving {}", wanted.name);
    let source = Source::shown(&wanted.image, task, &label)?;
    let mut feed: Box<dyn Feed> = match source.lasting_file()? {
        Some(file) => Box::new(Spliced::new(file)),
        None => Box::<Copied>::default(),
    };
    let base = wanted.base.as_ref();
    let reader = image::reader(source, wanted.guid, expected_base(wanted)?)?;
    let properties = [hidden(&wanted.device), wanted.properties.clone()].concat();
    let destination = Destination {
        zfs,
        dataset: &wanted.name.unfinished(),
        snapshot: IMAGE_SNAPSHOT,
        origin: base.map(|base| base.snapshot.as_str()),
        properties: &properties,
    };
    let summary =
        receive::receive(reader, &mut *feed, &destination, |summary, source| judge(wanted, summary, source))?;
    receive::check(&summary, &destination)?;
    Ok(summary)
}

fn expected_base(wanted: &NewVolume) -> Result<Base> {
    let Some(base) = &wanted.base else { return Ok(Base::None) };
    let volblocksize =
        u32::try_from(base.volblocksize).context("reading the block size of the golden volume")?;
    Ok(Base::Volume { guid: base.guid.0, volsize: base.volsize, volblocksize })
}

/// What is left to say when the stream itself is good.
fn judge(wanted: &NewVolume, summary: &Summary, source: Source) -> Result<()> {
    source.finish()?;
    let size = summary.volsize.context("reading the size of the volume: the stream does not say it")?;
    for volsize in &wanted.sizes {
        check_size(*volsize, size, summary.volblocksize.map(u64::from))?;
    }
    Ok(())
}

/// Reads and judges what `plan` would receive, and changes nothing; returns what is known of the image then.
///
/// An image that check mode has not fetched cannot be read, and need not be.
pub fn preview(plan: &Plan, task: &mut Task) -> Result<Option<Summary>> {
    let Some(wanted) = plan.receives().next().filter(|wanted| wanted.image.src.exists()) else {
        return Ok(None);
    };
    task.phase("verify", |task| {
        let doing = || format!("verifying {}", wanted.image.src.display());
        let source = Source::shown(&wanted.image, task, &doing())?;
        let reader = image::reader(source, wanted.guid, expected_base(wanted)?)?;
        let (summary, source) = reader.finish().with_context(doing)?;
        judge(wanted, &summary, source).with_context(doing)?;
        task.record_bytes("verify", summary.bytes);
        Ok(Some(summary))
    })
}

/// Waits for the devices of all volumes; the clones' come at the same time, so this is done once.
pub fn devices(zfs: &Zfs, names: &[DatasetName], task: &mut Task) -> Result<()> {
    task.phase("device", |_| {
        for name in names {
            if device::MAY_BE_LOST && !device::is_prompt(name) {
                toggle(zfs, name)?;
            }
            device::wait(name)?;
        }
        Ok(())
    })
}

/// Hides a volume whose device was lost, and shows it as it was.
fn toggle(zfs: &Zfs, name: &DatasetName) -> Result<()> {
    let found = zfs.get("volmode", &[name.as_str()])?.into_iter().next();
    let found = found.with_context(|| format!("reading volmode of {name}"))?;
    let device = if found.local { Device::Of(found.value) } else { Device::Inherited };
    show(zfs, name, &Device::Of("none".to_owned()))?;
    show(zfs, name, &device)
}
