// SPDX-License-Identifier: GPL-3.0-or-later

//! Writes a catalogue: the same images after the same number of changes, and the same key, give the same bytes.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};

use crate::catalogue::{Catalogue, Kept};
use crate::manifest::Manifest;
use crate::meta::META_TEXT;
use crate::name::ImageId;
use crate::path::RelativePath;
use crate::signature::{Signatures, Signing};
use crate::signs::is_there;
use crate::tar_write::{Entry, write_end, write_header, write_padding};

/// What is saved here, every client saves. The entries of a list are much alike: that of 2,000 images is no smaller at level 19, which
/// takes seconds for it, a hundred times as long.
const LEVEL: i32 = 12;

/// The folder of the packages.
pub const PACKAGE_FOLDER: &str = "All";

/// Where the package of an image goes.
pub fn package_path(id: &ImageId) -> RelativePath {
    // A name is made of what a path may be made of.
    RelativePath::joined(PACKAGE_FOLDER, &format!("{id}.pkg"))
}

/// The entries of a catalogue about to be written, one line of JSON each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    packages: Vec<ListedPackage>,
    /// Serial number of the catalogue that this one follows; 0 where there is none.
    follows: u64,
    kept: Kept,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct ListedPackage {
    name: String,
    json: String,
}

/// The files of a catalogue, in the order in which they have to appear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueFiles(Vec<(&'static str, Vec<u8>)>);

impl Listing {
    /// What a catalogue lists now, packages that are not images included.
    pub fn of(catalogue: &Catalogue) -> Self {
        let images = catalogue
            .images
            .iter()
            .map(|image| ListedPackage { name: image.id.to_string(), json: image.json.clone() });
        let others = catalogue
            .others
            .iter()
            .map(|other| ListedPackage { name: other.name.clone(), json: other.json.clone() });
        Self {
            packages: images.chain(others).collect(),
            follows: catalogue.serial.unwrap_or(0),
            kept: catalogue.kept.clone(),
        }
    }

    /// Adds an image by its manifest, which must have `sum`, `path` and `pkgsize`.
    pub fn add(&mut self, manifest: &Manifest) -> Result<()> {
        let name = manifest.id()?.to_string();
        self.packages.push(ListedPackage { name, json: manifest.compact().to_json()? });
        Ok(())
    }

    /// Takes out what is called NAME-VERSION.
    pub fn remove(&mut self, name: &str) {
        self.packages.retain(|package| package.name != name);
    }

    /// The catalogue's files, signed.
    pub fn files(mut self, signing: &Signing) -> Result<CatalogueFiles> {
        self.packages.sort_by(|a, b| a.name.cmp(&b.name));
        let lines: Vec<_> = self.packages.into_iter().map(|package| package.json).collect();
        // Taking an image out again leaves the list of before: without a number that grows, clients could not tell the
        // newest catalogue from a repetition of an old one. pkg skips keys that it does not know.
        let serial = self.follows.saturating_add(1);
        let data = format!(
            r#"{{"serial":{serial},"groups":{},"expired_packages":{},"packages":[{}]}}"#,
            self.kept.groups,
            self.kept.expired_packages,
            lines.join(",")
        );
        let manifests: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let archive = |member: &str, content: &str| {
            let signatures = signing.sign(member, content.as_bytes())?;
            pack(member, content.as_bytes(), &signatures).with_context(|| format!("packing {member}"))
        };
        Ok(CatalogueFiles::of_archives(archive("packagesite.yaml", &manifests)?, archive("data", &data)?))
    }
}

impl CatalogueFiles {
    /// The files around signed archives.
    ///
    /// A client that finds no data.pkg takes packagesite.pkg, and none looks at either before meta.conf.
    pub fn of_archives(packagesite: Vec<u8>, data: Vec<u8>) -> Self {
        Self(vec![
            ("meta.conf", META_TEXT.into()),
            ("meta", META_TEXT.into()),
            ("packagesite.pkg", packagesite),
            ("data.pkg", data),
        ])
    }

    /// Puts the files into `folder`, each at once and later than the one it replaces.
    ///
    /// Clients ask for what is newer than what they have, so a file whose time does not move forward is
    /// never seen, even if the clock was set back.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let before =
            self.0.iter().filter_map(|(name, _)| folder.join(name).metadata().ok()?.modified().ok()).max();
        let now = SystemTime::now();
        let time = before.map_or(now, |before| now.max(before + Duration::from_secs(1)));
        for (name, content) in &self.0 {
            let path = folder.join(name);
            replace(&path, content, time).with_context(|| format!("writing {}", path.display()))?;
        }
        std::fs::File::open(folder)
            .and_then(|folder| folder.sync_all())
            .with_context(|| format!("syncing {}", folder.display()))
    }

    /// The names and contents.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        self.0.iter().map(|(name, content)| (*name, content.as_slice()))
    }
}

fn replace(path: &Path, content: &[u8], time: SystemTime) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let folder = path.parent().context("it has no folder")?;
    let is_in_the_way = is_there(path)? && !path.symlink_metadata()?.is_file();
    ensure!(!is_in_the_way, "it is there and no regular file: remove it");
    let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
    file.write_all(content)?;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
    file.as_file().set_modified(time)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn pack(member: &str, content: &[u8], signatures: &Signatures) -> Result<Vec<u8>> {
    let mut members: Vec<(String, &[u8])> = Vec::new();
    if let Some(signature) = &signatures.plain {
        members.push(("signature".to_owned(), signature));
    }
    for pair in &signatures.pairs {
        members.push((format!("{}.sig", pair.name), &pair.signature));
        members.push((format!("{}.pub", pair.name), &pair.public_key));
    }
    members.push((member.to_owned(), content));
    let mut archive = Vec::new();
    for (path, content) in members {
        let size = content.len() as u64;
        write_header(&mut archive, &Entry { path: &path, size, mtime: 0 })?;
        archive.write_all(content)?;
        write_padding(&mut archive, size)?;
    }
    write_end(&mut archive)?;
    let mut encoder = zstd::Encoder::new(Vec::new(), LEVEL)?;
    encoder.include_checksum(true)?;
    // Without the size, this level would take 80 MiB for the smallest list.
    encoder.set_pledged_src_size(Some(archive.len() as u64))?;
    encoder.write_all(&archive)?;
    Ok(encoder.finish()?)
}
