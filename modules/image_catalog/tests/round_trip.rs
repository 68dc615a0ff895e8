// SPDX-License-Identifier: GPL-3.0-or-later

//! What this crate writes, it reads; twice the same gives the same bytes.

#![allow(clippy::unwrap_used, reason = "a helper that fails shows where")]

mod common;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use anyhow::Result;
use common::{read_catalogue, read_package, sources};
use image_catalog::archive_write::{Compression, write_package};
use image_catalog::catalogue::Catalogue;
use image_catalog::catalogue_write::Listing;
use image_catalog::digest::Sha256Hex;
use image_catalog::facts::ImageFacts;
use image_catalog::manifest::{Dependency, Manifest, PackedFile};
use image_catalog::signature::{KeyType, PrivateKey, Signing, Trust, create_key, load_key};

fn manifest(name: &str, version: &str, stream: &[u8]) -> Manifest {
    let sha256 = Sha256Hex::of(stream);
    let facts = ImageFacts {
        volsize: 1 << 20,
        volblocksize: 65536,
        guid: 42,
        sha256: Some(sha256.clone()),
        ..ImageFacts::default()
    };
    let file = PackedFile {
        sum: sha256.into(),
        uname: "root".to_owned(),
        gname: "wheel".to_owned(),
        perm: "0644".to_owned(),
        mtime: 0,
    };
    Manifest {
        name: name.to_owned(),
        version: version.to_owned(),
        origin: "bhyve/images".to_owned(),
        comment: "an image".to_owned(),
        maintainer: "images@example.org".to_owned(),
        www: "https://example.org".to_owned(),
        abi: "FreeBSD:*".to_owned(),
        arch: "freebsd:*".to_owned(),
        prefix: "/".to_owned(),
        sum: None,
        flatsize: stream.len() as u64,
        path: None,
        repopath: None,
        licenselogic: "single".to_owned(),
        pkgsize: None,
        desc: "an image".to_owned(),
        deps: BTreeMap::from([(
            "base".to_owned(),
            Dependency { origin: "bhyve/images".to_owned(), version: "1".to_owned() },
        )]),
        categories: vec!["bhyve".to_owned()],
        annotations: facts.to_annotations(),
        files: BTreeMap::from([(format!("/bhyve/images/{name}-{version}.zfs"), file)]),
    }
}

fn packed(manifest: &Manifest, compression: Compression, stream: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let written = write_package(&mut bytes, manifest, compression, |sink| Ok(sink.write_all(stream)?))?;
    assert_eq!((written.size, written.sha256), (bytes.len() as u64, Sha256Hex::of(&bytes)));
    Ok(bytes)
}

/// Writes a repository of one image and returns what its clients must trust.
fn publish(folder: &Path, signing: &Signing, stream: &[u8]) -> Option<Trust> {
    let manifest = manifest("demo-1.0", "20261122", stream);
    let package = packed(&manifest, Compression::Zstd { level: 3, threads: 2 }, stream).unwrap();
    let path = "All/demo-1.0-20261122.pkg";
    std::fs::create_dir_all(folder.join("All")).unwrap();
    std::fs::write(folder.join(path), &package).unwrap();
    let mut listing = Listing::default();
    let listed = Manifest {
        sum: Some(Sha256Hex::of(&package).into()),
        path: Some(path.parse().unwrap()),
        repopath: Some(path.parse().unwrap()),
        pkgsize: Some(package.len() as u64),
        ..manifest
    };
    listing.add(&listed).unwrap();
    listing.files(signing).unwrap().write(folder).unwrap();
    signing.trust().unwrap()
}

fn assert_readable(folder: &Path, trust: &Trust, stream: &[u8]) {
    for source in sources(folder) {
        let catalogue = read_catalogue(folder, &source, trust).unwrap();
        let package = catalogue.find(&"demo-1.0".parse().unwrap()).unwrap();
        assert_eq!(package.facts.guid, 42);
        assert_eq!(
            read_package(package, std::fs::File::open(folder.join(&package.path)).unwrap()).unwrap(),
            stream
        );
    }
}

#[test]
fn all_six_combinations_of_signature_and_key_are_written_and_read() {
    let stream = b"stream ".repeat(30_000);
    for key_type in [KeyType::Rsa, KeyType::Ecdsa, KeyType::Eddsa] {
        let folder = tempfile::tempdir().unwrap();
        let key_path = folder.path().join("catalogue.key");
        create_key(&key_path, &PrivateKey::generate(key_type).unwrap()).unwrap();
        let stranger = Signing::Pubkey(PrivateKey::generate(key_type).unwrap()).trust().unwrap().unwrap();
        for signing in [Signing::Pubkey as fn(PrivateKey) -> Signing, Signing::Fingerprints] {
            let signing = signing(load_key(&key_path).unwrap());
            let trust = publish(folder.path(), &signing, &stream).unwrap();
            assert_readable(folder.path(), &trust, &stream);
            for source in sources(folder.path()) {
                let archive = std::fs::read(folder.path().join(&source.path)).unwrap();
                assert!(Catalogue::read(&archive[..], &source, &stranger).is_err());
            }
        }
    }
}

#[test]
fn unsigned_repositories_are_for_those_who_ask_for_them() {
    let folder = tempfile::tempdir().unwrap();
    let trust = publish(folder.path(), &Signing::Unsigned, b"stream").unwrap();
    assert_readable(folder.path(), &trust, b"stream");
}

