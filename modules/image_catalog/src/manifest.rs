// SPDX-License-Identifier: GPL-3.0-or-later

//! The package object: what stands in `+MANIFEST`, `+COMPACT_MANIFEST` and, per package, in a catalogue.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context, Result, bail};
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::digest::Sum;
use crate::name::ImageId;
use crate::path::RelativePath;

/// The largest manifest that is read, in bytes.
pub const MANIFEST_LIMIT: u64 = 1 << 20;

/// A package as pkg describes it, in the order in which pkg writes the fields. Fields that mean nothing to an
/// image are not read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The name without the version.
    pub name: String,
    /// The place in a ports tree; images have one in common.
    pub origin: String,
    /// The version, by which packages of one name are ordered.
    pub version: String,
    /// One line about the package.
    #[serde(default)]
    pub comment: String,
    /// Whom to write to.
    #[serde(default)]
    pub maintainer: String,
    /// A page about it.
    #[serde(default)]
    pub www: String,
    /// Systems the package is for, `FreeBSD:*` for an image.
    #[serde(default)]
    pub abi: String,
    /// The same in an older spelling.
    #[serde(default)]
    pub arch: String,
    /// The folder that relative names of the package would be under.
    #[serde(default)]
    pub prefix: String,
    /// In a catalogue: the checksum of the package file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sum: Option<Sum>,
    /// Bytes of all files when unpacked.
    #[serde(default)]
    pub flatsize: u64,
    /// In a catalogue: where the package file is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<RelativePath>,
    /// In a catalogue: the same path again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repopath: Option<RelativePath>,
    /// How several licenses would combine.
    #[serde(default)]
    pub licenselogic: String,
    /// In a catalogue: bytes of the package file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pkgsize: Option<u64>,
    /// A longer description.
    #[serde(default)]
    pub desc: String,
    /// Packages that must be there first, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub deps: BTreeMap<String, Dependency>,
    /// Words to group packages by.
    #[serde(default)]
    pub categories: Vec<String>,
    /// Free keys and values.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    /// In `+MANIFEST` alone: the files by absolute path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, PackedFile>,
}

/// A package that must be there first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    /// The origin of that package.
    pub origin: String,
    /// The version of the package that is needed.
    pub version: String,
}

impl Manifest {
    /// Reads a manifest of a package or one entry of a catalogue.
    pub fn parse(json: &[u8]) -> Result<Self> {
        serde_json::from_slice(json).context("reading the package's manifest")
    }

    /// Name and version together, where they are fit for an image.
    pub fn id(&self) -> Result<ImageId> {
        ImageId::new(&self.name, &self.version)
    }

    /// The one file of an image package, with its path. Packages of no or several files carry no image.
    pub fn payload(&self) -> Result<(&str, &PackedFile)> {
        let mut files = self.files.iter();
        match (files.next(), files.next()) {
            (Some((path, file)), None) => Ok((path, file)),
            _ => bail!(
                "package {}-{} has {} files, expected one image",
                self.name,
                self.version,
                self.files.len()
            ),
        }
    }

    /// Without what only `+MANIFEST` has: the form of `+COMPACT_MANIFEST` and of a catalogue's entry.
    pub fn compact(&self) -> Self {
        Self { files: BTreeMap::new(), ..self.clone() }
    }

    /// The manifest as one line of JSON, as pkg writes it.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).context("writing a package's manifest")
    }
}

/// A file of a package.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PackedFile {
    /// The checksum of its content.
    pub sum: Sum,
    /// The user who owns the file.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uname: String,
    /// The group that the file belongs to.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub gname: String,
    /// The mode in octal digits.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub perm: String,
    /// Seconds since 1970.
    pub mtime: i64,
}

impl<'de> Deserialize<'de> for PackedFile {
    /// Takes the object that pkg writes today and the bare checksum of long ago.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PackedFileVisitor)
    }
}

struct PackedFileVisitor;

impl<'de> Visitor<'de> for PackedFileVisitor {
    type Value = PackedFile;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a checksum, or an object with the field sum")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<PackedFile, E> {
        let sum = Sum::try_from(text.to_owned()).map_err(E::custom)?;
        Ok(PackedFile { sum, uname: String::new(), gname: String::new(), perm: String::new(), mtime: 0 })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PackedFile, A::Error> {
        #[derive(Deserialize)]
        struct Fields {
            sum: Sum,
            #[serde(default)]
            uname: String,
            #[serde(default)]
            gname: String,
            #[serde(default)]
            perm: String,
            #[serde(default)]
            mtime: i64,
        }
        let fields = Fields::deserialize(de::value::MapAccessDeserializer::new(map))?;
        Ok(PackedFile {
            sum: fields.sum,
            uname: fields.uname,
            gname: fields.gname,
            perm: fields.perm,
            mtime: fields.mtime,
        })
    }
}

