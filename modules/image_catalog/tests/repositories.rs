// SPDX-License-Identifier: GPL-3.0-or-later

//! Repositories that pkg(8) has written are read, and only as they were written.

#![allow(clippy::unwrap_used, reason = "a helper that fails shows where")]

mod common;

use std::fs::File;

use common::{fixtures, read_catalogue, read_package, repositories, sources, trust_in};
use image_catalog::catalogue::{Catalogue, OtherPackage};
use image_catalog::digest::Sha256Hex;
use image_catalog::name::ImageName;
use image_catalog::signature::{Fingerprints, Trust};

/// The images of every repository, with the SHA-256 and the volume size of the stream, in order of name.
const IMAGES: [(&str, &str, u64); 4] = [
    (
        "FreeBSD-10.3-RELEASE-ZFS-20G-20170515",
        "1c1f2fe5f4f880f512b55055572134fb7a718eb57d8390631b813133c233f02f",
        1 << 20,
    ),
    (
        "FreeBSD-14.2-RELEASE-ZFS-20G-20250101",
        "7c5ee659b73f0573ba130ba54a828672bdf44bbe6e69caab128b1a3d96055662",
        1 << 20,
    ),
    (
        "FreeBSD-14.2-RELEASE-ZFS-20G-20250515",
        "2e4b432c0a5d8564dde820fad4126e7da5c9001ba2c95a00686a098b40e6f96d",
        16 << 20,
    ),
    (
        "debian-12-ZFS-10G-20250515",
        "1f0a166b9ae4fd584ed0372dd254d32c843b52a6bd6c487fb91c0acd5093c3dd",
        1 << 20,
    ),
];

fn listed(catalogue: &Catalogue) -> Vec<String> {
    let mut names: Vec<_> = catalogue.images.iter().map(|image| image.id.to_string()).collect();
    names.sort();
    names
}

#[test]
fn every_repository_is_read_and_every_stream_verified() {
    for (repository, trust) in repositories() {
        let folder = fixtures().join(repository);
        for source in sources(&folder) {
            let catalogue = read_catalogue(&folder, &source, &trust).unwrap();
            assert_eq!(
                listed(&catalogue),
                IMAGES.map(|(name, ..)| name.to_owned()),
                "{repository} {}",
                source.path
            );
            assert!(catalogue.others.is_empty());
            for (name, sha256, volsize) in IMAGES {
                let package = catalogue.find(&name.parse().unwrap()).unwrap();
                let stream = read_package(package, File::open(folder.join(&package.path)).unwrap()).unwrap();
                assert_eq!(Sha256Hex::of(&stream).as_str(), sha256, "{repository} {name}");
                assert_eq!(package.facts.volsize, volsize);
            }
        }
    }
}

#[test]
fn the_base_name_gives_the_newest() {
    let (repository, trust) = repositories().into_iter().next().unwrap();
    let folder = fixtures().join(repository);
    let catalogue = read_catalogue(&folder, &sources(&folder)[0], &trust).unwrap();
    let find = |name: &str| catalogue.find(&name.parse().unwrap()).map(|package| package.id.to_string());
    assert_eq!(find("FreeBSD-14.2-RELEASE-ZFS-20G").unwrap(), "FreeBSD-14.2-RELEASE-ZFS-20G-20250515");
    assert_eq!(
        find("FreeBSD-14.2-RELEASE-ZFS-20G-20250101").unwrap(),
        "FreeBSD-14.2-RELEASE-ZFS-20G-20250101"
    );
    assert_eq!(
        find("deb").unwrap_err().to_string(),
        "no image deb is in the catalogue, which has debian-12-ZFS-10G-20250515"
    );
}

