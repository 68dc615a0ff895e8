// SPDX-License-Identifier: GPL-3.0-or-later

//! The manifest of a package about to be written.

use std::collections::BTreeMap;

use anyhow::Result;
use image_catalog::arch::Arch;
use image_catalog::archive::IMAGE_FOLDER;
use image_catalog::archive_write::Compression;
use image_catalog::facts::ImageFacts;
use image_catalog::manifest::{Dependency, Manifest, PackedFile, encode_description};
use image_catalog::name::ImageId;

use crate::dates::time_of;
use crate::look::Seen;
use crate::params::{CompressionKind, Params};

/// The place of all images in the ports tree, where pkg wants every package to have one.
const ORIGIN: &str = "bhyve/images";

/// Describes an image, without what is known only when its package is written.
pub fn manifest(
    params: &Params,
    id: &ImageId,
    seen: &Seen,
    labels: &BTreeMap<String, String>,
) -> Result<Manifest> {
    let mut annotations = facts(params, seen).to_annotations();
    annotations.extend(labels.clone());
    let file = PackedFile {
        sum: seen.stream.sha256.clone().into(),
        uname: "root".to_owned(),
        gname: "wheel".to_owned(),
        perm: "0644".to_owned(),
        mtime: i64::try_from(time_of(&id.version))?,
    };
    let (abi, arch) = params.arch.map_or_else(any_machine, Arch::abi);
    let text = |option: &Option<String>, default: String| option.clone().unwrap_or(default);
    let comment = text(&params.comment, format!("bhyve guest image {} of {}", id.name, id.version));
    let parent = params.parent.as_ref().and_then(|parent| parent.split());
    let dependency = |parent: ImageId| {
        let version = parent.version.to_string();
        (parent.name.to_string(), Dependency { origin: ORIGIN.to_owned(), version })
    };
    Ok(Manifest {
        name: id.name.to_string(),
        version: id.version.to_string(),
        origin: ORIGIN.to_owned(),
        desc: encode_description(&comment),
        comment,
        maintainer: text(&params.maintainer, "images@localhost".to_owned()),
        www: text(&params.www, "https://man.freebsd.org/bhyve".to_owned()),
        abi,
        arch,
        prefix: "/".to_owned(),
        sum: None,
        flatsize: seen.stream.size,
        path: None,
        repopath: None,
        licenselogic: "single".to_owned(),
        pkgsize: None,
        deps: parent.map(dependency).into_iter().collect(),
        categories: vec!["bhyve".to_owned()],
        annotations,
        files: BTreeMap::from([(format!("{IMAGE_FOLDER}{id}.zfs"), file)]),
    })
}

/// pkg's `abi` and `arch` of what any FreeBSD may install.
pub fn any_machine() -> (String, String) {
    ("FreeBSD:*".to_owned(), "freebsd:*".to_owned())
}

fn facts(params: &Params, seen: &Seen) -> ImageFacts {
    let requirements = params.requirements.clone().unwrap_or_default();
    let compression = match params.compression {
        CompressionKind::Zstd => "zstd",
        CompressionKind::None => "none",
    };
    ImageFacts {
        volsize: seen.volsize,
        volblocksize: seen.volblocksize,
        guid: seen.guid,
        fromguid: seen.fromguid,
        parent: params.parent.clone(),
        sha256: Some(seen.stream.sha256.clone()),
        compression: Some(compression.to_owned()),
        os: params.os.clone(),
        arch: params.arch,
        source: seen.checksum.clone(),
        captured_from: params.captured_from(),
        min_memory: requirements.memory.map(|size| size.0),
        loader: requirements.loader,
        disk_driver: requirements.disk_driver,
        network_driver: requirements.network_driver,
    }
}

/// How the package gets compressed.
pub fn compression(params: &Params) -> Compression {
    match params.compression {
        CompressionKind::None => Compression::None,
        CompressionKind::Zstd => {
            Compression::Zstd { level: params.compression_level, threads: threads(params) }
        }
    }
}

fn threads(params: &Params) -> u32 {
    let processors = || std::thread::available_parallelism().map_or(1, |count| count.get());
    match params.compression_threads {
        0 => u32::try_from(processors()).unwrap_or(1),
        threads => threads,
    }
}
