// SPDX-License-Identifier: GPL-3.0-or-later

//! Lists of catalogues made to do harm.

use image_catalog::catalogue::Catalogue;
use image_catalog::digest::Sha256Hex;
use image_catalog::signature::Trust;
use tar::EntryType;

use crate::common::{fixtures, sources};
use crate::members::{end, member, member_claiming, member_of};

#[test]
fn hostile_catalogue_archives_are_refused() {
    let list = br#"{"groups":[],"packages":[]}"#;
    let entry = r#"{"name":"demo","origin":"o","version":"1","sum":"SUM","path":"All/x.pkg","pkgsize":1,"annotations":{"image_format":"zfs-stream","image_guid":"1","image_volblocksize":"4096","image_volsize":"4096"}}"#
        .replace("SUM", Sha256Hex::of(b"").as_str());
    let twice = format!(r#"{{"packages":[{entry},{entry}]}}"#);
    let many: Vec<_> = (0..9).map(|i| member(&format!("k{i}.sig"), b"x")).collect();
    let folder = fixtures().join("unsigned");
    let [source, _] = sources(&folder);
    for (parts, expected) in [
        (vec![end()], "the archive holds no member \"data\""),
        (
            vec![member("data", list), member("data", list), end()],
            "member \"data\" follows \"data\", expected the end",
        ),
        (
            vec![member("signature", b"x"), member("signature", b"x"), end()],
            "member \"signature\" is there twice",
        ),
        (vec![member("../data", list), end()], "the archive holds the unknown member \"../data\""),
        (
            vec![member_of(EntryType::Symlink, "data", b""), end()],
            "member \"data\" is a symbolic link, expected a regular file",
        ),
        (
            vec![member("a.sig", b"x"), member("data", list), end()],
            "the archive lacks one of a.sig and a.pub",
        ),
        (many, "the archive holds more than 8 signatures"),
        (
            vec![member_claiming(EntryType::Regular, "data", list, 1 << 40)],
            "member \"data\" has 1099511627776 bytes, more than the limit of 33554432",
        ),
        (vec![member("data", twice.as_bytes()), end()], "image demo-1 is listed twice"),
        (
            vec![member("data", b"[]"), end()],
            "reading the list of packages: invalid length 0, expected struct Data with 2 elements at line 1 column 2",
        ),
    ] {
        let error = Catalogue::read(&parts.concat()[..], &source, &Trust::Anyone).unwrap_err();
        assert_eq!(format!("{error:#}"), format!("reading the catalogue data.pkg: {expected}"));
    }
}

#[test]
fn entries_that_lead_elsewhere_are_no_images() {
    let folder = fixtures().join("unsigned");
    let [source, _] = sources(&folder);
    let entry = |name: &str, path: &str| {
        format!(
            r#"{{"packages":[{{"name":"{name}","origin":"o","version":"1","sum":"{}","path":"{path}","pkgsize":1,"annotations":{{"image_format":"zfs-stream","image_guid":"1","image_volblocksize":"4096","image_volsize":"4096"}}}}]}}"#,
            Sha256Hex::of(b"")
        )
    };
    for path in ["/etc/passwd", "../x.pkg", "All/../../x.pkg", "All/.x", "All/a b"] {
        let archive = [member("data", entry("demo", path).as_bytes()), end()].concat();
        let error = format!("{:#}", Catalogue::read(&archive[..], &source, &Trust::Anyone).unwrap_err());
        assert!(error.contains(&format!("{path:?} is not the path of a file in a repository")), "{error}");
    }
    let archive = [member("data", entry("..", "All/x.pkg").as_bytes()), end()].concat();
    let catalogue = Catalogue::read(&archive[..], &source, &Trust::Anyone).unwrap();
    assert!(catalogue.images.is_empty());
    assert_eq!(
        catalogue.others[0].reason,
        "image name \"..\" is not made of letters, digits, '.', '_' and '-', starting with a letter or digit"
    );
}
