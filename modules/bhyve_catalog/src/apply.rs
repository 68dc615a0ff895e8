// SPDX-License-Identifier: GPL-3.0-or-later

//! Writes what was planned: the package first, then the list that names it, and removes last what no list names.

use std::fs;
use std::io::BufWriter;
use std::os::unix::fs::PermissionsExt;

use ansible_module::Task;
use ansible_module::files::{publish, sync_folder, temporary_for, write_atomically};
use anyhow::{Context, Result};
use image_catalog::archive_write::{WrittenPackage, write_package};
use image_catalog::catalogue_write::{Listing, PACKAGE_FOLDER, package_path};
use image_catalog::manifest::Manifest;

use crate::changes::{Plan, Publication};
use crate::manifest::{any_machine, compression};
use crate::observe::Observed;
use crate::page::{self, PAGE};
use crate::params::{Params, Wanted};
use crate::signing::Signer;
use crate::watched::Watched;

/// A plan, and what it was made from.
#[derive(Clone, Copy)]
pub struct Work<'a> {
    pub params: &'a Params,
    /// What they come to.
    pub wanted: &'a Wanted,
    pub plan: &'a Plan,
    /// What was there before.
    pub observed: &'a Observed,
    pub signer: &'a Signer,
}

/// Does what was planned; returns the manifest that the catalogue now has of a published image.
pub fn apply(work: Work, task: &mut Task) -> Result<Option<Manifest>> {
    let Work { params, plan, observed, signer, .. } = work;
    let listed = match &plan.publish {
        Some(publication) => {
            let package = task.phase("pack", |task| write_image(work, publication, task))?;
            task.record_bytes("pack", publication.manifest.flatsize);
            Some(in_catalogue(publication, &package))
        }
        None => None,
    };
    if plan.writes_list() {
        let mut listing = observed.catalogue.as_ref().map(Listing::of).unwrap_or_default();
        for id in &plan.withdraw {
            listing.remove(&id.to_string());
        }
        if let Some(manifest) = &listed {
            listing.add(manifest)?;
        }
        listing.files(&signer.signing)?.write(&params.path)?;
        write_page(work, listed.as_ref())?;
    }
    for path in &plan.remove {
        let path = params.path.join(path);
        fs::remove_file(&path).with_context(|| format!("removing package {}", path.display()))?;
    }
    Ok(listed)
}

/// The page comes after the list: it promises nothing that is not there.
fn write_page(work: Work, published: Option<&Manifest>) -> Result<()> {
    let Work { params, plan, observed, signer, .. } = work;
    let before = observed.catalogue.as_ref().map_or(&[][..], |catalogue| &catalogue.images);
    let stay = before.iter().filter(|image| !plan.withdraw.contains(&image.id)).map(|image| &image.manifest);
    let manifests: Vec<_> = stay.chain(published).collect();
    let page = page::render(&manifests, &signer.proof()?)?;
    write_atomically(&params.path.join(PAGE), 0o644, page.as_bytes())
}

fn write_image(work: Work, publication: &Publication, task: &Task) -> Result<WrittenPackage> {
    let Work { params, observed, .. } = work;
    let seen = observed.source.as_ref().context("writing an image without having looked at its source")?;
    let path = params.path.join(package_path(&publication.id));
    let folder = params.path.join(PACKAGE_FOLDER);
    fs::create_dir_all(&folder)
        .and_then(|()| fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)))
        .with_context(|| format!("creating folder {}", folder.display()))?;
    let file = temporary_for(&path)?;
    let progress = task.progress("packing the image", Some(publication.manifest.flatsize));
    let package = write_package(
        BufWriter::with_capacity(1 << 20, file.as_file()),
        &publication.manifest,
        compression(params),
        |sink| seen.source.write(&mut Watched { inner: sink, progress }),
    )
    .with_context(|| format!("writing package {}", path.display()))?;
    publish(file, &path, 0o644)?;
    sync_folder(&params.path)?;
    Ok(package)
}

/// In the list, a package is for any machine: pkg takes no package at all from a list with one that is not for its own. The
/// package itself says what it is for, and pkg looks at that before it installs it.
fn in_catalogue(publication: &Publication, package: &WrittenPackage) -> Manifest {
    let path = package_path(&publication.id);
    let (abi, arch) = any_machine();
    Manifest {
        abi,
        arch,
        sum: Some(package.sha256.clone().into()),
        pkgsize: Some(package.size),
        path: Some(path.clone()),
        repopath: Some(path),
        ..publication.manifest.clone()
    }
}
