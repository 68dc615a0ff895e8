// SPDX-License-Identifier: GPL-3.0-or-later

//! What the other catalogue offers, and what of it the mirror has. Reads both, writes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::Path;

use ansible_module::Task;
use ansible_module::files::if_there;
use anyhow::{Context, Result, ensure};
use image_catalog::catalogue::Catalogue;
use image_catalog::catalogue_write::CatalogueFiles;
use image_catalog::meta::Meta;
use image_catalog::package::PackageFile;
use image_catalog::signature::Trust;
use image_catalog::signs::{is_there, signs};

use super::MARK;
use crate::fetch::drain;
use crate::memory::{Edition, Memories};
use crate::params::MirrorParams;
use crate::repository::Repository;

pub struct Observed {
    /// The other catalogue.
    pub repository: Repository,
    /// What was seen there before.
    pub memories: Memories,
    /// What tells this catalogue from those before.
    pub edition: Edition,
    /// Every package it lists.
    pub wanted: Vec<Wanted>,
    /// Packages that are listed without their file.
    pub nameless: Vec<String>,
    /// Its lists, as they will be here.
    pub lists: CatalogueFiles,
    /// Whether they differ from those that are here.
    pub lists_differ: bool,
    /// Package files here that are not listed there, by their path in the folder.
    pub others: Vec<String>,
}

/// A package that the other catalogue lists.
pub struct Wanted {
    /// Its name and version.
    pub name: String,
    pub file: PackageFile,
    /// Whether it is here.
    pub here: bool,
}

/// Looks.
///
/// # Errors
/// Where the other catalogue cannot be reached or believed, or the folder cannot be read.
pub fn observe(params: &MirrorParams, task: &mut Task) -> Result<Observed> {
    refuse_original(&params.path)?;
    let access = params.access().context("option `repository` is needed: the catalogue to copy")?;
    let mut repository = Repository::new(access)?;
    let memories = Memories::load(&params.path, repository.locations())?;
    let read = |repository: &mut Repository| {
        let lists = repository.lists()?;
        let edition = Edition::from(&lists.catalogue);
        if !params.allow_older {
            memories.judge(&edition)?;
        }
        Ok((lists, edition))
    };
    let (lists, edition) = task.phase("catalogue", |_| repository.anywhere(read))?;
    repository.remarks().into_iter().for_each(|remark| task.warn(remark));
    // What is here may take long to read.
    repository.disconnect();
    let Listed { files, nameless } = listed(&lists.catalogue)?;
    let before = listed_here(&params.path);
    let mut wanted = Vec::new();
    for (name, file) in files {
        let known = before.get(file.path.as_str()) == Some(&file);
        let here = task.phase("observe", |_| is_here(&params.path, &file, known))?;
        wanted.push(Wanted { name, file, here });
    }
    let others = others(&params.path, &wanted, before.keys())?;
    let lists = CatalogueFiles::of_archives(lists.packagesite, lists.data);
    let lists_differ =
        lists.iter().any(|(name, content)| fs::read(params.path.join(name)).ok().as_deref() != Some(content));
    Ok(Observed { repository, memories, edition, wanted, nameless, lists, lists_differ, others })
}

/// A mirror's folder says that it is one. Any other catalogue would be lost.
///
/// # Errors
/// Where there is one.
pub fn refuse_original(folder: &Path) -> Result<()> {
    ensure!(
        is_there(&folder.join(MARK))? || signs(folder)?.is_empty(),
        "{} holds a catalogue of its own: mirror into another folder, or remove that catalogue first",
        folder.display()
    );
    Ok(())
}

/// What a catalogue lists.
#[derive(Default)]
struct Listed {
    /// Packages by name and version, each with its file.
    files: Vec<(String, PackageFile)>,
    /// Packages without one.
    nameless: Vec<String>,
}

fn listed(catalogue: &Catalogue) -> Result<Listed> {
    let mut files: Vec<_> =
        catalogue.images.iter().map(|image| (image.id.to_string(), image.file())).collect();
    let mut nameless = Vec::new();
    for other in &catalogue.others {
        // What is not an image is not what the mirror is for: it is no reason to have nothing.
        match &other.file {
            Some(file) if is_package(file) => files.push((other.name.clone(), file.clone())),
            _ => nameless.push(other.name.clone()),
        }
    }
    let mut paths: BTreeMap<&str, &PackageFile> = BTreeMap::new();
    for (name, file) in &files {
        let path = &file.path;
        ensure!(is_package(file), "package {name} is in the file {path}, expected one like All/{name}.pkg");
        let before = paths.insert(path.as_str(), file);
        ensure!(before.is_none_or(|before| before == file), "two packages are in the file {path}");
    }
    Ok(Listed { files, nameless })
}

/// Whether a file lies where packages lie, away from the lists.
fn is_package(file: &PackageFile) -> bool {
    file.path.as_str().ends_with(".pkg") && file.path.as_str().contains('/')
}

/// What the mirror's own list names. It was verified when it was copied, and is only asked what need not be read again.
fn listed_here(folder: &Path) -> BTreeMap<String, PackageFile> {
    let read = || -> Result<Catalogue> {
        let [data, _] = Meta::parse(&fs::read(folder.join(Meta::path()))?)?.sources()?;
        Catalogue::read(File::open(folder.join(&data.path))?, &data, &Trust::Anyone)
    };
    // A list that cannot be read vouches for nothing: then every package is read through.
    let here = read().and_then(|catalogue| listed(&catalogue)).unwrap_or_default();
    here.files.into_iter().map(|(_, file)| (file.path.to_string(), file)).collect()
}

/// Whether a file is here. One that the list here names was verified when it came, so its size is enough.
fn is_here(folder: &Path, file: &PackageFile, known: bool) -> Result<bool> {
    let path = folder.join(&file.path);
    let reading = || format!("reading {}", path.display());
    match if_there(fs::symlink_metadata(&path)).with_context(reading)? {
        Some(found) if found.is_file() && found.len() == file.size => {}
        _ => return Ok(false),
    }
    if known {
        return Ok(true);
    }
    let mut check = file.clone().check(File::open(&path).with_context(reading)?);
    drain(&mut check).with_context(reading)?;
    Ok(check.finish().is_ok())
}

/// Package files that are not wanted, in the folders that packages are or were in.
fn others<'a>(
    folder: &Path,
    wanted: &[Wanted],
    before: impl Iterator<Item = &'a String>,
) -> Result<Vec<String>> {
    let wanted: BTreeSet<&str> = wanted.iter().map(|wanted| wanted.file.path.as_str()).collect();
    let folder_of = |path: &'a str| path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    let mut folders: BTreeSet<String> = before.filter_map(|path| folder_of(path)).collect();
    folders.extend(wanted.iter().filter_map(|path| Some(path.rsplit_once('/')?.0.to_owned())));
    let mut others = Vec::new();
    for place in folders {
        let looking = || format!("looking into {}/{place}", folder.display());
        let entries = if_there(fs::read_dir(folder.join(&place))).with_context(looking)?;
        for entry in entries.into_iter().flatten() {
            let entry = entry.with_context(looking)?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = format!("{place}/{name}");
            if name.ends_with(".pkg") && !name.starts_with('.') && !wanted.contains(path.as_str()) {
                others.push(path);
            }
        }
    }
    others.sort_unstable();
    Ok(others)
}