#[test]
fn the_wrong_trust_refuses_a_catalogue() {
    let not_made = "the catalogue's signature was not made by the trusted key, or the catalogue was changed";
    let stranger = Trust::Fingerprints(Fingerprints::trusting(Sha256Hex::of(b"")));
    let fingerprint = "955400917cffb342941eddc02909e5c083db91a44189a2d7a6ab7641d308127f";
    for (repository, trust, expected) in [
        ("unsigned", trust_in("rsa.pub"), "the catalogue is not signed".to_owned()),
        ("unsigned", stranger.clone(), "the catalogue is not signed".to_owned()),
        ("pubkey-rsa", trust_in("other-rsa.pub"), format!("{not_made}: verification error")),
        (
            "pubkey-rsa",
            trust_in("eddsa.pub"),
            "the catalogue is signed by a key of type rsa, the trusted key is of type eddsa".to_owned(),
        ),
        (
            "pubkey-eddsa",
            trust_in("rsa.pub"),
            "the catalogue is signed by a key of type eddsa, the trusted key is of type rsa".to_owned(),
        ),
        (
            "pubkey-rsa",
            stranger.clone(),
            "the catalogue is signed for signature_type pubkey, not fingerprints".to_owned(),
        ),
        (
            "fingerprints-rsa",
            trust_in("rsa.pub"),
            "the catalogue is signed for signature_type fingerprints, not pubkey".to_owned(),
        ),
        (
            "fingerprints-rsa",
            stranger,
            format!("the catalogue is signed by {fingerprint}, which is not trusted"),
        ),
    ] {
        let folder = fixtures().join(repository);
        for source in sources(&folder) {
            let error = read_catalogue(&folder, &source, &trust).unwrap_err();
            assert_eq!(format!("{error:#}"), format!("reading the catalogue {}: {expected}", source.path));
        }
    }
}

#[test]
fn a_revoked_key_spoils_a_right_signature() {
    let folder = tempfile::tempdir().unwrap();
    let fingerprint = "function: \"sha256\"\n\
        fingerprint: \"955400917cffb342941eddc02909e5c083db91a44189a2d7a6ab7641d308127f\"\n";
    for sub in ["trusted", "revoked"] {
        std::fs::create_dir(folder.path().join(sub)).unwrap();
        std::fs::write(folder.path().join(sub).join("images"), fingerprint).unwrap();
    }
    let trust = Trust::Fingerprints(Fingerprints::load(folder.path()).unwrap());
    let repository = fixtures().join("fingerprints-rsa");
    let error = read_catalogue(&repository, &sources(&repository)[0], &trust).unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "reading the catalogue data.pkg: the catalogue is signed by the revoked key \
         955400917cffb342941eddc02909e5c083db91a44189a2d7a6ab7641d308127f"
    );
}

/// Every byte of both archives is changed in three ways; one in 150 at most goes unnoticed. The archive around the signed member is nobody's
/// promise: a few bits of zstd's own framing mean nothing to its decoder, and then the very same list is read.
#[test]
fn no_changed_byte_of_a_signed_catalogue_changes_what_is_read() {
    for (repository, trust) in repositories().into_iter().filter(|(name, _)| !name.starts_with("unsigned")) {
        let folder = fixtures().join(repository);
        for source in sources(&folder) {
            let intact = std::fs::read(folder.join(&source.path)).unwrap();
            let expected = Catalogue::read(&intact[..], &source, &trust).unwrap().sha256;
            let mut without_effect = 0;
            for (position, flip) in
                (0..intact.len()).flat_map(|position| [(position, 0x01), (position, 0x80), (position, 0xff)])
            {
                let mut changed = intact.clone();
                changed[position] ^= flip;
                if let Ok(catalogue) = Catalogue::read(&changed[..], &source, &trust) {
                    assert_eq!(catalogue.sha256, expected, "{repository} {} byte {position}", source.path);
                    without_effect += 1;
                }
            }
            assert!(
                without_effect <= intact.len() / 50,
                "{repository} {}: {without_effect} changes went unnoticed",
                source.path
            );
        }
    }
}

