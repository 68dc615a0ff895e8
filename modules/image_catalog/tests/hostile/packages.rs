// SPDX-License-Identifier: GPL-3.0-or-later

//! Packages made to do harm.

use std::io;

use anyhow::Result;
use image_catalog::archive::PackageArchive;
use image_catalog::digest::Sha256Hex;
use tar::EntryType;

use crate::members::{end, member, member_claiming, member_of, pax};

const STREAM: &[u8] = b"a stream";
const PATH: &str = "/bhyve/images/demo-1.zfs";

fn manifest_for(path: &str, size: usize, sha256: &Sha256Hex) -> String {
    format!(
        r#"{{"name":"demo","origin":"o","version":"1","flatsize":{size},"annotations":{{"image_format":"zfs-stream","image_guid":"1","image_volblocksize":"4096","image_volsize":"4096"}},"files":{{"{path}":{{"sum":"1${sha256}"}}}}}}"#
    )
}

fn manifest() -> Vec<u8> {
    member("+MANIFEST", manifest_for(PATH, STREAM.len(), &Sha256Hex::of(STREAM)).as_bytes())
}

fn read(package: &[u8]) -> Result<u64> {
    let mut archive = PackageArchive::open(package)?;
    let length = io::copy(&mut archive, &mut io::sink())?;
    archive.finish()?;
    Ok(length)
}

fn refusal(parts: &[Vec<u8>]) -> String {
    format!("{:#}", read(&parts.concat()).unwrap_err())
}

#[test]
fn a_plain_package_is_read() {
    let package = [manifest(), member(PATH, STREAM), end()].concat();
    assert_eq!(read(&package).unwrap(), STREAM.len() as u64);
    let long = [manifest(), pax(&[("path", PATH), ("mtime", "1.5")]), member("x", STREAM), end()].concat();
    assert_eq!(read(&long).unwrap(), STREAM.len() as u64);
}

#[test]
fn paths_that_lead_elsewhere_are_refused() {
    for path in [
        "/etc/passwd",
        "/bhyve/images/../../etc/passwd",
        "/bhyve/images/sub/demo-1.zfs",
        "/bhyve/images/",
        "/bhyve/images/.hidden",
        "/bhyve/images-2/demo-1.zfs",
        "../demo-1.zfs",
        "demo-1.zfs",
        "bhyve/images/demo-1.zfs",
    ] {
        let manifest =
            member("+MANIFEST", manifest_for(path, STREAM.len(), &Sha256Hex::of(STREAM)).as_bytes());
        let expected = format!("member {path:?} is not a file directly in /bhyve/images/");
        assert_eq!(refusal(&[manifest.clone(), member(path, STREAM), end()]), expected);
        assert_eq!(refusal(&[manifest, pax(&[("path", path)]), member(PATH, STREAM), end()]), expected);
    }
}

#[test]
fn all_but_regular_files_are_refused() {
    for (kind, what) in [
        (EntryType::Symlink, "a symbolic link"),
        (EntryType::Link, "a hard link"),
        (EntryType::Char, "a device"),
        (EntryType::Block, "a device"),
        (EntryType::Fifo, "a fifo"),
        (EntryType::Directory, "a directory"),
        (EntryType::GNUSparse, "a sparse file"),
        (EntryType::GNULongName, "a GNU long name"),
        (EntryType::GNULongLink, "a GNU long name"),
        (EntryType::XGlobalHeader, "a global extended header"),
        (EntryType::Continuous, "of an unknown type"),
        (EntryType::new(b'Z'), "of an unknown type"),
    ] {
        let expected = format!("member {PATH:?} is {what}, expected a regular file");
        assert_eq!(refusal(&[manifest(), member_of(kind, PATH, b""), end()]), expected);
        assert_eq!(
            refusal(&[manifest(), member(PATH, STREAM), member_of(kind, PATH, b""), end()]),
            format!("reading what follows the image: {expected}")
        );
    }
}

#[test]
fn extended_headers_that_change_the_meaning_are_refused() {
    let sparse = "the archive holds a sparse file (GNU.sparse.major), pack it without holes";
    for (records, expected) in [
        (pax(&[("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0")]), sparse.to_owned()),
        (
            pax(&[("SCHILY.realsize", "100")]),
            "the archive holds a sparse file (SCHILY.realsize), pack it without holes".to_owned(),
        ),
        (
            pax(&[("linkpath", "/etc/passwd")]),
            "an extended header has the unknown key \"linkpath\"".to_owned(),
        ),
        (pax(&[("path", PATH), ("path", "/x")]), "an extended header has the key \"path\" twice".to_owned()),
        (pax(&[("size", "many")]), "reading the size \"many\": invalid digit found in string".to_owned()),
        (
            pax(&[("size", "18446744073709551615")]),
            format!(
                "member {PATH:?} claims 18446744073709551615 bytes, more than the limit of 70368744177664"
            ),
        ),
        (
            [pax(&[("path", PATH)]), pax(&[("path", PATH)])].concat(),
            "two extended headers follow each other".to_owned(),
        ),
        (
            member_of(EntryType::XHeader, "pax", b"99 path=short\n"),
            "reading an extended header: malformed pax extension".to_owned(),
        ),
        (
            member_claiming(EntryType::XHeader, "pax", b"", 1 << 30),
            "an extended header claims 1073741824 bytes, more than 65536".to_owned(),
        ),
    ] {
        assert_eq!(refusal(&[manifest(), records, member(PATH, STREAM), end()]), expected);
    }
}