/// Spells a description as pkg does in JSON: `%` and what is not ASCII as `%XX`.
pub fn encode_description(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'%' | 0x80.. => encoded.push_str(&format!("%{byte:02X}")),
            _ => encoded.push(char::from(byte)),
        }
    }
    encoded
}

/// Undoes [`encode_description`]; what is no `%XX` stays as it is.
pub fn decode_description(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        let escaped = (*first == b'%')
            .then(|| behind.get(..2))
            .flatten()
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            .and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &behind[2..] } else { behind };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `+MANIFEST` of FreeBSD-14.2-RELEASE-ZFS-20G-20250101.pkg in the repository unsigned-pkg2.4.
    const BY_PKG_2_4: &str = concat!(
        r#"{"name":"FreeBSD-14.2-RELEASE-ZFS-20G","origin":"bhyve/images","version":"20250101","comment":"c","#,
        r#""maintainer":"images@example.org","www":"https://example.org/images","abi":"FreeBSD:*","#,
        r#""arch":"freebsd:*","prefix":"/","flatsize":54968,"licenselogic":"single","desc":"d","#,
        r#""categories":["bhyve"],"annotations":{"image_guid":"7119270074782723516"},"files":"#,
        r#"{"/bhyve/images/x.zfs":{"sum":"1$7c5ee659b73f0573ba130ba54a828672bdf44bbe6e69caab128b1a3d96055662","#,
        r#""uname":"root","gname":"wheel","perm":"0644","fflags":0,"mtime":1795366410}}}"#,
    );

    #[test]
    fn reads_what_pkg_writes() {
        let manifest = Manifest::parse(BY_PKG_2_4.as_bytes()).unwrap();
        assert_eq!(manifest.id().unwrap().to_string(), "FreeBSD-14.2-RELEASE-ZFS-20G-20250101");
        let (path, file) = manifest.payload().unwrap();
        assert_eq!((path, file.perm.as_str(), file.mtime), ("/bhyve/images/x.zfs", "0644", 1_795_366_410));
        assert!(manifest.compact().files.is_empty());
    }

    #[test]
    fn reads_the_bare_checksum_of_long_ago() {
        let sum = "7c5ee659b73f0573ba130ba54a828672bdf44bbe6e69caab128b1a3d96055662";
        let json = format!(r#"{{"name":"x","origin":"o","version":"1","files":{{"/x":"{sum}"}}}}"#);
        assert_eq!(Manifest::parse(json.as_bytes()).unwrap().payload().unwrap().1.sum.to_string(), sum);
    }

    #[test]
    fn writes_what_it_read() {
        let manifest = Manifest::parse(BY_PKG_2_4.as_bytes()).unwrap();
        assert_eq!(Manifest::parse(manifest.to_json().unwrap().as_bytes()).unwrap(), manifest);
    }

    #[test]
    fn refuses_other_shapes() {
        let text = "reading the package's manifest: ";
        for (json, expected) in [
            ("", "EOF while parsing a value at line 1 column 0"),
            ("{}", "missing field `name` at line 1 column 2"),
            (
                r#"{"name":"x","name":"y","origin":"o","version":"1"}"#,
                "duplicate field `name` at line 1 column 18",
            ),
            (
                r#"{"name":"x","origin":"o","version":"1","files":{"/x":3}}"#,
                "invalid type: integer `3`, expected a checksum, or an object with the field sum at line 1 column 54",
            ),
        ] {
            let error = Manifest::parse(json.as_bytes()).unwrap_err();
            assert_eq!(format!("{error:#}"), format!("{text}{expected}"));
        }
        let two = r#"{"name":"x","origin":"o","version":"1"}"#;
        assert_eq!(
            Manifest::parse(two.as_bytes()).unwrap().payload().unwrap_err().to_string(),
            "package x-1 has 0 files, expected one image"
        );
    }

    #[test]
    fn descriptions_survive_the_encoding() {
        assert_eq!(encode_description("50 % für"), "50 %25 f%C3%BCr");
        assert_eq!(decode_description("50 %25 f%C3%BCr"), "50 % für");
        assert_eq!(decode_description("%zz %4"), "%zz %4");
    }
}