/// Whoever asks by NAME learns as much as who asks by NAME-VERSION.
#[test]
fn versions_that_cannot_be_used_are_told_by_their_base_name_as_well() {
    let folder = fixtures().join("unsigned");
    let mut catalogue = read_catalogue(&folder, &sources(&folder)[0], &Trust::Anyone).unwrap();
    let base: ImageName = "FreeBSD-14.2-RELEASE-ZFS-20G".parse().unwrap();
    let odd = |version: &str| OtherPackage {
        name: format!("{base}-{version}"),
        reason: format!("{version} is odd"),
        file: None,
        json: String::new(),
    };
    catalogue.others = ["20240101", "x"].map(odd).into();
    let found = catalogue.find(&base).unwrap().id.clone();
    assert_eq!(catalogue.remark(&base, &found), None);
    catalogue.others.extend(["20270101", "20260101"].map(odd));
    assert_eq!(catalogue.find(&base).unwrap().id, found);
    assert_eq!(
        catalogue.remark(&base, &found).unwrap(),
        format!(
            "image {base} is {found}, because a newer one in the catalogue, {base}-20270101, cannot be used: 20270101 is odd"
        )
    );
    assert_eq!(catalogue.remark(&found.to_string().parse().unwrap(), &found), None);
    catalogue.images.clear();
    for (name, of) in [
        (base.to_string(), format!("the newest, {base}-20270101: ")),
        (format!("{base}-20270101"), String::new()),
    ] {
        assert_eq!(
            catalogue.find(&name.parse().unwrap()).unwrap_err().to_string(),
            format!("image {name} in the catalogue cannot be used: {of}20270101 is odd")
        );
    }
}

#[test]
fn every_changed_byte_of_a_package_is_refused() {
    let folder = fixtures().join("pubkey-rsa");
    let catalogue = read_catalogue(&folder, &sources(&folder)[0], &trust_in("rsa.pub")).unwrap();
    for name in [
        "debian-12-ZFS-10G-20250515",
        "FreeBSD-14.2-RELEASE-ZFS-20G-20250101",
        "FreeBSD-10.3-RELEASE-ZFS-20G-20170515",
    ] {
        let package = catalogue.find(&name.parse().unwrap()).unwrap();
        let mut bytes = std::fs::read(folder.join(&package.path)).unwrap();
        for position in (0..bytes.len()).step_by(97).chain(0..600) {
            bytes[position] ^= 0x10;
            assert!(read_package(package, &bytes[..]).is_err(), "{name} byte {position}");
            bytes[position] ^= 0x10;
        }
        assert!(read_package(package, &bytes[..]).is_ok());
    }
}

#[test]
fn a_package_of_another_length_is_refused() {
    let folder = fixtures().join("unsigned-pkg2.4");
    let catalogue = read_catalogue(&folder, &sources(&folder)[0], &Trust::Anyone).unwrap();
    let package = catalogue.find(&"debian-12-ZFS-10G".parse().unwrap()).unwrap();
    let intact = std::fs::read(folder.join(&package.path)).unwrap();
    let judge = |bytes: &[u8]| {
        let mut check = package.check(bytes);
        std::io::copy(&mut check, &mut std::io::sink()).unwrap();
        check.finish().unwrap_err().to_string()
    };
    assert_eq!(
        judge(&intact[..100]),
        "All/debian-12-ZFS-10G-20250515.pkg ends after 100 bytes, the catalogue says 43008"
    );
    assert_eq!(
        judge(&[&intact[..], b"x"].concat()),
        "All/debian-12-ZFS-10G-20250515.pkg has more than the 43008 bytes of the catalogue"
    );
    let mut changed = intact;
    changed[20_000] ^= 1;
    let expected = "All/debian-12-ZFS-10G-20250515.pkg has checksum ";
    assert!(judge(&changed).starts_with(expected));
}

/// `pkg repo --hash` puts the packages into All/Hashed, and the beginning of their sum, with its `$`, into their names.
#[test]
fn hashed_repositories_are_read() {
    let folder = fixtures().join("hashed");
    for source in sources(&folder) {
        let catalogue = read_catalogue(&folder, &source, &trust_in("hashed.pub")).unwrap();
        assert_eq!(listed(&catalogue), ["vm-20260101"]);
        assert_eq!(catalogue.others.len(), 3);
        let package = catalogue.find(&"vm".parse().unwrap()).unwrap();
        assert_eq!(package.path.as_str(), "All/Hashed/vm-20260101~2$w5to6w1q.pkg");
        let stream = read_package(package, File::open(folder.join(&package.path)).unwrap()).unwrap();
        assert_eq!(Some(Sha256Hex::of(&stream)), package.facts.sha256);
    }
}
