// SPDX-License-Identifier: GPL-3.0-or-later

//! What the tests of repositories share: the fixtures, and reading a repository from a folder.
#![allow(clippy::unwrap_used, dead_code, reason = "each test program uses its own part")]

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::Result;
use image_catalog::archive::PackageArchive;
use image_catalog::catalogue::Catalogue;
use image_catalog::meta::{Meta, Source};
use image_catalog::package::Package;
use image_catalog::signature::{Fingerprints, Trust, load_public_key};

pub fn fixtures() -> PathBuf {
    test_support::fixture("pkg-repos")
}

pub fn trust_in(key: &str) -> Trust {
    Trust::PublicKey(Box::new(load_public_key(&fixtures().join("keys").join(key)).unwrap()))
}

/// Every repository of the fixtures with what its clients are told to trust.
pub fn repositories() -> [(&'static str, Trust); 5] {
    let fingerprints = Fingerprints::load(&fixtures().join("fingerprints-rsa.fingerprints")).unwrap();
    [
        ("unsigned", Trust::Anyone),
        ("unsigned-pkg2.4", Trust::Anyone),
        ("pubkey-rsa", trust_in("rsa.pub")),
        ("pubkey-eddsa", trust_in("eddsa.pub")),
        ("fingerprints-rsa", Trust::Fingerprints(fingerprints)),
    ]
}

pub fn sources(folder: &Path) -> [Source; 2] {
    Meta::parse(&std::fs::read(folder.join(Meta::path())).unwrap()).unwrap().sources().unwrap()
}

pub fn read_catalogue(folder: &Path, source: &Source, trust: &Trust) -> Result<Catalogue> {
    Catalogue::read(File::open(folder.join(&source.path))?, source, trust)
}

/// Reads a whole package as a client does: from the catalogue's entry to the stream in it.
pub fn read_package(package: &Package, bytes: impl Read) -> Result<Vec<u8>> {
    let mut check = package.check(bytes);
    let mut archive = PackageArchive::open(&mut check)?;
    let mut stream = Vec::new();
    archive.read_to_end(&mut stream)?;
    archive.finish()?;
    io::copy(&mut check, &mut io::sink())?;
    check.finish()?;
    Ok(stream)
}