#[test]
fn the_same_input_gives_the_same_bytes_with_any_number_of_threads() {
    let stream: Vec<u8> = (0..20_000_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let manifest = manifest("demo-1.0", "20261122", &stream);
    let with = |threads| packed(&manifest, Compression::Zstd { level: 1, threads }, &stream).unwrap();
    let two = with(2);
    assert_eq!(two, with(1));
    assert_eq!(two, with(3));
    let plain = packed(&manifest, Compression::None, &stream).unwrap();
    assert_eq!(plain, packed(&manifest, Compression::None, &stream).unwrap());
}

#[test]
fn the_same_catalogue_has_the_same_bytes_and_a_later_time() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let key = PrivateKey::generate(KeyType::Ecdsa).unwrap();
    let signing = Signing::Fingerprints(key);
    publish(one.path(), &signing, b"stream");
    publish(two.path(), &signing, b"stream");
    for name in ["meta", "meta.conf", "packagesite.pkg", "data.pkg"] {
        let read = |folder: &Path| std::fs::read(folder.join(name)).unwrap();
        assert_eq!(read(one.path()), read(two.path()), "{name}");
    }
    let time = |name: &str| one.path().join(name).metadata().unwrap().modified().unwrap();
    let before = time("data.pkg");
    publish(one.path(), &signing, b"stream");
    assert!(time("data.pkg") >= before + std::time::Duration::from_secs(1));
    assert_eq!(time("data.pkg"), time("packagesite.pkg"));
}

#[test]
fn a_source_that_changes_under_the_packer_is_refused() {
    let manifest = manifest("demo-1.0", "1", b"stream");
    for (stream, expected) in [
        (
            &b"Stream"[..],
            format!(
                "the image changed while it was packed: it now has 6 bytes with checksum {}, before 6 with {}; \
                 publish from a source that nobody writes to",
                Sha256Hex::of(b"Stream"),
                Sha256Hex::of(b"stream")
            ),
        ),
        (&b"streams"[..], "the image grew while it was packed".to_owned()),
    ] {
        let write = |sink: &mut dyn Write| Ok(sink.write_all(stream)?);
        let error = write_package(io::sink(), &manifest, Compression::None, write).unwrap_err();
        assert_eq!(format!("{error:#}"), expected);
    }
}

#[test]
fn keys_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalogue.key");
    let shown = path.display();
    let key = PrivateKey::generate(KeyType::Eddsa).unwrap();
    create_key(&path, &key).unwrap();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(
        format!("{:#}", create_key(&path, &key).unwrap_err()),
        format!("writing signing key {shown}: File exists (os error 17)")
    );
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(
        format!("{:#}", load_key(&path).err().unwrap()),
        format!(
            "reading signing key {shown}: its mode is 0640, so others can use it: run chmod 0600 {shown} \
             once you are sure that nobody has"
        )
    );
}

#[test]
fn names_too_long_for_a_plain_header_fit() {
    let name = format!("demo-{}", "x".repeat(110));
    let stream = vec![7; 4000];
    let manifest = manifest(&name, "1", &stream);
    let bytes = packed(&manifest, Compression::None, &stream).unwrap();
    let mut archive = image_catalog::archive::PackageArchive::open(&bytes[..]).unwrap();
    assert_eq!(io::copy(&mut archive, &mut io::sink()).unwrap(), 4000);
    archive.finish().unwrap();
}

/// An image that is added and taken out again leaves the list of before, but not the catalogue of before.
#[test]
fn every_change_raises_the_serial_number() {
    let folder = tempfile::tempdir().unwrap();
    publish(folder.path(), &Signing::Unsigned, b"stream");
    let [data, lines] = sources(folder.path());
    let read = |source| read_catalogue(folder.path(), source, &Trust::Anyone).unwrap();
    for serial in 1..4 {
        let catalogue = read(&data);
        assert_eq!((catalogue.serial, read(&lines).serial), (Some(serial), None));
        Listing::of(&catalogue).files(&Signing::Unsigned).unwrap().write(folder.path()).unwrap();
    }
}

/// Publishing into somebody's repository leaves what pkg keeps there beside the packages, and packages that are no images.
#[test]
fn groups_and_expired_packages_survive() {
    let folder = tempfile::tempdir().unwrap();
    let kept = r#""groups":[{"name":"web","comment":"all of it"}],"expired_packages":[{"name":"old","version":"1"}]"#;
    let data = format!(r#"{{{kept},"packages":[{{"name":"x","odd":3}}]}}"#);
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(data.len() as u64);
    archive.append_data(&mut header, "data", data.as_bytes()).unwrap();
    let source = &sources(&common::fixtures().join("unsigned"))[0];
    let catalogue = Catalogue::read(&archive.into_inner().unwrap()[..], source, &Trust::Anyone).unwrap();
    Listing::of(&catalogue).files(&Signing::Unsigned).unwrap().write(folder.path()).unwrap();
    let written = zstd::decode_all(std::fs::File::open(folder.path().join("data.pkg")).unwrap()).unwrap();
    let text = String::from_utf8_lossy(&written);
    assert!(text.contains(kept) && text.contains(r#""packages":[{"name":"x","odd":3}]"#), "{text}");
    let again = read_catalogue(folder.path(), source, &Trust::Anyone).unwrap();
    assert_eq!((again.kept, again.others), (catalogue.kept, catalogue.others));
}