#[test]
fn lies_about_sizes_are_refused() {
    let sized =
        |size: usize| member("+MANIFEST", manifest_for(PATH, size, &Sha256Hex::of(STREAM)).as_bytes());
    assert_eq!(
        refusal(&[sized(9), member(PATH, STREAM), end()]),
        format!("{PATH} has 8 bytes, the manifest says 9")
    );
    let absurd = member_claiming(EntryType::Regular, PATH, STREAM, 1 << 60);
    assert_eq!(
        refusal(&[manifest(), absurd, end()]),
        format!("member {PATH:?} claims 1152921504606846976 bytes, more than the limit of 70368744177664")
    );
    let larger = member_claiming(EntryType::Regular, PATH, STREAM, 9999);
    assert_eq!(
        refusal(&[sized(9999), larger, end()]),
        "the archive ends 8463 bytes before the end of a member"
    );
    let huge_manifest = member_claiming(EntryType::Regular, "+MANIFEST", b"{}", 1 << 40);
    assert_eq!(
        refusal(&[huge_manifest, end()]),
        "member \"+MANIFEST\" has 1099511627776 bytes, more than the limit of 1048576"
    );
}

#[test]
fn lies_of_the_manifest_are_refused() {
    let other = Sha256Hex::of(b"another stream");
    let named =
        |path: &str, sum: &Sha256Hex| member("+MANIFEST", manifest_for(path, STREAM.len(), sum).as_bytes());
    assert_eq!(
        refusal(&[named(PATH, &other), member(PATH, STREAM), end()]),
        format!("{PATH} has checksum {}, expected {other}", Sha256Hex::of(STREAM))
    );
    let elsewhere = "/bhyve/images/other-1.zfs";
    assert_eq!(
        refusal(&[named(elsewhere, &other), member(PATH, STREAM), end()]),
        format!("the package holds {PATH:?}, its manifest names {elsewhere:?}")
    );
    let compact = member("+COMPACT_MANIFEST", br#"{"name":"demo","origin":"o","version":"2"}"#);
    assert_eq!(
        refusal(&[compact, manifest(), member(PATH, STREAM), end()]),
        "+COMPACT_MANIFEST and +MANIFEST describe different packages"
    );
    let nameless = manifest_for(PATH, STREAM.len(), &other).replace("demo", "../demo");
    assert_eq!(
        refusal(&[member("+MANIFEST", nameless.as_bytes()), member(PATH, STREAM), end()]),
        "image name \"../demo\" is not made of letters, digits, '.', '_' and '-', starting with a letter or digit"
    );
    let plain = manifest_for(PATH, STREAM.len(), &other).replace("image_format", "other");
    assert_eq!(
        refusal(&[member("+MANIFEST", plain.as_bytes()), member(PATH, STREAM), end()]),
        "package demo-1: annotation image_format is missing, so this package is not an image"
    );
}

#[test]
fn members_too_many_or_too_few_are_refused() {
    let image = || member(PATH, STREAM);
    for (parts, expected) in [
        (vec![end()], "the package holds no image"),
        (vec![manifest(), end()], "the package holds no image"),
        (vec![image(), end()], "the package holds a file before its +MANIFEST"),
        (vec![manifest(), manifest(), image(), end()], "the package holds +MANIFEST twice"),
        (
            vec![manifest(), image(), image(), end()],
            "the package holds a second file \"/bhyve/images/demo-1.zfs\" after \"/bhyve/images/demo-1.zfs\"",
        ),
        (
            vec![manifest(), image(), manifest(), end()],
            "the package holds a second file \"+MANIFEST\" after \"/bhyve/images/demo-1.zfs\"",
        ),
        (
            vec![manifest(), image()],
            "reading what follows the image: reading the header of a member: failed to fill whole buffer",
        ),
        (
            vec![manifest(), image(), vec![0; 512]],
            "reading what follows the image: the archive ends within its end mark",
        ),
        (
            vec![manifest(), image(), end(), image()],
            "reading what follows the image: bytes follow the end of the archive",
        ),
        (
            vec![manifest(), image(), end(), vec![0; 2 << 20]],
            "reading what follows the image: more than 1048576 zero bytes follow the end of the archive",
        ),
        (vec![manifest(), pax(&[("path", PATH)]), end()], "the archive ends after an extended header"),
        (Vec::new(), "reading the header of a member: failed to fill whole buffer"),
    ] {
        assert_eq!(refusal(&parts), expected);
    }
}

#[test]
fn damaged_headers_are_refused() {
    let mut header = member(PATH, STREAM);
    header[150] ^= 1;
    assert!(refusal(&[manifest(), header, end()]).starts_with("the header of a member has checksum "));
    let mut padding = member(PATH, STREAM);
    padding[520] = 1;
    assert_eq!(
        refusal(&[manifest(), padding, end()]),
        "reading what follows the image: the padding of a member is not zero"
    );
}

/// 64 MiB of zeros as a manifest, as an extended header and after the end: some KiB on their way.
#[test]
fn zip_bombs_are_refused() {
    let zeros = vec![0; 64 << 20];
    for (parts, expected) in [
        (
            vec![member("+MANIFEST", &zeros)],
            "member \"+MANIFEST\" has 67108864 bytes, more than the limit of 1048576",
        ),
        (
            vec![manifest(), member_of(EntryType::XHeader, "pax", &zeros)],
            "an extended header claims 67108864 bytes, more than 65536",
        ),
        (
            vec![manifest(), member(PATH, STREAM), end(), zeros.clone()],
            "reading what follows the image: more than 1048576 zero bytes follow the end of the archive",
        ),
    ] {
        let packed = zstd::encode_all(&parts.concat()[..], 3).unwrap();
        assert!(packed.len() < 16 << 10);
        assert_eq!(refusal(&[packed]), expected);
    }
}
