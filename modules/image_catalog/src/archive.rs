// SPDX-License-Identifier: GPL-3.0-or-later

//! A package file in one pass: its manifest first, then its image as a stream that is judged at its end.

use std::io::{self, Read};

use anyhow::{Context, Result, bail, ensure};

use crate::compression::Decompressor;
use crate::digest::{Hasher, Sum};
use crate::facts::ImageFacts;
use crate::manifest::{MANIFEST_LIMIT, Manifest};
use crate::members::{Member, Members};
use crate::name::ImageId;

/// The folder that every packed image lies in.
pub const IMAGE_FOLDER: &str = "/bhyve/images/";

/// An image package being read. [`Read`] gives the send stream; nothing of it may be relied on before
/// [`PackageArchive::finish`] has judged it.
pub struct PackageArchive<R: Read> {
    members: Members<Decompressor<R>>,
    manifest: Manifest,
    id: ImageId,
    facts: ImageFacts,
    payload: Payload,
}

struct Payload {
    path: String,
    size: u64,
    expected: Sum,
    hasher: Hasher,
}

impl<R: Read> PackageArchive<R> {
    /// Reads up to the image: the manifests, which must agree with each other and with the image's name and
    /// size.
    pub fn open(reader: R) -> Result<Self> {
        let mut members = Members::new(Decompressor::new(reader)?);
        let (mut compact, mut full) = (None, None);
        let member = loop {
            let Some(member) = members.next()? else { bail!("the package holds no image") };
            let place = match member.path.as_str() {
                "+COMPACT_MANIFEST" => &mut compact,
                "+MANIFEST" => &mut full,
                _ => break member,
            };
            let manifest = Manifest::parse(&members.content(&member, MANIFEST_LIMIT)?)?;
            ensure!(place.replace(manifest).is_none(), "the package holds {} twice", member.path);
        };
        let manifest = full.context("the package holds a file before its +MANIFEST")?;
        if let Some(compact) = compact {
            ensure!(
                compact == manifest.compact(),
                "+COMPACT_MANIFEST and +MANIFEST describe different packages"
            );
        }
        let id = manifest.id()?;
        let facts =
            ImageFacts::from_annotations(&manifest.annotations).with_context(|| format!("package {id}"))?;
        let payload = Payload::expected(&member, &manifest)?;
        Ok(Self { members, manifest, id, facts, payload })
    }

    /// The package's `+MANIFEST`.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The image's name and version.
    pub fn id(&self) -> &ImageId {
        &self.id
    }

    /// What the annotations say of the image.
    pub fn facts(&self) -> &ImageFacts {
        &self.facts
    }

    /// Whether unpacking the package itself takes memory, up to 40 MiB.
    pub fn is_compressed(&self) -> bool {
        !self.members.inner().is_plain()
    }

    /// Bytes of the send stream.
    pub fn stream_size(&self) -> u64 {
        self.payload.size
    }

    /// Judges what was read: the whole stream with the checksum of the manifest, and nothing after it.
    /// Returns the source, at its end.
    pub fn finish(mut self) -> Result<R> {
        let Payload { path, expected, hasher, .. } = self.payload;
        if let Some(member) = self.members.next().context("reading what follows the image")? {
            bail!("the package holds a second file {:?} after {path:?}", member.path);
        }
        let found = hasher.finish();
        ensure!(found == expected, "{path} has checksum {found}, expected {expected}");
        self.members.into_inner().finish()
    }
}

impl<R: Read> Read for PackageArchive<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.members.read(buffer)?;
        self.payload.hasher.update(&buffer[..count]);
        Ok(count)
    }
}

impl Payload {
    /// What the manifest says of the image at hand, which must be the one it names.
    fn expected(member: &Member, manifest: &Manifest) -> Result<Self> {
        let Member { path, size } = member.clone();
        let (stated, file) = manifest.payload()?;
        ensure!(
            path.strip_prefix(IMAGE_FOLDER).is_some_and(is_file_name),
            "member {path:?} is not a file directly in {IMAGE_FOLDER}"
        );
        ensure!(path == stated, "the package holds {path:?}, its manifest names {stated:?}");
        ensure!(
            size == manifest.flatsize,
            "{path} has {size} bytes, the manifest says {}",
            manifest.flatsize
        );
        Ok(Self { path, size, expected: file.sum.clone(), hasher: Hasher::new(file.sum.kind()) })
    }
}

fn is_file_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}
