// SPDX-License-Identifier: GPL-3.0-or-later

//! What `bhyve_catalog` returns.

use ansible_module::Reply;
use anyhow::Result;
use image_catalog::digest::Sha256Hex;
use image_catalog::manifest::Manifest;
use serde::Serialize;
use zfs_command::Guid;

use crate::apply::Work;
use crate::params::Wanted;

/// The image that was asked for.
#[derive(Serialize)]
struct Image {
    name: String,
    version: String,
    path: Option<String>,
    /// SHA-256 of the package file, unknown before it is written.
    sha256: Option<String>,
    /// Bytes of the package file, unknown before it is written.
    size: Option<u64>,
    volsize: u64,
    volblocksize: u64,
    /// Text, because JSON's readers round large numbers.
    guid: Guid,
    fromguid: Option<Guid>,
    /// SHA-256 of the stream in the package.
    stream_sha256: Sha256Hex,
    /// Bytes of that stream.
    stream_size: u64,
}

#[derive(Serialize)]
struct Catalogue {
    path: String,
    images: Vec<String>,
    /// SHA-256 of the public key's file, as a client's fingerprint has it.
    fingerprint: Option<Sha256Hex>,
}

/// Puts the reply together; `published` is what was written in this run.
pub fn reply(work: &Work<'_>, published: Option<&Manifest>) -> Result<Reply> {
    let Work { params, wanted, plan, observed, signer } = work;
    let fingerprint = signer.fingerprint()?;
    let catalogue = Catalogue {
        path: params.path.display().to_string(),
        images: plan.images(observed.catalogue.as_ref()),
        fingerprint,
    };
    let withdrawn: Vec<_> = plan.withdraw.iter().map(ToString::to_string).collect();
    let reply = Reply::new(plan.changed())
        .diff(plan.diff(params))
        .with("catalogue", catalogue)
        .with("withdrawn", withdrawn);
    Ok(match image(work, wanted, published) {
        Some(image) => reply.with("image", image),
        None => reply,
    })
}

fn image(work: &Work<'_>, wanted: &Wanted, published: Option<&Manifest>) -> Option<Image> {
    let (Wanted::Present { id, .. }, Some(seen)) = (wanted, &work.observed.source) else { return None };
    let images = work.observed.catalogue.as_ref().map_or(&[][..], |catalogue| &catalogue.images);
    let listed = images.iter().find(|image| image.id == *id).map(|image| &image.manifest);
    let manifest = published.or(listed);
    let path = manifest.and_then(|manifest| manifest.path.as_ref());
    Some(Image {
        name: id.name.to_string(),
        version: id.version.to_string(),
        path: path.map(|path| work.params.path.join(path).display().to_string()),
        sha256: manifest
            .and_then(|manifest| manifest.sum.as_ref())
            .and_then(|sum| sum.sha256())
            .map(String::from),
        size: manifest.and_then(|manifest| manifest.pkgsize),
        volsize: seen.volsize,
        volblocksize: seen.volblocksize,
        guid: Guid(seen.guid),
        fromguid: seen.fromguid.map(Guid),
        stream_sha256: seen.stream.sha256.clone(),
        stream_size: seen.stream.size,
    })
}
