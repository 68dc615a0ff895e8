// SPDX-License-Identifier: GPL-3.0-or-later

//! Copies what was planned: packages first, then the lists that name them, and removes last what no list names.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ansible_module::Task;
use ansible_module::files::{remove_if_there, sweep_folder, sync_folder, write_atomically};
use anyhow::{Context, Result};

use super::MARK;
use super::observe::Observed;
use super::plan::{Missing, Plan};
use crate::fetch::{Fetching, drain};
use crate::params::MirrorParams;
use crate::part::Part;
use crate::repository::Repository;

/// Does what was planned. The caller holds the lock.
///
/// # Errors
/// Where a package cannot be fetched or is not the promised one; what was copied before stays, and the lists still name
/// what they named.
pub fn apply(params: &MirrorParams, plan: &Plan, observed: Observed, task: &mut Task) -> Result<()> {
    let Observed { mut repository, memories, edition, lists, wanted, .. } = observed;
    let folder = &params.path;
    // The first of its places, whichever of them answers today.
    let mark = repository.locations().next().map(|place| format!("{place}\n")).unwrap_or_default();
    if fs::read_to_string(folder.join(MARK)).ok().as_ref() != Some(&mark) {
        write_atomically(&folder.join(MARK), 0o644, mark.as_bytes())?;
    }
    memories.remember(&edition)?;
    for copy in &plan.fetch {
        fetch(folder, copy, &mut repository, task)?;
        repository.remarks().into_iter().for_each(|remark| task.warn(remark));
    }
    if plan.lists {
        lists.write(folder)?;
    }
    for path in &plan.remove {
        remove_if_there(&folder.join(path))?;
    }
    let packages = wanted.iter().map(|wanted| folder.join(&wanted.file.path));
    let folders: BTreeSet<PathBuf> =
        packages.filter_map(|path| Some(path.parent()?.to_owned())).chain([folder.clone()]).collect();
    // Everything wanted is in its place by now.
    let is_part = |name: &[u8]| name.starts_with(b".") && name.ends_with(b".pkg.part");
    folders.iter().try_for_each(|folder| sweep_folder(folder, is_part))
}

fn fetch(folder: &Path, copy: &Missing, repository: &mut Repository, task: &mut Task) -> Result<()> {
    let Missing { name, file } = copy;
    let path = folder.join(&file.path);
    let place = path.parent().unwrap_or(folder);
    fs::create_dir_all(place).with_context(|| format!("making the folder {}", place.display()))?;
    sync_folder(folder)?;
    let mut part = Part::open(place.join(format!(".{}.part", file.path.file_name())), file.size)
        .with_context(|| format!("copying {name}"))?;
    let progress = task.progress(&format!("copying {}", file.path.file_name()), Some(file.size));
    let doing = format!("copying {name}");
    Fetching { doing: &doing, file, repository, progress: &progress }.complete(&mut part, &|bytes| {
        let mut check = file.clone().check(bytes);
        drain(&mut check).with_context(|| format!("reading {}", file.path))?;
        check.finish()
    })?;
    part.publish(&path)?;
    task.record_bytes("apply", file.size);
    Ok(())
}
