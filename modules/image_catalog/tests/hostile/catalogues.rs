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
            "the list of packages in it has 1099511627776 bytes, expected at most 33554432: it seems to be a repository of other \
             packages; give images one of their own",
        ),
        (
            vec![member("data", b"[]"), end()],
            "reading the list of packages: invalid length 0, expected struct Data with 4 elements at line 1 column 2",
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
        let catalogue = Catalogue::read(&archive[..], &source, &Trust::Anyone).unwrap();
        let other = &catalogue.others[0];
        let reason = format!("{path:?} is not the path of a file in a repository");
        assert!(catalogue.images.is_empty() && other.reason.contains(&reason), "{}", other.reason);
        assert_eq!((other.name.as_str(), &other.file), ("demo-1", &None));
    }
    let archive = [member("data", entry("..", "All/x.pkg").as_bytes()), end()].concat();
    let catalogue = Catalogue::read(&archive[..], &source, &Trust::Anyone).unwrap();
    assert!(catalogue.images.is_empty());
    assert_eq!(
        catalogue.others[0].reason,
        "image name \"..\" is not made of letters, digits, '.', '_' and '-', starting with a letter or digit"
    );
}

/// An entry like that of an image, with `changed` in the place of `text`.
fn entry(text: &str, changed: &str) -> Vec<u8> {
    let plain = r#"{"name":"demo","origin":"o","version":"1","comment":"c","sum":"SUM","path":"All/x.pkg","pkgsize":1,"annotations":{"image_format":"zfs-stream","image_guid":"1","image_volblocksize":"4096","image_volsize":"4096"}}"#
        .replace("SUM", Sha256Hex::of(b"").as_str());
    assert!(plain.contains(text), "{text}");
    plain.replace(text, changed).into_bytes()
}

fn read(entries: &[Vec<u8>]) -> Catalogue {
    let [source, _] = sources(&fixtures().join("unsigned"));
    let list = [&b"{\"packages\":["[..], &entries.join(&b","[..]), b"]}"].concat();
    Catalogue::read(&[member("data", &list), end()].concat()[..], &source, &Trust::Anyone).unwrap()
}

#[test]
fn one_odd_entry_never_takes_the_whole_list() {
    let image = entry("", "");
    for (odd, name) in [
        (b"3".to_vec(), "a package without a name"),
        (b"null".to_vec(), "a package without a name"),
        (b"[]".to_vec(), "a package without a name"),
        (b"{}".to_vec(), "a package without a name"),
        (entry("\"demo\"", "7"), "a package without a name"),
        (entry("\"demo\"", "\"x\",\"name\":\"y\""), "a package without a name"),
        (entry("\"demo\"", "\"g\u{00fc}nther\""), "g\u{00fc}nther-1"),
        (entry("\"o\"", "null"), "demo-1"),
        (entry("\"1\",\"comment\"", "1,\"comment\""), "demo"),
        (entry("\"pkgsize\":1", "\"pkgsize\":-1"), "demo-1"),
        (entry("\"pkgsize\":1", "\"flatsize\":1.5,\"pkgsize\":1"), "demo-1"),
        (entry("All/x.pkg", "All/a b.pkg"), "demo-1"),
        (entry(Sha256Hex::of(b"").as_str(), "9$abc"), "demo-1"),
        (entry("\"4096\"}", "4096}"), "demo-1"),
        (entry("\"comment\"", "\"deps\":[],\"comment\""), "demo-1"),
    ] {
        let catalogue = read(&[odd.clone(), image.clone()]);
        let text = String::from_utf8_lossy(&odd);
        assert_eq!(catalogue.images.len(), 1, "{text}");
        assert_eq!(catalogue.others[0].name, name, "{text}");
        assert_eq!(catalogue.others[0].json, text);
    }
    let latin = [b"{\"name\":\"x\",\"comment\":\"f", &b"\xfcr\"}"[..]].concat();
    let catalogue = read(&[latin, image]);
    assert_eq!((catalogue.images.len(), catalogue.others[0].name.as_str()), (1, "x"));
}

#[test]
fn twins_are_one_image_or_none() {
    let (image, other) = (entry("", ""), entry("\"version\":\"1\"", "\"version\":\"2\""));
    let elsewhere = entry("All/x.pkg", "All/Hashed/x~2$abc.pkg");
    let catalogue = read(&[image.clone(), elsewhere, other.clone()]);
    assert_eq!((catalogue.images.len(), catalogue.images[0].path.as_str()), (2, "All/x.pkg"));
    assert_eq!(catalogue.others[0].reason, "it is listed a second time");
    let different = entry(Sha256Hex::of(b"").as_str(), Sha256Hex::of(b"x").as_str());
    let catalogue = read(&[image, different, other]);
    assert_eq!((catalogue.images.len(), catalogue.others.len()), (1, 2));
    let error = catalogue.find(&"demo-1".parse().unwrap()).unwrap_err().to_string();
    assert_eq!(
        error,
        "image demo-1 in the catalogue cannot be used: two different packages are listed by this name"
    );
}

#[test]
fn images_for_other_machines_are_not_found() {
    let host = image_catalog::arch::Arch::of_host().unwrap();
    let other = if host.as_str() == "amd64" { "aarch64" } else { "amd64" };
    let of = |version: &str, arch: &str| {
        let entry =
            String::from_utf8(entry("\"1\",\"comment\"", &format!("\"{version}\",\"comment\""))).unwrap();
        entry.replace("\"image_guid\"", &format!("\"image_arch\":\"{arch}\",\"image_guid\"")).into_bytes()
    };
    let catalogue = read(&[of("1", host.as_str()), of("2", other)]);
    let find = |name: &str| catalogue.find(&name.parse().unwrap()).map(|image| image.id.to_string());
    assert_eq!((find("demo").unwrap(), find("demo-1").unwrap()), ("demo-1".to_owned(), "demo-1".to_owned()));
    let why =
        format!(": it is for machines of architecture {other}, this host is {}", std::env::consts::ARCH);
    assert_eq!(format!("{:#}", find("demo-2").unwrap_err()), format!("looking for image demo-2{why}"));
    let catalogue = read(&[of("2", other)]);
    let error = catalogue.find(&"demo".parse().unwrap()).unwrap_err();
    assert_eq!(format!("{error:#}"), format!("looking for image demo{why}"));
    assert_eq!(
        read(&[of("1", "riscv64")]).others[0].reason,
        "annotation image_arch: architecture \"riscv64\" is not known, expected amd64 or aarch64"
    );
}
