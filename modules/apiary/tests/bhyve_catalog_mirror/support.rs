// SPDX-License-Identifier: GPL-3.0-or-later

//! A signed catalogue that changes, and its mirror.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use image_catalog::catalogue::Catalogue;
use image_catalog::catalogue_write::Listing;
use image_catalog::meta::Meta;
use image_catalog::signature::{KeyType, PrivateKey, Signing, Trust, create_key, load_key};
use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::{copy_folder, module, reply, start};

pub const OLD: &str = "FreeBSD-10.3-RELEASE-ZFS-20G-20170515";
pub const SMALL: &str = "FreeBSD-14.2-RELEASE-ZFS-20G-20250101";
pub const LARGE: &str = "FreeBSD-14.2-RELEASE-ZFS-20G-20250515";

/// The catalogue's folder, its key and the mirror's folder.
pub struct Lab {
    pub folder: TempDir,
}

impl Lab {
    /// A catalogue that lists [`OLD`] and [`SMALL`]; the files of all images of the fixture are there.
    pub fn new() -> Self {
        let lab = Self { folder: tempfile::tempdir().unwrap() };
        copy_folder(&fixture().join("All"), &lab.source("All"));
        let key = PrivateKey::generate(KeyType::Eddsa).unwrap();
        create_key(&lab.at("key"), &key).unwrap();
        fs::write(lab.at("key.pub"), key.public_key().encode().unwrap()).unwrap();
        let [all, _] = read(&fixture(), &Trust::Anyone);
        let mut listing = Listing::of(&all);
        for image in &all.images {
            if ![OLD, SMALL].contains(&image.id.to_string().as_str()) {
                listing.remove(&image.id.to_string());
            }
        }
        lab.write(listing);
        lab
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file of the catalogue.
    pub fn source(&self, name: &str) -> PathBuf {
        self.at("source").join(name)
    }

    /// A file of the mirror.
    pub fn mirror(&self, name: &str) -> PathBuf {
        self.at("mirror").join(name)
    }

    /// Lists one more image of the fixture, as a publisher does.
    pub fn publish(&self, name: &str) {
        let [all, _] = read(&fixture(), &Trust::Anyone);
        let mut listing = Listing::of(&self.listed(&self.at("source")));
        listing.add(&all.find(&name.parse().unwrap()).unwrap().manifest).unwrap();
        self.write(listing);
    }

    /// Takes an image off the list.
    pub fn withdraw(&self, name: &str) {
        let mut listing = Listing::of(&self.listed(&self.at("source")));
        listing.remove(name);
        self.write(listing);
    }

    fn write(&self, listing: Listing) {
        listing.files(&self.signing()).unwrap().write(&self.at("source")).unwrap();
    }

    fn signing(&self) -> Signing {
        Signing::Pubkey(load_key(&self.at("key")).unwrap())
    }

    /// What a catalogue lists that our key has signed.
    pub fn listed(&self, folder: &Path) -> Catalogue {
        let [data, packagesite] = self.lists(folder);
        assert!(data.lists_the_same_as(&packagesite));
        data
    }

    /// What each of its lists has.
    pub fn lists(&self, folder: &Path) -> [Catalogue; 2] {
        read(folder, &self.signing().trust().unwrap().unwrap())
    }

    /// The options of a run that copies from `repository`.
    pub fn options(&self, repository: &str) -> Value {
        json!({"path": self.at("mirror"), "repository": repository, "pubkey": self.at("key.pub")})
    }

    /// The options of a run that copies from the folder.
    pub fn folder_options(&self) -> Value {
        self.options(self.at("source").to_str().unwrap())
    }

    /// The mirror's files by their path in it, without what only the mirror itself reads.
    pub fn mirrored(&self) -> Vec<String> {
        let mut files = Vec::new();
        for folder in ["", "All/"] {
            for entry in fs::read_dir(self.mirror(folder)).into_iter().flatten() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_file() {
                    files.push(format!("{folder}{}", entry.file_name().into_string().unwrap()));
                }
            }
        }
        files.retain(|name| !name.starts_with(".seen-") && ![".lock", ".mirror"].contains(&name.as_str()));
        files.sort();
        files
    }
}

pub fn fixture() -> PathBuf {
    test_support::fixture("pkg-repos/unsigned")
}

fn read(folder: &Path, trust: &Trust) -> [Catalogue; 2] {
    let meta = Meta::parse(&fs::read(folder.join("meta.conf")).unwrap()).unwrap();
    meta.sources().unwrap().map(|source| {
        Catalogue::read(File::open(folder.join(&source.path)).unwrap(), &source, trust).unwrap()
    })
}

/// The files of a whole mirror of these images.
pub fn whole(images: &[&str]) -> Vec<String> {
    let mut files: Vec<_> = images.iter().map(|image| format!("All/{image}.pkg")).collect();
    files.extend(["data.pkg", "meta", "meta.conf", "packagesite.pkg"].map(str::to_owned));
    files
}

pub fn program() -> Command {
    module(&test_support::program!("bhyve_catalog_mirror"))
}

pub fn run(options: &Value) -> Value {
    reply(start(&mut program(), options))
}

pub fn refusal(options: &Value) -> String {
    test_support::refusal(&run(options)).to_owned()
}
